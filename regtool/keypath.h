/*
 * Key paths as people write and read them. It needs an open transaction for the spelling of names;
 * it gives the path that is printed for a key that was asked for by another: the root's long name,
 * also of a view (HKEY_CURRENT_USER), then the names as the store spells them, links by their own
 * names.
 */
#ifndef REGTOOL_KEYPATH_H
#define REGTOOL_KEYPATH_H

#include <stdbool.h>
#include <stddef.h>

#include <regstore.h>

/* A path that grows and shrinks at its end. Starts as all zeros. */
struct keypath {
    char *text; /* NUL-terminated, may hold NUL; NULL as long as nothing was added */
    size_t len;
    size_t capacity;
};

/* Adds '\' (unless the path is empty) and name. RS_ENOMEM leaves the path as it was. */
int keypath_add(struct keypath *path, const char *name, size_t len);
/* Shortens the path to a length that it had. */
void keypath_cut(struct keypath *path, size_t len);
/* Releases the memory; all zeros again. */
void keypath_free(struct keypath *path);

/* Whether the text is a path in the form /HKLM/SYSTEM: '/' and a root. */
bool keypath_is_slashed(const char *text);
/* Whether the text names a root key and nothing below it. */
bool keypath_is_root(const char *text);
/* The length of the root that a path begins with, without "/"; 0 if that is none. */
size_t keypath_root_length(const char *text);
/* Fills *path, which must be empty, with the spelling of a path that could be opened. hidden is
 * where a name in it begins that is not printed, what /reg:32 has put there; 0: none. */
int keypath_spell(rs_txn *txn, const char *asked, size_t hidden, struct keypath *path);

/* Fills *path, which must be empty, with the canonical path of a key that need not exist: what
 * there is of it as it is spelled, links followed, then the names that were asked for. */
int keypath_canonical(rs_txn *txn, const char *asked, struct keypath *path);

/* How the key of one canonical path stands to that of another, whatever the case of the names. */
enum keypath_relation { KEYPATH_APART, KEYPATH_SAME, KEYPATH_ABOVE, KEYPATH_BELOW };
enum keypath_relation keypath_relate(const char *path, size_t len, const char *other,
                                     size_t other_len);

/* Where a path leads to in the 32-bit view, which rs_path_view32() knows: free() it. NULL if memory
 * is out. */
char *keypath_view32(const char *path);
/* Where the name is that keypath_view32() has put into a path; 0 if it is the path itself. */
size_t keypath_hidden(const char *asked, const char *path);

#endif
