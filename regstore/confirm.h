/*
 * confirm.h - revisions that stay only if they are confirmed: rs_confirm() and others of
 * regstore.h.
 *
 * Needs history and store.
 */
#ifndef REGSTORE_CONFIRM_H
#define REGSTORE_CONFIRM_H

#include "store.h"

int confirm_ask(struct rs_txn *txn, uint32_t seconds);
int confirm_pending(struct rs_txn *txn, rs_pending *pending);
int confirm_keep(struct rs_store *store, rs_error *error);
int confirm_due(struct rs_store *store, uint64_t *revision, rs_error *error);

#endif
