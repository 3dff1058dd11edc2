/*
 * test_format_xml.c - the reader of XML dumps: what each form means, what is refused and where, and
 * the same asked of the grammar in hives/hive.rng.
 */
#include "harness.h"
#include "hive_grammar.h"
#include "recorder.h"
#include "../regstore/format_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])
#define TIME "<mtime>2010-02-02T13:42:44Z</mtime>"
#define WRITTEN " written=129095917640000000"

/* ---- Values ---- */

/* What stands in a node, and the lines that it gives; foreign dumps, then ours. */
static const struct {
    bool own;
    const char *xml;
    const char *lines;
} values[] = {
    {false, "<value type=\"string\" key=\"a\" value=\"hi\"/>",
     "value a type=1 size=6 680069000000\n"},
    {false, "<value type=\"string\" default=\"1\" value=\"\"/>", "value  type=1 size=2 0000\n"},
    {false, "<value type=\"expand\" key=\"a\" value=\"%X%\"/>",
     "value a type=2 size=8 2500580025000000\n"},
    {false, "<value type=\"link\" key=\"a\" value=\"x\"/>", "value a type=6 size=2 7800\n"},
    {false, "<value type=\"string\" key=\"a&amp;#38;b\" value=\"&amp;&#38;&lt;&#10;&quot;\"/>",
     "value a&#38;b type=1 size=12 260026003c000a0022000000\n"},
    {false, "<value type=\"string\" key=\"&#x10FFFD;A\" value=\"&#1114109;@\xf4\x8f\xbf\xbdu\"/>",
     "value %F4%8F%BF%BDA type=1 size=14 ffdbfddf4000ffdbfddf75000000\n"},

    /* raw control characters, U+FFFE, U+FFFF and lone surrogates, in names, too */
    {false,
     "<value type=\"string\" key=\"\x01\xef\xbf\xbe\" value=\"\x1f\xef\xbf\xbf\xed\xa0\x80\"/>",
     "value %01%EF%BF%BE type=1 size=8 1f00ffff00d80000\n"},
    {false, "<value type=\"string-list\" key=\"a\"><string>\x07</string><string/></value>",
     "value a type=7 size=6 070000000000\n"},

    {false, "<value type=\"int32\" key=\"a\" value=\"3\"/>", "value a type=4 size=4 03000000\n"},
    {false, "<value type=\"int32\" key=\"a\" value=\"-1\"/>", "value a type=4 size=4 ffffffff\n"},
    {false, "<value type=\"int32\" key=\"a\" value=\"-2147483648\"/>",
     "value a type=4 size=4 00000080\n"},
    {false, "<value type=\"int32\" key=\"a\" value=\"4294967295\"/>",
     "value a type=4 size=4 ffffffff\n"},
    {false, "<value type=\"int64\" key=\"a\" value=\"-9223372036854775808\"/>",
     "value a type=11 size=8 0000000000000080\n"},
    {false, "<value type=\"int64\" key=\"a\" value=\"18446744073709551615\"/>",
     "value a type=11 size=8 ffffffffffffffff\n"},

    /* the second run is the data's cell, four bytes longer than the data */
    {false,
     "<value type=\"int32\" key=\"a\" value=\"-1\"><byte_runs><byte_run file_offset=\"1\" "
     "len=\"30\"/><byte_run file_offset=\"2\" len=\"14\"/></byte_runs></value>",
     "value a type=4 size=4 ffffffff\nloss 5 a\n"},
    {false,
     "<value type=\"int32\" key=\"a\" value=\"-1\"><byte_runs><byte_run file_offset=\"1\" "
     "len=\"30\"/></byte_runs></value>",
     "value a type=4 size=4 ffffffff\n"},
    {false,
     "<value type=\"int32\" key=\"a\" value=\"-1\"><byte_runs><byte_run file_offset=\"1\" "
     "len=\"30\"/><byte_run file_offset=\"2\" len=\"8\"/></byte_runs></value>",
     "value a type=4 size=4 ffffffff\n"},
    {false,
     "<value type=\"int64\" key=\"a\" value=\"-1\"><byte_runs><byte_run file_offset=\"1\" "
     "len=\"30\"/></byte_runs></value>",
     "value a type=11 size=8 ffffffffffffffff\nloss 5 a\n"},
    {false,
     "<value type=\"int64\" key=\"a\" value=\"-1\"><byte_runs><byte_run file_offset=\"1\" "
     "len=\"30\"/><byte_run file_offset=\"2\" len=\"12\"/></byte_runs></value>",
     "value a type=11 size=8 ffffffffffffffff\n"},

    {false, "<value type=\"string-list\" key=\"a\"><string>x</string><string></string></value>",
     "value a type=7 size=6 780000000000\n"},
    {false, "<value type=\"string-list\" key=\"a\"><string></string></value>",
     "value a type=7 size=2 0000\n"},
    {false, "<value type=\"string-list\" key=\"a\"></value>", "value a type=7 size=0 \n"},
    {false,
     "<value type=\"string-list\" key=\"a\"><string>x</string><string/><string>y</string></value>",
     "value a type=7 size=10 78000000000079000000\nloss 2 a\n"},
    {false, "<value type=\"string-list\" key=\"a\"> \n<string> \t\n</string>\n<string/> </value>",
     "value a type=7 size=10 200009000a0000000000\n"},

    {false, "<value type=\"none\" encoding=\"base64\" key=\"a\"/>", "value a type=0 size=0 \n"},
    {false, "<value type=\"binary\" encoding=\"base64\" key=\"a\" value=\"\"/>",
     "value a type=3 size=0 \n"},
    {false, "<value type=\"binary\" encoding=\"base64\" key=\"a\" value=\"AAEC\r\n/w==\r\n\"/>",
     "value a type=3 size=4 000102ff\n"},
    {false, "<value type=\"resource-list\" encoding=\"base64\" key=\"a\" value=\"AAE=\"/>",
     "value a type=8 size=2 0001\n"},
    {false, "<value type=\"resource-description\" encoding=\"base64\" key=\"a\" value=\"AA==\"/>",
     "value a type=9 size=1 00\n"},
    {false, "<value type=\"resource-requirements\" encoding=\"base64\" key=\"a\" value=\"AA==\"/>",
     "value a type=10 size=1 00\n"},
    {false, "<value type=\"unknown\" encoding=\"base64\" key=\"a\" value=\"AA==\"/>",
     "value a type=4294967295 size=1 00\nloss 1 a\n"},
    {false, "<value type=\"bad-string\" encoding=\"base64\" key=\"a\" value=\"ANgA\"/>",
     "value a type=1 size=3 00d800\n"},
    {false, "<value type=\"bad-expand\" encoding=\"base64\" key=\"a\" value=\"ANg=\"/>",
     "value a type=2 size=2 00d8\n"},
    {false, "<value type=\"bad-link\" encoding=\"base64\" key=\"a\" value=\"ANg=\"/>",
     "value a type=6 size=2 00d8\n"},
    {false, "<value type=\"bad-string-list\" encoding=\"base64\" key=\"a\" value=\"ANg=\"/>",
     "value a type=7 size=2 00d8\n"},

    {true, "<value type=\"int32\" key=\"a\" value=\"1\" regtype=\"5\"/>",
     "value a type=5 size=4 00000001\n"},
    {true, "<value type=\"unknown\" encoding=\"base64\" key=\"a\" value=\"AA==\" regtype=\"12\"/>",
     "value a type=12 size=1 00\n"},
    {true, "<value type=\"string\" key=\"a\" value=\"x\" exact=\"eAA=\"/>",
     "value a type=1 size=2 7800\n"},
    {true, "<value type=\"string\" key=\"a\" exact=\"\"/>", "value a type=1 size=0 \n"},
    {true, "<value type=\"int32\" key=\"a\" exact=\"AQ==\"/>", "value a type=4 size=1 01\n"},
    {true, "<value type=\"string-list\" key=\"a\" exact=\"eAA=\"><string>x</string></value>",
     "value a type=7 size=2 7800\n"},
    {true, "<value type=\"string-list\" key=\"a\" exact=\"AQA=\"/>",
     "value a type=7 size=2 0100\n"},
    {true, "<value type=\"none\" encoding=\"base64\" key64=\"AADfAEEA\"/>",
     "value %00%C3%9FA type=0 size=0 \n"},
};

