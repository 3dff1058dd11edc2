/*
 * path.c - key paths: roots and their aliases, splitting, joining.
 *
 * Needs text. Paths are split in place and nothing here allocates but what appends to a buffer.
 * Errors quote the path, so that a person sees which of several arguments is meant.
 */
#include "path.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- Roots ---- */

/* The stored root that each root lies in. */
#define IN_HKLM RS_HKLM
#define IN_HKU RS_HKU
#define IN_HKRS RS_HKRS
#define IN_HKCR RS_HKLM
#define IN_HKCU RS_HKU
#define IN_HKCC RS_HKLM

static const struct path_root roots[] = {
#define ROW(alias, name) {RS_##alias, name, #alias, IN_##alias},
    RS_ROOT_LIST(ROW)
#undef ROW
};
#define ROOT_COUNT (sizeof roots / sizeof roots[0])

/* Roots that NT has a name for; the others are views of these, or are not NT's. */
static const struct {
    rs_key key;
    const char *name;
} nt_roots[] = {
    {RS_HKLM, "\\Registry\\Machine"},
    {RS_HKU, "\\Registry\\User"},
};
#define NT_ROOT_COUNT (sizeof nt_roots / sizeof nt_roots[0])

const struct path_root *path_roots(size_t *count)
{
    *count = ROOT_COUNT;
    return roots;
}

const struct path_root *path_root_by_key(rs_key key)
{
    for (size_t i = 0; i < ROOT_COUNT; i++) {
        if (roots[i].key == key) {
            return &roots[i];
        }
    }
    return NULL;
}

static bool same_name(const char *name, const char *text, size_t len)
{
    return strlen(name) == len && strncasecmp(name, text, len) == 0;
}

const struct path_root *path_root_by_name(const char *name, size_t len)
{
    for (size_t i = 0; i < ROOT_COUNT; i++) {
        if (same_name(roots[i].alias, name, len) || same_name(roots[i].name, name, len)) {
            return &roots[i];
        }
    }
    return NULL;
}

int path_view(const struct path_root *root, struct buffer *buffer)
{
    switch (root->key) {
    case RS_HKCR:
        return buffer_append_text(buffer, "SOFTWARE\\Classes");
    case RS_HKCC:
        return buffer_append_text(buffer, "SYSTEM\\CurrentControlSet\\Hardware Profiles\\Current");
    case RS_HKCU: /* the SID that Samba gives a Unix user */
        return buffer_printf(buffer, "S-1-22-1-%lu", (unsigned long)getuid());
    default:
        return RS_OK;
    }
}

/* ---- Splitting ---- */

/* A length for "%.*s". Errors quote paths and names at their end, where fail() cuts what is too
 * long. */
static int quoted(size_t len)
{
    return (int)(len < RS_ERROR_TEXT_MAX ? len : RS_ERROR_TEXT_MAX);
}

void path_begin(struct path_iter *iter, const char *path, size_t len)
{
    *iter = (struct path_iter){path, path, '\\'};
    if (len) { /* path may be NULL else */
        iter->end += len;
    }
}

/* Why a path whose root was not found is refused. */
static int no_root(const char *path, size_t len, rs_error *error)
{
    if (len == 0) {
        return fail(error, RS_EPATH, "the key path is empty");
    }
    if (path[0] == '\\') {
        return fail(error, RS_EPATH,
                    "the key path begins with \"\\\", not with a root key such as HKLM: \"%.*s\"",
                    quoted(len), path);
    }
    return fail(error, RS_EPATH,
                "the key path does not begin with a root key such as HKLM: \"%.*s\"", quoted(len),
                path);
}

int path_begin_rooted(struct path_iter *iter, const char *path, size_t len,
                      const struct path_root **root, rs_error *error)
{
    const bool slashes = len > 0 && path[0] == '/';
    const char separator = slashes ? '/' : '\\';
    const char *name = slashes ? path + 1 : path;
    const size_t left = slashes ? len - 1 : len;
    const char *end = left ? memchr(name, separator, left) : NULL;
    const size_t name_len = end ? (size_t)(end - name) : left;
    const struct path_root *found = left ? path_root_by_name(name, name_len) : NULL;

    if (!found) {
        return no_root(path, len, error);
    }
    if (end && name_len + 1 == left) {
        return fail(error, RS_EPATH,
                    "the key path has a \"%c\" behind the root key alone: \"%.*s\"", separator,
                    quoted(len), path);
    }
    if (slashes && memchr(name, '\\', left)) {
        return fail(error, RS_EPATH,
                    "the key path has both \"/\" and \"\\\" between names: \"%.*s\"", quoted(len),
                    path);
    }
    *iter = (struct path_iter){end ? end + 1 : name + left, name + left, separator};
    *root = found;
    return RS_OK;
}

