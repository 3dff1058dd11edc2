/*
 * history.h - the journal for those who ask about the past.
 *
 * Gives lists of revisions, the changes of one with whole paths, and the revisions that touch a
 * key. Needs store, and watch for what touches a key.
 */
#ifndef REGSTORE_HISTORY_H
#define REGSTORE_HISTORY_H

#include "watch.h"

typedef int (*history_revision)(void *context, const rs_revision_info *revision);
typedef int (*history_change)(void *context, const rs_change *change);

/* The calls of regstore.h; path is rooted. */
int history_list(struct rs_txn *txn, uint64_t newest, uint64_t oldest, history_revision each,
                 void *context);
int history_changes(struct rs_txn *txn, uint64_t revision, history_change each, void *context);
int history_key(struct rs_txn *txn, struct slice path, unsigned flags, uint64_t newest,
                uint64_t oldest, history_revision each, void *context);

/* Takes revisions back in a write transaction (history_undo.c). */
int history_undo(struct rs_txn *txn, uint64_t from, uint64_t to, const rs_undo_options *options,
                 rs_undo_report *report);

/* ---- Inside ---- */

/* What is told of a change that is at a path; values is memory for its sides. */
rs_change history_told(const struct change *change, struct slice path, rs_value values[2]);
/* RS_EBEHIND or RS_ENOTFOUND for a revision that the journal does not hold. */
int history_fail_missing(struct rs_txn *txn, uint64_t revision);

/* What undo has to remember (history_undo_set.c): a set of numbers, {0} at first. */
struct number_set {
    uint64_t *slots; /* 0: empty */
    size_t capacity; /* a power of two */
    size_t count;
};
int number_set_add(struct number_set *set, uint64_t number); /* not 0 */
bool number_set_has(const struct number_set *set, uint64_t number);
void number_set_free(struct number_set *set);

/* The keys in which something was changed, or that have one below them where it was, by the
 * revisions after one, but for those that have been taken back as a whole. */
int history_touched(struct rs_txn *txn, uint64_t after, struct number_set *keys);
/* The same by the write transaction itself so far, as long as nothing more is changed. */
int history_touched_here(struct rs_txn *txn, struct number_set *keys);

#endif
