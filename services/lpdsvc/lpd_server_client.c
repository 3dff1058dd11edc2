/* lpd_server_client - one client of lpd_server: what it says, and what it is answered. */
#include "lpd_server_parts.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Lists ----------------------------------------------------------------------------------- */

static void list_remove(struct lpd_client *client)
{
    struct lpd_client_list *list = client->list;
    *(client->before != NULL ? &client->before->after : &list->first) = client->after;
    *(client->after != NULL ? &client->after->before : &list->last) = client->before;
    list->count--;
}

static void list_append(struct lpd_client_list *list, struct lpd_client *client)
{
    client->list = list;
    client->before = list->last;
    client->after = NULL;
    *(list->last != NULL ? &list->last->after : &list->first) = client;
    list->last = client;
    list->count++;
}

void lpd_client_move(struct lpd_client *client, struct lpd_client_list *list)
{
    list_remove(client);
    client->since = loop_now(client->server->options.loop);
    list_append(list, client);
}

/* ---- Its pace -------------------------------------------------------------------------------- */

void lpd_client_keeps_pace(struct lpd_client *client, size_t bytes)
{
    client->received += bytes;
    client->paced += bytes;
    if (client->paced >= LPD_PACE) {
        client->paced = 0;
        client->slow_since = loop_now(client->server->options.loop);
    }
}

void lpd_client_begins_anew(struct lpd_client *client)
{
    client->paced = 0;
    client->received = 0;
    client->slow_since = client->begun = loop_now(client->server->options.loop);
}

bool lpd_client_is_slow(const struct lpd_client *client)
{
    return loop_now(client->server->options.loop) - client->slow_since >= LPD_SILENCE_MS;
}

/* What it announces may be a lie, so what counts is what comes. A line of 2,400 baud has sent 13 MB
 * before it is too slow. */
static bool is_overdue(const struct lpd_client *client)
{
    int64_t taken = loop_now(client->server->options.loop) - client->begun;
    return taken > LPD_RECEIPT_MS &&
           (uint64_t)(taken - LPD_RECEIPT_MS) / 1000 > client->received / LPD_RECEIPT_PACE;
}

/* ---- Its end --------------------------------------------------------------------------------- */

void lpd_client_close(struct lpd_client *client)
{
    loop_remove(client->server->options.loop, &client->source);
    close(client->source.fd);
    lpd_job_drop(client);
    list_remove(client);
    lpd_answer_free(&client->output);
    free(client);
}

void lpd_client_leave(struct lpd_client *client)
{
    client->leaving = true;
}

/* All is said and sent. A client that still sends is heard to its end, as a socket that is closed
 * with bytes unread takes the answer with it. */
static void let_go(struct lpd_client *client)
{
    struct lpd_server *server = client->server;
    if (client->ended || !client->source.watched) {
        lpd_client_close(client);
        return;
    }
    if (client->list != &server->leaving) {
        (void)shutdown(client->source.fd, SHUT_WR);
        lpd_job_drop(client);
        lpd_client_move(client, &server->leaving);
        if (server->leaving.count > LPD_LEAVING_MOST) {
            lpd_client_close(server->leaving.first);
        }
        lpd_server_look_at_silent(server);
    }
}

/* ---- Sending --------------------------------------------------------------------------------- */

void lpd_client_acknowledge(struct lpd_client *client, char byte)
{
    if (!lpd_answer_byte(&client->output, byte)) {
        lpd_client_leave(client); /* without an answer, which is no "yes" */
    }
}

static bool has_output(const struct lpd_client *client)
{
    return client->output.sent < client->output.size;
}

/* Sends what it can; false if the client is gone. */
static bool send_some(struct lpd_client *client)
{
    struct lpd_answer *output = &client->output;
    while (has_output(client)) {
        ssize_t sent = send(client->source.fd, output->text + output->sent,
                            output->size - output->sent, MSG_NOSIGNAL);
        if (sent >= 0) {
            output->sent += (size_t)sent;
            lpd_client_move(client, client->list);
        } else if (errno == EAGAIN) {
            return true;
        } else if (errno != EINTR) {
            return false;
        }
    }
    lpd_answer_free(output);
    return true;
}

