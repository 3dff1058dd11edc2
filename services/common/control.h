/*
 * control - how an administrator's tool reaches a running service.
 *
 * A stream socket in the abstract namespace, named from the store's directory and the name of the
 * service's watch: it needs no directory that the service may write to, and leaves nothing behind.
 * Whoever connects sends one line, one of the words below, and gets one line, which begins with
 * "ok", "already" or "error". Only root and the service's own user may command; anybody may ask.
 * As anybody may connect, clients are few, lines short, and time is limited, and those who may only
 * ask never take the places of those who may command.
 *
 * Needs loop, log and line; gives words to its owner.
 */
#ifndef SERVICE_CONTROL_H
#define SERVICE_CONTROL_H

#include "line.h"
#include "log.h"
#include "loop.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#define CONTROL_CLIENTS 8
#define CONTROL_ASKERS 4           /* of them, that may only ask */
#define CONTROL_WORD 64            /* bytes of a line, its end included */
#define CONTROL_PATIENCE_MS 5000   /* until a line must be there */
#define CONTROL_ANSWER_MS 60000    /* until the answer to it is */
#define CONTROL_WITHOUT_FD_MS 1000 /* until the next try to listen, or to take a connection */

enum control_word { CONTROL_STATUS, CONTROL_START, CONTROL_STOP };

/* Answers a word in *answer, "ok stopped"; or gives false, and control_answer() comes later. */
typedef bool control_ask(void *owner, enum control_word word, struct line *answer);

struct control;

struct control_client {
    struct control *control;
    struct loop_source source; /* fd -1: a free place */
    struct loop_timer patience;
    bool may_command;
    bool waiting; /* for an answer that comes later */
    size_t length;
    char text[CONTROL_WORD];
};

struct control {
    struct loop *loop;
    const struct log *log;
    control_ask *ask;
    void *owner;
    uid_t user;                  /* beside root */
    struct loop_source listener; /* fd -1: nobody can connect */
    struct loop_timer pause;     /* no connection is taken until then */
    struct sockaddr_un address;
    socklen_t address_size;
    struct control_client clients[CONTROL_CLIENTS];
};

/* The socket's address: "regstore/DEVICE-INODE/NAME" in the abstract namespace, both numbers in
 * hexadecimal digits. Gives its size, or 0 with errno if dir cannot be looked at or name is too
 * long. */
socklen_t control_address(const char *dir, const char *name, struct sockaddr_un *address);

/* loop, log and owner must outlive control. */
void control_open(struct control *control, struct loop *loop, const struct log *log,
                  control_ask *ask, void *owner);
/* Listens for the service of that name of the store in dir. What fails is said in the log: a
 * service does its work without being commanded, too. It tries on, as whoever has taken the name
 * may go. Again for another store. */
void control_listen(struct control *control, const char *dir, const char *name);
/* Answers all who wait. */
void control_answer(struct control *control, const char *answer);
void control_close(struct control *control);

#endif
