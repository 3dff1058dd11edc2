/*
 * test_format_xml_filter.c - the parts under the XML format that stand alone: the filter, base64
 * and times.
 */
#include "harness.h"
#include "../regstore/format_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

/* A seeded generator (xorshift): the same numbers in every run. */
static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* ---- The filter ---- */

/* Text made of what the filter treats specially, and of letters that its escapes use. */
static size_t make_text(uint32_t *seed, char *text, size_t pieces)
{
    static const char *const parts[] = {
        "\x01",
        "\x1f",
        "\r",
        "\n",
        "\t",
        "A",
        "e",
        "f",
        "u",
        "u800",
        "\xef\xbf\xbe",
        "@",
        "_",
        "\xef\xbf\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xc3\xa9",
        "\xf0\x9f\x98\x80",
        "#38;",
        "\xed\x9f\xbf",
        "\xef\xbf\xbd",
        "\xf4\x8f\xbf\xbd",
        "\xf4\x8f\xbf\xbc",
        "\xf4\x8f\xbf\xbd\xf4\x8f\xbf\xbd",
    };
    size_t size = 0;

    for (size_t i = 0; i < pieces; i++) {
        const char *part = parts[next_random(seed) % ROWS(parts)];
        memcpy(text + size, part, strlen(part));
        size += strlen(part);
    }
    return size;
}

/* Filters text in pieces of random length, each with what the one before left. */
static void filter_in_pieces(uint32_t *seed, const char *text, size_t size, struct buffer *out)
{
    size_t taken = 0;
    size_t end = 0;

    while (taken < size) {
        size_t used;
        end += next_random(seed) % 9;
        if (end > size) {
            end = size;
        }
        CU_ASSERT_EQUAL_FATAL(xml_filter(text + taken, end - taken, end == size, out, &used),
                              RS_OK);
        CU_ASSERT_FATAL(used <= end - taken && end - taken - used < 32);
        taken += used;
    }
}

static void test_filter_is_undone(void)
{
    uint32_t seed = 20240501;

    for (int round = 0; round < 20000; round++) {
        char text[256];
        struct buffer out = BUFFER_INIT;
        size_t size = make_text(&seed, text, next_random(&seed) % 24);
        filter_in_pieces(&seed, text, size, &out);
        CU_ASSERT(size == 0 || xml_can_hold(out.data, out.size));
        CU_ASSERT_EQUAL(xml_original_size(out.data ? out.data : "", out.size), size);
        size_t back = out.size > 0 ? xml_unfilter(out.data, out.size, false) : 0;
        CU_ASSERT(back == size && (size == 0 || memcmp(out.data, text, size) == 0));
        buffer_free(&out);
    }
}

/* Input, and what the parser gets for it. */
static const struct {
    const char *in;
    const char *out;
} filtered[] = {
    {"plain & simple \t\n\r", "plain & simple \t\n\r"},
    {"\x01", "\xf4\x8f\xbf\xbd"
             "A"},
    {"\xed\xb0\x81", "\xf4\x8f\xbf\xbduc01"},
    {"&#x10FFFD;", "\xf4\x8f\xbf\xbd\xf4\x8f\xbf\xbd"},
    {"&#x0010fffd;", "\xf4\x8f\xbf\xbd\xf4\x8f\xbf\xbd"},
    {"&#1114109;", "\xf4\x8f\xbf\xbd\xf4\x8f\xbf\xbd"},
    {"&#x10FFFC;&amp;&#10;&;&#;&#x;", "&#x10FFFC;&amp;&#10;&;&#;&#x;"},
    {"&#x10FFFD", "&#x10FFFD"},
    {"&", "&"},
    {"\xed\xa0", "\xed\xa0"}, /* cut off: the parser refuses it */
    {"\xf4\x8f", "\xf4\x8f"},
    {"\xff\x80", "\xff\x80"},
};

static void test_filter_examples(void)
{
    for (size_t i = 0; i < ROWS(filtered); i++) {
        struct buffer out = BUFFER_INIT;
        size_t used;
        size_t size = strlen(filtered[i].in);
        CU_ASSERT_EQUAL(xml_filter(filtered[i].in, size, true, &out, &used), RS_OK);
        CU_ASSERT_EQUAL(used, size);
        buffer_terminate(&out);
        CU_ASSERT_STRING_EQUAL(out.data, filtered[i].out);
        buffer_free(&out);
    }
}

/* The filter looks at many bytes at once: one that needs an escape is found at each place of them,
 * and those beside it stay. */
