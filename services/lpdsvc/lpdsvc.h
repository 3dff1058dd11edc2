/*
 * lpdsvc - the work of the LPD service: its queues as the registry has them, its server and spool.
 *
 * A change of what is watched is read anew as a whole: settings, printers, ports. All that can fail
 * comes first; then what is there takes the place of what was. A spool that cannot be used is no
 * reason not to run: jobs are refused, it is said, and it is tried again. Needs work, settings,
 * queues, dispatch, answers, lpd_server, spool.
 */
#ifndef LPDSVC_LPDSVC_H
#define LPDSVC_LPDSVC_H

#include "../common/service.h"
#include "../common/work.h"

#define LPDSVC_KEY "HKLM\\SYSTEM\\CurrentControlSet\\Services\\LPDSVC\\Parameters"
#define LPDSVC_SPOOL "/var/spool/regstore-lpd"

/* The rows of the table of settings, in its order. */
enum lpdsvc_setting {
    LPDSVC_ALLOW_JOB_REMOVAL,
    LPDSVC_ALLOW_PRINTER_RESUME,
    LPDSVC_MAX_CONCURRENT_USERS,
    LPDSVC_LISTEN_ADDRESS,
    LPDSVC_LISTEN_PORT,
    LPDSVC_RESTRICT_SOURCE_PORTS,
    LPDSVC_RETRY_PERIOD,
    LPDSVC_SETTINGS
};

/* Its options, in their order. */
enum { LPDSVC_OPTION_SPOOL };

/* The name of the service manager's socket. */
#define LPDSVC_SOCKET "lpd"

/* Printers and ports. */
extern const char *const lpdsvc_beside[];
extern const struct work lpdsvc_work;

#endif
