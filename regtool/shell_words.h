/*
 * The words of a command line as bash and zsh read them, for completion. It needs the line up to
 * the cursor; it gives the words without quotes, and for the last one where each of its bytes
 * stands in the line, so that a part of it can be replaced in the quotes that it was begun with.
 *
 * Words are ended by blanks only: the shell has cut the command out of its line. Nothing is
 * expanded.
 */
#ifndef REGTOOL_SHELL_WORDS_H
#define REGTOOL_SHELL_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct shell_place {
    size_t at;  /* in the line, behind a quote that was opened */
    char quote; /* that is open there: '\'', '"' or 0 */
};

struct shell_words {
    char **words; /* ends with NULL; the last one may be empty */
    size_t count; /* at least 1 */
    /* Of each byte of the last word, and of its end. */
    struct shell_place *places;
    bool
        dangling; /* the line ends in a backslash that quotes nothing yet: it is taken for itself */
};

/* Returns 0, or -1 if memory is out. */
int shell_words_read(const char *line, struct shell_words *words);
void shell_words_free(struct shell_words *words);

/* Writes a text so that a shell reads it as it is, where quote is open. */
void shell_words_put(FILE *out, const char *text, size_t len, char quote);

#endif
