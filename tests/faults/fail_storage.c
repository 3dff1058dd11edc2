/*
 * fail_storage.c - calls on files that fail on demand; see fail_storage.h.
 *
 * Stands in front of the C library's functions by LD_PRELOAD. A call fails without being made,
 * which is what a program sees of a bad disk; a short one writes the first half. Calls that sync
 * and do not fail do nothing: nobody's power fails here, and waiting for the disk would be most of
 * the time. Needs the C library.
 */
#include "fail_storage.h"
#include "fail_power.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))

static struct fail_plan plan;
static atomic_ulong seen; /* threads make calls, too */
/* With an account, one call at a time: what a call does and its account are one. */
static pthread_mutex_t turn = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static atomic_bool turns;
static atomic_ulong failed;

static bool is_accounted(void)
{
    return plan.how >= FAIL_POWER;
}

static pthread_mutex_t *take_turn(void)
{
    return turns && pthread_mutex_lock(&turn) == 0 ? &turn : NULL;
}

static void give_turn(pthread_mutex_t **taken)
{
    if (*taken != NULL) {
        (void)pthread_mutex_unlock(*taken);
    }
}

/* Until the end of the function. */
#define IN_TURN pthread_mutex_t *taken __attribute__((cleanup(give_turn), unused)) = take_turn()

SHOWN void fail_storage_plan(const struct fail_plan *wanted)
{
    plan = *wanted;
    seen = 0;
    failed = 0;
    turns = is_accounted();
}

SHOWN unsigned long fail_storage_seen(unsigned long *failures)
{
    *failures = failed;
    return seen;
}

__attribute__((constructor)) static void read_environment(void)
{
    const char *dir = getenv("FAIL_STORAGE_DIR");
    const char *call = getenv("FAIL_STORAGE_CALL");
    const char *how = getenv("FAIL_STORAGE_HOW");
    const char *number = getenv("FAIL_STORAGE_ERRNO");
    if (dir == NULL || strlen(dir) >= sizeof plan.dir) {
        return;
    }
    strcpy(plan.dir, dir);
    plan.call = call != NULL ? strtoul(call, NULL, 10) : 0;
    plan.how = how == NULL || strcmp(how, "once") == 0 ? FAIL_ONCE
               : strcmp(how, "ever") == 0              ? FAIL_EVER
                                                       : FAIL_SHORT;
    plan.number = number != NULL ? atoi(number) : EIO;
}

/* ---- Which calls ---- */

static bool is_below(const char *path)
{
    size_t len = strlen(plan.dir);
    return len > 0 && strncmp(path, plan.dir, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static bool is_ours(int fd)
{
    char link[64];
    char path[PATH_MAX];
    if (plan.dir[0] == '\0') {
        return false;
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    return is_below(path);
}

/* Relative paths are relative to a directory of ours, or none of ours. */
static bool is_ours_at(int dir, const char *path)
{
    return path[0] == '/' ? is_below(path) : dir != AT_FDCWD && is_ours(dir);
}

/* What is left of the power's failure are calls of our own, which do not count. */
static void die(void)
{
    enum fail_how how = plan.how;
    unsigned chance = (unsigned)plan.number;
    char top[PATH_MAX];
    strcpy(top, plan.dir);
    plan = (struct fail_plan){.call = 0};
    if (how != FAIL_KILL) {
        power_fail(top,
                   how == FAIL_POWER         ? POWER_NOTHING
                   : how == FAIL_POWER_AFTER ? POWER_DIRECTORIES
                                             : POWER_SOME,
                   chance);
    }
    (void)kill(getpid(), SIGKILL);
}

/* Counts a call on one of our files: does it fail? */
static bool fails(void)
{
    unsigned long number = ++seen;
    bool hit =
        plan.call != 0 && (number == plan.call || (plan.how == FAIL_EVER && number > plan.call));
    if (hit && plan.how >= FAIL_KILL) {
        die();
    }
    if (hit && plan.how != FAIL_SHORT) {
        failed++;
        errno = plan.number;
        return true;
    }
    return false;
}

/* Gives the result. */
static int synced(int fd)
{
    if (fails()) {
        return -1;
    }
    if (is_accounted()) {
        power_synced(fd);
    }
    return 0;
}

/* Of a call that was just counted: is only a part of it to be done? */
static bool cut_short(size_t size)
{
    bool hit = plan.how == FAIL_SHORT && plan.call == seen && size > 1;
    failed += hit;
    return hit;
}

/* The C library's function of this name. */
#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

/* ---- Writing ---- */

SHOWN ssize_t write(int fd, const void *data, size_t size)
{
    IN_TURN;
    if (is_ours(fd)) {
        if (fails()) {
            return -1;
        }
        size = cut_short(size) ? size / 2 : size;
    }
    return NEXT(write)(fd, data, size);
}

SHOWN ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    IN_TURN;
    if (is_ours(fd)) {
        if (fails()) {
            return -1;
        }
        size = cut_short(size) ? size / 2 : size;
    }
    return NEXT(pwrite)(fd, data, size, at);
}

SHOWN ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (is_ours(fd)) {
        if (fails()) {
            return -1;
        }
        if (cut_short(parts[0].iov_len)) {
            return NEXT(write)(fd, parts[0].iov_base, parts[0].iov_len / 2);
        }
    }
    return NEXT(writev)(fd, parts, count);
}

SHOWN ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    if (is_ours(fd)) {
        if (fails()) {
            return -1;
        }
        if (cut_short(parts[0].iov_len)) {
            return NEXT(pwrite)(fd, parts[0].iov_base, parts[0].iov_len / 2, at);
        }
    }
    return NEXT(pwritev)(fd, parts, count, at);
}

