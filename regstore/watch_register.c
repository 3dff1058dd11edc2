#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "watch.h"

/* Bytes of an entry's file that are read: the longest path, and room for the rest. */
#define MAX_ENTRY (RS_MAX_DEPTH * (3u * RS_MAX_KEY_NAME + 1) + 4096u)

/* An entry's file has four texts, each ended by NUL: pid, start time, program, path. It is written
 * and locked under a name that begins with a dot, then renamed, so that whoever lists sees it whole
 * and locked or not at all. An OFD lock ends with the process, however it ends, unless a child that
 * was forked has it, too; so the process is looked for as well. */

unsigned long long watch_process_started(pid_t pid)
{
    char path[40];
    char stat[512] = "";
    char state = '\0';
    unsigned long long started = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, stat, sizeof stat - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    /* The second field is the program's name in parentheses, which may hold anything. */
    const char *fields = got > 0 ? strrchr(stat, ')') : NULL;
    if (fields == NULL ||
        sscanf(fields,
               ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
               &state, &started) != 2) {
        return 0;
    }
    return state == 'Z' || state == 'X' ? 0 : started;
}

bool watch_process_alive(pid_t pid, unsigned long long started)
{
    unsigned long long now = watch_process_started(pid);
    if (now != 0) {
        return now == started;
    }
    /* Some systems hide the processes of others, or have no /proc at all. */
    return pid > 0 && (kill(pid, 0) == 0 ? started == 0 : errno == EPERM);
}

/* Behind whatever a file has. */
#define MARK ((off_t)1 << 40)

int watch_lock(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = MARK};
    return fcntl(fd, F_OFD_SETLK, &lock);
}

bool watch_is_locked(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = MARK};
    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

void watch_mark(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = MARK, .l_len = 1};
    (void)fcntl(fd, F_SETLK, &lock);
}

/* Who may only read the file could have a lock there, too, but none for writing. */
pid_t watch_marked_by(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = MARK, .l_len = 1};
    return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK && lock.l_pid > 0 ? lock.l_pid
                                                                                      : 0;
}

