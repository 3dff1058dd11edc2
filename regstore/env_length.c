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
 * found too short all the same is looked at under the writer's lock: if all pages behind its end
 * are free it is whole, and made longer. Needs LMDB. A part of env.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "env_check.h"
#include "env_lmdb.h"
#include "status.h"

/* Behind the pages in use, in bytes; it grows by steps, so that not every commit makes it longer.
 */
#define RESERVE ((uint64_t)1 << 20)
#define RESERVE_STEP ((uint64_t)1 << 18)

/* A reader cannot make the file longer; it gives the writer some time to do so. */
#define PATIENCE_LOOKS 50
#define PATIENCE_NANOSECONDS 2000000

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

void env_length_reserve(struct env *env)
{
    uint64_t wanted = length_with(env, RESERVE);
    if (is_shorter(env, wanted) && allocate(env, wanted + RESERVE_STEP) != 0) {
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
    uint64_t found = known ? env_pages_in_runs(&pages, 0, run) : 0;
    env_pages_free(&pages);
    return found;
}

/* Up to end the file can have pages. Free ones count half, as not all of them fit together. */
static bool has_room(struct env *env, uint64_t end, uint64_t pages, uint64_t run)
{
    uint64_t page_size = env_page_size(env);
    uint64_t used = length_with(env, 0);
    uint64_t behind = end > used ? (end - used) / page_size : 0;
    uint64_t wanted = 2 * pages + RESERVE / 2 / page_size;
    return behind + usable_pages(env, run) >= wanted;
}

int env_length_demand(struct env *env, uint64_t pages, uint64_t run)
{
    MDB_envinfo info;
    uint64_t size;
    uint64_t length = length_with(env, pages * env_page_size(env) + RESERVE / 2);
    mdb_env_info(env->mdb, &info);
    int number = length > info.me_mapsize ? EOVERFLOW : allocate(env, length);
    if (number == 0) {
        return RS_OK;
    }
    int status = env_file_size(env_data_fd(env), env->dir, &size, NULL);
    if (status != RS_OK) {
        return status;
    }
    if (has_room(env, number == EOVERFLOW ? info.me_mapsize : size, pages, run)) {
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

static int look_at_tail(struct env *env, uint64_t first, bool *is_free)
{
    struct env_pages pages;
    int status = read_free(env, UINT64_MAX, &pages);
    if (status == RS_OK) {
        *is_free = env_pages_in_runs(&pages, first, 1) == pages.end - first;
    }
    env_pages_free(&pages);
    return status == RS_EDAMAGED ? RS_OK : status;
}

/* Under the writer's lock. The file is made longer first, so that what is missing reads as nothing
 * and not as a fault; if it was cut short it gets its length back. */
static int judge(struct env *env, rs_error *error)
{
    uint64_t size;
    bool is_free = false;
    uint64_t wanted = length_with(env, 0);
    int status = env_file_size(env_data_fd(env), env->dir, &size, error);
    if (status != RS_OK || size >= wanted) {
        return status;
    }
    if (!lengthen(env, wanted)) {
        return fail_errno(error, "%s/%s: cannot be made longer", env->dir, ENV_DATA_FILE);
    }
    status = look_at_tail(env, size / env_page_size(env), &is_free);
    if (status == RS_OK && is_free) {
        return RS_OK;
    }
    if (ftruncate(env_data_fd(env), (off_t)size) != 0) {
        return fail_errno(error, "%s/%s", env->dir, ENV_DATA_FILE);
    }
    return status == RS_OK ? env_fail_short(env->dir, size, wanted, error)
                           : fail(error, status, "%s: %s", env->dir, rs_strerror(status));
}

static int judge_under_lock(struct env *env, rs_error *error)
{
    MDB_txn *lock;
    int rc = mdb_txn_begin(env->mdb, NULL, 0, &lock);
    if (rc != 0) {
        return env_fail(env, rc, "cannot be opened", error);
    }
    int status = judge(env, error);
    mdb_txn_abort(lock);
    return status;
}

static int wait_for_writer(struct env *env, rs_error *error)
{
    const struct timespec pause = {.tv_nsec = PATIENCE_NANOSECONDS};
    uint64_t wanted = length_with(env, 0);
    for (int look = 0; look < PATIENCE_LOOKS && is_shorter(env, wanted); look++) {
        nanosleep(&pause, NULL);
        wanted = length_with(env, 0);
    }
    uint64_t size;
    int status = env_file_size(env_data_fd(env), env->dir, &size, error);
    return status != RS_OK || size >= wanted ? status
                                             : env_fail_short(env->dir, size, wanted, error);
}

int env_length_check(struct env *env, rs_error *error)
{
    if (!is_shorter(env, length_with(env, 0))) {
        return RS_OK;
    }
    return env->readonly ? wait_for_writer(env, error) : judge_under_lock(env, error);
}
