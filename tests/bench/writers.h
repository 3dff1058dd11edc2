/*
 * writers.h - durable commits: by regstore, and by raw LMDB of the same records.
 *
 * Needs readers.
 */
#ifndef BENCH_WRITERS_H
#define BENCH_WRITERS_H

#include "readers.h"

struct writer {
    const struct probes *probes;
    size_t sets;     /* in a transaction */
    uint32_t number; /* that was set last */
    rs_store *store;
    struct raw raw;
    struct raw_records records;
    uint64_t commits; /* of raw LMDB; the number it wrote last */
    struct sql sql;
};

/* Commits count times, another number each time. */
void write_regstore(void *writer, unsigned long count);
void write_raw(void *writer, unsigned long count);
/* Finds out which records a commit of regstore's writes, on a copy of a store that is not open. */
void writer_learn(const struct bench *bench, struct writer *writer, const char *from);
/* Dies unless both write the numbers that they are to write, and raw LMDB a revision for each
 * commit. */
void writer_check(struct writer *writer);

#endif
