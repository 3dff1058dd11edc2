/*
 * character - one character of UTF-8, of texts that strangers have written. Pure.
 */
#ifndef SERVICE_CHARACTER_H
#define SERVICE_CHARACTER_H

#include <stdbool.h>
#include <stddef.h>

/* How many bytes the character that begins here has, of those that are left; 0: there is none. A
 * lone surrogate is none, nor is a longer form than needed. */
size_t character_size(const void *at, size_t left);
/* Whether the character of that size, or none of size 0, is a control character of ASCII or one of
 * those of Unicode that follow it. */
bool character_is_control(const void *at, size_t size);
/* The same of all that is not seen itself but changes what is: also what ends lines, and Unicode's
 * format characters, which turn the direction of writing or make two names look the same. What
 * strangers write is shown without them; but some languages need them in names. */
bool character_is_unseen(const void *at, size_t size);
/* Whether all of a text is characters. */
bool character_all(const char *text);
/* The length of a text, or what is left of it in so many bytes, cut between two characters. */
size_t character_cut(const char *text, size_t most);

#endif
