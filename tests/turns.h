/*
 * turns.h - a loop of the test's own, run until something is true.
 *
 * Nothing waits for a time: a test fails if what it waits for does not come about in many seconds.
 */
#ifndef TURNS_H
#define TURNS_H

#include "../services/common/loop.h"

#include <stddef.h>

/* Gives false, and fails, if it is not true after some seconds. */
bool turn_loop_until(struct loop *loop, bool (*is_true)(void *argument), void *argument);
/* What comes of a socket, until least bytes are there or it is closed; more are taken up to most.
 */
struct turn_hearing {
    int fd;
    char *bytes;
    size_t size;
    size_t least;
    size_t most;
    bool closed;
};
/* For turn_loop_until(), with a struct turn_hearing. */
bool turn_has_heard(void *hearing);
/* Lets the loop's parts see all that has come. */
void turn_loop(struct loop *loop);

#endif
