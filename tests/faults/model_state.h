/*
 * model_state.h - a small registry in arrays, and operations that are done to it and to a store.
 *
 * An operation is a kind and three numbers, which choose keys and names among what is there; so any
 * part of a row of operations is a row of operations, too, and a row that fails can be made
 * shorter. Without a transaction an operation is done to the model alone. Needs rig.
 */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

#include "rig.h"

#define MODEL_KEYS 400
#define MODEL_VALUES 8
#define MODEL_DEPTH 8
#define MODEL_GONE 16

enum model_kind {
    MODEL_CREATE,
    MODEL_DELETE,
    MODEL_RENAME,
    MODEL_SET,
    MODEL_UNSET,
    MODEL_CLASS,
    MODEL_LINK,
    MODEL_LOOKUP,
    MODEL_COMMIT, /* these end a transaction */
    MODEL_ABORT,
    MODEL_REOPEN,
    MODEL_SWITCH,
    MODEL_UNDO, /* and take back what was committed last */
    MODEL_PAST, /* and look at what was committed before */
    MODEL_KINDS
};

struct model_op {
    enum model_kind kind;
    uint32_t a, b, c;
};

/* Two names fold alike if class and number are the same; variant is the spelling. */
struct model_name {
    unsigned class;
    unsigned variant;
    unsigned number;
};

struct model_value {
    struct model_name name;
    uint32_t type;
    size_t size;
    unsigned fill; /* that the bytes are made of */
};

struct model_key {
    bool used;
    rs_key id;  /* RS_NO_KEY: the other process made it, and it was not looked up yet */
    int parent; /* -1: HKLM */
    struct model_name name;
    unsigned class_len;
    unsigned value_count;
    struct model_value values[MODEL_VALUES];
    bool link;
    unsigned target_depth; /* the target of a link, from HKLM down */
    struct model_name target[MODEL_DEPTH];
};

struct model_state {
    struct model_key keys[MODEL_KEYS];
    rs_key gone[MODEL_GONE]; /* some that were deleted */
    unsigned gone_count;
    bool wrong; /* on purpose, to try the test itself */
};

/* What the store has besides: the setting that keeps its history short. */
#define MODEL_MORE_KEYS 2
#define MODEL_MORE_VALUES 1

/* Ends the program where the store answers otherwise than the model. */
void model_apply(struct model_state *state, const struct model_op *op, rs_txn *txn);
/* Looks up the keys that another process made. */
void model_resolve(struct model_state *state, rs_txn *txn);
/* Compares all that is there. */
void model_compare(struct model_state *state, rs_txn *txn);

#endif
