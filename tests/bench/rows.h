/*
 * rows.h - the functions of the rows. Needs bench.
 */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include "bench.h"

void row_held(struct bench *bench, const struct row *row, struct result *result);
/* variant: how many paths are read in turns */
void row_path(struct bench *bench, const struct row *row, struct result *result);
void row_growth(struct bench *bench, const struct row *row, struct result *result);
/* variant: 0 threads, 1 processes */
void row_readers(struct bench *bench, const struct row *row, struct result *result);
void row_import(struct bench *bench, const struct row *row, struct result *result);
void row_import_journal(struct bench *bench, const struct row *row, struct result *result);
void row_import_memory(struct bench *bench, const struct row *row, struct result *result);
/* variant: how many values one transaction sets */
void row_set(struct bench *bench, const struct row *row, struct result *result);
/* variant: the same, of values that have rules */
void row_trust(struct bench *bench, const struct row *row, struct result *result);
void row_wake(struct bench *bench, const struct row *row, struct result *result);
void row_answer(struct bench *bench, const struct row *row, struct result *result);
void row_bell(struct bench *bench, const struct row *row, struct result *result);
/* variant: 0 a real hive, 1 the benchmark's data */
void row_list(struct bench *bench, const struct row *row, struct result *result);
/* variant: enum formats_row */
enum formats_row {
    FORMATS_REGF_IN,
    FORMATS_REG_IN,
    FORMATS_REG_OUT,
    FORMATS_XML_OUT,
    FORMATS_FIND,
    FORMATS_TRUST
};
void row_formats(struct bench *bench, const struct row *row, struct result *result);
void row_siblings(struct bench *bench, const struct row *row, struct result *result);
void row_log(struct bench *bench, const struct row *row, struct result *result);
void row_undo(struct bench *bench, const struct row *row, struct result *result);
void row_start(struct bench *bench, const struct row *row, struct result *result);

#endif
