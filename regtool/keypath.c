/* Key paths as they are asked for and as they are printed. */
#include "keypath.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Paths are printed under the root that was asked for, though a view is another key. */
static const struct root {
    const char *alias;
    const char *name;
} roots[] = {
#define ROW(alias, name) {#alias, name},
    RS_ROOT_LIST(ROW)
#undef ROW
};
#define ROOT_COUNT (sizeof(roots) / sizeof(roots[0]))

int keypath_add(struct keypath *path, const char *name, size_t len)
{
    size_t need = path->len + 1 + len + 1;

    if (need > path->capacity) {
        size_t capacity = need + need / 2 + 64;
        char *text = realloc(path->text, capacity);
        if (text == NULL) {
            return RS_ENOMEM;
        }
        path->text = text;
        path->capacity = capacity;
    }
    if (path->len > 0) {
        path->text[path->len++] = '\\';
    }
    memcpy(path->text + path->len, name, len);
    path->len += len;
    path->text[path->len] = '\0';
    return RS_OK;
}

void keypath_cut(struct keypath *path, size_t len)
{
    path->len = len;
    path->text[len] = '\0';
}

void keypath_free(struct keypath *path)
{
    free(path->text);
    *path = (struct keypath){.text = NULL};
}

static const struct root *find_root(const char *text, size_t len)
{
    for (size_t i = 0; i < ROOT_COUNT; i++) {
        const char *names[] = {roots[i].alias, roots[i].name};
        for (size_t j = 0; j < 2; j++) {
            if (strlen(names[j]) == len && strncasecmp(names[j], text, len) == 0) {
                return &roots[i];
            }
        }
    }
    return NULL;
}

size_t keypath_root_length(const char *text)
{
    size_t len = strcspn(text, "\\/");

    return find_root(text, len) != NULL ? len : 0;
}

char *keypath_view32(const char *path)
{
    static const char name[] = "WOW6432Node";
    size_t offset = rs_path_view32(path, RS_NTS);
    size_t size = strlen(path) + sizeof(name) + 1;
    char *view = malloc(size);

    if (view != NULL) {
        snprintf(view, size, "%.*s%c%s%s", (int)offset, path, path[0] == '/' ? '/' : '\\', name,
                 path + offset);
    }
    return view;
}

size_t keypath_hidden(const char *asked, const char *path)
{
    return asked == path ? 0 : rs_path_view32(asked, RS_NTS) + 1;
}

bool keypath_is_slashed(const char *text)
{
    return text[0] == '/' && find_root(text + 1, strcspn(text + 1, "/")) != NULL;
}

bool keypath_is_root(const char *text)
{
    if (text[0] == '/') {
        text++;
    }
    return find_root(text, strlen(text)) != NULL;
}

/* Adds the name at the end of base's path as it is spelled there (path is NULL: not at all) and
 * steps down, through a link if it is one. */
static int step(rs_txn *txn, rs_key *base, const char *name, size_t len, struct keypath *path)
{
    rs_key_info info;
    rs_key key;
    int status = rs_key_open_n(txn, *base, name, len, RS_NOFOLLOW, &key);

    if (status == RS_OK) {
        status = rs_key_info_get(txn, key, &info);
    }
    if (status == RS_OK && path != NULL) {
        status = keypath_add(path, info.name, info.name_len);
    }
    if (status == RS_OK) {
        status = rs_key_open_n(txn, *base, name, len, 0, base);
    }
    return status;
}

int keypath_spell(rs_txn *txn, const char *asked, size_t hidden, struct keypath *path)
{
    const char *separator = asked[0] == '/' ? "/" : "\\";
    const char *name = asked + strspn(asked, "/");
    size_t len = strcspn(name, separator);
    const struct root *root = find_root(name, len);
    rs_key base = RS_NO_KEY;
    int status;

    if (root == NULL) {
        return RS_EPATH;
    }
    status = keypath_add(path, root->name, strlen(root->name));
    if (status == RS_OK && name[len] != '\0') {
        status = rs_key_open(txn, RS_NO_KEY, root->alias, &base);
    }
    while (status == RS_OK && name[len] != '\0') {
        name += len + 1;
        len = strcspn(name, separator);
        if (len > 0) {
            bool printed = hidden == 0 || name != asked + hidden;
            status = step(txn, &base, name, len, printed ? path : NULL);
        }
    }
    return status;
}

/* The key of the longest front of a path that there is, and the length of that front. */
static int open_front(rs_txn *txn, const char *asked, char separator, rs_key *key, size_t *front)
{
    int status = RS_ENOTFOUND;

    for (*front = strlen(asked); *front > 0 && status == RS_ENOTFOUND;) {
        status = rs_key_open_n(txn, RS_NO_KEY, asked, *front, 0, key);
        if (status == RS_ENOTFOUND) {
            do {
                --*front;
            } while (*front > 0 && asked[*front] != separator);
        }
    }
    return status;
}

static int add_names(struct keypath *path, const char *rest, char separator)
{
    int status = RS_OK;

    while (*rest != '\0' && status == RS_OK) {
        const char *end = strchrnul(rest, separator);
        if (end > rest) {
            status = keypath_add(path, rest, (size_t)(end - rest));
        }
        rest = *end != '\0' ? end + 1 : end;
    }
    return status;
}

int keypath_canonical(rs_txn *txn, const char *asked, struct keypath *path)
{
    char separator = keypath_is_slashed(asked) ? '/' : '\\';
    const char *found;
    size_t front;
    size_t len;
    rs_key key;
    int status = open_front(txn, asked, separator, &key, &front);

    if (status == RS_OK) {
        status = rs_key_path(txn, key, &found, &len);
    }
    if (status == RS_OK) {
        status = keypath_add(path, found, len);
    }
    return status == RS_OK ? add_names(path, asked + front, separator) : status;
}

static size_t name_length(const char *path, size_t len)
{
    const char *end = memchr(path, '\\', len);

    return end != NULL ? (size_t)(end - path) : len;
}

enum keypath_relation keypath_relate(const char *path, size_t len, const char *other,
                                     size_t other_len)
{
    while (len > 0 && other_len > 0) {
        size_t name = name_length(path, len);
        size_t other_name = name_length(other, other_len);
        if (rs_name_compare(path, name, other, other_name) != 0) {
            return KEYPATH_APART;
        }
        name += name < len;
        other_name += other_name < other_len;
        path += name;
        len -= name;
        other += other_name;
        other_len -= other_name;
    }
    return len > 0 ? KEYPATH_BELOW : other_len > 0 ? KEYPATH_ABOVE : KEYPATH_SAME;
}
