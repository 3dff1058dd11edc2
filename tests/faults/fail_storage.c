/*
 * fail_storage.c - calls on files that fail on demand; see fail_storage.h.
 *
 * Stands in front of the C library's functions by LD_PRELOAD. A call fails without being made,
 * which is what a program sees of a bad disk; a short one writes the first half. Calls that sync
 * and do not fail do nothing: nobody's power fails here, and waiting for the disk would be most of
 * the time. Needs the C library.
 */
#include "fail_storage.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
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
static atomic_ulong failed;

SHOWN void fail_storage_plan(const struct fail_plan *wanted)
{
    plan = *wanted;
    seen = 0;
    failed = 0;
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

/* Counts a call on one of our files: does it fail? */
static bool fails(void)
{
    unsigned long number = ++seen;
    bool hit =
        plan.call != 0 && (number == plan.call || (plan.how == FAIL_EVER && number > plan.call));
    if (hit && plan.how == FAIL_KILL) {
        (void)kill(getpid(), SIGKILL);
    }
    if (hit && plan.how != FAIL_SHORT) {
        failed++;
        errno = plan.number;
        return true;
    }
    return false;
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
    return !is_ours(fd) ? NEXT(fdatasync)(fd) : fails() ? -1 : 0;
}

SHOWN int fsync(int fd)
{
    return !is_ours(fd) ? NEXT(fsync)(fd) : fails() ? -1 : 0;
}

SHOWN int ftruncate(int fd, off_t length)
{
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
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    bool ours = is_ours_at(dir, path);
    bool makes = (flags & O_CREAT) != 0;

    return makes && ours && fails() ? -1 : NEXT(openat)(dir, path, without_sync(flags, ours), mode);
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
    return is_ours_at(to_dir, to) && fails() ? -1
                                             : NEXT(renameat2)(from_dir, from, to_dir, to, flags);
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
    return name_fails(dir, path) ? -1 : NEXT(mkdirat)(dir, path, mode);
}

SHOWN int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return name_fails(to_dir, to) ? -1 : NEXT(renameat)(from_dir, from, to_dir, to);
}

SHOWN int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    return name_fails(to_dir, to) ? -1 : NEXT(linkat)(from_dir, from, to_dir, to, flags);
}

SHOWN int unlinkat(int dir, const char *path, int flags)
{
    return name_fails(dir, path) ? -1 : NEXT(unlinkat)(dir, path, flags);
}
