/*
 * test_format_xml_write.c - our own dumps: every name, type and byte comes back, the files are
 * valid XML, and what they look like.
 */
#include "harness.h"
#include "recorder.h"
#include "../regstore/format_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libxml/parser.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])
#define WRITTEN 129095917641234567u

/* ---- Writing and reading back ---- */

static void begin(struct memory_output *output, struct format_sink **sink)
{
    memory_output_begin(output);
    CU_ASSERT_EQUAL_FATAL(format_xml.write_begin(&output->output, sink), RS_OK);
}

static void put_root(struct format_sink *sink)
{
    struct format_key key = {
        .name = "HKEY_USERS\\x",
        .name_len = 12,
        .absolute = true,
        .root = true,
        .class_name = "",
        .written = WRITTEN,
    };
    CU_ASSERT_EQUAL(sink->key_begin(sink, &key), RS_OK);
}

/* The file that holds one key with one value, in output. */
static void write_value(struct memory_output *output, const rs_value *value)
{
    struct format_sink *sink;

    begin(output, &sink);
    put_root(sink);
    CU_ASSERT_EQUAL(sink->value(sink, value), RS_OK);
    CU_ASSERT_EQUAL(sink->key_end(sink), RS_OK);
    CU_ASSERT_EQUAL(format_xml.write_end(sink, true), RS_OK);
}

/* The same events as a recorder tells them. */
static void record_value(struct recorder *recorder, const rs_value *value)
{
    recorder_begin(recorder);
    put_root(&recorder->sink);
    recorder->sink.value(&recorder->sink, value);
    recorder->sink.key_end(&recorder->sink);
    buffer_terminate(&recorder->lines);
}

