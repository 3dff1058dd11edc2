/*
 * Which revision "undo --last" and "redo" mean. It needs the history that a transaction sees; it
 * gives the newest revision that stands: one that no later undo takes back, unless that undo was
 * taken back itself.
 */
#ifndef REGTOOL_TAKEN_BACK_H
#define REGTOOL_TAKEN_BACK_H

#include <stdbool.h>

#include <regstore.h>

/* The newest one that is an undo (a redo is none), or that is neither an undo nor a redo nor a
 * rollback. RS_ENOTFOUND: the journal has none. */
int taken_back_newest(rs_txn *txn, bool undo, uint64_t *revision);

#endif
