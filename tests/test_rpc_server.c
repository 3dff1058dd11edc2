/* test_rpc_server - listening, and what strangers may make a server hold. */
#include "rpc_rig.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- Conversations --------------------------------------------------------------------------- */

static int bound_client(struct rpc_rig *rig)
{
    struct wire wire = {0};
    uint8_t answer[200];
    int fd = connect_tcp(rig);
    wire_bind(&wire);
    say(fd, wire.bytes, wire.size);
    CU_ASSERT_FATAL(hear(rig, fd, answer, 60, sizeof(answer)) >= 60);
    CU_ASSERT_EQUAL(answer[2], PDU_BIND_ACK);
    return fd;
}

static bool answers(struct rpc_rig *rig, int fd)
{
    struct wire wire = {0};
    uint8_t answer[200];
    wire_request(&wire, WIRE_WHOLE, 9, ECHO_SAME, "hello", 5);
    say(fd, wire.bytes, wire.size);
    return hear(rig, fd, answer, 29, sizeof(answer)) == 29 && memcmp(answer + 24, "hello", 5) == 0;
}

/* A new client is. */
static bool answers_anybody(struct rpc_rig *rig)
{
    int fd = bound_client(rig);
    bool answered = answers(rig, fd);
    close(fd);
    return answered;
}

static void clients_are_answered(void)
{
    struct rpc_rig rig;
    rpc_rig_open(&rig);
    int one = bound_client(&rig);
    int other = bound_client(&rig);
    CU_ASSERT(answers(&rig, one) && answers(&rig, other) && answers(&rig, one));
    CU_ASSERT_EQUAL(rpc_server_connections(rig.server), 2);
    close(one);
    turn(&rig);
    CU_ASSERT_EQUAL(rpc_server_connections(rig.server), 1);
    CU_ASSERT(answers(&rig, other));
    close(other);
    CU_ASSERT_STRING_EQUAL(logged(&rig), "");
    rpc_rig_close(&rig);
}

static void a_client_may_stop_sending_before_it_is_answered(void)
{
    struct rpc_rig rig;
    struct wire wire = {0};
    uint8_t answer[200];
    rpc_rig_open(&rig);
    int fd = connect_tcp(&rig);
    wire_bind(&wire);
    wire_request(&wire, WIRE_WHOLE, 9, ECHO_SAME, "hello", 5);
    say(fd, wire.bytes, wire.size);
    CU_ASSERT_EQUAL(shutdown(fd, SHUT_WR), 0);
    CU_ASSERT_EQUAL(hear(&rig, fd, answer, sizeof(answer), sizeof(answer)), 60 + 29);
    CU_ASSERT_EQUAL(rpc_server_connections(rig.server), 0);
    close(fd);
    rpc_rig_close(&rig);
}

static void strangers_do_not_fill_the_log(void)
{
    struct rpc_rig rig;
    uint8_t answer[200];
    rpc_rig_open(&rig);
    for (unsigned i = 0; i < 20; i++) {
        int fd = connect_tcp(&rig);
        say(fd, "GET / HTTP/1.0\r\n\r\n", 18);
        CU_ASSERT_EQUAL(hear(&rig, fd, answer, 1, sizeof(answer)), 0);
        close(fd);
    }
    CU_ASSERT_STRING_EQUAL(logged(&rig),
                           "unit: client \"127.0.0.1\" sent bytes that are no message; its "
                           "connection is closed\n");
    /* A minute later */
    rig.server->troubles[TROUBLE_PROTOCOL].when -= 60000;
    int fd = connect_tcp(&rig);
    say(fd, "GET / HTTP/1.0\r\n\r\n", 18);
    CU_ASSERT(is_closed(&rig, fd));
    CU_ASSERT_PTR_NOT_NULL(strstr(logged(&rig), "19 more like this"));
    close(fd);
    rpc_rig_close(&rig);
}

/* ---- Limits ---------------------------------------------------------------------------------- */

#define LARGE (256 * 1024) /* bytes of an answer */
#define CALLS 64           /* of which the system itself keeps some MiB for the client */
#define HEARD ((size_t)CALLS * (LARGE + 8192)) /* room for what comes, bytes */

