/*
 * rpc_rig.h - an RPC server in a loop of the test's own, and sockets of clients that are driven by
 * hand in the same thread.
 *
 * Nothing waits for a time: turn_until() runs the loop until something is true, and fails the test
 * if that does not come about.
 */
#ifndef RPC_RIG_H
#define RPC_RIG_H

#include "harness.h"
#include "rpc_messages.h"

#include "../services/rpc/server_parts.h"

struct rpc_rig {
    unsigned calls; /* of the echo interface, which counts here */
    bool refuse;    /* what admit says of pipes */
    struct loop loop;
    struct log log;
    int log_fds[2]; /* a pipe: what was logged */
    struct rpc_server *server;
    unsigned port;
};

/* With a server that listens on a free port of 127.0.0.1. */
void rpc_rig_open(struct rpc_rig *rig);
void rpc_rig_close(struct rpc_rig *rig);
/* A port of 127.0.0.1 that nobody has at this moment. */
unsigned free_port(void);

/* Gives false, and fails, if it is not true after some seconds. */
bool turn_until(struct rpc_rig *rig, bool (*is_true)(void *argument), void *argument);
/* Lets the server see all that has come. */
void turn(struct rpc_rig *rig);
/* The lines logged since the last call; there is one buffer. */
const char *logged(struct rpc_rig *rig);

/* A client's socket, non-blocking. */
int connect_tcp(const struct rpc_rig *rig);
int connect_pipe(const char *path);
void say(int fd, const void *bytes, size_t size);
/* What came, at least so many bytes unless the connection ends before; their number. */
size_t hear(struct rpc_rig *rig, int fd, uint8_t *bytes, size_t least, size_t most);
/* Whether the server has closed it. */
bool is_closed(struct rpc_rig *rig, int fd);

#endif
