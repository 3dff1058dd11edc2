/* test_control_file - control files of real clients, and such as lie. */
#include "harness.h"

#include "../services/lpdsvc/control_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads one in memory of its own; gives NULL or the reason, which lives until the next call. */
static const char *read_bytes(const char *bytes, size_t size, struct control_file *control)
{
    static struct line problem;
    uint8_t *copy = malloc(size > 0 ? size : 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, bytes, size);
    problem = (struct line)LINE_INIT;
    bool good = control_file_read(copy, size, control, &problem);
    free(copy);
    CU_ASSERT_EQUAL(good, problem.length == 0);
    return good ? NULL : problem.text;
}

static const char *read_text(const char *text, struct control_file *control)
{
    return read_bytes(text, strlen(text), control);
}

static void expect_problem(const char *text, const char *expected)
{
    struct control_file control;
    const char *problem = read_text(text, &control);
    CU_ASSERT_PTR_NOT_NULL_FATAL(problem);
    CU_ASSERT_STRING_EQUAL(problem, expected);
}

/* ---- Clients --------------------------------------------------------------------------------- */

static void what_cups_sends_is_read(void)
{
    struct control_file control;
    CU_ASSERT_PTR_NULL(
        read_text("Hclient\nPjoe\nJletter\nldfA042client\nUdfA042client\nNletter.txt\n", &control));
    CU_ASSERT_STRING_EQUAL(control.host, "client");
    CU_ASSERT_STRING_EQUAL(control.user, "joe");
    CU_ASSERT_STRING_EQUAL(control.title, "letter");
    CU_ASSERT_EQUAL_FATAL(control.count, 1);
    CU_ASSERT_STRING_EQUAL(control.prints[0].file, "dfA042client");
    CU_ASSERT_STRING_EQUAL(control.prints[0].title, "letter.txt");
    CU_ASSERT_EQUAL(control.prints[0].format, 'l');
    CU_ASSERT_EQUAL(control.prints[0].copies, 1);
}

static void every_line_of_the_rfc_is_known(void)
{
    struct control_file control;
    CU_ASSERT_PTR_NULL(read_text("Cclass\r\nHh\r\nI4\r\nJj\r\nLjoe\r\nMjoe\r\nPp\r\nS1 2\r\nTt\r\n"
                                 "W132\r\n1R\r\n2I\r\n3B\r\n4S\r\nZopt\r\n\r\npdfA001h\r\n",
                                 &control));
    CU_ASSERT_STRING_EQUAL(control.title, "j");
    CU_ASSERT_STRING_EQUAL(control.prints[0].file, "dfA001h");
    CU_ASSERT_EQUAL(control.prints[0].format, 'p');
    for (const char *letter = "cdfgklnoprtv"; *letter != '\0'; letter++) {
        char text[32];
        snprintf(text, sizeof(text), "%cdfA001h", *letter);
        CU_ASSERT_PTR_NULL(read_text(text, &control));
        CU_ASSERT_EQUAL(control.prints[0].format, *letter);
    }
}

static void copies_are_lines_that_come_again(void)
{
    struct control_file control;
    CU_ASSERT_PTR_NULL(read_text("fdfB001h\nfdfA001h\nfdfB001h\nfdfB001h\n", &control));
    CU_ASSERT_EQUAL_FATAL(control.count, 2);
    CU_ASSERT_STRING_EQUAL(control.prints[0].file, "dfB001h");
    CU_ASSERT_EQUAL(control.prints[0].copies, 3);
    CU_ASSERT_EQUAL(control.prints[1].copies, 1);
    CU_ASSERT_EQUAL(control_file_find(&control, "dfA001h"), 1);
    CU_ASSERT_EQUAL(control_file_find(&control, "dfA001H"), -1);
}

static void titles_stand_before_or_behind(void)
{
    struct control_file control;
    CU_ASSERT_PTR_NULL(read_text("fdfA1h\nN1\nfdfB1h\nN2\nfdfC1h\n", &control));
    CU_ASSERT_STRING_EQUAL(control.prints[0].title, "1");
    CU_ASSERT_STRING_EQUAL(control.prints[1].title, "2");
    CU_ASSERT_STRING_EQUAL(control.prints[2].title, "");
    CU_ASSERT_STRING_EQUAL(control.title, "1");
    CU_ASSERT_PTR_NULL(read_text("N1\nfdfA1h\nN2\nfdfB1h\n", &control));
    CU_ASSERT_STRING_EQUAL(control.prints[0].title, "1");
    CU_ASSERT_STRING_EQUAL(control.prints[1].title, "2");
}

/* ---- Lies ------------------------------------------------------------------------------------ */

