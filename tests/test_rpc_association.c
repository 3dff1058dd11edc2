/* test_rpc_association - a server and one client, byte by byte. */
#include "rpc_messages.h"

#include "harness.h"

#include <stdlib.h>
#include <string.h>

/* One association, what it gave, and what befell it. */
struct scene {
    unsigned calls;
    bool refuse; /* what admit says */
    struct rpc_caller caller;
    struct rpc_association *association;
    struct ndr_push output;
    struct rpc_fed fed;
};

static bool admit_scene(void *owner, const struct rpc_caller *caller)
{
    const struct scene *scene = owner; /* its first member is what the interface counts in */
    return caller == &scene->caller && !scene->refuse;
}

static void scene_open(struct scene *scene, bool framed)
{
    *scene = (struct scene){.caller = {.account = "somebody"},
                            .output = ndr_push_up_to(8 * 1024 * 1024)};
    struct rpc_association_options options = {.interfaces = &echo_interface,
                                              .interface_count = 1,
                                              .owner = scene,
                                              .admit = admit_scene,
                                              .caller = &scene->caller,
                                              .address = "4711",
                                              .group = 77,
                                              .framed = framed,
                                              .most_output = 1024 * 1024};
    scene->association = rpc_association_open(&options);
    CU_ASSERT_PTR_NOT_NULL_FATAL(scene->association);
}

static void scene_close(struct scene *scene)
{
    rpc_association_close(scene->association);
    ndr_push_free(&scene->output);
}

/* The bytes stand in memory of their own, so that a sanitizer sees what is read beyond them. */
static void feed_some(struct scene *scene, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, bytes, size);
    scene->fed = rpc_association_feed(scene->association, copy, size, &scene->output);
    free(copy);
    CU_ASSERT(scene->fed.taken <= size);
    CU_ASSERT(scene->fed.why == NULL || scene->fed.ended);
}

/* Gives the first message of what is answered; the output is what it was before, without it. */
static const uint8_t *feed(struct scene *scene, const struct wire *wire)
{
    static uint8_t answer[65536];
    ndr_push_clear(&scene->output);
    feed_some(scene, wire->bytes, wire->size);
    CU_ASSERT_FATAL(scene->output.size <= sizeof(answer));
    memset(answer, 0xee, sizeof(answer));
    if (scene->output.size > 0) {
        memcpy(answer, scene->output.data, scene->output.size);
    }
    return answer;
}

static void scene_bound(struct scene *scene)
{
    struct wire wire = {0};
    scene_open(scene, false);
    wire_bind(&wire);
    CU_ASSERT_EQUAL(feed(scene, &wire)[2], PDU_BIND_ACK);
    CU_ASSERT(rpc_association_bound(scene->association) && !scene->fed.ended);
}

/* ---- Binds ----------------------------------------------------------------------------------- */

#define RESULTS (16 + 8 + 2 + 5 + 1 + 4) /* where they begin; the address "4711" has 5 bytes */

static void a_bind_is_acknowledged(void)
{
    struct scene scene;
    struct wire wire = {0};
    scene_open(&scene, false);
    CU_ASSERT_FALSE(rpc_association_bound(scene.association));
    wire_bind(&wire);
    const uint8_t *answer = feed(&scene, &wire);
    CU_ASSERT(answer[0] == 5 && answer[1] == 0 && answer[2] == PDU_BIND_ACK);
    CU_ASSERT_EQUAL(answer[3], WIRE_WHOLE);
    CU_ASSERT_EQUAL(get_u16(answer + 8), RESULTS + 24);
    CU_ASSERT(get_u32(answer + 12) == 1 && get_u16(answer + 16) == 4280);
    CU_ASSERT(get_u16(answer + 18) == 4280 && get_u32(answer + 20) == 77);
    CU_ASSERT(get_u16(answer + 24) == 5 && memcmp(answer + 26, "4711", 5) == 0);
    CU_ASSERT(get_u32(answer + 32) == 1 && get_u32(answer + RESULTS) == 0);
    CU_ASSERT_EQUAL(memcmp(answer + RESULTS + 4, &rpc_ndr32, 20), 0);
    scene_close(&scene);
}

