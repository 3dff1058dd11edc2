/*
 * Paths that begin at a key, as the words of a shell do. It needs the path of that key; it gives
 * the path from the root.
 *
 * A word that begins with a root (HKLM, /HKLM) or with "\\" is a whole path already. In all others
 * "\" joins names, ".." is the key above and "." the key itself; a "\" in front leads to the top,
 * where the roots are. So a key that is named like a root is ".\HKLM", and one that is named ".."
 * needs its whole path.
 */
#ifndef REGTOOL_BASE_KEY_H
#define REGTOOL_BASE_KEY_H

#include <stdbool.h>

/* Whether a word is a whole path. */
bool base_key_is_whole(const char *word);
/* The whole path of a word, "" for the top; free() it. NULL if memory is out. */
char *base_key_join(const char *base, const char *word);

#endif
