/*
 * raw_records.c - raw LMDB as a contender: which records regstore writes, and writing the same.
 *
 * What a commit of regstore's writes is found by comparing its file with an older copy, so the
 * contender writes what is really written, with its sizes. A part of raw.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "raw.h"

void raw_records_free(struct raw_records *records)
{
    free(records->bytes);
    *records = (struct raw_records){0};
}

static void add(struct raw_records *records, unsigned table, MDB_val key, MDB_val value)
{
    struct raw_head head = {table, (uint32_t)key.mv_size, (uint32_t)value.mv_size};
    size_t size = sizeof head + key.mv_size + value.mv_size;
    if (records->capacity - records->size < size) {
        records->capacity = records->capacity * 2 + size + 4096;
        records->bytes = realloc(records->bytes, records->capacity);
        if (records->bytes == NULL) {
            die("out of memory");
        }
    }
    unsigned char *at = records->bytes + records->size;
    memcpy(at, &head, sizeof head);
    memcpy(at + sizeof head, key.mv_data, key.mv_size);
    memcpy(at + sizeof head + key.mv_size, value.mv_data, value.mv_size);
    records->size += size;
    records->count++;
}

/* A record in the bytes; gives what comes after it. */
static const unsigned char *split(const unsigned char *at, struct raw_head *head, MDB_val *key,
                                  MDB_val *value)
{
    memcpy(head, at, sizeof *head);
    at += sizeof *head;
    *key = (MDB_val){head->key_size, (void *)(uintptr_t)at};
    *value = (MDB_val){head->value_size, (void *)(uintptr_t)(at + head->key_size)};
    return at + head->key_size + head->value_size;
}

/* ---- What changed ---- */

static bool same(MDB_val a, MDB_val b)
{
    return a.mv_size == b.mv_size && memcmp(a.mv_data, b.mv_data, a.mv_size) == 0;
}

static void compare_table(struct raw *before, struct raw *after, unsigned table,
                          struct raw_records *changes)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    MDB_val old;
    raw_need(mdb_cursor_open(after->reader, after->tables[table], &cursor), "mdb_cursor_open");
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        if (mdb_get(before->reader, before->tables[table], &key, &old) != 0 || !same(old, value)) {
            add(changes, table, key, value);
        }
    }
    mdb_cursor_close(cursor);
}

struct place {
    uint64_t order;
    const unsigned char *at;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;
    return x->order != y->order ? (x->order > y->order) - (x->order < y->order)
                                : (x->at > y->at) - (x->at < y->at);
}

/* Puts the records in the order that a function gives each. */
static void reorder(struct raw_records *records,
                    uint64_t (*order_of)(void *context, const struct raw_head *head, MDB_val key,
                                         MDB_val value),
                    void *context)
{
    struct raw_records sorted = {0};
    struct place *places = calloc(records->count + 1, sizeof *places);
    const unsigned char *at = records->bytes;
    struct raw_head head;
    MDB_val key;
    MDB_val value;
    if (places == NULL) {
        die("out of memory");
    }
    for (size_t i = 0; i < records->count; i++) {
        places[i].at = at;
        at = split(at, &head, &key, &value);
        places[i].order = order_of(context, &head, key, value);
    }
    qsort(places, records->count, sizeof *places, compare_places);
    for (size_t i = 0; i < records->count; i++) {
        split(places[i].at, &head, &key, &value);
        add(&sorted, head.table, key, value);
    }
    free(places);
    raw_records_free(records);
    *records = sorted;
}

static uint64_t any_order(void *context, const struct raw_head *head, MDB_val key, MDB_val value)
{
    (void)key;
    (void)value;
    return head->table == RAW_TREE ? random_next(context) >> 1
                                   : UINT64_MAX - RAW_TABLES + head->table;
}

void raw_changes(const char *before, const char *after, struct raw_records *changes)
{
    struct raw older;
    struct raw newer;
    uint64_t random = 1;
    *changes = (struct raw_records){0};
    raw_open(&older, before, false);
    raw_open(&newer, after, false);
    raw_renew(&older);
    raw_renew(&newer);
    for (unsigned table = 0; table < RAW_TABLES; table++) {
        compare_table(&older, &newer, table, changes);
    }
    raw_reset(&older);
    raw_reset(&newer);
    raw_close(&older);
    raw_close(&newer);
    reorder(changes, any_order, &random);
}

