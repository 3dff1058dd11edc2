/* test_rpc_pdu - messages, taken apart and put together. */
#include "rpc_messages.h"

#include "harness.h"

#include <string.h>

/* A bind as rpcclient of Samba 4.17 sent it to spoolss. */
static const uint8_t real_bind[] = {
    0x05, 0x00, 0x0b, 0x03, 0x10, 0x00, 0x00, 0x00, 0x48, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
    0x00, 0xb8, 0x10, 0xb8, 0x10, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x78, 0x56, 0x34, 0x12, 0x34, 0x12, 0xcd, 0xab, 0xef, 0x00, 0x01, 0x23, 0x45,
    0x67, 0x89, 0xab, 0x01, 0x00, 0x00, 0x00, 0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11,
    0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60, 0x02, 0x00, 0x00, 0x00};

static const struct rpc_syntax spoolss = {
    RPC_UUID(0x12345678, 0x1234, 0xabcd, 0xef00, 0x0123456789ab), 1, 0};

static void a_real_bind_is_read(void)
{
    struct pdu_bind bind;
    struct pdu_context context;
    struct pdu_header header = pdu_read_header(real_bind);
    CU_ASSERT(header.major == 5 && header.minor == 0 && header.type == PDU_BIND);
    CU_ASSERT(header.readable && header.flags == WIRE_WHOLE && header.auth == 0);
    CU_ASSERT(header.size == sizeof(real_bind) && header.call == 1);
    CU_ASSERT_FATAL(pdu_read_bind(real_bind, sizeof(real_bind), &bind));
    CU_ASSERT(bind.most_sent == 4280 && bind.most_taken == 4280);
    CU_ASSERT(bind.group == 0 && bind.contexts == 1);
    CU_ASSERT_FATAL(pdu_next_context(&bind, &context));
    CU_ASSERT(context.id == 0 && context.ndr32 && !context.negotiates);
    CU_ASSERT(rpc_uuid_equal(&context.interface.uuid, &spoolss.uuid));
    CU_ASSERT(context.interface.major == 1 && context.interface.minor == 0);
    CU_ASSERT_FALSE(pdu_next_context(&bind, &context));
}

static void a_bind_that_is_cut_is_not_read(void)
{
    for (size_t size = PDU_HEADER; size < sizeof(real_bind); size++) {
        struct pdu_bind bind;
        struct pdu_context context;
        CU_ASSERT_FALSE(pdu_read_bind(real_bind, size, &bind) && pdu_next_context(&bind, &context));
    }
}

static void a_context_has_no_more_ways_than_are_there(void)
{
    struct wire wire = {0};
    struct pdu_bind bind;
    struct pdu_context context;
    wire_bind(&wire);
    wire.bytes[28 + 2] = 2;
    CU_ASSERT_FATAL(pdu_read_bind(wire.bytes, wire.size, &bind));
    CU_ASSERT_FALSE(pdu_next_context(&bind, &context));
    wire.bytes[28 + 2] = 0;
    CU_ASSERT_FATAL(pdu_read_bind(wire.bytes, wire.size, &bind));
    CU_ASSERT_FATAL(pdu_next_context(&bind, &context));
    CU_ASSERT_FALSE(context.ndr32);
}

static void other_representations_are_seen(void)
{
    uint8_t bytes[sizeof(real_bind)];
    for (uint8_t number = 0; number < 4; number++) {
        memcpy(bytes, real_bind, sizeof(bytes));
        bytes[4] = (uint8_t)(number == 0 ? 0x00 : number == 1 ? 0x11 : 0x10);
        bytes[5] = number == 2;
        CU_ASSERT_EQUAL(pdu_read_header(bytes).readable, number == 3);
    }
}

