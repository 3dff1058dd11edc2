/* client - one conversation; see client.h. */
#include "client.h"
#include "client_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_ANSWER (1024 * 1024) /* bytes of one call's */

enum stage { LOOKING_UP, CONNECTING, BINDING, CALLING };

struct rpc_client {
    struct rpc_client_options options;
    enum stage stage;
    struct loop_source source; /* the connection's */
    struct loop_timer timer;
    int64_t latest; /* loop_now() when all has to be over */
    struct lookup *lookup;
    const struct addrinfo *address; /* that is tried */
    int problem;                    /* of the address before */
    uint16_t most_sent;             /* bytes of a fragment */
    uint32_t call;
    struct ndr_push output;
    size_t sent;
    uint8_t message[PDU_MOST_FRAGMENT]; /* what there is of one that comes in */
    size_t message_size;
    bool answering; /* fragments of an answer came */
    struct ndr_push answer;
    bool *cancelled; /* set if it is cancelled while it calls its owner */
};

/* ---- The end --------------------------------------------------------------------------------- */

static void close_socket(struct rpc_client *client)
{
    if (client->source.fd >= 0) {
        loop_remove(client->options.loop, &client->source);
        close(client->source.fd);
        client->source.fd = -1;
    }
}

void rpc_client_cancel(struct rpc_client *client)
{
    if (client == NULL) {
        return;
    }
    if (client->cancelled != NULL) {
        *client->cancelled = true;
    }
    close_socket(client);
    loop_unset(client->options.loop, &client->timer);
    lookup_drop(client->lookup);
    ndr_push_free(&client->output);
    ndr_push_free(&client->answer);
    free(client);
}

/* It is over, the client with it. */
static void finish(struct rpc_client *client, const char *problem)
{
    void (*done)(void *, const char *) = client->options.done;
    void *owner = client->options.owner;
    rpc_client_cancel(client);
    done(owner, problem);
}