static void wait_for(struct lpd_client *client, uint32_t events)
{
    if (client->events != events && client->source.watched) {
        client->events = events;
        (void)loop_change(client->server->options.loop, &client->source, events);
    }
}

/* ---- Questions ------------------------------------------------------------------------------- */

static struct lpd_question question_of(struct lpd_client *client, struct lpd_event *event)
{
    static const char *const none[] = {NULL};
    const struct lpd_server_options *options = &client->server->options;
    if (event->kind != LPD_RESUME) {
        size_t size = options->calls->name_size(options->owner, event->queue);
        lpd_request_split(&client->request, event, size);
    }
    return (struct lpd_question){.queue = event->queue,
                                 .agent = event->agent != NULL ? event->agent : "",
                                 .items = event->items != NULL ? event->items : none,
                                 .address = client->address,
                                 .is_long = event->is_long};
}

static void ask(struct lpd_client *client, struct lpd_event *event)
{
    const struct lpd_server_options *options = &client->server->options;
    struct lpd_question question = question_of(client, event);
    bool good = true;
    if (event->kind == LPD_RESUME) {
        good = options->calls->resume(options->owner, &question);
    } else if (event->kind == LPD_STATE) {
        options->calls->state(options->owner, &question, &client->output);
    } else {
        good = options->calls->remove(options->owner, &question, &client->output);
    }
    if (client->output.size == 0 && event->kind != LPD_STATE) {
        lpd_client_acknowledge(client, good ? LPD_YES : LPD_NO);
    }
    lpd_client_leave(client);
}

/* One that has left in the middle of a job is told of as such. */
static void take_broken(struct lpd_client *client, const char *why)
{
    if (!client->ended || client->job == NULL) {
        lpd_server_trouble(client->server, LPD_TROUBLE_PROTOCOL, client->address,
                           "sent %s; its connection is closed", why);
        client->refused = LPD_NO;
    }
    lpd_job_drop(client);
    lpd_client_acknowledge(client, LPD_NO);
    lpd_client_leave(client);
}

static void take_event(struct lpd_client *client, struct lpd_event *event)
{
    switch (event->kind) {
    case LPD_NOTHING:
        break;
    case LPD_RESUME:
    case LPD_STATE:
    case LPD_REMOVE:
        ask(client, event);
        break;
    case LPD_RECEIVE:
        lpd_job_receive(client, event->queue);
        break;
    case LPD_ABORT:
        lpd_job_abort(client);
        break;
    case LPD_CONTROL_FILE:
        lpd_job_control_file(client, event);
        break;
    case LPD_DATA_FILE:
        lpd_job_data_file(client, event);
        break;
    case LPD_BYTES:
        lpd_job_bytes(client, event->bytes, event->count);
        break;
    case LPD_FILE_END:
        lpd_job_file_end(client);
        break;
    case LPD_ENDED:
        lpd_client_leave(client);
        break;
    case LPD_BROKEN:
        take_broken(client, event->why);
        break;
    }
}

/* ---- Reading --------------------------------------------------------------------------------- */

static bool is_committing(const struct lpd_client *client)
{
    return client->list == &client->server->committing;
}

/* Whether it is to be heard now. */
static bool is_heard(const struct lpd_client *client)
{
    return !client->leaving && !client->ended && !is_committing(client);
}

/* The client sends no more. A file that lasts to the end has come to it, and what follows is said
 * when that is answered. */
static void finish(struct lpd_client *client)
{
    struct lpd_event event;
    while (!client->leaving && !is_committing(client)) {
        lpd_request_finish(&client->request, &event);
        take_event(client, &event);
    }
}

/* Bytes that are sure to be taken, all of them. */
static void take_bytes(struct lpd_client *client, size_t size)
{
    struct lpd_event event;
    lpd_client_keeps_pace(client, size);
    for (size_t at = 0; at < size;) {
        at += lpd_request_feed(&client->request, client->server->input + at, size - at, &event);
        take_event(client, &event);
    }
}

