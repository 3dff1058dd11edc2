/*
 * undo_steps.h - what the suites of undo share: a store, edits of every kind, and taking them back.
 *
 * Calls that fail end the running test. Needs stores.h.
 */
#ifndef UNDO_STEPS_H
#define UNDO_STEPS_H

#include "stores.h"

#define TOP "HKLM\\Top"

/* Of the running test, which closes it. */
extern rs_store *undo_store;
/* Opens it and fills TOP, which is revision 1. */
void undo_begin(void);

/* Each one revision, whose number is given. take_back() meets no conflict, and checks the whole
 * store. */
uint64_t undo_do_edit(int (*edit)(rs_txn *txn));
uint64_t undo_take_back(uint64_t from, uint64_t to);
uint64_t undo_latest(void);
/* Takes back with flags; the transaction is committed if that is possible. Gives what was told:
 * "REVISION KEY:NAME: TEXT" of each conflict, joined by "; ", with "!" after a lasting one. */
const char *undo_attempt(uint64_t from, uint64_t to, unsigned flags, int expected);
/* Every record of the tree is as it was. */
void undo_must_match(const struct buffer *expected);
/* The key itself, also of a link; RS_NO_KEY if there is none. */
rs_key undo_at(rs_txn *txn, const char *path);

/* Edits that fit what undo_begin() has made. */
struct undo_edit {
    const char *name;
    int (*edit)(rs_txn *txn);
};
extern const struct undo_edit undo_edits[];
extern const size_t undo_edit_count;
int undo_set_value(rs_txn *txn);
int undo_add_value(rs_txn *txn);
int undo_create_keys(rs_txn *txn);
int undo_delete_key(rs_txn *txn);
int undo_delete_all(rs_txn *txn);
int undo_rename_key(rs_txn *txn);
int undo_set_class(rs_txn *txn);

#endif
