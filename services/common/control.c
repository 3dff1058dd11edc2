/* control - how an administrator's tool reaches a running service; see control.h. */
#include "control.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Clients --------------------------------------------------------------------------------- */

static void drop(struct control_client *client)
{
    if (client->source.fd >= 0) {
        loop_remove(client->control->loop, &client->source);
        loop_unset(client->control->loop, &client->patience);
        close(client->source.fd);
        client->source.fd = -1;
    }
}

/* The answer is far smaller than a new socket's buffer; who has filled that gets none. */
static void send_answer(int fd, const char *answer)
{
    struct line line = LINE_INIT;
    line_add(&line, "%s", answer);
    line.text[line.length] = '\n';
    (void)send(fd, line.text, line.length + 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void finish(struct control_client *client, const char *answer)
{
    send_answer(client->source.fd, answer);
    drop(client);
}

static const struct {
    const char *text;
    enum control_word word;
    bool commands;
} words[] = {
    {"status", CONTROL_STATUS, false},
    {"start", CONTROL_START, true},
    {"stop", CONTROL_STOP, true},
};

static void take_word(struct control_client *client, const char *text)
{
    struct line answer = LINE_INIT;
    size_t i = 0;
    while (i < sizeof(words) / sizeof(words[0]) && strcmp(words[i].text, text) != 0) {
        i++;
    }
    if (i == sizeof(words) / sizeof(words[0])) {
        finish(client, "error unknown word");
    } else if (words[i].commands && !client->may_command) {
        finish(client, "error only root and the service's own user may do that");
    } else if (client->control->ask(client->control->owner, words[i].word, &answer)) {
        finish(client, answer.text);
    } else {
        client->waiting = true;
        loop_set(client->control->loop, &client->patience, CONTROL_ANSWER_MS);
    }
}

/* What comes after the line is of no interest, but that the client leaves is: the answer would go
 * to the next who gets the descriptor's number. */
static void receive(void *owner, uint32_t events)
{
    struct control_client *client = owner;
    size_t room = sizeof(client->text) - client->length;
    char ignored[CONTROL_WORD];
    (void)events;
    ssize_t size =
        recv(client->source.fd, client->waiting ? ignored : client->text + client->length,
             client->waiting ? sizeof(ignored) : room, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (size <= 0) {
        drop(client);
        return;
    }
    if (client->waiting) {
        return;
    }
    client->length += (size_t)size;
    char *end = memchr(client->text, '\n', client->length);
    if (end != NULL) {
        *end = '\0';
        take_word(client, client->text);
    } else if (client->length == sizeof(client->text)) {
        finish(client, "error the line is too long");
    }
}

static void lose_patience(void *owner)
{
    struct control_client *client = owner;
    finish(client, client->waiting ? "error it is still under way" : "error no line came");
}

/* ---- Connections ----------------------------------------------------------------------------- */

static bool may_command(const struct control *control, int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == 0 || peer.uid == control->user);
}

static struct control_client *find_place(struct control *control, bool commanding)
{
    struct control_client *place = NULL;
    size_t askers = 0;
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        struct control_client *client = &control->clients[i];
        if (client->source.fd < 0) {
            place = client;
        } else if (!client->may_command) {
            askers++;
        }
    }
    return commanding || askers < CONTROL_ASKERS ? place : NULL;
}

static void welcome(struct control *control, int fd)
{
    bool commanding = may_command(control, fd);
    struct control_client *client = find_place(control, commanding);
    if (client == NULL) {
        send_answer(fd, "error too many others are asking");
        close(fd);
        return;
    }
    *client = (struct control_client){
        .control = control,
        .source = {.fd = fd, .ready = receive, .owner = client},
        .patience = {.expired = lose_patience, .owner = client},
        .may_command = commanding,
    };
    if (loop_add(control->loop, &client->source, EPOLLIN) != 0) {
        drop(client);
        return;
    }
    loop_set(control->loop, &client->patience, CONTROL_PATIENCE_MS);
}

/* A connection that cannot be taken, as there is no descriptor for it, would wake the loop again at
 * once. */
static void accept_some(void *owner, uint32_t events)
{
    struct control *control = owner;
    (void)events;
    for (int i = 0; i < CONTROL_CLIENTS; i++) {
        int fd = accept4(control->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            welcome(control, fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            loop_remove(control->loop, &control->listener);
            loop_set(control->loop, &control->pause, CONTROL_WITHOUT_FD_MS);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

/* ---- The socket ------------------------------------------------------------------------------ */

socklen_t control_address(const char *dir, const char *name, struct sockaddr_un *address)
{
    struct stat status;
    char text[sizeof(address->sun_path)];
    if (stat(dir, &status) != 0) {
        return 0;
    }
    /* The first byte of an abstract name is a NUL; it takes the place of snprintf()'s. */
    int length = snprintf(text, sizeof(text), "regstore/%jx-%jx/%s", (uintmax_t)status.st_dev,
                          (uintmax_t)status.st_ino, name);
    if (length < 0 || (size_t)length >= sizeof(text)) {
        errno = ENAMETOOLONG;
        return 0;
    }
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path + 1, text, (size_t)length);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

static void stop_listening(struct control *control)
{
    loop_unset(control->loop, &control->pause);
    if (control->listener.fd >= 0) {
        loop_remove(control->loop, &control->listener);
        close(control->listener.fd);
        control->listener.fd = -1;
    }
}

/* Gives 0, or an errno number; then nobody listens. */
static int start_listening(struct control *control)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return errno;
    }
    control->listener.fd = fd;
    int problem = 0;
    if (bind(fd, (const struct sockaddr *)&control->address, control->address_size) != 0 ||
        listen(fd, CONTROL_CLIENTS) != 0) {
        problem = errno;
    } else {
        problem = loop_add(control->loop, &control->listener, EPOLLIN);
    }
    if (problem != 0) {
        stop_listening(control);
    }
    return problem;
}

/* Where another process had the name there is no listener yet. */
static void end_pause(void *owner)
{
    struct control *control = owner;
    bool was_mute = control->listener.fd < 0;
    int problem =
        was_mute ? start_listening(control) : loop_add(control->loop, &control->listener, EPOLLIN);
    if (problem != 0) {
        loop_set(control->loop, &control->pause, CONTROL_WITHOUT_FD_MS);
    } else if (was_mute) {
        log_line(control->log, LOG_LINE_INFO, "can be commanded now");
    }
}

void control_listen(struct control *control, const char *dir, const char *name)
{
    struct sockaddr_un address;
    socklen_t size = control_address(dir, name, &address);
    if (size != 0 && control->listener.fd >= 0 && size == control->address_size &&
        memcmp(&address, &control->address, size) == 0) {
        return;
    }
    int problem = size == 0 ? errno : 0;
    stop_listening(control);
    control->address = address;
    control->address_size = size;
    if (problem == 0) {
        problem = start_listening(control);
    }
    if (problem != 0) {
        log_line(control->log, LOG_LINE_WARNING, "cannot be commanded: %s", strerror(problem));
    }
    if (size != 0 && problem != 0) {
        loop_set(control->loop, &control->pause, CONTROL_WITHOUT_FD_MS);
    }
}

void control_open(struct control *control, struct loop *loop, const struct log *log,
                  control_ask *ask, void *owner)
{
    *control = (struct control){
        .loop = loop,
        .log = log,
        .ask = ask,
        .owner = owner,
        .user = geteuid(),
        .listener = {.fd = -1, .ready = accept_some, .owner = control},
        .pause = {.expired = end_pause, .owner = control},
    };
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        control->clients[i].control = control;
        control->clients[i].source.fd = -1;
    }
}

void control_answer(struct control *control, const char *answer)
{
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        struct control_client *client = &control->clients[i];
        if (client->source.fd >= 0 && client->waiting) {
            finish(client, answer);
        }
    }
}

void control_close(struct control *control)
{
    stop_listening(control);
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        drop(&control->clients[i]);
    }
}
