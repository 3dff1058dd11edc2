/*
 * killer.h - starts a child and kills it, at a random time or at a system call.
 *
 * What is on the disk changes only by system calls, so stopping before and after each of them meets
 * every state that a crash of the program can leave there; a tracer counts down to one. Kills at a
 * random time need no tracer, and come while the machine does anything else. Needs rig.
 */
#ifndef KILLER_H
#define KILLER_H

#include "rig.h"

struct killer {
    struct rig_random random;
    bool can_trace;
    uint32_t calls; /* system calls of a child that lived to its end, about */
    unsigned by_time;
    unsigned by_call;
};

struct killer killer_new(struct rig_random random);
/* The body runs in a child as with rig_fork(), and is killed at a system call if that is asked for
 * and can be done. True if it was killed, false if it had come to its end. */
bool killer_kill(struct killer *killer, bool at_call, void (*body)(void *context, int pipe),
                 void *context, int *pipe);
/* Says how many were killed. */
void killer_report(const struct killer *killer);

#endif
