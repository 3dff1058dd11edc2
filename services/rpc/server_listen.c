/* server_listen - where a server listens; see server.h. */
#include "server_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_MODE 0660 /* for smbd, which may have another user but the same group */

/* ---- Accepting ------------------------------------------------------------------------------- */

static void accepted(void *owner, int fd)
{
    const struct entrance *entrance = owner;
    connection_open(entrance->server, entrance, fd);
}

static void cannot_accept(void *owner, int problem)
{
    const struct entrance *entrance = owner;
    server_trouble(entrance->server, TROUBLE_ACCEPT, "connections cannot be accepted: %s",
                   strerror(problem));
}

static bool make_room(void *owner)
{
    const struct entrance *entrance = owner;
    return server_make_room(entrance->server);
}

static const struct listener_calls calls = {accepted, cannot_accept, make_room};

/* ---- Entrances ------------------------------------------------------------------------------- */

void entrance_init(struct entrance *entrance, struct rpc_server *server,
                   enum rpc_transport transport)
{
    *entrance = (struct entrance){.server = server, .transport = transport};
    listener_init(&entrance->listener, server->options.loop, &calls, entrance);
}

/* The socket that was made here is removed, unless another has taken its place. */
static void remove_socket(struct made_socket *made)
{
    struct stat status;
    if (made->path != NULL && lstat(made->path, &status) == 0 && status.st_dev == made->device &&
        status.st_ino == made->inode) {
        (void)unlink(made->path);
    }
    free(made->path);
    made->path = NULL;
}

void entrance_close(struct entrance *entrance)
{
    listener_close(&entrance->listener);
    remove_socket(&entrance->made);
}

bool rpc_server_listen(struct rpc_server *server, const char *address, unsigned port,
                       struct line *problem)
{
    struct entrance *tcp = &server->tcp;
    bool listens = listener_listen(&tcp->listener, address, port, problem);
    snprintf(tcp->address, sizeof(tcp->address), "%u", tcp->listener.port);
    return listens;
}

/* ---- Unix sockets ---------------------------------------------------------------------------- */

static void name_pipe(struct entrance *entrance, const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(entrance->address, sizeof(entrance->address), "\\PIPE\\%.60s",
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
static int make_socket(const char *path, int *fd, struct made_socket *made)
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
    *fd = listener_socket((const struct sockaddr *)&early, sizeof(early));
    made->path = strdup(path);
    if (*fd >= 0 && made->path != NULL && chmod(early.sun_path, SOCKET_MODE) == 0 &&
        lstat(early.sun_path, &status) == 0 && rename(early.sun_path, path) == 0) {
        made->device = status.st_dev;
        made->inode = status.st_ino;
        return 0;
    }
    problem = errno;
    (void)unlink(early.sun_path);
    return problem;
}

/* Takes a socket in the place of the present one; the path of that goes with it. */
static int take_pipe(struct entrance *pipe, int fd, const struct made_socket *made,
                     const char *path)
{
    int problem = listener_take(&pipe->listener, fd);
    if (problem == 0) {
        remove_socket(&pipe->made);
        pipe->made = *made;
        name_pipe(pipe, path);
    }
    return problem;
}

bool rpc_server_listen_pipe(struct rpc_server *server, const char *path, struct line *problem)
{
    struct entrance *present = &server->pipe;
    struct made_socket made = {.path = NULL};
    int fd = -1;
    if (path == NULL) {
        entrance_close(present);
        return true;
    }
    if (present->listener.open && present->made.path != NULL &&
        strcmp(present->made.path, path) == 0) {
        return true;
    }
    int why = make_socket(path, &fd, &made);
    if (why == 0) {
        why = take_pipe(present, fd, &made, path);
    }
    if (why != 0) {
        line_add(problem, "cannot listen at the socket ");
        line_add_quoted(problem, path);
        line_add(problem, ": %s", strerror(why));
        if (fd >= 0) {
            close(fd);
        }
        remove_socket(&made);
    }
    return why == 0;
}

int rpc_server_take_pipe(struct rpc_server *server, int fd)
{
    const struct made_socket none = {.path = NULL};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof(address) - 1;
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
        return errno;
    }
    if (address.sun_family != AF_UNIX) {
        return EAFNOSUPPORT;
    }
    return take_pipe(&server->pipe, fd, &none, address.sun_path);
}
