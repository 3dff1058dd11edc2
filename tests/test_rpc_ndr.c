/* test_rpc_ndr - arguments of calls, to and from bytes. */
#include "harness.h"

#include "../services/rpc/ndr.h"

#include <string.h>

/* ---- Numbers --------------------------------------------------------------------------------- */

static void numbers_stand_at_multiples_of_their_size(void)
{
    const uint8_t bytes[] = {1,    0xee, 2,    3,    4, 0xee, 0xee, 0xee, 5, 6, 7, 8,
                             0xee, 0xee, 0xee, 0xee, 9, 0,    0,    0,    0, 0, 0, 10};
    struct ndr_pull pull = ndr_pull_of(bytes, sizeof(bytes));
    CU_ASSERT_EQUAL(ndr_pull_u8(&pull), 1);
    CU_ASSERT_EQUAL(ndr_pull_u16(&pull), 0x0302);
    CU_ASSERT_EQUAL(ndr_pull_u8(&pull), 4);
    CU_ASSERT_EQUAL(ndr_pull_u32(&pull), 0x08070605);
    CU_ASSERT_EQUAL(ndr_pull_u64(&pull), 0x0a00000000000009);
    CU_ASSERT(ndr_pull_ok(&pull));
    CU_ASSERT_EQUAL(pull.position, sizeof(bytes));
    CU_ASSERT_EQUAL(ndr_pull_u8(&pull), 0);
    CU_ASSERT_FALSE(ndr_pull_ok(&pull));
}

static void a_failure_sticks(void)
{
    const uint8_t bytes[] = {1, 2, 3, 4, 5, 6};
    struct ndr_pull pull = ndr_pull_of(bytes, sizeof(bytes));
    CU_ASSERT_EQUAL(ndr_pull_u32(&pull), 0x04030201);
    CU_ASSERT_EQUAL(ndr_pull_u32(&pull), 0);
    CU_ASSERT_EQUAL(ndr_pull_u8(&pull), 0);
    CU_ASSERT_PTR_NULL(ndr_pull_raw(&pull, 1));
    CU_ASSERT_FALSE(ndr_pull_pointer(&pull));
    CU_ASSERT_FALSE(ndr_pull_ok(&pull));
}

static void nothing_is_pulled_from_nothing(void)
{
    struct ndr_pull pull = ndr_pull_of(NULL, 0);
    CU_ASSERT_EQUAL(ndr_pull_u8(&pull), 0);
    CU_ASSERT_FALSE(ndr_pull_ok(&pull));
}

/* ---- Arrays and strings ---------------------------------------------------------------------- */

static void an_array_is_no_longer_than_allowed_or_there(void)
{
    const uint8_t bytes[] = {3, 0, 0, 0, 'a', 'b', 'c'};
    struct ndr_pull pull = ndr_pull_of(bytes, sizeof(bytes));
    struct ndr_bytes array = ndr_pull_bytes(&pull, 3);
    CU_ASSERT_EQUAL(array.size, 3);
    CU_ASSERT_PTR_EQUAL(array.data, bytes + 4);
    pull = ndr_pull_of(bytes, sizeof(bytes));
    array = ndr_pull_bytes(&pull, 2);
    CU_ASSERT(array.size == 0 && array.data == NULL && !ndr_pull_ok(&pull));
    pull = ndr_pull_of(bytes, sizeof(bytes) - 1);
    array = ndr_pull_bytes(&pull, SIZE_MAX);
    CU_ASSERT(array.size == 0 && array.data == NULL && !ndr_pull_ok(&pull));
}

/* A string "hi" with its three numbers, and what each may not be. */
static bool pull_hi(uint32_t room, uint32_t offset, uint32_t count, const char *units, size_t most)
{
    uint8_t bytes[12 + 6];
    const uint32_t numbers[] = {room, offset, count};
    for (size_t i = 0; i < 12; i++) {
        bytes[i] = (uint8_t)(numbers[i / 4] >> 8 * (i % 4));
    }
    memcpy(bytes + 12, units, 6);
    struct ndr_pull pull = ndr_pull_of(bytes, sizeof(bytes));
    struct ndr_text text = ndr_pull_text(&pull, most);
    CU_ASSERT_EQUAL(text.data != NULL, ndr_pull_ok(&pull));
    CU_ASSERT(text.data != NULL ? text.units == 2 : text.units == 0);
    return ndr_pull_ok(&pull);
}

