/*
 * fuzz_records.c - fuzz target: damaged records in a store.
 *
 * The input is a row of edits to the records of a small store; each is a byte for what is done, one
 * for the table, and what that needs. Then every reader and some writers work on the store. What
 * they answer is free, but they must answer. Needs store.
 */
#include "fuzz.h"
#include "../../regstore/store.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_EDITS 64u
#define MOST_KEY 511u /* bytes that LMDB takes */

enum edit { EDIT_PUT, EDIT_PATCH, EDIT_DELETE, EDIT_CUT, EDIT_MOVE, EDIT_COPY, EDITS };

/* A record in memory of its own. */
struct copy {
    char *key;
    size_t key_size;
    char *value;
    size_t value_size;
};

static void copy_free(struct copy *copy)
{
    free(copy->key);
    free(copy->value);
}

static char *duplicate(struct slice slice)
{
    char *copy = malloc(slice.size + 1);

    FUZZ_CHECK(copy != NULL);
    memcpy(copy, slice.data, slice.size);
    return copy;
}

/* One of a table's records, counted from its front. */
static bool pick(struct env_txn *txn, enum env_table table, unsigned index, struct copy *copy)
{
    struct env_cursor cursor;
    struct slice key, value;

    FUZZ_CHECK(env_cursor_open(txn, table, &cursor) == RS_OK);
    int status = env_cursor_first(&cursor, &key, &value);
    while (status == RS_OK && index-- > 0) {
        status = env_cursor_next(&cursor, &key, &value);
    }
    if (status == RS_OK) {
        *copy = (struct copy){duplicate(key), key.size, duplicate(value), value.size};
    }
    env_cursor_close(&cursor);
    return status == RS_OK;
}

static void put(struct env_txn *txn, enum env_table table, const struct copy *copy)
{
    int status = env_put(txn, table, (struct slice){copy->key, copy->key_size},
                         (struct slice){copy->value, copy->value_size});

    FUZZ_CHECK(rs_status_name(status) != NULL);
}

static void put_new(struct env_txn *txn, enum env_table table, struct fuzz_input *input)
{
    struct copy copy;

    copy.key = fuzz_bytes(input, 1 + fuzz_u16(input) % MOST_KEY, &copy.key_size);
    copy.value = fuzz_bytes(input, fuzz_u16(input), &copy.value_size);
    if (copy.key_size > 0) {
        put(txn, table, &copy);
    }
    copy_free(&copy);
}

/* Some bytes of it from the input. */
static void patch(char *bytes, size_t size, struct fuzz_input *input)
{
    size_t offset = fuzz_u16(input);
    size_t count = 1 + fuzz_u8(input) % 16;

    for (size_t i = 0; i < count; i++) {
        char byte = (char)fuzz_u8(input);
        if (offset + i < size) {
            bytes[offset + i] = byte;
        }
    }
}

static void edit_record(struct env_txn *txn, enum env_table table, enum edit edit,
                        struct fuzz_input *input)
{
    struct copy copy;

    if (!pick(txn, table, fuzz_u8(input), &copy)) {
        return;
    }
    if (edit == EDIT_DELETE || edit == EDIT_MOVE) {
        FUZZ_CHECK(env_delete(txn, table, (struct slice){copy.key, copy.key_size}) == RS_OK);
    }
    if (edit == EDIT_PATCH) {
        patch(copy.value, copy.value_size, input);
    } else if (edit == EDIT_CUT) {
        size_t size = fuzz_u16(input);
        copy.value_size = size < copy.value_size ? size : copy.value_size;
    } else if (edit == EDIT_MOVE || edit == EDIT_COPY) {
        patch(copy.key, copy.key_size, input);
    }
    if (edit != EDIT_DELETE) {
        put(txn, table, &copy);
    }
    copy_free(&copy);
}

