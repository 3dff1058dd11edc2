/* The other end of a service's control socket. */
#include "net_reach.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define CONNECT_SECONDS 5
#define ANSWER_SECONDS 70 /* the service itself gives up after 60 */

static void set_reply(struct net_reply *reply, enum net_answer answer, const char *text)
{
    const char *note = answer == NET_REFUSED ? NULL : strstr(text, ": ");

    reply->answer = answer;
    snprintf(reply->text, sizeof(reply->text), "%.*s",
             (int)(note != NULL ? (size_t)(note - text) : strlen(text)), text);
    snprintf(reply->note, sizeof(reply->note), "%s", note != NULL ? note + 2 : "");
}

/* The process is the one that the store names; where it names none, it is root's, the store's
 * owner's or the caller's own. */
static bool is_the_service(int fd, const struct net_target *target)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        return false;
    }
    if (target->alive) {
        return (uint32_t)peer.pid == target->pid;
    }
    return peer.uid == 0 || peer.uid == target->owner || peer.uid == geteuid();
}

/* Takes the first line; returns whether there is one. */
static bool receive_line(int fd, char *text, size_t size)
{
    size_t length = 0;
    ssize_t got = 1;

    while (got > 0 && length < size - 1 && memchr(text, '\n', length) == NULL) {
        got = recv(fd, text + length, size - 1 - length, 0);
        length += got > 0 ? (size_t)got : 0;
    }
    text[length] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return length > 0;
}

static void take_line(const char *line, struct net_reply *reply)
{
    static const struct {
        const char *start;
        enum net_answer answer;
    } kinds[] = {{"ok ", NET_OK}, {"already ", NET_ALREADY}, {"error ", NET_REFUSED}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t length = strlen(kinds[i].start);
        if (strncmp(line, kinds[i].start, length) == 0) {
            set_reply(reply, kinds[i].answer, line + length);
            return;
        }
    }
    set_reply(reply, NET_REFUSED, "its answer is not understood");
}

static void talk(int fd, const char *word, struct net_reply *reply)
{
    const struct timeval patience = {.tv_sec = ANSWER_SECONDS};
    char line[NET_TEXT_SIZE];
    int length = snprintf(line, sizeof(line), "%s\n", word);

    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
        send(fd, line, (size_t)length, MSG_NOSIGNAL) != length) {
        set_reply(reply, NET_REFUSED, strerror(errno));
    } else if (!receive_line(fd, line, sizeof(line))) {
        set_reply(reply, NET_REFUSED, "it does not answer");
    } else {
        take_line(line, reply);
    }
}

/* Connecting waits, too, where others fill the queue. */
static int connect_to(int fd, const struct net_target *target)
{
    const struct timeval patience = {.tv_sec = CONNECT_SECONDS};

    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
        connect(fd, (const struct sockaddr *)&target->address, target->address_size) != 0) {
        return errno;
    }
    return 0;
}

void net_reach(const struct net_target *target, const char *word, struct net_reply *reply)
{
    int fd = target->address_size > 0 ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    int problem = fd >= 0 ? connect_to(fd, target) : ECONNREFUSED;

    if (problem == ECONNREFUSED) {
        set_reply(reply, NET_NOBODY, "");
    } else if (problem != 0) {
        set_reply(reply, NET_REFUSED, strerror(problem));
    } else if (!is_the_service(fd, target)) {
        set_reply(reply, NET_REFUSED, "another process has taken its socket");
    } else {
        talk(fd, word, reply);
    }
    if (fd >= 0) {
        close(fd);
    }
}
