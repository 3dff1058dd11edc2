#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "env_check.h"
#include "env_layout.h"
#include "status.h"

#define LMDB_MAGIC 0xBEEFC0DEu
#define LMDB_FREE_FLAGS 0x08u /* of the table of free pages, and so of the environment */
#define LMDB_MAIN_FLAGS 0x00u
#define LMDB_MAX_MAP ((size_t)1 << 40) /* what this library asks for at most */
#define LMDB_MIN_PAGE 512u
#define LMDB_MAX_PAGE 65536u

/* A writer may be writing a meta page just now, so one look that finds it odd is not enough. */
#define HEADER_LOOKS 3

#define LOCK_FILE_BYTES (68 << 10) /* 1024 slots of 64 bytes, and two locks */

/* A new directory has its mode whatever the umask; the bit that hands its group down stays. Whoever
 * owns the directory above may have put a link in its place. */
static int open_to_group(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    int result = fstat(fd, &st) == 0 ? fchmod(fd, (st.st_mode & S_ISGID) | 0750) : -1;
    int number = errno;
    close(fd);
    errno = number;
    return result;
}

static int make_directories(const char *dir)
{
    char path[4096];
    size_t len = strlen(dir);
    if (len == 0 || len >= sizeof path) {
        errno = len == 0 ? ENOENT : ENAMETOOLONG;
        return -1;
    }
    memcpy(path, dir, len + 1);
    while (len > 1 && path[len - 1] == '/') {
        path[--len] = '\0';
    }
    for (size_t i = 1; i < len; i++) {
        if (path[i] != '/') {
            continue;
        }
        path[i] = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST) {
            return -1;
        }
        path[i] = '/';
    }
    if (mkdir(path, 0750) != 0) {
        return errno == EEXIST ? 0 : -1;
    }
    return open_to_group(path);
}

static int fail_open(const char *dir, rs_error *error)
{
    if (errno == ENOENT) {
        return fail(error, RS_ENOSTORE, "%s: no store there", dir);
    }
    if (errno == ENOTDIR) {
        return fail(error, RS_ENOSTORE, "%s: no store there, it is not a directory", dir);
    }
    return fail_errno(error, "%s: cannot open the store's directory", dir);
}

/* Whoever owns a store can put anything into it, and LMDB trusts what it reads. Root trusts only
 * itself; others trust root, themselves, and whoever shares the store with a group that they were
 * put into. */
static int check_owner(const struct stat *st, const char *what, rs_error *error)
{
    uid_t self = geteuid();
    if (st->st_uid == 0 || st->st_uid == self || (self != 0 && group_member(st->st_gid))) {
        return RS_OK;
    }
    return fail(error, RS_EUNSAFE,
                "%s: refused, it belongs to uid %lu (act as that user, or chown)", what,
                (unsigned long)st->st_uid);
}

static int check_directory(const struct stat *st, const char *dir, rs_error *error)
{
    if (st->st_mode & S_IWOTH) {
        return fail(error, RS_EUNSAFE, "%s: refused, others may write this directory (chmod o-w)",
                    dir);
    }
    return check_owner(st, dir, error);
}

int env_check_directory(const char *dir, bool create, int *fd, rs_error *error)
{
    if (create && make_directories(dir) != 0 && errno != ENOENT) {
        return fail_errno(error, "%s: cannot make the store's directory", dir);
    }
    int opened = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) {
        return fail_open(dir, error);
    }
    struct stat st;
    int status =
        fstat(opened, &st) == 0 ? check_directory(&st, dir, error) : fail_errno(error, "%s", dir);
    if (status != RS_OK) {
        close(opened);
        return status;
    }
    *fd = opened;
    return RS_OK;
}

static bool db_plausible(const struct lmdb_db *db, uint16_t flags, size_t pages)
{
    if (db->flags != flags) {
        return false;
    }
    if (db->depth == 0 || db->root == LMDB_NO_PAGE) {
        return db->depth == 0 && db->root == LMDB_NO_PAGE; /* empty */
    }
    return db->depth <= LMDB_MAX_DEPTH && db->root >= LMDB_FIRST_PAGE && db->root < pages;
}

