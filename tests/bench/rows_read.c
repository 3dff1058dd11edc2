/*
 * rows_read.c - rows: a number of an open key, and of a path.
 *
 * Needs readers and measure.
 */
#include "measure.h"
#include "readers.h"
#include "rows.h"

#define TURN 20.0 /* milliseconds */

void row_held(struct bench *bench, const struct row *row, struct result *result)
{
    const char *dir = bench_store(bench);
    struct probes probes = probes_choose(bench_data(bench), PROBE_DEPTH, row->variant, 0);
    struct raw_probe *raw_probes = raw_probes_new(&probes);
    struct reader reader = {.probes = &probes, .raw_probes = raw_probes, .store = open_store(dir)};
    struct times times;
    raw_open(&reader.raw, bench_raw(bench), false);
    check_reader(&reader, read_held, "regstore");
    check_reader(&reader, read_held_raw, "raw LMDB");
    times_new(&times, 2, rounds_of(bench, 31));
    times_measure(&times, (struct contender[]){{read_held, &reader}, {read_held_raw, &reader}},
                  TURN);
    result_take(result, &times, 1);
    times_free(&times);
    raw_close(&reader.raw);
    rs_close(reader.store);
    raw_probes_free(raw_probes, probes.count);
    probes_free(&probes);
}

void row_path(struct bench *bench, const struct row *row, struct result *result)
{
    const char *dir = bench_store(bench);
    struct probes probes = probes_choose(bench_data(bench), PROBE_DEPTH, row->variant, 0);
    struct raw_probe *raw_probes = raw_probes_new(&probes);
    struct reader reader = {.probes = &probes, .raw_probes = raw_probes, .store = open_store(dir)};
    struct times times;
    raw_open(&reader.raw, bench_raw(bench), false);
    sql_open(&reader.sql, bench_sqlite(bench));
    check_reader(&reader, read_path, "regstore");
    check_reader(&reader, read_path_raw, "raw LMDB");
    check_reader(&reader, read_path_sqlite, "SQLite");
    times_new(&times, 3, rounds_of(bench, 31));
    times_measure(&times,
                  (struct contender[]){
                      {read_path, &reader}, {read_path_raw, &reader}, {read_path_sqlite, &reader}},
                  TURN);
    result_take(result, &times, 1);
    times_free(&times);
    sql_close(&reader.sql);
    raw_close(&reader.raw);
    rs_close(reader.store);
    raw_probes_free(raw_probes, probes.count);
    probes_free(&probes);
}
