/*
 * server_parts - what the files of server share; see server.h for what it is.
 *
 * A server has two entrances and two lists of connections: those that have bound nothing yet, in
 * the order in which they came, and the others, the one that is idle for longest first. One timer
 * looks at the heads of both.
 */
#ifndef RPC_SERVER_PARTS_H
#define RPC_SERVER_PARTS_H

#include "npam.h"
#include "server.h"

#include "../common/listener.h"
#include "../common/seldom.h"

#include <sys/types.h>

#define RPC_READ_SIZE 65536              /* bytes that are read at once */
#define RPC_MOST_HELD (64 * 1024 * 1024) /* bytes that all connections together hold */

/* ---- Troubles, each told at most once in a while ----------------------------------------------
 */

enum trouble {
    TROUBLE_PROTOCOL, /* a client that does what it must not */
    TROUBLE_PIPE,     /* a handshake that cannot be taken */
    TROUBLE_FULL,     /* a connection that had to make room */
    TROUBLE_ACCEPT,   /* connections that cannot be taken */
    TROUBLES
};

/* ---- Connections ----------------------------------------------------------------------------- */

struct connection_list {
    struct connection *first;
    struct connection *last;
};

struct connection {
    struct rpc_server *server;
    struct loop_source source;
    uint32_t events; /* that are waited for */
    struct connection_list *list;
    struct connection *before;
    struct connection *after;
    int64_t since; /* loop_now() when it came, or when bytes last came */

    struct rpc_caller caller;
    char address[80];                    /* of the server, for the bind_ack */
    struct rpc_association *association; /* NULL until smbd's handshake is over */
    bool ending;                         /* closed when the output is sent */

    struct ndr_push handshake; /* what there is of it */
    uint8_t frame_head[2];     /* of the frame that begins */
    unsigned frame_head_size;
    size_t frame_left; /* bytes of the frame that are still to come */

    struct ndr_push unread; /* came, but waits until output is sent */
    struct ndr_push output;
    size_t sent; /* bytes of output */
    size_t held; /* what it was last counted for */
};

/* A Unix socket that was made here. */
struct made_socket {
    char *path; /* NULL: there is none */
    dev_t device;
    ino_t inode;
};

struct entrance {
    struct listener listener;
    struct rpc_server *server;
    enum rpc_transport transport;
    char address[80]; /* as connection.address */
    struct made_socket made;
};

struct rpc_server {
    struct rpc_server_options options;
    struct entrance tcp;
    struct entrance pipe;
    struct connection_list unbound;
    struct connection_list bound;
    unsigned connections;
    uint32_t groups; /* that were given out */
    size_t held;
    struct loop_timer idle;
    struct seldom troubles[TROUBLES];
    uint8_t input[RPC_READ_SIZE];
};

/* Takes a socket that was accepted at an entrance; closes it if there is no memory. */
void connection_open(struct rpc_server *server, const struct entrance *entrance, int fd);
void connection_close(struct connection *connection);
/* Closes connections that were idle for too long, and sets the timer for the next. */
void server_look_at_idle(struct rpc_server *server);
/* Closes the connection that is needed least; false if there is none. */
bool server_make_room(struct rpc_server *server);
void entrance_init(struct entrance *entrance, struct rpc_server *server,
                   enum rpc_transport transport);
void entrance_close(struct entrance *entrance);

/* Logs a line about a stranger unless there was one of this kind lately. */
void server_trouble(struct rpc_server *server, enum trouble kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Who it is about: an address, and an account. */
void server_name_caller(struct line *line, const struct rpc_caller *caller);

#endif