/* Even transactions write the first meta page, odd ones the second; a new store has 0 in both. */
static bool meta_plausible(const struct lmdb_meta_page *meta, size_t number, size_t pages)
{
    return meta->page_number == number && meta->flags == LMDB_META && meta->magic == LMDB_MAGIC &&
           meta->last_page >= 1 && meta->last_page < LMDB_NO_PAGE / LMDB_MAX_PAGE &&
           (meta->txn_number == 0 || meta->txn_number % 2 == number) &&
           meta->map_size <= LMDB_MAX_MAP && db_plausible(&meta->dbs[0], LMDB_FREE_FLAGS, pages) &&
           db_plausible(&meta->dbs[1], LMDB_MAIN_FLAGS, pages);
}

static bool page_size_plausible(size_t size)
{
    return size >= LMDB_MIN_PAGE && size <= LMDB_MAX_PAGE && (size & (size - 1)) == 0;
}

static bool read_meta(int fd, size_t at, struct lmdb_meta_page *meta)
{
    return pread(fd, meta, sizeof *meta, (off_t)at) == (ssize_t)sizeof *meta;
}

/* What a meta page may point to: its own pages. But LMDB takes a commit that failed back by its
 * number and its last page only, so the one that is not in force may point to any page of the file.
 */
static size_t pages_of(const struct lmdb_meta_page *meta, bool in_force, size_t file_pages)
{
    return !in_force && file_pages > meta->last_page ? file_pages : meta->last_page + 1;
}

/* Both meta pages must be whole: LMDB reads the page size from the first and roots from either. */
static bool header_plausible(int fd)
{
    struct stat st;
    struct lmdb_meta_page metas[2];
    if (fstat(fd, &st) != 0 || !read_meta(fd, 0, &metas[0])) {
        return false;
    }
    size_t page_size = metas[0].dbs[0].pad;
    if (!page_size_plausible(page_size) || !read_meta(fd, page_size, &metas[1]) ||
        metas[1].dbs[0].pad != page_size) {
        return false;
    }
    size_t pages = (size_t)st.st_size / page_size;
    bool second = metas[1].txn_number > metas[0].txn_number; /* in a new store both have 0 */
    return meta_plausible(&metas[0], 0, pages_of(&metas[0], !second, pages)) &&
           meta_plausible(&metas[1], 1, pages_of(&metas[1], second, pages));
}

static int check_file(int dir_fd, const char *dir, const char *name, struct stat *st,
                      rs_error *error)
{
    char path[RS_ERROR_TEXT_MAX];
    if (fstatat(dir_fd, name, st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) {
            st->st_size = 0;
            return RS_OK;
        }
        return fail_errno(error, "%s/%s", dir, name);
    }
    if (!S_ISREG(st->st_mode)) {
        return fail(error, RS_EUNSAFE, "%s/%s: refused, not a regular file", dir, name);
    }
    /* In another directory it would have another lock file, and writers that know nothing of those
     * here. */
    if (st->st_nlink > 1) {
        return fail(error, RS_EUNSAFE, "%s/%s: refused, the file has another name, too", dir, name);
    }
    if (st->st_mode & S_IWOTH) {
        return fail(error, RS_EUNSAFE, "%s/%s: refused, others may write this file", dir, name);
    }
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return check_owner(st, path, error);
}

int env_check_files(int dir_fd, const char *dir, bool *exists, rs_error *error)
{
    struct stat st;
    int status = check_file(dir_fd, dir, ENV_LOCK_FILE, &st, error);
    if (status == RS_OK) {
        status = check_file(dir_fd, dir, ENV_DATA_FILE, &st, error);
    }
    if (status != RS_OK) {
        return status;
    }
    if (st.st_size == 0) {
        *exists = false;
        return RS_OK;
    }
    int fd = openat(dir_fd, ENV_DATA_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return fail_errno(error, "%s/%s: cannot be opened", dir, ENV_DATA_FILE);
    }
    bool plausible = false;
    for (int look = 0; !plausible && look < HEADER_LOOKS; look++) {
        plausible = header_plausible(fd);
    }
    close(fd);
    if (!plausible) {
        return fail(error, RS_EDAMAGED, "%s/%s: its header is damaged or it is no store", dir,
                    ENV_DATA_FILE);
    }
    *exists = true;
    return RS_OK;
}

