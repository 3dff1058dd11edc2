#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "env_check.h"
#include "env_lmdb.h"

#define READER_CHECK_EVERY 16u /* write transactions */

int env_status(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return RS_OK;
    case MDB_NOTFOUND:
        return RS_ENOTFOUND;
    case MDB_MAP_FULL:
    case MDB_MAP_RESIZED:
        return RS_EFULL;
    case MDB_READERS_FULL:
        return RS_EREADERS;
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
        return RS_EDAMAGED;
    case MDB_VERSION_MISMATCH:
        return RS_EVERSION;
    default:
        return rc > 0 ? status_of_errno(rc) : RS_EIO;
    }
}

int env_fail(const struct env *env, int rc, const char *what, rs_error *error)
{
    return fail(error, env_status(rc), "%s: %s: %s", env->dir, what, mdb_strerror(rc));
}

int env_data_fd(const struct env *env)
{
    mdb_filehandle_t fd = -1;
    mdb_env_get_fd(env->mdb, &fd);
    return fd;
}

uint64_t env_page_size(const struct env *env)
{
    MDB_stat stat;
    mdb_env_stat(env->mdb, &stat);
    return stat.ms_psize;
}

uint64_t env_page_count(const struct env *env)
{
    MDB_envinfo info;
    mdb_env_info(env->mdb, &info);
    return (uint64_t)info.me_last_pgno + 1;
}

/* ---- Transactions ---- */

static int fail_begin(const struct env *env, int rc, rs_error *error)
{
    return env_fail(env, rc, "cannot begin a transaction", error);
}

/* Pages of the tables, and of LMDB's own one of free pages. */
static int count_pages(const struct env_txn *txn, uint64_t *pages)
{
    MDB_stat stat;
    uint64_t count = 0;
    for (int i = -1; i < TABLE_COUNT; i++) {
        int rc = mdb_stat(txn->mdb, i < 0 ? ENV_FREE_TABLE : txn->env->tables[i], &stat);
        if (rc != 0) {
            return env_status(rc);
        }
        count += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
    }
    *pages = count;
    return RS_OK;
}

/* What is done under the writer's lock before a write transaction is used. */
static void prepare_writing(struct env_txn *txn)
{
    struct env *env = txn->env;
    env_length_reserve(env);
    if (count_pages(txn, &txn->pages) != RS_OK) {
        txn->pages = 0; /* the tables are being made */
    }
    if (++env->writes % READER_CHECK_EVERY == 0) {
        /* A reader that was killed keeps all pages freed since, and the file would grow and grow.
         */
        int dead;
        mdb_reader_check(env->mdb, &dead);
    }
}

static int fail_removed(const struct env *env, rs_error *error)
{
    return fail(error, RS_EREPLACED, "%s: %s", env->dir, rs_strerror(RS_EREPLACED));
}

/* A writer has the turn, too. */
static int enter(struct env *env, bool write, unsigned *opening, rs_error *error)
{
    int status = env_enter(env, opening, error);
    if (status == RS_OK && write) {
        env_turn_take(env);
    }
    return status;
}

static void leave(struct env *env, bool write)
{
    if (write) {
        env_turn_give(env);
    }
    env_leave(env);
}

/* A writer looks for its file twice: when it has the turn, so that the lock of a file that took its
 * place is left alone, and when it has LMDB's lock, in case there are no turns. */
int env_begin(struct env *env, bool write, struct env_txn *txn, rs_error *error)
{
    MDB_txn *mdb;
    unsigned opening;
    int status = RS_OK;
    while (status == RS_OK) {
        status = enter(env, write, &opening, error);
        if (status != RS_OK) {
            return status;
        }
        if (write && env_removed(env)) {
            leave(env, write);
            return fail_removed(env, error);
        }
        int rc = env_mdb_begin(env, write ? 0 : MDB_RDONLY, &mdb);
        if (rc == 0) {
            break;
        }
        leave(env, write);
        status = rc == MDB_PANIC ? env_reopen(env, opening, error) : fail_begin(env, rc, error);
    }
    if (status != RS_OK) {
        return status;
    }
    *txn = (struct env_txn){.env = env, .mdb = mdb, .write = write};
    if (write && env_removed(env)) {
        env_abort(txn);
        return fail_removed(env, error);
    }
    if (write) {
        prepare_writing(txn);
    }
    return RS_OK;
}

void env_reset(struct env_txn *txn)
{
    mdb_txn_reset(txn->mdb);
}

/* By itself, so that the way of all others is short. */
static RS_APART int renew_failed(struct env_txn *txn, int rc, rs_error *error)
{
    if (rc == MDB_PANIC) {
        env_abort(txn);
        return env_begin(txn->env, false, txn, error);
    }
    return fail_begin(txn->env, rc, error);
}

