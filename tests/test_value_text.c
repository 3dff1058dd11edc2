/*
 * test_value_text.c - data in reg.exe's notation, parsed and printed.
 */
#include "harness.h"
#include "../regstore/value.h"

#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])
/* Bytes and their number, of a string literal. */
#define BYTES(literal) literal, sizeof(literal) - 1

/* ---- Data parsed ---- */

struct parse_row {
    uint32_t type;
    const char *text;
    const char *separator;
    const char *data;
    size_t size;
};

static void check_parse(const struct parse_row *row)
{
    rs_error error = RS_ERROR_INIT;
    void *data = NULL;
    size_t size = 999;

    CU_ASSERT_EQUAL_FATAL(
        rs_data_parse(row->type, row->text, RS_NTS, row->separator, &data, &size, &error), RS_OK);
    CU_ASSERT_EQUAL(error.status, RS_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(data);
    CU_ASSERT_EQUAL(size, row->size);
    CU_ASSERT_TRUE(size == row->size && memcmp(data, row->data, size) == 0);
    free(data);
}

/* As reg.exe stores it: the recorded runs, and the limits. */
static void test_data_parse(void)
{
    static const struct parse_row rows[] = {
        {REG_SZ, "", NULL, BYTES("\0\0")},
        {REG_SZ, "a\\0b", NULL, BYTES("a\0\\\0000\0b\0\0\0")},
        {REG_EXPAND_SZ, "%P%", NULL, BYTES("%\0P\0%\0\0\0")},
        {REG_NONE, "", NULL, BYTES("\0\0")},
        {REG_NONE, "de", NULL, BYTES("d\0e\0\0\0")},
        {REG_LINK, "\\R", NULL, BYTES("\\\0R\0")},
        {REG_LINK, "", NULL, BYTES("")},
        {REG_DWORD, "12345678", NULL, BYTES("\x4e\x61\xbc\0")},
        {REG_DWORD, "0123", NULL, BYTES("\x7b\0\0\0")},
        {REG_DWORD, "0xdeadbeef", NULL, BYTES("\xef\xbe\xad\xde")},
        {REG_DWORD, "0X123", NULL, BYTES("\x23\x01\0\0")},
        {REG_DWORD, "0", NULL, BYTES("\0\0\0\0")},
        {REG_DWORD, "4294967295", NULL, BYTES("\xff\xff\xff\xff")},
        {REG_DWORD, "0x00000000ffffffff", NULL, BYTES("\xff\xff\xff\xff")},
        {REG_DWORD_BIG_ENDIAN, "456", NULL, BYTES("\xc8\x01\0\0")},
        {REG_DWORD_BIG_ENDIAN, "0x456", NULL, BYTES("\x56\x04\0\0")},
        {REG_QWORD, "", NULL, BYTES("\0\0\0\0\0\0\0\0")},
        {REG_QWORD, "-1", NULL, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff")},
        {REG_QWORD, "-9223372036854775808", NULL, BYTES("\0\0\0\0\0\0\0\x80")},
        {REG_QWORD, "0123", NULL, BYTES("\x7b\0\0\0\0\0\0\0")},
        {REG_QWORD, "0x123456789abcdef", NULL, BYTES("\xef\xcd\xab\x89\x67\x45\x23\x01")},
        {REG_QWORD, "18446744073709551615", NULL, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff")},
        {REG_BINARY, "", NULL, BYTES("")},
        {REG_BINARY, "deadBEEF", NULL, BYTES("\xde\xad\xbe\xef")},
        {REG_BINARY, "DeAdBeEf0DD", NULL, BYTES("\x0d\xea\xdb\xee\xf0\xdd")},
        {REG_BINARY, "7", NULL, BYTES("\x07")},
        {REG_RESOURCE_LIST, "00ff", NULL, BYTES("\0\xff")},
        {0x20000, "01", NULL, BYTES("\x01")},
        {REG_MULTI_SZ, "", NULL, BYTES("\0\0")},
        {REG_MULTI_SZ, "", "#", BYTES("\0\0")},
        {REG_MULTI_SZ, "a\\0bc", NULL, BYTES("a\0\0\0b\0c\0\0\0\0\0")},
        {REG_MULTI_SZ, "a\\0bc", "\\0", BYTES("a\0\0\0b\0c\0\0\0\0\0")},
        {REG_MULTI_SZ, "a\\bc", "\\", BYTES("a\0\0\0b\0c\0\0\0\0\0")},
        {REG_MULTI_SZ, "a#bc", "#", BYTES("a\0\0\0b\0c\0\0\0\0\0")},
        {REG_MULTI_SZ, "abc", "#", BYTES("a\0b\0c\0\0\0\0\0")},
        {REG_MULTI_SZ, "a#", "#", BYTES("a\0\0\0\0\0")},
        {REG_MULTI_SZ, "a\\0", NULL, BYTES("a\0\0\0\0\0")},
        {REG_MULTI_SZ, "#", "#", BYTES("\0\0\0\0")},
        {REG_MULTI_SZ, "\\0", NULL, BYTES("\0\0\0\0")},
        {REG_MULTI_SZ, "a\\0#b", "#", BYTES("a\0\\\0000\0\0\0b\0\0\0\0\0")},
        {REG_MULTI_SZ, "a\\0\\0b", "#", BYTES("a\0\\\0000\0\\\0000\0b\0\0\0\0\0")},
        {REG_MULTI_SZ, "a\xc3\xa9z", "\xc3\xa9", BYTES("a\0\0\0z\0\0\0\0\0")},
        {REG_MULTI_SZ, "a\xf0\x9f\x98\x80z", "\xf0\x9f\x98\x80", BYTES("a\0\0\0z\0\0\0\0\0")},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        check_parse(&rows[i]);
    }
}

static void test_data_parse_takes_a_length(void)
{
    void *data = NULL;
    size_t size = 0;

    CU_ASSERT_EQUAL(rs_data_parse(REG_SZ, "a\0bc", 3, NULL, &data, &size, NULL), RS_OK);
    CU_ASSERT_EQUAL_FATAL(size, 8);
    CU_ASSERT_EQUAL(memcmp(data, "a\0\0\0b\0\0", 8), 0);
    free(data);
    CU_ASSERT_EQUAL(rs_data_parse(REG_DWORD, "123", 2, NULL, &data, &size, NULL), RS_OK);
    CU_ASSERT_EQUAL(((unsigned char *)data)[0], 12);
    free(data);
    CU_ASSERT_EQUAL(rs_data_parse(REG_BINARY, NULL, RS_NTS, NULL, &data, &size, NULL), RS_OK);
    CU_ASSERT_EQUAL(size, 0);
    free(data);
}

/* The message of the refusal is compared unless it is NULL. */
static void check_refused(uint32_t type, const char *text, const char *separator,
                          const char *message)
{
    rs_error error = RS_ERROR_INIT;
    void *data = NULL;
    size_t size = 999;

    CU_ASSERT_EQUAL(rs_data_parse(type, text, RS_NTS, separator, &data, &size, &error), RS_EDATA);
    CU_ASSERT_EQUAL(error.status, RS_EDATA);
    CU_ASSERT_PTR_NULL(data);
    CU_ASSERT_EQUAL(size, 999);
    CU_ASSERT_TRUE(strlen(error.text) > 0);
    if (message) {
        CU_ASSERT_STRING_EQUAL(error.text, message);
    }
}

static void test_data_parse_refusals(void)
{
    static const char *const dwords[] = {"",
                                         "-1",
                                         "-0x1",
                                         "+1",
                                         " 1",
                                         "1 ",
                                         "0x",
                                         "x1",
                                         "00x123",
                                         "0xabcdefg",
                                         "deadbeef",
                                         "zzz",
                                         "123xyz",
                                         "4294967296",
                                         "0x01ffffffff",
                                         "99999999999999999999999999999",
                                         "18446744073709551617"};
    static const char *const qwords[] = {"-0x1",
                                         "-",
                                         "--1",
                                         "+1",
                                         "-9223372036854775809",
                                         "123xyz",
                                         "00x123",
                                         "0x",
                                         "18446744073709551616",
                                         "0x01ffffffffffffffff"};
    static const char *const binaries[] = {"0xab", "x01", "01x", "0 1", " "};
    static const char *const lists[] = {"##", "#a", "a###", "two##strings"};
    static const char *const default_lists[] = {"\\0a", "two\\0\\0strings", "\\0\\0"};
    static const char *const separators[] = {"", "##", "\\0x", "\xff", "\xc3\xa9x"};

    for (size_t i = 0; i < ROWS(dwords); i++) {
        check_refused(REG_DWORD, dwords[i], NULL, NULL);
        check_refused(REG_DWORD_BIG_ENDIAN, dwords[i], NULL, NULL);
    }
    for (size_t i = 0; i < ROWS(qwords); i++) {
        check_refused(REG_QWORD, qwords[i], NULL, NULL);
    }
    for (size_t i = 0; i < ROWS(binaries); i++) {
        check_refused(REG_BINARY, binaries[i], NULL, NULL);
        check_refused(0x20000, binaries[i], NULL, NULL);
    }
    for (size_t i = 0; i < ROWS(lists); i++) {
        check_refused(REG_MULTI_SZ, lists[i], "#", NULL);
    }
    for (size_t i = 0; i < ROWS(default_lists); i++) {
        check_refused(REG_MULTI_SZ, default_lists[i], NULL, NULL);
    }
    for (size_t i = 0; i < ROWS(separators); i++) {
        check_refused(REG_MULTI_SZ, "a", separators[i], NULL);
    }
}

static void test_refusals_tell_why(void)
{
    check_refused(REG_DWORD, "12abc", NULL,
                  "\"12abc\" is not a REG_DWORD: decimal digits or 0x and hexadecimal digits "
                  "expected");
    check_refused(REG_DWORD, "4294967296", NULL,
                  "\"4294967296\" does not fit a REG_DWORD: at most 4294967295 (0xffffffff)");
    check_refused(REG_BINARY, "0xab", NULL,
                  "\"0xab\" is not binary data: hexadecimal digits expected");
    check_refused(REG_MULTI_SZ, "a##b", "#", "\"a##b\" has an empty string between separators");
    check_refused(REG_MULTI_SZ, "a", "##", "\"##\" is not a separator: one character expected");
}

static void test_data_parse_other_errors(void)
{
    rs_error error = RS_ERROR_INIT;
    void *data = NULL;
    size_t size;
    char text[200];

    CU_ASSERT_EQUAL(rs_data_parse(REG_SZ, "a\xff", RS_NTS, NULL, &data, &size, &error), RS_ETEXT);
    CU_ASSERT_EQUAL(error.status, RS_ETEXT);
    CU_ASSERT_EQUAL(rs_data_parse(REG_MULTI_SZ, "a\\0\xff", RS_NTS, NULL, &data, &size, NULL),
                    RS_ETEXT);
    CU_ASSERT_EQUAL(rs_data_parse(REG_SZ, "a", RS_NTS, NULL, NULL, &size, NULL), RS_EINVAL);

    /* what is quoted is cut between characters: 59 letters, then two-byte ones */
    memset(text, 'x', 59);
    for (size_t i = 59; i + 2 < sizeof text; i += 2) {
        memcpy(text + i, "\xc3\xa9", 3);
    }
    error.status = RS_OK;
    CU_ASSERT_EQUAL(rs_data_parse(REG_BINARY, text, RS_NTS, NULL, &data, &size, &error), RS_EDATA);
    CU_ASSERT_EQUAL(memcmp(error.text + 1, text, 59), 0);
    CU_ASSERT_EQUAL(strncmp(error.text + 60, "...\" is not", 11), 0);
    CU_ASSERT_PTR_NULL(data);
}

/* ---- Data printed ---- */

static void test_data_print(void)
{
    static const struct {
        uint32_t type;
        const char *data;
        size_t size;
        const char *separator;
        const char *text;
    } rows[] = {
        {REG_SZ, BYTES("a\0b\0\0\0"), NULL, "ab"},
        {REG_SZ, BYTES("a\0b\0"), NULL, "ab"},
        {REG_SZ, BYTES("a\0b\0c"), NULL, "ab"},
        {REG_SZ, BYTES("a\0\0\0c\0"), NULL, "a"},
        {REG_SZ, BYTES(""), NULL, ""},
        {REG_EXPAND_SZ, BYTES("%\0P\0%\0\0\0"), NULL, "%P%"},
        {REG_LINK, BYTES("\\\0R\0"), NULL, "\\R"},
        {REG_NONE, BYTES("d\0\0\0"), NULL, "64000000"},
        {REG_BINARY, BYTES("\xde\xad\x0f"), NULL, "DEAD0F"},
        {REG_BINARY, BYTES(""), NULL, ""},
        {REG_DWORD, BYTES("\x23\x01\0\0"), NULL, "0x123"},
        {REG_DWORD, BYTES("\0\0\0\0"), NULL, "0x0"},
        {REG_DWORD, BYTES("\xef\xbe\xad\xde"), NULL, "0xdeadbeef"},
        {REG_DWORD, BYTES("\x23\x01\xab"), NULL, "2301AB"},
        {REG_DWORD, BYTES("\x23\x01\0\0\0"), NULL, "2301000000"},
        {REG_DWORD_BIG_ENDIAN, BYTES("\xc8\x01\0\0"), NULL, "0x1c8"},
        {REG_DWORD_BIG_ENDIAN, BYTES("\xc8\x01"), NULL, "C801"},
        {REG_QWORD, BYTES("\xef\xcd\xab\x89\x67\x45\x23\x01"), NULL, "0x123456789abcdef"},
        {REG_QWORD, BYTES("\x01\0\0\0"), NULL, "01000000"},
        {REG_MULTI_SZ, BYTES("a\0\0\0b\0\0\0\0\0"), NULL, "a\\0b"},
        {REG_MULTI_SZ, BYTES("a\0\0\0b\0\0\0\0\0"), "; ", "a; b"},
        {REG_MULTI_SZ, BYTES("a\0\0\0\0\0b\0\0\0\0\0"), "#", "a##b"},
        {REG_MULTI_SZ, BYTES("a\0\0\0b\0"), "#", "a#b"},
        {REG_MULTI_SZ, BYTES("\0\0"), "#", ""},
        {REG_MULTI_SZ, BYTES(""), "#", ""},
        {REG_RESOURCE_LIST, BYTES("\x01"), NULL, "01"},
        {0xffffffff, BYTES("\x01\xab"), NULL, "01AB"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        char *text = NULL;
        size_t len = 999;

        CU_ASSERT_EQUAL_FATAL(
            rs_data_print(rows[i].type, rows[i].data, rows[i].size, rows[i].separator, &text, &len),
            RS_OK);
        CU_ASSERT_STRING_EQUAL(text, rows[i].text);
        CU_ASSERT_EQUAL(len, strlen(rows[i].text));
        free(text);
    }
}

/* Numbers and binary data that were printed mean the same bytes when they are parsed. */
static void test_print_and_parse_agree(void)
{
    static const uint32_t types[] = {REG_BINARY, REG_DWORD, REG_DWORD_BIG_ENDIAN, REG_QWORD, 77};
    static const char bytes[] = "\xfe\x01\x80\x7f\x10\0\0\x9a";

    for (size_t i = 0; i < ROWS(types); i++) {
        const size_t size = types[i] == REG_DWORD || types[i] == REG_DWORD_BIG_ENDIAN ? 4 : 8;
        char *text = NULL;
        void *data = NULL;
        size_t len = 0, parsed = 0;

        CU_ASSERT_EQUAL(rs_data_print(types[i], bytes, size, NULL, &text, &len), RS_OK);
        CU_ASSERT_EQUAL(rs_data_parse(types[i], text, len, NULL, &data, &parsed, NULL), RS_OK);
        CU_ASSERT_EQUAL_FATAL(parsed, size);
        CU_ASSERT_EQUAL(memcmp(data, bytes, size), 0);
        free(text);
        free(data);
    }
}

static void test_data_print_arguments(void)
{
    char *text = NULL;
    size_t len = 7;
    CU_ASSERT_EQUAL(rs_data_print(REG_SZ, NULL, 2, NULL, &text, &len), RS_EINVAL);
    CU_ASSERT_EQUAL(rs_data_print(REG_SZ, "", 0, NULL, NULL, &len), RS_EINVAL);
    CU_ASSERT_EQUAL(rs_data_print(REG_SZ, "", 0, NULL, &text, NULL), RS_EINVAL);
    CU_ASSERT(text == NULL && len == 7);
    CU_ASSERT_EQUAL(rs_data_print(REG_SZ, NULL, 0, NULL, &text, &len), RS_OK);
    CU_ASSERT_EQUAL(len, 0);
    rs_free(text);
}

static const struct test_case cases[] = {
    {"data parsed as reg.exe does", test_data_parse},
    {"data parsed up to a length", test_data_parse_takes_a_length},
    {"data that is refused", test_data_parse_refusals},
    {"refusals tell why", test_refusals_tell_why},
    {"other errors of parsing", test_data_parse_other_errors},
    {"data printed", test_data_print},
    {"printing and parsing agree", test_print_and_parse_agree},
    {"arguments of printing", test_data_print_arguments},
    {NULL, NULL},
};

const struct test_suite suite_value_text = {"value_text", cases};
