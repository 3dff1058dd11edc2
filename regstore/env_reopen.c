/*
 * env_reopen.c - after a failed write of a meta page, LMDB is closed and opened again.
 *
 * LMDB cannot know then what the disk has, and refuses everything (MDB_PANIC) until it is closed.
 * That may happen only when no transaction is left, and two MDB_envs on the same files would break
 * each other's locks. So all transactions of the process are counted, the idle ones are given up by
 * those who keep them, and the last to fail opens the files anew behind the same struct env. What
 * the disk has then is the store: as it was before the failed commit, or after. Needs LMDB. A part
 * of env.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "env_check.h"
#include "env_lmdb.h"

/* ---- Guests ---- */

void env_guest_join(struct env *env, struct env_guest *guest)
{
    pthread_mutex_lock(&env->guests_lock);
    guest->next = env->guests;
    env->guests = guest;
    pthread_mutex_unlock(&env->guests_lock);
}

void env_guest_leave(struct env *env, struct env_guest *guest)
{
    if (env_forked(env)) {
        return; /* the lock may be held by a thread that is not here */
    }
    pthread_mutex_lock(&env->guests_lock);
    struct env_guest **link = &env->guests;
    while (*link != guest) {
        link = &(*link)->next;
    }
    *link = guest->next;
    pthread_mutex_unlock(&env->guests_lock);
}

static void let_go_of_idle(struct env *env)
{
    pthread_mutex_lock(&env->guests_lock);
    for (struct env_guest *guest = env->guests; guest != NULL; guest = guest->next) {
        guest->let_go(guest);
    }
    pthread_mutex_unlock(&env->guests_lock);
}

/* ---- Opening again; the gate is locked ---- */

/* Another directory may have the name by now. */
static int check_place(const struct env *env, rs_error *error)
{
    struct stat st;
    bool exists = false;
    if (stat(env->path, &st) != 0) {
        return fail_errno(error, "%s", env->path);
    }
    if (st.st_dev != env->device || st.st_ino != env->inode) {
        return fail(error, RS_ENOSTORE, "%s: another directory than the one that was opened",
                    env->path);
    }
    int status = env_check_files(env->dir_fd, env->dir, &exists, error);
    if (status == RS_OK && !exists) {
        return fail(error, RS_ENOSTORE, "%s: no store there", env->dir);
    }
    /* Those who have the store open would take another one for the same. */
    if (status == RS_OK && (fstatat(env->dir_fd, ENV_DATA_FILE, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
                            st.st_ino != env->data_inode)) {
        return fail(error, RS_EREPLACED, "%s: %s", env->dir, rs_strerror(RS_EREPLACED));
    }
    return status;
}

static int find_tables_again(struct env *env, rs_error *error)
{
    MDB_txn *mdb;
    int status = env_length_check(env, error);
    if (status != RS_OK) {
        return status;
    }
    int rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &mdb);
    if (rc == 0) {
        struct env_txn txn = {.env = env, .mdb = mdb};
        rc = env_open_tables(&txn, 0);
        if (rc == 0) {
            rc = mdb_txn_commit(mdb); /* an abort would close the tables */
        } else {
            mdb_txn_abort(mdb);
        }
    }
    return rc == 0 ? RS_OK : env_fail(env, rc, "cannot be opened again", error);
}

static int open_again(struct env *env, rs_error *error)
{
    int status = env_lock_opening(env->dir_fd, env->dir, error);
    if (status == RS_OK) {
        status = check_place(env, error);
    }
    if (status == RS_OK) {
        status = env_open_mdb(env, error);
    }
    env_unlock(env->dir_fd);
    if (status != RS_OK) {
        return status;
    }
    status = find_tables_again(env, error);
    if (status != RS_OK) {
        mdb_env_close(env->mdb);
        env->mdb = NULL;
        return status;
    }
    env->openings++;
    return RS_OK;
}

/* ---- The gate ---- */

int env_enter(struct env *env, unsigned *opening, rs_error *error)
{
    pthread_mutex_lock(&env->gate);
    int status = env->mdb != NULL ? RS_OK : open_again(env, error);
    if (status == RS_OK) {
        env->txns++;
        *opening = env->openings;
    }
    pthread_mutex_unlock(&env->gate);
    return status;
}

void env_leave(struct env *env)
{
    pthread_mutex_lock(&env->gate);
    env->txns--;
    pthread_mutex_unlock(&env->gate);
}

int env_reopen(struct env *env, unsigned opening, rs_error *error)
{
    int status = RS_OK;
    let_go_of_idle(env);
    pthread_mutex_lock(&env->gate);
    bool failed = env->mdb != NULL && env->openings == opening; /* another thread may be done */
    if (failed && env->txns > 0) {
        status = fail(error, RS_EREOPEN, "%s: %s", env->dir, rs_strerror(RS_EREOPEN));
    } else if (failed) {
        mdb_env_close(env->mdb);
        env->mdb = NULL;
        status = open_again(env, error);
    }
    pthread_mutex_unlock(&env->gate);
    return status;
}