static void check_events(const char *dump, const char *expected)
{
    rs_error error = RS_ERROR_INIT;
    char *lines = events_of(dump, strlen(dump), &error);

    CU_ASSERT_STRING_EQUAL(error.text, "");
    CU_ASSERT_STRING_EQUAL(lines, expected);
    if (strcmp(lines, expected) != 0) {
        printf("\n%s\n%s%s", dump, lines, error.text);
    }
    free(lines);
}

/* A dump around one row. Lives until the next call. */
static const char *dump_of_value(size_t row)
{
    static char dump[2048];

    snprintf(dump, sizeof dump, "<hive%s><node name=\"r\" root=\"1\">" TIME "%s</node></hive>",
             values[row].own ? " regstore=\"1\"" : "", values[row].xml);
    return dump;
}

static void test_values(void)
{
    for (size_t i = 0; i < ROWS(values); i++) {
        char lines[2048];
        snprintf(lines, sizeof lines, "%skey r root" WRITTEN "\n%send\n",
                 values[i].own ? "" : "foreign\n", values[i].lines);
        check_events(dump_of_value(i), lines);
    }
}

/* ---- Keys ---- */

static void test_keys(void)
{
    check_events("<hive><mtime>2000-01-01T00:00:00Z</mtime><node name=\"$$$\" root=\"1\">" TIME
                 "<byte_runs><byte_run file_offset=\"1\" len=\"2\"/></byte_runs>"
                 "<node name=\"a\x02&#9;\">" TIME "</node><node name=\"b\"><node name=\"c\"/>"
                 "</node></node></hive>",
                 "foreign\nkey $$$ root" WRITTEN "\nkey a%02%09" WRITTEN "\nend\n"
                 "key b\nloss 4\nkey c\nloss 4\nend\nend\nend\n");
    check_events("<hive regstore=\"1\"><node name=\"HKEY_USERS\\x\" root=\"1\" class=\"C &amp;\" "
                 "written=\"2010-02-02T13:42:44.0000001Z\">" TIME
                 "<node name64=\"YQAAAADY\" class64=\"AAA=\"/></node></hive>",
                 "key HKEY_USERS\\x root absolute class=C%20& written=129095917640000001\n"
                 "key a%00%ED%A0%80 class=%00\nend\nend\n");
    check_events("<hive><node name=\"HKEY_USERS\" root=\"1\">" TIME "</node></hive>",
                 "foreign\nkey HKEY_USERS root absolute" WRITTEN "\nend\n");
    /* comments, instructions and a byte order mark say nothing; text may stand around nothing */
    check_events("\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><!-- don't <x -->\n<hive>"
                 "<?x y > ?>\n<node name=\"r\" root=\"1\">" TIME "\n<!-- > --></node>\n</hive>\n"
                 "<!-- & -->\n",
                 "foreign\nkey r root" WRITTEN "\nend\n");
}

