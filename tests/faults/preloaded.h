/*
 * preloaded.h - starts a program again with fail_storage.so preloaded, and finds its calls.
 *
 * The library stands in ../lib/tests beside the program's directory. Needs fail_storage.h.
 */
#ifndef PRELOADED_H
#define PRELOADED_H

#include <stdbool.h>

#include "fail_storage.h"

struct preloaded {
    fail_storage_plan_call *plan;
    fail_storage_seen_call *seen;
};
/* Finds the calls; without the library starts the program again. False if that fails. */
bool preloaded_find(struct preloaded *calls, char **argv);

#endif
