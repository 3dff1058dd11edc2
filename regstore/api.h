/*
 * api.h - what the files of the public calls share.
 */
#ifndef REGSTORE_API_H
#define REGSTORE_API_H

#include "store.h"

/* Why a call cannot be made that api_check() does not let through. */
int api_refuse(rs_txn *txn, bool good);

/* Can the call be made? RS_EINVAL without a transaction or with arguments that are not good;
 * RS_EFORK in a child of the process that began the transaction. Described. Inline, like the next
 * one, as every call begins with it. */
static inline int api_check(rs_txn *txn, bool good)
{
    return txn != NULL && good && !env_forked(txn->store->env) ? RS_OK : api_refuse(txn, good);
}

/* The stored key that a number means where a call takes a key itself, not a path: a view's is
 * looked up. Checks the call, too; RS_EINVAL also for RS_NO_KEY. */
static inline int api_stored_key(rs_txn *txn, rs_key *key, bool good)
{
    int status = api_check(txn, good && *key != RS_NO_KEY);
    return status == RS_OK && path_is_view(*key) ? tree_open(&txn->tree, *key, "", 0, 0, key)
                                                 : status;
}

#endif
