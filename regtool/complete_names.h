/*
 * The names that a word of a command line can be completed to: the candidates for the part of the
 * word that is not finished. It needs a word and what fits there; it gives the lines that the
 * completion functions of the shells take as they are.
 */
#ifndef REGTOOL_COMPLETE_NAMES_H
#define REGTOOL_COMPLETE_NAMES_H

#include "names.h"
#include "shell_words.h"

struct candidates {
    const struct shell_words *words;
    const char *line;
    size_t kept;          /* bytes of the last word that stand as they are */
    const char *partial;  /* what follows them */
    size_t replaced_from; /* place in the line that the shell replaces from */
    struct names names;   /* that the partial name can become */
    struct names notes;   /* what each of them is; empty: nothing is said */
};

/* Begins with the last word's bytes after the first kept ones; tail is the end of the line that the
 * shell replaces. */
void candidates_begin(struct candidates *candidates, const struct shell_words *words,
                      const char *line, const char *tail, size_t kept);
/* Takes a name if the partial one begins it, regardless of case; not one that a terminal cannot
 * show. Returns a status. */
int candidates_offer(struct candidates *candidates, const char *name, size_t len);
int candidates_offer_text(struct candidates *candidates, const char *text);
/* Each of them; words ends with NULL. */
int candidates_offer_words(struct candidates *candidates, const char *const *words);
/* The same with a note, which every name has then. */
int candidates_offer_noted(struct candidates *candidates, const char *text, const char *note);
/* Writes a line for each; its note, if there are several names, after a tab. */
void candidates_put(const struct candidates *candidates);
void candidates_free(struct candidates *candidates);

#endif
