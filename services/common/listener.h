/*
 * listener - where a service waits for clients to connect.
 *
 * A listener has one socket: one that it opens at an address and port, or one that it is given. It
 * can be moved to another while it is in use, and stays where it is if that cannot be. When
 * descriptors or memory are short it is left alone for a while, as its socket stays readable.
 * Needs loop and line.
 */
#ifndef SERVICE_LISTENER_H
#define SERVICE_LISTENER_H

#include "line.h"
#include "loop.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#define LISTENER_AT_ONCE 64   /* connections that are accepted in one go */
#define LISTENER_RETRY_MS 200 /* after a connection that could not be accepted */

struct listener_calls {
    /* A client; the descriptor is the callee's to close. */
    void (*accepted)(void *owner, int fd);
    /* Connections cannot be accepted: an errno number. */
    void (*trouble)(void *owner, int problem);
    /* Closes another client, as descriptors are short; false: it has none. May be NULL. */
    bool (*make_room)(void *owner);
};

struct listener {
    struct loop *loop;
    const struct listener_calls *calls;
    void *owner;
    struct loop_source source;
    struct loop_timer retry;
    bool open;
    char host[INET6_ADDRSTRLEN]; /* of one opened here; else "" */
    unsigned port;
};

/* All arguments outlive the listener, which stays where it is in memory. */
void listener_init(struct listener *listener, struct loop *loop, const struct listener_calls *calls,
                   void *owner);
/* Waits at this address and port from now on; port 0: nowhere. Gives false with the reason in
 * *problem, and all is as it was. */
bool listener_listen(struct listener *listener, const char *address, unsigned port,
                     struct line *problem);
/* Waits at this socket from now on, which becomes its own. 0, or an errno number: it stays the
 * caller's, and all is as it was. */
int listener_take(struct listener *listener, int fd);
/* A listening socket that does not block, or -1 with errno. */
int listener_socket(const struct sockaddr *address, socklen_t length);
/* Waits nowhere. It may be used again. */
void listener_close(struct listener *listener);

#endif
