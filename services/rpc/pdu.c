/* pdu - taking messages apart; see pdu.h. */
#include "pdu.h"

#include <string.h>

#define REPRESENTATION 0x10 /* little endian and ASCII; IEEE is the 0 behind it */

const struct rpc_syntax rpc_ndr32 = {RPC_UUID(0x8a885d04, 0x1ceb, 0x11c9, 0x9fe8, 0x08002b104860),
                                     2, 0};

/* Bind time feature negotiation: the second half of the UUID is the features that are asked for. */
static const uint8_t negotiation[8] = {0x2c, 0x1c, 0xb7, 0x6c, 0x12, 0x98, 0x40, 0x45};

bool rpc_uuid_equal(const struct rpc_uuid *a, const struct rpc_uuid *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

struct pdu_header pdu_read_header(const uint8_t *bytes)
{
    struct pdu_header header = {0};
    struct ndr_pull pull = ndr_pull_of(bytes, PDU_HEADER);
    header.major = ndr_pull_u8(&pull);
    header.minor = ndr_pull_u8(&pull);
    header.type = ndr_pull_u8(&pull);
    header.flags = ndr_pull_u8(&pull);
    uint8_t numbers = ndr_pull_u8(&pull);
    uint8_t floats = ndr_pull_u8(&pull);
    header.readable = numbers == REPRESENTATION && floats == 0;
    (void)ndr_pull_u16(&pull);
    header.size = ndr_pull_u16(&pull);
    header.auth = ndr_pull_u16(&pull);
    header.call = ndr_pull_u32(&pull);
    return header;
}

/* A message's body. */
static struct ndr_pull body(const uint8_t *bytes, size_t size)
{
    struct ndr_pull pull = ndr_pull_of(bytes, size);
    (void)ndr_pull_raw(&pull, PDU_HEADER);
    return pull;
}

/* ---- What clients say ------------------------------------------------------------------------ */

static struct rpc_syntax pull_syntax(struct ndr_pull *pull)
{
    struct rpc_syntax syntax = {0};
    const uint8_t *uuid = ndr_pull_raw(pull, sizeof(syntax.uuid.bytes));
    if (uuid != NULL) {
        memcpy(syntax.uuid.bytes, uuid, sizeof(syntax.uuid.bytes));
    }
    syntax.major = ndr_pull_u16(pull);
    syntax.minor = ndr_pull_u16(pull);
    return syntax;
}

bool pdu_read_bind(const uint8_t *bytes, size_t size, struct pdu_bind *bind)
{
    struct pdu_bind read = {0};
    struct ndr_pull pull = body(bytes, size);
    read.most_sent = ndr_pull_u16(&pull);
    read.most_taken = ndr_pull_u16(&pull);
    read.group = ndr_pull_u32(&pull);
    read.contexts = ndr_pull_u8(&pull);
    (void)ndr_pull_raw(&pull, 3);
    read.rest = pull;
    if (!ndr_pull_ok(&pull)) {
        return false;
    }
    *bind = read;
    return true;
}

bool pdu_next_context(struct pdu_bind *bind, struct pdu_context *context)
{
    struct pdu_context read = {0};
    struct ndr_pull *pull = &bind->rest;
    read.id = ndr_pull_u16(pull);
    unsigned ways = ndr_pull_u8(pull);
    (void)ndr_pull_u8(pull);
    read.interface = pull_syntax(pull);
    for (unsigned i = 0; i < ways && ndr_pull_ok(pull); i++) {
        struct rpc_syntax way = pull_syntax(pull);
        read.ndr32 |= rpc_uuid_equal(&way.uuid, &rpc_ndr32.uuid) && way.major == rpc_ndr32.major;
        read.negotiates |= memcmp(way.uuid.bytes, negotiation, sizeof(negotiation)) == 0;
    }
    if (!ndr_pull_ok(pull)) {
        return false;
    }
    *context = read;
    return true;
}

bool pdu_read_request(const uint8_t *bytes, size_t size, struct pdu_request *request)
{
    struct pdu_request read = {0};
    struct ndr_pull pull = body(bytes, size);
    (void)ndr_pull_u32(&pull); /* a hint how long the arguments are, which need not be true */
    read.context = ndr_pull_u16(&pull);
    read.opnum = ndr_pull_u16(&pull);
    if (ndr_pull_ok(&pull) && (pdu_read_header(bytes).flags & PDU_OBJECT) != 0) {
        (void)ndr_pull_raw(&pull, sizeof(struct rpc_uuid));
    }
    read.size = ndr_pull_ok(&pull) ? size - pull.position : 0;
    read.stub = ndr_pull_raw(&pull, read.size);
    if (!ndr_pull_ok(&pull)) {
        return false;
    }
    *request = read;
    return true;
}

/* ---- What servers say ------------------------------------------------------------------------ */

bool pdu_read_bind_ack(const uint8_t *bytes, size_t size, struct pdu_bind_ack *ack)
{
    struct ndr_pull pull = body(bytes, size);
    (void)ndr_pull_u16(&pull);
    uint16_t most_taken = ndr_pull_u16(&pull);
    (void)ndr_pull_u32(&pull);
    (void)ndr_pull_raw(&pull, ndr_pull_u16(&pull)); /* another address, not needed */
    ndr_pull_align(&pull, 4);
    unsigned results = ndr_pull_u8(&pull);
    (void)ndr_pull_raw(&pull, 3);
    uint16_t result = ndr_pull_u16(&pull);
    (void)ndr_pull_u16(&pull);
    struct rpc_syntax way = pull_syntax(&pull);
    if (!ndr_pull_ok(&pull) || results == 0) {
        return false;
    }
    ack->most_taken = most_taken;
    ack->accepted = result == PDU_ACCEPTED && rpc_uuid_equal(&way.uuid, &rpc_ndr32.uuid);
    return true;
}

bool pdu_read_bind_nak(const uint8_t *bytes, size_t size, uint16_t *reason)
{
    struct ndr_pull pull = body(bytes, size);
    uint16_t read = ndr_pull_u16(&pull);
    if (!ndr_pull_ok(&pull)) {
        return false;
    }
    *reason = read;
    return true;
}

bool pdu_read_response(const uint8_t *bytes, size_t size, struct pdu_response *response)
{
    struct ndr_pull pull = body(bytes, size);
    if (ndr_pull_raw(&pull, PDU_RESPONSE_HEADER - PDU_HEADER) == NULL) {
        return false;
    }
    response->stub = bytes + PDU_RESPONSE_HEADER;
    response->size = size - PDU_RESPONSE_HEADER;
    return true;
}

bool pdu_read_fault(const uint8_t *bytes, size_t size, uint32_t *status)
{
    struct ndr_pull pull = body(bytes, size);
    (void)ndr_pull_raw(&pull, PDU_RESPONSE_HEADER - PDU_HEADER);
    uint32_t read = ndr_pull_u32(&pull);
    if (!ndr_pull_ok(&pull)) {
        return false;
    }
    *status = read;
    return true;
}