static void test_filter_anywhere(void)
{
    static const char *const special[] = {"\x01",         "\x1f", "\xef\xbf\xbe",
                                          "\xed\xa0\x80", "\n",   "&"};
    static const char *const escaped[] = {"\xf4\x8f\xbf\xbd"
                                          "A",
                                          "\xf4\x8f\xbf\xbd_",
                                          "\xf4\x8f\xbf\xbd"
                                          "e",
                                          "\xf4\x8f\xbf\xbdu800",
                                          "\n",
                                          "&"};
    char in[160];
    char wanted[160];

    for (size_t which = 0; which < ROWS(special); which++) {
        for (int before = 0; before < 70; before++) {
            struct buffer out = BUFFER_INIT;
            size_t used;
            memset(in, '~', (size_t)before);
            int size = before + snprintf(in + before, sizeof in - (size_t)before, "%s%070d",
                                         special[which], 0);
            memset(wanted, '~', (size_t)before);
            snprintf(wanted + before, sizeof wanted - (size_t)before, "%s%070d", escaped[which], 0);
            CU_ASSERT_EQUAL(xml_filter(in, (size_t)size, true, &out, &used), RS_OK);
            CU_ASSERT_EQUAL(used, (size_t)size);
            CU_ASSERT_EQUAL_FATAL(out.size, strlen(wanted));
            CU_ASSERT_EQUAL(memcmp(out.data, wanted, out.size), 0);
            buffer_free(&out);
        }
    }
}

static void test_filter_refuses_nul(void)
{
    struct buffer out = BUFFER_INIT;
    size_t used;

    CU_ASSERT_EQUAL(xml_filter("ab\0c", 4, true, &out, &used), RS_EFORMAT);
    CU_ASSERT_EQUAL(used, 2);
    CU_ASSERT_EQUAL(out.size, 2);
    buffer_free(&out);
}

static void test_unfilter_attributes(void)
{
    char text[] = "a&#38;b&#38;#38;\xf4\x8f\xbf\xbd\xf4\x8f\xbf\xbd&#38;";
    size_t len = xml_unfilter(text, sizeof text - 1, true);

    text[len] = '\0';
    CU_ASSERT_STRING_EQUAL(text, "a&b&#38;\xf4\x8f\xbf\xbd&");
}

static void test_what_xml_can_hold(void)
{
    CU_ASSERT(xml_can_hold("a\t\r\n\x7f\xc2\x80\xef\xbf\xbd\xed\x9f\xbf\xf4\x8f\xbf\xbd", 17));
    CU_ASSERT_FALSE(xml_can_hold("\x1f", 1));
    CU_ASSERT_FALSE(xml_can_hold("", 1));
    CU_ASSERT_FALSE(xml_can_hold("\xef\xbf\xbe", 3));
    CU_ASSERT_FALSE(xml_can_hold("\xef\xbf\xbf", 3));
    CU_ASSERT_FALSE(xml_can_hold("\xed\xa0\x80", 3));
}

/* ---- Base64 ---- */

static void test_base64(void)
{
    uint32_t seed = 7;

    for (size_t size = 0; size < 200; size++) {
        unsigned char data[200];
        struct buffer text = BUFFER_INIT;
        struct buffer back = BUFFER_INIT;
        for (size_t i = 0; i < size; i++) {
            data[i] = (unsigned char)next_random(&seed);
        }
        CU_ASSERT_EQUAL(xml_base64_encode(&text, data, size), RS_OK);
        CU_ASSERT_EQUAL(text.size, (size + 2) / 3 * 4);
        CU_ASSERT_EQUAL(xml_base64_decode(&back, text.data ? text.data : "", text.size), RS_OK);
        CU_ASSERT_EQUAL_FATAL(back.size, size);
        CU_ASSERT(size == 0 || memcmp(back.data, data, size) == 0);
        buffer_free(&text);
        buffer_free(&back);
    }
}

/* The vectors of RFC 4648, section 10. */
static void test_base64_vectors(void)
{
    static const char *const vectors[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };

    for (size_t i = 0; i < ROWS(vectors); i++) {
        struct buffer text = BUFFER_INIT;
        CU_ASSERT_EQUAL(xml_base64_encode(&text, vectors[i][0], strlen(vectors[i][0])), RS_OK);
        buffer_terminate(&text);
        CU_ASSERT_STRING_EQUAL(text.data, vectors[i][1]);
        buffer_free(&text);
    }
}

/* ---- Times ---- */

/* FILETIMEs and how they are written; the numbers are computed apart from this program. */
static const struct {
    uint64_t time;
    bool fraction;
    const char *text;
} times[] = {
    {0, false, "1601-01-01T00:00:00Z"},
    {1, true, "1601-01-01T00:00:00.0000001Z"},
    {116444736000000000u, false, "1970-01-01T00:00:00Z"},
    {129095917640000000u, false, "2010-02-02T13:42:44Z"},
    {129095917641234567u, true, "2010-02-02T13:42:44.1234567Z"},
    {125963423990000000u, false, "2000-02-29T23:59:59Z"},
    {125963424000000000u, false, "2000-03-01T00:00:00Z"},
    {157520159990000000u, false, "2100-02-28T23:59:59Z"},
    {2650467743999999999u, true, "9999-12-31T23:59:59.9999999Z"},
    {2650467744000000000u, false, "10000-01-01T00:00:00Z"},
    {UINT64_MAX, true, "60056-05-28T05:36:10.9551615Z"},
};

