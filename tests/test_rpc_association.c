/* test_rpc_association - the calls of a client, byte by byte. */
#include "rpc_scene.h"

#include <string.h>

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
