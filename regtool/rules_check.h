/*
 * All values of a key, and of those below it, judged by the rules. It needs an open store; it gives
 * a list of what is wrong, and of values that no rule knows beside others that are known: those may
 * be slips of the hand.
 */
#ifndef REGTOOL_RULES_CHECK_H
#define REGTOOL_RULES_CHECK_H

#include "tool.h"

/* path is NULL for all keys. Returns 0 if nothing is against the rules, else 1. */
int rules_check(struct tool *tool, const char *path);

#endif
