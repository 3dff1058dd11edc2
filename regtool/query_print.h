/*
 * What regtool query prints, in reg.exe's layout or as JSON Lines. It needs keys and values in the
 * order of the listing; it gives each of them its lines.
 *
 * reg.exe's layout is a blank line, then a block for each key: its name, a line per value, a blank
 * line; subkeys that are not listed themselves follow, a name each, and so do keys that a search
 * has found by their names.
 */
#ifndef REGTOOL_QUERY_PRINT_H
#define REGTOOL_QUERY_PRINT_H

#include <stdbool.h>

#include <regstore.h>

#include "keypath.h"
#include "search.h"
#include "tool.h"

struct query_print {
    struct tool *tool;
    const char *separator; /* between the strings of a REG_MULTI_SZ; NULL: \0 */
    bool numbers;          /* show the number of each type */
    bool search;           /* keys stand alone that were found by their names */
    struct search *text;   /* what was found, to be marked where there are colours; or NULL */
    unsigned in;           /* IN_... of query_walk.h: where it was looked for */
    bool begun;            /* something was printed */
    bool alone;            /* a key that stands alone was printed last */
    bool in_block;         /* between query_print_key() and query_print_end_key() */
};

/* A key whose values follow; written is its write time. */
void query_print_key(struct query_print *print, const struct keypath *path, uint64_t written);
int query_print_value(struct query_print *print, const struct keypath *path, const rs_value *value);
/* The default value, where it is not set. */
void query_print_unset(struct query_print *print);
/* Ends what query_print_key() began, if it began anything. */
void query_print_end_key(struct query_print *print);
/* A subkey whose values do not follow. */
void query_print_subkey(struct query_print *print, const struct keypath *path, uint64_t written);
/* The last line of a search. */
void query_print_matches(struct query_print *print, uint64_t matches);

#endif
