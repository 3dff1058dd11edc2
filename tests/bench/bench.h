/*
 * bench.h - the benchmark: what its rows and their contenders share.
 *
 * regstore, raw LMDB with the same records, and SQLite (WAL, synchronous=FULL) do the same work in
 * one run, in turns. A row is a line of the table in main.c: what is measured, against which
 * contender, and the goal. Its function verifies every contender's answer before the clock starts,
 * and leaves medians and a ratio. What cannot be done ends the program: die().
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataset.h"

struct options {
    size_t keys;
    unsigned rounds;  /* 0: as many as the row is worth */
    const char *only; /* a row's name, or what several names begin with */
    const char *dir;
    bool json;
};

struct bench {
    struct options options;
    struct dataset *data; /* NULL until a row wants it */
    char dir[3800];       /* of this run, removed at its end */
    bool in_memory;       /* that directory is on a tmpfs */
    bool store_made;
    bool sqlite_made;
};

/* What a row found; a figure that there is none of is NAN. */
struct result {
    double regstore; /* medians, in the row's unit */
    double raw;
    double sqlite;
    double ratio; /* median of the rounds' ratios */
    double low;   /* their quartiles: far apart means noise */
    double high;
    double cpu; /* the median ratio of processor time alone */
    unsigned rounds;
    bool skipped; /* the note says why */
    char note[256];
};

struct row {
    const char *name;
    const char *what;
    const char *unit;
    const char *against; /* what the ratio is to */
    double goal;
    bool at_least; /* the goal is a lower bound */
    unsigned variant;
    void (*run)(struct bench *bench, const struct row *row, struct result *result);
};

void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* die() with the reason unless a call of the library gave RS_OK. */
void need(int status, const char *what);

/* ---- Data and stores, made when first asked for ---- */

const struct dataset *bench_data(struct bench *bench);
/* The directories of regstore's store, and of a copy of its file for raw LMDB: byte for byte the
 * same records on the same pages. */
const char *bench_store(struct bench *bench);
const char *bench_raw(struct bench *bench);
const char *bench_sqlite(struct bench *bench);
/* A path in the run's directory; lives until the sixteenth call after this one. */
const char *bench_path(const struct bench *bench, const char *name);
/* Copies a store that is not open to a directory of the run, with all that belongs to it. */
const char *bench_copy(const struct bench *bench, const char *from, const char *name);
/* Makes a store of a dataset, through the public interface; fills in its keys' ids. */
void store_make(const char *dir, struct dataset *data);
#define SHIPPED_RULES "hives/rules/*.xml"
/* False if they are not here. */
bool store_import_rules(const char *dir);
void store_copy(const char *from, const char *to);
void remove_tree(const char *dir);

#endif
