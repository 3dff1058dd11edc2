/*
 * test_spoolss_enum - RpcEnumPrinters: what flags, names and levels list, how it is packed, and
 * KB Q161734's trace, number by number.
 */
#include "spooler_bench.h"

#include <string.h>

/* The lengths of the texts are those that the offsets of the trace tell. */
static void add_trace(struct spooler_bench *bench)
{
    spooler_bench_announce(bench, "\\\\NTSERVER\\Laser_1",
                           "\\\\NTSERVER\\Laser_1,HP LaserJet 4/4M,", "");
    spooler_bench_announce(bench, "\\\\NTSERVER\\Laser_2",
                           "\\\\NTSERVER\\Laser_2,HP LaserJet 4/4M,", "");
    spooler_bench_announce(bench, "\\\\NTSERVER\\Laser_3",
                           "\\\\NTSERVER\\Laser_3,HP LaserJet 4/4M,",
                           "third floor, beside the coffee room");
}

static void the_trace_is_answered(void)
{
    static const uint8_t begin[] = {0x08, 0,    0, 0, 0xda, 0x02, 0, 0, 0xb4, 0x02, 0, 0,
                                    0xb2, 0x02, 0, 0, 0x08, 0,    0, 0, 0x58, 0x02, 0, 0};
    struct spooler_bench bench;
    spooler_bench_open(&bench);
    add_trace(&bench);
    struct listed listed = spooler_bench_list(&bench, 0x40, "\\\\NTSERVER", 1, 804);
    CU_ASSERT_EQUAL(bench.answer.size, 0x338);
    CU_ASSERT_EQUAL_FATAL(listed.size, 804);
    CU_ASSERT_EQUAL(memcmp(listed.buffer, begin, sizeof(begin)), 0);
    CU_ASSERT_EQUAL(listed.needed, 460);
    CU_ASSERT_EQUAL(listed.returned, 3);
    CU_ASSERT_EQUAL(listed.error, 0);
    CU_ASSERT_STRING_EQUAL(listed_text(&listed, 16, 2, 3), "third floor, beside the coffee room");
    spooler_bench_close(&bench);
}

static void too_small_a_buffer_is_told_the_size(void)
{
    struct spooler_bench bench;
    spooler_bench_open(&bench);
    add_trace(&bench);
    static const uint32_t capacities[] = {0, 1, 48, 459};
    for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
        struct listed listed = spooler_bench_list(&bench, 0x40, NULL, 1, capacities[i]);
        CU_ASSERT_EQUAL(listed.error, 122);
        CU_ASSERT_EQUAL(listed.needed, 460);
        CU_ASSERT_EQUAL(listed.returned, 0);
        CU_ASSERT_EQUAL(listed.size, capacities[i]);
        CU_ASSERT_EQUAL(listed.buffer != NULL, capacities[i] > 0);
        for (uint32_t k = 0; k < listed.size; k++) {
            CU_ASSERT_EQUAL(listed.buffer[k], 0);
        }
    }
    spooler_bench_close(&bench);
}

/* Also of odd sizes, where the last byte stays unused. */
static void any_larger_buffer_will_do(void)
{
    struct spooler_bench bench;
    spooler_bench_open(&bench);
    add_trace(&bench);
    for (uint32_t capacity = 460; capacity < 480; capacity++) {
        struct listed listed = spooler_bench_list(&bench, 0x40, NULL, 1, capacity);
        CU_ASSERT_EQUAL(listed.error, 0);
        CU_ASSERT_STRING_EQUAL(listed_names(&listed), "\\\\NTSERVER\\Laser_1 "
                                                      "\\\\NTSERVER\\Laser_2 "
                                                      "\\\\NTSERVER\\Laser_3");
        CU_ASSERT_EQUAL(listed_number(&listed, 16, 0, 1), (capacity & ~1u) - 74);
        CU_ASSERT_STRING_EQUAL(listed_text(&listed, 16, 2, 3),
                               "third floor, beside the coffee room");
    }
    spooler_bench_close(&bench);
}

static void own_printers_and_others_are_one_list(void)
{
    struct spooler_bench bench;
    spooler_bench_open(&bench);
    spooler_bench_add(&bench, "Laser", "LASER");
    spooler_bench_add(&bench, "Private", "");
    spooler_bench_announce(&bench, "\\\\ALPHA\\P", "", "");
    spooler_bench_announce(&bench, "\\\\ZETA\\P", "", "");
    struct listed listed = spooler_bench_list_all(&bench, PRINTER_ENUM_NETWORK, NULL, 1);
    CU_ASSERT_STRING_EQUAL(listed_names(&listed), "\\\\ALPHA\\P \\\\NTSERVER\\LASER \\\\ZETA\\P");
    CU_ASSERT_STRING_EQUAL(listed_text(&listed, 16, 1, 1), "\\\\NTSERVER\\LASER,Driver,Room 1");
    listed = spooler_bench_list_all(&bench, PRINTER_ENUM_REMOTE, NULL, 1);
    CU_ASSERT_EQUAL(listed.returned, 3);
    spooler_bench_close(&bench);
}

