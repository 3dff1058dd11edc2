/*
 * Which keys a rule key speaks of. It needs two paths; it gives how they stand to each other, as
 * the store finds rules: '*' in the rule's path stands for any name, CurrentControlSet for any
 * control set, and the root has its short name there.
 */
#ifndef REGTOOL_RULE_REACH_H
#define REGTOOL_RULE_REACH_H

#include <stddef.h>

#include "keypath.h"

/* How a key (a change of it) below HKRS\Rules, or that key itself or its root, stands to the rules
 * of another key: KEYPATH_SAME if it holds some of them, KEYPATH_ABOVE if such a key lies below it,
 * KEYPATH_BELOW if it holds rules of keys below the other one. Both paths have long roots. */
enum keypath_relation rule_reach(const char *path, size_t len, const char *key, size_t key_len);

#endif
