/*
 * spool_storage.c - each call that changes a spool fails once, for ever, or half done, or is where
 * the process is killed or the power fails; then every job is whole or absent, as its client was
 * told.
 *
 * One client sends a few jobs, of which some are removed and some printed, and later
 * ones received in the place of those. Every call on a file or
 * a name in the spool is counted, in all threads, and a child of its own meets each of them.
 * --count says how many of the ways below are tried, the last ones. Needs fail_storage.
 */
#include "preloaded.h"
#include "spool_scene.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define JOBS 10u
#define CHANCES 4 /* that a loss of power is given */

static const struct way {
    const char *name;
    enum fail_how how;
    int number;
} ways[] = {{"a bad disk, once", FAIL_ONCE, EIO},
            {"a bad disk for ever", FAIL_EVER, EIO},
            {"a full disk, once", FAIL_ONCE, ENOSPC},
            {"a full disk for ever", FAIL_EVER, ENOSPC},
            {"over quota for ever", FAIL_EVER, EDQUOT},
            {"a short write", FAIL_SHORT, ENOSPC},
            {"a kill", FAIL_KILL, 0},
            {"a loss of power", FAIL_POWER, 0},
            {"a loss of power that keeps renames", FAIL_POWER_AFTER, 0},
            {"a loss of power that keeps some", FAIL_POWER_SOME, 0}};

#define WAYS (sizeof ways / sizeof ways[0])

struct one_case {
    const struct preloaded *calls;
    struct fail_plan plan;
    struct spool_scene_work scene;
    unsigned long *seen;   /* shared */
    unsigned long *failed; /* shared */
};

static void work(void *context, int pipe)
{
    const struct one_case *one = context;
    one->calls->plan(&one->plan);
    spool_scene_run(&one->scene, pipe);
    *one->seen = one->calls->seen(one->failed);
    one->calls->plan(&(struct fail_plan){.call = 0});
}

/* Gives how many calls the child made. */
static unsigned long try_case(const struct preloaded *calls, const struct way *way,
                              unsigned long call, unsigned chance, struct spool_scene_known *known)
{
    static unsigned long *shared;
    static unsigned number;
    int pipe;
    if (shared == NULL) {
        shared = rig_shared(2 * sizeof *shared);
    }
    memset(shared, 0, 2 * sizeof *shared);
    const char *path = rig_path("spool%u", number++);
    struct one_case one = {
        .calls = calls,
        .plan = {.call = call, .how = way->how, .number = way->number, .names = true},
        .scene = {path, rig_random(rig_seed(), 0), 1, 1, JOBS, way->how >= FAIL_POWER},
        .seen = &shared[0],
        .failed = &shared[1],
    };
    snprintf(one.plan.dir, sizeof one.plan.dir, "%s", path);
    if (way->how == FAIL_POWER_SOME) {
        struct rig_random random = rig_random(rig_seed(), call * CHANCES + chance);
        one.plan.number = (int)rig_below(&random, INT_MAX);
    }
    known->may_be_torn = way->how >= FAIL_POWER;
    known->never_heals = way->how == FAIL_EVER;
    pid_t pid = rig_fork(work, &one, &pipe);
    spool_scene_hear(known, 1, pipe);
    bool ended_well = rig_ended_well(pid);
    RIG_MUST(ended_well || way->how >= FAIL_KILL);
    unsigned long count = shared[0];
    /* The next service takes all that is left, and a job more. */
    spool_scene_check(known, path, 1, JOBS);
    struct spool_scene_work next = {path, rig_random(rig_seed(), 1), 2, 1, 1, true};
    one.scene = next;
    one.plan.call = 0;
    pid = rig_fork(work, &one, &pipe);
    known->never_heals = false;
    spool_scene_hear(known, 2, pipe);
    RIG_MUST(rig_ended_well(pid));
    spool_scene_check(known, path, 2, 0);
    return count;
}

int main(int argc, char **argv)
{
    struct preloaded calls;
    if (!preloaded_find(&calls, argv)) {
        fputs("spool_storage: fail_storage.so cannot be preloaded\n", stderr);
        return 2;
    }
    rig_start(argc, argv, WAYS);
    RIG_MUST(rig_count() <= WAYS);
    struct spool_scene_known known = {.jobs = NULL};
    unsigned long count = try_case(&calls, &ways[0], 0, 0, &known);
    RIG_MUST(known.acknowledged > JOBS / 2 && known.reused > 0 && count > 50);
    for (size_t i = WAYS - rig_count(); i < WAYS; i++) {
        spool_scene_forget(&known);
        unsigned chances = ways[i].how == FAIL_POWER_SOME ? CHANCES : 1;
        for (unsigned long call = 1; call <= count; call++) {
            for (unsigned chance = 0; chance < chances; chance++) {
                (void)try_case(&calls, &ways[i], call, chance, &known);
                known.highest = 0;
            }
        }
        rig_pass("%s at each of %lu calls: %u jobs acknowledged, %u in the place of another, %u "
                 "refused, %u there unasked",
                 ways[i].name, count, known.acknowledged, known.reused, known.refused, known.kept);
    }
    spool_scene_forget(&known);
    return rig_finish();
}