static int make_file(int dir_fd, const char *dir, const char *name, mode_t mode, rs_error *error)
{
    struct stat st;
    int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno == EEXIST ? RS_OK : fail_errno(error, "%s/%s: cannot be made", dir, name);
    }
    /* Not left to the umask and to who makes it: the group's access is part of the store's
     * contract. One who may not give the file to that group is not of it. */
    int status = RS_OK;
    if (fstat(dir_fd, &st) == 0 && fchown(fd, (uid_t)-1, st.st_gid) != 0 && errno != EPERM) {
        status = fail_errno(error, "%s/%s", dir, name);
    }
    if (status == RS_OK && fchmod(fd, mode) != 0) {
        status = fail_errno(error, "%s/%s", dir, name);
    }
    close(fd);
    return status;
}

/* A mapped file without blocks ends the process with SIGBUS on a full disk. LMDB has not got it
 * open yet in this process, so closing it loses no lock. */
static int allocate_lock_file(int dir_fd, const char *dir, rs_error *error)
{
    int status = RS_OK;
    int fd = openat(dir_fd, ENV_LOCK_FILE, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return RS_OK; /* LMDB will say why */
    }
    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, LOCK_FILE_BYTES) != 0 && errno != EOPNOTSUPP &&
        errno != ENOSYS) {
        status = fail_errno(error, "%s/%s: cannot be made", dir, ENV_LOCK_FILE);
    }
    close(fd);
    return status;
}

int env_make_lock_file(int dir_fd, const char *dir, rs_error *error)
{
    int status = make_file(dir_fd, dir, ENV_LOCK_FILE, 0660, error);
    return status == RS_OK ? allocate_lock_file(dir_fd, dir, error) : status;
}

void env_empty_data_file(int dir_fd)
{
    int fd = openat(dir_fd, ENV_DATA_FILE, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        close(fd);
    }
}

/* Opening takes a thousandth of that. */
#define LOCK_TRIES 200
#define LOCK_PAUSE_NS 10000000

/* Whoever can open a directory can lock it, and so keep everybody waiting. */
static bool can_others_lock(int dir_fd)
{
    struct stat st;
    return fstat(dir_fd, &st) != 0 || (st.st_mode & S_IROTH) != 0;
}

static int lock(int dir_fd)
{
    static const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    bool bounded = can_others_lock(dir_fd);
    int how = bounded ? LOCK_EX | LOCK_NB : LOCK_EX;
    int result;
    int tries = 0;
    while ((result = flock(dir_fd, how)) != 0 &&
           (errno == EINTR || (errno == EWOULDBLOCK && ++tries < LOCK_TRIES))) {
        if (bounded) {
            nanosleep(&pause, NULL);
        }
    }
    return result;
}

int env_lock_opening(int dir_fd, const char *dir, rs_error *error)
{
    if (lock(dir_fd) == 0 || errno == EWOULDBLOCK || errno == ENOLCK || errno == EOPNOTSUPP ||
        errno == EINVAL) {
        return RS_OK;
    }
    return fail_errno(error, "%s: cannot be locked", dir);
}

int env_lock_alone(int dir_fd, const char *dir, rs_error *error)
{
    return lock(dir_fd) == 0 ? RS_OK : fail_errno(error, "%s: cannot be locked", dir);
}

void env_unlock(int dir_fd)
{
    flock(dir_fd, LOCK_UN);
}

int env_make_files(int dir_fd, const char *dir, rs_error *error)
{
    int status = env_make_lock_file(dir_fd, dir, error);
    return status == RS_OK ? make_file(dir_fd, dir, ENV_DATA_FILE, 0640, error) : status;
}

int env_file_size(int fd, const char *dir, uint64_t *size, rs_error *error)
{
    /* Whoever asks for the file's times, too, as fstat() does, lets the kernel keep exact ones from
     * then on. They make the inode dirty in each commit, and where the file system has no journal
     * every fdatasync waits for it. */
    struct statx found;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &found) != 0) {
        return fail_errno(error, "%s/%s", dir, ENV_DATA_FILE);
    }
    *size = found.stx_size;
    return RS_OK;
}

int env_fail_short(const char *dir, uint64_t size, uint64_t wanted, rs_error *error)
{
    return fail(error, RS_EDAMAGED, "%s/%s: cut short, %llu bytes of at least %llu", dir,
                ENV_DATA_FILE, (unsigned long long)size, (unsigned long long)wanted);
}

uint64_t env_disk_room(int fd)
{
    struct statvfs fs;
    return fstatvfs(fd, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : UINT64_MAX;
}
