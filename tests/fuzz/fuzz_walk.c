/*
 * fuzz_walk.c - every reader of a store, called for all that the store holds.
 *
 * A damaged record may end a part of it with any status of the list; what is handed out must be
 * whole. Needs fuzz.h.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#define MOST_KEYS 3000u
#define MOST_BATCHES 200u

struct walk {
    rs_txn *txn;
    unsigned keys;
    unsigned depth;
};

static void check_text(const char *text, size_t len)
{
    FUZZ_CHECK(text != NULL && text[len] == '\0');
}

/* The sum is there so that each byte is read. */
static void check_value(const rs_value *value)
{
    size_t sum = 0;

    check_text(value->name, value->name_len);
    FUZZ_CHECK(value->data != NULL);
    for (size_t i = 0; i < value->size; i++) {
        sum += ((const unsigned char *)value->data)[i];
    }
    FUZZ_CHECK(sum <= value->size * UINT8_MAX);
}

/* How a value is found does not depend on the call, and long names take long to find. */
#define LONG_NAME 100u

static void get_typed(struct walk *walk, rs_key key, const rs_value *value)
{
    uint32_t dword;
    uint64_t qword;
    int truth;
    const char *text;
    const char *const *list;
    const void *bytes;
    size_t len;
    const char *name = value->name;
    size_t name_len = value->name_len;

    fuzz_known(rs_get_binary_n(walk->txn, key, name, name_len, &bytes, &len));
    if (name_len > LONG_NAME) {
        return;
    }
    fuzz_known(rs_get_dword_n(walk->txn, key, name, name_len, &dword));
    fuzz_known(rs_get_qword_n(walk->txn, key, name, name_len, &qword));
    fuzz_known(rs_get_bool_n(walk->txn, key, name, name_len, &truth));
    if (fuzz_known(rs_get_string_n(walk->txn, key, name, name_len, &text, &len)) == RS_OK) {
        check_text(text, len);
    }
    if (fuzz_known(rs_get_multi_n(walk->txn, key, name, name_len, &list, &len)) == RS_OK) {
        FUZZ_CHECK(list[len] == NULL);
    }
}

static void walk_values(struct walk *walk, rs_key key)
{
    rs_cursor *cursor;
    rs_value value;
    char *text;
    size_t len;

    if (fuzz_known(rs_values(walk->txn, key, &cursor)) != RS_OK) {
        return;
    }
    while (fuzz_known(rs_next_value(cursor, &value)) == RS_OK) {
        check_value(&value);
        get_typed(walk, key, &value);
        if (fuzz_known(rs_data_print(value.type, value.data, value.size, NULL, &text, &len)) ==
            RS_OK) {
            rs_free(text);
        }
    }
    rs_cursor_close(cursor);
}

static void look_at_key(struct walk *walk, rs_key key)
{
    rs_key_info info;
    const char *text;
    size_t len;
    rs_key found;

    if (fuzz_known(rs_key_info_get(walk->txn, key, &info)) == RS_OK) {
        check_text(info.name, info.name_len);
        check_text(info.class_name, info.class_len);
    }
    if (fuzz_known(rs_link_target(walk->txn, key, &text, &len)) == RS_OK) {
        check_text(text, len);
    }
    if (fuzz_known(rs_key_path(walk->txn, key, &text, &len)) == RS_OK) {
        check_text(text, len);
        fuzz_known(rs_key_open_n(walk->txn, RS_NO_KEY, text, len, RS_NOFOLLOW, &found));
        fuzz_known(rs_key_open_n(walk->txn, RS_NO_KEY, text, len, 0, &found));
    }
}

static void walk_key(struct walk *walk, rs_key key)
{
    rs_cursor *cursor;
    rs_key_info info;

    FUZZ_CHECK(walk->depth <= MOST_KEYS);
    if (walk->keys++ > MOST_KEYS) {
        return;
    }
    look_at_key(walk, key);
    walk_values(walk, key);
    if (fuzz_known(rs_subkeys(walk->txn, key, &cursor)) != RS_OK) {
        return;
    }
    walk->depth++;
    while (fuzz_known(rs_next_key(cursor, &info)) == RS_OK) {
        check_text(info.name, info.name_len);
        walk_key(walk, info.key);
    }
    walk->depth--;
    rs_cursor_close(cursor);
}

void fuzz_walk(rs_txn *txn)
{
    static const rs_key roots[] = {RS_HKLM, RS_HKU, RS_HKRS, RS_HKCR, RS_HKCU, RS_HKCC};
    rs_stat stat;

    fuzz_known(rs_stat_get(txn, &stat));
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        struct walk walk = {.txn = txn};
        walk_key(&walk, roots[i]);
    }
}

static void check_batch(const rs_batch *batch)
{
    check_text(batch->program, strlen(batch->program));
    check_text(batch->message, strlen(batch->message));
    for (size_t i = 0; i < batch->count; i++) {
        const rs_change *change = &batch->changes[i];
        check_text(change->path, change->path_len);
        check_text(change->relative, change->relative_len);
        check_text(change->name, change->name_len);
        if (change->old_value != NULL) {
            check_value(change->old_value);
        }
        if (change->new_value != NULL) {
            check_value(change->new_value);
        }
    }
}

void fuzz_watch(rs_store *store, const char *path, uint64_t since)
{
    rs_watch *watch;
    const rs_batch *batch;

    if (fuzz_known(rs_watch_open(store, path, RS_SUBTREE, since, &watch, NULL)) != RS_OK) {
        return;
    }
    for (unsigned i = 0; i < MOST_BATCHES; i++) {
        int status = fuzz_known(rs_watch_next(watch, &batch));
        if (status == RS_OK) {
            check_batch(batch);
        } else if (status != RS_EBEHIND) {
            break;
        }
    }
    rs_watch_close(watch);
}
