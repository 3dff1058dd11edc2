/*
 * rpc_messages.h - RPC messages put together byte by byte, for tests of what takes them apart; and
 * an interface that can be called. They owe nothing to services/rpc/pdu_write.c. Needs caller's
 * CUnit.
 */
#ifndef RPC_MESSAGES_H
#define RPC_MESSAGES_H

#include "../services/rpc/association.h"

struct wire {
    uint8_t bytes[16384];
    size_t size;
    size_t start; /* of the latest message */
};

void wire_put(struct wire *wire, const void *data, size_t size);
void wire_u16(struct wire *wire, unsigned value);
void wire_u32(struct wire *wire, uint32_t value);
/* Sets a number in the latest message. */
void wire_set_u16(struct wire *wire, size_t at, unsigned value);

#define WIRE_WHOLE (PDU_FIRST | PDU_LAST)

/* A header, whose size wire_end() fills in. */
void wire_begin(struct wire *wire, unsigned type, unsigned flags, uint32_t call);
void wire_end(struct wire *wire);
void wire_syntax(struct wire *wire, const struct rpc_syntax *syntax);
/* What stands before the contexts of a bind or an alter_context. */
void wire_begin_bind(struct wire *wire, unsigned type, unsigned contexts);
/* A context for an interface by one way. */
void wire_context(struct wire *wire, unsigned id, const struct rpc_syntax *interface,
                  const struct rpc_syntax *way);
/* A bind of context 0 to the interface below. */
void wire_bind(struct wire *wire);
void wire_request(struct wire *wire, unsigned flags, uint32_t call, unsigned opnum,
                  const void *stub, size_t size);

/* ---- The interface: what its calls do -------------------------------------------------------- */

enum {
    ECHO_SAME,   /* gives its arguments back */
    ECHO_REFUSE, /* a fault, bad stub data */
    ECHO_LARGE,  /* so many bytes as an u32 says, each the low byte of its place */
    ECHO_CALLER, /* the caller's account */
    ECHO_CALLS
};

extern const struct rpc_interface echo_interface;
extern const struct rpc_syntax unknown_syntax;
/* The time feature negotiation of Windows and Samba, asking for two features. */
extern const struct rpc_syntax negotiation_syntax;

/* Numbers of a message, at a place in it. */
unsigned get_u16(const uint8_t *bytes);
uint32_t get_u32(const uint8_t *bytes);

#endif
