/* server_connection - one client of a server; see server.h. */
#include "server_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEPT_OUTPUT 16384 /* bytes of memory that a connection keeps when all is sent */

/* ---- Lists ----------------------------------------------------------------------------------- */

static void list_remove(struct connection *connection)
{
    struct connection_list *list = connection->list;
    *(connection->before != NULL ? &connection->before->after : &list->first) = connection->after;
    *(connection->after != NULL ? &connection->after->before : &list->last) = connection->before;
}

static void list_append(struct connection_list *list, struct connection *connection)
{
    connection->list = list;
    connection->before = list->last;
    connection->after = NULL;
    *(list->last != NULL ? &list->last->after : &list->first) = connection;
    list->last = connection;
}

/* Bytes came. One that has bound nothing keeps the place that it came with: what it sends gains it
 * no time. */
static void touch(struct connection *connection)
{
    struct rpc_server *server = connection->server;
    if (connection->association == NULL || !rpc_association_bound(connection->association)) {
        return;
    }
    connection->since = loop_now(server->options.loop);
    list_remove(connection);
    list_append(&server->bound, connection);
}

/* ---- What it holds --------------------------------------------------------------------------- */

static size_t count_held(const struct connection *connection)
{
    size_t held =
        connection->handshake.capacity + connection->unread.capacity + connection->output.capacity;
    return connection->association != NULL ? held + rpc_association_held(connection->association)
                                           : held;
}

static struct connection *largest(struct connection_list *list, struct connection *so_far)
{
    for (struct connection *each = list->first; each != NULL; each = each->after) {
        if (so_far == NULL || each->held > so_far->held) {
            so_far = each;
        }
    }
    return so_far;
}

/* If all together hold too much, the one that holds most goes. Gives false if that was this one. */
static bool account(struct connection *connection)
{
    struct rpc_server *server = connection->server;
    size_t held = count_held(connection);
    server->held = server->held - connection->held + held;
    connection->held = held;
    if (server->held <= RPC_MOST_HELD) {
        return true;
    }
    struct connection *most = largest(&server->bound, largest(&server->unbound, NULL));
    struct line who = LINE_INIT;
    server_name_caller(&who, &most->caller);
    server_trouble(server, TROUBLE_FULL, "%s is dropped: it makes the service hold too much",
                   who.text);
    bool this = most == connection;
    connection_close(most);
    return !this;
}

/* ---- Sending --------------------------------------------------------------------------------- */

static void output_is_sent(struct connection *connection)
{
    connection->sent = 0;
    if (connection->output.capacity > KEPT_OUTPUT) {
        ndr_push_free(&connection->output);
    } else {
        ndr_push_clear(&connection->output);
    }
}

/* Sends what it can; false if the client is gone. */
static bool send_some(struct connection *connection)
{
    struct ndr_push *output = &connection->output;
    while (connection->sent < output->size) {
        ssize_t sent = send(connection->source.fd, output->data + connection->sent,
                            output->size - connection->sent, MSG_NOSIGNAL);
        if (sent >= 0) {
            connection->sent += (size_t)sent;
        } else if (errno == EAGAIN) {
            return true;
        } else if (errno != EINTR) {
            return false;
        }
    }
    output_is_sent(connection);
    return true;
}

/* ---- Taking bytes ---------------------------------------------------------------------------- */

static void complain(struct connection *connection, const char *why)
{
    struct line who = LINE_INIT;
    server_name_caller(&who, &connection->caller);
    server_trouble(connection->server, TROUBLE_PROTOCOL, "%s sent %s; its connection is closed",
                   who.text, why);
}

static size_t feed(struct connection *connection, const uint8_t *bytes, size_t size)
{
    struct rpc_fed fed =
        rpc_association_feed(connection->association, bytes, size, &connection->output);
    if (fed.ended) {
        connection->ending = true;
    }
    if (fed.why != NULL) {
        complain(connection, fed.why);
    }
    return fed.taken;
}

static bool begin_association(struct connection *connection)
{
    struct rpc_server *server = connection->server;
    struct rpc_association_options options = {
        .interfaces = server->options.interfaces,
        .interface_count = server->options.interface_count,
        .owner = server->options.owner,
        .admit = server->options.admit,
        .caller = &connection->caller,
        .address = connection->address,
        .group = ++server->groups != 0 ? server->groups : ++server->groups,
        .framed = connection->caller.transport == RPC_OVER_PIPE,
        .most_output = RPC_MOST_PENDING};
    connection->association = rpc_association_open(&options);
    return connection->association != NULL;
}

