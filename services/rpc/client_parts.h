/*
 * client_parts - a host's name becoming addresses while the loop goes on; see client.h.
 *
 * The resolver of libc blocks, for half a minute if the name servers are silent. So each lookup is
 * a thread of its own, and a lookup that nobody waits for any more ends by itself: the last of the
 * two that has it frees it.
 */
#ifndef RPC_CLIENT_PARTS_H
#define RPC_CLIENT_PARTS_H

#include <netdb.h>

struct lookup;

/* Starts one and gives a descriptor that becomes readable when it is over; the lookup's own. 0 or
 * an errno number. */
int lookup_start(const char *host, unsigned port, struct lookup **lookup, int *fd);
/* Of one that is over: 0 with the addresses, which stay the lookup's, or getaddrinfo(3)'s number.
 */
int lookup_result(const struct lookup *lookup, const struct addrinfo **addresses);
/* At any time; takes NULL. */
void lookup_drop(struct lookup *lookup);

#endif
