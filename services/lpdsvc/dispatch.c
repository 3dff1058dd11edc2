/* dispatch - has the jobs of each queue printed, one after the other; see dispatch.h. */
#include "dispatch.h"

#include "deliver_call.h"

#include "../common/line.h"
#include "../common/program.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <unistd.h>

#define FIRST_PAUSE_MS 1000
#define MOST_PAUSE_MS 30000 /* unless the settings say otherwise */
#define TURN_MS 10000       /* that one who has given way waits at least */
#define OTHERS_TURN "other queues are being printed"

struct dispatch {
    struct loop *loop;
    const struct log *log;
    struct queues *queues;
    struct spool *spool; /* NULL: there is none yet */
    uint32_t most_pause;
    bool running;
    size_t busy; /* deliverers that we have started */
    size_t next; /* the queue whose turn is next, where there are too many */
    char program[PATH_MAX];
};

/* Who prints a queue's first job. */
struct deliverer {
    struct dispatch *dispatch;
    struct queue *queue;
    struct worker worker;       /* ours, */
    struct loop_source foreign; /* or one of before us; fd -1: there is none */
    char job[JOB_NAME];
    struct target target; /* that he prints to */
    bool told_to_end;
    int64_t since;           /* that he waits */
    struct loop_timer again; /* set: until then nobody is started */
    int64_t pause;           /* the next one, ms; 0: there was none since all went well */
};

static void look_at(struct dispatch *dispatch, struct queue *queue);

/* ---- What is known --------------------------------------------------------------------------- */

static bool is_ours(const struct deliverer *deliverer)
{
    return deliverer->worker.pid > 0;
}

static bool is_busy(const struct deliverer *deliverer)
{
    return deliverer != NULL && (is_ours(deliverer) || deliverer->foreign.fd >= 0);
}

/* A reason may be a stranger's words. */
static void set_state(struct queue *queue, enum queue_activity activity, const char *reason)
{
    queue->activity = activity;
    program_take_line(reason, queue->reason, sizeof(queue->reason));
}

/* Gives whether that is news. */
static bool set_waiting(struct queue *queue, const char *reason)
{
    char before[QUEUE_REASON];
    bool waited = queue->activity == QUEUE_WAITING;
    memcpy(before, queue->reason, sizeof(before));
    set_state(queue, QUEUE_WAITING, reason);
    return !waited || strcmp(before, queue->reason) != 0;
}

static bool same_target(const struct target *a, const struct target *b)
{
    return strcmp(a->text, b->text) == 0 && strcmp(a->line, b->line) == 0 &&
           strcmp(a->credentials, b->credentials) == 0 && a->null_session == b->null_session &&
           a->format == b->format;
}

static bool is_wanted(const struct dispatch *dispatch, const struct queue *queue)
{
    return dispatch->running && dispatch->spool != NULL && queue->jobs != NULL &&
           queue_is_open(queue);
}