/* The handshake is all there. */
static void take_handshake(struct connection *connection, uint32_t level)
{
    struct rpc_server *server = connection->server;
    const struct rpc_server_options *options = &server->options;
    if (npam_read(connection->handshake.data, connection->handshake.size, &connection->caller) !=
        NPAM_READ) {
        server_trouble(server, TROUBLE_PIPE,
                       "a named pipe of level %u is refused: its client's token cannot be read",
                       (unsigned)level);
        connection->ending = true;
        return;
    }
    bool admitted = options->admit == NULL || options->admit(options->owner, &connection->caller);
    npam_write(&connection->output, level, admitted ? NPAM_GRANTED : NPAM_ACCESS_DENIED);
    ndr_push_free(&connection->handshake);
    /* smbd 4.17 does not look at the status. A client whose pipe ended here would be told that the
     * connection broke; kept, each of its calls is refused, until it is admitted. */
    connection->ending = !begin_association(connection);
}

static void refuse_handshake(struct connection *connection, enum npam_reading reading,
                             uint32_t level)
{
    connection->ending = true;
    if (reading == NPAM_OTHER_LEVEL) {
        server_trouble(connection->server, TROUBLE_PIPE,
                       "a named pipe is refused: smbd hands it over by level %u; levels 6 and 7 "
                       "are known",
                       (unsigned)level);
    } else {
        server_trouble(connection->server, TROUBLE_PIPE,
                       "a connection to the named pipe's socket is refused: not smbd's handshake");
    }
}

static size_t shake_hands(struct connection *connection, const uint8_t *bytes, size_t size)
{
    struct ndr_push *handshake = &connection->handshake;
    size_t wanted = 0;
    uint32_t level = 0;
    size_t taken = ndr_push_fill(handshake, NPAM_HEAD, bytes, size);
    if (ndr_push_ok(handshake) && handshake->size < NPAM_HEAD) {
        return taken;
    }
    enum npam_reading reading =
        ndr_push_ok(handshake) ? npam_head(handshake->data, &wanted, &level) : NPAM_NOT;
    if (reading != NPAM_READ) {
        refuse_handshake(connection, reading, level);
        return taken;
    }
    taken += ndr_push_fill(handshake, wanted, bytes + taken, size - taken);
    if (!ndr_push_ok(handshake)) {
        refuse_handshake(connection, NPAM_NOT, level);
    } else if (handshake->size == wanted) {
        take_handshake(connection, level);
    }
    return taken;
}

/* What smbd sends of a pipe: frames, each with its length as an u16 before it. How the client's
 * messages are spread over them does not matter. */
static size_t take_frame(struct connection *connection, const uint8_t *bytes, size_t size)
{
    if (connection->frame_left == 0) {
        connection->frame_head[connection->frame_head_size++] = bytes[0];
        if (connection->frame_head_size == sizeof(connection->frame_head)) {
            connection->frame_left =
                (size_t)connection->frame_head[0] | (size_t)connection->frame_head[1] << 8;
            connection->frame_head_size = 0;
        }
        return 1;
    }
    size_t taken =
        feed(connection, bytes, connection->frame_left < size ? connection->frame_left : size);
    connection->frame_left -= taken;
    return taken;
}

static bool is_full(const struct connection *connection)
{
    return connection->output.size >= RPC_MOST_PENDING;
}

/* Takes bytes as far as there is room for what they bring about; gives how many. */
static size_t take(struct connection *connection, const uint8_t *bytes, size_t size)
{
    size_t taken = 0;
    while (taken < size && !connection->ending && !is_full(connection)) {
        const uint8_t *at = bytes + taken;
        size_t left = size - taken;
        taken += connection->association == NULL                 ? shake_hands(connection, at, left)
                 : connection->caller.transport == RPC_OVER_PIPE ? take_frame(connection, at, left)
                                                                 : feed(connection, at, left);
    }
    return taken;
}

/* ---- Its events ------------------------------------------------------------------------------ */

/* What waits to be taken is taken when there is room to send, so that others have their turn
 * between. While output waits nothing is read once it is too much, or once the connection ends with
 * it. */
static void wait_for_next(struct connection *connection)
{
    bool unread = connection->unread.size > 0;
    bool pending = connection->output.size > 0 || unread;
    bool reading = !connection->ending && !is_full(connection) && !unread;
    uint32_t events = (pending ? EPOLLOUT : 0) | (reading ? EPOLLIN : 0);
    if (events != connection->events) {
        connection->events = events;
        (void)loop_change(connection->server->options.loop, &connection->source, events);
    }
}

