/*
 * fuzz_records.c - fuzz target: damaged records in a store.
 *
 * The input is a row of edits to the records of a small store; each is a byte for what is done, one
 * for the table, and what that needs. Then every reader and some writers work on the store. What
 * they answer is free, but they must answer; and where a check finds no damage, nobody else may.
 * With libFuzzer an input has one of the parts of the work, by its size: that finds more in an hour
 * than all of it each time. Replayed, it has all. Which revisions are taken back, its last bytes
 * say. After that the records are made again what they were, so that the store can stay open:
 * opening it anew costs more than all the rest, and is done where the edits reach what is looked at
 * then, and now and then. Needs store.
 */
#include "fuzz.h"
#include "../../regstore/store.h"

#include <stdlib.h>
#include <string.h>

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

/* The store of all inputs; NULL before the first, and after one that could not be opened. */
static rs_store *store;

/* Its records, table by table, as they are before each input. */
static struct copy *originals[TABLE_COUNT];
static size_t original_count[TABLE_COUNT];

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

/* Gives a bit for each table that may have been touched. */
static unsigned edit_store(struct fuzz_input *input)
{
    struct env_txn txn;
    unsigned touched = 0;

    FUZZ_CHECK(env_begin(store->env, true, &txn, NULL) == RS_OK);
    for (unsigned i = 0; input->left > 2 && i < MOST_EDITS; i++) {
        enum edit edit = (enum edit)(fuzz_u8(input) % EDITS);
        enum env_table table = (enum env_table)(fuzz_u8(input) % TABLE_COUNT);
        touched |= 1u << table;
        if (edit == EDIT_PUT) {
            put_new(&txn, table, input);
        } else {
            edit_record(&txn, table, edit, input);
        }
    }
    FUZZ_CHECK(env_commit(&txn, NULL) == RS_OK);
    return touched;
}

/* ---- The records as they were ---- */

static void keep_table(struct env_txn *txn, enum env_table table)
{
    uint64_t count;

    FUZZ_CHECK(env_entries(txn, table, &count) == RS_OK && count > 0);
    originals[table] = calloc(count, sizeof **originals);
    FUZZ_CHECK(originals[table] != NULL);
    for (unsigned i = 0; i < count; i++) {
        FUZZ_CHECK(pick(txn, table, i, &originals[table][i]));
    }
    original_count[table] = count;
}

static int compare_keys(const struct copy *original, struct slice key)
{
    size_t shorter = original->key_size < key.size ? original->key_size : key.size;
    int order = memcmp(original->key, key.data, shorter);

    return order != 0 ? order : (original->key_size > key.size) - (original->key_size < key.size);
}

/* Deletes what was not there before. Both rows are in order. */
static void delete_new(struct env_txn *txn, enum env_table table)
{
    struct env_cursor cursor;
    struct slice key, value;
    size_t at = 0;

    FUZZ_CHECK(env_cursor_open(txn, table, &cursor) == RS_OK);
    int status = env_cursor_first(&cursor, &key, &value);
    while (status == RS_OK) {
        int order = -1;
        while (at < original_count[table] &&
               (order = compare_keys(&originals[table][at], key)) < 0) {
            at++;
        }
        if (order != 0) {
            FUZZ_CHECK(env_cursor_delete(&cursor) == RS_OK);
        }
        status = env_cursor_next(&cursor, &key, &value);
    }
    FUZZ_CHECK(status == RS_END);
    env_cursor_close(&cursor);
}

static void put_back(struct env_txn *txn, enum env_table table, const struct copy *original)
{
    struct slice key = {original->key, original->key_size};
    struct slice value = {original->value, original->value_size};
    struct slice found;
    int status = env_get(txn, table, key, &found);

    if (status != RS_OK || found.size != value.size ||
        memcmp(found.data, value.data, value.size) != 0) {
        FUZZ_CHECK(env_put(txn, table, key, value) == RS_OK);
    }
}

static void restore_store(void)
{
    struct env_txn txn;
    uint64_t count;

    FUZZ_CHECK(env_begin(store->env, true, &txn, NULL) == RS_OK);
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        delete_new(&txn, table);
        for (size_t i = 0; i < original_count[table]; i++) {
            put_back(&txn, table, &originals[table][i]);
        }
        FUZZ_CHECK(env_entries(&txn, table, &count) == RS_OK && count == original_count[table]);
    }
    FUZZ_CHECK(env_commit(&txn, NULL) == RS_OK);
}

/* A new one, if the last input has left none. */
static void have_store(void)
{
    struct env_txn txn;

    if (store != NULL) {
        return;
    }
    FUZZ_CHECK(rs_open(fuzz_store(), 0, &store, NULL) == RS_OK);
    if (original_count[TABLE_META] == 0) {
        FUZZ_CHECK(env_begin(store->env, false, &txn, NULL) == RS_OK);
        for (unsigned table = 0; table < TABLE_COUNT; table++) {
            keep_table(&txn, table);
        }
        env_abort(&txn);
    }
}

/* ---- Readers ---- */

static void export_roots(rs_txn *txn)
{
    static const rs_export_options options = {.format = "xml"};
    static const rs_key roots[] = {RS_HKLM, RS_HKU, RS_HKRS};

    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        rs_error error = RS_ERROR_INIT;
        fuzz_known(rs_export(txn, roots[i], "/dev/null", &options, &error));
    }
}

