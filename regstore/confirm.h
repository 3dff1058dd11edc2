/*
 * confirm.h - changes that are taken back unless somebody confirms them.
 *
 * A commit that is to be confirmed leaves a record with the store's state. Whoever finds that its
 * time is over takes its revision back: a timer that regtool leaves behind, a service's tick, or
 * the next who opens the store for writing. Only the record decides, in a write transaction, so it
 * happens once. Needs history.
 */
#ifndef REGSTORE_CONFIRM_H
#define REGSTORE_CONFIRM_H

#include "history.h"

/* store_open(), and takes back what is due where that is possible. */
int confirm_open(const char *dir, unsigned flags, struct rs_store **store, rs_error *error);

/* The calls of regstore.h. */
int confirm_ask(struct rs_txn *txn, uint32_t seconds);
int confirm_waiting(struct rs_txn *txn, rs_pending *pending);
int confirm_keep(struct rs_store *store, uint64_t *revision, rs_error *error);
int confirm_due(struct rs_store *store, uint64_t *revision, rs_error *error);

#endif
