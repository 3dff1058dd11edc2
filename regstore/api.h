/*
 * api.h - what the files of the public calls share.
 */
#ifndef REGSTORE_API_H
#define REGSTORE_API_H

#include "store.h"

/* Can the call be made? RS_EINVAL without a transaction or with arguments that are not good;
 * RS_EFORK in a child of the process that began the transaction. Described. */
int api_check(rs_txn *txn, bool good);
/* The stored key that a number means where a call takes a key itself, not a path: a view's is
 * looked up. Checks the call, too; RS_EINVAL also for RS_NO_KEY. */
int api_stored_key(rs_txn *txn, rs_key *key, bool good);

#endif
