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

#define PDU_FIRST 0x01u
#define PDU_LAST 0x02u
#define PDU_DID_NOT_EXECUTE 0x20u
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
                RPC_BYTE((d) >> 8), RPC_BYTE((d)), RPC_BYTE((e) >> 40), RPC_BYTE((e) >> 32),       \
                RPC_BYTE((e) >> 24), RPC_BYTE((e) >> 16), RPC_BYTE((e) >> 8), RPC_BYTE((e))        \
        }                                                                                          \
    }

#endif