/* ---- What is refused ---- */

#define ROOT "<hive>\n<node name=\"r\" root=\"1\">"
#define OWN "<hive regstore=\"1\">\n<node name=\"r\" root=\"1\">"
#define VALUE(attributes) ROOT "\n<value " attributes "/></node></hive>"
#define OWN_VALUE(attributes) OWN "\n<value " attributes "/></node></hive>"

/* A dump, the status, the text of the error after its place, and what stands where the place is
 * (NULL: anywhere). */
static const struct {
    const char *dump;
    int status;
    const char *text;
    const char *place;
} refused[] = {
    {VALUE("type=\"int33\" key=\"a\" value=\"1\""), RS_EFORMAT, "unknown value type \"int33\"",
     "<value"},
    {VALUE("key=\"a\" value=\"1\""), RS_EFORMAT, "a <value> without a type", "<value"},
    {VALUE("type=\"string\" value=\"1\""), RS_EFORMAT,
     "a <value> needs either a key or default=\"1\"", "<value"},
    {VALUE("type=\"string\" key=\"a\" default=\"1\" value=\"1\""), RS_EFORMAT,
     "a <value> needs either a key or default=\"1\"", "<value"},
    {VALUE("type=\"string\" default=\"2\" value=\"1\""), RS_EFORMAT, "default is not \"1\"",
     "<value"},
    {VALUE("type=\"string\" key=\"a\""), RS_EFORMAT, "value \"a\": no data", "<value"},
    {VALUE("type=\"string\" key=\"a\" colour=\"red\""), RS_EFORMAT,
     "unknown attribute \"colour\" of <value>", "<value"},
    {VALUE("type=\"string\" key=\"a\" root=\"1\""), RS_EFORMAT,
     "unknown attribute \"root\" of <value>", "<value"},
    {VALUE("type=\"string\" key=\"a\" value=\"x\" exact=\"\""), RS_EFORMAT,
     "attribute \"exact\" in a dump that is not of our making", "<value"},
    {VALUE("type=\"string\" encoding=\"base64\" key=\"a\" value=\"AA==\""), RS_EFORMAT,
     "value \"a\": type and encoding do not go together", "<value"},
    {VALUE("type=\"binary\" key=\"a\" value=\"AA==\""), RS_EFORMAT,
     "value \"a\": type and encoding do not go together", "<value"},
    {VALUE("type=\"binary\" encoding=\"base64\" key=\"a\" value=\"A\""), RS_EFORMAT,
     "value \"a\": malformed base64", "<value"},
    {VALUE("type=\"binary\" encoding=\"base64\" key=\"a\" value=\"AA=A\""), RS_EFORMAT,
     "value \"a\": malformed base64", "<value"},
    {VALUE("type=\"binary\" encoding=\"base64\" key=\"a\" value=\"AB==\""), RS_EFORMAT,
     "value \"a\": malformed base64", "<value"},
    {VALUE("type=\"binary\" encoding=\"base64\" key=\"a\" value=\"AA=\""), RS_EFORMAT,
     "value \"a\": malformed base64", "<value"},
    {VALUE("type=\"binary\" encoding=\"base64\" key=\"a\" value=\"*AAA\""), RS_EFORMAT,
     "value \"a\": malformed base64", "<value"},
    {VALUE("type=\"int32\" key=\"a\" value=\"4294967296\""), RS_EFORMAT,
     "value \"a\": malformed or too large number", "<value"},
    {VALUE("type=\"int32\" key=\"a\" value=\"-2147483649\""), RS_EFORMAT,
     "value \"a\": malformed or too large number", "<value"},
    {VALUE("type=\"int32\" key=\"a\" value=\"12abc\""), RS_EFORMAT,
     "value \"a\": malformed or too large number", "<value"},
    {VALUE("type=\"int32\" key=\"a\" value=\"-\""), RS_EFORMAT,
     "value \"a\": malformed or too large number", "<value"},
    {VALUE("type=\"int32\" key=\"a\" value=\"\""), RS_EFORMAT,
     "value \"a\": malformed or too large number", "<value"},
    {VALUE("type=\"int32\" key=\"a\" value=\"- 1\""), RS_EFORMAT,
     "value \"a\": malformed or too large number", "<value"},
    {VALUE("type=\"int64\" key=\"a\" value=\"18446744073709551616\""), RS_EFORMAT,
     "value \"a\": malformed or too large number", "<value"},
    {VALUE("type=\"string-list\" key=\"a\" value=\"x\""), RS_EFORMAT,
     "value \"a\": a string-list's text belongs into <string>", "<value"},
    {OWN_VALUE("type=\"string\" key=\"a\" value=\"x\" exact=\"eQA=\""), RS_EFORMAT,
     "value \"a\": its text and \"exact\" contradict each other; remove one", "<value"},
    {"<hive regstore=\"1\"><node name=\"r\" root=\"1\"><value type=\"string-list\" key=\"a\" "
     "exact=\"eQAAAA==\"><string>x</string><string/></value></node></hive>",
     RS_EFORMAT, "value \"a\": its text and \"exact\" contradict each other; remove one", NULL},
    {OWN_VALUE("type=\"string\" key=\"a\" value=\"x\" regtype=\"2\""), RS_EFORMAT,
     "value \"a\": type and regtype contradict each other", "<value"},
    {OWN_VALUE("type=\"unknown\" encoding=\"base64\" key=\"a\" regtype=\"11\""), RS_EFORMAT,
     "value \"a\": type and regtype contradict each other", "<value"},
    {OWN_VALUE("type=\"unknown\" encoding=\"base64\" key=\"a\" regtype=\"4294967296\""), RS_EFORMAT,
     "value \"a\": regtype is not a type's number", "<value"},
    {OWN_VALUE("type=\"string\" key=\"a\" key64=\"YQA=\" value=\"\""), RS_EFORMAT,
     "\"key\" and \"key64\" in one tag", "<value"},
    {OWN_VALUE("type=\"string\" key64=\"YQ==\" value=\"\""), RS_EFORMAT,
     "\"key64\" is not base64 of UTF-16", "<value"},

    {ROOT "<node name=\"a\"/><value type=\"int32\" key=\"a\" value=\"1\"/></node></hive>",
     RS_EFORMAT, "<value> twice or too late in <node>", "<value"},
    {ROOT TIME TIME "</node></hive>", RS_EFORMAT, "<mtime> twice or too late in <node>",
     "<mtime>2010-02-02T13:42:44Z</mtime></node>"},
    {ROOT "<byte_runs/>" TIME "</node></hive>", RS_EFORMAT, "<mtime> twice or too late in <node>",
     "<mtime>"},
    {ROOT "<byte_runs/><byte_runs/></node></hive>", RS_EFORMAT,
     "<byte_runs> twice or too late in <node>", "<byte_runs/></node>"},
    {ROOT "<value type=\"int32\" key=\"a\" value=\"1\"><byte_runs><byte_run file_offset=\"1\" "
          "len=\"8\"/></byte_runs><byte_runs/></value></node></hive>",
     RS_EFORMAT, "<byte_runs> twice in <value>", "<byte_runs/>"},
    {ROOT "<value type=\"int32\" key=\"a\" value=\"1\"><byte_runs><byte_run "
          "file_offset=\"1\"/></byte_runs></value></node></hive>",
     RS_EFORMAT, "value \"a\": a <byte_run> without a length", NULL},
    {ROOT "</node></hive>\n<!-- not", RS_EFORMAT, "the dump ends in the middle", NULL},
    {ROOT "<mtime>yesterday</mtime></node></hive>", RS_EFORMAT, "\"yesterday\" is not a time",
     NULL},
    {ROOT "<mtime>01234567890123456789012345678901234567890123456789012345678901234</mtime>"
          "</node></hive>",
     RS_ETOOBIG, "text of <mtime> is too long", NULL},
    {ROOT "<mtime></mtime></node></hive>", RS_EFORMAT, "\"\" is not a time", NULL},
    {ROOT "<value type=\"int32\" key=\"a\" value=\"1\"><string/></value></node></hive>", RS_EFORMAT,
     "<string> belongs to a string-list, before <byte_runs>", "<string"},
    {ROOT "<key/></node></hive>", RS_EFORMAT, "unknown element <key>", "<key"},
    {ROOT "<string/></node></hive>", RS_EFORMAT, "<string> may not stand in <node>", "<string"},
    {ROOT "<hive/></node></hive>", RS_EFORMAT, "<hive> may not stand in <node>", "<hive/"},
    {ROOT "<x:node xmlns:x=\"y\"/></node></hive>", RS_EFORMAT,
     "<node> with a namespace: hive dumps have none", "<x:node"},
    {ROOT " \n\n\thello\n</node></hive>", RS_EFORMAT, "text where none may be, in <node>", "hello"},
    {ROOT "\x02</node></hive>", RS_EFORMAT, "text where none may be, in <node>", NULL},
    {ROOT "<![CDATA[x]]></node></hive>", RS_EFORMAT, "a CDATA section: hive dumps have none", NULL},
    {ROOT "<node/></node></hive>", RS_EFORMAT, "a <node> without a name", "<node/"},
    {ROOT "<node name=\"\"/></node></hive>", RS_EFORMAT, "a <node> without a name",
     "<node name=\"\""},
    {ROOT "<node name=\"a\\b\"/></node></hive>", RS_ENAME, "key name \"a\\b\" holds a backslash",
     "<node name=\"a"},
    {ROOT "<node name=\"a\" root=\"1\"/></node></hive>", RS_EFORMAT,
     "root=\"1\" belongs to the outermost <node>", "<node name=\"a"},
    {"<hive><node name=\"a\"/></hive>", RS_EFORMAT, "root=\"1\" belongs to the outermost <node>",
     "<node"},
    {"<hive><node name=\"a\" root=\"1\" class=\"x\"/></hive>", RS_EFORMAT,
     "attribute \"class\" in a dump that is not of our making", "<node"},
    {"<hive regstore=\"1\"><node name=\"a\" root=\"1\" written=\"now\"/></hive>", RS_EFORMAT,
     "\"now\" is not a time", "<node"},
    {ROOT "</node>\n\n<node name=\"s\" root=\"1\"/></hive>", RS_EFORMAT,
     "a second <node> in <hive>", "<node name=\"s\""},
    {"<hive></hive>", RS_EFORMAT, "a <hive> without a <node>", NULL},
    {"<hive regstore=\"2\"></hive>", RS_EFORMAT, "dialect \"2\" of a newer version: only 1 is read",
     "<hive"},
    {"<html><body/></html>", RS_EFORMAT, "not a hive dump: it begins with <html>", "<html"},
    {"<node name=\"a\"/>", RS_EFORMAT, "not a hive dump: it begins with <node>", "<node"},

    {"<!DOCTYPE hive>\n<hive/>", RS_EFORMAT, "a DOCTYPE: hive dumps have none, and it is not read",
     NULL},
    {"<!DOCTYPE h [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]>\n<hive>&b;</hive>", RS_EFORMAT,
     "a DOCTYPE: hive dumps have none, and it is not read", NULL},
    {"<!DOCTYPE h SYSTEM \"file:///etc/passwd\">\n<hive/>", RS_EFORMAT,
     "a DOCTYPE: hive dumps have none, and it is not read", NULL},
    {ROOT "&x;</node></hive>", RS_EFORMAT, "not well-formed XML: Entity 'x' not defined", NULL},
    {VALUE("type=\"string\" key=\"&x;\" value=\"\""), RS_EFORMAT,
     "not well-formed XML: Entity 'x' not defined", NULL},
    {VALUE("type=\"string\" key=\"&#1;\" value=\"\""), RS_EFORMAT,
     "not well-formed XML: xmlParseCharRef: invalid xmlChar value 1", NULL},
    {VALUE("type=\"string\" key=\"\xff\" value=\"\""), RS_EFORMAT, "text is not valid UTF-8", NULL},
    {VALUE("type=\"string\" key=\"\xed\xa0\x80\xed\xb0\x80\" value=\"\""), RS_EFORMAT,
     "value name is not valid UTF-8", "<value"},
    {"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<hive/>", RS_EFORMAT,
     "the encoding is ISO-8859-1: only UTF-8 is read", NULL},
    {ROOT "</hive>", RS_EFORMAT,
     "not well-formed XML: Opening and ending tag mismatch: node line "
     "2 and hive",
     NULL},
    {ROOT "\n<value type=\"str", RS_EFORMAT, "the dump ends in the middle", NULL},
    {ROOT "</node>", RS_EFORMAT, "the dump ends in the middle", NULL},
    {ROOT, RS_EFORMAT, "the dump ends in the middle", NULL},
    {"<?xml versi", RS_EFORMAT, "the dump ends in the middle", NULL},
    {"", RS_EFORMAT, "the dump ends in the middle", NULL},
};