/* ---- A whole store ---- */

/* An import gives out ids as it goes: with each comes its parent's entry, its own record, and its
 * values by their positions. */
static uint64_t import_order(void *context, const struct raw_head *head, MDB_val key, MDB_val value)
{
    uint64_t id;
    uint32_t position = 0;
    unsigned char tag = 0;
    (void)context;
    if (head->table != RAW_TREE) {
        return UINT64_MAX - RAW_TABLES + head->table;
    }
    memcpy(&id, key.mv_data, sizeof id);
    id = be64toh(id);
    tag = ((const unsigned char *)key.mv_data)[sizeof id];
    if (tag == 1) {
        memcpy(&id, value.mv_data, sizeof id);
        id = le64toh(id);
    } else if (tag == 2) {
        memcpy(&position, value.mv_data, sizeof position);
        position = le32toh(position) + 2;
    }
    return id << 24 | (tag == 0 ? 1 : position);
}

void raw_import_order(const char *dir, struct raw_records *records)
{
    struct raw raw;
    *records = (struct raw_records){0};
    raw_open(&raw, dir, false);
    raw_renew(&raw);
    for (unsigned table = 0; table < RAW_TABLES; table++) {
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val value;
        raw_need(mdb_cursor_open(raw.reader, raw.tables[table], &cursor), "mdb_cursor_open");
        while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
            add(records, table, key, value);
        }
        mdb_cursor_close(cursor);
    }
    raw_reset(&raw);
    raw_close(&raw);
    reorder(records, import_order, NULL);
}

/* ---- Writing ---- */

/* A number's record with another number, so that who reads it again sees that it is new. */
static MDB_val with_number(MDB_val value, uint32_t number, unsigned char *scratch, size_t size)
{
    if (value.mv_size > size) {
        die("raw LMDB: the record of a number has %zu bytes", value.mv_size);
    }
    number = htole32(number);
    memcpy(scratch, value.mv_data, value.mv_size);
    memcpy(scratch + value.mv_size - 5, &number, sizeof number);
    return (MDB_val){value.mv_size, scratch};
}

/* The journal's key, its revision so much later. */
static MDB_val with_revision(MDB_val key, uint64_t later, unsigned char *scratch)
{
    uint64_t revision;
    memcpy(scratch, key.mv_data, key.mv_size);
    memcpy(&revision, scratch, sizeof revision);
    revision = htobe64(be64toh(revision) + later);
    memcpy(scratch, &revision, sizeof revision);
    return (MDB_val){key.mv_size, scratch};
}

void raw_commit(struct raw *raw, const struct raw_records *records, uint64_t number)
{
    MDB_txn *txn;
    const unsigned char *at = records->bytes;
    raw_need(mdb_txn_begin(raw->env, NULL, 0, &txn), "mdb_txn_begin");
    for (size_t i = 0; i < records->count; i++) {
        struct raw_head head;
        MDB_val key;
        MDB_val value;
        unsigned char numbered[512];
        unsigned char record[512];
        at = split(at, &head, &key, &value);
        if (head.table == RAW_JOURNAL) {
            key = with_revision(key, number, numbered);
        }
        if (number > 0 && head.table == RAW_TREE && ((const unsigned char *)key.mv_data)[8] == 2) {
            value = with_number(value, (uint32_t)number, record, sizeof record);
        }
        raw_need(mdb_put(txn, raw->tables[head.table], &key, &value, 0), "mdb_put");
    }
    raw_need(mdb_txn_commit(txn), "mdb_txn_commit");
}

size_t raw_count(struct raw *raw)
{
    size_t count = 0;
    raw_renew(raw);
    for (int i = 0; i < RAW_TABLES; i++) {
        MDB_stat stat;
        raw_need(mdb_stat(raw->reader, raw->tables[i], &stat), "mdb_stat");
        count += stat.ms_entries;
    }
    raw_reset(raw);
    return count;
}