static void read_journal(void)
{
    struct journal_reader reader = {0};
    struct journal_head head;
    struct change change;
    struct env_txn txn;

    FUZZ_CHECK(env_begin(store->env, false, &txn, NULL) == RS_OK);
    for (uint64_t revision = 0; revision < 9; revision++) {
        int status = journal_open(&reader, &txn, revision, &head);
        while (status == RS_OK) {
            status = journal_next(&reader, &change);
        }
        fuzz_known(status);
    }
    journal_close(&reader);
    env_abort(&txn);
}

/* Lines of a check are for a person: one line each. */
static int look_at_damage(void *context, const rs_damage *damage)
{
    (void)context;
    FUZZ_CHECK(damage->text[0] != '\0' && strchr(damage->text, '\n') == NULL);
    return 0;
}

static bool sound; /* as the last check says */

static void check(rs_txn *txn)
{
    static const rs_check_options options = {.damage = look_at_damage};
    rs_check_report report = {0};

    int status = fuzz_known(rs_check(txn, &options, &report));
    sound = status == RS_OK && report.damages == 0;
    fuzz_expect_sound(sound);
}

static void read_streams(rs_txn *txn)
{
    export_roots(txn);
    read_journal();
    fuzz_watch(store, "HKLM", 0);
    fuzz_watch(store, "HKLM\\SYSTEM\\Link", 1);
}

static void read_store(void (*read)(rs_txn *txn))
{
    rs_txn *txn;

    if (fuzz_known(rs_begin(store, RS_READ, &txn)) == RS_OK) {
        read(txn);
        rs_abort(txn);
    }
}

/* ---- Writers ---- */

static void change_key(rs_txn *txn, const char *path)
{
    rs_key key;

    if (fuzz_known(rs_key_create(txn, RS_NO_KEY, path, &key)) == RS_OK) {
        fuzz_known(rs_set_dword(txn, key, "Number", 1));
        fuzz_known(rs_multi_append(txn, key, "List", "three"));
        fuzz_known(rs_value_delete(txn, key, "Text"));
        fuzz_known(rs_key_rename(txn, key, "Other"));
    }
}

static void change_keys(rs_txn *txn)
{
    static const char *const deleted[] = {"HKLM\\SYSTEM\\Long", "HKLM\\SYSTEM"};
    rs_key key;

    change_key(txn, "HKLM\\SYSTEM\\Print");
    change_key(txn, "HKLM\\SYSTEM\\Link\\New");
    for (size_t i = 0; i < sizeof deleted / sizeof *deleted; i++) {
        if (fuzz_known(rs_key_open_n(txn, RS_NO_KEY, deleted[i], RS_NTS, RS_NOFOLLOW, &key)) ==
            RS_OK) {
            fuzz_known(rs_key_delete(txn, key, RS_RECURSIVE));
        }
    }
}

/* Writers see the store through a cache of their own. */
static void write(void (*change)(rs_txn *txn), bool keep)
{
    rs_txn *txn;

    if (fuzz_known(rs_begin(store, RS_WRITE, &txn)) == RS_OK) {
        change(txn);
        if (keep) {
            fuzz_known(rs_commit(txn, NULL));
        } else {
            rs_abort(txn);
        }
    }
}

/* ---- An input ---- */

/* The parts of the work, and all of it. The past, which is a copy of the store for each revision,
 * has its turn now and then. */
enum part {
    PART_KEYS,
    PART_STREAMS,
    PART_WALK,
    PART_CHANGE,
    PART_HISTORY,
    PART_UNDO,
    PARTS,
    PART_ALL = PARTS
};
#define PAST_TURN 61u

static bool replaying;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    replaying = *argc > 0 && strcmp((*argv)[0], "replay") == 0;
    have_store();
    return 0;
}

/* False if the store cannot be opened again. */
static bool open_again(void)
{
    rs_close(store);
    store = NULL;
    return fuzz_known(rs_open(fuzz_path("store"), 0, &store, NULL)) == RS_OK;
}

/* Takes revisions back. */
static void undo(unsigned choice, bool keep)
{
    rs_txn *txn;

    if (fuzz_known(rs_begin(store, RS_WRITE, &txn)) == RS_OK) {
        fuzz_undo(txn, choice);
        fuzz_walk(txn);
        if (keep) {
            bool before = sound;
            fuzz_known(rs_commit(txn, NULL));
            read_store(check);
            FUZZ_CHECK(sound || !before);
        } else {
            rs_abort(txn);
        }
    }
}

static void work(enum part part, bool keep, const uint8_t *data, size_t size)
{
    unsigned last = size > 0 ? data[size - 1] : 0;
    bool all = part == PART_ALL;

    if (part != PART_STREAMS) {
        read_store(check);
    }
    if (all || part == PART_KEYS) {
        read_store(fuzz_walk);
    }
    if (all || part == PART_STREAMS) {
        read_store(read_streams);
    }
    if (all || part == PART_HISTORY) {
        read_store(fuzz_history);
    }
    if (all || size % PAST_TURN == 0) {
        fuzz_past(store);
    }
    if (all || part == PART_WALK) {
        write(fuzz_walk, false);
    }
    if (all || part == PART_UNDO) {
        undo(last, keep && !all);
    }
    if (all || part == PART_CHANGE) {
        write(change_keys, keep);
    }
    fuzz_expect_sound(false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};

    have_store();
    unsigned touched = edit_store(&input);
    if (((touched & 1u << TABLE_META) == 0 && size % 32 != 0) || open_again()) {
        work(replaying ? PART_ALL : (enum part)(size % PARTS), size / PARTS % 2 == 0, data, size);
        restore_store();
    }
    return 0;
}