static void fragments_are_as_large_as_both_take(void)
{
    static const unsigned proposed[][2] = {{0, 1432},    {1431, 1432}, {1432, 1432},
                                           {2000, 2000}, {5840, 5840}, {65535, 5840}};
    for (size_t i = 0; i < sizeof(proposed) / sizeof(proposed[0]); i++) {
        struct scene scene;
        struct wire wire = {0};
        scene_open(&scene, false);
        wire_bind(&wire);
        wire_set_u16(&wire, 16, proposed[i][0]);
        wire_set_u16(&wire, 18, proposed[i][0]);
        const uint8_t *answer = feed(&scene, &wire);
        CU_ASSERT_EQUAL(get_u16(answer + 16), proposed[i][1]);
        CU_ASSERT_EQUAL(get_u16(answer + 18), proposed[i][1]);
        scene_close(&scene);
    }
}

/* As Windows and Samba send it: NDR64 is not spoken here, and the features are asked for. */
static void each_context_has_its_own_result(void)
{
    struct scene scene;
    struct wire wire = {0};
    static const uint32_t expected[] = {
        PDU_ACCEPTED, PDU_PROVIDER_REJECTED | PDU_UNKNOWN_TRANSFER << 16, PDU_NEGOTIATED,
        PDU_PROVIDER_REJECTED | PDU_UNKNOWN_INTERFACE << 16};
    scene_open(&scene, false);
    wire_begin_bind(&wire, PDU_BIND, 4);
    wire_context(&wire, 0, &echo_interface.syntax, &rpc_ndr32);
    wire_context(&wire, 1, &echo_interface.syntax, &unknown_syntax);
    wire_context(&wire, 2, &echo_interface.syntax, &negotiation_syntax);
    wire_context(&wire, 3, &unknown_syntax, &rpc_ndr32);
    wire_end(&wire);
    const uint8_t *answer = feed(&scene, &wire);
    CU_ASSERT_EQUAL(answer[2], PDU_BIND_ACK);
    CU_ASSERT_EQUAL(answer[32], 4);
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(get_u32(answer + RESULTS + 24 * i), expected[i]);
    }
    CU_ASSERT_EQUAL(get_u32(answer + RESULTS + 24 + 4), 0);
    scene_close(&scene);
}

static uint32_t result_of_version(unsigned major, unsigned minor)
{
    struct scene scene;
    struct wire wire = {0};
    struct rpc_syntax syntax = echo_interface.syntax;
    syntax.major = (uint16_t)major;
    syntax.minor = (uint16_t)minor;
    scene_open(&scene, false);
    wire_begin_bind(&wire, PDU_BIND, 1);
    wire_context(&wire, 0, &syntax, &rpc_ndr32);
    wire_end(&wire);
    uint32_t result = get_u32(feed(&scene, &wire) + RESULTS);
    scene_close(&scene);
    return result;
}

static void an_interface_serves_older_minor_versions(void)
{
    const uint32_t unknown = PDU_PROVIDER_REJECTED | PDU_UNKNOWN_INTERFACE << 16;
    CU_ASSERT_EQUAL(result_of_version(2, 0), 0);
    CU_ASSERT_EQUAL(result_of_version(2, 1), 0);
    CU_ASSERT_EQUAL(result_of_version(2, 2), unknown);
    CU_ASSERT_EQUAL(result_of_version(1, 0), unknown);
    CU_ASSERT_EQUAL(result_of_version(3, 0), unknown);
}

static void there_are_so_many_contexts_and_no_more(void)
{
    struct scene scene;
    struct wire wire = {0};
    scene_open(&scene, false);
    wire_begin_bind(&wire, PDU_BIND, RPC_MOST_CONTEXTS + 1);
    for (unsigned i = 0; i <= RPC_MOST_CONTEXTS; i++) {
        wire_context(&wire, 100 + i, &echo_interface.syntax, &rpc_ndr32);
    }
    wire_end(&wire);
    const uint8_t *answer = feed(&scene, &wire);
    for (unsigned i = 0; i <= RPC_MOST_CONTEXTS; i++) {
        CU_ASSERT_EQUAL(get_u32(answer + RESULTS + 24 * (size_t)i),
                        i < RPC_MOST_CONTEXTS ? 0 : (PDU_PROVIDER_REJECTED | PDU_TOO_MANY << 16));
    }
    scene_close(&scene);
}

