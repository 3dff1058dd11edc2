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
#define OPTIONS_OWN_MAX 4        /* that a service may have beside those of all */

/* One that a service has of its own; it takes an argument. */
struct service_option {
    const char *name;     /* "pipe" */
    const char *argument; /* "PATH" */
    const char *help;     /* one line */
};

enum service_action { SERVICE_RUN, SERVICE_CHECK, SERVICE_HELP, SERVICE_VERSION };

struct options {
    enum service_action action;
    const char *store; /* NULL: the default store */
    const char *name;  /* of the watch, NULL: the program's */
    unsigned window;   /* in which changes are gathered, in ms */
    const char
        *own[OPTIONS_OWN_MAX]; /* of the service's own options, in their order; NULL: not given */
};

/* own is the service's table, or NULL. Gives false and the reason in *problem for a command line
 * that is not understood. */
bool options_parse(int argc, char **argv, const struct service_option *own, struct options *options,
                   struct line *problem);
/* Prints what --help says of the options. */
void options_print_help(const struct service_option *own);

#endif
