/* listener - see listener.h. */
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* ---- Accepting ------------------------------------------------------------------------------- */

/* Only time or others can help. */
static void pause_listener(struct listener *listener, int problem)
{
    listener->calls->trouble(listener->owner, problem);
    (void)loop_change(listener->loop, &listener->source, 0);
    loop_set(listener->loop, &listener->retry, LISTENER_RETRY_MS);
}

static void try_again(void *owner)
{
    struct listener *listener = owner;
    (void)loop_change(listener->loop, &listener->source, EPOLLIN);
}

static bool is_shortage(int problem)
{
    return problem == EMFILE || problem == ENFILE || problem == ENOBUFS || problem == ENOMEM;
}

static bool make_room(const struct listener *listener)
{
    return listener->calls->make_room != NULL && listener->calls->make_room(listener->owner);
}

/* Other problems are those of a client that is gone again. Who is called may close the listener. */
static void accept_some(void *owner, uint32_t events)
{
    struct listener *listener = owner;
    (void)events;
    for (unsigned i = 0; i < LISTENER_AT_ONCE && listener->open; i++) {
        int fd = accept4(listener->source.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            listener->calls->accepted(listener->owner, fd);
        } else if (errno == EMFILE && make_room(listener)) {
            continue; /* its descriptor is free now */
        } else if (is_shortage(errno)) {
            pause_listener(listener, errno);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

/* ---- Where it waits -------------------------------------------------------------------------- */

void listener_init(struct listener *listener, struct loop *loop, const struct listener_calls *calls,
                   void *owner)
{
    *listener = (struct listener){.loop = loop, .calls = calls, .owner = owner, .source.fd = -1};
    listener->retry = (struct loop_timer){.expired = try_again, .owner = listener};
}

void listener_close(struct listener *listener)
{
    if (listener->open) {
        loop_unset(listener->loop, &listener->retry);
        loop_remove(listener->loop, &listener->source);
        close(listener->source.fd);
        listener->open = false;
    }
}

static int watch(struct listener *listener, int fd)
{
    listener->source = (struct loop_source){fd, accept_some, listener, false};
    int problem = loop_add(listener->loop, &listener->source, EPOLLIN);
    listener->open = problem == 0;
    return problem;
}

int listener_take(struct listener *listener, int fd)
{
    int old = listener->open ? listener->source.fd : -1;
    loop_unset(listener->loop, &listener->retry);
    loop_remove(listener->loop, &listener->source);
    int problem = watch(listener, fd);
    if (problem != 0 && old >= 0) {
        (void)watch(listener, old);
    } else if (problem == 0) {
        if (old >= 0) {
            close(old);
        }
        listener->host[0] = '\0';
        listener->port = 0;
    }
    return problem;
}

/* ---- TCP ------------------------------------------------------------------------------------- */

union tcp_address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

/* Gives the address's length, or 0 if the text is none. */
static socklen_t parse_address(const char *text, unsigned port, union tcp_address *address)
{
    memset(address, 0, sizeof(*address));
    if (port > 65535) {
        return 0;
    }
    if (inet_pton(AF_INET, text, &address->four.sin_addr) == 1) {
        address->four.sin_family = AF_INET;
        address->four.sin_port = htons((uint16_t)port);
        return sizeof(address->four);
    }
    if (inet_pton(AF_INET6, text, &address->six.sin6_addr) == 1) {
        address->six.sin6_family = AF_INET6;
        address->six.sin6_port = htons((uint16_t)port);
        return sizeof(address->six);
    }
    return 0;
}

int listener_socket(const struct sockaddr *address, socklen_t length)
{
    const int on = 1;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(fd, address, length) == 0 && listen(fd, SOMAXCONN) == 0) {
        return fd;
    }
    int problem = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = problem;
    return -1;
}

static int listen_tcp(const char *host, unsigned port)
{
    union tcp_address address;
    socklen_t length = parse_address(host, port, &address);
    if (length == 0) {
        errno = EINVAL;
        return -1;
    }
    return listener_socket(&address.any, length);
}

static void describe(struct line *problem, const char *address, unsigned port, const char *why)
{
    line_add(problem, "cannot listen at address ");
    line_add_quoted(problem, address);
    line_add(problem, " port %u: %s", port, why);
}

static void name_tcp(struct listener *listener, const char *host, unsigned port)
{
    snprintf(listener->host, sizeof(listener->host), "%s", host);
    listener->port = port;
}

/* Takes a socket that may be -1; 0 or an errno number. */
static int take_tcp(struct listener *listener, int fd, const char *host, unsigned port)
{
    int problem = fd < 0 ? errno : listener_take(listener, fd);
    if (problem == 0) {
        name_tcp(listener, host, port);
    } else if (fd >= 0) {
        close(fd);
    }
    return problem;
}

/* Another address with the same port can collide with the present one, as 0.0.0.0 does with all:
 * the present one is let go for a moment then, and taken back if that was in vain. */
static int listen_instead(struct listener *present, const char *host, unsigned port)
{
    int fd = listen_tcp(host, port);
    if (fd >= 0 || errno != EADDRINUSE || !present->open || present->port != port) {
        return fd;
    }
    char old[INET6_ADDRSTRLEN];
    memcpy(old, present->host, sizeof(old));
    listener_close(present);
    fd = listen_tcp(host, port);
    if (fd < 0) {
        int problem = errno;
        (void)take_tcp(present, listen_tcp(old, port), old, port);
        errno = problem;
    }
    return fd;
}

bool listener_listen(struct listener *listener, const char *address, unsigned port,
                     struct line *problem)
{
    if (port == 0) {
        listener_close(listener);
        return true;
    }
    if (listener->open && listener->port == port && strcmp(listener->host, address) == 0) {
        return true;
    }
    int why = take_tcp(listener, listen_instead(listener, address, port), address, port);
    if (why != 0) {
        describe(problem, address, port, why == EINVAL ? "not an address and port" : strerror(why));
    }
    return why == 0;
}
