/*
 * readers.h - reading one number after another, by each contender.
 *
 * Needs bench, raw and sqlite.
 */
#ifndef BENCH_READERS_H
#define BENCH_READERS_H

#include "raw.h"
#include "sqlite.h"

/* A contender's store, open, and what is read of it in turns. */
struct reader {
    const struct probes *probes;
    const struct raw_probe *raw_probes;
    rs_store *store;
    struct raw raw;
    struct sql sql;
    size_t next;
    volatile uint32_t sink; /* so that no read is left out */
};

/* Each reads the next number count times, the snapshot fresh each time. */
void read_held(void *reader, unsigned long count);
void read_path(void *reader, unsigned long count);
void read_held_raw(void *reader, unsigned long count);
void read_path_raw(void *reader, unsigned long count);
void read_path_sqlite(void *reader, unsigned long count);
/* Dies unless a way of reading gives every number as it is in the data. */
void check_reader(struct reader *reader, void (*read)(void *reader, unsigned long count),
                  const char *who);

rs_store *open_store(const char *dir);

#endif
