/*
 * fail_power.c - see fail_power.h.
 */
#include "fail_power.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST 4096
#define NAME 64
#define SECTOR 512 /* bytes that are there or not */

/* What a file held when it was synced last. */
struct file {
    ino_t inode;
    char *sure;
    size_t size;
};

/* Directories are held open, as they may be renamed. */
struct change {
    int from_dir; /* -1: the name is new */
    int to_dir;
    ino_t from_inode;
    ino_t to_inode;
    char from[NAME];
    char to[NAME];
    bool of_directory;
    bool sure;
};

static struct {
    pthread_mutex_t mutex;
    struct file files[MOST];
    size_t file_count;
    struct change changes[MOST];
    size_t change_count;
} account = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static ino_t inode_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static struct file *file_of(ino_t inode)
{
    for (size_t i = 0; i < account.file_count; i++) {
        if (account.files[i].inode == inode) {
            return &account.files[i];
        }
    }
    if (account.file_count == MOST) {
        abort();
    }
    account.files[account.file_count] = (struct file){.inode = inode};
    return &account.files[account.file_count++];
}

static void forget(struct file *file)
{
    free(file->sure);
    file->sure = NULL;
    file->size = 0;
}

/* Reads all of a file; NULL: it is empty. None of this is a call of the program. */
static char *read_all(int dir, const char *path, size_t size)
{
    int fd = (int)syscall(SYS_openat, dir, path, O_RDONLY | O_CLOEXEC);
    char *bytes = size > 0 ? malloc(size) : NULL;
    if (fd < 0 || (size > 0 && (bytes == NULL || pread(fd, bytes, size, 0) != (ssize_t)size))) {
        abort();
    }
    close(fd);
    return bytes;
}

static void take_contents(int fd, const struct stat *st)
{
    char path[64];
    struct file *file = file_of(st->st_ino);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    forget(file);
    file->size = (size_t)st->st_size;
    file->sure = read_all(AT_FDCWD, path, file->size);
}

void power_synced(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return;
    }
    pthread_mutex_lock(&account.mutex);
    if (S_ISREG(st.st_mode)) {
        take_contents(fd, &st);
    }
    for (size_t i = 0; i < account.change_count; i++) {
        struct change *change = &account.changes[i];
        change->sure = change->sure || change->to_inode == st.st_ino ||
                       (change->from_dir >= 0 && change->from_inode == st.st_ino);
    }
    pthread_mutex_unlock(&account.mutex);
}

/* The directory that a name stands in, opened, and the name without it; -1 stays. */
static int open_around(int dir, const char **name, ino_t *inode)
{
    char around[NAME] = ".";
    const char *slash = strrchr(*name, '/');
    if (dir < 0) {
        return -1;
    }
    if (slash != NULL) {
        snprintf(around, sizeof around, "%.*s", (int)(slash - *name), *name);
        *name = slash + 1;
    }
    int fd = openat(dir, around, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *inode = inode_of(fd);
    return fd;
}

static void add_change(int from_dir, const char *from, int to_dir, const char *to)
{
    struct stat st;
    pthread_mutex_lock(&account.mutex);
    if (account.change_count == MOST) {
        abort();
    }
    struct change *change = &account.changes[account.change_count++];
    *change = (struct change){.from_dir = -1};
    change->from_dir = open_around(from_dir, &from, &change->from_inode);
    change->to_dir = open_around(to_dir, &to, &change->to_inode);
    snprintf(change->from, sizeof change->from, "%s", from);
    snprintf(change->to, sizeof change->to, "%s", to);
    change->of_directory =
        fstatat(change->to_dir, to, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
    pthread_mutex_unlock(&account.mutex);
}

/* A new file may have the number of one that was removed. */
void power_made(int dir, const char *name)
{
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink == 1) {
        pthread_mutex_lock(&account.mutex);
        forget(file_of(st.st_ino));
        pthread_mutex_unlock(&account.mutex);
    }
    add_change(-1, "", dir, name);
}

/* Each change has a name of its own for what it replaces. */
static void kept_name(const struct change *change, char name[NAME])
{
    snprintf(name, NAME, ".replaced.%zu", (size_t)(change - account.changes));
}

void power_replaces(int to_dir, const char *to)
{
    char kept[NAME];
    pthread_mutex_lock(&account.mutex);
    kept_name(&account.changes[account.change_count], kept);
    (void)syscall(SYS_linkat, to_dir, to, to_dir, kept, 0); /* it is no call of the program */
    pthread_mutex_unlock(&account.mutex);
}

void power_renamed(int from_dir, const char *from, int to_dir, const char *to)
{
    add_change(from_dir, from, to_dir, to);
}

/* ---- The failure ---- */

static struct {
    enum power_keeps keeps;
    uint64_t chance;
    size_t kept_size; /* what is smaller is kept */
} failure;

static uint64_t next_chance(void)
{
    failure.chance = failure.chance * 6364136223846793005u + 1442695040888963407u;
    return failure.chance >> 33;
}

/* Of a file that was written since, any sectors may be the old ones, and so may its length. */
static void mix(const struct file *file, char *now, size_t size)
{
    for (size_t at = 0; at < size; at += SECTOR) {
        size_t length = size - at < SECTOR ? size - at : SECTOR;
        size_t old = file->size > at ? file->size - at : 0;
        old = old < length ? old : length;
        if (next_chance() % 2 == 0) {
            memset(now + at, 0, length);
            if (old > 0) {
                memcpy(now + at, file->sure + at, old);
            }
        }
    }
}

static void put_all(const char *path, const char *bytes, size_t size)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0 || (size > 0 && syscall(SYS_pwrite64, fd, bytes, size, 0) != (long)size)) {
        abort();
    }
    close(fd);
}

