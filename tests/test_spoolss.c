/*
 * test_spoolss - announcements of other print servers, and the calls that are refused. What is
 * listed, test_spoolss_enum.c tests.
 */
#include "spooler_bench.h"

#include <stdio.h>
#include <string.h>

static const char *network(struct spooler_bench *bench)
{
    struct listed listed = spooler_bench_list_all(bench, PRINTER_ENUM_NETWORK, NULL, 1);
    CU_ASSERT_EQUAL(listed.error, 0);
    return listed_names(&listed);
}

static void an_announcement_is_listed(void)
{
    struct spooler_bench bench;
    spooler_bench_open(&bench);
    CU_ASSERT_EQUAL(spooler_bench_announce(&bench, "\\\\B\\P", "words", "more"), 1802);
    CU_ASSERT_EQUAL(spooler_bench_announce(&bench, "\\\\A\\P", "", ""), 1802);
    CU_ASSERT_STRING_EQUAL(network(&bench), "\\\\A\\P \\\\B\\P");
    struct listed listed = spooler_bench_list_all(&bench, PRINTER_ENUM_NETWORK, NULL, 1);
    CU_ASSERT_STRING_EQUAL(listed_text(&listed, 16, 1, 1), "words");
    CU_ASSERT_STRING_EQUAL(listed_text(&listed, 16, 1, 3), "more");
    CU_ASSERT_EQUAL(listed_number(&listed, 16, 1, 0), 8);
    spooler_bench_close(&bench);
}

static void it_is_forgotten_after_the_period(void)
{
    struct spooler_bench bench;
    spooler_bench_open(&bench);
    spooler_bench_announce(&bench, "\\\\A\\P", "", "");
    spooler_bench_pass(&bench, BENCH_PERIOD / 2);
    spooler_bench_announce(&bench, "\\\\B\\P", "", "");
    spooler_bench_pass(&bench, BENCH_PERIOD / 2 - 1);
    CU_ASSERT_STRING_EQUAL(network(&bench), "\\\\A\\P \\\\B\\P");
    spooler_bench_pass(&bench, 1);
    CU_ASSERT_EQUAL(bench.spoolss.cache.count, 1);
    CU_ASSERT_STRING_EQUAL(network(&bench), "\\\\B\\P");
    spoolss_limits(&bench.spoolss, BENCH_PERIOD / 2, BENCH_MOST);
    CU_ASSERT_EQUAL(bench.spoolss.cache.count, 0);
    CU_ASSERT_FALSE(bench.spoolss.decay.set);
    spooler_bench_close(&bench);
}

/* The timer may come after a call of the same waking. */
static void nothing_old_is_listed_before_the_timer_comes(void)
{
    struct spooler_bench bench;
    spooler_bench_open(&bench);
    spooler_bench_announce(&bench, "\\\\A\\P", "", "");
    bench.loop.now += BENCH_PERIOD;
    CU_ASSERT_STRING_EQUAL(network(&bench), "");
    spooler_bench_close(&bench);
}

static void a_full_list_is_told_once_a_period(void)
{
    struct spooler_bench bench;
    char name[32];
    spooler_bench_open(&bench);
    for (int i = 0; i < BENCH_MOST; i++) {
        snprintf(name, sizeof(name), "\\\\S\\P%d", i);
        CU_ASSERT_EQUAL(spooler_bench_announce(&bench, name, "", ""), 1802);
    }
    CU_ASSERT_EQUAL(spooler_bench_announce(&bench, "\\\\S\\More", "", ""), SPOOLSS_OUT_OF_MEMORY);
    CU_ASSERT_STRING_EQUAL(
        spooler_bench_log(&bench),
        "test: \"\\\\S\\More\" is not taken into the list, which has 10 printers "
        "of the network already; it was announced from 192.0.2.7\n");
    spooler_bench_announce(&bench, "\\\\S\\More", "", "");
    CU_ASSERT_STRING_EQUAL(spooler_bench_log(&bench), "");
    CU_ASSERT_EQUAL(spooler_bench_announce(&bench, "\\\\S\\P0", "", ""), 1802);
    spoolss_limits(&bench.spoolss, BENCH_PERIOD, 3);
    CU_ASSERT_EQUAL(bench.spoolss.cache.count, 3);
    CU_ASSERT_STRING_EQUAL(network(&bench), "\\\\S\\P0 \\\\S\\P8 \\\\S\\P9");
    spooler_bench_close(&bench);
}

