/*
 * test_format_xml_tags.c - the count of a tag's attributes in front of the parser: markup cut at
 * each place, and what the reader says of a dump with too many.
 */
#include "harness.h"
#include "recorder.h"
#include "../regstore/format_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

/* Markup in short: "@" stands for as many attributes as a tag may have, "#" for one less, "~" for
 * nothing: it is where the parser's bytes must end. Without "~" the parser gets all. */
static const char *const markups[] = {
    "<v@/>",
    "<v@ a=~'1'/>",
    "<v@ a=~\"1\"/>",
    "<v@\n\t \ra\n=\n~'1'\n/>",
    "<v@ xmlns:a=~''/>",
    "<v@>\"'\"</v><v@ >",
    "<v@/><v@/>",
    "<a b='1'/><c/>text \"<v@ a=~''/>",
    "</v>\"'\"<v@ a=~''/>",
    /* Values hold the other quote and ">". */
    "<v a=\"'>/>\"#/><v#/>'>\"<v@/>",
    "<v a=\"'>/>\"# b=~''/>",
    "<v a='\">/>'# b=~''/>",
    "<v a=''# b=~\"\"/>",
    "<v# b='>' c=~\"\"/>",
    /* Nothing counts in comments. */
    "<!--\"--><v@/>",
    "<!--\"--><v@ a=~''/>",
    "<!--'<v>@ a=''- -> --><v@ a=~''/>",
    "<!----><v@ a=~''/>",
    "<!--->@ a=''--><v@ a=~''/>",
    "<!--><v@ a=''/>--><v@ a=~''/>",
    "<!-- ---><v@ a=~''/>",
    "<v@><!--\"--></v><v@ a=~''/>",
    /* Nor in instructions. */
    "<?xml version='1.0'?>\n<v@ a=~''/>",
    "<?p@ a=''?><v@/>",
    "<?p \"> ? ?\?><v@ a=~''/>",
    "<?p <v@ a=''> -->?><v@ a=~''/>",
    /* What the parser refuses it may see. */
    "<!DOCTYPE v@ a=''><v@ a=''/>",
    "<![CDATA[<v@ a=''/>]]><v@ a=''/>",
    "<!-x@ a=''/><v@ a=''/>",
};

/* Markup written out; *allowed is where "~" stands. */
static struct buffer write_out(const char *markup, size_t *allowed)
{
    struct buffer text = BUFFER_INIT;

    *allowed = SIZE_MAX;
    for (; *markup; markup++) {
        if (*markup == '~') {
            *allowed = text.size;
        } else if (*markup == '@' || *markup == '#') {
            for (unsigned i = *markup == '#'; i < XML_MAX_TAG_ATTRIBUTES; i++) {
                char attribute[32];
                snprintf(attribute, sizeof attribute, " a%u=%s", i, i % 2 ? "'\"'" : "\"'\"");
                buffer_append_text(&text, attribute);
            }
        } else {
            buffer_append(&text, markup, 1);
        }
    }
    if (*allowed == SIZE_MAX) {
        *allowed = text.size;
    }
    return text;
}

/* Follows text in two pieces, the second of them byte by byte if asked. */
static size_t follow(const struct buffer *text, size_t cut, bool single)
{
    struct xml_tags tags = {0};
    size_t at = xml_tags_follow(&tags, text->data, cut);

    if (at < cut) {
        return at;
    }
    while (single && at < text->size && xml_tags_follow(&tags, text->data + at, 1) == 1) {
        at++;
    }
    return single ? at : at + xml_tags_follow(&tags, text->data + at, text->size - at);
}

static void test_markups(void)
{
    for (size_t i = 0; i < ROWS(markups); i++) {
        size_t allowed;
        struct buffer text = write_out(markups[i], &allowed);
        bool right = follow(&text, 0, true) == allowed;
        for (size_t cut = 0; cut <= text.size; cut++) {
            right = right && follow(&text, cut, false) == allowed;
        }
        CU_ASSERT(right);
        if (!right) {
            printf("\n%s\n", markups[i]);
        }
        buffer_free(&text);
    }
}

/* Once full, the count stays so. */
static void test_stays_full(void)
{
    size_t allowed;
    struct buffer text = write_out("<v@ a=~''/><v/>", &allowed);
    struct xml_tags tags = {0};

    CU_ASSERT_EQUAL(xml_tags_follow(&tags, text.data, text.size), allowed);
    CU_ASSERT_EQUAL(xml_tags_follow(&tags, text.data + allowed, text.size - allowed), 0);
    CU_ASSERT_EQUAL(xml_tags_follow(&tags, "<v/>", 4), 0);
    buffer_free(&text);
}

