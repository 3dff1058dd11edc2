/* activation - sockets that the service manager has opened for the service; see activation.h. */
#include "activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A decimal number without a sign, from 1 on; 0: it is none, or too large. */
static int positive(const char *text)
{
    char *end;
    if (text == NULL || text[0] < '0' || text[0] > '9') {
        return 0;
    }
    errno = 0;
    long number = strtol(text, &end, 10);
    return errno == 0 && *end == '\0' && number <= 1 << 30 ? (int)number : 0;
}

static bool has_option(int fd, int option, int expected)
{
    int value;
    socklen_t size = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == expected;
}

static bool is_listening(int fd)
{
    return has_option(fd, SO_TYPE, SOCK_STREAM) && has_option(fd, SO_ACCEPTCONN, 1) &&
           (has_option(fd, SO_DOMAIN, AF_UNIX) || has_option(fd, SO_DOMAIN, AF_INET) ||
            has_option(fd, SO_DOMAIN, AF_INET6));
}

static bool prepare(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
           fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

/* The name that names begins with, cut if it is too long; gives what comes after it. Where there
 * are no more the manager means "unknown". */
static const char *take_name(const char *names, char name[ACTIVATION_NAME])
{
    size_t length = strcspn(names, ":");
    if (*names == '\0') {
        names = "unknown";
        length = strlen(names);
    }
    size_t kept = length < ACTIVATION_NAME ? length : ACTIVATION_NAME - 1;
    memcpy(name, names, kept);
    name[kept] = '\0';
    return names + length + (names[length] == ':');
}

static void refuse(const struct log *log, int fd, const char *name, const char *why)
{
    struct line line = LINE_INIT;
    line_add(&line, "closing the service manager's descriptor %d, ", fd);
    line_add_quoted(&line, name);
    log_line(log, LOG_LINE_WARNING, "%s: %s", line.text, why);
    close(fd);
}

void activation_open(struct activation *activation, const struct log *log, const char *pid,
                     const char *fds, const char *names)
{
    int count = positive(pid) == getpid() ? positive(fds) : 0;
    const char *rest = names != NULL ? names : "";
    activation->count = 0;
    /* A descriptor that is not there ends the row: the manager counts them without a gap. */
    for (int fd = ACTIVATION_FIRST; fd < ACTIVATION_FIRST + count && fcntl(fd, F_GETFD) >= 0;
         fd++) {
        char name[ACTIVATION_NAME];
        rest = take_name(rest, name);
        if (!is_listening(fd) || !prepare(fd)) {
            refuse(log, fd, name, "it is no listening stream socket");
        } else if (activation->count == ACTIVATION_MAX) {
            refuse(log, fd, name, "there are too many");
        } else {
            activation->sockets[activation->count].fd = fd;
            memcpy(activation->sockets[activation->count].name, name, sizeof(name));
            activation->count++;
        }
    }
}

int activation_take(struct activation *activation, const char *name)
{
    for (size_t i = 0; i < activation->count; i++) {
        int fd = activation->sockets[i].fd;
        if (fd >= 0 && strcmp(activation->sockets[i].name, name) == 0) {
            activation->sockets[i].fd = -1;
            return fd;
        }
    }
    return -1;
}

bool activation_lend(int fd, int (*take)(void *server, int fd), void *server, struct line *problem)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    int error = copy >= 0 ? take(server, copy) : errno;
    if (error != 0 && copy >= 0) {
        close(copy);
    }
    if (error != 0) {
        line_add(problem, "cannot use the service manager's socket: %s", strerror(error));
    }
    return error == 0;
}

void activation_close(struct activation *activation, const struct log *log)
{
    for (size_t i = 0; i < activation->count; i++) {
        if (activation->sockets[i].fd >= 0) {
            refuse(log, activation->sockets[i].fd, activation->sockets[i].name,
                   "the service has no use for it");
            activation->sockets[i].fd = -1;
        }
    }
}