/* However short the period is, strangers do not fill the log. */
static void a_short_period_does_not_fill_the_log(void)
{
    struct spooler_bench bench;
    spooler_bench_open(&bench);
    spoolss_limits(&bench.spoolss, 1, 0);
    CU_ASSERT_EQUAL(spooler_bench_announce(&bench, "\\\\S\\P", "", ""), SPOOLSS_OUT_OF_MEMORY);
    CU_ASSERT_STRING_NOT_EQUAL(spooler_bench_log(&bench), "");
    spooler_bench_pass(&bench, 2);
    CU_ASSERT_EQUAL(spooler_bench_announce(&bench, "\\\\S\\P", "", ""), SPOOLSS_OUT_OF_MEMORY);
    CU_ASSERT_STRING_EQUAL(spooler_bench_log(&bench), "");
    spooler_bench_pass(&bench, 60000);
    spooler_bench_announce(&bench, "\\\\S\\P", "", "");
    CU_ASSERT_STRING_NOT_EQUAL(spooler_bench_log(&bench), "");
    spooler_bench_close(&bench);
}

/* Whatever strangers announce, there is a buffer in which the whole list can be asked for. */
static void all_that_is_taken_can_be_listed(void)
{
    struct spooler_bench bench;
    char words[CACHE_TEXT_MAX + 1];
    char name[32];
    uint32_t error = SPOOLSS_PRINTER_ALREADY_EXISTS;
    memset(words, 'w', CACHE_TEXT_MAX);
    words[CACHE_TEXT_MAX] = '\0';
    spooler_bench_open(&bench);
    spooler_bench_add(&bench, "Laser", "LASER");
    spoolss_limits(&bench.spoolss, BENCH_PERIOD, UINT32_MAX);
    for (int i = 0; i < 10000 && error == SPOOLSS_PRINTER_ALREADY_EXISTS; i++) {
        snprintf(name, sizeof(name), "\\\\S\\P%d", i);
        error = spooler_bench_announce(&bench, name, words, words);
    }
    CU_ASSERT_EQUAL(error, SPOOLSS_OUT_OF_MEMORY);
    struct listed listed = spooler_bench_list_all(&bench, PRINTER_ENUM_NETWORK, NULL, 1);
    CU_ASSERT_EQUAL(listed.fault, 0);
    CU_ASSERT_EQUAL(listed.error, 0);
    CU_ASSERT_EQUAL(listed.returned, bench.spoolss.cache.count + 1);
    spooler_bench_close(&bench);
}

/* A peer may be this computer itself. */
static void an_own_printer_is_not_taken_for_anothers(void)
{
    struct spooler_bench bench;
    spooler_bench_open(&bench);
    spooler_bench_add(&bench, "Laser", "LASER");
    CU_ASSERT_EQUAL(spooler_bench_announce(&bench, "\\\\ntserver\\laser", "", ""), 1802);
    CU_ASSERT_EQUAL(bench.spoolss.cache.count, 0);
    CU_ASSERT_STRING_EQUAL(network(&bench), "\\\\NTSERVER\\LASER");
    spooler_bench_close(&bench);
}

