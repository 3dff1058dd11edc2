/*
 * service - a service that lives on the store's settings, from its command line to its end.
 *
 * A service is a table of settings, the key they are in, and a few words; service_main() does the
 * rest. What it does with them is its work (work.h). Needs options, check and run. To add a
 * service: a directory with a table, a work and a main() of one call, as services/spooler/main.c,
 * its manual page and unit, and its sources in services/SConscript.
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include "settings.h"
#include "shipped_rules.h"

struct service_option;
struct work;

struct service {
    const char *program; /* "regstore-spooler" */
    const char *summary; /* for --help, one line */
    const char *key;     /* where the settings are, with the root's name */
    const char *watched; /* a key above, if more of it concerns the service; NULL: it does not */
    bool subtree;        /* whether the keys below what is watched concern the service too */
    /* Keys elsewhere that its work reads, with what is below them; end with NULL. Their changes are
     * taken and answered, too. NULL: there are none. */
    const char *const *beside;
    const struct setting *table;
    size_t count;
    const struct shipped_rule *rules; /* where the store has none; ends with a row without a key */
    const struct service_option *options; /* of its own; ends with a row without a name; or NULL */
    const struct work *work;              /* NULL: it follows its settings, that is all */
};

/* The whole of a service's main(); gives the process's exit status, 0 or 1. */
int service_main(const struct service *service, int argc, char **argv);

#endif
