/* lpd_server - its life, its listeners, and who is let in; see lpd_server.h. */
#include "lpd_server_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_CLIENTS 64   /* at a time, until it is told otherwise */
#define MOST_LOOKED_AT 256 /* clients, when there are too many */
#define FIRST_PORT 721     /* of those that RFC 1179 3.1 reserves, */
#define LAST_PORT 731

void lpd_server_trouble(struct lpd_server *server, enum lpd_trouble kind, const char *address,
                        const char *format, ...)
{
    struct line line = LINE_INIT;
    va_list arguments;
    if (!seldom_may(&server->troubles[kind], server->options.loop)) {
        return;
    }
    if (address != NULL) {
        line_add(&line, "client ");
        line_add_quoted(&line, address);
        line_add(&line, " ");
    }
    va_start(arguments, format);
    line_add_list(&line, format, arguments);
    va_end(arguments);
    seldom_write(&server->troubles[kind], server->options.log, &line);
}

/* ---- Who is let in --------------------------------------------------------------------------- */

struct peer {
    char address[INET6_ADDRSTRLEN];
    unsigned port;
};

static struct peer peer_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address = {.any.sa_family = AF_UNSPEC};
    socklen_t length = sizeof(address);
    struct peer peer = {"", 0};
    if (getpeername(fd, &address.any, &length) != 0) {
        return peer;
    }
    if (address.any.sa_family == AF_INET) {
        (void)inet_ntop(AF_INET, &address.four.sin_addr, peer.address, sizeof(peer.address));
        peer.port = ntohs(address.four.sin_port);
    } else if (address.any.sa_family == AF_INET6) {
        bool is_four = IN6_IS_ADDR_V4MAPPED(&address.six.sin6_addr);
        (void)inet_ntop(is_four ? AF_INET : AF_INET6,
                        address.six.sin6_addr.s6_addr + (is_four ? 12 : 0), peer.address,
                        sizeof(peer.address));
        peer.port = ntohs(address.six.sin6_port);
    }
    return peer;
}

/* What has come is read away: closing a socket with bytes unread would reset it, and the refusal
 * might never be read. */
