/*
 * deliver_file - a document at the end of a file, or written to a device.
 *
 * A file has no jobs, so one is kept whole by a lock: none of ours begins in the middle of another.
 * What did not fit is taken back, if nobody else has written meanwhile. A terminal line is made to
 * pass bytes as they are, with the parameters that the target has, and gets its own settings back
 * when all of it has left. What stands under the target's name may have been put there by somebody
 * who may write in that directory, and who is not to choose where the rights of who prints lead: a
 * symbolic link is followed only if root or this process's user owns it, and so has made it. Needs
 * deliver and deliver_line.
 */
#include "deliver.h"
#include "deliver_line.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LINKS_MOST 8 /* that lead to each other */
#define OPEN_FLAGS (O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

struct file {
    struct delivery *delivery;
    char path[PATH_MAX]; /* behind all links */
    int fd;
    bool regular;
    bool is_line; /* and settings are those that it had */
    struct termios settings;
    off_t begin; /* of the document, in a regular file */
    off_t written;
};

static void close_file(struct file *file)
{
    if (file->is_line) {
        deliver_line_restore(file->fd, &file->settings);
    }
    close(file->fd);
    free(file);
}

/* Puts what a link says in the place of its own path. 0 or an errno number. */
static int go_on(char path[PATH_MAX], const char *leads)
{
    const char *name = strrchr(path, '/');
    size_t kept = leads[0] == '/' || name == NULL ? 0 : (size_t)(name + 1 - path);
    size_t length = strlen(leads);
    if (kept + length >= PATH_MAX) {
        return ENAMETOOLONG;
    }
    memcpy(path + kept, leads, length + 1);
    return 0;
}

/* Whether links here are the kernel's own, which lead where no path does: /proc/self/fd/1. */
static bool is_of_kernel(int link)
{
    struct statfs facts;
    return fstatfs(link, &facts) == 0 && facts.f_type == PROC_SUPER_MAGIC;
}

/* Reads a link that is held open, so it is the one that is looked at, whatever its name is now. 0
 * or an errno number. */
static int read_link(int link, char leads[PATH_MAX], struct line *why)
{
    struct stat facts;
    if (fstat(link, &facts) != 0) {
        return errno;
    }
    if (facts.st_uid != 0 && facts.st_uid != geteuid()) {
        line_add(why, "it is a symbolic link of another user's, which is not followed");
        return EPERM;
    }
    ssize_t length = readlinkat(link, "", leads, PATH_MAX - 1);
    if (length < 0) {
        return errno;
    }
    leads[length] = '\0';
    return 0;
}

/* A descriptor, or -1 with errno; -1 and 0: path is now what the link leads to. */
static int follow(char path[PATH_MAX], struct line *why)
{
    char leads[PATH_MAX];
    int fd = -1;
    int link = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (link < 0) {
        return -1;
    }
    if (is_of_kernel(link)) {
        fd = open(path, OPEN_FLAGS, 0666);
    } else {
        errno = read_link(link, leads, why);
        errno = errno == 0 ? go_on(path, leads) : errno;
    }
    int error = errno;
    close(link);
    errno = error;
    return fd;
}

static int open_behind_links(char path[PATH_MAX], struct line *why)
{
    for (unsigned links = 0; links <= LINKS_MOST; links++) {
        int fd = open(path, OPEN_FLAGS | O_NOFOLLOW, 0666);
        if (fd >= 0 || errno != ELOOP) {
            return fd;
        }
        fd = follow(path, why);
        if (fd >= 0 || errno != 0) {
            return fd;
        }
    }
    errno = ELOOP;
    return -1;
}

