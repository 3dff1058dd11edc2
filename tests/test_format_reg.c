/*
 * test_format_reg.c - .reg files as events: lines and what they mean, encodings, what is left out
 * and what is refused.
 */
#include "harness.h"
#include "recorder.h"
#include "transfer_helpers.h"
#include "../regstore/format_reg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])
#define FIVE REG_HEADER "\n"
#define FOUR "REGEDIT4\n"
#define KEY "[HKEY_USERS\\k]\n"
#define OPEN "key HKEY_USERS\\k absolute\n"
#define END "end\n"

struct meaning {
    const char *file;
    const char *events;
};

static void check_bytes(const void *file, size_t size, const char *events)
{
    rs_error error = RS_ERROR_INIT;
    char *got = events_as(&format_reg, file, size, &error);

    CU_ASSERT_STRING_EQUAL(error.text, "");
    CU_ASSERT_STRING_EQUAL(got, events);
    if (strcmp(got, events) != 0) {
        printf("\n%.*s\nis\n%s", (int)size, (const char *)file, got);
    }
    free(got);
}

static void check_meanings(const struct meaning *meanings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_bytes(meanings[i].file, strlen(meanings[i].file), meanings[i].events);
    }
}

/* ---- Keys ---- */

static const struct meaning keys[] = {
    {FIVE, ""},
    {FIVE KEY, OPEN END},
    {FIVE "  \t[hkey_users\\K] x]] ;y\n", "key hkey_users\\K]%20x] absolute\nend\n"},
    {FIVE "[HKEY_USERS]\n[HKEY_REGSTORE\\a\\]", "key HKEY_USERS absolute\nend\n"
                                                "key HKEY_REGSTORE\\a absolute\nend\n"},
    {FIVE "[HKEY_USERS\\\\a\\\\\\b c\\\\]\n", "key HKEY_USERS\\a\\b%20c absolute\nend\n"},
    {FIVE "[HKEY_CLASSES_ROOT\\a/b \t]\n", "key HKEY_CLASSES_ROOT\\a/b%20%09 absolute\nend\n"},
    {FIVE "[-HKEY_USERS\\k]\n\"v\"=dword:1\n",
     "delete-key HKEY_USERS\\k absolute\nloss 6 line%203:%20\"v\"=dword:1\n"},
    {FIVE "[-HKEY_USERS]\n", "loss 6 line%202:%20[-HKEY_USERS]\n"},
    {FIVE "[- HKEY_USERS\\k]\n", "loss 6 line%202:%20[-%20HKEY_USERS\\k]\n"},
    {FIVE "[ HKEY_USERS\\k]\n", "loss 6 line%202:%20[%20HKEY_USERS\\k]\n"},
    {FIVE "[HKLM\\k]\n", "loss 6 line%202:%20[HKLM\\k]\n"},
    {FIVE "[HKEY_USERSX\\k]\n", "loss 6 line%202:%20[HKEY_USERSX\\k]\n"},
    {FIVE "[]\n", "loss 6 line%202:%20[]\n"},
    /* After a key's line that cannot be read nothing lands in the key before. */
    {FIVE KEY "[HKEY_USERS\\l\n\"v\"=dword:1\n",
     OPEN END "loss 6 line%203:%20[HKEY_USERS\\l\nloss 6 line%204:%20\"v\"=dword:1\n"},
    {FIVE "\"v\"=dword:1\n@=\"\"\n",
     "loss 6 line%202:%20\"v\"=dword:1\nloss 6 line%203:%20@=\"\"\n"},
    {FIVE "[*HKEY_USERS\\a%0Ab%00%25]\n", "key HKEY_USERS\\a%0Ab%00%25 absolute\nend\n"},
    {FIVE "[*HKEY_USERS\\a%0]\n", "loss 6 line%202:%20[*HKEY_USERS\\a%250]\n"},
    {FIVE "[*HKEY_USERS\\a%zz]\n", "loss 6 line%202:%20[*HKEY_USERS\\a%25zz]\n"},
};

static void test_keys(void)
{
    check_meanings(keys, ROWS(keys));
}

/* ---- Values ---- */

