/*
 * test_formats.c - the table of formats: names, endings, contents. Loading a module from a file is
 * shown by every case of tests/parser, as regtool has no module linked in.
 */
#include "harness.h"
#include "../regstore/format.h"

#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

static void test_names(void)
{
    const struct format *format = NULL;
    rs_error error = RS_ERROR_INIT;

    CU_ASSERT_EQUAL(format_by_name("XML", &format, NULL), RS_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(format);
    CU_ASSERT_STRING_EQUAL(format->name, "xml");
    format = NULL;
    CU_ASSERT_EQUAL(format_by_name("pdf", &format, &error), RS_ENOFORMAT);
    CU_ASSERT_STRING_EQUAL(error.text, "there is no format \"pdf\"");
    CU_ASSERT_PTR_NULL(format);
}

static void test_endings(void)
{
    const struct format *format = NULL;

    CU_ASSERT_EQUAL(format_by_suffix("a/b.XML", &format, NULL), RS_OK);
    CU_ASSERT_EQUAL(format_by_suffix(".xml", &format, NULL), RS_ENOFORMAT);
    CU_ASSERT_EQUAL(format_by_suffix("xml", &format, NULL), RS_ENOFORMAT);
    CU_ASSERT_EQUAL(format_by_suffix("a.xml.gz", &format, NULL), RS_ENOFORMAT);
    CU_ASSERT_EQUAL(format_by_suffix("", &format, NULL), RS_ENOFORMAT);
}

/* A file's first bytes, and the error's text, NULL if they are taken for XML. */
static const struct {
    const char *head;
    size_t size;
    const char *text;
} contents[] = {
#define HEAD(bytes) bytes, sizeof bytes - 1
    {HEAD("<hive>"), NULL},
    {HEAD("\xef\xbb\xbf \r\n\t<"), NULL},
    {HEAD("\xff\xfe<\0"), NULL}, /* the reader tells why not */
    {HEAD("\xfe\xff\0<"), NULL},
    {HEAD("PReg\1\0\0\0"), NULL},
    {HEAD(""), "f: the file is empty"},
    {HEAD(" \n"), "f: not a dump of a format that is known"},
    {HEAD("\0\0\0\0<"), "f: not a dump of a format that is known"},
    {HEAD("hive<"), "f: not a dump of a format that is known"},
    {HEAD("reg"), "f: not a dump of a format that is known"},
    {HEAD("\x1f\x8b\x08"), "f: a gzip file: unpack it first"},
    {HEAD("\xfd"
          "7zXZ\0"),
     "f: an xz file: unpack it first"},
};

static void test_contents(void)
{
    for (size_t i = 0; i < ROWS(contents); i++) {
        const struct format *format = NULL;
        rs_error error = RS_ERROR_INIT;
        int status = format_by_content(contents[i].head, contents[i].size, "f", &format, &error);
        CU_ASSERT_EQUAL(status, contents[i].text ? RS_ENOFORMAT : RS_OK);
        CU_ASSERT_STRING_EQUAL(error.text, contents[i].text ? contents[i].text : "");
        CU_ASSERT_EQUAL(format == NULL, contents[i].text != NULL);
    }
}

/* Which kind of XML it is, the outermost element tells, if it is near enough. */
static void test_kinds_of_xml(void)
{
    static const char *const preferences[] = {
        "<RegistrySettings clsid=''>", "\xef\xbb\xbf<?xml version='1.0'?>\r\n<RegistrySettings>",
        "<!-- <hive> -->\n<Collection\nname='x'>", "<Registry/>"};
    static const char *const dumps[] = {"<hive>",
                                        "<RegistrySettingsX>",
                                        "<Registry",
                                        "<?xml version='1.0'",
                                        "<!-- <RegistrySettings> -->",
                                        "<!-- <RegistrySettings>"};
    const struct format *format;

    for (size_t i = 0; i < ROWS(preferences); i++) {
        format = NULL;
        CU_ASSERT_EQUAL(
            format_by_content(preferences[i], strlen(preferences[i]), "f", &format, NULL), RS_OK);
        CU_ASSERT_STRING_EQUAL(format ? format->name : "", "gpp");
    }
    for (size_t i = 0; i < ROWS(dumps); i++) {
        format = NULL;
        CU_ASSERT_EQUAL(format_by_content(dumps[i], strlen(dumps[i]), "f", &format, NULL), RS_OK);
        CU_ASSERT_STRING_EQUAL(format ? format->name : "", "xml");
    }
}

const struct test_suite suite_formats = {
    "formats",
    (const struct test_case[]){
        {"names", test_names},
        {"endings", test_endings},
        {"contents", test_contents},
        {"kinds of XML", test_kinds_of_xml},
        {NULL, NULL},
    },
};