int watch_open_dir(const char *dir, int flags)
{
    static const char name[] = "/" STORE_WATCHES_DIR;
    size_t len = strlen(dir);
    char *path = malloc(len + sizeof name);
    if (path == NULL) {
        errno = ENOMEM;
        return -1;
    }
    memcpy(path, dir, len);
    memcpy(path + len, name, sizeof name);
    int fd = open(path, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    free(path);
    return fd;
}

struct entry_name {
    char text[48];
};

static struct entry_name entry_name(const char *prefix, unsigned number)
{
    struct entry_name name;
    snprintf(name.text, sizeof name.text, "%s%ld-%u", prefix, (long)getpid(), number);
    return name;
}

/* Readable for whoever may enter the store's directory, so that one member of the group sees what
 * another watches. */
static bool write_entry(int fd, const char *path)
{
    return fchmod(fd, 0644) == 0 &&
           dprintf(fd, "%ld%c%llu%c%s%c%s%c", (long)getpid(), 0, watch_process_started(getpid()), 0,
                   program_invocation_short_name, 0, path, 0) > 0;
}

static int make_entry(int watches, const char *path, unsigned number)
{
    struct entry_name hidden = entry_name(".", number);
    struct entry_name shown = entry_name("", number);
    int fd =
        openat(watches, hidden.text, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && (watch_lock(fd) != 0 || !write_entry(fd, path) ||
                    renameat(watches, hidden.text, watches, shown.text) != 0)) {
        unlinkat(watches, hidden.text, 0);
        close(fd);
        fd = -1;
    }
    return fd;
}

void watch_register(struct watch_entry *entry, const char *dir, const char *path)
{
    static atomic_uint counter;
    unsigned number = atomic_fetch_add(&counter, 1);
    int watches = watch_open_dir(dir, O_PATH);
    int fd = -1;
    if (watches >= 0) {
        fd = make_entry(watches, path, number);
        close(watches);
    }
    *entry = (struct watch_entry){fd, dir, number};
}

void watch_unregister(struct watch_entry *entry, bool forked)
{
    if (entry->fd < 0) {
        return;
    }
    int watches = forked ? -1 : watch_open_dir(entry->dir, O_PATH);
    if (watches >= 0) {
        unlinkat(watches, entry_name("", entry->number).text, 0);
        close(watches);
    }
    close(entry->fd);
    entry->fd = -1;
}

/* ---- Listing ---- */

/* The next text of an entry, "" if there is none; whatever lies in the file, end is a NUL. */
static const char *next_text(const char **at, const char *end)
{
    const char *text = *at;
    const char *after = text + strlen(text) + 1;
    *at = after < end ? after : end;
    return text;
}

/* False if it is no entry, or one of a process that lives no more. */
static bool read_entry(int fd, char *text, rs_watcher *watcher)
{
    ssize_t got = pread(fd, text, MAX_ENTRY - 1, 0);
    if (got <= 0) {
        return false;
    }
    const char *at = text;
    const char *end = text + got;
    text[got] = '\0';
    watcher->pid = (uint32_t)strtoul(next_text(&at, end), NULL, 10);
    unsigned long long started = strtoull(next_text(&at, end), NULL, 10);
    watcher->program = next_text(&at, end);
    watcher->path = next_text(&at, end);
    return *watcher->path != '\0' && watch_process_alive((pid_t)watcher->pid, started);
}

static int list_entry(int dir_fd, const char *name, char *text,
                      int (*each)(void *context, const rs_watcher *watcher), void *context)
{
    rs_watcher watcher;
    int result = 0;
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    if (!watch_is_locked(fd)) {
        unlinkat(dir_fd, name, 0);
    } else if (read_entry(fd, text, &watcher)) {
        result = each(context, &watcher);
    }
    close(fd);
    return result;
}

/* What is called otherwise was not made here, and is left alone. */
static bool is_entry_name(const char *name)
{
    size_t digits = strspn(name, "0123456789");
    const char *number = name + digits + 1;
    return digits > 0 && name[digits] == '-' && *number != '\0' &&
           number[strspn(number, "0123456789")] == '\0';
}

/* A name that begins with a dot is an entry that is being made, or one whose process died over it:
 * it is not locked from the first moment on, so the process decides. */
static void tidy_hidden(int dir_fd, const char *name)
{
    long pid;
    unsigned number;
    if (sscanf(name, ".%ld-%u", &pid, &number) != 2 || pid <= 0 || kill((pid_t)pid, 0) == 0 ||
        errno != ESRCH) {
        return;
    }
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && !watch_is_locked(fd)) {
        unlinkat(dir_fd, name, 0);
    }
    if (fd >= 0) {
        close(fd);
    }
}

int watch_list(const char *dir, int (*each)(void *context, const rs_watcher *watcher),
               void *context)
{
    int fd = watch_open_dir(dir, O_RDONLY);
    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
        return RS_EUNSAFE;
    }
    if (fd < 0) {
        return errno == ENOENT ? RS_OK : status_of_errno(errno);
    }
    DIR *entries = fdopendir(fd);
    if (entries == NULL) {
        close(fd);
        return RS_ENOMEM;
    }
    char *text = malloc(MAX_ENTRY);
    int result = text != NULL ? 0 : RS_ENOMEM;
    const struct dirent *entry;
    while (result == 0 && (entry = readdir(entries)) != NULL) {
        if (entry->d_name[0] == '.') {
            tidy_hidden(dirfd(entries), entry->d_name);
        } else if (is_entry_name(entry->d_name)) {
            result = list_entry(dirfd(entries), entry->d_name, text, each, context);
        }
    }
    free(text);
    closedir(entries);
    return result;
}