/* A client that asks and does not listen: calls wait, unread, until it does. */
static void answers_that_nobody_takes_are_bounded(void)
{
    struct rpc_rig rig;
    struct wire wire = {0};
    const uint8_t size[] = {0, 0, LARGE >> 16, 0};
    uint8_t *heard = malloc(HEARD);
    CU_ASSERT_PTR_NOT_NULL_FATAL(heard);
    rpc_rig_open(&rig);
    int fd = bound_client(&rig);
    const int small = 65536; /* bytes that the system keeps for the server */
    CU_ASSERT_EQUAL(setsockopt(rig.server->bound.first->source.fd, SOL_SOCKET, SO_SNDBUF, &small,
                               sizeof(small)),
                    0);
    for (uint32_t call = 2; call < 2 + CALLS; call++) {
        wire_request(&wire, WIRE_WHOLE, call, ECHO_LARGE, size, sizeof(size));
    }
    say(fd, wire.bytes, wire.size);
    for (unsigned quiet = 0; quiet < 50;) {
        size_t before = rig.calls + rig.server->bound.first->sent;
        turn(&rig);
        quiet = rig.calls + rig.server->bound.first->sent == before ? quiet + 1 : 0;
    }
    CU_ASSERT(rig.calls > 0 && rig.calls < CALLS);
    CU_ASSERT(rig.server->bound.first->output.size >= RPC_MOST_PENDING);
    CU_ASSERT(rig.server->held < 2 * RPC_MOST_PENDING + 2 * RPC_READ_SIZE);
    /* A multiple of 8 bytes in each of its fragments, and their headers */
    size_t fragments = (LARGE + 4256 - 1) / 4256;
    size_t all = CALLS * (LARGE + fragments * PDU_RESPONSE_HEADER);
    CU_ASSERT_FATAL(all <= HEARD);
    CU_ASSERT_EQUAL_FATAL(hear(&rig, fd, heard, all, HEARD), all);
    size_t at = 0;
    for (size_t i = 0; i < CALLS * fragments; i++) {
        CU_ASSERT_EQUAL_FATAL(get_u32(heard + at + 12), 2 + i / fragments);
        at += get_u16(heard + at + 8);
    }
    CU_ASSERT(at == all && rig.calls == CALLS);
    CU_ASSERT(answers(&rig, fd));
    CU_ASSERT(rig.server->held < 65536);
    free(heard);
    close(fd);
    rpc_rig_close(&rig);
}

/* Fragments of calls that never end, from many clients. */
static void what_all_hold_together_is_bounded(void)
{
    static const uint8_t stub[5000];
    static struct wire wire;
    struct rpc_rig rig;
    int fds[80];
    rpc_rig_open(&rig);
    for (size_t i = 0; i < 80; i++) {
        fds[i] = bound_client(&rig);
        for (unsigned part = 0; part < 200; part++) {
            wire.size = 0;
            wire_request(&wire, part == 0 ? PDU_FIRST : 0, 2, ECHO_SAME, stub, sizeof(stub));
            (void)send(fds[i], wire.bytes, wire.size, MSG_NOSIGNAL); /* it may be dropped itself */
            if (part % 8 == 7) {
                turn(&rig);
            }
        }
        turn(&rig);
        CU_ASSERT(rig.server->held <= RPC_MOST_HELD);
    }
    CU_ASSERT(rpc_server_connections(rig.server) < 80);
    CU_ASSERT_PTR_NOT_NULL(strstr(logged(&rig), "makes the service hold too much"));
    int fd = bound_client(&rig);
    CU_ASSERT(answers(&rig, fd));
    close(fd);
    for (size_t i = 0; i < 80; i++) {
        close(fds[i]);
    }
    rpc_rig_close(&rig);
}

/* Descriptors for so many; false if there are none. */
static bool allow_files(rlim_t count, struct rlimit *before)
{
    if (getrlimit(RLIMIT_NOFILE, before) != 0) {
        return false;
    }
    struct rlimit wanted = *before;
    wanted.rlim_cur = count;
    return (wanted.rlim_max == RLIM_INFINITY || wanted.rlim_max >= count) &&
           setrlimit(RLIMIT_NOFILE, &wanted) == 0;
}

#define MANY (RPC_MOST_CONNECTIONS + 100)

static void those_who_only_connect_drive_out_their_like(void)
{
    static int fds[MANY];
    struct rpc_rig rig;
    struct rlimit before;
    if (!allow_files(3 * MANY, &before)) {
        test_skip("too few descriptors are allowed");
        return;
    }
    rpc_rig_open(&rig);
    int bound = bound_client(&rig);
    for (size_t i = 0; i < MANY; i++) {
        fds[i] = connect_tcp(&rig);
        if (i % 32 == 31) {
            turn(&rig);
        }
    }
    turn(&rig);
    CU_ASSERT_EQUAL(rpc_server_connections(rig.server), RPC_MOST_CONNECTIONS);
    CU_ASSERT(is_closed(&rig, fds[0]) && is_closed(&rig, fds[100]));
    CU_ASSERT_FALSE(is_closed(&rig, fds[101]));
    CU_ASSERT(answers(&rig, bound));
    CU_ASSERT_PTR_NOT_NULL(strstr(logged(&rig), "makes room for another"));
    for (size_t i = 0; i < MANY; i++) {
        close(fds[i]);
    }
    close(bound);
    rpc_rig_close(&rig);
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void a_want_of_descriptors_passes(void)
{
    struct rpc_rig rig;
    struct rlimit before;
    rpc_rig_open(&rig);
    int first = connect_tcp(&rig);
    CU_ASSERT_FATAL(allow_files((rlim_t)first + 1, &before));
    turn(&rig);
    CU_ASSERT_EQUAL(rpc_server_connections(rig.server), 0);
    CU_ASSERT(rig.server->tcp.listener.retry.set); /* it does not look again before */
    CU_ASSERT_PTR_NOT_NULL(strstr(logged(&rig), "connections cannot be accepted: Too many open"));
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &before), 0);
    CU_ASSERT(answers_anybody(&rig));
    CU_ASSERT_FALSE(is_closed(&rig, first));
    CU_ASSERT_EQUAL(rpc_server_connections(rig.server), 1);
    close(first);
    rpc_rig_close(&rig);
}

