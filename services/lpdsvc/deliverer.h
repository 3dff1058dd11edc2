/*
 * deliverer - who prints the jobs of a queue, one after the other.
 *
 * A process of regstore-deliver, which is given a job when it is started, and another one whenever
 * it has printed the one before, so that a small job does not pay for a process. One without a job
 * is kept for DELIVERER_KEPT_MS, as the next one may be near. Or somebody who was started before
 * us, and of whom only his end will be heard. Needs deliver_call, worker, job, loop.
 */
#ifndef LPDSVC_DELIVERER_H
#define LPDSVC_DELIVERER_H

#include "deliver_call.h"

#include "../printing/job.h"

#include <stdbool.h>

#define DELIVERER_KEPT_MS 1000

enum deliverer_phase {
    DELIVERER_NOBODY,
    DELIVERER_FOREIGN, /* somebody of before us has the job */
    DELIVERER_BUSY,    /* ours has it */
    DELIVERER_FREE,    /* ours is there, and has none */
    DELIVERER_LEAVING  /* ours has none and gets none; he will end */
};

/* What is heard of him. Each may start him again, or release him if he is gone. */
struct deliverer_calls {
    void (*printing)(void *owner);                    /* a document is on its way */
    void (*again)(void *owner, const char *document); /* it is sent once more, with a mark */
    void (*waiting)(void *owner, const char *reason); /* he will try again */
    void (*done)(void *owner);                        /* the job is printed, and his no more */
    /* He is gone; status is deliver_status, or -1: he was killed. reason is NULL where there is
     * nothing to tell: he had no job or was told to end, had not even looked at the job that he was
     * given beside the first, or was somebody of before us. */
    void (*ended)(void *owner, int status, const char *reason);
};

/* Starts as deliverer_init() makes it. */
struct deliverer {
    const struct deliverer_calls *calls;
    void *owner;
    enum deliverer_phase phase;
    char job[JOB_NAME];         /* "": he has none. The last one's, when he has ended. */
    bool told_to_end;           /* by a signal */
    bool unheard;               /* of a job that is not his first, nothing was heard yet */
    struct worker worker;       /* ours, */
    struct loop_source foreign; /* or somebody of before us */
    struct loop_timer leave;    /* how long one who is free is kept */
};

void deliverer_init(struct deliverer *deliverer, struct loop *loop,
                    const struct deliverer_calls *calls, void *owner);
/* Whether there is a process of ours. */
bool deliverer_is_ours(const struct deliverer *deliverer);
/* Starts the program at path, where there is nobody, with call's job. 0 or an errno number. */
int deliverer_start(struct deliverer *deliverer, const char *path, const struct deliver_call *call);
/* Where there is nobody: somebody of before us may have the claim of the job, whose directory this
 * is. Gives whether that is so, and he is watched. */
bool deliverer_follow(struct deliverer *deliverer, int directory, const char *job);
/* Gives one who is free another job, for the same target. If he does not take it he leaves. */
void deliverer_give(struct deliverer *deliverer, const char *job);
/* One who is free leaves. */
void deliverer_dismiss(struct deliverer *deliverer);
/* Ours is to end, at the latest after the document that is on its way. */
void deliverer_tell_to_end(struct deliverer *deliverer);
/* One who waits is to try now. */
void deliverer_hurry(struct deliverer *deliverer);
/* Nothing more is heard of him. One without a job ends, as does one who waits when we do; one who
 * is printing goes on. */
void deliverer_release(struct deliverer *deliverer);

#endif
