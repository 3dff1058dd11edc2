/*
 * test_format_xml_limits.c - what the reader of XML dumps takes at most: depth, names, data,
 * markup; each limit from both sides.
 */
#include "harness.h"
#include "recorder.h"
#include "../regstore/format_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME "<mtime>2010-02-02T13:42:44Z</mtime>"

/* A dump of nested keys: the root and so many below it. */
static char *nested(unsigned levels)
{
    struct buffer dump = BUFFER_INIT;

    buffer_append_text(&dump, "<hive><node name=\"r\" root=\"1\">" TIME);
    for (unsigned i = 0; i < levels; i++) {
        buffer_append_text(&dump, "<node name=\"k\">" TIME);
    }
    for (unsigned i = 0; i <= levels; i++) {
        buffer_append_text(&dump, "</node>");
    }
    buffer_append_text(&dump, "</hive>");
    buffer_terminate(&dump);
    return dump.data;
}

static void test_depth(void)
{
    rs_error error = RS_ERROR_INIT;
    char *deep = nested(RS_MAX_DEPTH);
    char *deeper = nested(RS_MAX_DEPTH + 1);
    char *lines = events_of(deep, strlen(deep), &error);

    CU_ASSERT_EQUAL(error.status, RS_OK);
    free(lines);
    lines = events_of(deeper, strlen(deeper), &error);
    CU_ASSERT_EQUAL(error.status, RS_EDEPTH);
    CU_ASSERT(strstr(error.text, "keys are nested deeper than 512") != NULL);
    CU_ASSERT_EQUAL(error.offset, 30 + 35 + 512u * (15 + 35));
    free(lines);
    free(deep);
    free(deeper);
}

/* A dump with a name of so many letters. */
static char *with_name(const char *before, size_t letters, const char *after)
{
    struct buffer dump = BUFFER_INIT;

    buffer_append_text(&dump, "<hive><node name=\"r\" root=\"1\">" TIME);
    buffer_append_text(&dump, before);
    for (size_t i = 0; i < letters; i++) {
        buffer_append_text(&dump, "\xc3\x9f");
    }
    buffer_append_text(&dump, after);
    buffer_append_text(&dump, "</node></hive>");
    buffer_terminate(&dump);
    return dump.data;
}

static int status_of(char *dump)
{
    rs_error error = RS_ERROR_INIT;

    free(events_of(dump, strlen(dump), &error));
    free(dump);
    return error.status;
}

static void test_name_lengths(void)
{
    static const char value[] = "<value type=\"int32\" key=\"";

    CU_ASSERT_EQUAL(status_of(with_name("<node name=\"", 255, "\"/>")), RS_OK);
    CU_ASSERT_EQUAL(status_of(with_name("<node name=\"", 256, "\"/>")), RS_ETOOLONG);
    CU_ASSERT_EQUAL(status_of(with_name(value, 16383, "\" value=\"1\"/>")), RS_OK);
    CU_ASSERT_EQUAL(status_of(with_name(value, 16384, "\" value=\"1\"/>")), RS_ETOOLONG);
}

/* A dump with one attribute of so many "A". */
static int status_of_data(const char *tag, size_t letters, const char *after)
{
    struct buffer dump = BUFFER_INIT;
    rs_error error = RS_ERROR_INIT;

    buffer_append_text(&dump, "<hive><node name=\"r\" root=\"1\">");
    buffer_append_text(&dump, tag);
    buffer_reserve(&dump, letters);
    memset(dump.data + dump.size, 'A', letters);
    dump.size += letters;
    buffer_append_text(&dump, after);
    buffer_append_text(&dump, "</node></hive>");
    free(events_of(dump.data, dump.size, &error));
    buffer_free(&dump);
    return error.status;
}

static void test_data_sizes(void)
{
    static const char binary[] = "<value type=\"binary\" encoding=\"base64\" key=\"a\" value=\"";
    static const char list[] = "<value type=\"string-list\" key=\"a\"><string>";
    size_t most = RS_MAX_DATA / 3 * 4; /* and one byte more of data: "AA==" */

    CU_ASSERT_EQUAL(status_of_data(binary, most, "AA==\"/>"), RS_OK);
    CU_ASSERT_EQUAL(status_of_data(binary, most, "AAA=\"/>"), RS_ETOOBIG);
    CU_ASSERT_EQUAL(status_of_data(list, RS_MAX_DATA / 2 - 1, "</string></value>"), RS_OK);
    CU_ASSERT_EQUAL(status_of_data(list, RS_MAX_DATA / 2, "</string></value>"), RS_ETOOBIG);
    CU_ASSERT_EQUAL(status_of_data("<!--", XML_MAX_MARKUP - 2 * XML_CHUNK, "-->"), RS_OK);
    CU_ASSERT_EQUAL(status_of_data("<!--", XML_MAX_MARKUP + 2 * XML_CHUNK, "-->"), RS_ETOOBIG);
    CU_ASSERT_EQUAL(status_of_data("<node name=\">", XML_MAX_MARKUP + 2 * XML_CHUNK, "\"/>"),
                    RS_ETOOBIG);
}

/* Every construct that a dump may have. */
static const char constructs[] =
    "\xef\xbb\xbf<?xml version=\"1.0\" encoding='UTF-8' standalone=\"yes\"?>\n"
    "<!-- before - the dump -->\n<?before it?>\n"
    "<hive ><mtime>2010-02-02T13:42:44Z</mtime>\n"
    "<node name='r' root=\"1\">" TIME "<byte_runs>"
    "<byte_run file_offset=\"4096\" len=\"88\"/></byte_runs>\n"
    "<value type=\"string\" default=\"1\" value=\"&lt;&quot;&#65;&#x20ac;\xe2\x82\xac\"/>"
    "<value type=\"string-list\" key=\"l\"><string>one &amp; two</string><string/>\n"
    "</value>\n"
    "<value type=\"binary\" encoding=\"base64\" key=\"b\" value=\"AAEC\"></value\n>"
    "<node name=\"\xf0\x9f\x98\x80\">" TIME "<!-- a --><?b c?></node>\n"
    "</node ></hive>";

/* A file that ends in the middle of anything is refused, at a place within it. */
static void test_cut_everywhere(void)
{
    rs_error error = RS_ERROR_INIT;

    free(events_of(constructs, sizeof constructs - 1, &error));
    CU_ASSERT_EQUAL_FATAL(error.status, RS_OK);
    for (size_t size = 0; size < sizeof constructs - 1; size++) {
        char *cut = malloc(size + 1); /* so that a read beyond the end is seen */
        error = (rs_error)RS_ERROR_INIT;
        CU_ASSERT_PTR_NOT_NULL_FATAL(cut);
        memcpy(cut, constructs, size);
        cut = realloc(cut, size > 0 ? size : 1);
        free(events_of(cut, size, &error));
        CU_ASSERT_EQUAL(error.status, RS_EFORMAT);
        CU_ASSERT(error.offset <= size);
        CU_ASSERT(strncmp(error.text, "dump.xml:", 9) == 0);
        free(cut);
    }
}

const struct test_suite suite_format_xml_limits = {
    "format_xml_limits",
    (const struct test_case[]){
        {"depth", test_depth},
        {"lengths of names", test_name_lengths},
        {"sizes of data and of markup", test_data_sizes},
        {"a dump cut at every byte", test_cut_everywhere},
        {NULL, NULL},
    },
};