static void edit_store(rs_store *store, struct fuzz_input *input)
{
    struct env_txn txn;

    FUZZ_CHECK(env_begin(store->env, true, &txn, NULL) == RS_OK);
    for (unsigned i = 0; input->left > 2 && i < MOST_EDITS; i++) {
        enum edit edit = (enum edit)(fuzz_u8(input) % EDITS);
        enum env_table table = (enum env_table)(fuzz_u8(input) % TABLE_COUNT);
        if (edit == EDIT_PUT) {
            put_new(&txn, table, input);
        } else {
            edit_record(&txn, table, edit, input);
        }
    }
    FUZZ_CHECK(env_commit(&txn, NULL) == RS_OK);
}

static void export_roots(rs_txn *txn)
{
    static const rs_export_options options = {.format = "xml", .flags = RS_OVERWRITE};
    static const rs_key roots[] = {RS_HKLM, RS_HKU, RS_HKRS};

    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        rs_error error = RS_ERROR_INIT;
        int status = rs_export(txn, roots[i], fuzz_path("out.xml"), &options, &error);
        FUZZ_CHECK(rs_status_name(status) != NULL);
    }
}

static void read_journal(rs_store *store)
{
    struct journal_reader reader = {0};
    struct journal_head head;
    struct change change;
    struct env_txn txn;

    FUZZ_CHECK(env_begin(store->env, false, &txn, NULL) == RS_OK);
    for (uint64_t revision = 0; revision < 6; revision++) {
        int status = journal_open(&reader, &txn, revision, &head);
        while (status == RS_OK) {
            status = journal_next(&reader, &change);
        }
        FUZZ_CHECK(rs_status_name(status) != NULL);
    }
    journal_close(&reader);
    env_abort(&txn);
}

static void read_all(rs_store *store)
{
    rs_txn *txn;

    if (rs_begin(store, RS_READ, &txn) == RS_OK) {
        fuzz_walk(txn);
        export_roots(txn);
        rs_abort(txn);
    }
    read_journal(store);
    fuzz_watch(store, "HKLM", 0);
    fuzz_watch(store, "HKLM\\SYSTEM\\Link", 1);
}

static void change_key(rs_txn *txn, const char *path)
{
    rs_key key;
    int status = rs_key_create(txn, RS_NO_KEY, path, &key);

    if (status == RS_OK) {
        FUZZ_CHECK(rs_status_name(rs_set_dword(txn, key, "Number", 1)) != NULL);
        FUZZ_CHECK(rs_status_name(rs_multi_append(txn, key, "List", "three")) != NULL);
        FUZZ_CHECK(rs_status_name(rs_value_delete(txn, key, "Text")) != NULL);
        FUZZ_CHECK(rs_status_name(rs_key_rename(txn, key, "Other")) != NULL);
    }
}

/* Writers see the store through a cache of their own. */
static void change_all(rs_store *store, bool keep)
{
    static const char *const deleted[] = {"HKLM\\SYSTEM\\Long", "HKLM\\SYSTEM"};
    rs_txn *txn;
    rs_key key;

    if (rs_begin(store, RS_WRITE, &txn) != RS_OK) {
        return;
    }
    fuzz_walk(txn);
    change_key(txn, "HKLM\\SYSTEM\\Print");
    change_key(txn, "HKLM\\SYSTEM\\Link\\New");
    for (size_t i = 0; i < sizeof deleted / sizeof *deleted; i++) {
        if (rs_key_open_n(txn, RS_NO_KEY, deleted[i], RS_NTS, RS_NOFOLLOW, &key) == RS_OK) {
            FUZZ_CHECK(rs_status_name(rs_key_delete(txn, key, RS_RECURSIVE)) != NULL);
        }
    }
    if (keep) {
        FUZZ_CHECK(rs_status_name(rs_commit(txn, NULL)) != NULL);
    } else {
        rs_abort(txn);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_store();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    rs_store *store;
    const char *dir = fuzz_store();

    FUZZ_CHECK(rs_open(dir, 0, &store, NULL) == RS_OK);
    edit_store(store, &input);
    rs_close(store);
    int status = rs_open(dir, 0, &store, NULL);
    FUZZ_CHECK(rs_status_name(status) != NULL);
    if (status == RS_OK) {
        read_all(store);
        change_all(store, size % 2 == 0);
        rs_close(store);
    }
    return 0;
}