static void turn_away(struct lpd_server *server, int fd)
{
    const char refusal = LPD_NO;
    (void)recv(fd, server->input, sizeof(server->input), MSG_DONTWAIT);
    (void)send(fd, &refusal, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(fd, SHUT_WR);
    close(fd);
}

/* Some would fill all places for ever with a byte now and then. */
static bool is_cut_off(struct lpd_client *client)
{
    if (!lpd_client_is_slow(client)) {
        return false;
    }
    lpd_server_trouble(client->server, LPD_TROUBLE_SLOW, client->address,
                       "is cut off for another one: it has sent less than %d bytes in a minute",
                       LPD_PACE);
    client->refused = LPD_NO; /* it has not left its job */
    lpd_client_close(client);
    return true;
}

/* Clients come in one go with others that have gone: those make place, and those who are slow. */
static bool is_full(struct lpd_server *server)
{
    struct lpd_client *next = server->served.first;
    if (lpd_server_clients(server) < server->most_clients) {
        return false;
    }
    for (unsigned i = 0; next != NULL && i < MOST_LOOKED_AT; i++) {
        struct lpd_client *client = next;
        next = client->after;
        if ((lpd_client_has_gone(client) || is_cut_off(client)) &&
            lpd_server_clients(server) < server->most_clients) {
            return false;
        }
    }
    return true;
}

/* None is allowed while the service is stopped, too. */
static void tell_full(struct lpd_server *server, const char *address)
{
    if (server->most_clients == 0) {
        lpd_server_trouble(server, LPD_TROUBLE_FULL, address, "is turned away: none is served now");
    } else {
        lpd_server_trouble(server, LPD_TROUBLE_FULL, address,
                           "is turned away: as many as are allowed, %u, are there already",
                           server->most_clients);
    }
}

static void accepted(void *owner, int fd)
{
    struct lpd_server *server = owner;
    struct peer peer = peer_of(fd);
    if (server->reserved_ports && (peer.port < FIRST_PORT || peer.port > LAST_PORT)) {
        lpd_server_trouble(server, LPD_TROUBLE_PORT, peer.address,
                           "is turned away: its port %u is none of %d to %d", peer.port, FIRST_PORT,
                           LAST_PORT);
        turn_away(server, fd);
    } else if (is_full(server)) {
        tell_full(server, peer.address);
        turn_away(server, fd);
    } else {
        lpd_client_open(server, fd, peer.address);
    }
}

static void cannot_accept(void *owner, int problem)
{
    lpd_server_trouble(owner, LPD_TROUBLE_ACCEPT, NULL, "connections cannot be accepted: %s",
                       strerror(problem));
}

static const struct listener_calls calls = {accepted, cannot_accept, NULL};

/* ---- Who is let go --------------------------------------------------------------------------- */

static int64_t due(const struct lpd_client_list *list, int64_t period)
{
    return list->first != NULL ? list->first->since + period : INT64_MAX;
}

static void close_silent(struct lpd_client_list *list, int64_t period)
{
    while (list->first != NULL &&
           due(list, period) <= loop_now(list->first->server->options.loop)) {
        lpd_client_close(list->first);
    }
}

void lpd_server_look_at_silent(struct lpd_server *server)
{
    struct loop *loop = server->options.loop;
    close_silent(&server->served, LPD_SILENCE_MS);
    close_silent(&server->leaving, LPD_LEAVING_MS);
    int64_t served = due(&server->served, LPD_SILENCE_MS);
    int64_t leaving = due(&server->leaving, LPD_LEAVING_MS);
    int64_t next = served < leaving ? served : leaving;
    loop_unset(loop, &server->silence);
    if (next != INT64_MAX) {
        loop_set(loop, &server->silence, next - loop_now(loop));
    }
}

static void silence_expired(void *owner)
{
    lpd_server_look_at_silent(owner);
}

/* ---- Its life -------------------------------------------------------------------------------- */

int lpd_server_open(const struct lpd_server_options *options, struct lpd_server **server)
{
    struct lpd_server *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return ENOMEM;
    }
    made->options = *options;
    made->most_clients = FIRST_CLIENTS;
    listener_init(&made->listener, options->loop, &calls, made);
    listener_init(&made->inherited, options->loop, &calls, made);
    made->silence = (struct loop_timer){.expired = silence_expired, .owner = made};
    *server = made;
    return 0;
}

static void close_all(struct lpd_client_list *list)
{
    while (list->first != NULL) {
        lpd_client_close(list->first);
    }
}

void lpd_server_close(struct lpd_server *server)
{
    if (server == NULL) {
        return;
    }
    listener_close(&server->listener);
    listener_close(&server->inherited);
    close_all(&server->served);
    close_all(&server->committing);
    close_all(&server->leaving);
    loop_unset(server->options.loop, &server->silence);
    free(server);
}

void lpd_server_limits(struct lpd_server *server, unsigned most_clients, bool reserved_ports)
{
    server->most_clients = most_clients;
    server->reserved_ports = reserved_ports;
}

/* Who is leaving does not matter any more. */
void lpd_server_spool(struct lpd_server *server, struct spool *spool)
{
    if (spool == server->spool) {
        return;
    }
    close_all(&server->committing);
    for (struct lpd_client *each = server->served.first; each != NULL; each = each->after) {
        if (each->job != NULL) {
            lpd_job_refuse(each, LPD_NO, "the spool is closed");
        }
    }
    server->spool = spool;
}

bool lpd_server_listen(struct lpd_server *server, const char *address, unsigned port,
                       struct line *problem)
{
    return listener_listen(&server->listener, address, port, problem);
}

int lpd_server_inherit(struct lpd_server *server, int fd)
{
    return listener_take(&server->inherited, fd);
}

unsigned lpd_server_clients(const struct lpd_server *server)
{
    return server->served.count + server->committing.count;
}