static void check_nak(struct scene *scene, const struct wire *wire, unsigned reason)
{
    const uint8_t *answer = feed(scene, wire);
    CU_ASSERT_EQUAL(answer[2], PDU_BIND_NAK);
    CU_ASSERT_EQUAL(get_u16(answer + 16), reason);
    CU_ASSERT(scene->fed.ended && scene->fed.why != NULL);
    CU_ASSERT_FALSE(rpc_association_bound(scene->association));
    scene_close(scene);
}

static void a_bind_is_refused_for_a_reason(void)
{
    struct scene scene;
    struct wire wire = {0};
    scene_open(&scene, false);
    wire_bind(&wire);
    wire_set_u16(&wire, 10, 16); /* authentication */
    check_nak(&scene, &wire, PDU_REFUSED_AUTHENTICATION);
    wire_set_u16(&wire, 10, 0);
    for (unsigned version = 0; version < 3; version++) {
        wire.bytes[0] = (uint8_t)(version == 0 ? 4 : version == 1 ? 6 : 5);
        wire.bytes[1] = version == 2 ? 2 : 0;
        scene_open(&scene, false);
        check_nak(&scene, &wire, PDU_REFUSED_VERSION);
    }
    wire.bytes[0] = 5;
    wire.bytes[1] = 0;
    wire.bytes[3] = PDU_FIRST;
    scene_open(&scene, false);
    check_nak(&scene, &wire, PDU_REFUSED);
    wire.bytes[3] = WIRE_WHOLE;
    wire.bytes[24] = 0; /* contexts */
    scene_open(&scene, false);
    check_nak(&scene, &wire, PDU_REFUSED);
    wire.bytes[24] = 2;
    scene_open(&scene, false);
    check_nak(&scene, &wire, PDU_REFUSED);
}

static void minor_version_1_is_answered_by_1(void)
{
    struct scene scene;
    struct wire wire = {0};
    scene_open(&scene, false);
    wire_bind(&wire);
    wire.bytes[1] = 1;
    const uint8_t *answer = feed(&scene, &wire);
    CU_ASSERT(answer[1] == 1 && answer[2] == PDU_BIND_ACK);
    scene_close(&scene);
}

static void a_second_bind_ends_it(void)
{
    struct scene scene;
    struct wire wire = {0};
    scene_bound(&scene);
    wire_bind(&wire);
    CU_ASSERT_EQUAL(feed(&scene, &wire)[2], PDU_BIND_NAK);
    CU_ASSERT(scene.fed.ended);
    scene_close(&scene);
}

