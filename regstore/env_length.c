/*
 * env_length.c - the length of the data file: room for deletions, and a file that ends early.
 *
 * LMDB copies what it changes, so that a deletion, too, needs pages. A reserve of allocated pages
 * is kept behind those in use. On a full disk, or where the map ends, it is left to transactions
 * that only delete.
 *
 * LMDB does not write pages that a transaction took and gave back, so a healthy file could end
 * before the last page that LMDB counts. A file that was cut short does, too, and reading behind
 * its end kills the process. The reserve keeps the file longer than its pages need. One that is
 * found too short all the same is whole if all pages behind its end are free (env_tail.c); the next
 * writer makes it longer. Needs LMDB. A part of env.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "env_check.h"
#include "env_lmdb.h"
#include "status.h"

/* Behind the pages in use, in bytes; it grows by steps, so that not every commit makes it longer.
 */
#define RESERVE ((uint64_t)1 << 20)
#define RESERVE_STEP ((uint64_t)1 << 18)

/* How long the file has to be for its pages and so many bytes behind the last one. */
static uint64_t length_with(const struct env *env, uint64_t reserve)
{
    return env_page_count(env) * env_page_size(env) + reserve;
}

/* Under the writer's lock only, where nobody else makes the file longer: a hole costs nothing. */
static bool lengthen(const struct env *env, uint64_t length)
{
    uint64_t size;
    if (env_file_size(env_data_fd(env), env->dir, &size, NULL) != RS_OK) {
        return false;
    }
    return size >= length || ftruncate(env_data_fd(env), (off_t)length) == 0;
}

static bool is_shorter(const struct env *env, uint64_t length)
{
    uint64_t size;
    return env_file_size(env_data_fd(env), env->dir, &size, NULL) == RS_OK && size < length;
}

/* Under the writer's lock: makes the file so long, with blocks behind it where the file system can.
 * Gives errno's number. */
static int allocate(const struct env *env, uint64_t length)
{
    uint64_t size;
    int fd = env_data_fd(env);
    if (env_file_size(fd, env->dir, &size, NULL) != RS_OK) {
        return errno;
    }
    if (size >= length) {
        return 0;
    }
    /* What lies between may be a hole. */
    uint64_t start = length_with(env, 0) < size ? length_with(env, 0) : size;
    if (fallocate(fd, 0, (off_t)start, (off_t)(length - start)) == 0) {
        return 0;
    }
    if (errno != EOPNOTSUPP && errno != ENOSYS) {
        return errno;
    }
    return ftruncate(fd, (off_t)length) == 0 ? 0 : errno;
}

/* A file that ends with its process needs no room for the deletions of others. */
static bool is_private(const struct env *env)
{
    unsigned flags = 0;
    mdb_env_get_flags(env->mdb, &flags);
    return (flags & MDB_NOSYNC) != 0;
}

void env_length_reserve(struct env *env)
{
    uint64_t wanted = length_with(env, RESERVE);
    if (is_private(env)) {
        lengthen(env, wanted);
    } else if (is_shorter(env, wanted) && allocate(env, wanted + RESERVE_STEP) != 0) {
        allocate(env, wanted);
    }
}

void env_length_keep(struct env *env)
{
    MDB_txn *lock;
    uint64_t length = length_with(env, 0);
    if (!is_shorter(env, length)) {
        return;
    }
    /* Another writer may be at work already: this never makes the file shorter. */
    off_t page = (off_t)env_page_size(env);
    if (fallocate(env_data_fd(env), 0, (off_t)length - page, page) == 0) {
        return;
    }
    if (mdb_txn_begin(env->mdb, NULL, 0, &lock) == 0) {
        lengthen(env, length);
        mdb_txn_abort(lock);
    }
}

/* ---- Room for a commit ---- */

static int find_oldest(void *context, uint32_t pid, uint64_t txn_number)
{
    uint64_t *oldest = context;
    (void)pid;
    *oldest = txn_number < *oldest ? txn_number : *oldest;
    return 0;
}