static void a_request_is_read_with_and_without_an_object(void)
{
    struct wire wire = {0};
    struct pdu_request request;
    wire_request(&wire, WIRE_WHOLE, 7, 5, "0123456789abcdefxyz", 19);
    CU_ASSERT_FATAL(pdu_read_request(wire.bytes, wire.size, &request));
    CU_ASSERT(request.context == 0 && request.opnum == 5 && request.size == 19);
    wire.bytes[3] |= PDU_OBJECT;
    CU_ASSERT_FATAL(pdu_read_request(wire.bytes, wire.size, &request));
    CU_ASSERT(request.size == 3 && memcmp(request.stub, "xyz", 3) == 0);
    for (size_t size = PDU_HEADER; size < 24 + 16; size++) {
        CU_ASSERT_FALSE(pdu_read_request(wire.bytes, size, &request));
    }
}

/* ---- Put together ---------------------------------------------------------------------------- */

static void a_bind_is_written_as_real_ones_are(void)
{
    struct ndr_push output = ndr_push_up_to(1000);
    struct pdu_writer to = {.output = &output};
    uint8_t expected[sizeof(real_bind)];
    memcpy(expected, real_bind, sizeof(expected));
    expected[16] = expected[18] = (uint8_t)(PDU_MOST_FRAGMENT & 0xff);
    expected[17] = expected[19] = (uint8_t)(PDU_MOST_FRAGMENT >> 8);
    pdu_write_bind(&to, 1, &spoolss);
    CU_ASSERT_EQUAL_FATAL(output.size, sizeof(expected));
    CU_ASSERT_EQUAL(memcmp(output.data, expected, sizeof(expected)), 0);
    ndr_push_free(&output);
}

/* The fragments of an answer of so many bytes, put together again. */
static void check_fragments(size_t size, size_t most, bool framed)
{
    static uint8_t bytes[20000];
    struct ndr_push answer = ndr_push_up_to(sizeof(bytes));
    struct ndr_push output = ndr_push_up_to(4 * sizeof(bytes));
    struct pdu_writer to = {.output = &output, .framed = framed};
    size_t at = 0;
    size_t done = 0;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i * 7);
    }
    ndr_push_raw(&answer, bytes, size);
    pdu_write_response(&to, 9, 3, &answer, most);
    CU_ASSERT_FATAL(ndr_push_ok(&output));
    while (at < output.size) {
        size_t frame = framed ? get_u16(output.data + at) : 0;
        const uint8_t *message = output.data + at + (framed ? 2 : 0);
        struct pdu_header header = pdu_read_header(message);
        struct pdu_response response;
        CU_ASSERT(header.type == PDU_RESPONSE && header.call == 9 && header.size <= most);
        CU_ASSERT(!framed || frame == header.size);
        CU_ASSERT_EQUAL((header.flags & PDU_FIRST) != 0, done == 0);
        CU_ASSERT_FATAL(pdu_read_response(message, header.size, &response));
        CU_ASSERT_EQUAL(get_u32(message + 16), size - done); /* the hint */
        CU_ASSERT_EQUAL(get_u16(message + 20), 3);
        CU_ASSERT_EQUAL(response.size > 0 ? memcmp(response.stub, bytes + done, response.size) : 0,
                        0);
        done += response.size;
        at += header.size + (framed ? 2u : 0);
        CU_ASSERT_EQUAL((header.flags & PDU_LAST) != 0, done == size && at == output.size);
        CU_ASSERT(at == output.size || response.size % 8 == 0);
    }
    CU_ASSERT_EQUAL(done, size);
    ndr_push_free(&answer);
    ndr_push_free(&output);
}

static void an_answer_is_cut_to_what_the_client_takes(void)
{
    static const size_t sizes[] = {0, 1, 1407, 1408, 1409, 2816, 2817, 5816, 5817, 20000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        check_fragments(sizes[i], 1432, false);
        check_fragments(sizes[i], 1435, true);
        check_fragments(sizes[i], PDU_MOST_FRAGMENT, true);
    }
}