static void names_that_lie_are_refused(void)
{
    expect_problem("f/etc/passwd", "it names \"/etc/passwd\", a file's name that does not begin as "
                                   "cfA or dfA");
    expect_problem("fdfA001/../x", "it names \"dfA001/../x\", a file's name with \"/\"");
    expect_problem("fdfA001..", "it names \"dfA001..\", a file's name with \"..\"");
    expect_problem("f", "it names \"\", a file's name that does not begin as cfA or dfA");
    expect_problem("fcfA001h", "it prints a control file");
    expect_problem("fdfA001h\nU/etc/passwd",
                   "it names \"/etc/passwd\", a file's name that does not begin as cfA or dfA");
    char name[400];
    memset(name, 'h', sizeof(name) - 1);
    memcpy(name, "fdfA001", 7);
    name[sizeof(name) - 1] = '\0';
    expect_problem(name, "it names a file whose name is too long");
}

static void what_prints_nothing_is_refused(void)
{
    expect_problem("", "it names no file to print");
    expect_problem("Hh\nPp\nUdfA001h\n\n\n", "it names no file to print");
    expect_problem("zdfA001h", "it asks for a format that RFC 1179 does not know");
    expect_problem("fdfA001h\nldfA001h", "it prints a file in two formats");
}

static void lines_have_limits(void)
{
    static char text[65536];
    struct control_file control;
    memset(text, 'J', sizeof(text));
    memcpy(text, "fdfA1h\n", 7);
    CU_ASSERT_STRING_EQUAL(read_bytes(text, sizeof(text), &control), "a line in it is too long");
    CU_ASSERT_PTR_NULL(read_bytes(text, 7 + CONTROL_LINE_MAX, &control));
    CU_ASSERT_EQUAL(strlen(control.title), JOB_TEXT - 1);
    CU_ASSERT_STRING_EQUAL(read_bytes(text, 7 + CONTROL_LINE_MAX + 1, &control),
                           "a line in it is too long");
    CU_ASSERT_STRING_EQUAL(read_bytes("Hh\0\nfdfA1h", 10, &control), "it holds a byte of zero");
}

static void counts_have_limits(void)
{
    static char text[65536];
    struct control_file control;
    size_t length = 0;
    for (unsigned i = 0; i <= JOB_DOCUMENTS; i++) {
        CU_ASSERT_PTR_NULL(i > 0 ? read_text(text, &control) : NULL);
        length += (size_t)snprintf(text + length, sizeof(text) - length, "fdfA%03uh\n", i);
    }
    expect_problem(text, "it names too many files");
    length = 0;
    for (unsigned i = 0; i <= JOB_COPIES; i++) {
        CU_ASSERT_PTR_NULL(i > 0 ? read_text(text, &control) : NULL);
        length += (size_t)snprintf(text + length, sizeof(text) - length, "fdfA1h\n");
    }
    CU_ASSERT_EQUAL(control.prints[0].copies, JOB_COPIES);
    expect_problem(text, "it asks for too many copies");
}

/* ---- Text ------------------------------------------------------------------------------------ */

static void expect_clean(const char *bytes, const char *expected)
{
    char text[32];
    control_file_clean((const uint8_t *)bytes, strlen(bytes), text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, expected);
}

static void texts_become_utf8(void)
{
    expect_clean("Grün €\xf0\x9f\x96\xa8", "Grün €\xf0\x9f\x96\xa8");
    expect_clean("Gr\xfcn", "Gr\xef\xbf\xbdn");
    expect_clean("\x1b[31mred\x7f\t\x01", "[31mred");
    expect_clean("a\xc2\x9b"
                 "31m",
                 "a31m");
    expect_clean("a\u202eb\u2066c\u200ed\ufeffe\U000e0041f", "abcdef");
    expect_clean("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    expect_clean("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");
    expect_clean("\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    expect_clean("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    expect_clean("\xf5", "\xef\xbf\xbd");
    expect_clean("x\xe2\x82", "x\xef\xbf\xbd\xef\xbf\xbd");
}

static void a_character_is_not_cut(void)
{
    char text[5];
    control_file_clean((const uint8_t *)"ab€", 5, text, 5);
    CU_ASSERT_STRING_EQUAL(text, "ab");
    control_file_clean((const uint8_t *)"a€", 4, text, 5);
    CU_ASSERT_STRING_EQUAL(text, "a€");
    control_file_clean((const uint8_t *)"ab\xff", 3, text, 5);
    CU_ASSERT_STRING_EQUAL(text, "ab");
    control_file_clean((const uint8_t *)"abcdef", 6, text, 1);
    CU_ASSERT_STRING_EQUAL(text, "");
}

static const struct test_case cases[] = {
    {"what CUPS sends is read", what_cups_sends_is_read},
    {"every line of the RFC is known", every_line_of_the_rfc_is_known},
    {"copies are lines that come again", copies_are_lines_that_come_again},
    {"titles stand before or behind", titles_stand_before_or_behind},
    {"names that lie are refused", names_that_lie_are_refused},
    {"what prints nothing is refused", what_prints_nothing_is_refused},
    {"lines have limits", lines_have_limits},
    {"counts have limits", counts_have_limits},
    {"texts become UTF-8", texts_become_utf8},
    {"a character is not cut", a_character_is_not_cut},
    {NULL, NULL}};

const struct test_suite suite_control_file = {"control_file", cases};