/* Puts a dump into a file; gives its path. */
static const char *write_dump(const char *dump)
{
    const char *path = scratch_path("dump.xml");
    FILE *file = fopen(path, "wb");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(dump, file);
    fclose(file);
    return path;
}

static void check_refused(const char *dump, size_t size, int status, const char *text,
                          const char *place)
{
    rs_error error = RS_ERROR_INIT;
    char *lines = events_of(dump, size, &error);
    const char *at = place ? strstr(dump, place) : NULL;
    const char *said = strstr(error.text, ": offset ");

    said = said ? strstr(said + 2, ": ") : NULL;
    CU_ASSERT_EQUAL(error.status, status);
    CU_ASSERT_STRING_EQUAL(said ? said + 2 : error.text, text);
    CU_ASSERT_EQUAL(strncmp(error.text, "dump.xml:", 9), 0);
    CU_ASSERT(error.offset <= size);
    if (strcmp(text, "the dump ends in the middle") == 0) {
        CU_ASSERT_EQUAL(error.offset, size);
    }
    if (place && at) {
        uint64_t line = 1;
        for (const char *c = dump; c < at; c++) {
            line += *c == '\n';
        }
        CU_ASSERT_EQUAL(error.offset, (uint64_t)(at - dump));
        CU_ASSERT_EQUAL(error.line, line);
    }
    if (error.status != status || !said || strcmp(said + 2, text) != 0 ||
        (at && error.offset != (uint64_t)(at - dump))) {
        printf("\n%s\n%s (%s)\n", dump, error.text, rs_status_name(error.status));
    }
    free(lines);
}

