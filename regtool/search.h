/*
 * Looks for a text in names and in data. It needs a pattern: plain text, reg.exe's wildcards, or a
 * regular expression; it gives whether a text matches, and where.
 *
 * Case is ignored as the registry ignores it in names, unless it counts. Data is compared as it is
 * printed. Almost nothing matches in most searches, so stored strings are first looked through as
 * they are, for what a match must hold, and only printed where that is found.
 */
#ifndef REGTOOL_SEARCH_H
#define REGTOOL_SEARCH_H

#include <locale.h>
#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include <regstore.h>

#define SEARCH_CASE 1u      /* case counts */
#define SEARCH_WHOLE 2u     /* the pattern stands for the whole text, else for any part of it */
#define SEARCH_WILDCARDS 4u /* "*" is any text, "?" any character */
#define SEARCH_REGEX 8u     /* a POSIX extended regular expression */

/* One character of a pattern. */
struct search_part {
    uint32_t is;
    uint32_t also; /* the same in the other case; else is again */
    bool any;      /* every character matches */
};

/* Parts without "*" between them, which stand in a text one behind the other. */
struct search_run {
    const struct search_part *parts;
    size_t count;
};

/* A unit of UTF-16, in both cases. */
struct search_unit {
    uint16_t is;
    uint16_t also;
};

struct search {
    unsigned flags;
    struct search_part *parts;
    struct search_run *runs;
    size_t run_count;
    bool open_start; /* a match can begin behind the start of the text */
    bool open_end;
    struct search_unit *units; /* the longest row of letters, which every match holds */
    size_t unit_count;
    bool hexadecimal; /* numbers and bytes can match as they are printed */
    bool no_memory;   /* a comparison had none: what was answered means nothing */
    bool compiled;
    regex_t regex;
    locale_t locale; /* in use for regex */
    locale_t before;
};

struct search_span {
    size_t start;
    size_t end;
};

/* Reads a pattern. Returns 0, or 1 after a report, "verb: ...". search_free() ends it in either
 * case, in the same thread. */
int search_begin(struct search *search, const char *verb, const char *pattern, unsigned flags);
void search_free(struct search *search);

/* Whether a text matches; *span is the first place. It may be NULL. */
bool search_text(struct search *search, const char *text, size_t len, struct search_span *span);
/* Whether data matches as it is printed; separator as in rs_data_print(). */
int search_data(struct search *search, const rs_value *value, const char *separator, bool *found);

#endif
