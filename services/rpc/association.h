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

#include "caller.h"
#include "ndr.h"
#include "pdu.h"

/* ---- Interfaces ------------------------------------------------------------------------------ */

struct rpc_call {
    const struct rpc_caller *caller;
    unsigned opnum;
    const uint8_t *arguments;
    size_t size;
};

/* What a call or a server gives instead of an answer. */
#define RPC_FAULT_ACCESS_DENIED 0x00000005u
#define RPC_FAULT_BAD_STUB_DATA 0x000006f7u
#define RPC_FAULT_NO_MEMORY 0x1c00001bu    /* nca_s_fault_remote_no_memory */
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
#define RPC_MOST_ARGUMENTS (4 * 1024 * 1024) /* bytes of a call's; the print system sends along */
#define RPC_MOST_ANSWER RPC_MOST_ARGUMENTS   /* bytes of an answer's: the buffer it is put in */

struct rpc_association_options {
    const struct rpc_interface *interfaces;
    size_t interface_count;
    void *owner;
    bool (*admit)(void *owner, const struct rpc_caller *caller); /* NULL: always */
    const struct rpc_caller *caller;
    const char *address; /* what the bind_ack calls the server: a port, or \PIPE\NAME */
    uint32_t group;      /* its number among the server's associations, not 0 */
    bool framed; /* each PDU that goes out has its length before it, as a u16: smbd's pipes */
    size_t most_output; /* with so many bytes to be sent, it takes nothing more */
};

struct rpc_association;

/* NULL without memory. The options are copied; what they point to outlives it. */
struct rpc_association *rpc_association_open(const struct rpc_association_options *options);
void rpc_association_close(struct rpc_association *association);

struct rpc_fed {
    size_t taken;    /* bytes; fewer than came if the output is as long as it may be */
    bool ended;      /* the connection is to be closed, once the output is sent */
    const char *why; /* a few words if the client did what it must not; else NULL */
};

/* Takes bytes that came and appends what is to be sent to output. */
struct rpc_fed rpc_association_feed(struct rpc_association *association, const uint8_t *bytes,
                                    size_t size, struct ndr_push *output);
/* Whether the client has an interface that it can call. */
bool rpc_association_bound(const struct rpc_association *association);
/* Bytes of memory that the client makes it hold. */
size_t rpc_association_held(const struct rpc_association *association);

#endif
