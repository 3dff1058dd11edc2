/*
 * pdu - the messages of connection-oriented RPC: C706 chapter 12, with what [MS-RPCE] adds.
 *
 * Takes a message apart into a struct or says that it is none, and puts messages together. Messages
 * come from strangers: no length in them is believed, and nothing is allocated for them. Little
 * endian, ASCII and IEEE is the only representation that is spoken, and no authentication:
 * [MS-RPRN] 2.1 has none. Needs ndr; knows no connection.
 */
#ifndef RPC_PDU_H
#define RPC_PDU_H

#include "ndr.h"

#define PDU_HEADER 16           /* bytes of what every message begins with */
#define PDU_LEAST_FRAGMENT 1432 /* bytes that every implementation takes, C706 12.6.3.1 */
#define PDU_MOST_FRAGMENT 5840  /* bytes that this one takes */
#define PDU_RESPONSE_HEADER 24
#define PDU_REQUEST_HEADER 24

enum pdu_type {
    PDU_REQUEST = 0,
    PDU_RESPONSE = 2,
    PDU_FAULT = 3,
    PDU_BIND = 11,
    PDU_BIND_ACK = 12,
    PDU_BIND_NAK = 13,
    PDU_ALTER = 14,
    PDU_ALTER_RESPONSE = 15,
    PDU_AUTH3 = 16,
    PDU_SHUTDOWN = 17,
    PDU_CANCEL = 18,
    PDU_ORPHANED = 19
};

/* Flags of a message. */
#define PDU_FIRST 0x01u
#define PDU_LAST 0x02u
#define PDU_DID_NOT_EXECUTE 0x20u
#define PDU_MAYBE 0x40u /* nobody waits for an answer */
#define PDU_OBJECT 0x80u

struct rpc_uuid {
    uint8_t bytes[16]; /* as little endian has them on the wire */
};

/* An interface, or a way to put arguments into bytes. */
struct rpc_syntax {
    struct rpc_uuid uuid;
    uint16_t major;
    uint16_t minor;
};

/* An UUID from its parts, 12345678-1234-abcd-ef00-0123456789ab being
 * RPC_UUID(0x12345678, 0x1234, 0xabcd, 0xef00, 0x0123456789ab). */
#define RPC_BYTE(value) (uint8_t)((value)&0xff)
#define RPC_UUID(a, b, c, d, e)                                                                    \
    {                                                                                              \
        {                                                                                          \
            RPC_BYTE((a)), RPC_BYTE((a) >> 8), RPC_BYTE((a) >> 16), RPC_BYTE((a) >> 24),           \
                RPC_BYTE((b)), RPC_BYTE((b) >> 8), RPC_BYTE((c)), RPC_BYTE((c) >> 8),              \
                RPC_BYTE((d) >> 8), RPC_BYTE((d)), RPC_BYTE((uint64_t)(e) >> 40),                  \
                RPC_BYTE((uint64_t)(e) >> 32), RPC_BYTE((uint64_t)(e) >> 24),                      \
                RPC_BYTE((uint64_t)(e) >> 16), RPC_BYTE((uint64_t)(e) >> 8),                       \
                RPC_BYTE((uint64_t)(e))                                                            \
        }                                                                                          \
    }

bool rpc_uuid_equal(const struct rpc_uuid *a, const struct rpc_uuid *b);
/* The way that is spoken here. */
extern const struct rpc_syntax rpc_ndr32;

/* ---- Taking apart ---------------------------------------------------------------------------- */

struct pdu_header {
    uint8_t major;
    uint8_t minor;
    uint8_t type; /* enum pdu_type, or another number */
    uint8_t flags;
    bool readable; /* little endian, ASCII, IEEE; else size, auth and call are no numbers */
    uint16_t size; /* of all of the message */
    uint16_t auth; /* bytes of authentication in it */
    uint32_t call;
};

/* The first PDU_HEADER bytes of a message. */
struct pdu_header pdu_read_header(const uint8_t *bytes);

