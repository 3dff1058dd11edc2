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

#endif
