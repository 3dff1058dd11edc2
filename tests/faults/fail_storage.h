/*
 * fail_storage.h - the face of fail_storage.so, which is preloaded to make calls on files fail.
 *
 * It counts the calls that write, make or rename files below one directory, and lets the n-th fail.
 * A program finds fail_storage_plan() and fail_storage_seen() by dlsym(3): they are there only if
 * the library is preloaded. A program that knows nothing of it is steered by the environment:
 * FAIL_STORAGE_DIR, FAIL_STORAGE_CALL (n), FAIL_STORAGE_HOW (once, ever, short),
 * FAIL_STORAGE_ERRNO.
 */
#ifndef FAIL_STORAGE_H
#define FAIL_STORAGE_H

#include <limits.h>
#include <stdbool.h>

enum fail_how {
    FAIL_ONCE,        /* the n-th call */
    FAIL_EVER,        /* it and all after it */
    FAIL_SHORT,       /* half of the n-th is written, if it is one that writes, and told so */
    FAIL_KILL,        /* the process is killed before the n-th */
    FAIL_POWER,       /* so it is, and what was not synced is lost (fail_power.h), */
    FAIL_POWER_AFTER, /* but renames of directories are not, */
    FAIL_POWER_SOME   /* or any part of it is not; number is a chance, by which that is chosen */
};

struct fail_plan {
    char dir[PATH_MAX]; /* calls on other files are not counted */
    unsigned long call; /* from 1; 0: none fails, they are only counted */
    enum fail_how how;
    int number; /* errno's */
    bool names; /* calls count, too, that make, link and remove names in directories */
};

/* Starts counting anew. The plan is copied. */
typedef void fail_storage_plan_call(const struct fail_plan *plan);
/* Calls counted since; *failed is how many of them did. */
typedef unsigned long fail_storage_seen_call(unsigned long *failed);
fail_storage_plan_call fail_storage_plan;
fail_storage_seen_call fail_storage_seen;

#endif
