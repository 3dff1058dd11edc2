/* notify - tells the service manager what state the service is in; see notify.h. */
#include "notify.h"

#include "line.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int address_of(const char *name, struct sockaddr_un *address, socklen_t *size)
{
    size_t length = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || length < 2) {
        return EINVAL;
    }
    if (length >= sizeof(address->sun_path)) {
        return ENAMETOOLONG;
    }
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, name, length);
    if (name[0] == '@') {
        address->sun_path[0] = '\0';
    }
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return 0;
}

/* A lost READY=1 leaves the service "reloading" in the manager's eyes, so a full queue is waited
 * for; a manager that hangs must not hang the service, so not for long. */
static ssize_t send_patiently(int fd, const struct sockaddr_un *address, socklen_t size,
                              const char *message)
{
    const struct timeval patience = {.tv_sec = 1};
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0) {
        return -1;
    }
    return sendto(fd, message, strlen(message), MSG_NOSIGNAL, (const struct sockaddr *)address,
                  size);
}

int notify_send(const char *socket_name, const char *message)
{
    struct sockaddr_un address;
    socklen_t size;
    int problem = address_of(socket_name, &address, &size);
    if (problem != 0) {
        return problem;
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    problem = send_patiently(fd, &address, size, message) < 0 ? errno : 0;
    close(fd);
    return problem;
}

static void tell(struct notifier *notifier, const char *message)
{
    int problem = notifier->socket_name != NULL ? notify_send(notifier->socket_name, message) : 0;
    if (problem != 0) {
        log_line(notifier->log, LOG_LINE_WARNING, "cannot notify %s: %s", notifier->socket_name,
                 strerror(problem));
        notifier->socket_name = NULL;
    }
}

void notify_ready(struct notifier *notifier, const char *status)
{
    struct line message = LINE_INIT;
    line_add(&message, "READY=1\nSTATUS=%s", status);
    tell(notifier, message.text);
}

void notify_status(struct notifier *notifier, const char *status)
{
    struct line message = LINE_INIT;
    line_add(&message, "STATUS=%s", status);
    tell(notifier, message.text);
}

void notify_reloading(struct notifier *notifier)
{
    struct line message = LINE_INIT;
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    line_add(&message, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
             (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    tell(notifier, message.text);
}

void notify_stopping(struct notifier *notifier)
{
    tell(notifier, "STOPPING=1");
}
