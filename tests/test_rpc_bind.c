/* test_rpc_bind - what a server and a client agree upon. */
#include "rpc_scene.h"

#include <string.h>

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
    {NULL, NULL}};

const struct test_suite suite_rpc_bind = {"rpc_bind", cases};
