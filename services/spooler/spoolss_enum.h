/*
 * spoolss_enum - RpcEnumPrinters, the part of spoolss that lists.
 *
 * What is listed, flags say ([MS-RPRN] 3.1.4.2.1, 2.2.3.7):
 *
 *     LOCAL            all printers of this computer
 *     NAME and a name  the same, with this computer's name before theirs: whoever asks here by some
 *                      name means this computer, as its names may be aliases; \\SERVER or SERVER
 *     NAME alone       at level 1 the one print provider that there is, at level 2 as LOCAL
 *     SHARED           with either: only those that are shared
 *     NETWORK, REMOTE  at level 1: the shared ones of this computer, and those that other print
 *                      servers announced; where they come together with LOCAL or NAME, NETWORK wins
 *     CONNECTIONS, DEFAULT, and flags that only answers have: nothing
 *
 * Needs spoolss and listing.
 */
#ifndef SPOOLER_SPOOLSS_ENUM_H
#define SPOOLER_SPOOLSS_ENUM_H

#include "spoolss.h"

/* Gives 0 or a fault. */
uint32_t spoolss_enum_printers(struct spoolss *spoolss, const struct rpc_call *call,
                               struct ndr_push *answer);
/* Drops the network printers that were not announced for a period. */
void spoolss_expire(struct spoolss *spoolss);

#endif