/* Whole groups are decoded on a faster way than what is broken by white space or wrong. */
static void test_base64_broken_anywhere(void)
{
    static const char text[] = "QUJDREVGR0hJSktM"; /* of "ABCDEFGHIJKL" */
    static const struct {
        char character;
        int status;
    } put_in[] = {{' ', RS_OK},    {'\n', RS_OK},    {'*', RS_EDATA},
                  {'=', RS_EDATA}, {'\0', RS_EDATA}, {(char)0xc3, RS_EDATA}};

    for (size_t which = 0; which < ROWS(put_in); which++) {
        for (size_t at = 0; at < sizeof text - 1; at++) {
            char broken[sizeof text];
            struct buffer out = BUFFER_INIT;
            memcpy(broken, text, at);
            broken[at] = put_in[which].character;
            memcpy(broken + at + 1, text + at, sizeof text - 1 - at);
            CU_ASSERT_EQUAL(xml_base64_decode(&out, broken, sizeof broken), put_in[which].status);
            if (put_in[which].status == RS_OK) {
                CU_ASSERT_EQUAL_FATAL(out.size, 12);
                CU_ASSERT_EQUAL(memcmp(out.data, "ABCDEFGHIJKL", 12), 0);
            }
            buffer_free(&out);
        }
    }
}

static void test_times(void)
{
    for (size_t i = 0; i < ROWS(times); i++) {
        struct buffer text = BUFFER_INIT;
        uint64_t time = 99;
        CU_ASSERT_EQUAL(xml_time_print(&text, times[i].time, times[i].fraction), RS_OK);
        buffer_terminate(&text);
        CU_ASSERT_STRING_EQUAL(text.data, times[i].text);
        CU_ASSERT_EQUAL(xml_time_parse(text.data, text.size, &time), RS_OK);
        CU_ASSERT_EQUAL(time, times[i].time);
        buffer_free(&text);
    }
}

static void test_decimals(void)
{
    static const char text[] = "2010-02-02T13:42:44.5Z";
    uint64_t time = 0;
    CU_ASSERT_EQUAL(xml_time_parse(text, sizeof text - 1, &time), RS_OK);
    CU_ASSERT_EQUAL(time, 129095917645000000u);
}

/* What looks like an escape and is none stays as it is. */
static void test_unfilter_stray_marks(void)
{
    static const char stray[] = "\xf4\x8f\xbf\xbdu12z \xf4\x8f\xbf\xbdzz \xf4\x8f\xbf\xbd";
    char text[sizeof stray];
    memcpy(text, stray, sizeof stray);
    CU_ASSERT_EQUAL(xml_unfilter(text, sizeof stray - 1, false), sizeof stray - 1);
    CU_ASSERT_EQUAL(memcmp(text, stray, sizeof stray), 0);
}

static void test_bad_times(void)
{
    static const char *const bad[] = {
        "",
        "2010-02-02T13:42:44",
        "2010-02-02 13:42:44Z",
        "2010-02-30T13:42:44Z",
        "2100-02-29T00:00:00Z",
        "2010-13-01T13:42:44Z",
        "2010-00-01T13:42:44Z",
        "2010-01-00T13:42:44Z",
        "2010-02-02T24:42:44Z",
        "2010-02-02T13:60:44Z",
        "2010-02-02T13:42:60Z",
        "2010-02-02T13:42:4Z",
        "2010-02-02T13:42:4.1Z",
        "2010-02-02T13:42:44.Z",
        "2010-02-02T13:42:44.12345678Z",
        "2010-02-02T13:42:44.1",
        "2010-02-02T13:42:44ZZ",
        "1600-12-31T23:59:59Z",
        "60056-05-28T05:36:10.9551616Z", /* one behind the last */
        "60056-12-31T00:00:00Z",
        "60057-01-01T00:00:00Z",
        "+2010-02-02T13:42:44Z",
        " 2010-02-02T13:42:44Z",
    };

    for (size_t i = 0; i < ROWS(bad); i++) {
        uint64_t time = 99;
        CU_ASSERT_EQUAL(xml_time_parse(bad[i], strlen(bad[i]), &time), RS_EDATA);
        CU_ASSERT_EQUAL(time, 99);
    }
}

const struct test_suite suite_format_xml_filter = {
    "format_xml_filter",
    (const struct test_case[]){
        {"the filter is undone", test_filter_is_undone},
        {"the filter by example", test_filter_examples},
        {"the filter at any place", test_filter_anywhere},
        {"a NUL is refused", test_filter_refuses_nul},
        {"attributes are undone", test_unfilter_attributes},
        {"what XML can hold", test_what_xml_can_hold},
        {"base64", test_base64},
        {"base64: vectors of RFC 4648", test_base64_vectors},
        {"base64: broken at any place", test_base64_broken_anywhere},
        {"times", test_times},
        {"bad times", test_bad_times},
        {"decimals", test_decimals},
        {"stray marks stay", test_unfilter_stray_marks},
        {NULL, NULL},
    },
};
