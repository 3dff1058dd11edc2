/* loop - where a service waits; see loop.h. */
#include "loop.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

/* epoll_wait(2) does not count the time in which the machine sleeps; so late may a timer be that
 * was due in it. */
#define LOOP_LONGEST_MS 60000

static int64_t boot_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int loop_open(struct loop *loop)
{
    *loop = (struct loop){.epoll = epoll_create1(EPOLL_CLOEXEC), .now = boot_ms()};
    return loop->epoll < 0 ? errno : 0;
}

void loop_close(struct loop *loop)
{
    close(loop->epoll);
    loop->epoll = -1;
}

/* ---- Descriptors ----------------------------------------------------------------------------- */

static int control(struct loop *loop, int operation, struct loop_source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = source};
    return epoll_ctl(loop->epoll, operation, source->fd, &event) == 0 ? 0 : errno;
}

int loop_add(struct loop *loop, struct loop_source *source, uint32_t events)
{
    int problem = control(loop, EPOLL_CTL_ADD, source, events);
    source->watched = problem == 0;
    return problem;
}

int loop_change(struct loop *loop, struct loop_source *source, uint32_t events)
{
    return control(loop, EPOLL_CTL_MOD, source, events);
}

void loop_remove(struct loop *loop, struct loop_source *source)
{
    if (!source->watched) {
        return;
    }
    (void)control(loop, EPOLL_CTL_DEL, source, 0);
    source->watched = false;
    for (int i = 0; i < loop->event_count; i++) {
        if (loop->events[i].data.ptr == source) {
            loop->events[i].data.ptr = NULL;
        }
    }
}

static void call_sources(struct loop *loop, struct epoll_event *events, int count)
{
    loop->events = events;
    loop->event_count = count;
    for (int i = 0; i < count && !loop->ended; i++) {
        struct loop_source *source = events[i].data.ptr;
        if (source != NULL) {
            source->ready(source->owner, events[i].events);
        }
    }
    loop->event_count = 0;
}

/* ---- Points in time -------------------------------------------------------------------------- */

int64_t loop_now(const struct loop *loop)
{
    return loop->now;
}

void loop_unset(struct loop *loop, struct loop_timer *timer)
{
    if (!timer->set) {
        return;
    }
    *(timer->before != NULL ? &timer->before->next : &loop->timers) = timer->next;
    if (timer->next != NULL) {
        timer->next->before = timer->before;
    }
    timer->set = false;
}

/* A service has few timers, so a list in order is as quick as any heap. */
void loop_set(struct loop *loop, struct loop_timer *timer, int64_t in)
{
    struct loop_timer *before = NULL;
    loop_unset(loop, timer);
    timer->due = loop->now + (in > 0 ? in : 0);
    struct loop_timer *after = loop->timers;
    while (after != NULL && after->due <= timer->due) {
        before = after;
        after = after->next;
    }
    timer->before = before;
    timer->next = after;
    timer->set = true;
    *(before != NULL ? &before->next : &loop->timers) = timer;
    if (after != NULL) {
        after->before = timer;
    }
}

static unsigned count_due(const struct loop *loop)
{
    unsigned count = 0;
    for (const struct loop_timer *each = loop->timers; each != NULL && each->due <= loop->now;
         each = each->next) {
        count++;
    }
    return count;
}

/* No more calls than timers were due, so that one which sets itself again, however shortly, leaves
 * the descriptors their turn. */
static void call_timers(struct loop *loop)
{
    for (unsigned left = count_due(loop); left > 0 && !loop->ended; left--) {
        struct loop_timer *timer = loop->timers;
        if (timer == NULL || timer->due > loop->now) {
            return;
        }
        loop_unset(loop, timer);
        timer->expired(timer->owner);
    }
}

static int patience(const struct loop *loop)
{
    if (loop->timers == NULL) {
        return LOOP_LONGEST_MS;
    }
    int64_t left = loop->timers->due - boot_ms();
    return left <= 0 ? 0 : left < LOOP_LONGEST_MS ? (int)left : LOOP_LONGEST_MS;
}

/* ---- The loop -------------------------------------------------------------------------------- */

int loop_run(struct loop *loop)
{
    struct epoll_event events[LOOP_EVENTS];
    while (!loop->ended) {
        int count = epoll_wait(loop->epoll, events, LOOP_EVENTS, patience(loop));
        if (count < 0 && errno != EINTR) {
            return -errno;
        }
        loop->now = boot_ms();
        call_sources(loop, events, count > 0 ? count : 0);
        call_timers(loop);
    }
    return loop->exit_status;
}

void loop_end(struct loop *loop, int exit_status)
{
    loop->ended = true;
    loop->exit_status = exit_status;
}
