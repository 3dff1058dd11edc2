/*
 * What a word can be completed to. It needs the words that fit; it gives what is common to them, in
 * quotes where the shell needs some, and a list to show.
 */
#ifndef REGTOOL_SHELL_CANDIDATES_H
#define REGTOOL_SHELL_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>

struct tab_list {
    const char *typed; /* the part of the word that is completed */
    size_t typed_len;
    struct tab_entry *list;
    size_t count;
    size_t capacity;
    bool failed; /* memory is out */
};

/* Offers a name; it becomes a candidate if it begins with what is typed, in any case, and can be
 * typed itself. end is what follows it: '\\' or '/' where more can follow, else ' '. */
void tab_list_offer(struct tab_list *candidates, const char *name, size_t len, char end);
/* What the typed part becomes, free() it; NULL if there is nothing. *end is what follows the only
 * candidate, else 0. */
char *tab_list_common(struct tab_list *candidates, char *end);
/* The candidates in lines for a terminal of that width, free() it. NULL if memory is out. */
char *tab_list_show(const struct tab_list *candidates, size_t width);
void tab_list_free(struct tab_list *candidates);

#endif
