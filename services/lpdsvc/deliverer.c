/* deliverer - who prints the jobs of a queue, one after the other; see deliverer.h. */
#include "deliverer.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <unistd.h>

static void set_job(struct deliverer *deliverer, const char *job)
{
    (void)snprintf(deliverer->job, sizeof(deliverer->job), "%s", job);
}

/* ---- What he says ---------------------------------------------------------------------------- */

static const char *after(const char *line, const char *word)
{
    size_t length = strlen(word);
    return strncmp(line, word, length) == 0 ? line + length : NULL;
}

static void become_free(struct deliverer *deliverer)
{
    deliverer->phase = DELIVERER_FREE;
    set_job(deliverer, "");
    if (deliverer->told_to_end) {
        deliverer_dismiss(deliverer);
    } else {
        loop_set(deliverer->worker.loop, &deliverer->leave, DELIVERER_KEPT_MS);
    }
    deliverer->calls->done(deliverer->owner);
}

static void take_line(void *owner, const char *line)
{
    struct deliverer *deliverer = owner;
    const char *rest;
    if (deliverer->phase != DELIVERER_BUSY) {
        return;
    }
    deliverer->unheard = false;
    if (after(line, "printing ") != NULL) {
        deliverer->calls->printing(deliverer->owner);
    } else if ((rest = after(line, "again ")) != NULL) {
        deliverer->calls->again(deliverer->owner, rest);
    } else if ((rest = after(line, "waiting ")) != NULL) {
        deliverer->calls->waiting(deliverer->owner, rest);
    } else if ((rest = after(line, "done ")) != NULL && strcmp(rest, deliverer->job) == 0) {
        become_free(deliverer);
    }
}

/* ---- His end --------------------------------------------------------------------------------- */

static void become_nobody(struct deliverer *deliverer, int status, const char *reason)
{
    loop_unset(deliverer->worker.loop, &deliverer->leave);
    deliverer->phase = DELIVERER_NOBODY;
    deliverer->calls->ended(deliverer->owner, status, reason);
}

/* Who is killed between two jobs may have been given the next one already. That he cannot print it
 * is told when somebody has tried it from the beginning. */
static void take_end(void *owner)
{
    struct deliverer *deliverer = owner;
    struct line reason = LINE_INIT;
    int status = deliverer->worker.status;
    bool had_none = deliverer->phase != DELIVERER_BUSY;
    bool asked = deliverer->told_to_end && (status == DELIVER_NOT_PRINTED || status < 0);
    bool unheard = deliverer->unheard && deliverer->worker.said[0] == '\0';
    deliver_call_reason(&deliverer->worker, &reason);
    become_nobody(deliverer, status, had_none || asked || unheard ? NULL : reason.text);
}

static void forget_foreign(struct deliverer *deliverer)
{
    loop_remove(deliverer->worker.loop, &deliverer->foreign);
    if (deliverer->foreign.fd >= 0) {
        close(deliverer->foreign.fd);
        deliverer->foreign.fd = -1;
    }
}

static void take_foreign_end(void *owner, uint32_t events)
{
    struct deliverer *deliverer = owner;
    (void)events;
    forget_foreign(deliverer);
    become_nobody(deliverer, DELIVER_NOT_PRINTED, NULL);
}

static void take_leave(void *owner)
{
    deliverer_dismiss(owner);
}

/* ---- Jobs ------------------------------------------------------------------------------------ */

void deliverer_init(struct deliverer *deliverer, struct loop *loop,
                    const struct deliverer_calls *calls, void *owner)
{
    *deliverer = (struct deliverer){.calls = calls, .owner = owner};
    deliverer->foreign =
        (struct loop_source){.fd = -1, .ready = take_foreign_end, .owner = deliverer};
    deliverer->leave = (struct loop_timer){.expired = take_leave, .owner = deliverer};
    worker_init(&deliverer->worker, loop, take_line, take_end, deliverer);
    deliverer->worker.listens = true;
}

bool deliverer_is_ours(const struct deliverer *deliverer)
{
    return deliverer->worker.pid > 0;
}

static void begin(struct deliverer *deliverer, enum deliverer_phase phase, const char *job)
{
    set_job(deliverer, job);
    deliverer->phase = phase;
    deliverer->told_to_end = false;
    deliverer->unheard = false;
}

int deliverer_start(struct deliverer *deliverer, const char *path, const struct deliver_call *call)
{
    int problem = deliver_call_start(call, path, &deliverer->worker);
    if (problem == 0) {
        begin(deliverer, DELIVERER_BUSY, call->job);
    }
    return problem;
}

/* The number of a process that has ended may be another's, so it is looked at again when the
 * descriptor is there. */
bool deliverer_follow(struct deliverer *deliverer, int directory, const char *job)
{
    pid_t pid = job_claimed_by(directory);
    int fd = pid > 0 ? pidfd_open(pid, 0) : -1;
    if (fd < 0) {
        return false;
    }
    deliverer->foreign.fd = fd;
    if (job_claimed_by(directory) != pid ||
        loop_add(deliverer->worker.loop, &deliverer->foreign, EPOLLIN) != 0) {
        forget_foreign(deliverer);
        return false;
    }
    begin(deliverer, DELIVERER_FOREIGN, job);
    return true;
}

void deliverer_give(struct deliverer *deliverer, const char *job)
{
    if (!worker_tell(&deliverer->worker, job)) {
        deliverer_dismiss(deliverer);
        return;
    }
    loop_unset(deliverer->worker.loop, &deliverer->leave);
    begin(deliverer, DELIVERER_BUSY, job);
    deliverer->unheard = true;
}

void deliverer_dismiss(struct deliverer *deliverer)
{
    if (deliverer->phase == DELIVERER_FREE) {
        loop_unset(deliverer->worker.loop, &deliverer->leave);
        worker_close_input(&deliverer->worker);
        deliverer->phase = DELIVERER_LEAVING;
    }
}

void deliverer_tell_to_end(struct deliverer *deliverer)
{
    if (deliverer->phase == DELIVERER_BUSY && !deliverer->told_to_end) {
        deliverer->told_to_end = true;
        worker_signal(&deliverer->worker, SIGTERM);
    }
}

void deliverer_hurry(struct deliverer *deliverer)
{
    if (deliverer->phase == DELIVERER_BUSY) {
        worker_signal(&deliverer->worker, SIGUSR1);
    }
}

void deliverer_release(struct deliverer *deliverer)
{
    loop_unset(deliverer->worker.loop, &deliverer->leave);
    forget_foreign(deliverer);
    worker_leave(&deliverer->worker);
    deliverer->phase = DELIVERER_NOBODY;
}
