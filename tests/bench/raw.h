/*
 * raw.h - raw LMDB as a contender: the store's own records without regstore.
 *
 * It opens a copy of a store's file as an LMDB environment, does the gets and puts that the library
 * would do, and nothing else: names come folded, records are not checked. It knows of the format
 * only where a subkey's id and a number's four bytes are; a change of the format makes its answers
 * wrong, which the rows find before they measure. Needs LMDB and bench.
 */
#ifndef BENCH_RAW_H
#define BENCH_RAW_H

#include <lmdb.h>

#include "bench.h"

enum raw_table { RAW_META, RAW_TREE, RAW_JOURNAL, RAW_TABLES };

struct raw {
    MDB_env *env;
    MDB_dbi tables[RAW_TABLES];
    MDB_txn *reader; /* reset between reads */
};

void raw_need(int rc, const char *what);
void raw_open(struct raw *raw, const char *dir, bool create);
void raw_close(struct raw *raw);

/* ---- Reading ---- */

/* The table's key of a value, and the folded names on the way to it. */
struct raw_probe {
    unsigned char key[128];
    size_t key_size;
    unsigned depth;
    const char *parts[PROBE_DEPTH];
    size_t part_sizes[PROBE_DEPTH];
    const char *name;
    size_t name_size;
    char *folded; /* what they point into */
};
struct raw_probe *raw_probes_new(const struct probes *probes);
void raw_probes_free(struct raw_probe *list, size_t count);

void raw_renew(struct raw *raw);
void raw_reset(struct raw *raw);
/* In a renewed transaction: a value by its key alone, and by all names from HKLM on. */
uint32_t raw_number(struct raw *raw, const struct raw_probe *probe);
uint32_t raw_number_by_path(struct raw *raw, const struct raw_probe *probe);
/* Walks over the values of a key: how many, and in *bytes the sizes of their records. */
size_t raw_list(MDB_cursor *cursor, rs_key id, size_t *bytes);

/* ---- Records to be written ---- */

struct raw_records {
    unsigned char *bytes; /* of each: table, sizes of key and value (struct raw_head), both */
    size_t size;
    size_t capacity;
    size_t count;
};
struct raw_head {
    uint32_t table;
    uint32_t key_size;
    uint32_t value_size;
};
void raw_records_free(struct raw_records *records);
/* What stands in one store and not, or not so, in an older copy of it, in an order without meaning,
 * as edits come. */
void raw_changes(const char *before, const char *after, struct raw_records *changes);
/* Every record of a store in the order in which an import makes them. */
void raw_import_order(const char *dir, struct raw_records *records);
/* Puts all of them in one transaction. If number is not 0, they are the records of a commit that
 * set REG_DWORDs: these get that number, and the journal's revision is so much later. */
void raw_commit(struct raw *raw, const struct raw_records *records, uint64_t number);
size_t raw_count(struct raw *raw);

#endif