static void contexts_can_be_added_later(void)
{
    struct scene scene;
    struct wire wire = {0};
    scene_bound(&scene);
    wire_begin_bind(&wire, PDU_ALTER, 2);
    wire_context(&wire, 5, &echo_interface.syntax, &rpc_ndr32);
    wire_context(&wire, 6, &unknown_syntax, &rpc_ndr32);
    wire_end(&wire);
    const uint8_t *answer = feed(&scene, &wire);
    CU_ASSERT_EQUAL(answer[2], PDU_ALTER_RESPONSE);
    CU_ASSERT_EQUAL(get_u16(answer + 24), 0); /* no address */
    CU_ASSERT_EQUAL(answer[28], 2);
    CU_ASSERT(get_u16(answer + 32) == PDU_ACCEPTED &&
              get_u16(answer + 56) == PDU_PROVIDER_REJECTED);
    wire = (struct wire){0};
    wire_request(&wire, WIRE_WHOLE, 2, ECHO_SAME, "x", 1);
    wire_set_u16(&wire, 20, 5);
    answer = feed(&scene, &wire);
    CU_ASSERT(answer[2] == PDU_RESPONSE && get_u16(answer + 20) == 5);
    scene_close(&scene);
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static void check_fault(struct scene *scene, const struct wire *wire, uint32_t status, bool ended)
{
    const uint8_t *answer = feed(scene, wire);
    CU_ASSERT_EQUAL(answer[2], PDU_FAULT);
    CU_ASSERT_EQUAL(get_u32(answer + 24), status);
    CU_ASSERT_EQUAL(scene->fed.ended, ended);
}

static void a_call_is_answered(void)
{
    struct scene scene;
    struct wire wire = {0};
    scene_bound(&scene);
    wire_request(&wire, WIRE_WHOLE, 0x12345678, ECHO_SAME, "hello", 5);
    const uint8_t *answer = feed(&scene, &wire);
    CU_ASSERT(answer[2] == PDU_RESPONSE && answer[3] == WIRE_WHOLE);
    CU_ASSERT(get_u16(answer + 8) == 29 && get_u32(answer + 12) == 0x12345678);
    CU_ASSERT(get_u32(answer + 16) == 5 && memcmp(answer + 24, "hello", 5) == 0);
    CU_ASSERT(scene.calls == 1 && !scene.fed.ended);
    scene_close(&scene);
}

static void what_cannot_be_called_is_a_fault(void)
{
    struct scene scene;
    struct wire wire = {0};
    scene_bound(&scene);
    wire_request(&wire, WIRE_WHOLE, 2, ECHO_CALLS, "", 0);
    check_fault(&scene, &wire, RPC_FAULT_OPNUM, false);
    wire_set_u16(&wire, 22, 65535);
    check_fault(&scene, &wire, RPC_FAULT_OPNUM, false);
    wire_set_u16(&wire, 22, ECHO_SAME);
    wire_set_u16(&wire, 20, 1);
    check_fault(&scene, &wire, RPC_FAULT_NO_INTERFACE, false);
    CU_ASSERT_EQUAL(scene.calls, 0);
    wire_set_u16(&wire, 20, 0);
    wire_set_u16(&wire, 22, ECHO_REFUSE);
    check_fault(&scene, &wire, RPC_FAULT_BAD_STUB_DATA, false);
    scene_close(&scene);
}

static void admission_is_asked_before_each_call(void)
{
    struct scene scene;
    struct wire wire = {0};
    scene_bound(&scene);
    wire_request(&wire, WIRE_WHOLE, 2, ECHO_CALLER, "", 0);
    const uint8_t *answer = feed(&scene, &wire);
    CU_ASSERT_EQUAL(memcmp(answer + 24, "somebody", 8), 0);
    scene.refuse = true;
    check_fault(&scene, &wire, RPC_FAULT_ACCESS_DENIED, false);
    scene.refuse = false;
    CU_ASSERT_EQUAL(feed(&scene, &wire)[2], PDU_RESPONSE);
    scene_close(&scene);
}

static void an_answer_that_is_too_long_is_a_fault(void)
{
    const uint8_t size[] = {1, 0, RPC_MOST_ANSWER >> 16, 0};
    struct scene scene;
    struct wire wire = {0};
    scene_bound(&scene);
    wire_request(&wire, WIRE_WHOLE, 2, ECHO_LARGE, size, sizeof(size));
    check_fault(&scene, &wire, RPC_FAULT_NO_MEMORY, false);
    scene_close(&scene);
}

static void nobody_waits_for_a_call_that_may_be(void)
{
    struct scene scene;
    struct wire wire = {0};
    scene_bound(&scene);
    wire_request(&wire, WIRE_WHOLE | PDU_MAYBE, 2, ECHO_SAME, "x", 1);
    (void)feed(&scene, &wire);
    CU_ASSERT(scene.calls == 1 && scene.output.size == 0 && !scene.fed.ended);
    scene_close(&scene);
}

static void calls_before_a_bind_end_it(void)
{
    static const unsigned types[] = {PDU_REQUEST, PDU_ALTER};
    for (size_t i = 0; i < 2; i++) {
        struct scene scene;
        struct wire wire = {0};
        scene_open(&scene, false);
        wire_bind(&wire);
        wire.bytes[2] = (uint8_t)types[i];
        check_fault(&scene, &wire, RPC_FAULT_PROTOCOL, true);
        scene_close(&scene);
    }
}

static void authentication_is_refused_everywhere(void)
{
    static const unsigned types[] = {PDU_REQUEST, PDU_ALTER};
    for (size_t i = 0; i < 2; i++) {
        struct scene scene;
        struct wire wire = {0};
        scene_bound(&scene);
        wire_bind(&wire);
        wire.bytes[2] = (uint8_t)types[i];
        wire_set_u16(&wire, 10, 8);
        check_fault(&scene, &wire, RPC_FAULT_ACCESS_DENIED, true);
        scene_close(&scene);
    }
}

static void what_only_servers_say_ends_it(void)
{
    for (unsigned type = 0; type < 256; type++) {
        struct scene scene;
        struct wire wire = {0};
        scene_bound(&scene);
        wire_begin(&wire, type, WIRE_WHOLE, 1);
        wire_end(&wire);
        const uint8_t *answer = feed(&scene, &wire);
        bool ignored = type == PDU_SHUTDOWN || type == PDU_CANCEL || type == PDU_ORPHANED;
        CU_ASSERT_EQUAL(scene.fed.ended, !ignored);
        CU_ASSERT_EQUAL(scene.output.size == 0, ignored);
        CU_ASSERT(ignored || answer[2] == PDU_FAULT || type == PDU_BIND);
        scene_close(&scene);
    }
}

/* ---- Fragments ------------------------------------------------------------------------------- */

static void fragments_are_put_together(void)
{
    struct scene scene;
    struct wire wire = {0};
    scene_bound(&scene);
    wire_request(&wire, PDU_FIRST, 2, ECHO_SAME, "abc", 3);
    wire_request(&wire, 0, 2, ECHO_SAME, "", 0);
    wire_request(&wire, 0, 2, ECHO_SAME, "de", 2);
    wire_request(&wire, PDU_LAST, 2, ECHO_SAME, "f", 1);
    wire_request(&wire, WIRE_WHOLE, 3, ECHO_SAME, "next", 4);
    const uint8_t *answer = feed(&scene, &wire);
    CU_ASSERT(answer[2] == PDU_RESPONSE && memcmp(answer + 24, "abcdef", 6) == 0);
    CU_ASSERT_EQUAL(memcmp(answer + 30 + 24, "next", 4), 0);
    CU_ASSERT_EQUAL(scene.calls, 2);
    scene_close(&scene);
}

static void fragments_out_of_order_end_it(void)
{
    for (unsigned kind = 0; kind < 6; kind++) {
        struct scene scene;
        struct wire wire = {0};
        scene_bound(&scene);
        if (kind >= 2) {
            wire_request(&wire, PDU_FIRST, 2, ECHO_SAME, "abc", 3);
        }
        /* None has begun; one has; another call's; another opnum; another context */
        unsigned flags = kind == 0 ? 0 : kind == 2 ? PDU_FIRST : PDU_LAST;
        wire_request(&wire, flags, kind == 3 ? 3 : 2, kind == 4 ? ECHO_LARGE : ECHO_SAME, "x", 1);
        if (kind == 5) {
            wire_set_u16(&wire, 20, 1);
        }
        check_fault(&scene, &wire, RPC_FAULT_PROTOCOL, true);
        CU_ASSERT_EQUAL(scene.calls, 0);
        scene_close(&scene);
    }
}

static void an_orphaned_call_is_forgotten(void)
{
    struct scene scene;
    struct wire wire = {0};
    scene_bound(&scene);
    wire_request(&wire, PDU_FIRST, 2, ECHO_SAME, "abc", 3);
    wire_begin(&wire, PDU_ORPHANED, WIRE_WHOLE, 1); /* of another call */
    wire_end(&wire);
    wire_request(&wire, 0, 2, ECHO_SAME, "def", 3);
    wire_begin(&wire, PDU_ORPHANED, WIRE_WHOLE, 2);
    wire_end(&wire);
    (void)feed(&scene, &wire);
    CU_ASSERT(scene.calls == 0 && !scene.fed.ended);
    CU_ASSERT_EQUAL(rpc_association_held(scene.association), 0);
    wire = (struct wire){0};
    wire_request(&wire, WIRE_WHOLE, 3, ECHO_SAME, "g", 1);
    const uint8_t *answer = feed(&scene, &wire);
    CU_ASSERT(answer[2] == PDU_RESPONSE && answer[24] == 'g' && get_u16(answer + 8) == 25);
    scene_close(&scene);
}

static void arguments_are_so_long_and_no_longer(void)
{
    static const uint8_t stub[4096];
    struct scene scene;
    struct wire first = {0};
    struct wire next = {0};
    scene_bound(&scene);
    wire_request(&first, PDU_FIRST, 2, ECHO_REFUSE, stub, sizeof(stub));
    wire_request(&next, 0, 2, ECHO_REFUSE, stub, sizeof(stub));
    feed_some(&scene, first.bytes, first.size);
    for (size_t size = sizeof(stub); size < RPC_MOST_ARGUMENTS; size += sizeof(stub)) {
        CU_ASSERT_FALSE_FATAL(scene.fed.ended);
        feed_some(&scene, next.bytes, next.size);
        CU_ASSERT(rpc_association_held(scene.association) <= RPC_MOST_ARGUMENTS);
    }
    CU_ASSERT_FALSE(scene.fed.ended);
    check_fault(&scene, &next, RPC_FAULT_NO_MEMORY, true);
    CU_ASSERT_EQUAL(scene.calls, 0);
    scene_close(&scene);
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

/* A conversation of a bind, a call in fragments and one that is refused. */
static struct wire conversation(void)
{
    struct wire wire = {0};
    wire_bind(&wire);
    wire_request(&wire, PDU_FIRST, 2, ECHO_SAME, "0123456789", 10);
    wire_request(&wire, PDU_LAST, 2, ECHO_SAME, "abcdef", 6);
    wire_request(&wire, WIRE_WHOLE, 3, 99, "abcdef", 6);
    return wire;
}

static void messages_can_be_cut_at_every_byte(void)
{
    const struct wire wire = conversation();
    struct scene whole;
    scene_open(&whole, false);
    feed_some(&whole, wire.bytes, wire.size);
    CU_ASSERT(whole.fed.taken == wire.size && whole.calls == 1);
    for (size_t cut = 0; cut < wire.size; cut++) {
        struct scene scene;
        scene_open(&scene, false);
        feed_some(&scene, wire.bytes, cut);
        CU_ASSERT_EQUAL(scene.fed.taken, cut);
        feed_some(&scene, wire.bytes + cut, wire.size - cut);
        CU_ASSERT_EQUAL(scene.fed.taken, wire.size - cut);
        CU_ASSERT_EQUAL_FATAL(scene.output.size, whole.output.size);
        CU_ASSERT_EQUAL(memcmp(scene.output.data, whole.output.data, whole.output.size), 0);
        scene_close(&scene);
    }
    scene_close(&whole);
}

static void messages_can_come_byte_by_byte(void)
{
    const struct wire wire = conversation();
    struct scene scene;
    scene_open(&scene, true);
    for (size_t i = 0; i < wire.size; i++) {
        feed_some(&scene, wire.bytes + i, 1);
        CU_ASSERT(scene.fed.taken == 1 && !scene.fed.ended);
    }
    CU_ASSERT_EQUAL(scene.calls, 1);
    /* Framed: each message has its length before it. */
    size_t at = 0;
    for (; at < scene.output.size; at += 2 + get_u16(scene.output.data + at)) {
        CU_ASSERT_EQUAL(get_u16(scene.output.data + at), get_u16(scene.output.data + at + 10));
    }
    CU_ASSERT_EQUAL(at, scene.output.size);
    CU_ASSERT_EQUAL(rpc_association_held(scene.association), 0);
    scene_close(&scene);
}

/* Every number of every message replaced; whatever comes of it, it ends or goes on, within bounds.
 */
static void a_number_that_lies_does_no_harm(void)
{
    static const unsigned lies[] = {0, 1, 15, 16, 23, 24, 0x7f, 0xff, 0x7fff, 0x8000, 0xffff};
    const struct wire whole = conversation();
    for (size_t at = 0; at + 2 <= whole.size; at++) {
        for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
            struct scene scene;
            struct wire wire = whole;
            wire.start = 0;
            wire_set_u16(&wire, at, lies[i]);
            scene_open(&scene, false);
            feed_some(&scene, wire.bytes, wire.size);
            CU_ASSERT(scene.output.size < 1000);
            CU_ASSERT(rpc_association_held(scene.association) < 8192);
            scene_close(&scene);
        }
    }
}

static void a_length_that_no_message_has_ends_it(void)
{
    static const unsigned lengths[] = {0, 1, 15, PDU_MOST_FRAGMENT + 1, 65535};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct scene scene;
        struct wire wire = {0};
        scene_bound(&scene);
        wire_request(&wire, WIRE_WHOLE, 2, ECHO_SAME, "x", 1);
        wire_set_u16(&wire, 8, lengths[i]);
        (void)feed(&scene, &wire);
        CU_ASSERT(scene.fed.ended && scene.output.size == 0 && scene.calls == 0);
        scene_close(&scene);
    }
}

