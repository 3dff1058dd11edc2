/*
 * What regtool diff, regtool import --plan and regtool show print. It needs the differences in the
 * order in which rs_compare() tells them; it gives a line for each.
 *
 * A line begins with what became of the thing: "-" it is on the left side alone, "+" on the right
 * side alone, "~" it is another one. Values stand below the line of their key; a key that is told
 * for its values only has a line that begins with a blank.
 */
#ifndef REGTOOL_DIFFER_PRINT_H
#define REGTOOL_DIFFER_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <regstore.h>

#include "keypath.h"
#include "tool.h"

/* Starts from all zeros, the tool and where to. */
struct differ_print {
    struct tool *tool;
    FILE *out;
    struct keypath left; /* the two keys; empty where the differences' paths are whole */
    struct keypath right;
    struct keypath shown; /* the relative path of the key whose line was printed last */
    bool begun;
};

int differ_print(struct differ_print *print, const rs_difference *difference);
/* What only a history tells of the difference's key: that it was called left and is called right;
 * that a value, or with text NULL what was in it, is gone and not known any more. */
int differ_print_renamed(struct differ_print *print, const rs_difference *difference, rs_text left,
                         rs_text right);
int differ_print_lost(struct differ_print *print, const rs_difference *difference, rs_text value);
/* The same as a line of JSON. */
int differ_print_json(const struct differ_print *print, const rs_difference *difference);
/* Releases the paths. */
void differ_print_end(struct differ_print *print);

#endif
