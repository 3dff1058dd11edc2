/*
 * association - what a server has with one client: the contexts that were agreed upon, a call whose
 * fragments come in, and the answers.
 *
 * A state machine without sockets and without a clock: bytes go in, calls are made, bytes come out.
 * Follows C706 chapter 12 and [MS-RPCE]. Everything that a client can make it hold is bounded.
 * Needs pdu and ndr.
 */
#ifndef RPC_ASSOCIATION_H
#define RPC_ASSOCIATION_H

#include "ndr.h"
#include "pdu.h"

#include <netinet/in.h>

/* ---- Interfaces ------------------------------------------------------------------------------ */

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

struct rpc_call {
    const struct rpc_caller *caller;
    unsigned opnum;
    const uint8_t *arguments;
    size_t size;
};

/* What a call or a server gives instead of an answer. */
#define RPC_FAULT_ACCESS_DENIED 0x00000005u
#define RPC_FAULT_BAD_STUB_DATA 0x000006f7u
#define RPC_FAULT_NO_MEMORY 0x1c00001du    /* nca_s_fault_remote_no_memory */
#define RPC_FAULT_OPNUM 0x1c010002u        /* nca_s_op_rng_error */
#define RPC_FAULT_NO_INTERFACE 0x1c010003u /* nca_s_unk_if */
#define RPC_FAULT_PROTOCOL 0x1c01000bu     /* nca_s_proto_error */

struct rpc_interface {
    struct rpc_syntax syntax;
    unsigned opnum_count; /* a call with another opnum never comes to call */
    /* Gives 0 with the answer pushed, or a fault. The arguments may be anything. An answer that
     * failed to be pushed becomes a fault by itself. */
    uint32_t (*call)(void *owner, const struct rpc_call *call, struct ndr_push *answer);
};

/* ---- One association ------------------------------------------------------------------------- */

#define RPC_MOST_CONTEXTS 16
#define RPC_MOST_ARGUMENTS (1024 * 1024)  /* bytes of a call's */
#define RPC_MOST_ANSWER (4 * 1024 * 1024) /* bytes of an answer's */

struct rpc_association_options {
    const struct rpc_interface *interfaces;
    size_t interface_count;
    void *owner;
    bool (*admit)(void *owner, const struct rpc_caller *caller); /* NULL: always */
    const struct rpc_caller *caller;
    bool framed; /* each PDU that goes out has its length before it, as a u16: smbd's pipes */
};

struct rpc_association;

/* NULL without memory. The options are copied; what they point to outlives it. */
struct rpc_association *rpc_association_open(const struct rpc_association_options *options);
void rpc_association_close(struct rpc_association *association);

/* Takes bytes that came and appends what is to be sent to output. false: the connection ends, once
 * the output is sent; *why then says so in a few words, or is NULL if the client did as it should.
 */
bool rpc_association_feed(struct rpc_association *association, const uint8_t *bytes, size_t size,
                          struct ndr_push *output, const char **why);
/* Whether the client has an interface that it can call. */
bool rpc_association_bound(const struct rpc_association *association);

#endif