static void test_refused(void)
{
    for (size_t i = 0; i < ROWS(refused); i++) {
        check_refused(refused[i].dump, strlen(refused[i].dump), refused[i].status, refused[i].text,
                      refused[i].place);
    }
}

/* A NUL, UTF-16 and EBCDIC are told as what they are. */
static void test_encodings(void)
{
    rs_error error = RS_ERROR_INIT;
    static const char nul[] = "<hive>\n<node\n\nname=\"a\0b\"/></hive>";
    static const char little[] = "\xff\xfe<\0h\0i\0v\0e\0/\0>\0";
    static const char big[] = "\xfe\xff\0<\0h\0i\0v\0e\0/\0>";
    static const char bare[] = "<\0h\0i\0v\0e\0/\0>\0";
    static const char ebcdic[] = "\x4c\x6f\xa7\x94\x93\x40"; /* "<?xml " */
    static const char utf16[] = "the encoding is UTF-16: only UTF-8 is read";

    check_refused(nul, sizeof nul - 1, RS_EFORMAT, "a NUL byte: the file is not UTF-8 text", NULL);

    free(events_of(nul, sizeof nul - 1, &error));
    CU_ASSERT_EQUAL(error.offset, strlen(nul));
    CU_ASSERT_EQUAL(error.line, 4);
    check_refused(little, sizeof little - 1, RS_EFORMAT, utf16, NULL);
    check_refused(big, sizeof big - 1, RS_EFORMAT, utf16, NULL);
    check_refused(bare, sizeof bare - 1, RS_EFORMAT, utf16, NULL);
    check_refused(ebcdic, sizeof ebcdic - 1, RS_EFORMAT,
                  "the encoding is EBCDIC: only UTF-8 is read", NULL);
}