/* Bytes that were looked at only. What belongs to the next event stays in the socket, so that
 * nothing is ever held here. */
static bool take_line(struct lpd_client *client, size_t size)
{
    struct lpd_event event;
    uint8_t *input = client->server->input;
    size_t taken = lpd_request_feed(&client->request, input, size, &event);
    if (recv(client->source.fd, input, taken, 0) != (ssize_t)taken) { /* the same again */
        return false;
    }
    lpd_client_keeps_pace(client, taken);
    take_event(client, &event);
    return true;
}

/* One turn: at most LPD_INPUT bytes, so that others have theirs. Gives false if it is gone. */
static bool read_some(struct lpd_client *client)
{
    uint64_t room = lpd_request_room(&client->request);
    size_t most = room == 0 ? LPD_LINE_MAX + 2 : room < LPD_INPUT ? (size_t)room : LPD_INPUT;
    ssize_t got = recv(client->source.fd, client->server->input, most, room == 0 ? MSG_PEEK : 0);
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    lpd_client_move(client, client->list);
    if (got == 0) {
        client->ended = true;
        finish(client);
    } else if (room == 0) {
        return take_line(client, (size_t)got);
    } else {
        take_bytes(client, (size_t)got);
    }
    return true;
}

/* Of one that is leaving. */
static bool read_away(struct lpd_client *client)
{
    ssize_t got = recv(client->source.fd, client->server->input, LPD_INPUT, 0);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

/* ---- All together ---------------------------------------------------------------------------- */

void lpd_client_go_on(struct lpd_client *client)
{
    if (client->ended && !client->leaving && !is_committing(client)) {
        finish(client);
    }
    if (!send_some(client)) {
        /* Its job is in the spool or is not; there is nobody to tell. */
        lpd_client_close(client);
    } else if (is_committing(client)) {
        wait_for(client, 0);
    } else if (has_output(client)) {
        wait_for(client, EPOLLOUT);
    } else {
        wait_for(client, EPOLLIN);
        if (client->leaving || client->ended) {
            let_go(client);
        }
    }
}

/* It has not left its job, which is told of all the same. */
static void cut_off(struct lpd_client *client)
{
    lpd_server_trouble(client->server, LPD_TROUBLE_SLOW, client->address,
                       "is cut off: its job takes longer than an hour, with a second more for each "
                       "%d bytes that have come",
                       LPD_RECEIPT_PACE);
    client->refused = LPD_NO;
}

static void client_ready(void *owner, uint32_t events)
{
    struct lpd_client *client = owner;
    struct lpd_server *server = client->server;
    bool stays = true;
    if (is_committing(client)) {
        /* Gone, which would be told again and again; the job is none the worse for it. */
        if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
            loop_remove(server->options.loop, &client->source);
        }
        return;
    }
    if (client->list == &server->leaving) {
        stays = read_away(client);
    } else if (is_overdue(client)) {
        cut_off(client);
        stays = false;
    } else if (!has_output(client) && is_heard(client)) {
        stays = read_some(client);
    }
    if (stays) {
        lpd_client_go_on(client);
    } else {
        lpd_client_close(client);
    }
}

bool lpd_client_has_gone(struct lpd_client *client)
{
    char byte;
    if (has_output(client) || recv(client->source.fd, &byte, 1, MSG_PEEK) != 0) {
        return false;
    }
    client_ready(client, EPOLLIN);
    return true;
}

void lpd_client_open(struct lpd_server *server, int fd, const char *address)
{
    const int on = 1;
    struct lpd_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        close(fd);
        return;
    }
    client->server = server;
    client->source = (struct loop_source){fd, client_ready, client, false};
    client->events = EPOLLIN;
    client->since = loop_now(server->options.loop);
    client->slow_since = client->begun = client->since;
    snprintf(client->address, sizeof(client->address), "%s", address);
    lpd_request_begin(&client->request);
    list_append(&server->served, client);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (loop_add(server->options.loop, &client->source, client->events) != 0) {
        lpd_client_close(client);
    } else if (!server->silence.set) {
        lpd_server_look_at_silent(server);
    }
}
