#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "watch.h"

#define MAX_ENTRY 65536u /* bytes of an entry's file that are read */

/* An entry's file has three lines: pid, program, path. It is written and locked under a name that
 * begins with a dot, then renamed, so that whoever lists sees it whole and locked or not at all. An
 * OFD lock ends with the process, however it ends. */

static int lock_entry(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock);
}

static bool is_locked(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static char *entry_path(const char *dir, const char *prefix, unsigned number)
{
    char *path;
    int len =
        asprintf(&path, "%s/%s/%s%ld-%u", dir, STORE_WATCHES_DIR, prefix, (long)getpid(), number);
    return len < 0 ? NULL : path;
}

/* Readable for whoever may enter the store's directory, so that one member of the group sees what
 * another watches. */
static bool write_entry(int fd, const char *path)
{
    return fchmod(fd, 0644) == 0 &&
           dprintf(fd, "%ld\n%s\n%s\n", (long)getpid(), program_invocation_short_name, path) > 0;
}

void watch_register(struct watch_entry *entry, const char *dir, const char *path)
{
    static atomic_uint counter;
    unsigned number = atomic_fetch_add(&counter, 1);
    char *hidden = entry_path(dir, ".", number);
    char *shown = entry_path(dir, "", number);
    int fd = -1;
    if (hidden != NULL && shown != NULL) {
        fd = open(hidden, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    if (fd >= 0 && (lock_entry(fd) != 0 || !write_entry(fd, path) || rename(hidden, shown) != 0)) {
        unlink(hidden);
        close(fd);
        fd = -1;
    }
    free(hidden);
    if (fd < 0) {
        free(shown);
        shown = NULL;
    }
    *entry = (struct watch_entry){fd, shown};
}

void watch_unregister(struct watch_entry *entry)
{
    if (entry->fd >= 0) {
        unlink(entry->file);
        close(entry->fd);
        free(entry->file);
        *entry = (struct watch_entry){-1, NULL};
    }
}

/* ---- Listing ---- */

/* Cuts the next line off *text; NULL if there is none. */
static char *next_line(char **text)
{
    char *line = *text;
    char *end = line != NULL ? strchr(line, '\n') : NULL;
    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    *text = end + 1;
    return line;
}

static bool read_entry(int fd, char *text, size_t size, rs_watcher *watcher)
{
    ssize_t got = pread(fd, text, size - 1, 0);
    if (got <= 0) {
        return false;
    }
    text[got] = '\0';
    const char *pid = next_line(&text);
    watcher->program = next_line(&text);
    watcher->path = next_line(&text);
    if (pid == NULL || watcher->program == NULL || watcher->path == NULL) {
        return false;
    }
    watcher->pid = (uint32_t)strtoul(pid, NULL, 10);
    return watcher->pid != 0;
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
    if (!is_locked(fd)) {
        unlinkat(dir_fd, name, 0);
    } else if (read_entry(fd, text, MAX_ENTRY, &watcher)) {
        result = each(context, &watcher);
    }
    close(fd);
    return result;
}

int watch_list(const char *dir, int (*each)(void *context, const rs_watcher *watcher),
               void *context)
{
    char *path;
    if (asprintf(&path, "%s/%s", dir, STORE_WATCHES_DIR) < 0) {
        return RS_ENOMEM;
    }
    DIR *entries = opendir(path);
    free(path);
    if (entries == NULL) {
        return errno == ENOENT ? RS_OK : status_of_errno(errno);
    }
    char *text = malloc(MAX_ENTRY);
    int result = text != NULL ? 0 : RS_ENOMEM;
    const struct dirent *entry;
    while (result == 0 && (entry = readdir(entries)) != NULL) {
        if (entry->d_name[0] != '.') {
            result = list_entry(dirfd(entries), entry->d_name, text, each, context);
        }
    }
    free(text);
    closedir(entries);
    return result;
}