/* ---- Syncing and sizes ---- */

SHOWN int fdatasync(int fd)
{
    IN_TURN;
    return is_ours(fd) ? synced(fd) : NEXT(fdatasync)(fd);
}

SHOWN int fsync(int fd)
{
    IN_TURN;
    return is_ours(fd) ? synced(fd) : NEXT(fsync)(fd);
}

/* What it writes is not sure for that. */
SHOWN int sync_file_range(int fd, off_t at, off_t size, unsigned flags)
{
    IN_TURN;
    return !is_ours(fd) ? NEXT(sync_file_range)(fd, at, size, flags) : fails() ? -1 : 0;
}

SHOWN int ftruncate(int fd, off_t length)
{
    IN_TURN;
    return is_ours(fd) && fails() ? -1 : NEXT(ftruncate)(fd, length);
}

SHOWN int fallocate(int fd, int mode, off_t at, off_t size)
{
    return is_ours(fd) && fails() ? -1 : NEXT(fallocate)(fd, mode, at, size);
}

SHOWN int posix_fallocate(int fd, off_t at, off_t size)
{
    return is_ours(fd) && fails() ? plan.number : NEXT(posix_fallocate)(fd, at, size);
}

/* A map does not tell its file: all of them count while there is a plan. */
SHOWN int msync(void *at, size_t size, int flags)
{
    return plan.dir[0] != '\0' && fails() ? -1 : NEXT(msync)(at, size, flags);
}

/* ---- Files that are made or renamed ---- */

/* Ours are opened without syncing by themselves. */
static int without_sync(int flags, bool ours)
{
    return ours ? flags & ~O_SYNC : flags;
}

/* The mode is in the rest if the flags ask for one. */
static int open_at(int dir, const char *path, int flags, va_list rest)
{
    IN_TURN;
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    bool ours = is_ours_at(dir, path);
    bool makes = (flags & O_CREAT) != 0;

    if (makes && ours && fails()) {
        return -1;
    }
    bool is_new = makes && ours && is_accounted() && faccessat(dir, path, F_OK, 0) != 0;
    int fd = NEXT(openat)(dir, path, without_sync(flags, ours), mode);
    if (is_new && fd >= 0) {
        power_made(dir, path);
    }
    return fd;
}

SHOWN int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    int fd = open_at(AT_FDCWD, path, flags, rest);
    va_end(rest);
    return fd;
}

SHOWN int openat(int dir, const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    int fd = open_at(dir, path, flags, rest);
    va_end(rest);
    return fd;
}

SHOWN int mkdir(const char *path, mode_t mode)
{
    return is_ours_at(AT_FDCWD, path) && fails() ? -1 : NEXT(mkdir)(path, mode);
}

SHOWN int rename(const char *from, const char *to)
{
    return is_ours_at(AT_FDCWD, to) && fails() ? -1 : NEXT(rename)(from, to);
}

SHOWN int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    IN_TURN;
    bool ours = is_ours_at(to_dir, to);
    if (ours && fails()) {
        return -1;
    }
    int result = NEXT(renameat2)(from_dir, from, to_dir, to, flags);
    if (result == 0 && ours && is_accounted()) {
        power_renamed(from_dir, from, to_dir, to);
    }
    return result;
}

SHOWN int link(const char *from, const char *to)
{
    return is_ours_at(AT_FDCWD, to) && fails() ? -1 : NEXT(link)(from, to);
}

/* ---- Names in directories ---- */

static bool name_fails(int dir, const char *path)
{
    return plan.names && is_ours_at(dir, path) && fails();
}

SHOWN int mkdirat(int dir, const char *path, mode_t mode)
{
    IN_TURN;
    return name_fails(dir, path) ? -1 : NEXT(mkdirat)(dir, path, mode);
}

SHOWN int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    IN_TURN;
    if (name_fails(to_dir, to)) {
        return -1;
    }
    bool counts = plan.names && is_accounted() && is_ours_at(to_dir, to);
    if (counts) {
        power_replaces(to_dir, to);
    }
    int result = NEXT(renameat)(from_dir, from, to_dir, to);
    if (result == 0 && counts) {
        power_renamed(from_dir, from, to_dir, to);
    }
    return result;
}

SHOWN int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    IN_TURN;
    if (name_fails(to_dir, to)) {
        return -1;
    }
    int result = NEXT(linkat)(from_dir, from, to_dir, to, flags);
    if (result == 0 && plan.names && is_accounted() && is_ours_at(to_dir, to)) {
        power_made(to_dir, to);
    }
    return result;
}

SHOWN int unlinkat(int dir, const char *path, int flags)
{
    IN_TURN;
    return name_fails(dir, path) ? -1 : NEXT(unlinkat)(dir, path, flags);
}
