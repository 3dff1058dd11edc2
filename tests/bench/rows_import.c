/*
 * rows_import.c - rows: importing the data as an XML dump, time and memory.
 *
 * Every import is a process of its own. The floor is the push parser doing nothing with what it
 * reads, and then raw LMDB being given the records that the import made, in that order. Needs jobs
 * and raw.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs.h"
#include "measure.h"
#include "raw.h"
#include "rows.h"

struct import {
    char dump[4096];
    char store[4096];
    char raw[4096];
    char sqlite[4096];
    char records[4096];
    char keys[32];
    size_t record_count;
    size_t elements;
    double peak; /* bytes */
};

static void write_dump(const struct dataset *data, const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        die("%s: cannot be written", path);
    }
    data_write_xml(data, file);
    if (fclose(file) != 0) {
        die("%s: cannot be written", path);
    }
}

static double import_once(struct bench *bench, struct import *import)
{
    double figures[JOB_FIGURES];
    const struct dataset *data = bench_data(bench);
    remove_tree(import->store);
    job_run(figures, "import", import->store, import->dump, NULL);
    /* The key it is mounted on is one more. */
    if (figures[2] != (double)data->key_count || figures[3] != (double)data->value_count) {
        die("the import added %.0f keys and %.0f values, not %zu and %zu", figures[2], figures[3],
            data->key_count, data->value_count);
    }
    import->peak = figures[1] * 1024;
    return figures[0];
}

static double parse_once(const struct import *import)
{
    double figures[JOB_FIGURES];
    job_run(figures, "parse", import->dump, NULL);
    if (figures[1] != (double)import->elements) {
        die("the parser alone saw %.0f elements, not %zu", figures[1], import->elements);
    }
    return figures[0];
}

static double load_once(const struct import *import)
{
    double figures[JOB_FIGURES];
    remove_tree(import->raw);
    job_run(figures, "load", import->raw, import->records, NULL);
    if (figures[1] != (double)import->record_count) {
        die("raw LMDB has %.0f records, not %zu", figures[1], import->record_count);
    }
    return figures[0];
}

static double sqlite_once(const struct bench *bench, const struct import *import)
{
    double figures[JOB_FIGURES];
    remove_tree(import->sqlite);
    job_run(figures, "sqlite", import->sqlite, import->keys, NULL);
    if (figures[1] != (double)bench->data->value_count) {
        die("SQLite has %.0f values, not %zu", figures[1], bench->data->value_count);
    }
    return figures[0];
}

/* hive and its mtime; node, mtime and values of each key; strings of lists. */
static size_t count_elements(const struct dataset *data)
{
    size_t count = 2 + 2 * data->key_count + data->value_count;
    for (size_t i = 0; i < data->value_count; i++) {
        const struct data_value *value = &data->values[i];
        for (uint32_t at = 0; value->type == REG_MULTI_SZ && at < value->size; at += 2) {
            count += value->data[at] == 0;
        }
    }
    return count;
}

static void save_records(struct import *import)
{
    struct raw_records records;
    raw_import_order(import->store, &records);
    FILE *file = fopen(import->records, "w");
    if (file == NULL || fwrite(records.bytes, 1, records.size, file) != records.size ||
        fclose(file) != 0) {
        die("%s: cannot be written", import->records);
    }
    import->record_count = records.count;
    raw_records_free(&records);
}

static void prepare(struct bench *bench, struct import *import)
{
    const struct dataset *data = bench_data(bench);
    *import = (struct import){.elements = count_elements(data)};
    strcpy(import->dump, bench_path(bench, "dump.xml"));
    strcpy(import->store, bench_path(bench, "import-store"));
    strcpy(import->raw, bench_path(bench, "import-raw"));
    strcpy(import->sqlite, bench_path(bench, "import.db"));
    strcpy(import->records, bench_path(bench, "records"));
    snprintf(import->keys, sizeof import->keys, "%zu", bench->options.keys);
    write_dump(data, import->dump);
    import_once(bench, import);
    save_records(import);
}

static void clean_up(const struct import *import)
{
    remove_tree(import->dump);
    remove_tree(import->store);
    remove_tree(import->raw);
    remove_tree(import->sqlite);
    remove_tree(import->records);
}

/* All contenders once, in an order that turns round: what one leaves the disk to do, another has to
 * wait for. */
static void import_round(struct bench *bench, struct import *import, struct times *times,
                         double *parsing, unsigned round)
{
    for (unsigned turn = 0; turn < 3; turn++) {
        switch (round % 2 == 0 ? turn : 2 - turn) {
        case 0:
            times->ns[0][round] = import_once(bench, import);
            break;
        case 1:
            parsing[round] = parse_once(import);
            times->ns[1][round] = parsing[round] + load_once(import);
            break;
        default:
            times->ns[2][round] = sqlite_once(bench, import);
            break;
        }
    }
}

void row_import(struct bench *bench, const struct row *row, struct result *result)
{
    struct import import;
    struct times times;
    unsigned rounds = rounds_of(bench, 7);
    double *parsing = calloc(rounds, sizeof *parsing);
    (void)row;
    if (parsing == NULL) {
        die("out of memory");
    }
    prepare(bench, &import);
    times_new(&times, 3, rounds);
    for (unsigned i = 0; i < rounds; i++) {
        import_round(bench, &import, &times, parsing, i);
    }
    result_take(result, &times, 1e6);
    snprintf(result->note, sizeof result->note,
             "parser alone %.0f ms, raw LMDB of %zu records %.0f", median(parsing, rounds) / 1e6,
             import.record_count, result->raw - median(parsing, rounds) / 1e6);
    times_free(&times);
    free(parsing);
    clean_up(&import);
}

static rs_stat stat_of(const char *dir)
{
    rs_store *store;
    rs_txn *txn;
    rs_stat stat;
    rs_error error = RS_ERROR_INIT;
    if (rs_open(dir, 0, &store, &error) != RS_OK) {
        die("%s", error.text);
    }
    need(rs_begin(store, RS_READ, &txn), "begin");
    need(rs_stat_get(txn, &stat), "stat");
    rs_abort(txn);
    rs_close(store);
    return stat;
}

void row_import_memory(struct bench *bench, const struct row *row, struct result *result)
{
    struct import import;
    (void)row;
    prepare(bench, &import);
    rs_stat stat = stat_of(import.store);
    result->regstore = import.peak / (1 << 20);
    result->raw = (double)stat.used_size / (1 << 20);
    result->ratio = result->low = result->high = result->regstore / result->raw;
    result->rounds = 1;
    snprintf(result->note, sizeof result->note,
             "raw is the database's pages in use; its file has %.1f",
             (double)stat.file_size / (1 << 20));
    clean_up(&import);
}

/* Nothing of it is measured in time: one import is enough. The store was made by it, so that its
 * journal is what the import added. */
void row_import_journal(struct bench *bench, const struct row *row, struct result *result)
{
    struct import import;
    (void)row;
    prepare(bench, &import);
    rs_stat stat = stat_of(import.store);
    if (stat.revision != 1 || stat.first_revision != 1 || stat.journal_size == 0) {
        die("the import is not the one revision of the journal");
    }
    result->regstore = (double)stat.journal_size / 1024;
    result->raw = (double)stat.used_size / 1024;
    result->ratio = result->low = result->high = result->regstore / result->raw;
    result->rounds = 1;
    snprintf(result->note, sizeof result->note,
             "%llu bytes for %llu keys and %llu values; raw is the pages in use",
             (unsigned long long)stat.journal_size, (unsigned long long)stat.keys,
             (unsigned long long)stat.values);
    clean_up(&import);
}