/* The filter makes the parser's bytes more than the file's; places are the file's. */
static void test_places_behind_escapes(void)
{
    static const char dump[] =
        ROOT "\n<value type=\"string\" key=\"\x01\x02\xef\xbf\xbf\" value=\"\x03\"/>\n"
             "<value type=\"string\" key=\"\xed\xa0\x80\xf4\x8f\xbf\xbd&#x10FFFD;\" value=\"\"/>\n"
             "\n<value type=\"x\" key=\"\x01\"\nvalue=\"\x02\x02\"/>\n\x03 \x04";

    check_refused(dump, sizeof dump - 1, RS_EFORMAT, "unknown value type \"x\"",
                  "<value type=\"x\"");
}

/* ---- Chunks, the sink's refusal, real dumps ---- */

/* Every way to cut a dump into chunks gives the same events. */
static void test_chunks(void)
{
    static const char dump[] =
        "<hive regstore=\"1\">\r\n<node name=\"HKEY_USERS\\\x01\xef\xbf\xbe\" root=\"1\">" TIME
        "<value type=\"string-list\" key=\"&#x10fffd;&amp;\"><string>\xed\xa0\x80&lt;\xf4\x8f\xbf"
        "\xbd\r\n&#13;\x1f</string><string/></value></node>\r\n</hive>\r\n";
    rs_error error = RS_ERROR_INIT;
    char *expected = events_of(dump, sizeof dump - 1, &error);

    CU_ASSERT_EQUAL(error.status, RS_OK);
    for (size_t chunk = 40; chunk < 300; chunk += 1) {
        struct recorder recorder;
        recorder_begin(&recorder);
        int status =
            read_memory(dump, sizeof dump - 1, chunk, 1 + chunk % 7, &recorder.sink, &error);
        CU_ASSERT_EQUAL(status, RS_OK);
        buffer_terminate(&recorder.lines);
        CU_ASSERT_STRING_EQUAL(recorder.lines.data, expected);
        recorder_free(&recorder);
    }
    free(expected);
}