int path_next(struct path_iter *iter, const char **name, size_t *len, rs_error *error)
{
    const size_t left = (size_t)(iter->end - iter->at);
    const char *found;

    if (left == 0) {
        return RS_END;
    }
    found = memchr(iter->at, iter->separator, left);
    if (found == iter->at) {
        return fail(error, RS_EPATH, "the key path has an empty name before \"%.*s\"", quoted(left),
                    iter->at);
    }
    *name = iter->at;
    *len = found ? (size_t)(found - iter->at) : left;
    iter->at = found ? found + 1 : iter->end;
    return RS_OK;
}

int path_check_name(const char *name, size_t len, rs_error *error)
{
    size_t units;

    if (len == 0) {
        return fail(error, RS_ENAME, "the name of a key is empty");
    }
    if (memchr(name, '\\', len)) {
        return fail(error, RS_ENAME, "the name of a key holds a \"\\\": \"%.*s\"", quoted(len),
                    name);
    }
    if (text_units(name, len, &units) != RS_OK) {
        return fail(error, RS_ETEXT, "the name of a key is not valid UTF-8: \"%.*s\"", quoted(len),
                    name);
    }
    if (units > RS_MAX_KEY_NAME) {
        return fail(error, RS_ETOOLONG,
                    "the name of a key has %zu UTF-16 units, at most %d fit: \"%.*s\"", units,
                    RS_MAX_KEY_NAME, quoted(len), name);
    }
    return RS_OK;
}

/* ---- Links ---- */

/* Appends the names that are left, each behind a backslash. RS_EPATH for an empty one. */
static int append_names(struct buffer *buffer, struct path_iter *iter, rs_error *error)
{
    const char *name;
    size_t len;
    int status;

    while ((status = path_next(iter, &name, &len, error)) == RS_OK) {
        if (buffer_append_byte(buffer, '\\') != RS_OK ||
            buffer_append(buffer, name, len) != RS_OK) {
            return RS_ENOMEM;
        }
    }
    return status == RS_END ? RS_OK : status;
}

/* Starts a path in NT's form: the root that it lies in, or NULL. */
static const struct path_root *begin_nt(struct path_iter *iter, const char *path, size_t len)
{
    for (size_t i = 0; i < NT_ROOT_COUNT; i++) {
        const size_t prefix = strlen(nt_roots[i].name);

        if (len < prefix || strncasecmp(path, nt_roots[i].name, prefix) != 0) {
            continue;
        }
        if (len == prefix) {
            path_begin(iter, "", 0);
            return path_root_by_key(nt_roots[i].key);
        }
        if (path[prefix] == '\\') {
            path_begin(iter, path + prefix + 1, len - prefix - 1);
            return path_root_by_key(nt_roots[i].key);
        }
    }
    return NULL;
}

static int append_target(struct buffer *buffer, const char *path, size_t len)
{
    struct path_iter iter;
    const struct path_root *root = begin_nt(&iter, path, len);
    int status = RS_OK;

    if (!root) {
        status = path_begin_rooted(&iter, path, len, &root, NULL);
    }
    if (status == RS_OK) {
        status = buffer_append_text(buffer, root->name);
    }
    if (status == RS_OK) {
        status = append_names(buffer, &iter, NULL);
    }
    return status == RS_EPATH ? RS_EDATA : status;
}

int path_from_link(struct buffer *buffer, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    const size_t before = buffer->size;
    struct buffer path = BUFFER_INIT;
    int status;

    if (size % 2) {
        return RS_EDATA;
    }
    while (size && (bytes[size - 1] | bytes[size - 2]) == 0) {
        size -= 2;
    }
    status = text_from_utf16(&path, data, size);
    if (status == RS_OK) {
        status = append_target(buffer, path.data, path.size);
    }
    if (status != RS_OK) {
        buffer->size = before;
    }
    buffer_free(&path);
    return status;
}

/* The NT name of a stored root; its own name where NT has none. */
static const char *nt_name(const struct path_root *root)
{
    for (size_t i = 0; i < NT_ROOT_COUNT; i++) {
        if (nt_roots[i].key == root->stored) {
            return nt_roots[i].name;
        }
    }
    return root->name;
}

/* Appends a rooted path in NT's form, views resolved, as WTF-8. */
static int append_nt(struct buffer *buffer, const char *path, size_t len, rs_error *error)
{
    const struct path_root *root;
    struct path_iter iter;
    int status = path_begin_rooted(&iter, path, len, &root, error);

    if (status == RS_OK) {
        status = buffer_append_text(buffer, nt_name(root));
    }
    if (status == RS_OK && root->key != root->stored) {
        status = buffer_append_byte(buffer, '\\');
        if (status == RS_OK) {
            status = path_view(root, buffer);
        }
    }
    return status == RS_OK ? append_names(buffer, &iter, error) : status;
}

int path_to_link(struct buffer *buffer, const char *path, size_t len, rs_error *error)
{
    struct buffer target = BUFFER_INIT;
    int status = append_nt(&target, path, len, error);

    if (status == RS_OK) {
        status = text_to_utf16(buffer, target.data, target.size);
    }
    buffer_free(&target);
    if (status == RS_OK) {
        return RS_OK;
    }
    return fail(error, status, "%s: \"%.*s\"", rs_strerror(status), quoted(len), path);
}
