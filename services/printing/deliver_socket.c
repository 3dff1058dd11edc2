/*
 * deliver_socket - a document over a raw TCP connection, as network printers take them at port
 * 9100.
 *
 * Nothing answers there. That all of it has arrived is known when the printer closes its side after
 * ours; one that never does is not waited for once it has acknowledged the last byte and then has
 * kept silent for a while. Needs deliver.
 */
#include "deliver.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKET_SILENCE_MS 30000

struct raw {
    struct delivery *delivery;
    int fd;
    bool sent;
};

static enum outcome begin(struct delivery *delivery, void **state, struct line *why)
{
    struct raw *raw = calloc(1, sizeof(*raw));
    if (raw == NULL) {
        line_add(why, "out of memory");
        return DELIVER_REFUSED;
    }
    const struct target *target = delivery->target;
    unsigned port = target->port != 0 ? target->port : TARGET_SOCKET_PORT;
    enum outcome outcome = deliver_connect(target->host, port, false, &raw->fd, why);
    if (outcome != DELIVER_DONE) {
        free(raw);
        return outcome;
    }
    raw->delivery = delivery;
    *state = raw;
    return DELIVER_DONE;
}

static bool write_part(void *state, const char *bytes, size_t size, struct line *why)
{
    struct raw *raw = state;
    if (!deliver_sending(raw->delivery, why)) {
        return false;
    }
    raw->sent = true;
    return deliver_write_all(raw->fd, bytes, size, why);
}

/* A printer without paper takes its time. */
static bool all_has_arrived(int fd)
{
    int left = 0;
    return ioctl(fd, SIOCOUTQ, &left) != 0 || left == 0;
}

/* What it says, such as its state, is read and dropped. */
static int wait_closed(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    char block[4096];
    for (;;) {
        int ready = poll(&wait, 1, SOCKET_SILENCE_MS);
        if (ready == 0 && all_has_arrived(fd)) {
            return 0;
        }
        ssize_t got = ready > 0 ? recv(fd, block, sizeof(block), MSG_DONTWAIT) : -1;
        if (got == 0) {
            return 0;
        }
        if (ready > 0 && got < 0 && errno != EAGAIN && errno != EINTR) {
            return errno;
        }
    }
}

static enum outcome end(void *state, struct line *why)
{
    struct raw *raw = state;
    bool sent = raw->sent;
    int error = shutdown(raw->fd, SHUT_WR) == 0 ? wait_closed(raw->fd) : errno;
    close(raw->fd);
    free(raw);
    if (error != 0) {
        deliver_add_error(why, error);
        return sent ? DELIVER_UNKNOWN : DELIVER_AWAY;
    }
    return DELIVER_DONE;
}

static enum outcome end_early(void *state)
{
    struct raw *raw = state;
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    bool sent = raw->sent;
    (void)setsockopt(raw->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(raw->fd);
    free(raw);
    return sent ? DELIVER_UNKNOWN : DELIVER_AWAY;
}

const struct transport deliver_socket = {false, begin, write_part, end, end_early};
