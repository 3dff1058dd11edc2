/*
 * What regtool watch prints. It needs a batch of changes; it gives them as text for a person, or as
 * a JSON line for each change.
 */
#ifndef REGTOOL_WATCH_PRINT_H
#define REGTOOL_WATCH_PRINT_H

#include <stdio.h>

#include <regstore.h>

#include "json.h"

int watch_print_text(FILE *out, const rs_batch *batch);
int watch_print_json(FILE *out, const rs_batch *batch);
/* The members that tell one change, in an open object. */
int watch_print_json_change(struct json *json, const rs_change *change);

/* Changes were missed that the journal no longer holds; the watch goes on after revision. */
void watch_print_behind(FILE *out, int as_json, uint64_t revision);

#endif
