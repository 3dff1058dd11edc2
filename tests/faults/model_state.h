/*
 * model_state.h - a small registry in arrays, its history, and operations that are done to it and
 * to a store.
 *
 * An operation is a kind and three numbers, which choose keys and names among what is there; so any
 * part of a row of operations is a row of operations, too, and a row that fails can be made
 * shorter. The model lies in memory that two processes share, and the one whose turn it is works on
 * it: so it has no pointers. Key numbers are foretold, and so is which write times are the same;
 * what times they are the store tells once. Needs rig and model_names.
 */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

#include <stdatomic.h>

#include "model_names.h"
#include "rig.h"

#define MODEL_LIVE 40   /* keys, before no more are made */
#define MODEL_KEYS 128  /* that there is room for, as undo puts some back */
#define MODEL_VALUES 6  /* of a key, before no more are made */
#define MODEL_PLACES 20 /* for them */
#define MODEL_DEPTH 8
#define MODEL_GONE 16
#define MODEL_KEPT 160    /* revisions that can be remembered */
#define MODEL_CHANGES 512 /* in a revision */
#define MODEL_COPIES 512  /* of deleted keys in a revision */

enum model_kind {
    MODEL_CREATE,
    MODEL_DELETE,
    MODEL_RENAME,
    MODEL_SET,
    MODEL_UNSET,
    MODEL_CLASS,
    MODEL_LINK,
    MODEL_KEEP, /* another number of revisions */
    MODEL_LOOKUP,
    MODEL_COMMIT, /* these end a step */
    MODEL_ASK,    /* a commit that is to be confirmed */
    MODEL_ABORT,
    MODEL_UNDO,
    MODEL_REDO,
    MODEL_CONFIRM,
    MODEL_DUE,
    MODEL_REOPEN,
    MODEL_SWITCH, /* the other process's turn */
    MODEL_KINDS
};

struct model_op {
    enum model_kind kind;
    uint32_t a, b, c;
};

/* Models that are wrong on purpose, to try the test itself. */
enum model_wrong { MODEL_RIGHT, MODEL_FORGETS_UNSET, MODEL_UNDO_TOUCHES, MODEL_WRONGS };

/* ---- What is there ---- */

typedef uint32_t model_time; /* the number of the transaction that it is the time of */

struct model_value {
    struct model_name name;
    uint32_t type;
    size_t size;
    unsigned fill; /* that the bytes are made of; of a REG_DWORD the number */
    unsigned place;
};

struct model_target { /* of a link: names from HKLM down */
    unsigned depth;
    struct model_name names[MODEL_DEPTH];
};

struct model_key {
    rs_key id; /* RS_NO_KEY: the array's place is free */
    rs_key parent;
    struct model_name name;
    bool fixed; /* it is no operation's business */
    bool link;
    model_time written;
    unsigned class_len;
    unsigned next_place;
    unsigned value_count;
    struct model_value values[MODEL_PLACES]; /* by their places */
    struct model_target target;
};

struct model_state {
    struct model_key keys[MODEL_KEYS];
    rs_key gone[MODEL_GONE]; /* some that were deleted */
    unsigned gone_count;
};

/* ---- What was done ---- */

struct model_change {
    enum rs_change_kind kind;
    rs_key key;
    rs_key parent;
    model_time written_before, written_after;
    model_time parent_before, parent_after;
    unsigned next_before, next_after;
    struct model_name name_before, name_after; /* of a key */
    unsigned class_before, class_after;
    bool had, has; /* a value before and after */
    struct model_value value_before, value_after;
    struct model_target target_before, target_after;
    bool passing;                /* a deleted key that the same revision made */
    unsigned first_copy, copies; /* a deleted key and all in it, each after its parent */
};

struct model_record {
    struct model_state after;
    unsigned flags; /* RS_REVISION_... */
    uint64_t from, to;
    unsigned change_count;
    unsigned copy_count;
    struct model_change changes[MODEL_CHANGES];
    struct model_key copies[MODEL_COPIES];
};

