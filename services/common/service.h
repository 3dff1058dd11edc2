/*
 * service - a service that lives on the store's settings, from its command line to its end.
 *
 * A service is a table of settings, the key they are in, and a few words; service_main() does the
 * rest. Needs options, check and run. To add a service: a directory with a table and a main() of
 * one call, as services/spooler/main.c, its manual page and unit, and its sources in SConstruct.
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include "settings.h"
#include "shipped_rules.h"

struct service {
    const char *program; /* "regstore-spooler" */
    const char *summary; /* for --help, one line */
    const char *key;     /* where the settings are, with the root's name */
    bool subtree;        /* whether the keys below it concern the service too */
    const struct setting *table;
    size_t count;
    const struct shipped_rule *rules; /* where the store has none; ends with a row without a key */
};

/* The whole of a service's main(); gives the process's exit status, 0 or 1. */
int service_main(const struct service *service, int argc, char **argv);

#endif
