/*
 * dispatch - has the jobs of each queue printed, one after the other.
 *
 * The first job of a queue is given to its deliverer, a process of its own, which tries until it is
 * printed and finishes its directory in the spool, also when we end meanwhile (job.h). Then he gets
 * the next one, if it is to go where he was started for. So a job may be somebody's who was started
 * before us: his end is waited for, and then it is seen whether the job is done. What cannot be
 * printed by one who ends early is tried again, after a pause that grows. There are DISPATCH_MOST
 * at a time: where more queues have jobs, those who have none give way, and then those who only
 * wait for their target, in turn. Needs queues, spool, deliverer, loop, log, line.
 */
#ifndef LPDSVC_DISPATCH_H
#define LPDSVC_DISPATCH_H

#include "queues.h"
#include "spool.h"

#include "../common/log.h"
#include "../common/loop.h"

#include <stdint.h>

#define DISPATCH_MOST 64

struct dispatch;

struct dispatch_options {
    struct loop *loop;
    const struct log *log;
    struct queues *queues;
};

/* What becomes of a job that is no longer wanted. */
enum dispatch_removal {
    DISPATCH_REMOVED,
    DISPATCH_REMOVING,      /* as soon as its deliverer has ended, which he was told to */
    DISPATCH_BEING_PRINTED, /* it is too late */
    DISPATCH_FAILED         /* the spool does not let it go */
};

/* 0 or an errno number. All that options name outlives the dispatch. */
int dispatch_open(const struct dispatch_options *options, struct dispatch **dispatch);
/* Deliverers are left to themselves, and to the kernel, which tells them when we end. NULL is
 * allowed. */
void dispatch_close(struct dispatch *dispatch);

/* The jobs are in this spool, which stays until the end; until there is one, nothing is printed. */
void dispatch_spool(struct dispatch *dispatch, struct spool *spool);
/* The longest pause between two tries, in ms; dispatch_look() brings it to those who wait. */
void dispatch_pause(struct dispatch *dispatch, uint32_t most);
/* Whether jobs are to be printed at all; who prints one goes on in any case. */
void dispatch_run(struct dispatch *dispatch, bool running);
/* The queues have changed: begins and ends what that asks for. A document on its way to a target
 * gets there. */
void dispatch_look(struct dispatch *dispatch);
void dispatch_look_at(struct dispatch *dispatch, struct queue *queue);
/* The queue's pause is over, whatever it is for. */
void dispatch_hurry(struct dispatch *dispatch, struct queue *queue);
/* The job goes from spool and queue. */
enum dispatch_removal dispatch_remove(struct dispatch *dispatch, struct queue *queue,
                                      struct queue_job *job);

#endif