/* Without waiting for a reader or a carrier, who may never come; what is written then waits. */
static int open_target(char path[PATH_MAX], struct line *why)
{
    int fd = open_behind_links(path, why);
    if (fd >= 0 && fcntl(fd, F_SETFL, O_APPEND) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* A file system without locks has none. */
static enum outcome lock_target(const struct file *file, struct line *why)
{
    int mode = LOCK_EX | (file->delivery->patient ? 0 : LOCK_NB);
    int status;
    do {
        status = flock(file->fd, mode);
    } while (status != 0 && errno == EINTR);
    if (status != 0 && errno == EWOULDBLOCK) {
        line_add(why, "another job is being written to it");
        return DELIVER_REFUSED;
    }
    return DELIVER_DONE;
}

static enum outcome look_at(struct file *file, struct line *why)
{
    struct stat facts;
    enum outcome outcome = lock_target(file, why);
    if (outcome != DELIVER_DONE) {
        return outcome;
    }
    if (fstat(file->fd, &facts) != 0) {
        deliver_add_error(why, errno);
        return DELIVER_REFUSED;
    }
    file->regular = S_ISREG(facts.st_mode);
    file->begin = facts.st_size;
    if (isatty(file->fd)) {
        file->is_line =
            deliver_line_set(file->fd, file->delivery->target->line, &file->settings, why);
        return file->is_line ? DELIVER_DONE : DELIVER_REFUSED;
    }
    return DELIVER_DONE;
}

/* Nobody reads a FIFO, nothing hangs at the device's end, or the medium is gone. */
static bool means_away(int error)
{
    return error == ENXIO || error == ENODEV || error == ENOENT || error == EIO;
}

static enum outcome begin(struct delivery *delivery, void **state, struct line *why)
{
    struct file *file = calloc(1, sizeof(*file));
    if (file == NULL) {
        line_add(why, "out of memory");
        return DELIVER_REFUSED;
    }
    file->delivery = delivery;
    file->fd = -1;
    errno = go_on(file->path, delivery->target->name);
    if (errno == 0) {
        file->fd = open_target(file->path, why);
    }
    if (file->fd < 0) {
        enum outcome outcome = means_away(errno) ? DELIVER_AWAY : DELIVER_REFUSED;
        if (why->length == 0) {
            deliver_add_error(why, errno);
        }
        free(file);
        return outcome;
    }
    enum outcome outcome = look_at(file, why);
    if (outcome != DELIVER_DONE) {
        close_file(file);
        return outcome;
    }
    *state = file;
    return DELIVER_DONE;
}

/* Counts what was written, also of a write that fails. */
static bool write_part(void *state, const char *bytes, size_t size, struct line *why)
{
    struct file *file = state;
    if (!deliver_sending(file->delivery, why)) {
        return false;
    }
    while (size > 0) {
        ssize_t written = write(file->fd, bytes, size);
        if (written < 0 && errno != EINTR) {
            deliver_add_error(why, errno);
            return false;
        }
        size_t part = written > 0 ? (size_t)written : 0;
        bytes += part;
        size -= part;
        file->written += (off_t)part;
    }
    return true;
}

/* What has no memory cannot be synchronized, which is no failure. */
static bool synchronize(int fd)
{
    return fsync(fd) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP;
}

/* A file that was made just now is there after a power loss only if its directory says so. */
static bool synchronize_directory(const char *path)
{
    char *copy = strdup(path);
    int fd = copy != NULL ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool good = fd < 0 || synchronize(fd);
    if (fd >= 0) {
        close(fd);
    }
    free(copy);
    return good;
}

static enum outcome end(void *state, struct line *why)
{
    struct file *file = state;
    bool good = file->is_line ? deliver_line_drain(file->fd) : synchronize(file->fd);
    good = good && (!file->regular || file->begin != 0 || synchronize_directory(file->path));
    if (!good) {
        deliver_add_error(why, errno);
    }
    close_file(file);
    return good ? DELIVER_DONE : DELIVER_UNKNOWN;
}

static bool take_back(const struct file *file)
{
    struct stat now;
    return fstat(file->fd, &now) == 0 && now.st_size == file->begin + file->written &&
           ftruncate(file->fd, file->begin) == 0 && synchronize(file->fd);
}

static enum outcome end_early(void *state)
{
    struct file *file = state;
    bool clean = file->written == 0 || (file->regular && take_back(file));
    close_file(file);
    return clean ? DELIVER_REFUSED : DELIVER_UNKNOWN;
}

const struct transport deliver_file = {false, begin, write_part, end, end_early};