/* A line in a key, and its event; NULL: it is left out. */
static const struct meaning values[] = {
    {"\"v\"=\"\"", "value v type=1 size=2 0000"},
    {"\"v\"=\"a\\\\b\\\"\\n\\r\\q\"", "value v type=1 size=16 61005c00620022000a000d0071000000"},
    {" \t\"v w\" \t= \t\"x\" \t", "value v%20w type=1 size=4 78000000"},
    {"\"v\"=\"x\" ;c", "value v type=1 size=4 78000000"},
    {"\"v\"=\"x\";exact", "value v type=1 size=2 7800"},
    {"\"v\"=\";exact\"", "value v type=1 size=14 3b00650078006100630074000000"},
    {"\"v\"=\"x\" #c", NULL},
    {"\"v\"=\"x", NULL},
    {"\"v\"=\"x\\", NULL},
    {"\"v\"=\"x\"y\"", NULL},
    {"\"v\"=\"\\0\"", NULL},
    {"\"v\"=\"\\0\";exact", NULL},
    {"\"v=\"x\"", NULL},
    {"v\"=\"x\"", NULL},
    {"\"v\"", NULL},
    {"\"v\"=", NULL},
    {"\"v\"x=\"y\"", NULL},
    {"@=\"x\"", "value  type=1 size=4 78000000"},
    {"\"\"=\"x\"", "value  type=1 size=4 78000000"},
    {"@ x=\"x\"", NULL},
    {"\"\\n\\r\\\\\\\"\"=dword:1", "value %0A%0D\\\" type=4 size=4 01000000"},
    {"\"a\\0b\"=dword:1", NULL},
    {"\"a\\0b\"=dword:1;exact", "value a%00b type=4 size=4 01000000"},
    {"\"a\\0b\"=-", NULL},
    {"\"a\\0b\"=-;exact", "delete-value a%00b"},
    {"\"v\"=dword:FfffFFFE", "value v type=4 size=4 feffffff"},
    {"\"v\"=dword: \t12 ;c", "value v type=4 size=4 12000000"},
    {"\"v\"=dword:", NULL},
    {"\"v\"=dword:012345678", NULL},
    {"\"v\"=dword:0x1", NULL},
    {"\"v\"=dword:1 2", NULL},
    {"\"v\"=DWORD:1", NULL},
    {"\"v\"=qword:1", NULL},
    {"\"v\"=-", "delete-value v"},
    {"@=\t- ;c", "delete-value "},
    {"\"v\"=-1", NULL},
    {"\"v\"=hex:", "value v type=3 size=0 "},
    {"\"v\"=hex: ;c", "value v type=3 size=0 "},
    {"\"v\"=hex:1, 02,aB ,", NULL},
    {"\"v\"=hex:1, 02,aB,", "value v type=3 size=3 0102ab"},
    {"\"v\"=hex:01,02 ;c", "value v type=3 size=2 0102"},
    {"\"v\"=hex:100", NULL},
    {"\"v\"=hex:0x1", NULL},
    {"\"v\"=hex:,1", NULL},
    {"\"v\"=hex:1,,2", NULL},
    {"\"v\"=hex:1\\", NULL},
    {"\"v\"=hex:1,\\2", NULL},
    {"\"v\"=hex:g", NULL},
    {"\"v\"=hex(3):01", "value v type=3 size=1 01"},
    {"\"v\"=hex(FFFFFFFF):01", "value v type=4294967295 size=1 01"},
    {"\"v\"=hex(100000000):01", NULL},
    {"\"v\"=hex():01", NULL},
    {"\"v\"=hex(-1):01", NULL},
    {"\"v\"=hex(2)01", NULL},
    {"\"v\"=hex(4):01,02", "value v type=4 size=2 0102"},
    {"\"v\"=hex(1):", "value v type=1 size=0 "},
    {"\"v\"=hex(1):61,00", "value v type=1 size=4 61000000"},
    {"\"v\"=hex(1):61,00;exact", "value v type=1 size=2 6100"},
    {"\"v\"=hex(1):61,00;exactly", "value v type=1 size=4 61000000"},
    {"\"v\"=hex(2):61", "value v type=2 size=4 61000000"},
    {"\"v\"=hex(7):61,00,00", "value v type=7 size=4 61000000"},
    {"\"v\"=hex(7):00,00,61", "value v type=7 size=3 000061"},
    {"\"v\"=hex(6):61,00", "value v type=6 size=2 6100"},
    {"x", NULL},
    {"=\"x\"", NULL},
};

