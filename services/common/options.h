/*
 * options - a service's command line.
 *
 * All services take the same few options, so that an administrator learns them once. Needs line
 * for what it says about a command line that it does not take.
 */
#ifndef SERVICE_OPTIONS_H
#define SERVICE_OPTIONS_H

#include "line.h"

#include <stdbool.h>

#define OPTIONS_WINDOW 20        /* ms, unless --window says otherwise */
#define OPTIONS_MAX_WINDOW 60000 /* ms */

enum service_action { SERVICE_RUN, SERVICE_CHECK, SERVICE_HELP, SERVICE_VERSION };

struct options {
    enum service_action action;
    const char *store; /* NULL: the default store */
    const char *name;  /* of the watch, NULL: the program's */
    unsigned window;   /* in which changes are gathered, in ms */
};

/* Gives false and the reason in *problem for a command line that is not understood. */
bool options_parse(int argc, char **argv, struct options *options, struct line *problem);
/* What --help prints of the options; static. */
const char *options_help(void);

#endif
