/*
 * A service's unit, where systemd runs. It needs systemctl(1); it gives what that tells and does.
 */
#ifndef REGTOOL_NET_UNIT_H
#define REGTOOL_NET_UNIT_H

#include "net_service.h"

/* Whether systemd runs here and knows a unit for the target. */
bool net_unit_known(const struct net_target *target);
/* Whether that unit is active. */
bool net_unit_active(const struct net_target *target);
/* Start and stop it, the latter with the socket that would start it again. Whether systemctl says
 * that this was done; it has told the user why not. */
bool net_unit_start(const struct net_target *target);
bool net_unit_stop(const struct net_target *target);

#endif
