/*
 * server - where clients of the RPC interfaces of a service come in: a TCP address, and a Unix
 * socket that smbd hands named pipes over to.
 *
 * It hangs itself into the service's loop and never blocks. All that strangers can make it hold is
 * bounded: connections (the one that is idle for longest makes room), what is read ahead, what
 * waits to be sent, lines in the log. Needs loop, log, npam and association; knows no store and no
 * interface.
 */
#ifndef RPC_SERVER_H
#define RPC_SERVER_H

#include "association.h"

#include "../common/line.h"
#include "../common/log.h"
#include "../common/loop.h"

#define RPC_MOST_CONNECTIONS 1024
#define RPC_IDLE_MS (5 * 60 * 1000)    /* without a byte from the client, once it has bound */
#define RPC_UNBOUND_MS (30 * 1000)     /* from the connection to a bind that is accepted */
#define RPC_MOST_PENDING (1024 * 1024) /* bytes of answers; with more, reading waits */

struct rpc_server;

struct rpc_server_options {
    struct loop *loop;
    const struct log *log;
    const struct rpc_interface *interfaces; /* outlives the server */
    size_t interface_count;
    void *owner; /* for the interfaces' calls and for admit */
    /* Whether this caller may call now. Asked of a named pipe when smbd hands it over, and of every
     * caller before each call, so that a setting that changes reaches pipes that are open. NULL:
     * everybody may. */
    bool (*admit)(void *owner, const struct rpc_caller *caller);
};

/* Without any place to listen at. 0 or an errno number. The options are copied. */
int rpc_server_open(const struct rpc_server_options *options, struct rpc_server **server);
/* Ends all connections. */
void rpc_server_close(struct rpc_server *server);

/* Listens at this numeric address (IPv4 or IPv6) and port, instead of where it did; port 0:
 * nowhere. Connections that there are stay. If it cannot, it says why and goes on where it did.
 * Asked for the same place again it does nothing. */
bool rpc_server_listen(struct rpc_server *server, const char *address, unsigned port,
                       struct line *problem);
/* Listens for smbd at a Unix socket of this path, which only the owner and his group may open; a
 * socket that is there already is replaced, and removed by rpc_server_close(). NULL: at none. */
bool rpc_server_listen_pipe(struct rpc_server *server, const char *path, struct line *problem);
/* The same at a listening Unix socket that another made, and which becomes the server's. 0 or an
 * errno number. */
int rpc_server_take_pipe(struct rpc_server *server, int fd);

/* How many connections there are. */
unsigned rpc_server_connections(const struct rpc_server *server);

#endif
