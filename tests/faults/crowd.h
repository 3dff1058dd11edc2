/*
 * crowd.h - processes that use a store all the time: readers, watchers and writers, which can be
 * killed at any moment and replaced.
 *
 * A member has a slot of shared memory. A watcher writes its position there after it has checked a
 * batch, so that the one that takes its place goes on from there: every revision has to come, once
 * and in order. Needs rig and scene.
 */
#ifndef CROWD_H
#define CROWD_H

#include <stdatomic.h>

#include "scene.h"

enum crowd_role { CROWD_READER, CROWD_WATCHER, CROWD_WRITER };

struct crowd_member {
    /* Of all of them: the latest revision that a writer was told of, so that each snapshot from
     * then on has it. NULL: nobody says. */
    _Atomic uint64_t *told;
    enum crowd_role role;
    unsigned number;
    pid_t pid;
    unsigned pause; /* microseconds between two steps of a reader or a writer */
    unsigned verbs; /* a writer takes those below this one */
    struct rig_random random;
    atomic_bool stop;
    _Atomic uint64_t steps;    /* snapshots read, batches checked, revisions written */
    _Atomic uint64_t position; /* of a watcher: the last revision checked; a writer's last one */
};

/* Starts a member, anew after it was killed. */
void crowd_start(struct crowd_member *member);
/* Asks all to stop once watchers have reached revision, and checks that each ends well. */
void crowd_stop(struct crowd_member *members, unsigned count, uint64_t revision);
/* Ends the program if a member has ended by itself. */
void crowd_must_live(const struct crowd_member *members, unsigned count);

#endif
