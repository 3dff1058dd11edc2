/*
 * job - one job in the spool: a directory with its documents, what is known of it, and how far it
 * is printed.
 *
 * Who prints a job (regstore-deliver) outlives who sent him (regstore-lpdsvc), so that a service
 * that is killed neither tears a job nor prints it twice. The directory is where both meet:
 *
 *     jobs/00000042/facts   what is known; written once, before the job is there
 *     jobs/00000042/1, 2    its documents, byte for byte
 *     jobs/00000042/claim   locked (F_OFD_SETLK) by who prints it, for as long as he lives
 *     jobs/00000042/state   how far he is: "printed 1" documents are done, and "sending" if the
 *                           next one was begun. Replaced by rename, and on the disk before the
 *                           step that it tells of
 *     done/00000042         the same directory, renamed when all of it was printed: the service
 *                           removes it
 *
 * A job whose state says "sending" and whose claim nobody holds was interrupted: whether that
 * document came out, nobody knows. It is sent again, and marked. Nothing here follows a symbolic
 * link. Needs line.
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
    char format; /* RFC 1179's: 'f', 'l', 'o', ... */
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

/* They give false with the reason in *problem, and of what was not written in errno, too; a file
 * that was damaged or planted is one. What is written is not on the disk yet: who makes the job
 * waits for it together with the documents. */
bool job_write_facts(int directory, const struct job_facts *facts, struct line *problem);
bool job_read_facts(int directory, struct job_facts *facts, struct line *problem);
/* How many documents are to be printed, each copy counted. */
unsigned job_total(const struct job_facts *facts);
/* Opens document i, from 0 on, to be read, and closed, by the caller. -1 with the reason; a size
 * that is not what facts say is one. */
int job_open_document(int directory, const struct job_facts *facts, size_t i, struct line *problem);

/* How far it is. */
struct job_state {
    unsigned printed; /* documents, each copy counted */
    bool sending;     /* the next one was begun */
};

/* No state yet is one of zeros. */
bool job_read_state(int directory, struct job_state *state, struct line *problem);
/* On the disk when this returns. */
bool job_write_state(int directory, const struct job_state *state, struct line *problem);

/* The descriptor that holds the claim, or -1 with errno: EAGAIN if another has it. Closing it gives
 * it back. */
int job_claim(int directory);
/* The process that holds it; 0: none does. */
pid_t job_claimed_by(int directory);
/* All of it was printed: moves the directory to done/. spool is the descriptor of what has jobs/
 * and done/. 0 or an errno number. It is not waited for: after a loss of power the job may be in
 * jobs/ again, and its state says that nothing is left to be printed. */
int job_finish(int spool, const char *name);

#endif