static void a_string_is_what_its_numbers_say(void)
{
    CU_ASSERT(pull_hi(3, 0, 3, "h\0i\0\0", 2));
    CU_ASSERT(pull_hi(260, 0, 3, "h\0i\0\0", 2)); /* of a larger array */
    CU_ASSERT_FALSE(pull_hi(3, 0, 3, "h\0i\0\0", 1));
    CU_ASSERT_FALSE(pull_hi(2, 0, 3, "h\0i\0\0", 9));
    CU_ASSERT_FALSE(pull_hi(3, 1, 3, "h\0i\0\0", 9));
    CU_ASSERT_FALSE(pull_hi(3, 0, 0, "h\0i\0\0", 9));
    CU_ASSERT_FALSE(pull_hi(3, 0, 2, "h\0i\0\0", 9));  /* no terminator */
    CU_ASSERT_FALSE(pull_hi(3, 0, 3, "h\0\0\0\0", 9)); /* two of them */
    CU_ASSERT_FALSE(pull_hi(4, 0, 4, "h\0i\0\0", 9));  /* not there */
    CU_ASSERT_FALSE(pull_hi(UINT32_MAX, 0, UINT32_MAX, "h\0i\0\0", SIZE_MAX));
    CU_ASSERT_FALSE(pull_hi(UINT32_MAX, 0, 0x80000001, "h\0i\0\0", SIZE_MAX));
}

static void a_string_of_bytes_too(void)
{
    const uint8_t bytes[] = {4, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 'a', 'b', 'c', 0};
    struct ndr_pull pull = ndr_pull_of(bytes, sizeof(bytes));
    struct ndr_bytes text = ndr_pull_text8(&pull, 3);
    CU_ASSERT(text.size == 3 && text.data == bytes + 12);
    for (size_t size = 0; size < sizeof(bytes); size++) {
        pull = ndr_pull_of(bytes, size);
        CU_ASSERT_PTR_NULL(ndr_pull_text8(&pull, 3).data);
        CU_ASSERT_FALSE(ndr_pull_ok(&pull));
    }
}

static void a_handle_is_twenty_bytes(void)
{
    const uint8_t bytes[24] = {0xee, [4] = 1, [23] = 2};
    struct ndr_pull pull = ndr_pull_of(bytes, sizeof(bytes));
    (void)ndr_pull_u8(&pull);
    struct ndr_handle handle = ndr_pull_handle(&pull);
    CU_ASSERT(ndr_pull_ok(&pull) && !ndr_handle_is_null(&handle));
    CU_ASSERT(handle.bytes[0] == 1 && handle.bytes[19] == 2);
    handle = ndr_pull_handle(&pull);
    CU_ASSERT(!ndr_pull_ok(&pull) && ndr_handle_is_null(&handle));
}

/* ---- Text ------------------------------------------------------------------------------------ */

/* From UTF-8 to the wire and back. */
static void check_way_back(const char *text, size_t units)
{
    char back[64];
    struct ndr_push push = ndr_push_up_to(200);
    ndr_push_text(&push, text);
    CU_ASSERT_FATAL(ndr_push_ok(&push));
    struct ndr_pull pull = ndr_pull_of(push.data, push.size);
    struct ndr_text pulled = ndr_pull_text(&pull, units);
    CU_ASSERT(ndr_pull_ok(&pull) && pulled.units == units);
    CU_ASSERT(ndr_text_utf8(pulled, back, sizeof(back)));
    CU_ASSERT_STRING_EQUAL(back, text);
    CU_ASSERT_FALSE(ndr_text_utf8(pulled, back, strlen(text)));
    CU_ASSERT_EQUAL(ndr_utf16_units(text), units);
    ndr_push_free(&push);
}

static void text_has_a_way_back(void)
{
    check_way_back("a", 1);
    check_way_back("Z\xc3\xbcrich", 6);
    check_way_back("\xe4\xbd\xa0\xe5\xa5\xbd", 2);
    check_way_back("\xf0\x9f\x96\xa8", 2); /* a printer */
    check_way_back("a\xed\xa0\x80"
                   "b",
                   3);                     /* half of a pair */
    check_way_back("\xf4\x8f\xbf\xbf", 2); /* the last one */
    check_way_back("", 0);
}

