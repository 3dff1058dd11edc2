/* job - how far one is, who prints it, and its files; see job.h. */
#include "job.h"
#include "job_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE "state"
#define STATE_SIZE 64 /* bytes of its text, at most */

/* ---- Files ----------------------------------------------------------------------------------- */

static bool is_own(int directory, int file)
{
    struct stat around;
    struct stat it;
    return fstat(directory, &around) == 0 && fstat(file, &it) == 0 && S_ISREG(it.st_mode) &&
           it.st_uid == around.st_uid && (it.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

int job_open_file(int directory, const char *name, int flags)
{
    /* O_NONBLOCK: opening a planted pipe does not wait for its other end. */
    int fd = openat(directory, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
    if (fd < 0) {
        return -1;
    }
    /* A umask may have taken its owner's own rights. */
    bool made = (flags & O_CREAT) != 0;
    if (!is_own(directory, fd) || (made && fchmod(fd, 0600) != 0)) {
        close(fd);
        errno = EPERM;
        return -1;
    }
    return fd;
}

/* Reads up to size bytes; the count, or -1 with errno. */
static ssize_t read_up_to(int fd, char *text, size_t size)
{
    size_t length = 0;
    while (length < size) {
        ssize_t got = read(fd, text + length, size - length);
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
    ssize_t length = read_up_to(fd, text, size);
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

static int write_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, text, length);
        if (written < 0 && errno != EINTR) {
            return errno;
        }
        if (written > 0) {
            text += written;
            length -= (size_t)written;
        }
    }
    return 0;
}

int job_make_file(int directory, const char *name, const char *text, size_t length)
{
    int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return -1;
    }
    int problem = fchmod(fd, 0600) == 0 ? write_all(fd, text, length) : errno;
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
    int fd = job_make_file(directory, next, text, strlen(text));
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

bool job_take_number(const char **text, uint64_t most, uint64_t *number)
{
    const char *at = *text;
    uint64_t value = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (most - digit) / 10 || digit > most) {
            return false;
        }
        value = value * 10 + digit;
    }
    if (at == *text || (*at != ' ' && *at != '\0')) {
        return false;
    }
    *text = at;
    *number = value;
    return true;
}

/* ---- State ----------------------------------------------------------------------------------- */

static void put_state(const struct job_state *state, char text[STATE_SIZE])
{
    snprintf(text, STATE_SIZE, "printed %u\n%s", state->printed, state->sending ? "sending\n" : "");
}

/* Only exactly what is written for a state is one, so that no torn text is. */
static bool parse_state(const char *text, struct job_state *state)
{
    char expected[STATE_SIZE];
    struct job_state read = {.sending = strstr(text, "sending") != NULL};
    if (sscanf(text, "printed %9u", &read.printed) != 1) {
        return false;
    }
    put_state(&read, expected);
    if (strcmp(text, expected) != 0) {
        return false;
    }
    *state = read;
    return true;
}

bool job_read_state(int directory, struct job_state *state, struct line *problem)
{
    char text[STATE_SIZE];
    int number = job_read_file(directory, STATE, text, sizeof(text));
    if (number == ENOENT) {
        *state = (struct job_state){0};
        return true;
    }
    if (number != 0) {
        line_add(problem, STATE ": %s", strerror(number));
        return false;
    }
    if (!parse_state(text, state)) {
        line_add(problem, STATE ": is damaged");
        return false;
    }
    return true;
}

bool job_write_state(int directory, const struct job_state *state, struct line *problem)
{
    char text[STATE_SIZE];
    put_state(state, text);
    int number = job_replace_file(directory, STATE, text);
    if (number != 0) {
        line_add(problem, STATE ": %s", strerror(number));
    }
    return number == 0;
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
    int fd = job_open_file(directory, "claim", O_RDWR | O_CREAT);
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
    int fd = job_open_file(directory, "claim", O_RDONLY);
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
    if (strlen(name) >= JOB_NAME || strchr(name, '/') != NULL || name[0] == '.') {
        return EINVAL;
    }
    snprintf(from, sizeof(from), "jobs/%s", name);
    snprintf(to, sizeof(to), "done/%s", name);
    return renameat2(spool, from, spool, to, RENAME_NOREPLACE) == 0 ? 0 : errno;
}
