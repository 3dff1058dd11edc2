/* job - its files, who prints it, and its end; see job.h. */
#include "job.h"
#include "job_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define OWN_MODE 0600

/* ---- Files ----------------------------------------------------------------------------------- */

static bool is_own(int directory, const struct stat *file)
{
    struct stat around;
    return fstat(directory, &around) == 0 && S_ISREG(file->st_mode) &&
           file->st_uid == around.st_uid && (file->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

int job_open_file(int directory, const char *name, int flags)
{
    /* O_NONBLOCK: opening a planted pipe does not wait for its other end. */
    int fd =
        openat(directory, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, OWN_MODE);
    if (fd < 0) {
        return -1;
    }
    struct stat file;
    bool own = fstat(fd, &file) == 0 && is_own(directory, &file);
    /* A umask may have taken its owner's own rights. */
    if (own && (flags & O_CREAT) != 0 && (file.st_mode & 07777) != OWN_MODE) {
        own = fchmod(fd, OWN_MODE) == 0;
    }
    if (!own) {
        close(fd);
        errno = EPERM;
        return -1;
    }
    return fd;
}

ssize_t job_read_at(int fd, void *bytes, size_t size, off_t from)
{
    size_t length = 0;
    while (length < size) {
        ssize_t got = pread(fd, (char *)bytes + length, size - length, from + (off_t)length);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? -1 : (ssize_t)length;
        }
        length += (size_t)got;
    }
    return (ssize_t)length;
}

int job_read_file(int directory, const char *name, char *text, size_t size)
{
    int fd = job_open_file(directory, name, O_RDONLY);
    if (fd < 0) {
        return errno;
    }
    ssize_t length = job_read_at(fd, text, size, 0);
    int problem = length < 0 ? errno : 0;
    close(fd);
    if (problem != 0) {
        return problem;
    }
    if ((size_t)length == size) {
        return EFBIG;
    }
    text[length] = '\0';
    return strlen(text) == (size_t)length ? 0 : EILSEQ;
}

int job_write_at(int fd, const char *text, size_t length, off_t from)
{
    while (length > 0) {
        ssize_t written = pwrite(fd, text, length, from);
        if (written < 0 && errno != EINTR) {
            return errno;
        }
        if (written > 0) {
            text += written;
            from += written;
            length -= (size_t)written;
        }
    }
    return 0;
}

/* Cut only where it is longer: a file system waits for a size that has changed. */
int job_write_file(int directory, const char *name, const char *text, size_t length)
{
    struct stat file;
    int fd = job_open_file(directory, name, O_WRONLY | O_CREAT);
    if (fd < 0) {
        return errno;
    }
    int problem = job_write_at(fd, text, length, 0);
    if (problem == 0 && (fstat(fd, &file) != 0 ||
                         (file.st_size != (off_t)length && ftruncate(fd, (off_t)length) != 0))) {
        problem = errno;
    }
    close(fd);
    return problem;
}

/* Gives the descriptor of a file that was not there, or -1 with errno, and it is not. */
static int make_file(int directory, const char *name, const char *text, size_t length)
{
    int fd =
        openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, OWN_MODE);
    if (fd < 0) {
        return -1;
    }
    int problem = fchmod(fd, OWN_MODE) == 0 ? job_write_at(fd, text, length, 0) : errno;
    if (problem != 0) {
        (void)unlinkat(directory, name, 0);
        close(fd);
        errno = problem;
        return -1;
    }
    return fd;
}

int job_replace_file(int directory, const char *name, const char *text)
{
    char next[NAME_MAX + 1];
    if ((size_t)snprintf(next, sizeof(next), "%s.new", name) >= sizeof(next)) {
        return ENAMETOOLONG;
    }
    if (unlinkat(directory, next, 0) != 0 && errno != ENOENT) {
        return errno;
    }
    int fd = make_file(directory, next, text, strlen(text));
    if (fd < 0) {
        return errno;
    }
    int problem = fdatasync(fd) == 0 ? 0 : errno;
    close(fd);
    if (problem == 0 && renameat(directory, next, directory, name) != 0) {
        problem = errno;
    }
    if (problem != 0) {
        (void)unlinkat(directory, next, 0);
        return problem;
    }
    return fsync(directory) == 0 ? 0 : errno;
}

/* ---- Texts ----------------------------------------------------------------------------------- */

bool job_is_name(const char *name)
{
    size_t length = strspn(name, "0123456789");
    return length > 0 && length < JOB_NAME && name[length] == '\0';
}

bool job_take_number(const char **text, uint64_t most, uint64_t *number)
{
    const char *at = *text;
    uint64_t value = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (digit > most || value > (most - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    if (at == *text) {
        return false;
    }
    *text = at;
    *number = value;
    return true;
}

uint32_t job_sum(uint32_t sum, const void *bytes, size_t size)
{
    return size > 0 ? (uint32_t)crc32_z(sum, bytes, size) : sum;
}

enum job_reading job_failed_reading(int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EAGAIN:
    case EINTR:
    case EROFS: /* of the claim */
        return JOB_UNREADABLE;
    default:
        return JOB_DAMAGED;
    }
}

/* ---- Claim ----------------------------------------------------------------------------------- */

/* The lock's length is the number of the process that has it: so whoever asks for the lock learns
 * at once who has it, which F_OFD_GETLK does not tell otherwise. All locks begin at 0, so only one
 * is there. */
static struct flock lock_of(pid_t process)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = process};
}

int job_claim(int directory)
{
    int fd = job_open_file(directory, JOB_STATE, O_RDWR);
    if (fd < 0) {
        return -1;
    }
    struct flock lock = lock_of(getpid());
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
        int problem = errno == EACCES ? EAGAIN : errno;
        close(fd);
        errno = problem;
        return -1;
    }
    return fd;
}

pid_t job_claimed_by(int directory)
{
    int fd = job_open_file(directory, JOB_STATE, O_RDONLY);
    if (fd < 0) {
        return 0;
    }
    struct flock lock = lock_of(1);
    bool asked = fcntl(fd, F_OFD_GETLK, &lock) == 0;
    close(fd);
    return asked && lock.l_type != F_UNLCK ? (pid_t)lock.l_len : 0;
}

int job_finish(int spool, const char *name)
{
    char from[JOB_NAME + 8];
    char to[JOB_NAME + 8];
    if (!job_is_name(name)) {
        return EINVAL;
    }
    snprintf(from, sizeof(from), "jobs/%s", name);
    snprintf(to, sizeof(to), "done/%s", name);
    return renameat2(spool, from, spool, to, RENAME_NOREPLACE) == 0 ? 0 : errno;
}
