/*
 * lpd_server - the line printer daemon's side of RFC 1179: clients connect, ask, and send jobs.
 *
 * It knows the protocol and the spool, and asks its owner about queues. A job is acknowledged when
 * it is in the spool; that is the acknowledgement of the last file that its control file names,
 * whichever comes last. All is bounded: clients, the time that one may be silent, the control file,
 * the files of a job. Needs loop, log, listener, lpd_request, control_file, spool.
 */
#ifndef LPDSVC_LPD_SERVER_H
#define LPDSVC_LPD_SERVER_H

#include "spool.h"

#include "../common/line.h"
#include "../common/log.h"
#include "../common/loop.h"

#include <stdint.h>

#define LPD_SILENCE_MS 60000         /* that a client may keep */
#define LPD_ANSWER_MAX (1024 * 1024) /* bytes of a queue's state */
#define LPD_CONTROL_MAX (64 * 1024)  /* bytes of a control file */

struct lpd_server;

/* A request about a queue, as the client wrote it, but split by name_size(); texts end with NUL and
 * hold no other. */
struct lpd_question {
    const char *queue;
    const char *agent;        /* who asks to remove jobs; else "" */
    const char *const *items; /* users and job numbers; end with NULL */
    const char *address;      /* of the client */
    bool is_long;             /* the state in its long form */
};

/* A text that grows, up to LPD_ANSWER_MAX; what is more is left out, which its last line says. */
struct lpd_answer;
void lpd_answer_add(struct lpd_answer *answer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What the owner knows. Names of queues have no case; queue[] takes the printer's key. */
struct lpd_owner {
    /* Whether the queue is there and takes jobs; queue has JOB_TEXT bytes. The reason in *problem.
     */
    bool (*find)(void *owner, const char *name, char *queue, struct line *problem);
    /* How many bytes at the operand's beginning, up to a blank or to its end, are a queue's name;
     * 0: none that is known. */
    size_t (*name_size)(void *owner, const char *operand);
    /* A job is in the spool, and its client does not know it yet. */
    void (*received)(void *owner, const char *name, const struct job_facts *facts);
    /* 01: print waiting jobs. false: refused. */
    bool (*resume)(void *owner, const struct lpd_question *question);
    /* 03, 04: the queue's state, in lines. */
    void (*state)(void *owner, const struct lpd_question *question, struct lpd_answer *answer);
    /* 05: remove jobs. false: refused; the answer is for a person. */
    bool (*remove)(void *owner, const struct lpd_question *question, struct lpd_answer *answer);
};

struct lpd_server_options {
    struct loop *loop;
    const struct log *log;
    const struct lpd_owner *calls;
    void *owner;
};

/* 0 or an errno number. All that options name outlives the server. */
int lpd_server_open(const struct lpd_server_options *options, struct lpd_server **server);
/* Clients are cut off, unless their job is being committed. NULL is allowed. */
void lpd_server_close(struct lpd_server *server);
/* Live: how many clients at a time (more are told so and cut off), and whether only source ports
 * 721 to 731 are served, as RFC 1179 3.1 asks. */
void lpd_server_limits(struct lpd_server *server, unsigned most_clients, bool reserved_ports);
/* Jobs are received into this spool from now on. NULL: none are; jobs are refused. */
void lpd_server_spool(struct lpd_server *server, struct spool *spool);
/* Listens at this address and port instead of where it does; port 0: at none. Gives false with the
 * reason, and all is as it was. */
bool lpd_server_listen(struct lpd_server *server, const char *address, unsigned port,
                       struct line *problem);
/* Listens at the service manager's socket, too. 0 or an errno number. */
int lpd_server_inherit(struct lpd_server *server, int fd);
unsigned lpd_server_clients(const struct lpd_server *server);

#endif
