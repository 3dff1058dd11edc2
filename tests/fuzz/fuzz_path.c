/*
 * fuzz_path.c - fuzz target: key paths, link targets, and the conversions of names.
 *
 * A path that is taken apart and joined again has the same names; a target in NT's form leads back
 * to the path it was made from; the 32-bit view of a path is a path; every conversion of text has a
 * way back. Needs path.
 */
#include "fuzz.h"
#include "../../regstore/path.h"

#include <stdlib.h>
#include <string.h>

/* A rooted path in its canonical spelling; false if it is none. */
static bool join(const char *path, size_t len, const struct path_root **root, struct buffer *joined)
{
    struct path_iter iter;
    const char *name;
    size_t name_len;
    rs_error error = RS_ERROR_INIT;
    int status = path_begin_rooted(&iter, path, len, root, &error);

    joined->size = 0;
    if (status == RS_OK) {
        FUZZ_CHECK(buffer_append_text(joined, (*root)->name) == RS_OK);
        while ((status = path_next(&iter, &name, &name_len, &error)) == RS_OK) {
            FUZZ_CHECK(name_len > 0 && memchr(name, '\\', name_len) == NULL);
            FUZZ_CHECK(buffer_append_byte(joined, '\\') == RS_OK);
            FUZZ_CHECK(buffer_append(joined, name, name_len) == RS_OK);
        }
    }
    FUZZ_CHECK(status == RS_END || (status == RS_EPATH && error.status == RS_EPATH));
    return status == RS_END;
}

static void check_same(const struct buffer *a, const struct buffer *b)
{
    FUZZ_CHECK(a->size == b->size && memcmp(a->data, b->data, a->size) == 0);
}

/* NULs at the end of a target are its terminator, so such a name has no way back. */
static void check_link(const struct path_root *root, const struct buffer *path)
{
    struct buffer target = BUFFER_INIT;
    struct buffer back = BUFFER_INIT;
    int status = path_to_link(&target, path->data, path->size, NULL);

    FUZZ_CHECK(status == RS_OK || status == RS_ETEXT);
    if (status == RS_OK && path->data[path->size - 1] != '\0') {
        FUZZ_CHECK(path_from_link(&back, target.data, target.size) == RS_OK);
        if (root->key == root->stored) {
            check_same(path, &back);
        }
    }
    buffer_free(&target);
    buffer_free(&back);
}

/* The 32-bit view of a path is a path of the same root, and its own view. */
static void check_view(const struct path_root *root, const struct buffer *path)
{
    struct buffer view = BUFFER_INIT;
    struct buffer joined = BUFFER_INIT;
    const struct path_root *same;

    FUZZ_CHECK(path_to_view32(&view, path->data, path->size) == RS_OK);
    FUZZ_CHECK(join(view.data, view.size, &same, &joined) && same == root);
    FUZZ_CHECK(view.size == path->size || rs_path_view32(path->data, path->size) > 0);
    FUZZ_CHECK(rs_path_view32(view.data, view.size) == 0);
    buffer_free(&view);
    buffer_free(&joined);
}

static void check_path(const char *path, size_t len)
{
    struct buffer once = BUFFER_INIT;
    struct buffer twice = BUFFER_INIT;
    const struct path_root *root, *same;
    rs_error error = RS_ERROR_INIT;
    size_t units;
    int status = path_check_name(path, len, &error);

    FUZZ_CHECK(status == error.status);
    FUZZ_CHECK(status != RS_OK ||
               (text_units(path, len, &units) == RS_OK && units <= RS_MAX_KEY_NAME && units > 0));
    if (join(path, len, &root, &once)) {
        FUZZ_CHECK(join(once.data, once.size, &same, &twice) && same == root);
        check_same(&once, &twice);
        check_link(root, &once);
        check_view(root, &once);
    }
    buffer_free(&once);
    buffer_free(&twice);
}

/* Bytes as a link's data; what they lead to is a path. */
static void check_target(const char *data, size_t size)
{
    struct buffer path = BUFFER_INIT;
    struct buffer joined = BUFFER_INIT;
    const struct path_root *root;
    int status = path_from_link(&path, data, size);

    FUZZ_CHECK(status == RS_OK || (status == RS_EDATA && path.size == 0));
    if (status == RS_OK) {
        FUZZ_CHECK(join(path.data, path.size, &root, &joined));
        check_same(&path, &joined);
        check_link(root, &path);
    }
    buffer_free(&path);
    buffer_free(&joined);
}

static void check_utf16(const char *data, size_t size)
{
    struct buffer text = BUFFER_INIT;
    struct buffer back = BUFFER_INIT;

    FUZZ_CHECK(text_from_utf16(&text, data, size) == RS_OK);
    FUZZ_CHECK(text_to_utf16(&back, text.data, text.size) == RS_OK);
    FUZZ_CHECK(back.size == (size & ~(size_t)1));
    FUZZ_CHECK(back.size == 0 || memcmp(back.data, data, back.size) == 0);
    FUZZ_CHECK(text_utf16_end(data, size) <= size);
    buffer_free(&text);
    buffer_free(&back);
}

static void check_utf8(const char *text, size_t len)
{
    struct buffer wide = BUFFER_INIT;
    struct buffer back = BUFFER_INIT;
    size_t units;
    int status = text_units(text, len, &units);

    FUZZ_CHECK(text_to_utf16(&wide, text, len) == status);
    if (status == RS_OK) {
        FUZZ_CHECK(wide.size == units * 2);
        FUZZ_CHECK(text_from_utf16(&back, wide.data, wide.size) == RS_OK);
        FUZZ_CHECK(back.size == len && (len == 0 || memcmp(back.data, text, len) == 0));
    }
    buffer_free(&wide);
    buffer_free(&back);
}

/* The folded name in a block that is just large enough. */
static char *fold(const char *text, size_t len, size_t *size)
{
    size_t units;
    size_t capacity = text_units(text, len, &units) == RS_OK ? units * 3 : 0;
    char *folded = malloc(capacity > 0 ? capacity : 1);
    int status = text_fold(text, len, folded, capacity, size, &units);

    FUZZ_CHECK(folded != NULL && (status == RS_OK || status == RS_ETEXT || capacity == 0));
    if (status == RS_OK) {
        FUZZ_CHECK(*size <= capacity);
        return folded;
    }
    free(folded);
    return NULL;
}

static void check_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t a_size, b_size;
    char *a_folded = fold(a, a_len, &a_size);
    char *b_folded = fold(b, b_len, &b_size);
    int order = rs_name_compare(a, a_len, b, b_len);
    int reverse = rs_name_compare(b, b_len, a, a_len);

    FUZZ_CHECK((order < 0) == (reverse > 0) && (order == 0) == (reverse == 0));
    FUZZ_CHECK(rs_name_compare(a, a_len, a, a_len) == 0);
    if (a_folded != NULL && b_folded != NULL) {
        bool same = a_size == b_size && memcmp(a_folded, b_folded, a_size) == 0;
        FUZZ_CHECK(same == (order == 0));
    }
    free(a_folded);
    free(b_folded);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input whole = {data, size};
    struct fuzz_input halves = {data, size};
    size_t len, a_len, b_len;
    char *text = fuzz_bytes(&whole, size, &len);
    char *a = fuzz_bytes(&halves, size / 2, &a_len);
    char *b = fuzz_bytes(&halves, size, &b_len);

    check_path(text, len);
    check_target(text, len);
    check_utf16(text, len);
    check_utf8(text, len);
    check_compare(a, a_len, b, b_len);
    free(text);
    free(a);
    free(b);
    return 0;
}
