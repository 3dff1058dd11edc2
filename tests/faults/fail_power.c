/*
 * fail_power.c - see fail_power.h.
 */
#include "fail_power.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST 4096
#define NAME 64

struct length {
    ino_t file;
    off_t sure;
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
    struct length lengths[MOST];
    size_t length_count;
    struct change changes[MOST];
    size_t change_count;
} account = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static ino_t inode_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static struct length *length_of(ino_t file)
{
    for (size_t i = 0; i < account.length_count; i++) {
        if (account.lengths[i].file == file) {
            return &account.lengths[i];
        }
    }
    if (account.length_count == MOST) {
        abort();
    }
    account.lengths[account.length_count] = (struct length){.file = file};
    return &account.lengths[account.length_count++];
}

void power_synced(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return;
    }
    pthread_mutex_lock(&account.mutex);
    if (S_ISREG(st.st_mode)) {
        length_of(st.st_ino)->sure = st.st_size;
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

void power_made(int dir, const char *name)
{
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

static int cut(const char *path, const struct stat *st, int type, struct FTW *place)
{
    (void)place;
    return type == FTW_F && truncate(path, length_of(st->st_ino)->sure) != 0 ? -1 : 0;
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

void power_fail(const char *top, bool keep_directories)
{
    pthread_mutex_lock(&account.mutex); /* for ever: nobody goes on */
    for (size_t i = account.change_count; i > 0; i--) {
        const struct change *change = &account.changes[i - 1];
        if (!change->sure && !(change->of_directory && keep_directories)) {
            take_back(change);
        }
    }
    if (nftw(top, cut, 16, FTW_PHYS) != 0) {
        abort();
    }
}