int env_renew(struct env_txn *txn, rs_error *error)
{
    int rc = env_mdb_renew(txn->env, txn->mdb);
    return rc == 0 ? RS_OK : renew_failed(txn, rc, error);
}

/* LMDB tells a write that was cut off as EIO, and that is how a disk becomes full. */
static int explain(const struct env *env, int rc)
{
    return rc == EIO && env_disk_room(env_data_fd(env)) < env_page_size(env) ? ENOSPC : rc;
}

/* Most changes copy the page of their record; the way to it, and LMDB's list of free pages, many
 * changes share. */
#define PAGES_OF_CHANGE 2u
#define PAGES_OF_COMMIT 32u

/* The pages that a transaction takes before it gives any back. */
static int pages_taken(const struct env_txn *txn, uint64_t *taken)
{
    uint64_t now;
    uint64_t wanted = txn->changes * PAGES_OF_CHANGE + PAGES_OF_COMMIT;
    int status = count_pages(txn, &now);
    if (status == RS_OK) {
        wanted = wanted < txn->pages ? wanted : txn->pages;
        *taken = wanted + (now > txn->pages ? now - txn->pages : 0);
    }
    return status;
}

/* As if it took its pages so often, and so many more. */
static int keep(struct env_txn *txn, unsigned times, uint64_t more, enum env_share share,
                rs_error *error)
{
    uint64_t pages;
    int status = pages_taken(txn, &pages);
    if (status == RS_OK) {
        status = env_length_demand(txn->env, times * pages + more,
                                   txn->largest / env_page_size(txn->env) + 1, share);
    }
    return status == RS_OK
               ? RS_OK
               : fail(error, status, "%s: cannot commit: %s", txn->env->dir, rs_strerror(status));
}

int env_keep_reserve(struct env_txn *txn, rs_error *error)
{
    return keep(txn, 1, 0, ENV_HALF, error);
}

int env_keep_last(struct env_txn *txn, rs_error *error)
{
    return keep(txn, 1, 0, ENV_EIGHTH, error);
}

int env_keep_last_after(struct env_txn *txn, uint64_t bytes, rs_error *error)
{
    return keep(txn, 2, bytes / env_page_size(txn->env), ENV_EIGHTH, error);
}

bool env_has_no_room(struct env_txn *txn)
{
    return env_length_at_end(txn->env);
}

int env_commit(struct env_txn *txn, rs_error *error)
{
    struct env *env = txn->env;
    int rc = explain(env, mdb_txn_commit(txn->mdb));
    txn->mdb = NULL;
    if (rc == 0) {
        env_length_keep(env);
    }
    leave(env, txn->write);
    return rc == 0 ? RS_OK : env_fail(env, rc, "cannot commit", error);
}

void env_abort(struct env_txn *txn)
{
    if (txn->mdb != NULL && !env_forked(txn->env)) {
        mdb_txn_abort(txn->mdb);
        leave(txn->env, txn->write);
    }
    txn->mdb = NULL;
}

uint64_t env_txn_number(const struct env_txn *txn)
{
    return mdb_txn_id(txn->mdb);
}

/* ---- Tables ---- */

/* LMDB's arguments are not const, though it does not change them. */
static MDB_val val_of(struct slice slice)
{
    return (MDB_val){slice.size, (void *)(uintptr_t)slice.data};
}

static struct slice slice_of(MDB_val val)
{
    return (struct slice){val.mv_data, val.mv_size};
}

/* A kept cursor of a table. LMDB releases it with the transaction. */
static int keep_cursor(struct env_txn *txn, enum env_table table, enum env_place place,
                       MDB_cursor **cursor)
{
    int rc = 0;
    MDB_cursor **kept = &txn->kept[table][place];
    if (*kept == NULL) {
        rc = mdb_cursor_open(txn->mdb, txn->env->tables[table], kept);
    }
    *cursor = *kept;
    return rc;
}

static int get_kept(struct env_txn *txn, enum env_table table, MDB_val *k, MDB_val *v)
{
    MDB_cursor *cursor;
    int rc = keep_cursor(txn, table, ENV_ANYWHERE, &cursor);
    return rc == 0 ? mdb_cursor_get(cursor, k, v, MDB_SET) : rc;
}

int env_get(struct env_txn *txn, enum env_table table, struct slice key, struct slice *value)
{
    MDB_val k = val_of(key);
    MDB_val v;
    int rc = txn->write ? get_kept(txn, table, &k, &v)
                        : mdb_get(txn->mdb, txn->env->tables[table], &k, &v);
    if (rc != 0) {
        return env_status(rc);
    }
    *value = slice_of(v);
    return RS_OK;
}

