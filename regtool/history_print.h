/*
 * What regtool log and regtool show print. It needs revisions and their changes; it gives a line
 * for a revision, or what it changed in the form of regtool diff.
 */
#ifndef REGTOOL_HISTORY_PRINT_H
#define REGTOOL_HISTORY_PRINT_H

#include <stdio.h>

#include <regstore.h>

#include "differ_print.h"
#include "json.h"
#include "tool.h"
#include "who.h"

/* Starts from all zeros and the tool. */
struct history_print {
    struct tool *tool;
    struct who who;
};

/* Writes a change in a few words: "HKLM\W: x 0x1 -> 0x2". */
int history_print_short(FILE *out, const rs_change *change);
/* A line for a revision. summary is what it changed, in short; count the number of changes. */
void history_print_line(struct history_print *print, const rs_revision_info *revision,
                        const char *summary, uint64_t count);
/* The lines that come before a revision's changes. */
void history_print_heading(struct history_print *print, const rs_revision_info *revision);
/* One of its changes, as a difference between before and after. */
int history_print_change(struct differ_print *print, const rs_change *change);

/* The members that tell a revision, in an open object. */
void history_print_json(struct history_print *print, struct json *json,
                        const rs_revision_info *revision);

#endif
