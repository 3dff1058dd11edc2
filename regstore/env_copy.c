/*
 * env_copy.c - a copy of the environment, and a file that takes the data file's place.
 *
 * A copy is compacted: pages in use side by side, none free. LMDB counts its commits in the file
 * and, for all who have it open, in the lock file; a copy is numbered by hand, so that both agree.
 *
 * Another file takes the place of the data file by a rename, under the writer's lock, and a new
 * lock file that of the lock file, while nobody opens them. Who has the old ones open goes on
 * reading, as nothing is written to them any more: a writer looks, under the lock, whether its file
 * still has a name. One who is killed between the two renames leaves the new data file with the old
 * lock file, which is why the numbers have to agree, and why writers take turns (env_turn.c). Needs
 * LMDB. A part of env.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env_check.h"
#include "env_layout.h"
#include "env_lmdb.h"

#define DATA_MODE 0640
#define LOCK_MODE 0660

/* ---- Copying ---- */

static bool read_meta(int fd, uint64_t at, struct lmdb_meta_page *meta)
{
    return pread(fd, meta, sizeof *meta, (off_t)at) == (ssize_t)sizeof *meta;
}

/* Writes the state of the later meta page into both, numbered so that a reader who knows only the
 * latest number finds it whichever of the two pages that means. Of a file without free pages: those
 * are listed by the number of their commit. */
static bool set_number(int fd, uint64_t number)
{
    struct lmdb_meta_page metas[2];
    if (!read_meta(fd, 0, &metas[0]) || !read_meta(fd, metas[0].dbs[0].pad, &metas[1])) {
        return false;
    }
    uint64_t page_size = metas[0].dbs[0].pad;
    struct lmdb_meta_page meta = metas[metas[1].txn_number > metas[0].txn_number];
    for (uint64_t page = 0; page < 2; page++) {
        meta.page_number = page;
        meta.txn_number = number % 2 == page ? number : number - 1;
        if (pwrite(fd, &meta, sizeof meta, (off_t)(page * page_size)) != (ssize_t)sizeof meta) {
            return false;
        }
    }
    return true;
}

/* LMDB tells so that the pages in use are not as many as those that it found. */
static int fail_copy(const struct env *env, int rc, rs_error *error)
{
    return rc == MDB_INCOMPATIBLE
               ? fail(error, RS_EDAMAGED, "%s: cannot be copied: it is damaged", env->dir)
               : env_fail(env, rc, "cannot be copied", error);
}

int env_copy(struct env *env, int fd, rs_error *error)
{
    MDB_envinfo info;
    struct env_txn held; /* so that nobody opens the files anew meanwhile */
    int status = env_begin(env, false, &held, error);
    if (status != RS_OK) {
        return status;
    }
    int rc = mdb_env_copyfd2(env->mdb, fd, MDB_CP_COMPACT);
    mdb_env_info(env->mdb, &info); /* the number of the commit that was copied, or a later one */
    env_abort(&held);
    if (rc != 0) {
        return fail_copy(env, rc, error);
    }
    return set_number(fd, info.me_last_txnid) ? RS_OK
                                              : fail_errno(error, "%s: cannot be copied", env->dir);
}

/* ---- Taking the place ---- */

struct taking {
    int dir_fd; /* of the store */
    const char *dir;
    int from_fd;
    const char *name;
    uint64_t number; /* of the latest commit; 0: as it is */
    rs_error *error;
};

/* A new file is everybody's whose the old one of that name was. */
static int keep_owner(const struct taking *taking, int fd, const char *target, mode_t mode)
{
    struct stat old;
    struct stat now;
    if (fstat(fd, &now) != 0 || fstat(taking->dir_fd, &old) != 0) {
        return fail_errno(taking->error, "%s", taking->dir);
    }
    old.st_uid = now.st_uid;
    if (fstatat(taking->dir_fd, target, &old, AT_SYMLINK_NOFOLLOW) == 0) {
        mode = old.st_mode & 0777;
    }
    bool same = old.st_uid == now.st_uid && old.st_gid == now.st_gid;
    if ((!same && fchown(fd, old.st_uid, old.st_gid) != 0) || fchmod(fd, mode) != 0) {
        return fail_errno(taking->error, "%s/%s: its owner cannot be kept", taking->dir, target);
    }
    return RS_OK;
}

static int fail_taking(const struct taking *taking)
{
    return fail_errno(taking->error, "%s: cannot be replaced", taking->dir);
}

