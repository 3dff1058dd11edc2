/* dispatch - has the jobs of each queue printed, one after the other; see dispatch.h. */
#include "dispatch.h"

#include "dispatch_parts.h"

#include "../common/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_PAUSE_MS 30000 /* unless the settings say otherwise */
#define TURN_MS 10000       /* that one who has given way waits at least */

static void look_at(struct dispatch *dispatch, struct queue *queue);

/* ---- What is known --------------------------------------------------------------------------- */

static enum deliverer_phase phase_of(const struct queue *queue)
{
    return queue->printing != NULL ? queue->printing->deliverer.phase : DELIVERER_NOBODY;
}

/* Whether somebody has the queue's first job. */
static bool is_taken(const struct queue *queue)
{
    enum deliverer_phase phase = phase_of(queue);
    return phase == DELIVERER_BUSY || phase == DELIVERER_FOREIGN;
}

static bool same_target(const struct target *a, const struct target *b)
{
    return strcmp(a->text, b->text) == 0 && strcmp(a->line, b->line) == 0 &&
           strcmp(a->credentials, b->credentials) == 0 && a->null_session == b->null_session &&
           a->format == b->format;
}

/* Whether jobs of the queue may be printed. */
static bool is_open(const struct dispatch *dispatch, const struct queue *queue)
{
    return dispatch->running && dispatch->spool != NULL && queue_is_open(queue);
}

/* Whether the latest process was started for what the queue says now. */
static bool fits_target(const struct printing *printing)
{
    const struct queue_shape *shape = printing->queue->shape;
    return shape->leads && same_target(&printing->target, &shape->target);
}

static bool fits(const struct printing *printing)
{
    return fits_target(printing) && printing->retry == printing->dispatch->most_pause;
}

/* ---- Pauses ---------------------------------------------------------------------------------- */

static void take_again(void *owner)
{
    struct printing *printing = owner;
    look_at(printing->dispatch, printing->queue);
}

/* ---- Beginnings ------------------------------------------------------------------------------ */

static struct printing *make_printing(struct dispatch *dispatch, struct queue *queue)
{
    if (queue->printing == NULL) {
        queue->printing = calloc(1, sizeof(*queue->printing));
        if (queue->printing == NULL) {
            return NULL;
        }
        struct printing *made = queue->printing;
        made->dispatch = dispatch;
        made->queue = queue;
        made->again = (struct loop_timer){.expired = take_again, .owner = made};
        deliverer_init(&made->deliverer, dispatch->loop, &dispatch_heard, made);
    }
    return queue->printing;
}

static void start_ours(struct printing *printing)
{
    struct dispatch *dispatch = printing->dispatch;
    struct queue *queue = printing->queue;
    const struct deliver_call call = {
        .spool = spool_path(dispatch->spool),
        .job = queue->jobs->name,
        .target = &printing->target,
        .retry = printing->retry,
    };
    int problem = deliverer_start(&printing->deliverer, dispatch->program, &call);
    if (problem != 0) {
        struct line reason = LINE_INIT;
        line_add(&reason, "cannot run %s: %s", DELIVER_PROGRAM, strerror(problem));
        dispatch_begin_pause(printing, reason.text);
        return;
    }
    dispatch_set_state(queue, QUEUE_CONNECTING, "");
}

/* The job's directory is not where it should be, or not to be had. There may be many such. */
static void take_missing(struct printing *printing, int problem)
{
    struct dispatch *dispatch = printing->dispatch;
    struct queue *queue = printing->queue;
    struct line reason = LINE_INIT;
    if (spool_is_done(dispatch->spool, queue->jobs->name)) {
        dispatch_finish_job(dispatch, queue);
        loop_set(dispatch->loop, &printing->again, 0);
    } else if (problem == ENOENT) {
        dispatch_log_job(dispatch, LOG_LINE_ERROR, queue, queue->jobs, "is gone from the spool");
        queue_drop_job(queue, queue->jobs);
        loop_set(dispatch->loop, &printing->again, 0);
    } else {
        line_add(&reason, "cannot open the job: %s", strerror(problem));
        dispatch_begin_pause(printing, reason.text);
    }
}

/* Who was started before us and still has a job is sending it: while he waits he ends with who
 * started him. */
static void begin_job(struct printing *printing)
{
    struct queue *queue = printing->queue;
    printing->target = queue->shape->target;
    printing->retry = printing->dispatch->most_pause;
    printing->since = loop_now(printing->dispatch->loop);
    int directory = spool_open_job(printing->dispatch->spool, queue->jobs->name);
    if (directory < 0) {
        take_missing(printing, errno);
        return;
    }
    if (deliverer_follow(&printing->deliverer, directory, queue->jobs->name)) {
        dispatch_set_state(queue, QUEUE_SENDING, "");
    } else {
        start_ours(printing);
    }
    close(directory);
}

