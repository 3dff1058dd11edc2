/*
 * test_status.c - the status table and the errors made for a person.
 */
#include "harness.h"
#include "../regstore/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void test_every_status_has_name_and_text(void)
{
#define CHECK_ROW(name, number, text)                                                              \
    CU_ASSERT_STRING_EQUAL(rs_strerror(number), text);                                             \
    CU_ASSERT_PTR_NOT_NULL_FATAL(rs_status_name(number));                                          \
    CU_ASSERT_STRING_EQUAL(rs_status_name(number), #name);
    RS_STATUS_LIST(CHECK_ROW)
#undef CHECK_ROW
}

static void test_other_numbers_are_none(void)
{
#define COUNT_ROW(name, number, text) +1
    enum { STATUSES = 0 RS_STATUS_LIST(COUNT_ROW) };
#undef COUNT_ROW
    static const int none[] = {1, -1000, -STATUSES, 0x7fffffff, -0x7fffffff - 1};

    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        CU_ASSERT_PTR_NULL(rs_status_name(none[i]));
        CU_ASSERT_STRING_EQUAL(rs_strerror(none[i]), "unknown status");
    }
}

static void test_errno_table(void)
{
    static const struct {
        int number;
        int status;
    } rows[] = {
        {EACCES, RS_EACCESS}, {EPERM, RS_EACCESS},   {ENOSPC, RS_EDISK}, {EDQUOT, RS_EDISK},
        {ENOMEM, RS_ENOMEM},  {EROFS, RS_EREADONLY}, {ENOENT, RS_EIO},   {EIO, RS_EIO},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT_EQUAL(status_of_errno(rows[i].number), rows[i].status);
    }
}

static void test_fail_fills_and_returns(void)
{
    rs_error error = RS_ERROR_INIT;

    CU_ASSERT_EQUAL(fail(&error, RS_EPATH, "key \"%s\", line %d", "HKLM", 7), RS_EPATH);
    CU_ASSERT_EQUAL(error.status, RS_EPATH);
    CU_ASSERT_STRING_EQUAL(error.text, "key \"HKLM\", line 7");
}

static void test_first_error_wins(void)
{
    rs_error error = RS_ERROR_INIT;

    (void)fail(&error, RS_EPATH, "first");
    CU_ASSERT_EQUAL(fail(&error, RS_EDATA, "second"), RS_EDATA);
    errno = EACCES;
    CU_ASSERT_EQUAL(fail_errno(&error, "third"), RS_EACCESS);
    CU_ASSERT_EQUAL(error.status, RS_EPATH);
    CU_ASSERT_STRING_EQUAL(error.text, "first");
}

static void test_no_error_wanted(void)
{
    errno = ENOSPC;
    CU_ASSERT_EQUAL(fail_errno(NULL, "%s", "x"), RS_EDISK);
    CU_ASSERT_EQUAL(fail(NULL, RS_EDATA, "%s", "x"), RS_EDATA);
}

static void test_errno_text_is_appended(void)
{
    rs_error error = RS_ERROR_INIT;
    char expected[256];

    errno = EACCES;
    CU_ASSERT_EQUAL(fail_errno(&error, "cannot open %s", "/x"), RS_EACCESS);
    CU_ASSERT_EQUAL(error.status, RS_EACCESS);
    snprintf(expected, sizeof expected, "cannot open /x: %s", strerror(EACCES));
    CU_ASSERT_STRING_EQUAL(error.text, expected);
}