static bool is_well_formed(const struct buffer *bytes)
{
    xmlDocPtr document = xmlReadMemory(bytes->data, (int)bytes->size, NULL, NULL,
                                       XML_PARSE_HUGE | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    xmlFreeDoc(document);
    return document != NULL;
}

static void check_round_trip(const rs_value *value)
{
    struct memory_output output;
    struct recorder expected;
    rs_error error = RS_ERROR_INIT;

    write_value(&output, value);
    record_value(&expected, value);
    CU_ASSERT(is_well_formed(&output.bytes));
    char *lines = events_of(output.bytes.data, output.bytes.size, &error);
    CU_ASSERT_STRING_EQUAL(error.text, "");
    CU_ASSERT_STRING_EQUAL(lines, expected.lines.data);
    if (strcmp(lines, expected.lines.data) != 0) {
        printf("\n%s%s%s\n", expected.lines.data, lines, error.text);
    }
    free(lines);
    recorder_free(&expected);
    buffer_free(&output.bytes);
}

/* ---- Hostile values ---- */

static const struct {
    const char *bytes;
    size_t size;
} data[] = {
#define DATA(text)                                                                                 \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }
    DATA(""),
    DATA("\0"),
    DATA("\0\0"),
    DATA("\0\0\0"),
    DATA("\0\0\0\0"),
    DATA("a\0"),
    DATA("a\0\0"),
    DATA("a\0\0\0"),
    DATA("a\0\0\0x"),
    DATA("a\0\0\0\0\0"),
    DATA("a\0\0\0b\0"),
    DATA("a\0\0\0b\0\0\0"),
    DATA("a\0\0\0b\0\0\0\0\0"),
    DATA("\0\0a\0\0\0\0\0b\0\0\0\0\0"),
    DATA("\x00\xd8\0\0"),               /* a lone high surrogate */
    DATA("\x00\xdc\0\0"),               /* a lone low one */
    DATA("\x00\xd8\x00\xd8\0\0"),       /* two high ones */
    DATA("\x3d\xd8\x00\xde\0\0"),       /* a pair */
    DATA("\x3d\xd8"),                   /* a pair cut off */
    DATA("\0\0\x00\xd8"),               /* a lone one after the end */
    DATA("\xfe\xff\0\0"),               /* U+FFFE */
    DATA("\xff\xff\0\0"),               /* U+FFFF */
    DATA("\xff\xdb\xfd\xdf\x41\0\0\0"), /* U+10FFFD, the filter's mark, and a letter */
    DATA("\x01\0\x1f\0\0\0"),
    DATA("\t\0\n\0\r\0\r\0\n\0\0\0"),
    DATA(" \0 \0\0\0"),
    DATA("<\0>\0&\0\"\0'\0\0\0"),
    DATA("&\0#\0\x33\0\x38\0;\0\0\0"),
    DATA("]\0]\0>\0\0\0"),
    DATA("\x7f\0\x80\0\x85\0\x28\x20\xff\xfe\0\0"),
    DATA("\x01\x02\x03\x04"),
    DATA("\xff\xff\xff\xff"),
    DATA("\x00\x00\x00\x80"),
    DATA("\x01\x02\x03\x04\x05"),
    DATA("\x01\x02\x03\x04\x05\x06\x07\x08"),
    DATA("\xff\xff\xff\xff\xff\xff\xff\x7f"),
    DATA("\x00\x00\x00\x00\x00\x00\x00\x80"),
    DATA("\x01\x02\x03\x04\x05\x06\x07\x08\x09"),
};

static void test_data_of_all_types(void)
{
    static const uint32_t types[] = {0, 1,  2,  3,  4,  5,          6,          7,         8,
                                     9, 10, 11, 12, 13, 0x00020000, 0x7fffffff, 0xffffffff};

    for (size_t t = 0; t < ROWS(types); t++) {
        for (size_t i = 0; i < ROWS(data); i++) {
            rs_value value = {"n", 1, types[t], data[i].bytes, data[i].size};
            check_round_trip(&value);
        }
    }
}

static const struct {
    const char *name;
    size_t len;
} names[] = {
    DATA(""),
    DATA(" "),
    DATA("\0"),
    DATA("a\0b"),
    DATA("\x01"),
    DATA("\x1f\t\r\n"),
    DATA("\t\r\n "),
    DATA("&amp;#38;<>\"'"),
    DATA("\xed\xa0\x80"),
    DATA("\xed\xbf\xbf\xed\xa0\x80"), /* in this order no pair */
    DATA("\xef\xbf\xbe"),
    DATA("\xef\xbf\xbf"),
    DATA("\xf4\x8f\xbf\xbd"
         "A"),
    DATA("\xf0\x9f\x98\x80"),
    DATA("\x7f\xc2\x85\xe2\x80\xa8"),
    DATA("a\\b/c"),
};

static void test_value_names(void)
{
    for (size_t i = 0; i < ROWS(names); i++) {
        rs_value value = {names[i].name, names[i].len, REG_DWORD, "\1\0\0\0", 4};
        check_round_trip(&value);
    }
}

/* Names and classes of keys, with times of all kinds. */
static void put_keys(struct format_sink *sink)
{
    put_root(sink);
    for (size_t i = 1; i < ROWS(names); i++) {
        struct format_key key = {
            .name = names[i].name,
            .name_len = names[i].len,
            .class_name = names[ROWS(names) - 1 - i].name,
            .class_len = names[ROWS(names) - 1 - i].len,
            .written = i % 3 == 0 ? 0 : i * 10000000 + (i % 3 == 1 ? i : 0),
        };
        if (memchr(key.name, '\\', key.name_len)) {
            continue;
        }
        CU_ASSERT_EQUAL(sink->key_begin(sink, &key), RS_OK);
        if (i % 2) {
            CU_ASSERT_EQUAL(sink->key_end(sink), RS_OK);
        }
    }
    for (size_t i = 2; i < ROWS(names); i += 2) {
        CU_ASSERT_EQUAL(sink->key_end(sink), RS_OK);
    }
    CU_ASSERT_EQUAL(sink->key_end(sink), RS_OK);
}

static void test_keys(void)
{
    struct memory_output output;
    struct format_sink *sink;
    struct recorder expected;
    rs_error error = RS_ERROR_INIT;

    begin(&output, &sink);
    put_keys(sink);
    CU_ASSERT_EQUAL(format_xml.write_end(sink, true), RS_OK);
    recorder_begin(&expected);
    put_keys(&expected.sink);
    buffer_terminate(&expected.lines);
    CU_ASSERT(is_well_formed(&output.bytes));
    char *lines = events_of(output.bytes.data, output.bytes.size, &error);
    CU_ASSERT_STRING_EQUAL(error.text, "");
    CU_ASSERT_STRING_EQUAL(lines, expected.lines.data);
    free(lines);
    recorder_free(&expected);
    buffer_free(&output.bytes);
}

/* ---- Sizes ---- */

/* Data of the largest size, of one unit again and again. */
static void check_large(uint32_t type, unsigned unit, size_t size, bool terminated)
{
    unsigned char *bytes = malloc(size);
    size_t name_len = 3 * (size_t)RS_MAX_VALUE_NAME;
    char *name = malloc(name_len);

    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(name);
    for (size_t i = 0; i + 1 < size; i += 2) {
        bytes[i] = (unsigned char)unit;
        bytes[i + 1] = (unsigned char)(unit >> 8);
    }
    if (terminated) {
        memset(bytes + size - 2, 0, 2);
    }
    for (size_t i = 0; i < name_len; i += 3) {
        memcpy(name + i, "\xef\xbf\xbf", 3); /* the longest way to write a name */
    }
    rs_value value = {name, name_len, type, bytes, size};
    check_round_trip(&value);
    free(bytes);
    free(name);
}

static void test_largest_data(void)
{
    check_large(REG_BINARY, 0x1234, RS_MAX_DATA, false);
    check_large(REG_SZ, 'x', RS_MAX_DATA, true);
    check_large(REG_SZ, '"', XML_MAX_TEXT, false); /* both text and exact, every "x" a reference */
    check_large(REG_SZ, '"', RS_MAX_DATA, false);  /* text would be longer than any tag */
    check_large(REG_SZ, 0x4e00, XML_MAX_TEXT + 2, true);
    check_large(REG_MULTI_SZ, 'x', RS_MAX_DATA, true);
    check_large(REG_MULTI_SZ, 0, XML_MAX_TEXT / 64, true);
    check_large(0x20000, 0xffff, RS_MAX_DATA, false);
}

/* ---- What a file looks like ---- */

static void test_looks(void)
{
    static const char expected[] =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<hive regstore=\"1\">\n"
        "<node name=\"HKEY_USERS\\x\" root=\"1\" written=\"2010-02-02T13:42:44.1234567Z\">"
        "<mtime>2010-02-02T13:42:44Z</mtime>\n"
        " <value type=\"string\" default=\"1\" value=\"a &#9;&quot;\"/>\n"
        " <value type=\"int32\" key=\"n\" value=\"-1\"/>\n"
        " <value type=\"int32\" key=\"n\" value=\"1\" regtype=\"5\"/>\n"
        " <value type=\"string-list\" key=\"n\">\n"
        "  <string>x</string>\n"
        "  <string></string>\n"
        " </value>\n"
        " <value type=\"unknown\" encoding=\"base64\" key=\"n\" value=\"AQ==\" regtype=\"12\"/>\n"
        " <value type=\"bad-string\" encoding=\"base64\" key=\"n\" value=\"ANg=\"/>\n"
        " <value type=\"string\" key=\"n\" value=\"x\" exact=\"eAA=\"/>\n"
        " <value type=\"string\" key64=\"AAA=\" exact=\"BwAAAA==\"/>\n"
        "</node>\n"
        "</hive>\n";
    static const rs_value values[] = {
        {"", 0, REG_SZ, "a\0 \0\t\0\"\0\0\0", 10},
        {"n", 1, REG_DWORD, "\xff\xff\xff\xff", 4},
        {"n", 1, REG_DWORD_BIG_ENDIAN, "\0\0\0\1", 4},
        {"n", 1, REG_MULTI_SZ, "x\0\0\0\0\0", 6},
        {"n", 1, 12, "\1", 1},
        {"n", 1, REG_SZ, "\0\xd8", 2},
        {"n", 1, REG_SZ, "x\0", 2},
        {"\0", 1, REG_SZ, "\7\0\0\0", 4},
    };
    struct memory_output output;
    struct format_sink *sink;

    begin(&output, &sink);
    put_root(sink);
    for (size_t i = 0; i < ROWS(values); i++) {
        CU_ASSERT_EQUAL(sink->value(sink, &values[i]), RS_OK);
    }
    sink->key_end(sink);
    CU_ASSERT_EQUAL(format_xml.write_end(sink, true), RS_OK);
    buffer_terminate(&output.bytes);
    CU_ASSERT_STRING_EQUAL(output.bytes.data, expected);
    buffer_free(&output.bytes);
}

static int refuse_bytes(struct format_output *output, const void *bytes, size_t size)
{
    (void)output;
    (void)bytes;
    (void)size;
    return RS_EDISK;
}

static void test_output_that_fails(void)
{
    struct format_output output = {.write = refuse_bytes};
    struct format_sink *sink;

    CU_ASSERT_EQUAL_FATAL(format_xml.write_begin(&output, &sink), RS_OK);
    put_root(sink);
    CU_ASSERT_EQUAL(sink->key_end(sink), RS_OK); /* it is still in memory */
    CU_ASSERT_EQUAL(format_xml.write_end(sink, true), RS_EDISK);
    CU_ASSERT_EQUAL_FATAL(format_xml.write_begin(&output, &sink), RS_OK);
    CU_ASSERT_EQUAL(format_xml.write_end(sink, false), RS_OK);
}

const struct test_suite suite_format_xml_write = {
    "format_xml_write",
    (const struct test_case[]){
        {"data of all types", test_data_of_all_types},
        {"names of values", test_value_names},
        {"keys", test_keys},
        {"the largest data", test_largest_data},
        {"what a file looks like", test_looks},
        {"an output that fails", test_output_that_fails},
        {NULL, NULL},
    },
};