static void answers_to_binds_are_read_back(void)
{
    struct ndr_push output = ndr_push_up_to(1000);
    struct pdu_writer to = {.output = &output};
    struct pdu_bind_ack ack;
    struct pdu_results results = {1, {{PDU_ACCEPTED, PDU_NO_REASON}}};
    struct pdu_agreement agreement = {1432, 4280, 5, "135"};
    pdu_write_bind_ack(&to, PDU_BIND_ACK, 1, &agreement, &results);
    CU_ASSERT_EQUAL(output.size, 16 + 8 + 2 + 4 + 2 + 4 + 24);
    CU_ASSERT(pdu_read_bind_ack(output.data, output.size, &ack));
    CU_ASSERT(ack.accepted && ack.most_taken == 4280);
    for (size_t size = PDU_HEADER; size < output.size; size++) {
        CU_ASSERT_FALSE(pdu_read_bind_ack(output.data, size, &ack));
    }
    ndr_push_clear(&output);
    results.rows[0].result = PDU_PROVIDER_REJECTED;
    pdu_write_bind_ack(&to, PDU_BIND_ACK, 1, &agreement, &results);
    CU_ASSERT(pdu_read_bind_ack(output.data, output.size, &ack) && !ack.accepted);
    ndr_push_free(&output);
}

static void refusals_are_read_back(void)
{
    struct ndr_push output = ndr_push_up_to(1000);
    struct pdu_writer to = {.output = &output, .minor = 1};
    uint16_t reason;
    uint32_t status;
    pdu_write_bind_nak(&to, 4, PDU_REFUSED_AUTHENTICATION);
    CU_ASSERT_EQUAL(output.data[1], 1);
    CU_ASSERT(pdu_read_bind_nak(output.data, output.size, &reason) && reason == 8);
    ndr_push_clear(&output);
    pdu_write_fault(&to, 4, 2, RPC_FAULT_OPNUM);
    CU_ASSERT_EQUAL(output.size, 32);
    CU_ASSERT(pdu_read_fault(output.data, output.size, &status) && status == RPC_FAULT_OPNUM);
    for (size_t size = PDU_HEADER; size < 28; size++) {
        CU_ASSERT_FALSE(pdu_read_fault(output.data, size, &status));
    }
    ndr_push_free(&output);
}

static void a_message_that_does_not_fit_fails_the_output(void)
{
    for (size_t limit = 0; limit < 58; limit++) {
        struct ndr_push output = ndr_push_up_to(limit);
        struct pdu_writer to = {.output = &output, .framed = true};
        struct ndr_push answer = ndr_push_up_to(8);
        ndr_push_u64(&answer, 1);
        pdu_write_bind(&to, 1, &spoolss);
        pdu_write_response(&to, 1, 0, &answer, 1432);
        pdu_write_fault(&to, 1, 0, 5);
        CU_ASSERT(!ndr_push_ok(&output) && output.size <= limit);
        ndr_push_free(&output);
        ndr_push_free(&answer);
    }
}

static const struct test_case cases[] = {
    {"a real bind is read", a_real_bind_is_read},
    {"a bind that is cut is not read", a_bind_that_is_cut_is_not_read},
    {"a context has no more ways than are there", a_context_has_no_more_ways_than_are_there},
    {"other representations are seen", other_representations_are_seen},
    {"a request is read with and without an object", a_request_is_read_with_and_without_an_object},
    {"a bind is written as real ones are", a_bind_is_written_as_real_ones_are},
    {"an answer is cut to what the client takes", an_answer_is_cut_to_what_the_client_takes},
    {"answers to binds are read back", answers_to_binds_are_read_back},
    {"refusals are read back", refusals_are_read_back},
    {"a message that does not fit fails the output", a_message_that_does_not_fit_fails_the_output},
    {NULL, NULL}};

const struct test_suite suite_rpc_pdu = {"rpc_pdu", cases};
