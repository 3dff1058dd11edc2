/*
 * job - one job in the spool: a directory with its documents, what is known of it, and how far it
 * is printed.
 *
 * Who prints a job (regstore-deliver) outlives who sent him (regstore-lpdsvc), so that a service
 * that is killed neither tears a job nor prints it twice. The directory is where both meet:
 *
 *     jobs/00000042/facts   what is known; written once, before the job is acknowledged
 *     jobs/00000042/1, 2    its documents, byte for byte
 *     jobs/00000042/state   how far he is: so many documents of so many are printed, and "sending"
 *                           if the next one was begun, which is on the disk before it is. Locked
 *                           (F_OFD_SETLK) by who prints the job, for as long as he has it: that is
 *                           the claim
 *     done/00000042         the same directory, renamed when all of it was printed: the service
 *                           takes it away
 *
 * A job whose state says "sending" and whose claim nobody holds was interrupted: whether that
 * document came out, nobody knows. It is sent again, and marked.
 *
 * Directories with their files are used again for later jobs, as making files is what a file system
 * is slow at. So what is written in place may be torn by a loss of power, or be of the job before:
 * facts and state carry the job's name and a sum of themselves (CRC-32), and a small document's
 * sum stands in facts. state has two blocks of the disk, which are written in turn, so that one is
 * whole at any time. Nothing here follows a symbolic link. Needs line, zlib.
 */
#ifndef PRINTING_JOB_H
#define PRINTING_JOB_H

#include "../common/line.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define JOB_TEXT 256     /* bytes of each text, its end included */
#define JOB_DOCUMENTS 52 /* of a job: RFC 1179's names have that many letters */
#define JOB_COPIES 100   /* of a document, at most */
#define JOB_NAME 16      /* bytes of a directory's name, its end included: "00000042" */

struct job_document {
    char name[JOB_TEXT]; /* what the client calls it; "" : nothing */
    uint64_t size;       /* bytes */
    unsigned copies;
    char format;  /* RFC 1179's: 'f', 'l', 'o', ... */
    bool summed;  /* else its bytes were on the disk before the job was in jobs/ */
    uint32_t sum; /* CRC-32 of its bytes */
};

/* All texts are UTF-8 without control characters, whatever the client sent. */
struct job_facts {
    char queue[JOB_TEXT];   /* the printer's key */
    char address[JOB_TEXT]; /* of the client: "127.0.0.1" */
    char host[JOB_TEXT];    /* as it calls itself, */
    char user[JOB_TEXT];    /* its user, */
    char title[JOB_TEXT];   /* and the job */
    unsigned number;        /* the client's, 0 to 999 */
    uint64_t time;          /* s since 1970, of its receipt */
    size_t count;
    struct job_document documents[JOB_DOCUMENTS];
};

/* How reading a part of a job went; but for the first there is a reason. */
enum job_reading {
    JOB_READ,
    JOB_ANOTHER,   /* it is whole, and another job's: the directory was in use again */
    JOB_DAMAGED,   /* torn, planted, gone, or the disk gives it no more: only a person can help */
    JOB_UNREADABLE /* for want of memory or descriptors: it may go well the next time */
};

/* name is the job's: "00000042". false with the reason in *problem, and in errno. What is written
 * replaces what is there, and is not on the disk yet: who makes the job waits for it together with
 * the documents. */
bool job_write_facts(int directory, const char *name, const struct job_facts *facts,
                     struct line *problem);
enum job_reading job_read_facts(int directory, const char *name, struct job_facts *facts,
                                struct line *problem);
/* How many documents are to be printed, each copy counted. */
unsigned job_total(const struct job_facts *facts);
/* Opens document i, from 0 on, to be read, and closed, by the caller. A size that is not what facts
 * say is damage. */
enum job_reading job_open_document(int directory, const struct job_facts *facts, size_t i,
                                   int *document, struct line *problem);
/* The same without giving it, but with its sum, where it has one. */
enum job_reading job_check_document(int directory, const struct job_facts *facts, size_t i,
                                    struct line *problem);
/* The sum of bytes that follow those of sum; 0: of none. */
uint32_t job_sum(uint32_t sum, const void *bytes, size_t size);

/* How far it is. */
struct job_state {
    unsigned printed; /* documents, each copy counted, */
    unsigned total;   /* of so many */
    bool sending;     /* the next one was begun */
    uint32_t written; /* how often the state was; job_write_state's */
};

/* A new job's; replaces what is there. It is not on the disk yet. */
bool job_begin_state(int directory, const char *name, unsigned total, struct line *problem);
/* A block that was torn is one that says "sending", as that was perhaps to be written. */
enum job_reading job_read_state(int directory, const char *name, struct job_state *state,
                                struct line *problem);
/* *state is as it was read or written before, but for printed and sending. "Sending" is on the disk
 * when this returns; the end of it is not waited for: a loss of power may bring "sending" back. */
bool job_write_state(int directory, const char *name, struct job_state *state,
                     struct line *problem);

/* The descriptor that holds the claim, or -1 with errno: EAGAIN if another has it. Closing it gives
 * it back. */
int job_claim(int directory);
/* The process that holds it; 0: none does. */
pid_t job_claimed_by(int directory);
/* All of it was printed: moves the directory to done/. spool is the descriptor of what has jobs/
 * and done/. 0 or an errno number. It is not waited for: until jobs/ is synced a loss of power may
 * bring the job back, and its latest document is sent again, and marked. */
int job_finish(int spool, const char *name);

#endif
