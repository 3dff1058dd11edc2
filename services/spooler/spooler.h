/*
 * spooler - the work of the print spooler: its listeners, the calls, and its rounds.
 *
 * A change of what is watched is read anew as a whole: printers, peers, the computer's name, and
 * what null sessions may do. All that can fail comes first; then what is there takes the place of
 * what was. Needs work, settings, names, access, server, spoolss and browse.
 */
#ifndef SPOOLER_SPOOLER_H
#define SPOOLER_SPOOLER_H

#include "../common/service.h"
#include "../common/work.h"

#define SPOOLER_KEY "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print"
/* The rows of the table of settings, in its order. */
enum spooler_setting {
    SPOOLER_DISABLE_SERVER_THREAD,
    SPOOLER_SERVER_THREAD_TIMEOUT,
    SPOOLER_DECAY_PERIOD,
    SPOOLER_REFRESH_TIMES,
    SPOOLER_BROWSE_SERVERS,
    SPOOLER_LISTEN_ADDRESS,
    SPOOLER_LISTEN_PORT,
    SPOOLER_MOST_NETWORK_PRINTERS,
    SPOOLER_SCHEDULER_PRIORITY,
    SPOOLER_PRIORITY_CLASS,
    SPOOLER_BEEP,
    SPOOLER_FAST_PRINT_WAIT,
    SPOOLER_FAST_PRINT_THROTTLE,
    SPOOLER_SETTINGS
};

/* Its options, in their order. */
enum { SPOOLER_OPTION_PIPE };

/* The name of the service manager's socket that smbd hands the pipe over to. */
#define SPOOLER_SOCKET "spoolss"

/* What it reads beside: the computer's name, and what the server component allows null sessions. */
extern const char *const spooler_beside[];
extern const struct work spooler_work;

#endif
