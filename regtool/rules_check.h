/*
 * All values of a key, and of those below it, judged by the rules. It needs an open store; it gives
 * a list of what is wrong, and of values that no rule knows beside others that are known, if their
 * names look like slips of the hand. Keys of other programs hold many that no rule knows: the rest
 * is counted, and listed where that is asked for.
 */
#ifndef REGTOOL_RULES_CHECK_H
#define REGTOOL_RULES_CHECK_H

#include "tool.h"

/* path is NULL for all keys. With all each value is listed that no rule knows; so it is as JSON.
 * Returns 0 if nothing is against the rules, else 1. */
int rules_check(struct tool *tool, const char *path, bool all);

#endif