/* Moves a connection's past instead of waiting. */
static void idle_connections_are_closed(void)
{
    struct rpc_rig rig;
    rpc_rig_open(&rig);
    int bound = bound_client(&rig);
    int unbound = connect_tcp(&rig);
    say(unbound, "\5", 1);
    turn(&rig);
    CU_ASSERT(rig.server->idle.set && rig.server->idle.due <= loop_now(&rig.loop) + RPC_UNBOUND_MS);
    rig.server->unbound.first->since -= RPC_UNBOUND_MS - 1000;
    rig.server->bound.first->since -= RPC_IDLE_MS - 1000;
    server_look_at_idle(rig.server);
    CU_ASSERT_EQUAL(rpc_server_connections(rig.server), 2);
    CU_ASSERT(rig.server->idle.due <= loop_now(&rig.loop) + 1000);
    say(unbound, "\0", 1); /* gains it no time */
    CU_ASSERT(answers(&rig, bound));
    rig.server->unbound.first->since -= 1000;
    rig.server->bound.first->since -= 1000;
    server_look_at_idle(rig.server);
    CU_ASSERT_EQUAL(rpc_server_connections(rig.server), 1);
    CU_ASSERT(is_closed(&rig, unbound) && answers(&rig, bound));
    rig.server->bound.first->since -= RPC_IDLE_MS;
    loop_set(&rig.loop, &rig.server->idle, 0);
    CU_ASSERT(is_closed(&rig, bound) && !rig.server->idle.set);
    close(bound);
    close(unbound);
    rpc_rig_close(&rig);
}

/* ---- TCP ------------------------------------------------------------------------------------- */

static void another_place_is_taken_before_the_old_one_is_left(void)
{
    struct rpc_rig rig;
    struct line problem = LINE_INIT;
    rpc_rig_open(&rig);
    unsigned old = rig.port;
    int fd = bound_client(&rig);
    int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    CU_ASSERT_FATAL(bind(taken, (const struct sockaddr *)&address, length) == 0);
    CU_ASSERT_FATAL(listen(taken, 1) == 0);
    CU_ASSERT_FATAL(getsockname(taken, (struct sockaddr *)&address, &length) == 0);
    CU_ASSERT_FALSE(rpc_server_listen(rig.server, "127.0.0.1", ntohs(address.sin_port), &problem));
    CU_ASSERT_PTR_NOT_NULL(strstr(problem.text, "cannot listen at address \"127.0.0.1\" port "));
    CU_ASSERT_FALSE(rpc_server_listen(rig.server, "localhost", old, &problem));
    CU_ASSERT_FALSE(rpc_server_listen(rig.server, "127.0.0.1", 65536, &problem));
    CU_ASSERT(answers_anybody(&rig));
    rig.port = free_port();
    CU_ASSERT(rpc_server_listen(rig.server, "127.0.0.1", rig.port, &problem));
    CU_ASSERT(answers_anybody(&rig));
    CU_ASSERT(answers(&rig, fd));                                         /* connections stay */
    CU_ASSERT(rpc_server_listen(rig.server, "127.0.0.1", old, &problem)); /* it was left */
    close(taken);
    close(fd);
    rpc_rig_close(&rig);
}

static void an_address_that_collides_with_the_old_one_is_taken(void)
{
    struct rpc_rig rig;
    struct line problem = LINE_INIT;
    rpc_rig_open(&rig);
    CU_ASSERT(rpc_server_listen(rig.server, "0.0.0.0", rig.port, &problem));
    CU_ASSERT_STRING_EQUAL(rig.server->tcp.listener.host, "0.0.0.0");
    CU_ASSERT(answers_anybody(&rig));
    CU_ASSERT(rpc_server_listen(rig.server, "0.0.0.0", 0, &problem));
    CU_ASSERT_FALSE(rig.server->tcp.listener.open);
    CU_ASSERT(rpc_server_listen(rig.server, "127.0.0.1", rig.port, &problem));
    CU_ASSERT_STRING_EQUAL(problem.text, "");
    rpc_rig_close(&rig);
}

