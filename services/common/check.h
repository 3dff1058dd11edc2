/*
 * check - a service's settings as a table for a person, and whether the service would take them.
 *
 * Needs service.h for what the service is; settings and settings_text.
 */
#ifndef SERVICE_CHECK_H
#define SERVICE_CHECK_H

#include "line.h"
#include "service.h"

#include <stdio.h>

struct check {
    bool printed;         /* false: the stream did not take it all */
    bool allowed;         /* every value is */
    struct line refusals; /* if not */
    struct line warnings; /* empty: none */
};

/* Reads the settings once and prints a line for each. Fails when the store cannot be read. */
int check_settings(const struct service *service, rs_store *store, FILE *stream,
                   struct check *check);

#endif
