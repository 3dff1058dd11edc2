/*
 * deliver_file - a document at the end of a file, or written to a device.
 *
 * A file has no jobs, so one is kept whole by a lock: none of ours begins in the middle of another.
 * What did not fit is taken back, if nobody else has written meanwhile. A terminal line is made to
 * pass bytes as they are, with the parameters that the target has, and gets its own settings back
 * when all of it has left. Needs deliver, deliver_line and deliver_path.
 */
#include "deliver.h"
#include "deliver_line.h"
#include "deliver_path.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Without waiting for a reader or a carrier, who may never come; what is written then waits. */
static int open_target(const char *name, char path[PATH_MAX], struct line *why)
{
    int fd = deliver_open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                          path, why);
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
    file->fd = open_target(delivery->target->name, file->path, why);
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
