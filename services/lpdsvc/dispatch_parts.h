/*
 * dispatch_parts - what the parts of dispatch share: dispatch.c says who prints what, and
 * dispatch_jobs.c takes what is heard of it. Needs deliverer.
 */
#ifndef LPDSVC_DISPATCH_PARTS_H
#define LPDSVC_DISPATCH_PARTS_H

#include "deliverer.h"
#include "dispatch.h"

#include <limits.h>

#define OTHERS_TURN "other queues are being printed"

struct dispatch {
    struct loop *loop;
    const struct log *log;
    struct queues *queues;
    struct spool *spool; /* NULL: there is none yet */
    uint32_t most_pause;
    bool running;
    bool crowded; /* a queue waits for a place */
    size_t next;  /* the queue that is looked at first, as it waits for a place */
    char program[PATH_MAX];
};

/* How a queue's first job is printed. */
struct printing {
    struct dispatch *dispatch;
    struct queue *queue;
    struct deliverer deliverer;
    struct target target;    /* that the latest process was started for, */
    uint32_t retry;          /* and its longest pause */
    int64_t since;           /* that it waits, or is free */
    struct loop_timer again; /* set: until then nobody is started */
    int64_t pause;           /* the next one, ms; 0: there was none since all went well */
};

/* Calls of a printing's deliverer. */
extern const struct deliverer_calls dispatch_heard;

/* The queue's state; a reason may be a stranger's words. */
void dispatch_set_state(struct queue *queue, enum queue_activity activity, const char *reason);
/* It waits; gives whether that is news. */
bool dispatch_set_waiting(struct queue *queue, const char *reason);
/* A line about a job, for a person. */
void dispatch_log_job(const struct dispatch *dispatch, enum log_priority priority,
                      const struct queue *queue, const struct queue_job *job, const char *what);

/* Nobody is started for a while, each time longer. */
void dispatch_begin_pause(struct printing *printing, const char *reason);
/* There is none, and the next one is short: all went well, or something else is to be tried. */
void dispatch_end_pause(struct printing *printing);
/* The queue's first job was printed: nobody else knows it any more. */
void dispatch_finish_job(struct dispatch *dispatch, struct queue *queue);
/* Gives whether it is gone; else it is logged why not. */
bool dispatch_remove_job(struct dispatch *dispatch, struct queue *queue, struct queue_job *job);

#endif
