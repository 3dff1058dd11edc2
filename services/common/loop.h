/*
 * loop - where a service waits: for descriptors and for points in time.
 *
 * Every part of a service hangs itself in here and is called when something has come; no part ever
 * waits on its own. A part's place in the loop is a struct inside its own one, so nothing here
 * allocates and only adding a descriptor can fail. Time is CLOCK_BOOTTIME, in ms: periods of hours
 * go on while the machine sleeps, and nobody sets that clock. Needs nothing.
 */
#ifndef SERVICE_LOOP_H
#define SERVICE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* A descriptor that is waited for. fd, ready and owner are the caller's to fill in; the descriptor
 * stays his, too. */
struct loop_source {
    int fd;
    /* events are epoll_ctl(2)'s; EPOLLERR and EPOLLHUP come unasked. */
    void (*ready)(void *owner, uint32_t events);
    void *owner;
    bool watched;
};

/* A point in time. expired and owner are the caller's to fill in. */
struct loop_timer {
    void (*expired)(void *owner);
    void *owner;
    int64_t due; /* ms */
    bool set;
    struct loop_timer *next;
    struct loop_timer *before;
};

#define LOOP_EVENTS 64

struct epoll_event;

struct loop {
    int epoll;
    int64_t now;                /* ms, of the latest waking */
    struct loop_timer *timers;  /* earliest first */
    struct epoll_event *events; /* those of the latest waking, */
    int event_count;            /* not all called yet */
    bool ended;
    int exit_status;
};

/* Give 0, or an errno number. */
int loop_open(struct loop *loop);
int loop_add(struct loop *loop, struct loop_source *source, uint32_t events);
/* Other events for a source that is watched. */
int loop_change(struct loop *loop, struct loop_source *source, uint32_t events);
/* No more calls for it, also none of those that are due. Comes before its close(2). A source that
 * is not watched is left alone. */
void loop_remove(struct loop *loop, struct loop_source *source);

/* When the loop last woke, which for a call that it made is now. */
int64_t loop_now(const struct loop *loop);
/* Calls expired once, in so many ms from now, never before the call that sets it has returned. One
 * that is set already is moved. */
void loop_set(struct loop *loop, struct loop_timer *timer, int64_t in);
/* One that is not set is left alone. */
void loop_unset(struct loop *loop, struct loop_timer *timer);

/* Calls what is due until loop_end(); gives that one's exit_status, or an errno number below 0 if
 * it cannot wait. */
int loop_run(struct loop *loop);
void loop_end(struct loop *loop, int exit_status);
void loop_close(struct loop *loop);

#endif