/* All addresses cannot be had while another has one of them; the old place is taken back. */
static void a_collision_with_another_is_told(void)
{
    struct rpc_rig rig;
    struct line problem = LINE_INIT;
    struct sockaddr_in address = {.sin_family = AF_INET};
    rpc_rig_open(&rig);
    int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_port = htons((uint16_t)rig.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    CU_ASSERT_FATAL(bind(other, (const struct sockaddr *)&address, sizeof(address)) == 0);
    CU_ASSERT_FATAL(listen(other, 1) == 0);
    CU_ASSERT_FALSE(rpc_server_listen(rig.server, "0.0.0.0", rig.port, &problem));
    CU_ASSERT_PTR_NOT_NULL(strstr(problem.text, "Address already in use"));
    CU_ASSERT_STRING_EQUAL(rig.server->tcp.listener.host, "127.0.0.1");
    CU_ASSERT(rig.server->tcp.listener.open && answers_anybody(&rig));
    close(other);
    rpc_rig_close(&rig);
}

/* ---- Unix sockets ---------------------------------------------------------------------------- */

static void a_socket_is_made_replaced_and_removed(void)
{
    struct rpc_rig rig;
    struct rpc_rig other;
    struct stat status;
    struct line problem = LINE_INIT;
    const char *path = scratch_path("pipe");
    rpc_rig_open(&rig);
    rpc_rig_open(&other);
    CU_ASSERT(rpc_server_listen_pipe(rig.server, path, &problem));
    CU_ASSERT(stat(path, &status) == 0 && S_ISSOCK(status.st_mode));
    CU_ASSERT_EQUAL(status.st_mode & 07777, 0660);
    CU_ASSERT(rpc_server_listen_pipe(rig.server, path, &problem)); /* the same again */
    CU_ASSERT_FALSE(rpc_server_listen_pipe(other.server, path, &problem));
    CU_ASSERT_PTR_NOT_NULL(strstr(problem.text, "Address already in use"));
    /* One that a dead process left */
    close(rig.server->pipe.listener.source.fd);
    CU_ASSERT(rpc_server_listen_pipe(other.server, path, &problem));
    rig.server->pipe.listener.source.fd = dup(0);
    CU_ASSERT(rpc_server_listen_pipe(rig.server, NULL, &problem));
    CU_ASSERT_EQUAL(stat(path, &status), 0); /* the other's now */
    rpc_rig_close(&other);
    CU_ASSERT_NOT_EQUAL(stat(path, &status), 0);
    rpc_rig_close(&rig);
}

static void nothing_else_is_replaced(void)
{
    struct rpc_rig rig;
    struct line problem = LINE_INIT;
    struct stat status;
    char path[PATH_MAX];
    rpc_rig_open(&rig);
    snprintf(path, sizeof(path), "%s/%0120d", scratch_dir(), 1);
    CU_ASSERT_FALSE(rpc_server_listen_pipe(rig.server, path, &problem));
    FILE *file = fopen(scratch_path("file"), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    (void)fclose(file);
    CU_ASSERT_FALSE(rpc_server_listen_pipe(rig.server, scratch_path("file"), &problem));
    CU_ASSERT(stat(scratch_path("file"), &status) == 0 && S_ISREG(status.st_mode));
    CU_ASSERT_FALSE(rpc_server_listen_pipe(rig.server, scratch_path("no/pipe"), &problem));
    CU_ASSERT_NOT_EQUAL(stat(scratch_path("file.new"), &status), 0);
    rpc_rig_close(&rig);
}

static const struct test_case cases[] = {
    {"clients are answered", clients_are_answered},
    {"a client may stop sending before it is answered",
     a_client_may_stop_sending_before_it_is_answered},
    {"strangers do not fill the log", strangers_do_not_fill_the_log},
    {"answers that nobody takes are bounded", answers_that_nobody_takes_are_bounded},
    {"what all hold together is bounded", what_all_hold_together_is_bounded},
    {"those who only connect drive out their like", those_who_only_connect_drive_out_their_like},
    {"a want of descriptors passes", a_want_of_descriptors_passes},
    {"idle connections are closed", idle_connections_are_closed},
    {"another place is taken before the old one is left",
     another_place_is_taken_before_the_old_one_is_left},
    {"an address that collides with the old one is taken",
     an_address_that_collides_with_the_old_one_is_taken},
    {"a collision with another is told", a_collision_with_another_is_told},
    {"a socket is made, replaced and removed", a_socket_is_made_replaced_and_removed},
    {"nothing else is replaced", nothing_else_is_replaced},
    {NULL, NULL}};

const struct test_suite suite_rpc_server = {"rpc_server", cases};
