/*
 * rows_list.c - rows: listing the values of every key of a store in one snapshot.
 *
 * Of a real hive, imported from a dump that is not part of the project, and of the benchmark's
 * data. Needs raw, sqlite, tools and
 * measure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"
#include "readers.h"
#include "rows.h"
#include "tools.h"

struct listing {
    rs_store *store;
    rs_key *keys; /* of the store, parents before children */
    size_t key_count;
    size_t key_capacity;
    size_t values; /* seen by the contender that ran last */
    volatile size_t bytes;
    struct raw raw;
    struct sql sql;
    size_t sqlite_keys; /* 0: SQLite takes no part */
};

/* ---- The contenders ---- */

static void list_key(rs_txn *txn, rs_key key, struct listing *listing)
{
    rs_cursor *cursor;
    rs_value value;
    int status;
    need(rs_values(txn, key, &cursor), "values");
    while ((status = rs_next_value(cursor, &value)) == RS_OK) {
        listing->values++;
        listing->bytes += value.name_len + value.size;
    }
    rs_cursor_close(cursor);
    need(status == RS_END ? RS_OK : status, "values");
}

static void list_regstore(void *context, unsigned long count)
{
    struct listing *listing = context;
    rs_txn *txn;
    while (count-- > 0) {
        listing->values = 0;
        need(rs_begin(listing->store, RS_READ, &txn), "begin");
        for (size_t i = 0; i < listing->key_count; i++) {
            list_key(txn, listing->keys[i], listing);
        }
        rs_abort(txn);
    }
}

static void list_raw(void *context, unsigned long count)
{
    struct listing *listing = context;
    MDB_cursor *cursor;
    while (count-- > 0) {
        size_t bytes = 0;
        listing->values = 0;
        raw_renew(&listing->raw);
        raw_need(mdb_cursor_open(listing->raw.reader, listing->raw.tables[RAW_TREE], &cursor),
                 "mdb_cursor_open");
        for (size_t i = 0; i < listing->key_count; i++) {
            listing->values += raw_list(cursor, listing->keys[i], &bytes);
        }
        mdb_cursor_close(cursor);
        raw_reset(&listing->raw);
        listing->bytes = bytes;
    }
}

static void list_sqlite(void *context, unsigned long count)
{
    struct listing *listing = context;
    while (count-- > 0) {
        size_t bytes = 0;
        listing->values = 0;
        sqlite3_exec(listing->sql.db, "BEGIN", NULL, NULL, NULL);
        for (uint32_t key = 1; key <= listing->sqlite_keys; key++) {
            listing->values += sql_list(&listing->sql, key, &bytes);
        }
        sqlite3_exec(listing->sql.db, "COMMIT", NULL, NULL, NULL);
        listing->bytes = bytes;
    }
}

/* ---- The keys of a store ---- */

static void add_key(struct listing *listing, rs_key key)
{
    if (listing->key_count == listing->key_capacity) {
        listing->key_capacity = listing->key_capacity * 2 + 64;
        listing->keys = realloc(listing->keys, listing->key_capacity * sizeof *listing->keys);
        if (listing->keys == NULL) {
            die("out of memory");
        }
    }
    listing->keys[listing->key_count++] = key;
}

static int compare_keys(const void *a, const void *b)
{
    rs_key x = *(const rs_key *)a;
    rs_key y = *(const rs_key *)b;
    return (x > y) - (x < y);
}

/* In order of their ids, which is the order of an import: depth first. */
static void find_keys(struct listing *listing)
{
    rs_txn *txn;
    rs_cursor *cursor;
    rs_key_info info;
    need(rs_begin(listing->store, RS_READ, &txn), "begin");
    add_key(listing, RS_HKLM);
    for (size_t i = 0; i < listing->key_count; i++) {
        int status;
        need(rs_subkeys(txn, listing->keys[i], &cursor), "subkeys");
        while ((status = rs_next_key(cursor, &info)) == RS_OK) {
            add_key(listing, info.key);
        }
        need(status == RS_END ? RS_OK : status, "subkeys");
        rs_cursor_close(cursor);
    }
    rs_abort(txn);
    qsort(listing->keys, listing->key_count, sizeof *listing->keys, compare_keys);
}

