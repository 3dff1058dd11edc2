/*
 * The words of a line of the shell. It needs the line; it gives its words, or tells how the last
 * one stands when somebody wants it completed.
 *
 * White space parts words. What stands between two ' or two " is part of a word as it is, and one
 * kind of quote may stand between the other. A backslash is an ordinary character, because paths
 * are made of it. A word that begins with # begins a comment.
 */
#ifndef REGTOOL_LINE_WORDS_H
#define REGTOOL_LINE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct line_words {
    char **words; /* ends with NULL */
    size_t count;
    size_t capacity;
    size_t last;  /* where in the line the last word begins */
    char quote;   /* the one that is still open at the line's end; 0: none is */
    bool comment; /* the line ends in a comment */
};

/* Splits a line; with to_complete the last word is what is typed just now, "" behind white space.
 * RS_OK or RS_ENOMEM; line_words_free() ends it in either case. */
int line_words_split(struct line_words *words, const char *line, size_t len, bool to_complete);
void line_words_free(struct line_words *words);
/* Puts a copy of a word in front of the one with that number. RS_OK or RS_ENOMEM. */
int line_words_insert(struct line_words *words, size_t index, const char *word);

#endif
