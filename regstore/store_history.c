/*
 * store_history.c - how much history a store keeps: its settings in HKRS\Settings\Journal.
 *
 * They are read by each commit, in its own transaction, so that a change of them counts at once.
 * What is not set, or makes no sense, has its default: a store must not forget, nor stop, because
 * somebody mistyped. Needs tree. A part of store.
 */
#include "store.h"

#define SETTINGS "Settings\\Journal"
#define KEEP_REVISIONS 10000u
#define KEEP_BYTES ((uint64_t)256 << 20)
#define DAY (UINT64_C(24) * 60 * 60 * 10000000) /* in 100 ns */

/* A REG_DWORD or REG_QWORD; else the default. */
static uint64_t setting(struct tree *tree, rs_key key, const char *name, uint64_t otherwise)
{
    rs_value value;
    uint32_t narrow;
    uint64_t wide;
    if (key == RS_NO_KEY || tree_value_get(tree, key, name, strlen(name), &value) != RS_OK) {
        return otherwise;
    }
    if (value.type == REG_DWORD && value.size == sizeof narrow) {
        memcpy(&narrow, value.data, sizeof narrow);
        return le32toh(narrow);
    }
    if (value.type == REG_QWORD && value.size == sizeof wide) {
        memcpy(&wide, value.data, sizeof wide);
        return le64toh(wide);
    }
    return otherwise;
}

static uint64_t oldest_of(uint64_t days)
{
    uint64_t now = store_now();
    return days > 0 && days < now / DAY ? now - days * DAY : 0;
}

void store_history_limits(struct rs_txn *txn, struct journal_limits *limits)
{
    struct tree *tree = &txn->tree;
    rs_error *error = tree->error;
    rs_key key = RS_NO_KEY;
    tree->error = NULL; /* what is not set is no failure */
    if (tree_open(tree, RS_HKRS, SETTINGS, strlen(SETTINGS), 0, &key) != RS_OK) {
        key = RS_NO_KEY;
    }
    uint64_t revisions = setting(tree, key, "MaxRevisions", KEEP_REVISIONS);
    *limits = (struct journal_limits){
        .revisions = revisions > 0 ? revisions : 1,
        .bytes = setting(tree, key, "MaxBytes", KEEP_BYTES),
        .oldest = oldest_of(setting(tree, key, "MaxAge", 0)),
        .needed = txn->pending,
        .steps = JOURNAL_TRIM_STEP,
        /* As much as is added, so that the limit holds; where there may be no room, no more than
         * always works. */
        .chunks = txn->journal.adds ? txn->journal.chunk : 0,
    };
    tree->error = error;
}
