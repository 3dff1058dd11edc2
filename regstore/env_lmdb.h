/*
 * env_lmdb.h - the environment's inside: what opening (env.c) and using it (env_txn.c) share.
 *
 * Needs LMDB. A part of env.
 */
#ifndef REGSTORE_ENV_LMDB_H
#define REGSTORE_ENV_LMDB_H

#include <lmdb.h>
#include <pthread.h>
#include <sys/types.h>

#include "env.h"

struct env {
    struct env *next;
    unsigned users;
    unsigned generation; /* forks since the program started, when it was opened */
    int dir_fd;          /* kept, so that another directory cannot get the same number */
    dev_t device;
    ino_t inode;
    ino_t data_inode; /* of the data file */
    bool readonly;
    pthread_mutex_t turn;       /* of the process's writer */
    const void *_Atomic writer; /* its thread's mark; NULL: nobody writes */
    unsigned writes;            /* transactions begun; counted under LMDB's write lock */
    char *path;                 /* absolute, as the program may change its directory */
    pthread_mutex_t guests_lock;
    struct env_guest *guests;
    pthread_mutex_t gate; /* of what follows; mdb and tables change only while there are no txns */
    unsigned txns;        /* that exist, idle ones too */
    unsigned openings;
    MDB_env *mdb; /* NULL: it has to be opened before it is used */
    MDB_dbi tables[TABLE_COUNT];
    char dir[];
};

#define ENV_FREE_TABLE 0u /* LMDB's own table of free pages */
#define ENV_MAIN_TABLE 1u /* LMDB's own, which names the others */

/* The status that LMDB's return code means. */
int env_status(int rc);
/* Describes a failure of LMDB. */
int env_fail(const struct env *env, int rc, const char *what, rs_error *error);
/* The data file's descriptor, which is LMDB's. */
int env_data_fd(const struct env *env);
uint64_t env_page_size(const struct env *env);
/* Pages up to the last one in use. */
uint64_t env_page_count(const struct env *env);

int env_open_mdb(struct env *env, rs_error *error);
/* LMDB's return code. */
int env_open_tables(struct env_txn *txn, unsigned flags);

/* ---- The turn to write (env_turn.c) ---- */

/* Around each write transaction, by its thread; waits while another thread or process has it. */
void env_turn_take(struct env *env);
void env_turn_give(struct env *env);

/* ---- Beginning (env_begin.c) ---- */

/* mdb_txn_begin(). MDB_CORRUPTED if lock file and data file disagree about the latest commit. */
int env_mdb_begin(struct env *env, unsigned flags, MDB_txn **mdb);
/* Renews a read transaction, which has begun, until it was not overtaken. */
int env_mdb_look_again(const struct env *env, MDB_txn *mdb);

/* LMDB notes a reader's number first and reads that commit's meta page then. Two commits later the
 * page is written again: a reader that was held up in between would have the snapshot of a commit
 * that is not done, may fail, and is not there at the next look, under the number of an old one. */
static inline bool env_was_overtaken(const struct env *env, MDB_txn *mdb)
{
    MDB_envinfo info;
    mdb_env_info(env->mdb, &info);
    return info.me_last_txnid > mdb_txn_id(mdb) + 1;
}

/* mdb_txn_renew(), and the same. */
static inline int env_mdb_renew(const struct env *env, MDB_txn *mdb)
{
    int rc = mdb_txn_renew(mdb);
    return rc == 0 && env_was_overtaken(env, mdb) ? env_mdb_look_again(env, mdb) : rc;
}

/* ---- Opening again after a failed write (env_reopen.c) ---- */

/* Whoever uses env->mdb has entered; each transaction has, until it ends. opening tells which
 * MDB_env it is. */
int env_enter(struct env *env, unsigned *opening, rs_error *error);
void env_leave(struct env *env);
/* LMDB has said MDB_PANIC, and the caller has left: closes it and opens it anew. RS_EREOPEN if
 * somebody has not left. */
int env_reopen(struct env *env, unsigned opening, rs_error *error);

/* ---- Free pages (env_pages.c) ---- */

struct env_pages {
    uint64_t end;        /* behind the last page */
    uint64_t count;      /* free ones */
    unsigned char *free; /* a bit for each page */
};
/* The pages that were given back before the transaction with this number, seen by a read
 * transaction; LMDB does not show them to a writer. RS_EDAMAGED with what is wrong in *why. pages
 * is to be released in any case. */
int env_pages_read(struct env_txn *txn, uint64_t before, struct env_pages *pages, rs_error *why);
void env_pages_free(struct env_pages *pages);
/* Free pages that lie side by side, counted in whole runs of this length. */
uint64_t env_pages_in_runs(const struct env_pages *pages, uint64_t run);

/* ---- The data file's length (env_length.c) ---- */

/* RS_EDAMAGED if the file was cut short, and not only never written to its end. */
int env_length_check(struct env *env, rs_error *error);
/* Under the writer's lock, before a transaction: fills the reserve up if there is room. */
void env_length_reserve(struct env *env);
/* Under the writer's lock, before a commit that takes so many pages, up to run of them side by
 * side: RS_EDISK or RS_EFULL unless a share of the reserve, such as a half, remains for deletions.
 */
enum env_share { ENV_HALF = 2, ENV_EIGHTH = 8 };
int env_length_demand(struct env *env, uint64_t pages, uint64_t run, enum env_share share);
/* True if the file cannot grow by as much as is stored. */
bool env_length_at_end(struct env *env);
/* After a commit. */
void env_length_keep(struct env *env);

#endif