static void test_values(void)
{
    for (size_t i = 0; i < ROWS(values); i++) {
        struct buffer file = BUFFER_INIT;
        struct buffer events = BUFFER_INIT;

        buffer_printf(&file, FIVE KEY "%s\r\n", values[i].file);
        buffer_append_text(&events, OPEN);
        if (values[i].events) {
            buffer_printf(&events, "%s\n", values[i].events);
        } else {
            buffer_append_text(&events, "loss 6 line%203:%20");
            for (const char *at = values[i].file; *at; at++) {
                buffer_append_text(&events, *at == ' ' ? "%20" : *at == '\t' ? "%09" : "");
                if (*at != ' ' && *at != '\t') {
                    buffer_append_byte(&events, (unsigned char)*at);
                }
            }
            buffer_append_byte(&events, '\n');
        }
        buffer_append(&events, END, sizeof END);
        check_bytes(file.data, file.size, events.data);
        buffer_free(&file);
        buffer_free(&events);
    }
}

/* Data that goes on in the next line, and lines that it does not go on in. */
static const struct meaning continued[] = {
    {FIVE KEY "\"v\"=hex:01,\\\r\n  02,\\ \t;c\r\n\r\n;c\r\n \t ;c\n\t03\n",
     OPEN "value v type=3 size=3 010203\n" END},
    {FIVE KEY "\"v\"=hex:\\\n 01,\n02\n",
     OPEN "value v type=3 size=1 01\nloss 6 line%205:%2002\n" END},
    {FIVE KEY "\"v\"=hex:01,\\", OPEN "value v type=3 size=1 01\n" END},
    {FIVE KEY "\"v\"=hex:01,\\\n;c", OPEN "value v type=3 size=1 01\n" END},
    {FIVE KEY "\"v\"=hex:01,\\\n#c\n\"w\"=dword:1\n",
     OPEN "loss 6 line%203:%20\"v\"=hex:01,\\\nvalue w type=4 size=4 01000000\n" END},
    {FIVE KEY "\"v\"=hex:01,\\\n\"w\"=dword:1\n",
     OPEN "loss 6 line%203:%20\"v\"=hex:01,\\\nloss 6 line%204:%20\"w\"=dword:1\n" END},
    {FIVE KEY "\"v\"=hex:01,\\\n" KEY,
     OPEN "loss 6 line%203:%20\"v\"=hex:01,\\\nloss 6 line%204:%20[HKEY_USERS\\k]\n" END},
    {FIVE KEY "\"v\"=hex(1):61,\\\n00;exact\n", OPEN "value v type=1 size=2 6100\n" END},
    {FIVE KEY ";c\\\n\"v\"=dword:1;\\\n#c\\\n", OPEN "value v type=4 size=4 01000000\n" END},
    {FIVE KEY "\"v\"=\"a\\\nb\"\n",
     OPEN "loss 6 line%203:%20\"v\"=\"a\\\nloss 6 line%204:%20b\"\n" END},
};

static void test_continued(void)
{
    check_meanings(continued, ROWS(continued));
}

/* ---- Files ---- */

