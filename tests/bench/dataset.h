/*
 * dataset.h - the benchmark's data: a tree of keys and values, the same for the same number of
 * keys.
 *
 * The tree grows by preferential attachment, with three very wide keys and a depth of at most 9,
 * and about 3.7 values a key; all names are ASCII. Values are held as a store holds them.
 */
#ifndef BENCH_DATASET_H
#define BENCH_DATASET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../../regstore/regstore.h"

struct data_key {
    const char *name;
    uint32_t parent;      /* index; 0 is the root, which is HKLM itself */
    uint32_t first_child; /* 0: none */
    uint32_t last_child;
    uint32_t next_sibling;
    uint32_t first_value;
    uint32_t values;
    uint32_t depth;
    rs_key id; /* in the store that was made last */
};

struct data_value {
    const char *name;
    const unsigned char *data;
    uint32_t size;
    uint32_t type;
};

struct data_block;
struct dataset {
    struct data_key *keys;
    size_t key_count; /* the root included */
    struct data_value *values;
    size_t value_count;
    size_t value_capacity;
    struct data_block *blocks; /* of names and data */
};

struct dataset *data_make(size_t keys);
void data_free(struct dataset *data);
/* The key after this one, depth first; 0 at the end. */
uint32_t data_next(const struct dataset *data, uint32_t key);
/* As a dump of hivexml's kind. */
void data_write_xml(const struct dataset *data, FILE *file);

/* A REG_DWORD to be read, its path, and both as LMDB's table has them. */
#define PROBE_DEPTH 5
struct probe {
    uint32_t key;
    rs_key id;
    const char *path; /* below HKLM, joined by backslashes */
    size_t path_len;
    const char *parts[PROBE_DEPTH]; /* its names */
    unsigned depth;
    const char *name;
    size_t name_len;
    uint32_t number;
};

struct probes {
    struct probe *list;
    size_t count;
    struct data_block *blocks;
};

/* count of the values of keys at a depth (0: at any up to PROBE_DEPTH), chosen at random. If
 * distinct, each value once, and maybe fewer of them. */
struct probes probes_choose(const struct dataset *data, unsigned depth, size_t count, int distinct);
void probes_free(struct probes *probes);

/* Numbers that look random and are always the same. */
uint64_t random_next(uint64_t *state);

#endif