static void another_shared_printer_is_listed_at_once(void)
{
    struct spooler_bench bench;
    spooler_bench_open(&bench);
    spooler_bench_add(&bench, "Laser", "LASER");
    CU_ASSERT_EQUAL(spooler_bench_list_all(&bench, 0x40, NULL, 1).returned, 1);
    spooler_bench_add(&bench, "Jet", "JET");
    CU_ASSERT_EQUAL(spooler_bench_list_all(&bench, 0x40, NULL, 1).returned, 2);
    spooler_bench_announce(&bench, "\\\\A\\P", "", "");
    CU_ASSERT_EQUAL(spooler_bench_list_all(&bench, 0x40, NULL, 1).returned, 3);
    spooler_bench_close(&bench);
}

/* Owns its printers: one shared, one not. */
static void open_two(struct spooler_bench *bench)
{
    spooler_bench_open(bench);
    spooler_bench_add(bench, "Laser", "LASER");
    spooler_bench_add(bench, "Private", "");
    spooler_bench_announce(bench, "\\\\ALPHA\\P", "", "");
}

static void expect_names(struct spooler_bench *bench, uint32_t flags, const char *name,
                         const char *names)
{
    struct listed listed = spooler_bench_list_all(bench, flags, name, 1);
    CU_ASSERT_EQUAL(listed.error, 0);
    CU_ASSERT_STRING_EQUAL(listed_names(&listed), names);
}

static void flags_say_what_is_listed(void)
{
    struct spooler_bench bench;
    open_two(&bench);
    expect_names(&bench, PRINTER_ENUM_LOCAL, NULL, "Laser Private");
    expect_names(&bench, PRINTER_ENUM_LOCAL, "\\\\ignored\\here", "Laser Private");
    expect_names(&bench, PRINTER_ENUM_LOCAL | PRINTER_ENUM_SHARED, NULL, "Laser");
    expect_names(&bench, PRINTER_ENUM_NAME, "\\\\alias",
                 "\\\\NTSERVER\\Laser \\\\NTSERVER\\Private");
    expect_names(&bench, PRINTER_ENUM_NAME | PRINTER_ENUM_SHARED, "NTSERVER",
                 "\\\\NTSERVER\\Laser");
    expect_names(&bench, PRINTER_ENUM_NAME | PRINTER_ENUM_LOCAL, "", "Laser Private");
    expect_names(&bench, PRINTER_ENUM_NAME, NULL, "regstore");
    expect_names(&bench, PRINTER_ENUM_NAME | PRINTER_ENUM_NETWORK, "NTSERVER",
                 "\\\\ALPHA\\P \\\\NTSERVER\\LASER");
    expect_names(&bench, PRINTER_ENUM_CONNECTIONS, NULL, "");
    expect_names(&bench, PRINTER_ENUM_DEFAULT, NULL, "");
    expect_names(&bench, PRINTER_ENUM_SHARED, NULL, "");
    spooler_bench_close(&bench);
}

static void level_1_tells_little(void)
{
    struct spooler_bench bench;
    open_two(&bench);
    struct listed listed = spooler_bench_list_all(&bench, PRINTER_ENUM_LOCAL, NULL, 1);
    CU_ASSERT_EQUAL(listed_number(&listed, 16, 0, 0), PRINTER_ENUM_ICON8);
    CU_ASSERT_STRING_EQUAL(listed_text(&listed, 16, 0, 1), "Laser,Driver,Room 1");
    CU_ASSERT_STRING_EQUAL(listed_text(&listed, 16, 0, 3), "Comment");
    spooler_bench_close(&bench);
}

/* [MS-RPRN] 2.2.2.9.3: the fields, as texts from 0 to 11 without 7, and numbers from 13. */
static void level_2_tells_all(void)
{
    static const char *const texts[] = {"\\\\NTSERVER",
                                        "\\\\NTSERVER\\Laser",
                                        "LASER",
                                        "LPT1:",
                                        "Driver",
                                        "Comment",
                                        "Room 1",
                                        NULL,
                                        "",
                                        "",
                                        "",
                                        ""};
    static const uint32_t numbers[] = {PRINTER_ATTRIBUTE_SHARED, 1, 0, 0, 0, 0, 0, 0};
    struct spooler_bench bench;
    open_two(&bench);
    struct listed listed =
        spooler_bench_list_all(&bench, PRINTER_ENUM_NAME, "\\\\" BENCH_SERVER, 2);
    CU_ASSERT_EQUAL_FATAL(listed.error, 0);
    CU_ASSERT_EQUAL_FATAL(listed.returned, 2);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *text = listed_text(&listed, 84, 0, i);
        CU_ASSERT_EQUAL_FATAL(text == NULL, texts[i] == NULL);
        CU_ASSERT_TRUE(text == NULL || strcmp(text, texts[i]) == 0);
    }
    CU_ASSERT_EQUAL(listed_number(&listed, 84, 0, 12), 0);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        CU_ASSERT_EQUAL(listed_number(&listed, 84, 0, 13 + i), numbers[i]);
    }
    CU_ASSERT_STRING_EQUAL(listed_text(&listed, 84, 1, 1), "\\\\NTSERVER\\Private");
    listed = spooler_bench_list_all(&bench, PRINTER_ENUM_LOCAL, NULL, 2);
    CU_ASSERT_PTR_NULL(listed_text(&listed, 84, 0, 0));
    CU_ASSERT_STRING_EQUAL(listed_text(&listed, 84, 0, 1), "Laser");
    spooler_bench_close(&bench);
}

