/*
 * What a plan would lead to beside its changes: which services would be told, and which values take
 * effect only after a reload or a restart. It needs the plan's transaction and each of its
 * differences, with whole paths; it gives lines.
 */
#ifndef REGTOOL_PLAN_EFFECTS_H
#define REGTOOL_PLAN_EFFECTS_H

#include <stdbool.h>
#include <stdio.h>

#include "tool.h"

struct plan_effects {
    struct session *session;
    FILE *out;
    bool json;
    bool ruled; /* the store has rules */
    char *late; /* lines of values that do not take effect at once */
    size_t late_size;
    FILE *late_stream;
};

/* Returns a status; plan_effects_end() ends it in either case. */
int plan_effects_begin(struct plan_effects *effects, struct session *session);
/* Notes a difference. The same. */
int plan_effects_note(struct plan_effects *effects, const rs_difference *difference);
/* Writes which of the services that run on a store would be told. The same. */
int plan_effects_services(struct plan_effects *effects, rs_store *store);
/* Writes what was noted, and releases all. RS_OK or RS_ENOMEM. */
int plan_effects_end(struct plan_effects *effects);

#endif
