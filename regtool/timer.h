/*
 * A process that takes an unconfirmed change back when its time is over. It needs the store's
 * directory; it gives a child that has left the terminal, its session and its parent, keeps nothing
 * open, and ends when nothing waits any more. Where it is killed, a service or the next who opens
 * the store for writing does it.
 */
#ifndef REGTOOL_TIMER_H
#define REGTOOL_TIMER_H

#include <stdint.h>

/* dir is NULL for the default store; revision is the one that waits. Called without an open store.
 * Reports a failure, which is none of the change's. */
void timer_start(const char *dir, uint64_t revision);

#endif
