/* dispatch_jobs - what is heard of jobs that are printed, and what becomes of them; see
 * dispatch_parts.h. */
#include "dispatch_parts.h"

#include "../common/line.h"
#include "../common/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FIRST_PAUSE_MS 1000

/* ---- What people are told -------------------------------------------------------------------- */

void dispatch_set_state(struct queue *queue, enum queue_activity activity, const char *reason)
{
    queue->activity = activity;
    program_take_line(reason, queue->reason, sizeof(queue->reason));
}

bool dispatch_set_waiting(struct queue *queue, const char *reason)
{
    char before[QUEUE_REASON];
    bool waited = queue->activity == QUEUE_WAITING;
    memcpy(before, queue->reason, sizeof(before));
    dispatch_set_state(queue, QUEUE_WAITING, reason);
    return !waited || strcmp(before, queue->reason) != 0;
}

void dispatch_log_job(const struct dispatch *dispatch, enum log_priority priority,
                      const struct queue *queue, const struct queue_job *job, const char *what)
{
    struct line line = LINE_INIT;
    line_add(&line, "job %s of ", job->name);
    line_add_quoted(&line, job->user);
    line_add(&line, " for ");
    line_add_quoted(&line, queue->key);
    line_add(&line, " %s", what);
    log_line(dispatch->log, priority, "%s", line.text);
}

/* ---- Pauses ---------------------------------------------------------------------------------- */

void dispatch_begin_pause(struct printing *printing, const char *reason)
{
    struct dispatch *dispatch = printing->dispatch;
    int64_t most = dispatch->most_pause;
    int64_t pause = printing->pause > 0 ? 2 * printing->pause : FIRST_PAUSE_MS;
    printing->pause = pause < most ? pause : most;
    dispatch_set_state(printing->queue, QUEUE_WAITING, reason);
    loop_set(dispatch->loop, &printing->again, printing->pause);
}

void dispatch_end_pause(struct printing *printing)
{
    loop_unset(printing->dispatch->loop, &printing->again);
    printing->pause = 0;
}

/* ---- Ends ------------------------------------------------------------------------------------ */

void dispatch_finish_job(struct dispatch *dispatch, struct queue *queue)
{
    dispatch_log_job(dispatch, LOG_LINE_INFO, queue, queue->jobs, "is printed");
    spool_clear_done(dispatch->spool, queue->jobs->name);
    queue_drop_job(queue, queue->jobs);
}

/* Damaged on the disk: the others are not, and it stays for a person to look at. */
static void hold_job(struct dispatch *dispatch, struct queue *queue, const char *why)
{
    spool_hold(dispatch->spool, queue->jobs->name, why);
    queue_drop_job(queue, queue->jobs);
}

bool dispatch_remove_job(struct dispatch *dispatch, struct queue *queue, struct queue_job *job)
{
    int problem = spool_remove(dispatch->spool, job->name);
    if (problem != 0 && problem != ENOENT) {
        struct line line = LINE_INIT;
        line_add(&line, "cannot be removed: %s", strerror(problem));
        dispatch_log_job(dispatch, LOG_LINE_ERROR, queue, job, line.text);
        return false;
    }
    dispatch_log_job(dispatch, LOG_LINE_INFO, queue, job, "is removed");
    queue_drop_job(queue, job);
    return true;
}

/* The job was not printed. */
static void judge_end(struct printing *printing, int status, const char *reason)
{
    struct dispatch *dispatch = printing->dispatch;
    struct queue *queue = printing->queue;
    if (queue->jobs->unwanted && dispatch_remove_job(dispatch, queue, queue->jobs)) {
        return;
    }
    queue->jobs->unwanted = false;
    if (reason != NULL && status == DELIVER_DAMAGED) {
        hold_job(dispatch, queue, reason);
    } else if (reason != NULL) {
        struct line line = LINE_INIT;
        line_add(&line, "is not printed yet: %s", reason);
        dispatch_log_job(dispatch, LOG_LINE_WARNING, queue, queue->jobs, line.text);
        dispatch_begin_pause(printing, reason);
    } else if (printing->again.set) {
        dispatch_set_state(queue, QUEUE_WAITING, OTHERS_TURN);
    }
}

/* He is gone, whoever he was. Where nobody tells how, another one goes on with the job, and knows
 * from its directory what to mark. */
static void take_end(void *owner, int status, const char *reason)
{
    struct printing *printing = owner;
    struct dispatch *dispatch = printing->dispatch;
    struct queue *queue = printing->queue;
    const char *job = printing->deliverer.job;
    dispatch_set_state(queue, QUEUE_IDLE, "");
    if (queue->jobs != NULL && strcmp(queue->jobs->name, job) == 0) {
        if (spool_is_done(dispatch->spool, job)) {
            dispatch_end_pause(printing);
            dispatch_finish_job(dispatch, queue);
        } else {
            judge_end(printing, status, reason);
        }
    }
    dispatch_look(dispatch);
}

/* ---- What he says while he lives ------------------------------------------------------------- */

static void take_printing(void *owner)
{
    struct printing *printing = owner;
    dispatch_set_state(printing->queue, QUEUE_SENDING, "");
}

static void take_printed_again(void *owner, const char *document)
{
    struct printing *printing = owner;
    struct line said = LINE_INIT;
    line_add(&said, "was interrupted: document %s is printed again, and marked", document);
    dispatch_log_job(printing->dispatch, LOG_LINE_WARNING, printing->queue, printing->queue->jobs,
                     said.text);
}

static void take_waiting(void *owner, const char *reason)
{
    struct printing *printing = owner;
    struct dispatch *dispatch = printing->dispatch;
    struct queue *queue = printing->queue;
    if (dispatch_set_waiting(queue, reason)) {
        struct line line = LINE_INIT;
        line_add(&line, "is waiting for %s: %s", printing->target.text, queue->reason);
        dispatch_log_job(dispatch, LOG_LINE_WARNING, queue, queue->jobs, line.text);
        printing->since = loop_now(dispatch->loop);
    }
    dispatch_look(dispatch);
}

static void take_done(void *owner)
{
    struct printing *printing = owner;
    struct dispatch *dispatch = printing->dispatch;
    dispatch_set_state(printing->queue, QUEUE_IDLE, "");
    dispatch_end_pause(printing);
    printing->since = loop_now(dispatch->loop);
    dispatch_finish_job(dispatch, printing->queue);
    dispatch_look_at(dispatch, printing->queue);
}

const struct deliverer_calls dispatch_heard = {
    .printing = take_printing,
    .again = take_printed_again,
    .waiting = take_waiting,
    .done = take_done,
    .ended = take_end,
};
