/*
 * rows_history.c - rows: listing the revisions of one key among very many, and taking a deletion
 * back.
 *
 * Needs measure and tools.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jobs.h"
#include "measure.h"
#include "rows.h"
#include "tools.h"

/* Where commits need not wait for a disk. */
#define MEMORY "/dev/shm"
/* Every so many revisions one is about the key that is asked for. */
#define RARE 10000
#define KEYS 1000
#define LOG_KEY "HKLM\\Log\\Rare"
#define DELETED_KEYS 30000
#define ROOT "HKEY_LOCAL_MACHINE\\Undo"

static struct tool_time regtool(const char *store, const char *output, const char *const words[3])
{
    char program[4200];
    snprintf(program, sizeof program, "%s/regtool", program_dir());
    return tool_run(output, 0, program,
                    (const char *[]){"--store", store, words[0], words[1], words[2], NULL});
}

/* ---- log ---- */

static void keep_all(rs_store *store)
{
    rs_txn *txn;
    rs_key key;
    need(rs_begin(store, RS_WRITE, &txn), "begin");
    need(rs_key_create(txn, RS_NO_KEY, "HKRS\\Settings\\Journal", &key), "create");
    need(rs_set_dword(txn, key, "MaxRevisions", UINT32_MAX), "MaxRevisions");
    need(rs_set_qword(txn, key, "MaxBytes", (uint64_t)1 << 40), "MaxBytes");
    need(rs_commit(txn, NULL), "commit");
}

static void make_revision(rs_store *store, size_t number)
{
    char path[64] = LOG_KEY;
    rs_txn *txn;
    rs_key key;
    if (number % RARE != RARE / 2) {
        snprintf(path, sizeof path, "HKLM\\Log\\Key %zu", number % KEYS);
    }
    need(rs_begin(store, RS_WRITE, &txn), "begin");
    need(rs_key_create(txn, RS_NO_KEY, path, &key), "create");
    need(rs_set_dword(txn, key, "n", (uint32_t)number), "set");
    need(rs_commit(txn, NULL), "commit");
}

static void make_revisions(const char *dir, size_t count)
{
    rs_store *store;
    rs_error error = RS_ERROR_INIT;
    if (rs_open(dir, RS_CREATE, &store, &error) != RS_OK) {
        die("%s", error.text);
    }
    keep_all(store);
    for (size_t i = 0; i < count; i++) {
        make_revision(store, i);
    }
    rs_close(store);
}

/* The store is made where that is quick, and copied to where it is measured. */
static void make_history(const char *dir, size_t count)
{
    char above[] = MEMORY "/regstore-bench-XXXXXX";
    char quick[sizeof above + 8];
    if (mkdtemp(above) == NULL) {
        make_revisions(dir, count);
        return;
    }
    snprintf(quick, sizeof quick, "%s/store", above);
    make_revisions(quick, count);
    store_copy(quick, dir);
    remove_tree(above);
}

static struct tool_time start_nothing(void)
{
    char program[4200];
    snprintf(program, sizeof program, "%s/bench-empty", program_dir());
    return tool_run(NULL, 0, program, (const char *[]){NULL});
}

/* Each revision of the key has its line; the first one of all made the key above it. */
static void check_log(const struct bench *bench, const char *dir, size_t count)
{
    const char *output = bench_path(bench, "log");
    size_t wanted = 1 + (count + RARE / 2 - 1) / RARE;
    size_t lines;
    regtool(dir, output, (const char *[]){"log", LOG_KEY, NULL});
    lines = COUNT_IN_FILE(output, "\n");
    if (lines != wanted) {
        die("regtool log has %zu lines, not %zu", lines, wanted);
    }
    unlink(output);
}

void row_log(struct bench *bench, const struct row *row, struct result *result)
{
    size_t count = bench->options.keys;
    unsigned rounds = rounds_of(bench, 31);
    struct times times;
    char dir[4096];
    (void)row;
    strcpy(dir, bench_path(bench, "log-store"));
    make_history(dir, count);
    check_log(bench, dir, count);
    times_new(&times, 2, rounds);
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned turn = 0; turn < 2; turn++) {
            unsigned who = (round + turn) % 2;
            struct tool_time took = who == 0
                                        ? regtool(dir, NULL, (const char *[]){"log", LOG_KEY, NULL})
                                        : start_nothing();
            times.ns[who][round] = took.ns;
            times.cpu[who][round] = took.cpu;
        }
    }
    result_take(result, &times, 1e3);
    result->cpu = NAN; /* what an empty program takes is less than the clock's grain */
    snprintf(result->note, sizeof result->note, "among %zu revisions", count);
    times_free(&times);
    remove_tree(dir);
}

/* ---- undo ---- */

static uint64_t count_keys(const char *dir)
{
    rs_store *store;
    rs_txn *txn;
    rs_stat stat;
    rs_error error = RS_ERROR_INIT;
    if (rs_open(dir, RS_READONLY, &store, &error) != RS_OK) {
        die("%s", error.text);
    }
    need(rs_begin(store, RS_READ, &txn), "begin");
    need(rs_stat_get(txn, &stat), "stat");
    rs_abort(txn);
    rs_close(store);
    return stat.keys;
}

static void write_keys(const char *path, size_t count)
{
    struct dataset *data = data_make(count);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        die("%s: cannot be written", path);
    }
    data_write_xml(data, file);
    if (fclose(file) != 0) {
        die("%s: cannot be written", path);
    }
    data_free(data);
}

/* The import, the deletion of what it made, and the undo of that, in a store of their own. */
static void take_back(const char *dir, const char *dump, struct times *times, unsigned round)
{
    struct tool_time took;
    uint64_t keys;
    regtool(dir, NULL, (const char *[]){"init", NULL, NULL});
    took = regtool(dir, NULL, (const char *[]){"import", dump, ROOT});
    times->ns[1][round] = took.ns;
    times->cpu[1][round] = took.cpu;
    keys = count_keys(dir);
    regtool(dir, NULL, (const char *[]){"delete", ROOT, "/f"});
    if (count_keys(dir) != 0) {
        die("the deletion left %" PRIu64 " keys", count_keys(dir));
    }
    took = regtool(dir, NULL, (const char *[]){"undo", "--last", NULL});
    times->ns[0][round] = took.ns;
    times->cpu[0][round] = took.cpu;
    if (count_keys(dir) != keys) {
        die("the undo made %" PRIu64 " keys, not %" PRIu64, count_keys(dir), keys);
    }
    remove_tree(dir);
}

void row_undo(struct bench *bench, const struct row *row, struct result *result)
{
    size_t keys = bench->options.keys < DELETED_KEYS ? bench->options.keys : DELETED_KEYS;
    unsigned rounds = rounds_of(bench, 7);
    struct times times;
    char dump[4096];
    char dir[4096];
    (void)row;
    strcpy(dump, bench_path(bench, "undo.xml"));
    strcpy(dir, bench_path(bench, "undo-store"));
    write_keys(dump, keys);
    times_new(&times, 2, rounds);
    for (unsigned round = 0; round < rounds; round++) {
        take_back(dir, dump, &times, round);
    }
    result_take(result, &times, 1e6);
    snprintf(result->note, sizeof result->note, "of %zu keys", keys);
    times_free(&times);
    remove_tree(dump);
}
