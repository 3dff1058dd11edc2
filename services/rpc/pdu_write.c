/* pdu - putting messages together; see pdu.h. */
#include "pdu.h"

#include <string.h>

#define FRAME 2 /* bytes of a frame's length */

/* ---- Fields ---------------------------------------------------------------------------------- */

/* A message begins anywhere in the output, so numbers are put down without regard to alignment; the
 * messages' own fields stand so that they are aligned. */
static void put(const struct pdu_writer *to, uint32_t value, size_t size)
{
    uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                        (uint8_t)(value >> 24)};
    ndr_push_raw(to->output, bytes, size);
}

static void put_syntax(const struct pdu_writer *to, const struct rpc_syntax *syntax)
{
    ndr_push_raw(to->output, syntax->uuid.bytes, sizeof(syntax->uuid.bytes));
    put(to, syntax->major, 2);
    put(to, syntax->minor, 2);
}

/* Writes a header and gives the place where the message begins. */
static size_t begin(const struct pdu_writer *to, enum pdu_type type, unsigned flags, uint32_t call)
{
    if (to->framed) {
        put(to, 0, FRAME);
    }
    size_t start = to->output->size;
    put(to, 5 | (uint32_t)to->minor << 8 | (uint32_t)type << 16 | (uint32_t)flags << 24, 4);
    put(to, 0x10, 4);
    put(to, 0, 4); /* its size, and no authentication */
    put(to, call, 4);
    return start;
}

static void set_u16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

/* Fills in how long the message became. */
static void end(const struct pdu_writer *to, size_t start)
{
    if (!ndr_push_ok(to->output)) {
        return;
    }
    size_t size = to->output->size - start;
    uint8_t *message = to->output->data + start;
    set_u16(message + 8, size);
    if (to->framed) {
        set_u16(message - FRAME, size);
    }
}

/* ---- Agreements ------------------------------------------------------------------------------ */

static void put_address(const struct pdu_writer *to, size_t start, const char *address)
{
    size_t length = address != NULL ? strlen(address) + 1 : 0;
    put(to, (uint32_t)length, 2);
    ndr_push_raw(to->output, address, length);
    size_t beyond = (to->output->size - start) % 4;
    if (beyond != 0) {
        (void)ndr_push_space(to->output, 4 - beyond);
    }
}

void pdu_write_bind_ack(const struct pdu_writer *to, enum pdu_type type, uint32_t call,
                        const struct pdu_agreement *agreement, const struct pdu_results *results)
{
    static const struct rpc_syntax none;
    size_t start = begin(to, type, PDU_FIRST | PDU_LAST, call);
    put(to, agreement->most_sent, 2);
    put(to, agreement->most_taken, 2);
    put(to, agreement->group, 4);
    put_address(to, start, agreement->address);
    put(to, results->count, 4);
    for (unsigned i = 0; i < results->count; i++) {
        put(to, results->rows[i].result, 2);
        put(to, results->rows[i].reason, 2);
        put_syntax(to, results->rows[i].result == PDU_ACCEPTED ? &rpc_ndr32 : &none);
    }
    end(to, start);
}

void pdu_write_bind_nak(const struct pdu_writer *to, uint32_t call, enum pdu_refusal refusal)
{
    size_t start = begin(to, PDU_BIND_NAK, PDU_FIRST | PDU_LAST, call);
    put(to, refusal, 2);
    put(to, 2, 1); /* the versions that are spoken: 5.0 and 5.1 */
    put(to, 5, 2);
    put(to, 5 | 1 << 8, 2);
    put(to, 0, 1);
    end(to, start);
}

void pdu_write_bind(const struct pdu_writer *to, uint32_t call, const struct rpc_syntax *interface)
{
    size_t start = begin(to, PDU_BIND, PDU_FIRST | PDU_LAST, call);
    put(to, PDU_MOST_FRAGMENT, 2);
    put(to, PDU_MOST_FRAGMENT, 2);
    put(to, 0, 4); /* no group yet */
    put(to, 1, 4); /* one context, */
    put(to, 0, 2); /* whose number is 0, */
    put(to, 1, 2); /* by one way */
    put_syntax(to, interface);
    put_syntax(to, &rpc_ndr32);
    end(to, start);
}

/* ---- Calls and answers ----------------------------------------------------------------------- */

struct fragmented {
    enum pdu_type type;
    uint32_t call;
    uint16_t context;
    uint16_t opnum; /* of a request; 0 in a response is "not cancelled" */
};

/* All fragments of a stub; both kinds of them have headers of the same size. All but the last hold
 * a multiple of 8 bytes, so that the stub's alignment is kept in each. */
static void put_fragments(const struct pdu_writer *to, const struct fragmented *what,
                          const struct ndr_push *stub, size_t most)
{
    size_t room = (most - PDU_RESPONSE_HEADER) & ~(size_t)7;
    unsigned flags = PDU_FIRST;
    for (size_t done = 0; (flags & PDU_LAST) == 0;) {
        size_t left = stub->size - done;
        size_t size = left < room ? left : room;
        flags |= size == left ? PDU_LAST : 0;
        size_t start = begin(to, what->type, flags, what->call);
        put(to, (uint32_t)left, 4);
        put(to, what->context, 2);
        put(to, what->opnum, 2);
        ndr_push_raw(to->output, size > 0 ? stub->data + done : NULL, size);
        end(to, start);
        done += size;
        flags &= ~PDU_FIRST;
        if (!ndr_push_ok(to->output)) {
            return;
        }
    }
}

void pdu_write_response(const struct pdu_writer *to, uint32_t call, uint16_t context,
                        const struct ndr_push *answer, size_t most)
{
    struct fragmented what = {PDU_RESPONSE, call, context, 0};
    put_fragments(to, &what, answer, most);
}

void pdu_write_request(const struct pdu_writer *to, uint32_t call, uint16_t opnum,
                       const struct ndr_push *arguments, size_t most)
{
    struct fragmented what = {PDU_REQUEST, call, 0, opnum};
    put_fragments(to, &what, arguments, most);
}

void pdu_write_fault(const struct pdu_writer *to, uint32_t call, uint16_t context, uint32_t status)
{
    size_t start = begin(to, PDU_FAULT, PDU_FIRST | PDU_LAST | PDU_DID_NOT_EXECUTE, call);
    put(to, 0, 4);
    put(to, context, 2);
    put(to, 0, 2);
    put(to, status, 4);
    put(to, 0, 4);
    end(to, start);
}
