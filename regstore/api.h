/*
 * api.h - what the files of the public calls share.
 */
#ifndef REGSTORE_API_H
#define REGSTORE_API_H

#include "store.h"

/* The stored key that a number means where a call takes a key itself, not a path: a view's is
 * looked up. RS_EINVAL for RS_NO_KEY or no transaction. */
int api_stored_key(rs_txn *txn, rs_key *key);

#endif