/* Sends, and closes what has ended. */
static void go_on(struct connection *connection)
{
    bool there = ndr_push_ok(&connection->output) && ndr_push_ok(&connection->unread) &&
                 send_some(connection);
    if (!there || (connection->ending && connection->output.size == 0)) {
        connection_close(connection);
    } else if (account(connection)) {
        wait_for_next(connection);
    }
}

static void take_unread(struct connection *connection)
{
    struct ndr_push *unread = &connection->unread;
    size_t taken = take(connection, unread->data, unread->size);
    memmove(unread->data, unread->data + taken, unread->size - taken);
    unread->size -= taken;
    if (unread->size == 0) {
        ndr_push_free(unread);
    }
}

/* Gives false if there will be no more bytes. */
static bool read_some(struct connection *connection)
{
    uint8_t *input = connection->server->input;
    ssize_t got = recv(connection->source.fd, input, RPC_READ_SIZE, 0);
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    size_t size = (size_t)got;
    size_t taken = take(connection, input, size);
    if (taken < size && !connection->ending) {
        ndr_push_raw(&connection->unread, input + taken, size - taken);
    }
    if (size > 0) {
        touch(connection);
    }
    return size > 0;
}

static void connection_ready(void *owner, uint32_t events)
{
    struct connection *connection = owner;
    if ((events & EPOLLIN) != 0 && !read_some(connection)) {
        connection->ending = true;
    }
    bool gone = (events & (EPOLLERR | EPOLLHUP)) != 0 && (events & EPOLLIN) == 0;
    if (gone || ((events & EPOLLOUT) != 0 && !send_some(connection))) {
        connection_close(connection);
        return;
    }
    if (connection->unread.size > 0) {
        take_unread(connection);
    }
    go_on(connection);
}

/* ---- Its life -------------------------------------------------------------------------------- */

void connection_close(struct connection *connection)
{
    struct rpc_server *server = connection->server;
    loop_remove(server->options.loop, &connection->source);
    close(connection->source.fd);
    list_remove(connection);
    server->connections--;
    server->held -= connection->held;
    rpc_association_close(connection->association);
    ndr_push_free(&connection->handshake);
    ndr_push_free(&connection->unread);
    ndr_push_free(&connection->output);
    free(connection);
}

/* Who is at the other end of a TCP connection; he has not proved to be anybody. */
static void describe_peer(struct connection *connection)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
        struct sockaddr_storage room;
    } peer = {0};
    socklen_t length = sizeof(peer);
    const int on = 1;
    char *text = connection->caller.address;
    int fd = connection->source.fd;
    connection->caller.anonymous = true;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    if (getpeername(fd, &peer.any, &length) != 0) {
        return;
    }
    const void *address = peer.any.sa_family == AF_INET6 ? (const void *)&peer.six.sin6_addr
                                                         : (const void *)&peer.four.sin_addr;
    if (inet_ntop(peer.any.sa_family, address, text, INET6_ADDRSTRLEN) == NULL) {
        text[0] = '\0';
    }
}

static bool begin(struct connection *connection)
{
    struct loop *loop = connection->server->options.loop;
    if (connection->caller.transport == RPC_OVER_TCP) {
        describe_peer(connection);
        if (!begin_association(connection)) {
            return false;
        }
    }
    return loop_add(loop, &connection->source, connection->events) == 0;
}

void connection_open(struct rpc_server *server, const struct entrance *entrance, int fd)
{
    struct loop *loop = server->options.loop;
    if (server->connections >= RPC_MOST_CONNECTIONS) {
        (void)server_make_room(server);
    }
    struct connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        close(fd);
        return;
    }
    connection->server = server;
    connection->source = (struct loop_source){fd, connection_ready, connection, false};
    connection->events = EPOLLIN;
    connection->since = loop_now(loop);
    connection->caller.transport = entrance->transport;
    memcpy(connection->address, entrance->address, sizeof(connection->address));
    connection->handshake = ndr_push_up_to(4 + NPAM_MOST);
    connection->unread = ndr_push_up_to(RPC_READ_SIZE);
    connection->output = ndr_push_up_to(RPC_MOST_PENDING + 2 * RPC_MOST_ANSWER);
    list_append(&server->unbound, connection);
    server->connections++;
    if (!begin(connection)) {
        connection_close(connection);
    } else if (!server->idle.set || server->idle.due > loop_now(loop) + RPC_UNBOUND_MS) {
        loop_set(loop, &server->idle, RPC_UNBOUND_MS);
    }
}
