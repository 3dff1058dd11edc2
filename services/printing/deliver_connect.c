/* deliver_connect - a TCP connection to a printer, with a limit in time; see deliver.h. */
#include "deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_RESERVED 721 /* RFC 1179 3.1 */
#define LAST_RESERVED 731

/* 0 or an errno number. */
static int wait_connected(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof(error);
    int ready;
    do {
        ready = poll(&wait, 1, DELIVER_CONNECT_MS);
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0) {
        return ready == 0 ? ETIMEDOUT : errno;
    }
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

/* Who may not have such a port, goes from another. */
static bool bind_reserved(int fd, int family, unsigned port)
{
    const int yes = 1;
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    return family == AF_INET6 ? bind(fd, (const struct sockaddr *)&six, sizeof(six)) == 0
                              : bind(fd, (const struct sockaddr *)&four, sizeof(four)) == 0;
}

/* source 0: any port. The descriptor, or -1 with errno. */
static int connect_from(const struct addrinfo *address, unsigned source)
{
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    address->ai_protocol);
    if (fd < 0) {
        return -1;
    }
    int error = 0;
    if (source != 0 && !bind_reserved(fd, address->ai_family, source)) {
        error = errno;
    } else if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        error = errno == EINPROGRESS || errno == EINTR ? wait_connected(fd) : errno;
    }
    if (error != 0) {
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static int connect_to(const struct addrinfo *address, bool reserved)
{
    for (unsigned source = LAST_RESERVED; reserved && source >= FIRST_RESERVED; source--) {
        int fd = connect_from(address, source);
        if (fd >= 0 || (errno != EADDRINUSE && errno != EADDRNOTAVAIL && errno != EACCES)) {
            return fd;
        }
        reserved = errno != EACCES;
    }
    return connect_from(address, 0);
}

/* From here on it blocks, as long as the other side is there; a host that has gone is noticed. */
static void prepare(int fd)
{
    const int yes = 1;
    const int idle = 60;
    const int apart = 10;
    (void)fcntl(fd, F_SETFL, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &apart, sizeof(apart));
}

enum outcome deliver_connect(const char *host, unsigned port, bool reserved, int *fd,
                             struct line *why)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    char service[16];
    int error = EHOSTUNREACH;
    (void)snprintf(service, sizeof(service), "%u", port);
    int status = getaddrinfo(host, service, &hints, &found);
    if (status != 0) {
        line_add(why, "the host is not found: %s", gai_strerror(status));
        return DELIVER_AWAY;
    }
    *fd = -1;
    for (const struct addrinfo *each = found; each != NULL && *fd < 0; each = each->ai_next) {
        *fd = connect_to(each, reserved);
        error = errno;
    }
    freeaddrinfo(found);
    if (*fd < 0) {
        deliver_add_error(why, error);
        return DELIVER_AWAY;
    }
    prepare(*fd);
    return DELIVER_DONE;
}
