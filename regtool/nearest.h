/*
 * Finds what a mistyped word was meant to be. It needs the words that would have been right; it
 * gives the one that the fewest slips of the hand turn into the word given.
 */
#ifndef REGTOOL_NEAREST_H
#define REGTOOL_NEAREST_H

#include <stddef.h>

struct nearest {
    const char *word;
    const char *best; /* the nearest word offered; NULL as long as none is near enough */
    size_t distance;  /* of best, else the first distance that is too far */
};

/* word must outlive the search. */
void nearest_begin(struct nearest *nearest, const char *word);
/* The same where most words are no slips: a short one may only be one letter away. */
void nearest_begin_strict(struct nearest *nearest, const char *word);
/* Compares a candidate, regardless of case; the first of equally near ones wins. */
void nearest_offer(struct nearest *nearest, const char *candidate);

#endif
