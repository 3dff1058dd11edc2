/* server - its life, and who must go; see server.h. */
#include "server_parts.h"

#include <errno.h>
#include <stdlib.h>

static void idle_expired(void *owner)
{
    server_look_at_idle(owner);
}

int rpc_server_open(const struct rpc_server_options *options, struct rpc_server **server)
{
    struct rpc_server *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return ENOMEM;
    }
    made->options = *options;
    entrance_init(&made->tcp, made, RPC_OVER_TCP);
    entrance_init(&made->pipe, made, RPC_OVER_PIPE);
    made->idle = (struct loop_timer){.expired = idle_expired, .owner = made};
    *server = made;
    return 0;
}

static void close_all(struct connection_list *list)
{
    while (list->first != NULL) {
        connection_close(list->first);
    }
}

void rpc_server_close(struct rpc_server *server)
{
    if (server == NULL) {
        return;
    }
    entrance_close(&server->tcp);
    entrance_close(&server->pipe);
    close_all(&server->unbound);
    close_all(&server->bound);
    loop_unset(server->options.loop, &server->idle);
    free(server);
}

unsigned rpc_server_connections(const struct rpc_server *server)
{
    return server->connections;
}

/* ---- Who must go ----------------------------------------------------------------------------- */

/* When the first of a list was idle for so long; later than any time if the list is empty. */
static int64_t due(const struct connection_list *list, int64_t period)
{
    return list->first != NULL ? list->first->since + period : INT64_MAX;
}

static void close_due(struct connection_list *list, int64_t period, int64_t now)
{
    while (due(list, period) <= now) {
        connection_close(list->first);
    }
}

void server_look_at_idle(struct rpc_server *server)
{
    struct loop *loop = server->options.loop;
    int64_t now = loop_now(loop);
    close_due(&server->unbound, RPC_UNBOUND_MS, now);
    close_due(&server->bound, RPC_IDLE_MS, now);
    int64_t unbound = due(&server->unbound, RPC_UNBOUND_MS);
    int64_t bound = due(&server->bound, RPC_IDLE_MS);
    int64_t next = unbound < bound ? unbound : bound;
    loop_unset(loop, &server->idle);
    if (next != INT64_MAX) {
        loop_set(loop, &server->idle, next - now);
    }
}

/* Whoever only opens connections drives out nobody but his like. */
bool server_make_room(struct rpc_server *server)
{
    struct connection *first =
        server->unbound.first != NULL ? server->unbound.first : server->bound.first;
    if (first == NULL) {
        return false;
    }
    struct line who = LINE_INIT;
    server_name_caller(&who, &first->caller);
    server_trouble(server, TROUBLE_FULL, "%s makes room for another: it was idle for longest",
                   who.text);
    connection_close(first);
    return true;
}