static void bytes_that_are_no_text_are_refused(void)
{
    static const char *const wrong[] = {"\x80",
                                        "\xc3",
                                        "\xc0\x80",
                                        "\xe0\x80\x80",
                                        "\xf0\x80\x80\x80",
                                        "\xf4\x90\x80\x80",
                                        "\xff",
                                        "a\xe4\xbd",
                                        "\xf8\x88\x80\x80\x80"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct ndr_push push = ndr_push_up_to(200);
        ndr_push_text(&push, wrong[i]);
        CU_ASSERT_FALSE(ndr_push_ok(&push));
        CU_ASSERT_EQUAL(ndr_utf16_units(wrong[i]), SIZE_MAX);
        ndr_push_free(&push);
    }
}

static void no_text_fits_into_no_buffer(void)
{
    char one[1] = {'x'};
    CU_ASSERT_FALSE(ndr_text_utf8((struct ndr_text){NULL, 0}, one, 0));
    CU_ASSERT_EQUAL(one[0], 'x');
    CU_ASSERT(ndr_text_utf8((struct ndr_text){NULL, 0}, one, 1));
    CU_ASSERT_EQUAL(one[0], '\0');
}

/* ---- Putting together ------------------------------------------------------------------------ */

static void pushed_bytes_are_padded_with_zeros(void)
{
    const uint8_t expected[] = {1, 0, 2, 0, 0, 0, 2, 0, 3, 0, 0, 0, 'a', 'b', 'c', 0,
                                4, 0, 2, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0,   0,   0,   0};
    struct ndr_push push = ndr_push_up_to(sizeof(expected));
    ndr_push_u8(&push, 1);
    ndr_push_u16(&push, 2);
    ndr_push_pointer(&push, true);
    ndr_push_bytes(&push, "abc", 3);
    ndr_push_pointer(&push, true);
    ndr_push_pointer(&push, false);
    ndr_push_u64(&push, 5);
    CU_ASSERT(ndr_push_ok(&push));
    CU_ASSERT_EQUAL_FATAL(push.size, sizeof(expected));
    CU_ASSERT_EQUAL(memcmp(push.data, expected, sizeof(expected)), 0);
    ndr_push_u8(&push, 0);
    CU_ASSERT(!ndr_push_ok(&push) && push.size == sizeof(expected));
    ndr_push_clear(&push);
    ndr_push_pointer(&push, true);
    CU_ASSERT(ndr_push_ok(&push) && push.size == 4 && push.data[0] == 0);
    ndr_push_free(&push);
}

static void space_is_zero_and_within_the_limit(void)
{
    struct ndr_push push = ndr_push_up_to(1000);
    ndr_push_raw(&push, "x", 1);
    uint8_t *space = ndr_push_space(&push, 999);
    CU_ASSERT_PTR_NOT_NULL_FATAL(space);
    for (size_t i = 0; i < 999; i++) {
        CU_ASSERT_EQUAL(space[i], 0);
    }
    CU_ASSERT_PTR_NULL(ndr_push_space(&push, 1));
    CU_ASSERT_FALSE(ndr_push_ok(&push));
    ndr_push_free(&push);
    push = ndr_push_up_to(1000);
    CU_ASSERT_PTR_NULL(ndr_push_space(&push, SIZE_MAX));
    CU_ASSERT_FALSE(ndr_push_ok(&push));
    ndr_push_free(&push);
}

static const struct test_case cases[] = {
    {"numbers stand at multiples of their size", numbers_stand_at_multiples_of_their_size},
    {"a failure sticks", a_failure_sticks},
    {"nothing is pulled from nothing", nothing_is_pulled_from_nothing},
    {"an array is no longer than allowed or there", an_array_is_no_longer_than_allowed_or_there},
    {"a string is what its numbers say", a_string_is_what_its_numbers_say},
    {"a string of bytes too", a_string_of_bytes_too},
    {"a handle is twenty bytes", a_handle_is_twenty_bytes},
    {"text has a way back", text_has_a_way_back},
    {"bytes that are no text are refused", bytes_that_are_no_text_are_refused},
    {"no text fits into no buffer", no_text_fits_into_no_buffer},
    {"pushed bytes are padded with zeros", pushed_bytes_are_padded_with_zeros},
    {"space is zero and within the limit", space_is_zero_and_within_the_limit},
    {NULL, NULL}};

const struct test_suite suite_rpc_ndr = {"rpc_ndr", cases};