/* ---- Turns ----------------------------------------------------------------------------------- */

static size_t count_ours(const struct dispatch *dispatch)
{
    size_t count = 0;
    for (size_t i = 0; i < dispatch->queues->count; i++) {
        const struct printing *printing = dispatch->queues->rows[i]->printing;
        count += printing != NULL && deliverer_is_ours(&printing->deliverer);
    }
    return count;
}

/* Whether one would sooner be ended than the other, which may be NULL, so that his place is free:
 * who has no job, then who has waited longest. */
static bool gives_way(const struct printing *printing, const struct printing *other)
{
    bool is_free = phase_of(printing->queue) == DELIVERER_FREE;
    if (!is_free && (phase_of(printing->queue) != DELIVERER_BUSY ||
                     printing->queue->activity != QUEUE_WAITING)) {
        return false;
    }
    bool other_is_free = other != NULL && phase_of(other->queue) == DELIVERER_FREE;
    return other == NULL || (is_free && !other_is_free) ||
           (is_free == other_is_free && printing->since < other->since);
}

static bool is_leaving(const struct deliverer *deliverer)
{
    return deliverer->phase == DELIVERER_LEAVING ||
           (deliverer->phase == DELIVERER_BUSY && deliverer->told_to_end);
}

/* All places are taken: somebody ends soon, or is told to. That is looked for once, until somebody
 * has ended or something else has changed. */
static void make_way(struct dispatch *dispatch)
{
    struct printing *first = NULL;
    if (dispatch->crowded) {
        return;
    }
    dispatch->crowded = true;
    for (size_t i = 0; i < dispatch->queues->count; i++) {
        struct printing *printing = dispatch->queues->rows[i]->printing;
        if (printing == NULL) {
            continue;
        }
        if (is_leaving(&printing->deliverer)) {
            return;
        }
        first = gives_way(printing, first) ? printing : first;
    }
    if (first != NULL && first->deliverer.phase == DELIVERER_FREE) {
        deliverer_dismiss(&first->deliverer);
    } else if (first != NULL) {
        deliverer_tell_to_end(&first->deliverer);
        loop_set(dispatch->loop, &first->again, TURN_MS);
    }
}

/* The registry has to be changed for it; that is said once for each reason. */
static void wait_for_target(struct dispatch *dispatch, struct queue *queue)
{
    if (dispatch_set_waiting(queue, queue->shape->why)) {
        struct line line = LINE_INIT;
        line_add(&line, "is waiting: %s", queue->reason);
        dispatch_log_job(dispatch, LOG_LINE_WARNING, queue, queue->jobs, line.text);
    }
}

/* ---- What is to be done ---------------------------------------------------------------------- */

static void look_for_one(struct dispatch *dispatch, struct queue *queue)
{
    struct printing *printing = make_printing(dispatch, queue);
    if (printing != NULL && !fits(printing)) {
        dispatch_end_pause(printing);
    }
    if (printing == NULL || printing->again.set) {
        return;
    }
    if (!queue->shape->leads) {
        wait_for_target(dispatch, queue);
    } else if (dispatch->crowded || count_ours(dispatch) >= DISPATCH_MOST) {
        dispatch_set_state(queue, QUEUE_WAITING, OTHERS_TURN);
        make_way(dispatch);
    } else {
        begin_job(printing);
    }
}

static void look_at_nobody(struct dispatch *dispatch, struct queue *queue)
{
    if (is_open(dispatch, queue) && queue->jobs != NULL) {
        look_for_one(dispatch, queue);
        return;
    }
    dispatch_set_state(queue, QUEUE_IDLE, "");
    if (queue->printing != NULL) {
        dispatch_end_pause(queue->printing);
    }
}

/* One whose document is on its way gets it there. Else he may not be needed any more, or for
 * another target; and one who waits may wait for too long. */
static void look_at_busy(struct dispatch *dispatch, struct queue *queue)
{
    struct printing *printing = queue->printing;
    bool stays =
        queue->activity == QUEUE_SENDING || (is_open(dispatch, queue) && fits_target(printing) &&
                                             (queue->activity != QUEUE_WAITING || fits(printing)));
    if (!stays) {
        deliverer_tell_to_end(&printing->deliverer);
    }
}