static void nothing_is_taken_while_too_much_waits(void)
{
    const uint8_t size[] = {0, 0, 4, 0}; /* 256 KiB */
    struct scene scene;
    struct wire wire = {0};
    scene_bound(&scene);
    ndr_push_clear(&scene.output);
    for (uint32_t call = 2; call < 10; call++) {
        wire_request(&wire, WIRE_WHOLE, call, ECHO_LARGE, size, sizeof(size));
    }
    feed_some(&scene, wire.bytes, wire.size);
    CU_ASSERT(scene.calls == 4 && !scene.fed.ended);
    CU_ASSERT_EQUAL(scene.fed.taken, wire.size / 2);
    size_t taken = scene.fed.taken;
    feed_some(&scene, wire.bytes + taken, wire.size - taken);
    CU_ASSERT_EQUAL(scene.fed.taken, 0);
    ndr_push_clear(&scene.output);
    feed_some(&scene, wire.bytes + taken, wire.size - taken);
    CU_ASSERT(scene.calls == 8 && scene.fed.taken == wire.size - taken);
    scene_close(&scene);
}

static const struct test_case cases[] = {
    {"a bind is acknowledged", a_bind_is_acknowledged},
    {"fragments are as large as both take", fragments_are_as_large_as_both_take},
    {"each context has its own result", each_context_has_its_own_result},
    {"an interface serves older minor versions", an_interface_serves_older_minor_versions},
    {"there are so many contexts and no more", there_are_so_many_contexts_and_no_more},
    {"a bind is refused for a reason", a_bind_is_refused_for_a_reason},
    {"minor version 1 is answered by 1", minor_version_1_is_answered_by_1},
    {"a second bind ends it", a_second_bind_ends_it},
    {"contexts can be added later", contexts_can_be_added_later},
    {"a call is answered", a_call_is_answered},
    {"what cannot be called is a fault", what_cannot_be_called_is_a_fault},
    {"admission is asked before each call", admission_is_asked_before_each_call},
    {"an answer that is too long is a fault", an_answer_that_is_too_long_is_a_fault},
    {"nobody waits for a call that may be", nobody_waits_for_a_call_that_may_be},
    {"calls before a bind end it", calls_before_a_bind_end_it},
    {"authentication is refused everywhere", authentication_is_refused_everywhere},
    {"what only servers say ends it", what_only_servers_say_ends_it},
    {"fragments are put together", fragments_are_put_together},
    {"fragments out of order end it", fragments_out_of_order_end_it},
    {"an orphaned call is forgotten", an_orphaned_call_is_forgotten},
    {"arguments are so long and no longer", arguments_are_so_long_and_no_longer},
    {"messages can be cut at every byte", messages_can_be_cut_at_every_byte},
    {"messages can come byte by byte", messages_can_come_byte_by_byte},
    {"a number that lies does no harm", a_number_that_lies_does_no_harm},
    {"a length that no message has ends it", a_length_that_no_message_has_ends_it},
    {"nothing is taken while too much waits", nothing_is_taken_while_too_much_waits},
    {NULL, NULL}};

const struct test_suite suite_rpc_association = {"rpc_association", cases};