static int finish_data_file(const struct taking *taking)
{
    int fd = openat(taking->from_fd, taking->name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return fail_taking(taking);
    }
    int status = keep_owner(taking, fd, ENV_DATA_FILE, DATA_MODE);
    if (status == RS_OK &&
        ((taking->number != 0 && !set_number(fd, taking->number)) || fsync(fd) != 0)) {
        status = fail_taking(taking);
    }
    close(fd);
    return status;
}

static int make_lock_file(const struct taking *taking)
{
    unlinkat(taking->from_fd, ENV_LOCK_FILE, 0);
    int status = env_make_lock_file(taking->from_fd, taking->dir, taking->error);
    int fd = openat(taking->from_fd, ENV_LOCK_FILE, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (status == RS_OK) {
        status = fd >= 0 ? keep_owner(taking, fd, ENV_LOCK_FILE, LOCK_MODE) : fail_taking(taking);
    }
    if (fd >= 0) {
        close(fd);
    }
    return status;
}

static int take_data_file(const struct taking *taking)
{
    return renameat(taking->from_fd, taking->name, taking->dir_fd, ENV_DATA_FILE) == 0
               ? RS_OK
               : fail_taking(taking);
}

/* It has happened, and some file systems cannot do this. */
static void keep_names(const struct taking *taking)
{
    (void)fsync(taking->dir_fd);
}

/* With the directory's lock. The other way round, one who is killed would leave two lock files for
 * one data file. If the second rename fails the one lock file is good for both. */
static int take_both(const struct taking *taking)
{
    int status = take_data_file(taking);
    if (status == RS_OK) {
        (void)renameat(taking->from_fd, ENV_LOCK_FILE, taking->dir_fd, ENV_LOCK_FILE);
        keep_names(taking);
    }
    return status;
}

int env_take_place(struct env_txn *txn, int from_fd, const char *name, rs_error *error)
{
    struct taking taking = {
        .dir_fd = txn->env->dir_fd,
        .dir = txn->env->dir,
        .from_fd = from_fd,
        .name = name,
        .number = env_txn_number(txn) - 1,
        .error = error,
    };
    int status = finish_data_file(&taking);
    if (status == RS_OK) {
        status = make_lock_file(&taking);
    }
    if (status == RS_OK) {
        status = env_lock_alone(taking.dir_fd, taking.dir, error);
    }
    if (status == RS_OK) {
        status = take_both(&taking);
        env_unlock(taking.dir_fd);
    }
    return status;
}

/* ---- Without opening what is there ---- */

/* Keeps everybody from opening the store, as LMDB does while it makes a lock file new. */
static int lock_out(int lock_fd, const char *dir, rs_error *error)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    if (fcntl(lock_fd, F_OFD_SETLK, &whole) == 0) {
        return RS_OK;
    }
    if (errno == EAGAIN || errno == EACCES) {
        return fail(error, RS_EBUSY,
                    "%s: in use, and not to be read: end the programs that have it open first",
                    dir);
    }
    return fail_errno(error, "%s/%s: cannot be locked", dir, ENV_LOCK_FILE);
}

static int take_place_locked(const struct taking *taking)
{
    int status = env_make_lock_file(taking->dir_fd, taking->dir, taking->error);
    if (status != RS_OK) {
        return status;
    }
    int lock_fd = openat(taking->dir_fd, ENV_LOCK_FILE, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (lock_fd < 0) {
        return fail_errno(taking->error, "%s/%s", taking->dir, ENV_LOCK_FILE);
    }
    status = lock_out(lock_fd, taking->dir, taking->error);
    if (status == RS_OK) {
        status = finish_data_file(taking);
    }
    if (status == RS_OK) {
        status = take_data_file(taking);
    }
    if (status == RS_OK) {
        keep_names(taking);
    }
    close(lock_fd);
    return status;
}

int env_take_place_unread(const char *dir, int from_fd, const char *name, rs_error *error)
{
    struct taking taking = {.dir = dir, .from_fd = from_fd, .name = name, .error = error};
    int status = env_check_directory(dir, false, &taking.dir_fd, error);
    if (status != RS_OK) {
        return status;
    }
    /* Closing the lock file would take away the locks that LMDB has on it in this process. */
    status = env_is_open(taking.dir_fd) ? fail(error, RS_EBUSY, "%s: this process has it open", dir)
                                        : env_lock_alone(taking.dir_fd, dir, error);
    if (status == RS_OK) {
        status = take_place_locked(&taking);
        env_unlock(taking.dir_fd);
    }
    close(taking.dir_fd);
    return status;
}
