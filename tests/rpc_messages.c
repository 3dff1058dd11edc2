/* rpc_messages - see rpc_messages.h. */
#include "rpc_messages.h"

#include "harness.h"

#include <string.h>

void wire_put(struct wire *wire, const void *data, size_t size)
{
    CU_ASSERT_FATAL(size <= sizeof(wire->bytes) - wire->size);
    if (size > 0) {
        memcpy(wire->bytes + wire->size, data, size);
    }
    wire->size += size;
}

void wire_u16(struct wire *wire, unsigned value)
{
    const uint8_t bytes[] = {(uint8_t)value, (uint8_t)(value >> 8)};
    wire_put(wire, bytes, sizeof(bytes));
}

void wire_u32(struct wire *wire, uint32_t value)
{
    wire_u16(wire, value & 0xffff);
    wire_u16(wire, value >> 16);
}

void wire_set_u16(struct wire *wire, size_t at, unsigned value)
{
    wire->bytes[wire->start + at] = (uint8_t)value;
    wire->bytes[wire->start + at + 1] = (uint8_t)(value >> 8);
}

void wire_begin(struct wire *wire, unsigned type, unsigned flags, uint32_t call)
{
    const uint8_t head[] = {5, 0, (uint8_t)type, (uint8_t)flags, 0x10, 0, 0, 0};
    wire->start = wire->size;
    wire_put(wire, head, sizeof(head));
    wire_u32(wire, 0);
    wire_u32(wire, call);
}

void wire_end(struct wire *wire)
{
    wire_set_u16(wire, 8, (unsigned)(wire->size - wire->start));
}

void wire_syntax(struct wire *wire, const struct rpc_syntax *syntax)
{
    wire_put(wire, syntax->uuid.bytes, sizeof(syntax->uuid.bytes));
    wire_u16(wire, syntax->major);
    wire_u16(wire, syntax->minor);
}

void wire_begin_bind(struct wire *wire, unsigned type, unsigned contexts)
{
    wire_begin(wire, type, WIRE_WHOLE, 1);
    wire_u16(wire, 4280);
    wire_u16(wire, 4280);
    wire_u32(wire, 0);
    wire_u32(wire, contexts);
}

void wire_context(struct wire *wire, unsigned id, const struct rpc_syntax *interface,
                  const struct rpc_syntax *way)
{
    wire_u16(wire, id);
    wire_u16(wire, 1);
    wire_syntax(wire, interface);
    wire_syntax(wire, way);
}

void wire_bind(struct wire *wire)
{
    wire_begin_bind(wire, PDU_BIND, 1);
    wire_context(wire, 0, &echo_interface.syntax, &rpc_ndr32);
    wire_end(wire);
}

void wire_request(struct wire *wire, unsigned flags, uint32_t call, unsigned opnum,
                  const void *stub, size_t size)
{
    wire_begin(wire, PDU_REQUEST, flags, call);
    wire_u32(wire, (uint32_t)size);
    wire_u16(wire, 0);
    wire_u16(wire, opnum);
    wire_put(wire, stub, size);
    wire_end(wire);
}

unsigned get_u16(const uint8_t *bytes)
{
    return (unsigned)bytes[0] | (unsigned)bytes[1] << 8;
}

uint32_t get_u32(const uint8_t *bytes)
{
    return get_u16(bytes) | (uint32_t)get_u16(bytes + 2) << 16;
}

/* ---- The interface --------------------------------------------------------------------------- */

static uint32_t give_large(const struct rpc_call *call, struct ndr_push *answer)
{
    struct ndr_pull pull = ndr_pull_of(call->arguments, call->size);
    size_t size = ndr_pull_u32(&pull);
    if (!ndr_pull_ok(&pull)) {
        return RPC_FAULT_BAD_STUB_DATA;
    }
    uint8_t *space = ndr_push_space(answer, size);
    for (size_t i = 0; space != NULL && i < size; i++) {
        space[i] = (uint8_t)i;
    }
    return 0;
}

static uint32_t echo_call(void *owner, const struct rpc_call *call, struct ndr_push *answer)
{
    unsigned *calls = owner;
    if (calls != NULL) {
        ++*calls;
    }
    switch (call->opnum) {
    case ECHO_SAME:
        ndr_push_raw(answer, call->arguments, call->size);
        return 0;
    case ECHO_LARGE:
        return give_large(call, answer);
    case ECHO_CALLER:
        ndr_push_raw(answer, call->caller->account, strlen(call->caller->account));
        return 0;
    default:
        return RPC_FAULT_BAD_STUB_DATA;
    }
}

const struct rpc_interface echo_interface = {
    {RPC_UUID(0x01020304, 0x0506, 0x0708, 0x090a, 0x0b0c0d0e0f10), 2, 1}, ECHO_CALLS, echo_call};
const struct rpc_syntax unknown_syntax = {
    RPC_UUID(0x11111111, 0x2222, 0x3333, 0x4444, 0x555555555555), 1, 0};
const struct rpc_syntax negotiation_syntax = {
    RPC_UUID(0x6cb71c2c, 0x9812, 0x4540, 0x0300, 0x000000000000), 1, 0};