static void bad_announcements_are_refused(void)
{
    struct spooler_bench bench;
    char words[CACHE_TEXT_MAX + 2];
    memset(words, 'w', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    spooler_bench_open(&bench);
    CU_ASSERT_EQUAL(spooler_bench_announce(&bench, "", "", ""), 1801);
    CU_ASSERT_EQUAL(spooler_bench_announce(&bench, "Printer", "", ""), 1801);
    CU_ASSERT_EQUAL(spooler_bench_announce(&bench, "\\\\S\\P\\Q", "", ""), 1801);
    CU_ASSERT_EQUAL(spooler_bench_announce(&bench, "\\\\S\\P", words, ""), 87);
    CU_ASSERT_EQUAL(spooler_bench_announce(&bench, "\\\\S\\P", "", words), 87);
    words[CACHE_TEXT_MAX] = '\0';
    CU_ASSERT_EQUAL(spooler_bench_announce(&bench, "\\\\S\\P", words, words), 1802);
    CU_ASSERT_EQUAL(bench.spoolss.cache.count, 1);
    spooler_bench_close(&bench);
}

/* AddPrinter of a level, with what the union has for it, and two empty containers. */
static uint32_t add_level(struct spooler_bench *bench, uint32_t level, uint32_t shape, bool present,
                          uint32_t *error)
{
    struct ndr_push *push = &bench->arguments;
    struct ndr_handle handle;
    ndr_push_pointer(push, false);
    ndr_push_u32(push, level);
    ndr_push_u32(push, shape);
    ndr_push_pointer(push, present);
    for (int i = 0; present && i < 4; i++) {
        ndr_push_u32(push, 0);
    }
    for (int i = 0; i < 4; i++) {
        ndr_push_u32(push, 0);
    }
    uint32_t fault = spooler_bench_call(bench, SPOOLSS_ADD_PRINTER);
    if (fault == 0) {
        CU_ASSERT_TRUE(
            spoolss_pull_announced(bench->answer.data, bench->answer.size, &handle, error));
        CU_ASSERT_EQUAL(bench->answer.size, 24);
    }
    return fault;
}

static void other_levels_are_refused(void)
{
    struct spooler_bench bench;
    uint32_t error = 0;
    spooler_bench_open(&bench);
    CU_ASSERT_EQUAL(add_level(&bench, 2, 2, true, &error), 0);
    CU_ASSERT_EQUAL(error, SPOOLSS_ACCESS_DENIED);
    CU_ASSERT_EQUAL(add_level(&bench, 0, 0, true, &error), 0);
    CU_ASSERT_EQUAL(error, SPOOLSS_INVALID_LEVEL);
    CU_ASSERT_EQUAL(add_level(&bench, 3, 3, true, &error), 0);
    CU_ASSERT_EQUAL(error, SPOOLSS_INVALID_LEVEL);
    CU_ASSERT_EQUAL(add_level(&bench, 1, 1, false, &error), 0);
    CU_ASSERT_EQUAL(error, SPOOLSS_INVALID_PARAMETER);
    CU_ASSERT_EQUAL(add_level(&bench, 1, 1, true, &error), 0); /* all texts are NULL */
    CU_ASSERT_EQUAL(error, SPOOLSS_INVALID_PRINTER_NAME);
    CU_ASSERT_EQUAL(add_level(&bench, 1, 2, true, &error), RPC_FAULT_BAD_STUB_DATA);
    spooler_bench_close(&bench);
}

/* The answer is 20 zeros and the error, as ClosePrinter's is. */
static void no_handle_can_be_closed(void)
{
    static const uint8_t expected[24] = {[20] = SPOOLSS_INVALID_HANDLE};
    struct spooler_bench bench;
    struct ndr_handle handle = {{1, 2, 3}};
    spooler_bench_open(&bench);
    ndr_push_handle(&bench.arguments, &handle);
    CU_ASSERT_EQUAL(spooler_bench_call(&bench, SPOOLSS_CLOSE_PRINTER), 0);
    CU_ASSERT_EQUAL_FATAL(bench.answer.size, sizeof(expected));
    CU_ASSERT_EQUAL(memcmp(bench.answer.data, expected, sizeof(expected)), 0);
    ndr_push_u32(&bench.arguments, 0);
    CU_ASSERT_EQUAL(spooler_bench_call(&bench, SPOOLSS_CLOSE_PRINTER), RPC_FAULT_BAD_STUB_DATA);
    spooler_bench_close(&bench);
}

static void other_calls_are_refused(void)
{
    struct spooler_bench bench;
    spooler_bench_open(&bench);
    for (unsigned opnum = 0; opnum < 256; opnum++) {
        if (opnum != 0 && opnum != 5 && opnum != 29) {
            CU_ASSERT_EQUAL(spooler_bench_call(&bench, opnum), RPC_FAULT_OPNUM);
        }
    }
    spooler_bench_close(&bench);
}

/* An announcement that is cut short is a fault at every byte, and never taken. */
static void cut_arguments_are_faults(void)
{
    struct announcement says = {"\\\\S\\P", "words", "more"};
    struct spooler_bench bench;
    spooler_bench_open(&bench);
    spoolss_push_announcement(&bench.arguments, "\\\\" BENCH_SERVER, &says);
    size_t size = bench.arguments.size;
    for (size_t left = 0; left < size; left++) {
        ndr_push_clear(&bench.arguments);
        spoolss_push_announcement(&bench.arguments, "\\\\" BENCH_SERVER, &says);
        bench.arguments.size = left;
        CU_ASSERT_EQUAL(spooler_bench_call(&bench, SPOOLSS_ADD_PRINTER), RPC_FAULT_BAD_STUB_DATA);
    }
    CU_ASSERT_EQUAL(bench.spoolss.cache.count, 0);
    spooler_bench_close(&bench);
}

static const struct test_case cases[] = {
    {"an announcement is listed", an_announcement_is_listed},
    {"it is forgotten after the period", it_is_forgotten_after_the_period},
    {"nothing old is listed before the timer comes", nothing_old_is_listed_before_the_timer_comes},
    {"a full list is told once a period", a_full_list_is_told_once_a_period},
    {"a short period does not fill the log", a_short_period_does_not_fill_the_log},
    {"all that is taken can be listed", all_that_is_taken_can_be_listed},
    {"an own printer is not taken for another's", an_own_printer_is_not_taken_for_anothers},
    {"bad announcements are refused", bad_announcements_are_refused},
    {"other levels are refused", other_levels_are_refused},
    {"no handle can be closed", no_handle_can_be_closed},
    {"other calls are refused", other_calls_are_refused},
    {"cut arguments are faults", cut_arguments_are_faults},
    {NULL, NULL},
};

const struct test_suite suite_spoolss = {"spoolss", cases};
