/*
 * preloaded.c - see preloaded.h.
 */
#include "preloaded.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void start_again(char **argv)
{
    char self[PATH_MAX];
    char library[PATH_MAX + 64];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len <= 0 || getenv("LD_PRELOAD") != NULL) {
        return;
    }
    self[len] = '\0';
    for (int up = 0; up < 2; up++) {
        *strrchr(self, '/') = '\0';
    }
    snprintf(library, sizeof library, "%s/lib/tests/fail_storage.so", self);
    setenv("LD_PRELOAD", library, 1);
    execv("/proc/self/exe", argv);
}

bool preloaded_find(struct preloaded *calls, char **argv)
{
    calls->plan = (fail_storage_plan_call *)dlsym(RTLD_DEFAULT, "fail_storage_plan");
    calls->seen = (fail_storage_seen_call *)dlsym(RTLD_DEFAULT, "fail_storage_seen");
    if (calls->plan == NULL || calls->seen == NULL) {
        start_again(argv);
        return false;
    }
    return true;
}