/* The next job is his, unless it asks for another one, or another queue for his place. */
static void look_at_free(struct dispatch *dispatch, struct queue *queue)
{
    struct printing *printing = queue->printing;
    if (!is_open(dispatch, queue) || !fits(printing) || dispatch->crowded) {
        deliverer_dismiss(&printing->deliverer);
    } else if (queue->jobs != NULL) {
        deliverer_give(&printing->deliverer, queue->jobs->name);
        if (is_taken(queue)) {
            dispatch_set_state(queue, QUEUE_CONNECTING, "");
        }
    }
}

static void look_at(struct dispatch *dispatch, struct queue *queue)
{
    switch (phase_of(queue)) {
    case DELIVERER_NOBODY:
        look_at_nobody(dispatch, queue);
        break;
    case DELIVERER_BUSY:
        look_at_busy(dispatch, queue);
        break;
    case DELIVERER_FREE:
        look_at_free(dispatch, queue);
        break;
    case DELIVERER_FOREIGN:
    case DELIVERER_LEAVING:
        break;
    }
}

/* ---- The whole ------------------------------------------------------------------------------- */

int dispatch_open(const struct dispatch_options *options, struct dispatch **dispatch)
{
    struct dispatch *made = calloc(1, sizeof(*made));
    int problem = ENOMEM;
    if (made == NULL) {
        return problem;
    }
    made->loop = options->loop;
    made->log = options->log;
    made->queues = options->queues;
    made->most_pause = MOST_PAUSE_MS;
    problem = deliver_call_find(made->program, sizeof(made->program));
    if (problem != 0) {
        free(made);
        return problem;
    }
    *dispatch = made;
    return 0;
}

static void release(struct queue *queue)
{
    struct printing *printing = queue->printing;
    if (printing != NULL) {
        loop_unset(printing->dispatch->loop, &printing->again);
        deliverer_release(&printing->deliverer);
        free(printing);
        queue->printing = NULL;
    }
}

void dispatch_close(struct dispatch *dispatch)
{
    if (dispatch != NULL) {
        for (size_t i = 0; i < dispatch->queues->count; i++) {
            release(dispatch->queues->rows[i]);
        }
        free(dispatch);
    }
}

static bool is_released(struct queue *queue)
{
    if (phase_of(queue) != DELIVERER_NOBODY) {
        return false;
    }
    release(queue);
    return true;
}

void dispatch_spool(struct dispatch *dispatch, struct spool *spool)
{
    dispatch->spool = spool;
}

void dispatch_pause(struct dispatch *dispatch, uint32_t most)
{
    dispatch->most_pause = most;
}

void dispatch_run(struct dispatch *dispatch, bool running)
{
    dispatch->running = running;
}

/* The first one that had to wait for a place is the first that is looked at the next time, so that
 * none has to stand back for ever. */
void dispatch_look(struct dispatch *dispatch)
{
    queues_sweep(dispatch->queues, is_released);
    size_t count = dispatch->queues->count;
    size_t first = dispatch->next;
    dispatch->crowded = false;
    for (size_t i = 0; i < count; i++) {
        size_t at = (first + i) % count;
        bool crowded = dispatch->crowded;
        look_at(dispatch, dispatch->queues->rows[at]);
        if (!crowded && dispatch->crowded) {
            dispatch->next = at;
        }
    }
}

void dispatch_look_at(struct dispatch *dispatch, struct queue *queue)
{
    look_at(dispatch, queue);
}

void dispatch_hurry(struct dispatch *dispatch, struct queue *queue)
{
    if (phase_of(queue) == DELIVERER_NOBODY && queue->printing != NULL) {
        dispatch_end_pause(queue->printing);
    } else if (phase_of(queue) == DELIVERER_BUSY && queue->activity == QUEUE_WAITING) {
        /* One who has not said yet that he waits may not know the signal, which then kills. */
        deliverer_hurry(&queue->printing->deliverer);
    }
    look_at(dispatch, queue);
}

enum dispatch_removal dispatch_remove(struct dispatch *dispatch, struct queue *queue,
                                      struct queue_job *job)
{
    if (dispatch->spool == NULL) {
        return DISPATCH_FAILED;
    }
    if (job == queue->jobs && is_taken(queue)) {
        if (queue->activity == QUEUE_SENDING) {
            return DISPATCH_BEING_PRINTED;
        }
        job->unwanted = true;
        deliverer_tell_to_end(&queue->printing->deliverer);
        return DISPATCH_REMOVING;
    }
    return dispatch_remove_job(dispatch, queue, job) ? DISPATCH_REMOVED : DISPATCH_FAILED;
}