/* ---- The reader ---- */

/* A comment may begin with what looks like its end, also where a chunk cuts it. */
static void test_comments(void)
{
    static const char *const begins[] = {"", ">", "->", "->-", "- ->", " >"};

    for (size_t i = 0; i < ROWS(begins); i++) {
        char dump[400];
        int size = snprintf(dump, sizeof dump,
                            "<?xml version=\"1.0\"?>\n<!--%s%0150d--><hive><!----><node name=\"r\" "
                            "root=\"1\"></node></hive>",
                            begins[i], 1);
        for (size_t chunk = 40; chunk < 300; chunk += 7) {
            struct recorder recorder;
            rs_error error = RS_ERROR_INIT;
            recorder_begin(&recorder);
            CU_ASSERT_EQUAL(read_memory(dump, (size_t)size, chunk, chunk, &recorder.sink, &error),
                            RS_OK);
            recorder_free(&recorder);
        }
    }
}

#define HEAD "<hive>\r\n<node name=\"\x01\" root=\"1\">\n"
#define FULL "a tag with more than 64 attributes"

/* A dump in short, the error's text after its place, and the place. */
static const struct {
    const char *markup;
    const char *text;
    const char *place;
} dumps[] = {
    {HEAD "x<v@/>", "text where none may be, in <node>", "x<v"},
    {HEAD " <value@/>", "unknown attribute \"a0\" of <value>", "<value"},
    {HEAD " <value@\n a='1'/>", FULL, "<value"},
    {HEAD " \n<value\n key='\x03>'@/></node>\x03", FULL, "<value"},
    {HEAD "<!--'@ a=''--><?p@ '?><node name=\"n\"@\r\n/>\x03", FULL, "<node name=\"n\""},
    {"<hive@ a=''>", FULL, "<hive"},
    {HEAD "</node@ a=''>", FULL, "</node"},
    /* What is wrong before such a tag comes first. */
    {HEAD "<colour/><v@ a=''/>", "unknown element <colour>", "<colour"},
    {HEAD "<node name=\"n\" b=\"1\"/>\x03<v@ a=''/>", "unknown attribute \"b\" of <node>",
     "<node name=\"n\""},
    {"<!DOCTYPE v><v@ a=''/>", "a DOCTYPE: hive dumps have none, and it is not read", NULL},
    {HEAD "<![CDATA[<v@ a=''/>]]><v@ a=''/>", "a CDATA section: hive dumps have none", NULL},
};

/* The text of an error after its place. */
static const char *said(const rs_error *error)
{
    const char *place = strstr(error->text, ": offset ");
    const char *text = place ? strstr(place + 2, ": ") : NULL;

    return text ? text + 2 : error->text;
}

static uint64_t line_of(const char *text, const char *at)
{
    uint64_t line = 1;

    for (; text < at; text++) {
        line += *text == '\n';
    }
    return line;
}

/* A dump is refused with this text at this place, however it is cut. */
static void check_dump(const struct buffer *dump, const char *text, const char *place)
{
    for (size_t chunk = 33; chunk < dump->size + 33; chunk++) {
        struct recorder recorder;
        rs_error error = RS_ERROR_INIT;
        recorder_begin(&recorder);
        CU_ASSERT_EQUAL(read_memory(dump->data, dump->size, chunk, chunk, &recorder.sink, &error),
                        RS_EFORMAT);
        CU_ASSERT_STRING_EQUAL(said(&error), text);
        if (place) {
            CU_ASSERT_EQUAL(error.offset, (uint64_t)(place - dump->data));
            CU_ASSERT_EQUAL(error.line, line_of(dump->data, place));
        }
        recorder_free(&recorder);
    }
}

static void test_dumps(void)
{
    for (size_t i = 0; i < ROWS(dumps); i++) {
        size_t allowed;
        struct buffer dump = write_out(dumps[i].markup, &allowed);
        buffer_terminate(&dump);
        check_dump(&dump, dumps[i].text, dumps[i].place ? strstr(dump.data, dumps[i].place) : NULL);
        buffer_free(&dump);
    }
}

const struct test_suite suite_format_xml_tags = {
    "format_xml_tags",
    (const struct test_case[]){
        {"markup, cut at each place", test_markups},
        {"once full, always full", test_stays_full},
        {"what the reader says of dumps", test_dumps},
        {"comments", test_comments},
        {NULL, NULL},
    },
};
