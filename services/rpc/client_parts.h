/*
 * client_parts - a host's name becoming addresses while the loop goes on; see client.h.
 *
 * The resolver of libc blocks, for half a minute if the name servers are silent. So each lookup has
 * a thread of its own, and one that nobody waits for any more ends by itself. Needs background.
 */
#ifndef RPC_CLIENT_PARTS_H
#define RPC_CLIENT_PARTS_H

#include "../common/loop.h"

#include <netdb.h>

struct lookup;

/* Calls found once from the loop, never from within this: with 0 and the addresses, which stay the
 * lookup's, or with getaddrinfo(3)'s number. It may drop the lookup. 0 or an errno number. */
int lookup_start(struct loop *loop, const char *host, unsigned port,
                 void (*found)(void *owner, int problem, const struct addrinfo *addresses),
                 void *owner, struct lookup **lookup);
/* At any time; takes NULL. */
void lookup_drop(struct lookup *lookup);

#endif
