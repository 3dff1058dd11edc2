/*
 * caller - who calls, as far as it is known. Needs nothing.
 */
#ifndef RPC_CALLER_H
#define RPC_CALLER_H

#include <netinet/in.h>
#include <stdbool.h>

enum rpc_transport { RPC_OVER_TCP, RPC_OVER_PIPE };

#define RPC_MOST_NAME 256 /* bytes of a name or an account, with its NUL; longer ones are cut */
#define RPC_MOST_SID 192  /* bytes of a SID's text, with its NUL */

/* Who calls, as far as it is known. All texts are a stranger's. */
struct rpc_caller {
    enum rpc_transport transport;
    bool anonymous; /* a null session; always so over TCP, where nobody proves who he is */
    char address[INET6_ADDRSTRLEN]; /* of the client's computer, "" if unknown */
    char computer[RPC_MOST_NAME];   /* its name as smbd tells it, "" over TCP */
    char account[RPC_MOST_NAME];    /* "" if unknown */
    char domain[RPC_MOST_NAME];     /* "" if unknown */
    char sid[RPC_MOST_SID];         /* the user's, "" over TCP */
};

#endif