/* Line ends, NUL bytes, headers, what changes in the middle of a file. */
static const struct {
    const char *file;
    size_t size;
    const char *events;
} files[] = {
#define FILE_OF(bytes) bytes, sizeof bytes - 1
    {FILE_OF(" \tREGEDIT4 \t\r[HKEY_USERS\\k]\r\r\"v\"=dword:1\r\n\n@=\"\""),
     OPEN "value v type=4 size=4 01000000\nvalue  type=1 size=2 0000\n" END},
    {FILE_OF(FIVE KEY "\0\0\n\"v\"=dword:1\0\0"), OPEN "value v type=4 size=4 01000000\n" END},
    {FILE_OF(FIVE KEY "\"v\"=dword:1\0x\n"),
     OPEN "loss 6 line%203:%20\"v\"=dword:1\nvalue v type=4 size=4 01000000\n" END},
    {FILE_OF("REGEDIT5\nx\n\n;c\n"), "loss 6 line%201:%20REGEDIT5\nloss 6 line%202:%20x\n"},
    {FILE_OF(FOUR KEY "\"v\"=hex(2):e9\n" FIVE KEY "\"v\"=hex(2):e9,80,00\n"),
     OPEN "value v type=2 size=4 e9000000\n"
          "loss 6 line%204:%20Windows%20Registry%20Editor%20Version%205.00\n" END OPEN
          "value v type=2 size=6 e900ac200000\n" END},
    {FILE_OF(FOUR "[HKEY_USERS\\\xe9]\n\"\x80\"=\"\x81\"\n"),
     "key HKEY_USERS\\%C3%A9 absolute\nvalue %E2%82%AC type=1 size=4 81000000\n" END},
    {FILE_OF("\xef\xbb\xbfREGEDIT4\n[HKEY_USERS\\\xc3\xa9]\n\"v\"=hex(7):e9,00\n"),
     "key HKEY_USERS\\%C3%A9 absolute\nvalue v type=7 size=4 e9000000\n" END},
    {FILE_OF(FIVE "[HKEY_USERS\\\xe9]\n\"\xc3\xa9\xc3\"=\"\xc3\xa9\"\n"),
     "key HKEY_USERS\\%C3%A9 absolute\nvalue %C3%83%C2%A9%C3%83 type=1 size=6 c300a9000000\n" END},
    {FILE_OF("\xef\xbb\xbf" FIVE "[HKEY_USERS\\\xe9]\n" KEY "\"\xe9\"=\"a\"\n\"a\"=\"\xe9\"\n"),
     "loss 6 line%202:%20[HKEY_USERS\\?]\n" OPEN "loss 6 line%204:%20\"?\"=\"a\"\n"
     "loss 6 line%205:%20\"a\"=\"?\"\n" END},
    {FILE_OF(FIVE KEY "\"\xed\xa0\x80\"=\"\xed\xb0\x80\"\n"),
     OPEN "value %ED%A0%80 type=1 size=4 00dc0000\n" END},
    {FILE_OF("REGEDIT\r\nHKEY_CLASSES_ROOT\\a = b \r\nHKEY_CLASSES_ROOT\\c  =  d\r\n"
             "HKEY_CLASSES_ROOT\\e f\r\nHKEY_CLASSES_ROOT\\g\r\n"),
     "key HKEY_CLASSES_ROOT\\a absolute\nvalue  type=1 size=6 620020000000\nend\n"
     "key HKEY_CLASSES_ROOT\\c absolute\nvalue  type=1 size=6 200064000000\nend\n"
     "key HKEY_CLASSES_ROOT\\e absolute\nvalue  type=1 size=4 66000000\nend\n"
     "key HKEY_CLASSES_ROOT\\g absolute\nvalue  type=1 size=2 0000\nend\n"},
    {FILE_OF("REGEDIT\n HKEY_CLASSES_ROOT\\a = b\n;c\nhkey_classes_root\\a = b\n"
             "HKEY_CLASSES_ROOTX = b\n"),
     "loss 6 line%202:%20%20HKEY_CLASSES_ROOT\\a%20=%20b\n"
     "loss 6 line%204:%20hkey_classes_root\\a%20=%20b\n"
     "loss 6 line%205:%20HKEY_CLASSES_ROOTX%20=%20b\n"},
};

static void test_files(void)
{
    for (size_t i = 0; i < ROWS(files); i++) {
        check_bytes(files[i].file, files[i].size, files[i].events);
    }
}

/* UTF-16, also where a character or a line's end lies across the reads, and in its odd forms. */
static void test_utf16(void)
{
    static const char text[] = FIVE "\r\n[HKEY_USERS\\\xf0\x9f\x98\x80]\r\n\"\xe4\xbd\xa0\"=\"\xf0"
                                    "\x9f\x98\x80\"\r\n\"e\"=hex(2):61,00\r\n\xed\xa0\x80";
    static const char events[] =
        "key HKEY_USERS\\%F0%9F%98%80 absolute\nvalue %E4%BD%A0 type=1 size=6 3dd800de0000\n"
        "value e type=2 size=4 61000000\nloss 6 line%206:%20%ED%A0%80\n" END;
    struct buffer file = BUFFER_INIT;
    struct recorder recorder;

    buffer_append(&file, "\xff\xfe", 2);
    CU_ASSERT_EQUAL_FATAL(text_to_utf16(&file, text, sizeof text - 1), RS_OK);
    check_bytes(file.data, file.size, events);
    for (size_t step = 1; step < 9; step++) {
        recorder_begin(&recorder);
        CU_ASSERT_EQUAL(
            read_memory_as(&format_reg, file.data, file.size, step, &recorder.sink, NULL), RS_OK);
        buffer_terminate(&recorder.lines);
        CU_ASSERT_STRING_EQUAL(recorder.lines.data, events);
        recorder_free(&recorder);
    }
    buffer_free(&file);
    check_bytes("\xff\xfeR\0E\0G\0E\0D\0I\0T\0"
                "4\0\n\0x",
                21, "loss 6 line%202:%20%EF%BF%BD\n");
}

