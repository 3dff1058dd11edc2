/*
 * env_layout.h - LMDB 0.9's file as its mdb.c lays it out, in native types.
 *
 * For what has to be known of a file before LMDB may touch it: LMDB trusts what it maps. A part of
 * env.
 */
#ifndef REGSTORE_ENV_LAYOUT_H
#define REGSTORE_ENV_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

struct lmdb_db {
    uint32_t pad; /* of the first one: the page size */
    uint16_t flags;
    uint16_t depth;
    size_t branch_pages, leaf_pages, overflow_pages, entries;
    size_t root;
};

/* The head of the meta pages, the first two of a file. */
struct lmdb_meta_page {
    size_t page_number;
    uint16_t pad;
    uint16_t flags;
    uint32_t bounds;
    uint32_t magic;
    uint32_t version;
    void *address;
    size_t map_size;
    struct lmdb_db dbs[2]; /* the table of free pages, and the one of tables */
    size_t last_page;
    size_t txn_number;
};

/* The head of any other page. In a branch or leaf the offsets of its nodes follow, up to lower; in
 * the first of some overflow pages the data. */
struct lmdb_page {
    size_t page_number;
    uint16_t pad;
    uint16_t flags;
    uint16_t lower;
    uint16_t upper;
};

/* The head of a node; key and data follow. In a branch low, high and flags are a page's number. In
 * a leaf low and high are the data's size; with LMDB_BIG the data is the number of its first page.
 */
struct lmdb_node {
    uint16_t low;
    uint16_t high;
    uint16_t flags;
    uint16_t key_size;
};

#define LMDB_BRANCH 0x01u
#define LMDB_LEAF 0x02u
#define LMDB_OVERFLOW 0x04u
#define LMDB_META 0x08u
#define LMDB_BIG 0x01u

#define LMDB_NO_PAGE ((size_t)-1)
#define LMDB_FIRST_PAGE 2u /* behind the meta pages */
#define LMDB_MAX_DEPTH 32

#endif
