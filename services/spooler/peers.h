/*
 * peers - the other print servers, as the setting BrowseServers names them.
 *
 * An entry is HOST or HOST:PORT; an IPv6 address with a port stands in brackets, [::1]:1234. Pure.
 * Needs line.
 */
#ifndef SPOOLER_PEERS_H
#define SPOOLER_PEERS_H

#include "../common/line.h"

#include <stdbool.h>
#include <stddef.h>

#define PEERS_MAX 1024
#define PEER_HOST_SIZE 256 /* bytes, with its NUL */

struct peer_address {
    char host[PEER_HOST_SIZE];
    unsigned port;
};

struct peer_addresses {
    size_t count;
    struct peer_address rows[];
};

/* list ends with NULL. Empty entries and repeated ones are skipped; entries without a port get
 * standard. false, and why in *problem: an entry is none, lacks a port where standard is 0, or
 * there are too many; or no memory. *addresses is released with free(3). */
bool peers_parse(const char *const *list, unsigned standard, struct line *problem,
                 struct peer_addresses **addresses);

#endif