/* The text of a line that is told is cut between characters. */
static void test_long_line(void)
{
    char file[200];
    char events[400];

    snprintf(file, sizeof file, FIVE "%059d\xc3\xa9\xc3\xa9\n", 0);
    snprintf(events, sizeof events, "loss 6 line%%202:%%20%059d...\n", 0);
    check_bytes(file, strlen(file), events);
}

/* ---- What is refused ---- */

static const struct {
    const char *file;
    size_t size;
    const char *text;
} refused[] = {
#define REFUSED(bytes, reason) bytes, sizeof bytes - 1, "dump:1: " reason
#define HEADER_REASON "the header is neither \"" REG_HEADER "\" nor \"REGEDIT4\""
#define UTF16_REASON                                                                               \
    "UTF-16 without a little-endian byte order mark, which Windows does not read either"
    {REFUSED("\nREGEDIT4\n", HEADER_REASON)},
    {REFUSED("regedit4\n", HEADER_REASON)},
    {REFUSED("Windows Registry Editor Version 4.00\n", HEADER_REASON)},
    {REFUSED("Windows Registry Editor version 5.00\n", HEADER_REASON)},
    {REFUSED("Windows Registry Editor Version 5.00;c\n", HEADER_REASON)},
    {REFUSED("\xef\xbb\xbf", "the file is empty")},
    {REFUSED("R\0E\0G\0E\0D\0I\0T\0\n\0", UTF16_REASON)},
    {REFUSED("\xfe\xff\0R\0E", UTF16_REASON)},
};

static void test_refused(void)
{
    for (size_t i = 0; i < ROWS(refused); i++) {
        rs_error error = RS_ERROR_INIT;
        char *events = events_as(&format_reg, refused[i].file, refused[i].size, &error);

        CU_ASSERT_EQUAL(error.status, RS_EFORMAT);
        CU_ASSERT_EQUAL(error.line, strstr(refused[i].text, "empty") ? 0 : 1);
        if (error.line > 0) {
            CU_ASSERT_STRING_EQUAL(error.text, refused[i].text);
        }
        free(events);
    }
}

/* Data beyond the limit, in one line and in many, and a line that is nothing but long. */
static void test_limits(void)
{
    struct buffer file = BUFFER_INIT;
    rs_error error = RS_ERROR_INIT;

    buffer_append_text(&file, FIVE KEY "\"v\"=hex:");
    for (size_t i = 0; i < RS_MAX_DATA; i++) {
        buffer_append(&file, "00,", 3);
    }
    free(events_as(&format_reg, file.data, file.size, &error));
    CU_ASSERT_EQUAL(error.status, RS_OK);
    buffer_append_text(&file, "\\\n00");
    free(events_as(&format_reg, file.data, file.size, &error));
    CU_ASSERT_STRING_EQUAL(error.text,
                           "dump:4: value \"v\" has more data than the limit of 16777216 bytes");
    CU_ASSERT_EQUAL(error.status, RS_ETOOBIG);
    file.size = 0;
    buffer_append_text(&file, FIVE);
    for (size_t i = 0; i < REG_LINE_MAX / 64 + 2048; i++) {
        buffer_printf(&file, "%064d", 0);
    }
    error = (rs_error)RS_ERROR_INIT;
    free(events_as(&format_reg, file.data, file.size, &error));
    CU_ASSERT_STRING_EQUAL(error.text, "dump:2: a line is longer than 67108864 bytes");
    buffer_free(&file);
}

const struct test_suite suite_format_reg = {
    "format_reg",
    (const struct test_case[]){
        {"keys", test_keys},
        {"values", test_values},
        {"data in several lines", test_continued},
        {"files", test_files},
        {"UTF-16", test_utf16},
        {"a long line that is told", test_long_line},
        {"what is refused", test_refused},
        {"limits", test_limits},
        {NULL, NULL},
    },
};