static void expect_error(struct spooler_bench *bench, uint32_t flags, const char *name,
                         uint32_t level, uint32_t error)
{
    struct listed listed = spooler_bench_list(bench, flags, name, level, 16);
    CU_ASSERT_EQUAL(listed.fault, 0);
    CU_ASSERT_EQUAL(listed.error, error);
    CU_ASSERT_EQUAL(listed.needed, 0);
    CU_ASSERT_EQUAL(listed.returned, 0);
    CU_ASSERT_EQUAL(listed.size, 16);
}

static void wrong_questions_are_refused(void)
{
    static const uint32_t levels[] = {0, 3, 4, 5, 9, 0xffffffff};
    struct spooler_bench bench;
    open_two(&bench);
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        expect_error(&bench, PRINTER_ENUM_LOCAL, NULL, levels[i], SPOOLSS_INVALID_LEVEL);
    }
    expect_error(&bench, PRINTER_ENUM_NETWORK, NULL, 2, SPOOLSS_INVALID_LEVEL);
    expect_error(&bench, PRINTER_ENUM_REMOTE, NULL, 2, SPOOLSS_INVALID_LEVEL);
    expect_error(&bench, 0, NULL, 1, SPOOLSS_INVALID_FLAGS);
    expect_error(&bench, 0x80000002, NULL, 1, SPOOLSS_INVALID_FLAGS);
    expect_error(&bench, PRINTER_ENUM_NAME, "\\\\S\\P", 1, SPOOLSS_INVALID_NAME);
    expect_error(&bench, PRINTER_ENUM_NAME, "\\\\", 1, SPOOLSS_INVALID_NAME);
    spooler_bench_close(&bench);
}

static void a_buffer_has_the_size_that_is_said(void)
{
    struct spooler_bench bench;
    struct ndr_push *push = &bench.arguments;
    open_two(&bench);
    ndr_push_u32(push, PRINTER_ENUM_LOCAL);
    ndr_push_pointer(push, false);
    ndr_push_u32(push, 1);
    ndr_push_pointer(push, true);
    ndr_push_u32(push, 8);
    ndr_push_u64(push, 0);
    ndr_push_u32(push, 4096);
    CU_ASSERT_EQUAL(spooler_bench_call(&bench, SPOOLSS_ENUM_PRINTERS), RPC_FAULT_BAD_STUB_DATA);
    ndr_push_u32(push, PRINTER_ENUM_LOCAL);
    ndr_push_pointer(push, false);
    ndr_push_u32(push, 1);
    ndr_push_pointer(push, false);
    ndr_push_u32(push, 4096);
    CU_ASSERT_EQUAL(spooler_bench_call(&bench, SPOOLSS_ENUM_PRINTERS), 0);
    struct ndr_pull pull = ndr_pull_of(bench.answer.data + 12, 4);
    CU_ASSERT_EQUAL(ndr_pull_u32(&pull), SPOOLSS_INVALID_USER_BUFFER);
    spooler_bench_close(&bench);
}

static void cut_questions_are_faults(void)
{
    struct spooler_bench bench;
    spooler_bench_open(&bench);
    for (size_t left = 0; left < 864; left++) {
        struct ndr_push *push = &bench.arguments;
        ndr_push_u32(push, 0x40);
        ndr_push_pointer(push, true);
        ndr_push_text(push, "\\\\NTSERVER");
        ndr_push_u32(push, 1);
        ndr_push_pointer(push, true);
        ndr_push_u32(push, 804);
        (void)ndr_push_space(push, 804);
        ndr_push_u32(push, 804);
        CU_ASSERT_EQUAL_FATAL(push->size, 864);
        push->size = left;
        CU_ASSERT_EQUAL(spooler_bench_call(&bench, SPOOLSS_ENUM_PRINTERS), RPC_FAULT_BAD_STUB_DATA);
    }
    spooler_bench_close(&bench);
}

static const struct test_case cases[] = {
    {"the trace is answered", the_trace_is_answered},
    {"too small a buffer is told the size", too_small_a_buffer_is_told_the_size},
    {"any larger buffer will do", any_larger_buffer_will_do},
    {"own printers and others are one list", own_printers_and_others_are_one_list},
    {"another shared printer is listed at once", another_shared_printer_is_listed_at_once},
    {"flags say what is listed", flags_say_what_is_listed},
    {"level 1 tells little", level_1_tells_little},
    {"level 2 tells all", level_2_tells_all},
    {"wrong questions are refused", wrong_questions_are_refused},
    {"a buffer has the size that is said", a_buffer_has_the_size_that_is_said},
    {"cut questions are faults", cut_questions_are_faults},
    {NULL, NULL},
};

const struct test_suite suite_spoolss_enum = {"spoolss_enum", cases};
