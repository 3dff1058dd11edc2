/* Edit distance between short words: letters added, left out, exchanged or swapped. */
#include "nearest.h"

#include <ctype.h>
#include <string.h>

/* Longer words are nobody's slip of the hand. */
#define LONGEST_WORD 31
#define FARTHEST 2
#define LETTERS_OF_TWO                                                                             \
    8 /* that a word has in which two slips are looked for, if few may be found */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static char lower(char c)
{
    return (char)tolower((unsigned char)c);
}

/* The optimal string alignment distance, row by row: above[j] and above2[j] are the rows of the
 * letters before the current one of a. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t above2[LONGEST_WORD + 1] = {0};
    size_t above[LONGEST_WORD + 1];
    size_t row[LONGEST_WORD + 1];

    for (size_t j = 0; j <= b_len; j++) {
        above[j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            char x = lower(a[i - 1]), y = lower(b[j - 1]);
            row[j] = least(least(row[j - 1], above[j]) + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == lower(b[j - 2]) && lower(a[i - 2]) == y) {
                row[j] = least(row[j], above2[j - 2] + 1);
            }
        }
        memcpy(above2, above, sizeof(above2));
        memcpy(above, row, sizeof(above));
    }
    return above[b_len];
}

void nearest_begin(struct nearest *nearest, const char *word)
{
    /* As many slips as the word has letters would make any word of it. */
    nearest->word = word;
    nearest->best = NULL;
    nearest->distance = least(FARTHEST + 1, strlen(word));
}

void nearest_begin_strict(struct nearest *nearest, const char *word)
{
    nearest_begin(nearest, word);
    if (strlen(word) < LETTERS_OF_TWO) {
        nearest->distance = least(nearest->distance, 2);
    }
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
    size_t word_len = strlen(nearest->word), candidate_len = strlen(candidate);
    size_t found;

    if (word_len > LONGEST_WORD || candidate_len > LONGEST_WORD) {
        return;
    }
    found = distance(nearest->word, word_len, candidate, candidate_len);
    if (found < nearest->distance) {
        nearest->best = candidate;
        nearest->distance = found;
    }
}
