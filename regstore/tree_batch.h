/*
 * tree_batch.h - values of a new key on their way into the table, for who adds many at once.
 *
 * Until they are written nothing else of the tree knows of them: whoever adds values to a batch
 * writes it before doing anything else with its key, and before another key is made. Needs tree.
 */
#ifndef REGSTORE_TREE_BATCH_H
#define REGSTORE_TREE_BATCH_H

#include "tree.h"

#define TREE_BATCH_VALUES ((size_t)256)
#define TREE_BATCH_DATA ((size_t)32 << 10) /* bytes; a batch holds at most about twice as many */

struct batch_entry {
    size_t at; /* of the table's key; its record follows */
    size_t key_size;
    size_t record_size;
};

/* Start with {0}; end with tree_batch_free(), which writes nothing. */
struct tree_batch {
    rs_key key;        /* RS_NO_KEY: the batch is empty */
    uint32_t position; /* of the first value */
    bool others;       /* the key has values in the table */
    struct buffer bytes;
    struct batch_entry entries[TREE_BATCH_VALUES]; /* in the order of the table */
    size_t count;
};

/* Adds a value to a key. RS_EEXIST, not described, if it has one of that name. */
int tree_batch_add(struct tree_batch *batch, struct tree *tree, rs_key key, const rs_value *value);
/* Writes what was added. */
int tree_batch_write(struct tree_batch *batch, struct tree *tree);
void tree_batch_free(struct tree_batch *batch);

#endif
