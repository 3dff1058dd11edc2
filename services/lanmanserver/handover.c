/* handover - the service's side of a helper that is root's; see handover.h. */
#include "handover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void handover_close(struct handover *handover)
{
    if (handover->source.fd >= 0) {
        loop_remove(handover->loop, &handover->source);
        loop_unset(handover->loop, &handover->patience);
        close(handover->source.fd);
        handover->source.fd = -1;
    }
}

static void end(struct handover *handover, bool taken, const char *said)
{
    handover_close(handover);
    handover->done(handover->owner, taken, said);
}

/* The answer has come to its end. */
static void take_answer(struct handover *handover)
{
    char *answer = handover->answer;
    answer[handover->heard] = '\0';
    answer[strcspn(answer, "\n")] = '\0';
    if (strcmp(answer, "ok") == 0) {
        end(handover, true, "");
    } else if (strncmp(answer, "ok ", 3) == 0) {
        end(handover, true, answer + 3);
    } else if (strncmp(answer, "error ", 6) == 0) {
        end(handover, false, answer + 6);
    } else {
        end(handover, false, "regstore-smbd-reload has ended without an answer");
    }
}

static void hear(struct handover *handover)
{
    size_t room = sizeof(handover->answer) - 1 - handover->heard;
    ssize_t size =
        recv(handover->source.fd, handover->answer + handover->heard, room, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    handover->heard += size > 0 ? (size_t)size : 0;
    if (size <= 0 || handover->heard == sizeof(handover->answer) - 1) {
        take_answer(handover);
    }
}

/* A helper that refuses the text early answers and closes, so what cannot be sent is no reason not
 * to hear it. */
static void say(struct handover *handover)
{
    ssize_t size =
        send(handover->source.fd, handover->text, handover->left, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (size >= 0) {
        handover->text += size;
        handover->left -= (size_t)size;
    }
    if (size < 0 || handover->left == 0) {
        handover->left = 0;
        (void)shutdown(handover->source.fd, SHUT_WR);
        (void)loop_change(handover->loop, &handover->source, EPOLLIN);
    }
}

static void go_on(void *owner, uint32_t events)
{
    struct handover *handover = owner;
    if (handover->left > 0 && (events & (EPOLLOUT | EPOLLERR)) != 0) {
        say(handover);
    } else {
        hear(handover);
    }
}

static void lose_patience(void *owner)
{
    end(owner, false, "regstore-smbd-reload does not answer");
}

void handover_open(struct handover *handover, struct loop *loop,
                   void (*done)(void *owner, bool taken, const char *said), void *owner)
{
    *handover = (struct handover){
        .loop = loop,
        .done = done,
        .owner = owner,
        .source = {.fd = -1, .ready = go_on, .owner = handover},
        .patience = {.expired = lose_patience, .owner = handover},
    };
}

/* Gives the socket, or -1 with errno. To connect to a local socket never takes time; where the
 * queue is full it fails. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        int problem = errno;
        close(fd);
        errno = problem;
        return -1;
    }
    return fd;
}

bool handover_begin(struct handover *handover, const char *path, const char *text)
{
    int fd = connect_to(path);
    if (fd < 0) {
        return false;
    }
    handover->source.fd = fd;
    handover->text = text;
    handover->left = strlen(text);
    handover->heard = 0;
    int problem = loop_add(handover->loop, &handover->source, EPOLLIN | EPOLLOUT);
    if (problem != 0) {
        handover_close(handover);
        errno = problem;
        return false;
    }
    loop_set(handover->loop, &handover->patience, HANDOVER_PATIENCE_MS);
    return true;
}
