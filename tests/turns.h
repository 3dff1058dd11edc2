/*
 * turns.h - a loop of the test's own, run until something is true.
 *
 * Nothing waits for a time: a test fails if what it waits for does not come about in many seconds.
 */
#ifndef TURNS_H
#define TURNS_H

#include "../services/common/loop.h"

/* Gives false, and fails, if it is not true after some seconds. */
bool turn_loop_until(struct loop *loop, bool (*is_true)(void *argument), void *argument);
/* Lets the loop's parts see all that has come. */
void turn_loop(struct loop *loop);

#endif
