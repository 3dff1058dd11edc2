/*
 * run - a service at work: waits for changes, commands and signals until it is told to end.
 *
 * Needs live for the changes, control for the commands, notify and log for telling.
 */
#ifndef SERVICE_RUN_H
#define SERVICE_RUN_H

#include "activation.h"
#include "log.h"
#include "options.h"
#include "service.h"

/* What the service manager and the command line have given. */
struct run_means {
    const char *notify_socket; /* the value of $NOTIFY_SOCKET or NULL */
    struct activation *activation;
    const struct options *options;
};

/* Runs in the foreground until SIGTERM or SIGINT; SIGHUP reads the settings again. Gives the
 * process's exit status. */
int run_service(const struct service *service, const struct log *log,
                const struct run_means *means);

#endif
