/*
 * env_lmdb.h - the environment's inside: what opening (env.c) and using it (env_txn.c) share.
 *
 * Needs LMDB. A part of env.
 */
#ifndef REGSTORE_ENV_LMDB_H
#define REGSTORE_ENV_LMDB_H

#include <lmdb.h>
#include <sys/types.h>

#include "env.h"

struct env {
    struct env *next;
    unsigned users;
    unsigned generation; /* forks since the program started, when it was opened */
    int dir_fd;          /* kept, so that another directory cannot get the same number */
    dev_t device;
    ino_t inode;
    bool readonly;
    unsigned writes; /* transactions begun; counted under LMDB's write lock */
    MDB_env *mdb;
    MDB_dbi tables[TABLE_COUNT];
    char dir[];
};

/* The status that LMDB's return code means. */
int env_status(int rc);
/* Describes a failure of LMDB. */
int env_fail(const struct env *env, int rc, const char *what, rs_error *error);
/* The data file's descriptor, which is LMDB's. */
int env_data_fd(const struct env *env);
uint64_t env_page_size(const struct env *env);
/* Pages up to the last one in use. */
uint64_t env_page_count(const struct env *env);

/* ---- The data file's length (env_length.c) ---- */

/* RS_EDAMAGED if the file was cut short; a healthy one that ends too early is made longer. */
int env_length_check(struct env *env, rs_error *error);
/* Under the writer's lock, before a transaction: room for what it may take. */
void env_length_reserve(struct env *env);
/* After a commit. */
void env_length_keep(struct env *env);

#endif