/* So does the place of an error, line ends of two bytes and escapes before it. */
static void test_places_in_chunks(void)
{
    static const char dump[] = ROOT "\r\n\r\n<value type=\"string\" key=\"\x01\" value=\"\x02\"/>"
                                    "\r\n\r\n\r\n <value type=\"x\" key=\"a\"/>\r\n\r\n";
    size_t place = (size_t)(strstr(dump, "<value type=\"x\"") - dump);

    for (size_t chunk = 33; chunk < 160; chunk++) {
        struct recorder recorder;
        rs_error error = RS_ERROR_INIT;
        recorder_begin(&recorder);
        CU_ASSERT_EQUAL(read_memory(dump, sizeof dump - 1, chunk, chunk, &recorder.sink, &error),
                        RS_EFORMAT);
        CU_ASSERT_EQUAL(error.offset, place);
        CU_ASSERT_EQUAL(error.line, 7);
        recorder_free(&recorder);
    }
}

/* Each beginning of a dump ends in the middle. */
static void test_truncation(void)
{
    static const char dump[] = "<hive>\n<node name=\"r\" root=\"1\">" TIME
                               "<value type=\"string-list\" key=\"a\"><string>x&amp;</string>"
                               "</value><node name=\"s\"></node></node>\n</hive>";

    for (size_t size = 0; size < sizeof dump - 1; size++) {
        check_refused(dump, size, RS_EFORMAT, "the dump ends in the middle", NULL);
    }
}

