/*
 * fuzz_association.c - fuzz target: all that a client says to a server.
 *
 * The first byte of an input says how its bytes become what is said: as they are, or as messages
 * whose headers are made right, each from a type, flags and a length. They are said twice, at once
 * and in pieces, and both are answered the same; answers are messages, and what is held stays
 * within its limits. Needs association.
 */
#include "fuzz.h"
#include "../../services/rpc/association.h"

#include <stdlib.h>
#include <string.h>

#define MOST_SAID 65536u

static uint32_t answer_call(void *owner, const struct rpc_call *call, struct ndr_push *answer)
{
    unsigned *calls = owner;
    ++*calls;
    FUZZ_CHECK(call->opnum < 4 && call->size <= RPC_MOST_ARGUMENTS);
    switch (call->opnum) {
    case 0:
        ndr_push_raw(answer, call->arguments, call->size);
        return 0;
    case 1:
        (void)ndr_push_space(answer, 20000);
        return 0;
    case 2:
        (void)ndr_push_space(answer, SIZE_MAX);
        return 0;
    default:
        return RPC_FAULT_BAD_STUB_DATA;
    }
}

static bool admit(void *owner, const struct rpc_caller *caller)
{
    const unsigned *calls = owner;
    (void)caller;
    return *calls % 8 != 7;
}

/* ---- What is said ---------------------------------------------------------------------------- */

struct said {
    uint8_t *bytes;
    size_t size;
};

static void put_message(struct said *said, struct fuzz_input *input)
{
    static const uint8_t types[] = {PDU_BIND,     PDU_REQUEST, PDU_REQUEST,  PDU_ALTER,
                                    PDU_ORPHANED, PDU_CANCEL,  PDU_SHUTDOWN, PDU_AUTH3};
    unsigned type = types[fuzz_u8(input) % sizeof(types)];
    unsigned flags = fuzz_u8(input);
    unsigned call = fuzz_u8(input) % 4;
    size_t body = fuzz_u8(input) * (flags & 4 ? 8u : 1u);
    size_t got;
    char *bytes = fuzz_bytes(input, body, &got);
    size_t size = PDU_HEADER + got;
    if (said->size + size <= MOST_SAID) {
        const uint8_t head[PDU_HEADER] = {5,
                                          0,
                                          (uint8_t)type,
                                          (uint8_t)(flags & 0xfb),
                                          0x10,
                                          0,
                                          0,
                                          0,
                                          (uint8_t)size,
                                          (uint8_t)(size >> 8),
                                          0,
                                          0,
                                          (uint8_t)call};
        memcpy(said->bytes + said->size, head, PDU_HEADER);
        memcpy(said->bytes + said->size + PDU_HEADER, bytes, got);
        said->size += size;
    }
    free(bytes);
}

static struct said speak(const uint8_t *data, size_t size, bool raw)
{
    struct fuzz_input input = {data, size};
    struct said said = {malloc(MOST_SAID), 0};
    FUZZ_CHECK(said.bytes != NULL);
    if (raw) {
        said.size = size < MOST_SAID ? size : MOST_SAID;
        memcpy(said.bytes, data, said.size);
        return said;
    }
    while (input.left > 0) {
        put_message(&said, &input);
    }
    return said;
}

/* ---- How it is answered ---------------------------------------------------------------------- */

/* All of the output is messages. */
static void check_output(const struct ndr_push *output, bool framed)
{
    size_t at = 0;
    while (at < output->size) {
        const uint8_t *message = output->data + at + (framed ? 2 : 0);
        FUZZ_CHECK(output->size - at >= PDU_HEADER + (framed ? 2u : 0));
        struct pdu_header header = pdu_read_header(message);
        FUZZ_CHECK(header.major == 5 && header.minor <= 1 && header.readable);
        FUZZ_CHECK(header.size >= PDU_HEADER && header.size <= PDU_MOST_FRAGMENT);
        FUZZ_CHECK(!framed || (message[-2] | message[-1] << 8) == header.size);
        at += header.size + (framed ? 2u : 0);
    }
    FUZZ_CHECK(at == output->size);
}

/* Says it in pieces of so many bytes, each in memory of its own. */
static bool listen_to(const struct said *said, size_t piece, bool framed, struct ndr_push *output)
{
    static const struct rpc_interface interface = {
        {RPC_UUID(0x12345678, 0x1234, 0xabcd, 0xef00, 0x0123456789ab), 1, 0}, 4, answer_call};
    static const struct rpc_caller caller;
    unsigned calls = 0;
    struct rpc_association_options options = {&interface, 1,      &calls, admit,   &caller,
                                              "4711",     0x1234, framed, SIZE_MAX};
    struct rpc_association *association = rpc_association_open(&options);
    struct rpc_fed fed = {0};
    FUZZ_CHECK(association != NULL);
    for (size_t at = 0; at < said->size && !fed.ended;) {
        size_t size = said->size - at < piece ? said->size - at : piece;
        uint8_t *copy = malloc(size);
        FUZZ_CHECK(copy != NULL);
        memcpy(copy, said->bytes + at, size);
        fed = rpc_association_feed(association, copy, size, output);
        free(copy);
        FUZZ_CHECK(fed.taken == size || fed.ended);
        FUZZ_CHECK(fed.why == NULL || fed.ended);
        FUZZ_CHECK(rpc_association_held(association) <= RPC_MOST_ARGUMENTS + PDU_MOST_FRAGMENT);
        at += fed.taken;
    }
    rpc_association_close(association);
    return fed.ended;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    unsigned how = fuzz_u8(&input);
    bool framed = (how & 2) != 0;
    struct said said = speak(input.at, input.left, (how & 1) != 0);
    struct ndr_push whole = ndr_push_up_to(64 * 1024 * 1024);
    struct ndr_push pieces = ndr_push_up_to(64 * 1024 * 1024);
    bool ended = listen_to(&said, MOST_SAID, framed, &whole);
    FUZZ_CHECK(listen_to(&said, 1 + how / 4, framed, &pieces) == ended);
    FUZZ_CHECK(whole.size == pieces.size);
    FUZZ_CHECK(whole.size == 0 || memcmp(whole.data, pieces.data, whole.size) == 0);
    check_output(&whole, framed);
    free(said.bytes);
    ndr_push_free(&whole);
    ndr_push_free(&pieces);
    return 0;
}