static void test_text_is_made_harmless(void)
{
    static const struct {
        const char *raw;
        const char *shown;
    } rows[] = {
        {"plain ~ text", "plain ~ text"},
        {"", ""},
        {"a\nb\r\tc", "a\\x0ab\\x0d\\x09c"},
        {"\x1b[31m", "\\x1b[31m"},
        {"del\x7f", "del\\x7f"},
        {"\xc2\x80 \xc2\x9f \xc2\xa0", "\\xc2\\x80 \\xc2\\x9f \xc2\xa0"},
        {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\x80 \xff", "\\x80 \\xff"},                             /* no first bytes */
        {"\xc1\xbf", "\\xc1\\xbf"},                               /* overlong */
        {"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf"},                      /* overlong */
        {"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"},             /* overlong */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},                      /* a lone surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},             /* above U+10FFFF */
        {"\xe2\x82", "\\xe2\\x82"},                               /* cut short */
        {"\xf0\x9f\x98x", "\\xf0\\x9f\\x98x"},                    /* cut short */
        {"\xed\x80\x80\xed\x9f\xbf", "\xed\x80\x80\xed\x9f\xbf"}, /* beside the surrogates */
        {"\xee\x80\x80\xf4\x8f\xbf\xbf", "\xee\x80\x80\xf4\x8f\xbf\xbf"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rs_error error = RS_ERROR_INIT;

        (void)fail(&error, RS_EDATA, "%s", rows[i].raw);
        CU_ASSERT_STRING_EQUAL(error.text, rows[i].shown);
    }
}

/* A text of length bytes made of copies of piece, behind shift letters. */
static void fill(char *text, size_t length, size_t shift, const char *piece)
{
    const size_t step = strlen(piece);
    size_t at = shift;

    memset(text, 'x', length);
    for (; at + step <= length; at += step) {
        memcpy(text + at, piece, step);
    }
    text[at] = '\0';
}

static void test_long_text_is_cut_between_characters(void)
{
    char raw[3 * RS_ERROR_TEXT_MAX];

    for (size_t shift = 0; shift < 4; shift++) {
        rs_error error = RS_ERROR_INIT;
        size_t length;

        fill(raw, sizeof raw - 1, shift, "\xf0\x9f\x98\x80");
        (void)fail(&error, RS_EDATA, "%s", raw);
        length = strlen(error.text);
        CU_ASSERT_TRUE(length < RS_ERROR_TEXT_MAX && length >= RS_ERROR_TEXT_MAX - 7);
        CU_ASSERT_STRING_EQUAL(error.text + length - 3, "...");
        CU_ASSERT_EQUAL((length - 3 - shift) % 4, 0);
        CU_ASSERT_EQUAL(memcmp(error.text, raw, length - 3), 0);
    }
}

static void test_escapes_are_not_cut(void)
{
    char raw[RS_ERROR_TEXT_MAX];
    rs_error error = RS_ERROR_INIT;
    size_t length;

    fill(raw, sizeof raw - 1, 1, "\n");
    (void)fail(&error, RS_EDATA, "%s", raw);
    length = strlen(error.text);
    CU_ASSERT_STRING_EQUAL(error.text + length - 7, "\\x0a...");
}

static void test_longest_text_is_whole(void)
{
    char raw[RS_ERROR_TEXT_MAX + 1];
    rs_error error = RS_ERROR_INIT;

    fill(raw, RS_ERROR_TEXT_MAX - 1, 0, "y");
    (void)fail(&error, RS_EDATA, "%s", raw);
    CU_ASSERT_STRING_EQUAL(error.text, raw);

    error.status = RS_OK;
    fill(raw, RS_ERROR_TEXT_MAX, 0, "y");
    (void)fail(&error, RS_EDATA, "%s", raw);
    CU_ASSERT_EQUAL(strlen(error.text), RS_ERROR_TEXT_MAX - 1);
    CU_ASSERT_STRING_EQUAL(error.text + RS_ERROR_TEXT_MAX - 5, "y...");
}

static const struct test_case cases[] = {
    {"every status has a name and a text", test_every_status_has_name_and_text},
    {"other numbers are no statuses", test_other_numbers_are_none},
    {"errno to status", test_errno_table},
    {"fail() fills and returns", test_fail_fills_and_returns},
    {"the first error wins", test_first_error_wins},
    {"no error wanted", test_no_error_wanted},
    {"errno's text is appended", test_errno_text_is_appended},
    {"control characters and bad bytes are escaped", test_text_is_made_harmless},
    {"a long text is cut between characters", test_long_text_is_cut_between_characters},
    {"an escape is not cut", test_escapes_are_not_cut},
    {"the longest text is whole", test_longest_text_is_whole},
    {NULL, NULL},
};

const struct test_suite suite_status = {"status", cases};