/* A bind or alter_context; its contexts are taken one after another. */
struct pdu_bind {
    uint16_t most_sent;  /* bytes of a fragment, as the client proposes */
    uint16_t most_taken; /* the same for what comes to it */
    uint32_t group;
    unsigned contexts;
    struct ndr_pull rest;
};

/* What a context is about. */
struct pdu_context {
    uint16_t id;
    struct rpc_syntax interface;
    bool ndr32;      /* among the ways that the client can put arguments into bytes */
    bool negotiates; /* it is no context, but asks for features, [MS-RPCE] 3.3.1.5.3 */
};

/* These take all of a message; false if it is not what its header says. */
bool pdu_read_bind(const uint8_t *bytes, size_t size, struct pdu_bind *bind);
bool pdu_next_context(struct pdu_bind *bind, struct pdu_context *context);

struct pdu_request {
    uint16_t context;
    uint16_t opnum;
    const uint8_t *stub;
    size_t size;
};
bool pdu_read_request(const uint8_t *bytes, size_t size, struct pdu_request *request);

/* What a client is answered: a bind_ack, and whether the first context of it was accepted. */
struct pdu_bind_ack {
    uint16_t most_taken; /* bytes of a fragment that the server takes */
    bool accepted;
};
bool pdu_read_bind_ack(const uint8_t *bytes, size_t size, struct pdu_bind_ack *ack);
bool pdu_read_bind_nak(const uint8_t *bytes, size_t size, uint16_t *reason);

struct pdu_response {
    const uint8_t *stub;
    size_t size;
};
bool pdu_read_response(const uint8_t *bytes, size_t size, struct pdu_response *response);
bool pdu_read_fault(const uint8_t *bytes, size_t size, uint32_t *status);

/* ---- Putting together ------------------------------------------------------------------------ */

/* Where messages go. */
struct pdu_writer {
    struct ndr_push *output;
    bool framed;   /* each with its length before it, as a u16 */
    uint8_t minor; /* of the protocol's version */
};

/* How a context was taken, C706 12.6.3.1 and [MS-RPCE] 2.2.2.4. */
enum pdu_result { PDU_ACCEPTED = 0, PDU_PROVIDER_REJECTED = 2, PDU_NEGOTIATED = 3 };
enum pdu_reason {
    PDU_NO_REASON = 0,
    PDU_UNKNOWN_INTERFACE = 1,
    PDU_UNKNOWN_TRANSFER = 2,
    PDU_TOO_MANY = 3
};

#define PDU_MOST_RESULTS 64 /* contexts in one bind */

struct pdu_results {
    unsigned count;
    struct {
        uint16_t result; /* enum pdu_result */
        uint16_t reason; /* enum pdu_reason; features, if negotiated */
    } rows[PDU_MOST_RESULTS];
};

struct pdu_agreement {
    uint16_t most_sent; /* bytes of a fragment */
    uint16_t most_taken;
    uint32_t group;
    const char *address; /* of the server, for more connections; NULL in an alter_context_resp */
};

void pdu_write_bind_ack(const struct pdu_writer *to, enum pdu_type type, uint32_t call,
                        const struct pdu_agreement *agreement, const struct pdu_results *results);

/* Why a bind is refused. */
enum pdu_refusal { PDU_REFUSED = 0, PDU_REFUSED_VERSION = 4, PDU_REFUSED_AUTHENTICATION = 8 };
void pdu_write_bind_nak(const struct pdu_writer *to, uint32_t call, enum pdu_refusal refusal);

/* An answer, in fragments of at most so many bytes each. */
void pdu_write_response(const struct pdu_writer *to, uint32_t call, uint16_t context,
                        const struct ndr_push *answer, size_t most);
void pdu_write_fault(const struct pdu_writer *to, uint32_t call, uint16_t context, uint32_t status);

/* What a client says: a bind to one interface by NDR32, and a call. */
void pdu_write_bind(const struct pdu_writer *to, uint32_t call, const struct rpc_syntax *interface);
void pdu_write_request(const struct pdu_writer *to, uint32_t call, uint16_t opnum,
                       const struct ndr_push *arguments, size_t most);

#endif
