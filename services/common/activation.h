/*
 * activation - sockets that the service manager has opened for the service.
 *
 * The protocol of sd_listen_fds(3), by hand as in notify: $LISTEN_FDS descriptors from 3 on are for
 * the process of $LISTEN_PID, with names in $LISTEN_FDNAMES. A service gets sockets so that it may
 * not open itself: below another's directory, or on a low port. Only listening stream sockets are
 * kept. Needs log and line.
 */
#ifndef SERVICE_ACTIVATION_H
#define SERVICE_ACTIVATION_H

#include "line.h"
#include "log.h"

#include <stdbool.h>
#include <stddef.h>

#define ACTIVATION_FIRST 3 /* descriptor */
#define ACTIVATION_MAX 8
#define ACTIVATION_NAME 256 /* bytes of a name, its end included */

struct activation {
    size_t count;
    struct {
        int fd; /* -1: it was taken */
        char name[ACTIVATION_NAME];
    } sockets[ACTIVATION_MAX];
};

/* pid, fds and names are the values of the three variables, or NULL; the caller removes them from
 * the environment. The descriptors are made close-on-exec and non-blocking; what is no listening
 * stream socket is closed, which the log is told. */
void activation_open(struct activation *activation, const struct log *log, const char *pid,
                     const char *fds, const char *names);
/* Gives a socket of that name to the caller, who closes it; -1: there is none, or no other. */
int activation_take(struct activation *activation, const char *name);
/* Gives a server a copy of a socket that was taken, which stays for when the server is opened anew.
 * take() gives an errno number, or 0 and has the copy. What fails is the problem. */
bool activation_lend(int fd, int (*take)(void *server, int fd), void *server, struct line *problem);
/* Closes what was not taken, which the log is told: the manager's unit says otherwise than the
 * service thinks. */
void activation_close(struct activation *activation, const struct log *log);

#endif