static int lose_contents(const char *path, const struct stat *st, int type, struct FTW *place)
{
    (void)place;
    if (type != FTW_F) {
        return 0;
    }
    struct file *file = file_of(st->st_ino);
    size_t size = (size_t)st->st_size;
    char *now = read_all(AT_FDCWD, path, size);
    bool same = size == file->size && (size == 0 || memcmp(now, file->sure, size) == 0);
    uint64_t way = failure.keeps != POWER_SOME ? 0
                   : size < failure.kept_size  ? 2
                                               : next_chance() % 3;
    if (!same && way == 1) {
        mix(file, now, size);
        bool is_old = next_chance() % 2 == 0;
        put_all(path, now, is_old && file->size < size ? file->size : size);
    } else if (!same && way == 0) {
        put_all(path, file->sure, file->size);
    }
    free(now);
    return 0;
}

/* One name that was taken already is not put over what stands there now. */
static void take_back(const struct change *change)
{
    char kept[NAME];
    kept_name(change, kept);
    if (change->from_dir >= 0) {
        (void)renameat2(change->to_dir, change->to, change->from_dir, change->from,
                        RENAME_NOREPLACE);
        (void)renameat2(change->to_dir, kept, change->to_dir, change->to, RENAME_NOREPLACE);
    } else {
        (void)unlinkat(change->to_dir, change->to, 0);
    }
}

static bool is_kept(const struct change *change, size_t kept)
{
    return change->sure || change < account.changes + kept ||
           (change->of_directory && failure.keeps == POWER_DIRECTORIES);
}

/* Mostly the names are there, and now and then all but large files is. Gives how many names are. */
static size_t choose_some(void)
{
    failure.kept_size = next_chance() % 2 == 0 ? 0 : 10000;
    return next_chance() % 2 == 0 ? account.change_count
                                  : next_chance() % (account.change_count + 1);
}

void power_fail(const char *top, enum power_keeps keeps, unsigned chance)
{
    pthread_mutex_lock(&account.mutex); /* for ever: nobody goes on */
    failure.keeps = keeps;
    failure.chance = chance;
    size_t kept = keeps == POWER_SOME ? choose_some() : 0;
    for (size_t i = account.change_count; i > 0; i--) {
        if (!is_kept(&account.changes[i - 1], kept)) {
            take_back(&account.changes[i - 1]);
        }
    }
    if (nftw(top, lose_contents, 16, FTW_PHYS) != 0) {
        abort();
    }
}