static void test_refusal_of_sink(void)
{
    static const char dump[] = VALUE("type=\"int32\" key=\"a\" value=\"1\"");
    struct recorder recorder;
    rs_error error = RS_ERROR_INIT;

    recorder_begin(&recorder);
    recorder.refuse = RS_EFULL;
    CU_ASSERT_EQUAL(
        read_memory(dump, sizeof dump - 1, XML_CHUNK, XML_CHUNK, &recorder.sink, &error), RS_EFULL);
    CU_ASSERT_EQUAL(error.status, RS_EFULL);
    CU_ASSERT_EQUAL(error.line, 3);
    recorder_free(&recorder);
}

/* ---- The grammar ---- */

/* The grammar and the reader agree on all rows of the table above that are about the grammar. */
static void test_grammar_of_tables(void)
{
    for (size_t i = 0; i < ROWS(refused); i++) {
        int result = hive_grammar_check(write_dump(refused[i].dump));
        bool beyond = refused[i].status == RS_ENAME || /* the grammar does not look into texts */
                      strstr(refused[i].text, "contradict") || strstr(refused[i].text, "CDATA") ||
                      strstr(refused[i].text, "base64") || strstr(refused[i].text, "DOCTYPE") ||
                      strstr(refused[i].dump, "name=\"\"");
        CU_ASSERT(result != 0 || beyond);
        if (result == 0 && !beyond) {
            printf("\nvalid: %s\n", refused[i].dump);
        }
    }
}

/* And on all values that are XML at all. */
static void test_grammar_of_values(void)
{
    unsigned valid = 0;

    for (size_t i = 0; i < ROWS(values); i++) {
        int result = hive_grammar_check(write_dump(dump_of_value(i)));
        CU_ASSERT(result <= 0);
        valid += result == 0;
    }
    CU_ASSERT(valid > ROWS(values) - 5); /* the others have characters that XML forbids */
}

const struct test_suite suite_format_xml = {
    "format_xml",
    (const struct test_case[]){
        {"values", test_values},
        {"keys", test_keys},
        {"what is refused, and where", test_refused},
        {"encodings", test_encodings},
        {"places behind escapes", test_places_behind_escapes},
        {"chunks", test_chunks},
        {"places in chunks", test_places_in_chunks},
        {"truncation", test_truncation},
        {"a sink that refuses", test_refusal_of_sink},
        {"the grammar refuses what the reader refuses", test_grammar_of_tables},
        {"the grammar takes what the reader takes", test_grammar_of_values},
        {NULL, NULL},
    },
};
