/* server_listen - where a server listens; see server.h. */
#include "server_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define RETRY_MS 200     /* after a connection that could not be accepted */
#define MOST_AT_ONCE 64  /* connections that are accepted in one go */
#define SOCKET_MODE 0660 /* for smbd, which may have another user but the same group */

/* ---- Accepting ------------------------------------------------------------------------------- */

/* Descriptors or memory are short, which only time or others can help: the socket stays readable,
 * so it is left alone for a while. */
static void pause_listener(struct listener *listener, int problem)
{
    struct rpc_server *server = listener->server;
    server_trouble(server, TROUBLE_ACCEPT, "connections cannot be accepted: %s", strerror(problem));
    (void)loop_change(server->options.loop, &listener->source, 0);
    loop_set(server->options.loop, &server->retry, RETRY_MS);
}

void server_retry(void *owner)
{
    struct rpc_server *server = owner;
    struct listener *listeners[] = {&server->tcp, &server->pipe};
    for (size_t i = 0; i < 2; i++) {
        if (listeners[i]->open) {
            (void)loop_change(server->options.loop, &listeners[i]->source, EPOLLIN);
        }
    }
}

static bool is_shortage(int problem)
{
    return problem == EMFILE || problem == ENFILE || problem == ENOBUFS || problem == ENOMEM;
}

