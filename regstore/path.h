/*
 * path.h - key paths: roots and their aliases, splitting, joining.
 *
 * Gives the roots' names and numbers, an iterator over the names of a path that allocates nothing,
 * and the link-target form that NT uses. Needs text.
 *
 * The grammar, with examples and counter-examples, is one table in tests/test_path.c:
 *
 *     rooted   = root [ sep name ]...  [ sep ]        HKLM\SYSTEM\Select hkey_local_machine\SYSTEM\
 * HKLM | "/" root [ "/" name ]... [ "/" ]     /HKLM/SYSTEM/Select   (here "\" may not occur, as no
 * name holds it) relative = [ name [ "\" name ]... [ "\" ] ]     Control\Print         (here "/" is
 * an ordinary character)
 *
 * One trailing separator is accepted after a name, not after the root alone ("HKCU\" is refused, as
 * in reg.exe); a doubled or leading one is an error. Names are of any characters but "\".
 */
#ifndef REGSTORE_PATH_H
#define REGSTORE_PATH_H

#include "text.h"

/* One row of the table of roots. */
struct path_root {
    rs_key key;
    const char *name;  /* HKEY_LOCAL_MACHINE */
    const char *alias; /* HKLM */
    rs_key stored;     /* the stored root that a view lies in; the key itself for a stored root */
};
/* The row of a root key; NULL if the key is no root. */
const struct path_root *path_root_by_key(rs_key key);
/* The row of a root's long or short name, in any case; NULL if it is none. */
const struct path_root *path_root_by_name(const char *name, size_t len);
/* Whether a key's number means a view, which is another key: the numbers of views are the highest.
 */
static inline bool path_is_view(rs_key key)
{
    return key >= RS_HKCC;
}
/* All rows; *count of them. */
const struct path_root *path_roots(size_t *count);
/* Where a view lies below its stored root, as a relative path written to buffer:
 * "SOFTWARE\Classes"; "" for a stored root. */
int path_view(const struct path_root *root, struct buffer *buffer);

/* An iterator over the names of a path; points into the text, which must outlive it. */
struct path_iter {
    const char *at;
    const char *end;
    char separator;
};
/* Starts a relative path. */
void path_begin(struct path_iter *iter, const char *path, size_t len);
/* Starts a rooted path; *root is its root. RS_EPATH with the reason in *error. */
int path_begin_rooted(struct path_iter *iter, const char *path, size_t len,
                      const struct path_root **root, rs_error *error);
/* The next name. RS_END after the last; RS_EPATH for an empty one. */
int path_next(struct path_iter *iter, const char **name, size_t *len, rs_error *error);

/* A name that a key may have: RS_ENAME (empty, holds "\"), RS_ETEXT, RS_ETOOLONG, each with a line
 * in *error. */
int path_check_name(const char *name, size_t len, rs_error *error);

/* Appends the path that path leads to in the 32-bit view (rs_path_view32() of regstore.h), and a
 * NUL after it. (path_view32.c) */
int path_to_view32(struct buffer *buffer, const char *path, size_t len);

/* The key path that a link's stored target means, as a rooted path appended to buffer. Targets are
 * UTF-16LE, terminated or not, in NT's form
 * (\Registry\Machine\SYSTEM\ControlSet001, \Registry\User\...) or as a rooted path of ours.
 * RS_EDATA if it is neither. */
int path_from_link(struct buffer *buffer, const void *data, size_t size);
/* The reverse: a rooted path in NT's form, UTF-16LE without terminator, as NT stores it. HKRS has
 * no NT name and is written as it is. */
int path_to_link(struct buffer *buffer, const char *path, size_t len, rs_error *error);

#endif