/* The pages that were given back before the transaction with this number. */
static int read_free(struct env *env, uint64_t before, struct env_pages *pages)
{
    struct env_txn txn = {.env = env};
    *pages = (struct env_pages){0};
    int rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn.mdb);
    if (rc != 0) {
        return env_status(rc);
    }
    int status = env_pages_read(&txn, before, pages, NULL);
    mdb_txn_abort(txn.mdb);
    return status;
}

/* Free pages that the writer may use: those that the last commit or a snapshot still has are not
 * among them. */
static uint64_t usable_pages(struct env *env, uint64_t run)
{
    MDB_envinfo info;
    struct env_pages pages;
    mdb_env_info(env->mdb, &info);
    uint64_t oldest = info.me_last_txnid;
    env_readers(env, find_oldest, &oldest);
    bool known = read_free(env, oldest, &pages) == RS_OK;
    uint64_t found = known ? env_pages_in_runs(&pages, run) : 0;
    env_pages_free(&pages);
    return found;
}

/* Up to end the file can have pages. Free ones count half, as not all of them fit together. */
static bool has_room(struct env *env, uint64_t end, uint64_t pages, uint64_t run, uint64_t kept)
{
    uint64_t page_size = env_page_size(env);
    uint64_t used = length_with(env, 0);
    uint64_t behind = end > used ? (end - used) / page_size : 0;
    uint64_t wanted = 2 * pages + kept / page_size;
    return behind + usable_pages(env, run) >= wanted;
}

int env_length_demand(struct env *env, uint64_t pages, uint64_t run, enum env_share share)
{
    MDB_envinfo info;
    uint64_t size;
    uint64_t kept = RESERVE / share;
    uint64_t length = length_with(env, pages * env_page_size(env) + kept);
    mdb_env_info(env->mdb, &info);
    int number = length > info.me_mapsize ? EOVERFLOW : allocate(env, length);
    if (number == 0) {
        return RS_OK;
    }
    int status = env_file_size(env_data_fd(env), env->dir, &size, NULL);
    if (status != RS_OK) {
        return status;
    }
    if (has_room(env, number == EOVERFLOW ? info.me_mapsize : size, pages, run, kept)) {
        return RS_OK;
    }
    return number == EOVERFLOW ? RS_EFULL : status_of_errno(number);
}

bool env_length_at_end(struct env *env)
{
    MDB_envinfo info;
    mdb_env_info(env->mdb, &info);
    /* The record of a deletion may be as large as all that is stored. */
    return env_disk_room(env_data_fd(env)) < length_with(env, RESERVE) ||
           length_with(env, 2 * RESERVE) > info.me_mapsize;
}

/* ---- A file that is too short ---- */

/* A writer at work replaces the meta page of a snapshot after two commits. */
#define TAIL_LOOKS 100

/* Looks at a snapshot that is held, so that its pages stay as they are. They were all written
 * before it could be seen, so the file's length, which is looked at later, holds them. */
static int check_tail(struct env *env)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
    if (rc != 0) {
        return env_status(rc);
    }
    int status = env_check_tail(env_data_fd(env), env_page_size(env), mdb_txn_id(txn));
    mdb_txn_abort(txn);
    return status;
}

int env_length_check(struct env *env, rs_error *error)
{
    uint64_t size;
    int status = RS_EBUSY;
    for (int i = 0; status == RS_EBUSY && i < TAIL_LOOKS; i++) {
        status = is_shorter(env, length_with(env, 0)) ? check_tail(env) : RS_OK;
    }
    if (status == RS_EDAMAGED && env_file_size(env_data_fd(env), env->dir, &size, error) == RS_OK) {
        return env_fail_short(env->dir, size, length_with(env, 0), error);
    }
    return status == RS_OK ? RS_OK : fail(error, status, "%s: %s", env->dir, rs_strerror(status));
}
