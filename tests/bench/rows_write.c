/*
 * rows_write.c - rows: sets in one durable transaction.
 *
 * Each contender works on a copy of the store of its own. Raw LMDB puts the records that regstore
 * was seen to write for the same work. Needs raw, sqlite and measure.
 */
#include <stdio.h>

#include "measure.h"
#include "rows.h"
#include "writers.h"

static void set_sqlite(void *context, unsigned long count)
{
    struct writer *writer = context;
    while (count-- > 0) {
        sql_set(&writer->sql, writer->probes->list, writer->probes->count, ++writer->number);
    }
}

static void check_sqlite(struct writer *writer)
{
    writer->number = 2000000;
    set_sqlite(writer, 1);
    if (sql_number(&writer->sql, &writer->probes->list[0]) != 2000001) {
        die("SQLite did not write what it was to write");
    }
}

static void open_writers(struct bench *bench, struct writer *writer)
{
    writer_learn(bench, writer, bench_raw(bench));
    writer->store = open_store(bench_copy(bench, bench_store(bench), "set-store"));
    const char *raw_dir = bench_path(bench, "set-raw");
    remove_tree(raw_dir);
    store_copy(bench_store(bench), raw_dir);
    raw_open(&writer->raw, raw_dir, false);
    sql_open(&writer->sql, bench_sqlite(bench));
}

void row_set(struct bench *bench, const struct row *row, struct result *result)
{
    bench_store(bench);
    struct probes probes =
        probes_choose(bench_data(bench), row->variant > 1 ? 0 : PROBE_DEPTH, row->variant, 1);
    struct writer writer = {.probes = &probes, .sets = row->variant};
    struct times times;
    open_writers(bench, &writer);
    writer_check(&writer);
    check_sqlite(&writer);
    times_new(&times, 3, rounds_of(bench, 25));
    times_measure(&times,
                  (struct contender[]){
                      {write_regstore, &writer}, {write_raw, &writer}, {set_sqlite, &writer}},
                  30);
    result_take(result, &times, 1e3 * row->variant);
    snprintf(result->note, sizeof result->note, "%zu records in each transaction",
             writer.records.count);
    times_free(&times);
    sql_close(&writer.sql);
    raw_close(&writer.raw);
    rs_close(writer.store);
    raw_records_free(&writer.records);
    probes_free(&probes);
    remove_tree(bench_path(bench, "set-store"));
    remove_tree(bench_path(bench, "set-raw"));
    /* Its numbers are others now. */
    remove_tree(bench_path(bench, "sqlite.db"));
    bench->sqlite_made = false;
}