/* What has to lie in one piece. */
static void count_change(struct env_txn *txn, size_t size)
{
    txn->changes++;
    txn->largest = size > txn->largest ? size : txn->largest;
}

static int put_at(struct env_txn *txn, enum env_table table, enum env_place place, struct slice key,
                  struct slice value)
{
    MDB_val k = val_of(key);
    MDB_val v = val_of(value);
    MDB_cursor *cursor;
    count_change(txn, value.size);
    int rc = keep_cursor(txn, table, place, &cursor);
    if (rc == 0) {
        rc = mdb_cursor_put(cursor, &k, &v, 0);
    }
    return env_status(explain(txn->env, rc));
}

int env_put(struct env_txn *txn, enum env_table table, struct slice key, struct slice value)
{
    return put_at(txn, table, ENV_ANYWHERE, key, value);
}

int env_put_last(struct env_txn *txn, enum env_table table, struct slice key, struct slice value)
{
    return put_at(txn, table, ENV_AT_END, key, value);
}

int env_put_parts(struct env_txn *txn, enum env_table table, struct slice key,
                  const struct slice *parts, size_t count)
{
    MDB_val k = val_of(key);
    MDB_val v = {0, NULL};
    MDB_cursor *cursor;
    for (size_t i = 0; i < count; i++) {
        v.mv_size += parts[i].size;
    }
    count_change(txn, v.mv_size);
    int rc = keep_cursor(txn, table, ENV_ANYWHERE, &cursor);
    if (rc == 0) {
        rc = mdb_cursor_put(cursor, &k, &v, MDB_RESERVE);
    }
    if (rc != 0) {
        return env_status(explain(txn->env, rc));
    }
    char *at = v.mv_data;
    for (size_t i = 0; i < count; i++) {
        memcpy(at, parts[i].data, parts[i].size);
        at += parts[i].size;
    }
    return RS_OK;
}

int env_delete(struct env_txn *txn, enum env_table table, struct slice key)
{
    MDB_val k = val_of(key);
    txn->changes++;
    for (int i = 0; i < ENV_PLACES; i++) { /* deleting may take their pages away */
        if (txn->kept[table][i] != NULL) {
            mdb_cursor_close(txn->kept[table][i]);
            txn->kept[table][i] = NULL;
        }
    }
    return env_status(explain(txn->env, mdb_del(txn->mdb, txn->env->tables[table], &k, NULL)));
}

int env_cursor_open(struct env_txn *txn, enum env_table table, struct env_cursor *cursor)
{
    MDB_cursor *mdb;
    int rc = mdb_cursor_open(txn->mdb, txn->env->tables[table], &mdb);
    if (rc != 0) {
        return env_status(rc);
    }
    cursor->mdb = mdb;
    return RS_OK;
}

int env_cursor_renew(struct env_txn *txn, struct env_cursor *cursor)
{
    return env_status(mdb_cursor_renew(txn->mdb, cursor->mdb));
}

static int move(struct env_cursor *cursor, MDB_val *k, MDB_cursor_op op, struct slice *key,
                struct slice *value)
{
    MDB_val v;
    int rc = mdb_cursor_get(cursor->mdb, k, &v, op);
    if (rc != 0) {
        return rc == MDB_NOTFOUND ? RS_END : env_status(rc);
    }
    *key = slice_of(*k);
    *value = slice_of(v);
    return RS_OK;
}

int env_cursor_seek(struct env_cursor *cursor, struct slice key, struct slice *found,
                    struct slice *value)
{
    MDB_val k = val_of(key);
    return move(cursor, &k, MDB_SET_RANGE, found, value);
}

int env_cursor_next(struct env_cursor *cursor, struct slice *key, struct slice *value)
{
    MDB_val k;
    return move(cursor, &k, MDB_NEXT, key, value);
}

int env_cursor_prev(struct env_cursor *cursor, struct slice *key, struct slice *value)
{
    MDB_val k;
    return move(cursor, &k, MDB_PREV, key, value);
}

int env_cursor_first(struct env_cursor *cursor, struct slice *key, struct slice *value)
{
    MDB_val k;
    return move(cursor, &k, MDB_FIRST, key, value);
}

int env_cursor_last(struct env_cursor *cursor, struct slice *key, struct slice *value)
{
    MDB_val k;
    return move(cursor, &k, MDB_LAST, key, value);
}

int env_cursor_delete(struct env_cursor *cursor)
{
    return env_status(mdb_cursor_del(cursor->mdb, 0));
}