static void check(struct listing *listing, void (*list)(void *, unsigned long), const char *who)
{
    rs_txn *txn;
    rs_stat stat;
    need(rs_begin(listing->store, RS_READ, &txn), "begin");
    need(rs_stat_get(txn, &stat), "stat");
    rs_abort(txn);
    list(listing, 1);
    if (listing->values != stat.values) {
        die("%s lists %zu values, the store has %llu", who, listing->values,
            (unsigned long long)stat.values);
    }
}

/* ---- The hive ---- */

static const char *find_hive(void)
{
    static const char *const places[] = {
        "../shared/corpus/hives/win10-system.xml.xz",
        "../shared/corpus/hives/win7-system.xml.xz",
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (access(places[i], R_OK) == 0) {
            return places[i];
        }
    }
    return NULL;
}

static void import_hive(const char *dir, const char *dump)
{
    rs_store *store;
    rs_txn *txn;
    rs_error error = RS_ERROR_INIT;
    rs_import_options options = {.key = "HKLM\\SYSTEM"};
    rs_import_report report;
    if (rs_open(dir, RS_CREATE, &store, &error) != RS_OK) {
        die("%s", error.text);
    }
    need(rs_begin(store, RS_WRITE, &txn), "begin");
    if (rs_import(txn, dump, &options, &report, &error) != RS_OK) {
        die("%s", error.text);
    }
    need(rs_commit(txn, NULL), "commit");
    rs_close(store);
}

/* False, with the reason in the note, if there is none. */
static bool make_hive_stores(struct bench *bench, struct result *result)
{
    const char *packed = find_hive();
    const char *dump = bench_path(bench, "hive.xml");
    const char *dir = bench_path(bench, "hive-store");
    const char *raw_dir = bench_path(bench, "hive-raw");
    if (packed == NULL || !unpack(packed, dump)) {
        result->skipped = true;
        snprintf(result->note, sizeof result->note, "%s",
                 packed == NULL ? "no ../shared/corpus/hives/*-system.xml.xz" : "no program xz");
        return false;
    }
    remove_tree(dir);
    remove_tree(raw_dir);
    import_hive(dir, dump);
    store_copy(dir, raw_dir);
    remove_tree(dump);
    return true;
}

/* ---- The row ---- */

static void measure_listing(struct bench *bench, struct listing *listing, struct result *result)
{
    struct times times;
    size_t contenders = listing->sqlite_keys > 0 ? 3 : 2;
    find_keys(listing);
    check(listing, list_regstore, "regstore");
    check(listing, list_raw, "raw LMDB");
    if (contenders > 2) {
        check(listing, list_sqlite, "SQLite");
    }
    times_new(&times, contenders, rounds_of(bench, 25));
    times_measure(
        &times,
        (struct contender[]){{list_regstore, listing}, {list_raw, listing}, {list_sqlite, listing}},
        20);
    result_take(result, &times, (double)listing->values);
    snprintf(result->note, sizeof result->note, "%zu values of %zu keys", listing->values,
             listing->key_count);
    times_free(&times);
}

void row_list(struct bench *bench, const struct row *row, struct result *result)
{
    struct listing listing = {0};
    bool hive = row->variant == 0;
    if (hive && !make_hive_stores(bench, result)) {
        return;
    }
    listing.store = open_store(hive ? bench_path(bench, "hive-store") : bench_store(bench));
    raw_open(&listing.raw, hive ? bench_path(bench, "hive-raw") : bench_raw(bench), false);
    if (!hive) {
        sql_open(&listing.sql, bench_sqlite(bench));
        listing.sqlite_keys = bench_data(bench)->key_count - 1;
    }
    measure_listing(bench, &listing, result);
    if (!hive) {
        sql_close(&listing.sql);
    }
    raw_close(&listing.raw);
    rs_close(listing.store);
    free(listing.keys);
}