static void fail(struct rpc_client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void fail(struct rpc_client *client, const char *format, ...)
{
    char text[RPC_CLIENT_PROBLEM];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    finish(client, text);
}

static void expired(void *owner)
{
    static const char *const waited_for[] = {"its address was not found", "it did not accept",
                                             "it did not agree to a bind", "it did not answer"};
    struct rpc_client *client = owner;
    if (loop_now(client->options.loop) >= client->latest) {
        fail(client, "not all was told within %lld ms", (long long)client->options.whole);
        return;
    }
    fail(client, "%s within %lld ms", waited_for[client->stage], (long long)client->options.limit);
}

static void set_timer(struct rpc_client *client)
{
    struct loop *loop = client->options.loop;
    int64_t left = client->latest - loop_now(loop);
    loop_set(loop, &client->timer, left < client->options.limit ? left : client->options.limit);
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static struct pdu_writer writer(struct rpc_client *client)
{
    ndr_push_clear(&client->output);
    client->sent = 0;
    return (struct pdu_writer){.output = &client->output};
}

/* Gives false if the client is gone. */
static bool call_next(struct rpc_client *client)
{
    struct ndr_push arguments = ndr_push_up_to(MOST_ANSWER);
    uint16_t opnum = 0;
    bool cancelled = false;
    client->cancelled = &cancelled;
    bool more = client->options.ask(client->options.owner, &opnum, &arguments);
    if (!cancelled) {
        client->cancelled = NULL;
        client->stage = CALLING;
        struct pdu_writer to = writer(client);
        if (more && ndr_push_ok(&arguments)) {
            pdu_write_request(&to, ++client->call, opnum, &arguments, client->most_sent);
            set_timer(client);
        } else {
            finish(client, more ? "the call is too large" : NULL);
            cancelled = true;
        }
    }
    ndr_push_free(&arguments);
    return !cancelled;
}

static bool hand_over(struct rpc_client *client)
{
    bool cancelled = false;
    client->cancelled = &cancelled;
    bool more =
        client->options.answered(client->options.owner, client->answer.data, client->answer.size);
    if (cancelled) {
        return false;
    }
    client->cancelled = NULL;
    client->answering = false;
    ndr_push_clear(&client->answer);
    if (!more) {
        finish(client, NULL);
    }
    return more;
}

/* ---- What the server says; each gives false if the client is gone ------------------------------
 */

static bool not_understood(struct rpc_client *client)
{
    fail(client, "its answer is not understood");
    return false;
}

static bool take_bind_ack(struct rpc_client *client, size_t size)
{
    struct pdu_bind_ack ack;
    if (client->stage != BINDING || !pdu_read_bind_ack(client->message, size, &ack)) {
        return not_understood(client);
    }
    if (!ack.accepted) {
        fail(client, "it does not know the interface");
        return false;
    }
    client->most_sent = ack.most_taken > PDU_MOST_FRAGMENT    ? PDU_MOST_FRAGMENT
                        : ack.most_taken < PDU_LEAST_FRAGMENT ? PDU_LEAST_FRAGMENT
                                                              : ack.most_taken;
    return call_next(client);
}

static bool take_bind_nak(struct rpc_client *client, size_t size)
{
    uint16_t reason;
    if (client->stage != BINDING || !pdu_read_bind_nak(client->message, size, &reason)) {
        return not_understood(client);
    }
    fail(client, "it refuses a bind (reason %u)", (unsigned)reason);
    return false;
}

static bool take_response(struct rpc_client *client, const struct pdu_header *header)
{
    struct pdu_response response;
    bool first = (header->flags & PDU_FIRST) != 0;
    if (client->stage != CALLING || header->call != client->call || first == client->answering ||
        !pdu_read_response(client->message, header->size, &response)) {
        return not_understood(client);
    }
    client->answering = true;
    ndr_push_raw(&client->answer, response.stub, response.size);
    if (!ndr_push_ok(&client->answer)) {
        fail(client, "its answer is too long");
        return false;
    }
    return (header->flags & PDU_LAST) == 0 || (hand_over(client) && call_next(client));
}

static bool take_fault(struct rpc_client *client, const struct pdu_header *header)
{
    uint32_t status;
    if (!pdu_read_fault(client->message, header->size, &status)) {
        return not_understood(client);
    }
    fail(client, "it refuses the call (fault 0x%08x)", (unsigned)status);
    return false;
}

static bool take_message(struct rpc_client *client, const struct pdu_header *header)
{
    switch (header->type) {
    case PDU_BIND_ACK:
        return take_bind_ack(client, header->size);
    case PDU_BIND_NAK:
        return take_bind_nak(client, header->size);
    case PDU_RESPONSE:
        return take_response(client, header);
    case PDU_FAULT:
        return take_fault(client, header);
    case PDU_SHUTDOWN:
        return true; /* a request to hang up when there is nothing more to do, as is done anyway */
    default:
        return not_understood(client);
    }
}

/* How many bytes the message has, of which at least so many have come; 0 if it is none. */
static size_t message_needs(const struct rpc_client *client, struct pdu_header *header)
{
    if (client->message_size < PDU_HEADER) {
        return PDU_HEADER;
    }
    *header = pdu_read_header(client->message);
    bool good = header->major == 5 && header->minor <= 1 && header->readable && header->auth == 0 &&
                header->size >= PDU_HEADER && header->size <= sizeof(client->message);
    return good ? header->size : 0;
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static bool send_some(struct rpc_client *client)
{
    while (client->sent < client->output.size) {
        ssize_t sent = send(client->source.fd, client->output.data + client->sent,
                            client->output.size - client->sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            break;
        }
        if (sent < 0 && errno != EINTR) {
            fail(client, "%s", strerror(errno));
            return false;
        }
        client->sent += sent > 0 ? (size_t)sent : 0;
    }
    uint32_t waits = client->sent < client->output.size ? EPOLLOUT : 0;
    (void)loop_change(client->options.loop, &client->source, EPOLLIN | waits);
    return true;
}

/* Reads as much as the message needs that comes in. */
static bool read_some(struct rpc_client *client, size_t needed)
{
    ssize_t got = recv(client->source.fd, client->message + client->message_size,
                       needed - client->message_size, 0);
    if (got > 0) {
        client->message_size += (size_t)got;
        return true;
    }
    if (got == 0) {
        fail(client, "it closed the connection");
    } else if (errno != EAGAIN && errno != EINTR) {
        fail(client, "%s", strerror(errno));
    }
    return false;
}

/* One at a time: a peer who sends without end leaves others a turn, and each answer's period begins
 * at the time of its own waking. */
static void read_message(struct rpc_client *client)
{
    struct pdu_header header = {0};
    for (;;) {
        size_t needed = message_needs(client, &header);
        if (needed == 0) {
            (void)not_understood(client);
            return;
        }
        if (client->message_size < needed) {
            if (!read_some(client, needed)) {
                return;
            }
        } else {
            client->message_size = 0;
            if (take_message(client, &header)) {
                (void)send_some(client);
            }
            return;
        }
    }
}

static void talk(struct rpc_client *client, uint32_t events)
{
    if ((events & EPOLLOUT) != 0 && !send_some(client)) {
        return;
    }
    if ((events & ~(uint32_t)EPOLLOUT) != 0) {
        read_message(client);
    }
}

/* ---- Connecting ------------------------------------------------------------------------------ */

static void connection_ready(void *owner, uint32_t events);

static int open_socket(struct rpc_client *client, const struct addrinfo *address)
{
    const int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return errno;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    int problem =
        connect(fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS ? 0 : errno;
    if (problem == 0) {
        client->source = (struct loop_source){fd, connection_ready, client, false};
        problem = loop_add(client->options.loop, &client->source, EPOLLOUT);
    }
    if (problem != 0) {
        close(fd);
        client->source.fd = -1;
    }
    return problem;
}

/* Tries one address after another until one takes it. */
static void try_addresses(struct rpc_client *client)
{
    for (; client->address != NULL; client->address = client->address->ai_next) {
        client->problem = open_socket(client, client->address);
        if (client->problem == 0) {
            return;
        }
    }
    fail(client, "%s", strerror(client->problem));
}

static void take_connection(struct rpc_client *client)
{
    socklen_t size = sizeof(client->problem);
    if (getsockopt(client->source.fd, SOL_SOCKET, SO_ERROR, &client->problem, &size) == 0 &&
        client->problem == 0) {
        struct pdu_writer to = writer(client);
        pdu_write_bind(&to, ++client->call, &client->options.interface);
        client->stage = BINDING;
        (void)send_some(client);
        return;
    }
    close_socket(client);
    client->address = client->address->ai_next;
    try_addresses(client);
}

static void connection_ready(void *owner, uint32_t events)
{
    struct rpc_client *client = owner;
    if (client->stage == CONNECTING) {
        take_connection(client);
    } else {
        talk(client, events);
    }
}

static void host_found(void *owner, int problem, const struct addrinfo *addresses)
{
    struct rpc_client *client = owner;
    client->stage = CONNECTING;
    if (problem != 0) {
        fail(client, "its address was not found: %s", gai_strerror(problem));
        return;
    }
    client->address = addresses;
    try_addresses(client);
}

int rpc_client_start(const struct rpc_client_options *options, struct rpc_client **client)
{
    struct rpc_client *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return ENOMEM;
    }
    made->options = *options;
    made->options.host = NULL; /* the caller's; the lookup has its own */
    made->output = ndr_push_up_to(2 * MOST_ANSWER);
    made->answer = ndr_push_up_to(MOST_ANSWER);
    made->timer = (struct loop_timer){.expired = expired, .owner = made};
    made->source.fd = -1;
    int problem =
        lookup_start(options->loop, options->host, options->port, host_found, made, &made->lookup);
    if (problem != 0) {
        rpc_client_cancel(made);
        return problem;
    }
    made->latest = loop_now(options->loop) + options->whole;
    set_timer(made);
    *client = made;
    return 0;
}
