/*
 * run - a service at work: waits for changes and for signals until it is told to end.
 *
 * Needs live for the changes, notify and log for telling.
 */
#ifndef SERVICE_RUN_H
#define SERVICE_RUN_H

#include "log.h"
#include "options.h"
#include "service.h"

/* Runs in the foreground until SIGTERM or SIGINT; SIGHUP reads the settings again. notify_socket is
 * the value of $NOTIFY_SOCKET or NULL, options the command line. Gives the process's exit status.
 */
int run_service(const struct service *service, const struct log *log, const char *notify_socket,
                const struct options *options);

#endif