void env_cursor_close(struct env_cursor *cursor)
{
    if (cursor->mdb != NULL) {
        mdb_cursor_close(cursor->mdb);
        cursor->mdb = NULL;
    }
}

/* ---- State ---- */

int env_size(struct env_txn *txn, struct env_size *size)
{
    MDB_envinfo info;
    struct stat st;
    if (fstat(env_data_fd(txn->env), &st) != 0) {
        return status_of_errno(errno);
    }
    mdb_env_info(txn->env->mdb, &info);
    uint64_t pages = 0;
    int status = count_pages(txn, &pages);
    if (status != RS_OK) {
        return status;
    }
    pages += 2; /* the meta pages */
    *size = (struct env_size){(uint64_t)st.st_size, pages * env_page_size(txn->env),
                              info.me_mapsize, info.me_maxreaders};
    return RS_OK;
}

void env_forget_disk(struct env *env)
{
    mdb_env_set_flags(env->mdb, MDB_NOSYNC, 1);
}

bool env_replaced(const struct env *env, const char *dir)
{
    char path[4096];
    struct stat ours;
    struct stat theirs;
    int len = snprintf(path, sizeof path, "%s/%s", dir, ENV_DATA_FILE);
    if (len < 0 || (size_t)len >= sizeof path || fstat(env_data_fd(env), &ours) != 0) {
        return false;
    }
    if (lstat(path, &theirs) != 0) {
        return errno == ENOENT || errno == ENOTDIR; /* else it cannot be told */
    }
    return ours.st_dev != theirs.st_dev || ours.st_ino != theirs.st_ino;
}

/* Not fstat(), for the reason that env_file_size() has. */
bool env_removed(const struct env *env)
{
    struct statx found;
    return statx(env_data_fd(env), "", AT_EMPTY_PATH, STATX_NLINK, &found) == 0 &&
           found.stx_nlink == 0;
}

bool env_has_file(const struct env *env, const char *path)
{
    static const char *const names[] = {ENV_DATA_FILE, ENV_LOCK_FILE};
    struct stat asked;
    struct stat ours;
    if (stat(path, &asked) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (fstatat(env->dir_fd, names[i], &ours, AT_SYMLINK_NOFOLLOW) == 0 &&
            ours.st_dev == asked.st_dev && ours.st_ino == asked.st_ino) {
            return true;
        }
    }
    return false;
}

struct reader_walk {
    int (*each)(void *context, uint32_t pid, uint64_t txn_number);
    void *context;
    int result;
};

/* LMDB tells its readers in lines "pid thread txn", the last "-" for a slot without a snapshot; a
 * heading comes first. */
static int reader_line(const char *line, void *context)
{
    struct reader_walk *walk = context;
    unsigned pid;
    unsigned long long number;
    if (walk->result == 0 && sscanf(line, "%u %*s %llu", &pid, &number) == 2) {
        walk->result = walk->each(walk->context, pid, number);
    }
    return 0;
}

int env_readers(struct env *env, int (*each)(void *context, uint32_t pid, uint64_t txn_number),
                void *context)
{
    struct reader_walk walk = {each, context, 0};
    mdb_reader_list(env->mdb, reader_line, &walk);
    return walk.result;
}

/* LMDB's table of free pages: by the transaction that freed them, an array of their numbers behind
 * their count. What the latest one freed is not used by the next in any case. */
static int count_held(struct env_txn *txn, MDB_cursor *cursor, uint64_t txn_number, uint64_t *pages)
{
    size_t number = txn_number;
    MDB_val key = {sizeof number, &number};
    MDB_val record;
    int rc = mdb_cursor_get(cursor, &key, &record, MDB_SET_RANGE);
    for (; rc == 0; rc = mdb_cursor_get(cursor, &key, &record, MDB_NEXT)) {
        size_t count;
        if (key.mv_size != sizeof number || record.mv_size < sizeof count) {
            return MDB_CORRUPTED;
        }
        memcpy(&number, key.mv_data, sizeof number);
        memcpy(&count, record.mv_data, sizeof count);
        *pages += number < env_txn_number(txn) ? count : 0;
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int env_held(struct env_txn *txn, uint64_t txn_number, uint64_t *bytes)
{
    MDB_cursor *cursor;
    uint64_t pages = 0;
    int rc = mdb_cursor_open(txn->mdb, ENV_FREE_TABLE, &cursor);
    if (rc == 0) {
        rc = count_held(txn, cursor, txn_number, &pages);
        mdb_cursor_close(cursor);
    }
    if (rc != 0) {
        return env_status(rc);
    }
    *bytes = pages * env_page_size(txn->env);
    return RS_OK;
}
