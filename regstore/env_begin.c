/*
 * env_begin.c - the beginning of LMDB's transactions, and what LMDB does not look at there.
 *
 * The lock file has the number of the latest commit, the data file's two meta pages have the last
 * two. LMDB believes the one and reads the other. Here they are compared, see env_lmdb.h for the
 * usual way of it. Needs LMDB. A part of env.
 */
#include "env_lmdb.h"

/* No reader is overtaken so often. Then the lock file does not belong to the data file. */
#define MOST_LOOKS 1000u

int env_mdb_look_again(const struct env *env, MDB_txn *mdb)
{
    int rc = 0;
    for (unsigned i = 0; rc == 0 && env_was_overtaken(env, mdb); i++) {
        mdb_txn_reset(mdb);
        rc = i < MOST_LOOKS ? mdb_txn_renew(mdb) : MDB_CORRUPTED;
    }
    return rc;
}

/* A writer counts on from the lock file's number: what it commits below the data file's would be
 * lost. */
static bool counts_back(const struct env *env, MDB_txn *mdb)
{
    MDB_envinfo info;
    mdb_env_info(env->mdb, &info);
    return info.me_last_txnid > mdb_txn_id(mdb);
}

static int begin(struct env *env, unsigned flags, MDB_txn **mdb)
{
    int rc = mdb_txn_begin(env->mdb, NULL, flags, mdb);
    if (rc == MDB_READERS_FULL) {
        int dead;
        mdb_reader_check(env->mdb, &dead);
        rc = mdb_txn_begin(env->mdb, NULL, flags, mdb);
    }
    return rc;
}

int env_mdb_begin(struct env *env, unsigned flags, MDB_txn **mdb)
{
    int rc = begin(env, flags, mdb);
    if (rc != 0) {
        return rc;
    }
    if ((flags & MDB_RDONLY) != 0) {
        rc = env_mdb_look_again(env, *mdb);
    } else if (counts_back(env, *mdb)) {
        rc = MDB_CORRUPTED;
    }
    if (rc != 0) {
        mdb_txn_abort(*mdb);
    }
    return rc;
}
