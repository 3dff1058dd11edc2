/*
 * bell.h - the file that wakes watchers.
 *
 * A writer rings after its commit by opening the file "bell" in the store's directory for writing
 * and closing it; a waiter has an inotify watch on it. A ring may be lost: the writer can be killed
 * between commit and ring, inotify can be out of instances. So a waiter also wakes once a second
 * and looks for itself. Needs status.
 */
#ifndef REGSTORE_BELL_H
#define REGSTORE_BELL_H

#include <stdbool.h>
#include "status.h"

/* Makes the bell's file, for the owner and the group, if there is none. */
int bell_create(const char *dir, rs_error *error);

/* For a writer. Failing is nobody's loss but a second's. */
void bell_ring(const char *dir);

/* For a waiter: fd polls readable after a ring and once a second. */
struct bell_wait {
    int fd;      /* epoll of the two below */
    int inotify; /* -1: none to be had so far, the timer alone */
    int timer;
    int watch;         /* inotify's, -1 while the file is not there */
    int64_t next_tick; /* no earlier does the timer tell anything; ns on the monotonic clock */
};
int bell_wait_open(struct bell_wait *wait, const char *dir, rs_error *error);
/* Takes note of what happened, so that fd is quiet until the next ring or second. True if a second
 * has passed since the last time that it did. */
bool bell_wait_clear(struct bell_wait *wait, const char *dir);
void bell_wait_close(struct bell_wait *wait);

#endif
