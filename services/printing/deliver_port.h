/*
 * deliver_port - what a port's name leads to, by the store. Needs regstore.h, ports, line.
 */
#ifndef PRINTING_DELIVER_PORT_H
#define PRINTING_DELIVER_PORT_H

#include "../common/line.h"
#include "target.h"

#include <stdbool.h>

/* directory is the store's, NULL: the default one. Gives false with the reason. */
bool deliver_port(const char *directory, const char *port, struct target *target, struct line *why);

#endif
