/*
 * What a service lives by, as the store and its rules have it, beside what the service says of
 * that. It needs a store; the service need not run.
 */
#ifndef REGTOOL_NET_CONFIG_H
#define REGTOOL_NET_CONFIG_H

#include "net_service.h"
#include "tool.h"

/* Prints it; state is that of the service. Returns the exit status. */
int net_config(struct session *session, const struct net_target *target, const char *state);

#endif