struct model {
    struct model_state now;
    struct model_state before; /* the transaction */
    rs_key next_id;
    rs_key first_new;     /* the first that this transaction makes */
    model_time time;      /* of the transaction */
    bool overflow;        /* there was no room for what it does */
    uint64_t latest;      /* revision */
    uint64_t first;       /* that the journal holds, if it has been trimmed as far as it should */
    uint64_t first_least; /* the same, if it went in pieces */
    unsigned unsure;      /* commits for which the two may differ */
    uint64_t pending;     /* the revision that waits for confirmation; 0: none */
    bool due;             /* its time is over */
    enum model_wrong wrong;
    struct model_record records[MODEL_KEPT]; /* by revision, in a ring */
    uint64_t times[];                        /* what times they are; 0: not seen yet */
};

/* ---- Finding (model_state.c) ---- */

struct model_record *model_record(struct model *model, uint64_t revision);
/* NULL: there is no such key. */
struct model_key *model_find(struct model_state *state, rs_key id);
struct model_key *model_child(struct model_state *state, rs_key parent,
                              const struct model_name *name);
unsigned model_children(const struct model_state *state, rs_key parent);
struct model_value *model_value_of(struct model_key *key, const struct model_name *name);
bool model_same_data(const struct model_value *a, const struct model_value *b);
bool model_same_target(const struct model_target *a, const struct model_target *b);
/* NULL: all places are taken, and the transaction overflows. */
struct model_key *model_free_key(struct model *model);

/* ---- Changing, with a record of it (model_state.c) ---- */

/* A change of a key that is there, with times as they are before it; where it is not recorded, it
 * goes nowhere. */
struct model_change *model_tell(struct model *model, enum rs_change_kind kind,
                                const struct model_key *key);
void model_remove(struct model *model, struct model_key *key, model_time parent_written);
/* The value of that name becomes wanted, at its place; NULL: there is none any more. */
void model_put_value(struct model_key *key, const struct model_name *name,
                     const struct model_value *wanted);

/* ---- Operations (model_apply.c) ---- */

/* The store as it is made, and the first transaction, which begins a short history. */
void model_prepare(struct model *model, rs_txn *txn, uint32_t revisions);
/* Ends the program where the store answers otherwise than the model. */
void model_apply(struct model *model, const struct model_op *op, rs_txn *txn);

/* ---- Transactions (model_history.c) ---- */

void model_begin(struct model *model);
void model_abort(struct model *model);
struct model_ending {
    unsigned flags;
    uint64_t from, to;
    bool recorded; /* also if nothing was changed */
    bool asks;     /* to be confirmed */
    bool due;      /* at once */
};
/* True if there is a new revision. */
bool model_commit(struct model *model, const struct model_ending *ending);
/* The number of revisions that are to be kept, as set now. */
uint64_t model_limit(struct model *model);

struct model_undo {
    uint64_t from, to;
    unsigned flags; /* RS_UNDO_... */
    int status;     /* what comes of it: RS_OK, RS_ECONFLICT, RS_EBEHIND, RS_ENOTFOUND */
    uint64_t changes;
    uint64_t conflicts;
    uint64_t lasting;
    struct model_ending ending;
};
/* Takes revisions back in the transaction under way (model_undo.c). */
void model_undo(struct model *model, struct model_undo *undo);

/* ---- Comparing (model_compare.c) ---- */

void model_compare_key(struct model *model, struct model_state *state, const struct model_key *key,
                       rs_txn *txn);
/* All that is there, with key numbers, names, order, times, data. */
void model_compare(struct model *model, struct model_state *state, rs_txn *txn);
/* How the latest revision is recorded. */
void model_compare_record(struct model *model, rs_txn *txn);
/* One state of the model with an earlier one: all that can be seen, and values go behind those that
 * are there; the next place may be higher after an undo by force was taken back. */
bool model_equal(struct model_state *a, struct model_state *b);
/* A link's target as text. */
#define MODEL_TARGET_SIZE (MODEL_DEPTH * 1000)
void model_target_text(const struct model_target *target, char text[MODEL_TARGET_SIZE]);
void model_fill(unsigned char *data, const struct model_value *value);

#endif
