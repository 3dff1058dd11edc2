/*
 * notify - tells the service manager what state the service is in.
 *
 * The protocol of sd_notify(3): one datagram per message to the Unix socket that $NOTIFY_SOCKET
 * names, a path or, after '@', a name in the abstract namespace. It is short and stable, so it is
 * written here by hand and costs no library. Needs log, for saying that the manager cannot be told.
 */
#ifndef SERVICE_NOTIFY_H
#define SERVICE_NOTIFY_H

#include "log.h"

struct notifier {
    const char *socket_name; /* the value of $NOTIFY_SOCKET; NULL: nobody listens */
    const struct log *log;
};

/* Sends fields joined by line ends, "READY=1". Gives 0 or an errno number. Waits for a second at
 * most. */
int notify_send(const char *socket_name, const char *message);

/* The steps of a service's life. status is one line, shown by `systemctl status`. When the manager
 * cannot be told, the log is, and no further message is tried. */
void notify_ready(struct notifier *notifier, const char *status);
void notify_status(struct notifier *notifier, const char *status);
void notify_reloading(struct notifier *notifier);
void notify_stopping(struct notifier *notifier);

#endif