/* Other problems are those of a client that is gone again. */
static void accept_some(void *owner, uint32_t events)
{
    struct listener *listener = owner;
    struct rpc_server *server = listener->server;
    (void)events;
    for (unsigned i = 0; i < MOST_AT_ONCE; i++) {
        int fd = accept4(listener->source.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            connection_open(server, listener, fd);
        } else if (errno == EMFILE && server_make_room(server)) {
            continue; /* its descriptor is free now */
        } else if (is_shortage(errno)) {
            pause_listener(listener, errno);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

/* ---- Listeners ------------------------------------------------------------------------------- */

/* The socket that was made here is removed, unless another has taken its place. */
static void remove_socket(struct listener *listener)
{
    struct stat status;
    if (listener->path != NULL && lstat(listener->path, &status) == 0 &&
        status.st_dev == listener->device && status.st_ino == listener->inode) {
        (void)unlink(listener->path);
    }
    free(listener->path);
    listener->path = NULL;
}

void listener_close(struct listener *listener)
{
    if (listener->open) {
        loop_remove(listener->server->options.loop, &listener->source);
        close(listener->source.fd);
        remove_socket(listener);
        listener->open = false;
    }
}

/* Waits for connections at the next listener's socket instead of at the present one's. */
static int replace(struct listener *present, const struct listener *next)
{
    struct loop *loop = present->server->options.loop;
    struct listener old = *present;
    loop_remove(loop, &present->source);
    *present = *next;
    present->source = (struct loop_source){next->source.fd, accept_some, present, false};
    present->open = true;
    int problem = loop_add(loop, &present->source, EPOLLIN);
    if (problem != 0) {
        *present = old;
        present->open = old.open && loop_add(loop, &present->source, EPOLLIN) == 0;
    } else if (old.open) {
        close(old.source.fd);
        remove_socket(&old);
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

/* A listening socket, or -1 with errno. */
static int listen_at(const struct sockaddr *address, socklen_t length)
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
    return listen_at(&address.any, length);
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
    snprintf(listener->address, sizeof(listener->address), "%u", port);
    listener->port = port;
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
        struct listener back = *present;
        back.source.fd = listen_tcp(old, port);
        if (back.source.fd >= 0) {
            (void)replace(present, &back);
        }
        errno = problem;
    }
    return fd;
}

bool rpc_server_listen(struct rpc_server *server, const char *address, unsigned port,
                       struct line *problem)
{
    struct listener *present = &server->tcp;
    struct listener next = {.server = server, .transport = RPC_OVER_TCP};
    if (port == 0) {
        listener_close(present);
        return true;
    }
    if (present->open && present->port == port && strcmp(present->host, address) == 0) {
        return true;
    }
    next.source.fd = listen_instead(present, address, port);
    int why = next.source.fd < 0 ? errno : 0;
    if (why == 0) {
        name_tcp(&next, address, port);
        why = replace(present, &next);
    }
    if (why != 0) {
        describe(problem, address, port, why == EINVAL ? "not an address and port" : strerror(why));
        if (next.source.fd >= 0) {
            close(next.source.fd);
        }
    }
    return why == 0;
}

/* ---- Unix sockets ---------------------------------------------------------------------------- */

static void name_pipe(struct listener *listener, const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(listener->address, sizeof(listener->address), "\\PIPE\\%.60s",
             slash != NULL ? slash + 1 : path);
}

static bool fill_path(struct sockaddr_un *address, const char *path, const char *suffix)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int length = snprintf(address->sun_path, sizeof(address->sun_path), "%s%s", path, suffix);
    return length > 0 && (size_t)length < sizeof(address->sun_path);
}

/* Whether somebody listens there; a socket that a dead process left answers nobody. */
static bool is_alive(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool alive = fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
                             errno == EAGAIN);
    if (fd >= 0) {
        close(fd);
    }
    return alive;
}

/* 0, or why nothing may be put in the place of what is there. */
static int check_place(const struct sockaddr_un *address)
{
    struct stat status;
    if (lstat(address->sun_path, &status) != 0) {
        return errno == ENOENT ? 0 : errno;
    }
    if (!S_ISSOCK(status.st_mode)) {
        return EEXIST;
    }
    return is_alive(address) ? EADDRINUSE : 0;
}

/* Makes the socket under another name first: what has the path can always be connected to. */
static int make_socket(const char *path, struct listener *next)
{
    struct sockaddr_un address;
    struct sockaddr_un early;
    struct stat status;
    if (!fill_path(&address, path, "") || !fill_path(&early, path, ".new")) {
        return ENAMETOOLONG;
    }
    int problem = check_place(&address);
    if (problem != 0) {
        return problem;
    }
    (void)unlink(early.sun_path);
    next->source.fd = listen_at((const struct sockaddr *)&early, sizeof(early));
    next->path = strdup(path);
    if (next->source.fd >= 0 && next->path != NULL && chmod(early.sun_path, SOCKET_MODE) == 0 &&
        lstat(early.sun_path, &status) == 0 && rename(early.sun_path, path) == 0) {
        next->device = status.st_dev;
        next->inode = status.st_ino;
        return 0;
    }
    problem = errno;
    (void)unlink(early.sun_path);
    return problem;
}

static void drop_socket(struct listener *next)
{
    if (next->source.fd >= 0) {
        close(next->source.fd);
    }
    remove_socket(next);
}

bool rpc_server_listen_pipe(struct rpc_server *server, const char *path, struct line *problem)
{
    struct listener *present = &server->pipe;
    struct listener next = {.server = server, .transport = RPC_OVER_PIPE, .source.fd = -1};
    if (path == NULL) {
        listener_close(present);
        return true;
    }
    if (present->open && present->path != NULL && strcmp(present->path, path) == 0) {
        return true;
    }
    int why = make_socket(path, &next);
    if (why == 0) {
        name_pipe(&next, path);
        why = replace(present, &next);
    }
    if (why != 0) {
        line_add(problem, "cannot listen at the socket ");
        line_add_quoted(problem, path);
        line_add(problem, ": %s", strerror(why));
        drop_socket(&next);
    }
    return why == 0;
}

int rpc_server_take_pipe(struct rpc_server *server, int fd)
{
    struct listener next = {.server = server, .transport = RPC_OVER_PIPE, .source.fd = fd};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof(address) - 1;
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
        return errno;
    }
    if (address.sun_family != AF_UNIX) {
        return EAFNOSUPPORT;
    }
    name_pipe(&next, address.sun_path);
    return replace(&server->pipe, &next);
}