/* A line about a job, for a person. */
static void log_job(const struct dispatch *dispatch, enum log_priority priority,
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

static void take_again(void *owner)
{
    struct deliverer *deliverer = owner;
    look_at(deliverer->dispatch, deliverer->queue);
}

static void begin_pause(struct deliverer *deliverer, const char *reason)
{
    struct dispatch *dispatch = deliverer->dispatch;
    int64_t most = dispatch->most_pause;
    int64_t pause = deliverer->pause > 0 ? 2 * deliverer->pause : FIRST_PAUSE_MS;
    deliverer->pause = pause < most ? pause : most;
    set_state(deliverer->queue, QUEUE_WAITING, reason);
    loop_set(dispatch->loop, &deliverer->again, deliverer->pause);
}

static void end_pause(struct deliverer *deliverer)
{
    loop_unset(deliverer->dispatch->loop, &deliverer->again);
    deliverer->pause = 0;
}

/* ---- Ends ------------------------------------------------------------------------------------ */

/* The job was printed: nobody else knows it any more. */
static void finish_job(struct dispatch *dispatch, struct queue *queue)
{
    log_job(dispatch, LOG_LINE_INFO, queue, queue->jobs, "is printed");
    spool_clear_done(dispatch->spool, queue->jobs->name);
    queue_drop_job(queue, queue->jobs);
}

/* Damaged on the disk: the others are not, and it stays for a person to look at. */
static void hold_job(struct dispatch *dispatch, struct queue *queue, const char *why)
{
    spool_hold(dispatch->spool, queue->jobs->name, why);
    queue_drop_job(queue, queue->jobs);
}

static bool remove_job(struct dispatch *dispatch, struct queue *queue, struct queue_job *job)
{
    int problem = spool_remove(dispatch->spool, job->name);
    if (problem != 0 && problem != ENOENT) {
        struct line line = LINE_INIT;
        line_add(&line, "cannot be removed: %s", strerror(problem));
        log_job(dispatch, LOG_LINE_ERROR, queue, job, line.text);
        return false;
    }
    log_job(dispatch, LOG_LINE_INFO, queue, job, "is removed");
    queue_drop_job(queue, job);
    return true;
}

/* The job was not printed. status is that of who tried. */
static void judge_end(struct deliverer *deliverer, int status, const char *reason)
{
    struct dispatch *dispatch = deliverer->dispatch;
    struct queue *queue = deliverer->queue;
    bool asked = deliverer->told_to_end && (status == DELIVER_NOT_PRINTED || status < 0);
    if (queue->jobs->unwanted && remove_job(dispatch, queue, queue->jobs)) {
        return;
    }
    queue->jobs->unwanted = false;
    if (status == DELIVER_DAMAGED) {
        hold_job(dispatch, queue, reason);
    } else if (!asked) {
        struct line line = LINE_INIT;
        line_add(&line, "is not printed yet: %s", reason);
        log_job(dispatch, LOG_LINE_WARNING, queue, queue->jobs, line.text);
        begin_pause(deliverer, reason);
    } else if (deliverer->again.set) {
        set_state(queue, QUEUE_WAITING, OTHERS_TURN);
    }
}

/* He is gone, whoever he was. */
static void take_result(struct deliverer *deliverer, int status, const char *reason)
{
    struct dispatch *dispatch = deliverer->dispatch;
    struct queue *queue = deliverer->queue;
    set_state(queue, QUEUE_IDLE, "");
    if (queue->jobs != NULL && strcmp(queue->jobs->name, deliverer->job) == 0) {
        if (status == DELIVER_PRINTED || spool_is_done(dispatch->spool, deliverer->job)) {
            deliverer->pause = 0;
            finish_job(dispatch, queue);
        } else {
            judge_end(deliverer, status, reason);
        }
    }
    dispatch_look(dispatch);
}

static void take_end(void *owner)
{
    struct deliverer *deliverer = owner;
    struct line reason = LINE_INIT;
    deliver_call_reason(&deliverer->worker, &reason);
    deliverer->dispatch->busy--;
    take_result(deliverer, deliverer->worker.status, reason.text);
}

/* Whoever was started before us has ended; nobody tells us how. If the job is not done, another
 * goes on with it, and knows from its directory what to mark. */
static void take_foreign_end(void *owner, uint32_t events)
{
    struct deliverer *deliverer = owner;
    (void)events;
    loop_remove(deliverer->dispatch->loop, &deliverer->foreign);
    close(deliverer->foreign.fd);
    deliverer->foreign.fd = -1;
    deliverer->told_to_end = true;
    take_result(deliverer, DELIVER_NOT_PRINTED, "");
}

/* ---- What he says while he lives ------------------------------------------------------------- */

static const char *after(const char *line, const char *word)
{
    size_t length = strlen(word);
    return strncmp(line, word, length) == 0 ? line + length : NULL;
}

static void take_waiting(struct deliverer *deliverer, const char *reason)
{
    struct dispatch *dispatch = deliverer->dispatch;
    struct queue *queue = deliverer->queue;
    if (set_waiting(queue, reason)) {
        struct line line = LINE_INIT;
        line_add(&line, "is waiting for %s: %s", deliverer->target.text, queue->reason);
        log_job(dispatch, LOG_LINE_WARNING, queue, queue->jobs, line.text);
        deliverer->since = loop_now(dispatch->loop);
    }
    dispatch_look(dispatch);
}

static void take_line(void *owner, const char *line)
{
    struct deliverer *deliverer = owner;
    const char *rest;
    if (after(line, "printing ") != NULL) {
        set_state(deliverer->queue, QUEUE_SENDING, "");
    } else if ((rest = after(line, "again ")) != NULL) {
        struct line said = LINE_INIT;
        line_add(&said, "was interrupted: document %s is printed again, and marked", rest);
        log_job(deliverer->dispatch, LOG_LINE_WARNING, deliverer->queue, deliverer->queue->jobs,
                said.text);
    } else if ((rest = after(line, "waiting ")) != NULL) {
        take_waiting(deliverer, rest);
    }
}

/* ---- Beginnings ------------------------------------------------------------------------------ */

static struct deliverer *make_deliverer(struct dispatch *dispatch, struct queue *queue)
{
    if (queue->deliverer == NULL) {
        queue->deliverer = calloc(1, sizeof(*queue->deliverer));
        if (queue->deliverer == NULL) {
            return NULL;
        }
        struct deliverer *made = queue->deliverer;
        made->dispatch = dispatch;
        made->queue = queue;
        made->again = (struct loop_timer){.expired = take_again, .owner = made};
        made->foreign = (struct loop_source){.fd = -1, .ready = take_foreign_end, .owner = made};
        worker_init(&made->worker, dispatch->loop, take_line, take_end, made);
    }
    return queue->deliverer;
}

/* Somebody of before us has the job: his end is waited for. The number of a process that has ended
 * may be another's, so it is looked at again when the descriptor is there. */
static bool follow(struct deliverer *deliverer, int directory, pid_t pid)
{
    int fd = pidfd_open(pid, 0);
    if (fd < 0 || job_claimed_by(directory) != pid) {
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    deliverer->foreign.fd = fd;
    if (loop_add(deliverer->dispatch->loop, &deliverer->foreign, EPOLLIN) != 0) {
        close(fd);
        deliverer->foreign.fd = -1;
        return false;
    }
    set_state(deliverer->queue, QUEUE_SENDING, "");
    return true;
}

static void start_ours(struct deliverer *deliverer)
{
    struct dispatch *dispatch = deliverer->dispatch;
    const struct deliver_call call = {
        .spool = spool_path(dispatch->spool),
        .job = deliverer->job,
        .target = &deliverer->target,
        .retry = dispatch->most_pause,
    };
    int problem = deliver_call_start(&call, dispatch->program, &deliverer->worker);
    if (problem != 0) {
        struct line reason = LINE_INIT;
        line_add(&reason, "cannot run %s: %s", DELIVER_PROGRAM, strerror(problem));
        begin_pause(deliverer, reason.text);
        return;
    }
    dispatch->busy++;
    set_state(deliverer->queue, QUEUE_SENDING, "");
}

/* The job's directory is not where it should be, or not to be had. There may be many such. */
static void take_missing(struct deliverer *deliverer, int problem)
{
    struct dispatch *dispatch = deliverer->dispatch;
    struct queue *queue = deliverer->queue;
    struct line reason = LINE_INIT;
    if (spool_is_done(dispatch->spool, deliverer->job)) {
        finish_job(dispatch, queue);
        loop_set(dispatch->loop, &deliverer->again, 0);
    } else if (problem == ENOENT) {
        log_job(dispatch, LOG_LINE_ERROR, queue, queue->jobs, "is gone from the spool");
        queue_drop_job(queue, queue->jobs);
        loop_set(dispatch->loop, &deliverer->again, 0);
    } else {
        line_add(&reason, "cannot open the job: %s", strerror(problem));
        begin_pause(deliverer, reason.text);
    }
}

static void begin_job(struct deliverer *deliverer)
{
    struct queue *queue = deliverer->queue;
    memcpy(deliverer->job, queue->jobs->name, sizeof(deliverer->job));
    deliverer->target = queue->shape->target;
    deliverer->told_to_end = false;
    deliverer->since = loop_now(deliverer->dispatch->loop);
    int directory = spool_open_job(deliverer->dispatch->spool, deliverer->job);
    if (directory < 0) {
        take_missing(deliverer, errno);
        return;
    }
    pid_t pid = job_claimed_by(directory);
    if (pid <= 0 || !follow(deliverer, directory, pid)) {
        start_ours(deliverer);
    }
    close(directory);
}

/* ---- Turns ----------------------------------------------------------------------------------- */

static void tell_to_end(struct deliverer *deliverer)
{
    if (!deliverer->told_to_end && is_ours(deliverer)) {
        deliverer->told_to_end = true;
        worker_signal(&deliverer->worker, SIGTERM);
    }
}

/* All places are taken: of those who only wait, the one who has waited longest gives way. */
static void make_way(struct dispatch *dispatch)
{
    struct deliverer *longest = NULL;
    for (size_t i = 0; i < dispatch->queues->count; i++) {
        const struct queue *queue = dispatch->queues->rows[i];
        struct deliverer *one = queue->deliverer;
        if (one == NULL || !is_ours(one) || queue->activity != QUEUE_WAITING) {
            continue;
        }
        if (one->told_to_end) {
            return; /* a place will be free */
        }
        if (longest == NULL || one->since < longest->since) {
            longest = one;
        }
    }
    if (longest != NULL) {
        tell_to_end(longest);
        loop_set(dispatch->loop, &longest->again, TURN_MS);
    }
}

/* One who waits is not needed any more, or for another target. */
static bool is_in_vain(const struct dispatch *dispatch, const struct deliverer *deliverer)
{
    const struct queue *queue = deliverer->queue;
    return !is_wanted(dispatch, queue) || !queue->shape->leads ||
           !same_target(&deliverer->target, &queue->shape->target);
}

/* The registry has to be changed for it; that is said once for each reason. */
static void wait_for_target(struct dispatch *dispatch, struct queue *queue)
{
    if (set_waiting(queue, queue->shape->why)) {
        struct line line = LINE_INIT;
        line_add(&line, "is waiting: %s", queue->reason);
        log_job(dispatch, LOG_LINE_WARNING, queue, queue->jobs, line.text);
    }
}

static void look_at_idle(struct dispatch *dispatch, struct queue *queue)
{
    struct deliverer *deliverer = make_deliverer(dispatch, queue);
    if (deliverer != NULL && !same_target(&deliverer->target, &queue->shape->target)) {
        end_pause(deliverer);
    }
    if (deliverer == NULL || deliverer->again.set) {
        return;
    }
    if (!queue->shape->leads) {
        wait_for_target(dispatch, queue);
    } else if (dispatch->busy >= DISPATCH_MOST) {
        set_state(queue, QUEUE_WAITING, OTHERS_TURN);
        make_way(dispatch);
    } else {
        begin_job(deliverer);
    }
}

static void look_at(struct dispatch *dispatch, struct queue *queue)
{
    struct deliverer *deliverer = queue->deliverer;
    if (is_busy(deliverer)) {
        if (queue->activity == QUEUE_WAITING && is_in_vain(dispatch, deliverer)) {
            tell_to_end(deliverer);
        }
        return;
    }
    if (is_wanted(dispatch, queue)) {
        look_at_idle(dispatch, queue);
        return;
    }
    set_state(queue, QUEUE_IDLE, "");
    if (deliverer != NULL) {
        end_pause(deliverer);
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
    struct deliverer *deliverer = queue->deliverer;
    if (deliverer != NULL) {
        loop_unset(deliverer->dispatch->loop, &deliverer->again);
        loop_remove(deliverer->dispatch->loop, &deliverer->foreign);
        if (deliverer->foreign.fd >= 0) {
            close(deliverer->foreign.fd);
        }
        worker_leave(&deliverer->worker);
        free(deliverer);
        queue->deliverer = NULL;
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
    if (is_busy(queue->deliverer)) {
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

/* Each time another queue is the first, so that none has to stand back for ever. */
void dispatch_look(struct dispatch *dispatch)
{
    queues_sweep(dispatch->queues, is_released);
    size_t count = dispatch->queues->count;
    size_t first = count > 0 ? dispatch->next++ % count : 0;
    for (size_t i = 0; i < count; i++) {
        look_at(dispatch, dispatch->queues->rows[(first + i) % count]);
    }
}

void dispatch_look_at(struct dispatch *dispatch, struct queue *queue)
{
    look_at(dispatch, queue);
}

void dispatch_hurry(struct dispatch *dispatch, struct queue *queue)
{
    struct deliverer *deliverer = queue->deliverer;
    if (is_busy(deliverer)) {
        /* One who has not said yet that he waits may not know the signal, which then kills. */
        if (is_ours(deliverer) && queue->activity == QUEUE_WAITING) {
            worker_signal(&deliverer->worker, SIGUSR1);
        }
    } else if (deliverer != NULL) {
        end_pause(deliverer);
    }
    look_at(dispatch, queue);
}

enum dispatch_removal dispatch_remove(struct dispatch *dispatch, struct queue *queue,
                                      struct queue_job *job)
{
    struct deliverer *deliverer = queue->deliverer;
    if (dispatch->spool == NULL) {
        return DISPATCH_FAILED;
    }
    if (job == queue->jobs && is_busy(deliverer)) {
        if (queue->activity != QUEUE_WAITING) {
            return DISPATCH_BEING_PRINTED;
        }
        job->unwanted = true;
        tell_to_end(deliverer);
        return DISPATCH_REMOVING;
    }
    return remove_job(dispatch, queue, job) ? DISPATCH_REMOVED : DISPATCH_FAILED;
}
