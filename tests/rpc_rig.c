/* rpc_rig - see rpc_rig.h. */
#include "rpc_rig.h"
#include "turns.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool admit(void *owner, const struct rpc_caller *caller)
{
    const struct rpc_rig *rig = owner;
    return caller->transport == RPC_OVER_TCP || !rig->refuse;
}

unsigned free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(bind(fd, (const struct sockaddr *)&address, length) == 0);
    CU_ASSERT_FATAL(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    close(fd);
    return ntohs(address.sin_port);
}

void rpc_rig_open(struct rpc_rig *rig)
{
    struct line problem = LINE_INIT;
    *rig = (struct rpc_rig){0};
    CU_ASSERT_EQUAL_FATAL(loop_open(&rig->loop), 0);
    CU_ASSERT_EQUAL_FATAL(pipe2(rig->log_fds, O_CLOEXEC | O_NONBLOCK), 0);
    log_open(&rig->log, "unit", rig->log_fds[1], NULL);
    struct rpc_server_options options = {&rig->loop, &rig->log, &echo_interface, 1, rig, admit};
    CU_ASSERT_EQUAL_FATAL(rpc_server_open(&options, &rig->server), 0);
    rig->port = free_port();
    CU_ASSERT_FATAL(rpc_server_listen(rig->server, "127.0.0.1", rig->port, &problem));
}

void rpc_rig_close(struct rpc_rig *rig)
{
    rpc_server_close(rig->server);
    CU_ASSERT_PTR_NULL(rig->loop.timers);
    loop_close(&rig->loop);
    close(rig->log_fds[0]);
    close(rig->log_fds[1]);
}

/* ---- Turns ----------------------------------------------------------------------------------- */

bool turn_until(struct rpc_rig *rig, bool (*is_true)(void *argument), void *argument)
{
    return turn_loop_until(&rig->loop, is_true, argument);
}

void turn(struct rpc_rig *rig)
{
    turn_loop(&rig->loop);
}

const char *logged(struct rpc_rig *rig)
{
    static char text[8192];
    ssize_t length = read(rig->log_fds[0], text, sizeof(text) - 1);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

/* ---- Clients --------------------------------------------------------------------------------- */

static int connected(int fd, const struct sockaddr *address, socklen_t length)
{
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_FATAL(connect(fd, address, length) == 0);
    CU_ASSERT_FATAL(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    return fd;
}

int connect_tcp(const struct rpc_rig *rig)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)rig->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connected(fd, (const struct sockaddr *)&address, sizeof(address));
}

int connect_pipe(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CU_ASSERT_FATAL(strlen(path) < sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connected(fd, (const struct sockaddr *)&address, sizeof(address));
}

void say(int fd, const void *bytes, size_t size)
{
    CU_ASSERT_EQUAL(send(fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

size_t hear(struct rpc_rig *rig, int fd, uint8_t *bytes, size_t least, size_t most)
{
    struct turn_hearing hearing = {.fd = fd, .bytes = (char *)bytes, .least = least, .most = most};
    (void)turn_until(rig, turn_has_heard, &hearing);
    return hearing.size;
}

bool is_closed(struct rpc_rig *rig, int fd)
{
    char bytes[256];
    struct turn_hearing hearing = {
        .fd = fd, .bytes = bytes, .least = SIZE_MAX, .most = sizeof(bytes)};
    turn(rig);
    (void)turn_has_heard(&hearing);
    return hearing.closed;
}
