/*
 * test_format_xml_gpp.c - Group Policy's Registry.xml: items as events, what is left out, malformed
 * files, limits, and what comes of it in a store.
 */
#include "harness.h"
#include "recorder.h"
#include "transfer_helpers.h"
#include "../regstore/format_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])
#define LIST(content)                                                                              \
    "<?xml version=\"1.0\"?>\n<RegistrySettings clsid=\"{1}\">" content "</RegistrySettings>"
#define ITEM(attributes)                                                                           \
    "<Registry name=\"n\" status=\"s\" image=\"7\"><Properties " attributes "/></Registry>"
#define K "hive=\"HKEY_LOCAL_MACHINE\" key=\"A\\B\" "
#define V K "name=\"v\" "
#define DWORD7 "type=\"REG_DWORD\" value=\"00000007\""
#define PATH "HKEY_LOCAL_MACHINE\\A\\B"
#define FILTERS(content) "<Filters>" content "</Filters>"
#define FILTER "<FilterComputer bool=\"AND\" not=\"0\" type=\"NETBIOS\" name=\"PC\"/>"
#define FILTERED(attributes, filters) "<Registry><Properties " attributes "/>" filters "</Registry>"

/* ---- Events ---- */

static const struct {
    const char *file;
    const char *events;
} meanings[] = {
    {LIST(""), ""},
    {"<RegistrySettings/>", ""},
    {LIST(ITEM(V DWORD7)), "key " PATH " absolute\nvalue v type=4 size=4 07000000\nend\n"},
    {LIST(ITEM("action=\"U\" displayDecimal=\"1\" " V "type=\"REG_DWORD\" value=\"10\"")),
     "key " PATH " absolute\nvalue v type=4 size=4 10000000\nend\n"},
    {LIST(ITEM("action=\"R\" " V DWORD7)),
     "key " PATH " absolute\nvalue v type=4 size=4 07000000\nend\n"},
    {LIST(ITEM("action=\"C\" " V DWORD7)),
     "key " PATH " absolute\nadd-value v type=4 size=4 07000000\nend\n"},
    {LIST(ITEM("action=\"D\" " V DWORD7)), "key " PATH " if-there absolute\ndelete-value v\nend\n"},
    {LIST(ITEM("action=\"D\" " V "type=\"REG_ODD\" value=\"?\"")),
     "key " PATH " if-there absolute\ndelete-value v\nend\n"},
    {LIST(ITEM("action=\"U\" default=\"1\" " K "type=\"REG_SZ\" value=\"d\"")),
     "key " PATH " absolute\nvalue  type=1 size=4 64000000\nend\n"},
    {LIST(ITEM("action=\"D\" default=\"1\" " V "type=\"REG_SZ\" value=\"\"")),
     "key " PATH " if-there absolute\ndelete-value \nend\n"},
    {LIST(ITEM("action=\"C\" default=\"0\" " K "name=\"\" type=\"REG_SZ\" value=\"\"")),
     "key " PATH " absolute\nend\n"},
    {LIST(ITEM("action=\"R\" " K)), "key " PATH " absolute\ndelete-values\ndelete-subkeys\nend\n"},
    {LIST(ITEM("action=\"D\" " K)), "delete-key " PATH " if-there absolute\n"},
    {LIST(ITEM(V "type=\"REG_EXPAND_SZ\" value=\"&lt;%a%&amp;\"")),
     "key " PATH " absolute\nvalue v type=2 size=12 3c0025006100250026000000\nend\n"},
    {LIST(ITEM(V "type=\"REG_SZ\"")), "key " PATH " absolute\nvalue v type=1 size=2 0000\nend\n"},
    {LIST(ITEM(V "type=\"REG_QWORD\" value=\"00000001fFFFFFFF\"")),
     "key " PATH " absolute\nvalue v type=11 size=8 ffffffff01000000\nend\n"},
    {LIST(ITEM(V "type=\"REG_BINARY\" value=\"00 0f FF\"")),
     "key " PATH " absolute\nvalue v type=3 size=3 000fff\nend\n"},
    {LIST(ITEM(V "type=\"REG_BINARY\" value=\"\"")),
     "key " PATH " absolute\nvalue v type=3 size=0 \nend\n"},
    {LIST("<Registry><Properties " V "type=\"REG_MULTI_SZ\" value=\"a b\">\n<Values>"
          "<Value>a</Value><Value>b c</Value></Values></Properties></Registry>"),
     "key " PATH " absolute\nvalue v type=7 size=14 6100000062002000630000000000\nend\n"},
    {LIST(ITEM(V "type=\"REG_MULTI_SZ\" value=\"a b\"")),
     "key " PATH " absolute\nvalue v type=7 size=10 61002000620000000000\nend\n"},
    {LIST(ITEM(V "type=\"REG_MULTI_SZ\" value=\"\"")),
     "key " PATH " absolute\nvalue v type=7 size=2 0000\nend\n"},
    {LIST(ITEM("hive=\"HKEY_CURRENT_USER\" key=\"\\S\" name=\"v\" " DWORD7)),
     "key HKEY_CURRENT_USER\\S absolute\nvalue v type=4 size=4 07000000\nend\n"},
    {LIST(ITEM("hive=\"HKEY_USERS\" key=\"\" name=\"v\" " DWORD7)),
     "key HKEY_USERS absolute\nvalue v type=4 size=4 07000000\nend\n"},
    {"<Collection name=\"c\">" ITEM(V DWORD7) "</Collection>",
     "key " PATH " absolute\nvalue v type=4 size=4 07000000\nend\n"},
    {ITEM("action=\"D\" " V), "key " PATH " if-there absolute\ndelete-value v\nend\n"},
    /* what is left out */
    {LIST("<Registry disabled=\"1\"><Properties " V DWORD7 "/></Registry>"),
     "left-out 8 " PATH " value v\n"},
    {LIST("<Registry disabled=\"0\"><Properties " V DWORD7 "/></Registry>"),
     "key " PATH " absolute\nvalue v type=4 size=4 07000000\nend\n"},
    {LIST(FILTERED(V DWORD7, FILTERS(FILTER))), "left-out 7 " PATH " value v\n"},
    {LIST(FILTERED("action=\"D\" " K, FILTERS("<FilterCollection>" FILTER "</FilterCollection>"))),
     "left-out 7 " PATH "\n"},
    {LIST(FILTERED(V DWORD7, FILTERS(""))),
     "key " PATH " absolute\nvalue v type=4 size=4 07000000\nend\n"},
    {LIST(FILTERED(V DWORD7, FILTERS("<FilterRunOnce id=\"{2}\"/>"))),
     "key " PATH " absolute\nvalue v type=4 size=4 07000000\nend\n"},
    {LIST(ITEM("bitfield=\"1\" " V DWORD7)), "left-out 10 " PATH " value v\n"},
    {LIST("<Registry><Properties " V DWORD7 "><SubProp id=\"a\" value=\"1\" mask=\"1\"/>"
          "</Properties></Registry>"),
     "left-out 10 " PATH " value v\n"},
    /* Filters behind the items, and what goes for an outer collection */
    {LIST("<Collection><Collection>" ITEM(V DWORD7) "</Collection>" FILTERS(FILTER)
              ITEM("action=\"D\" " K) "</Collection>" ITEM("action=\"D\" " K)),
     "left-out 7 " PATH " value v\nleft-out 7 " PATH "\ndelete-key " PATH " if-there absolute\n"},
    {LIST("<Collection><Collection disabled=\"1\">" ITEM("action=\"D\" " K) "</Collection>" ITEM(
         "action=\"D\" " V) FILTERS(FILTER) "</Collection>"),
     "left-out 8 " PATH "\nleft-out 7 " PATH " value v\n"},
    {"<RegistrySettings disabled=\"1\">" ITEM("action=\"D\" " K) "</RegistrySettings>",
     "left-out 8 " PATH "\n"},
};

static void test_meanings(void)
{
    for (size_t i = 0; i < ROWS(meanings); i++) {
        rs_error error = RS_ERROR_INIT;
        char *events = events_as(&format_gpp, meanings[i].file, strlen(meanings[i].file), &error);

        CU_ASSERT_STRING_EQUAL(error.text, "");
        CU_ASSERT_STRING_EQUAL(events, meanings[i].events);
        if (strcmp(events, meanings[i].events) != 0) {
            printf("\nrow %zu: %s\n%s", i, error.text, events);
        }
        free(events);
    }
}

/* ---- Refusals ---- */

static const struct {
    const char *file;
    int status;
    const char *text; /* behind the place */
} refusals[] = {
    {"<RegistrySettings>", RS_EFORMAT, "the dump ends in the middle"},
    {LIST("<Registry/>"), RS_EFORMAT, "a <Registry> without <Properties>"},
    {LIST("<Registry><Properties " K "/><Properties " K "/></Registry>"), RS_EFORMAT,
     "<Properties> twice in <Registry>"},
    {LIST("<Other/>"), RS_EFORMAT, "<Other> may not stand in <RegistrySettings>"},
    {LIST("<Properties/>"), RS_EFORMAT, "<Properties> may not stand in <RegistrySettings>"},
    {LIST(FILTERS("")), RS_EFORMAT, "<Filters> may not stand in <RegistrySettings>"},
    {"<Values/>", RS_EFORMAT, "<Values> may not stand there"},
    {LIST("text"), RS_EFORMAT, "text where none may be, in <RegistrySettings>"},
    {LIST(ITEM("action=\"X\" " K)), RS_EFORMAT, "unknown action \"X\""},
    {LIST(ITEM("action=\"\" " K)), RS_EFORMAT, "unknown action \"\""},
    {LIST(ITEM("hive=\"HKEY_REGSTORE\" key=\"A\"")), RS_EFORMAT, "unknown hive \"HKEY_REGSTORE\""},
    {LIST(ITEM("key=\"A\"")), RS_EFORMAT, "unknown hive \"\""},
    {LIST(ITEM(V)), RS_EFORMAT, "value \"v\": unknown type \"\""},
    {LIST(ITEM(V "type=\"REG_ODD\" value=\"1\"")), RS_EFORMAT,
     "value \"v\": unknown type \"REG_ODD\""},
    {LIST(ITEM(V "type=\"REG_DWORD\" value=\"\"")), RS_EFORMAT,
     "value \"v\": \"\" is not a REG_DWORD in hexadecimal digits"},
    {LIST(ITEM(V "type=\"REG_DWORD\" value=\"100000000\"")), RS_EFORMAT,
     "value \"v\": \"100000000\" is not a REG_DWORD in hexadecimal digits"},
    {LIST(ITEM(V "type=\"REG_QWORD\" value=\"0x1\"")), RS_EFORMAT,
     "value \"v\": \"0x1\" is not a REG_QWORD in hexadecimal digits"},
    {LIST(ITEM(V "type=\"REG_BINARY\" value=\"123\"")), RS_EFORMAT,
     "value \"v\": \"123\" is not a REG_BINARY in hexadecimal digits"},
    {LIST("<Registry><Properties " V DWORD7 "><Values><Value>a</Value></Values></Properties>"
          "</Registry>"),
     RS_EFORMAT, "value \"v\": <Value> in what is no list"},
    {LIST("<Registry><Properties " V DWORD7 "><Values/><Values/></Properties></Registry>"),
     RS_EFORMAT, "<Values> twice in <Properties>"},
    {"<!DOCTYPE x><RegistrySettings/>", RS_EFORMAT,
     "a DOCTYPE: preference files have none, and it is not read"},
    {"<RegistrySettings xmlns=\"urn:x\"/>", RS_EFORMAT,
     "<RegistrySettings> with a namespace: preference files have none"},
    {"<RegistrySettings><![CDATA[x]]></RegistrySettings>", RS_EFORMAT,
     "a CDATA section: preference files have none"},
};

static void test_refusals(void)
{
    for (size_t i = 0; i < ROWS(refusals); i++) {
        rs_error error = RS_ERROR_INIT;

        free(events_as(&format_gpp, refusals[i].file, strlen(refusals[i].file), &error));
        const char *text = strstr(error.text, ": offset ");
        text = text ? strstr(text + 3, ": ") : NULL;
        CU_ASSERT_EQUAL(error.status, refusals[i].status);
        CU_ASSERT_STRING_EQUAL(text ? text + 2 : error.text, refusals[i].text);
    }
}

/* So many may be open at a time, and no more. */
static void expect_depth(const char *before, const char *opening, const char *text)
{
    struct buffer file = BUFFER_INIT;
    rs_error error = RS_ERROR_INIT;

    buffer_append_text(&file, before);
    for (size_t i = 0; i < 64; i++) {
        buffer_append_text(&file, opening);
    }
    free(events_as(&format_gpp, file.data, file.size, &error));
    CU_ASSERT_EQUAL(error.status, RS_EFORMAT); /* it ends in the middle */
    buffer_append_text(&file, opening);
    error = (rs_error)RS_ERROR_INIT;
    free(events_as(&format_gpp, file.data, file.size, &error));
    CU_ASSERT_EQUAL(error.status, RS_EDEPTH);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, text));
    buffer_free(&file);
}

static void test_limits(void)
{
    struct buffer file = BUFFER_INIT;
    rs_error error = RS_ERROR_INIT;

    expect_depth("", "<Collection>", "collections are nested deeper than 64");
    expect_depth("<Collection><Filters>", "<FilterCollection>",
                 "filters are nested deeper than 64");
    buffer_append_text(&file, "<Registry><Properties hive=\"HKEY_USERS\" key=\"k\" name=\"");
    for (size_t i = 0; i <= RS_MAX_VALUE_NAME; i++) {
        buffer_append_byte(&file, 'n');
    }
    buffer_append_text(&file, "\" " DWORD7 "/></Registry>");
    free(events_as(&format_gpp, file.data, file.size, &error));
    CU_ASSERT_EQUAL(error.status, RS_ETOOLONG);
    buffer_free(&file);
}

/* A collection is kept until it ends, but not without a limit; items outside of one are not kept.
 */
static void test_kept(void)
{
    struct buffer file = BUFFER_INIT;
    struct buffer items = BUFFER_INIT;
    rs_error error = RS_ERROR_INIT;
    struct recorder recorder;

    for (int item = 0; item < 20; item++) {
        buffer_append_text(&items, "<Registry><Properties " V "type=\"REG_SZ\" value=\"");
        for (size_t i = 0; i < (size_t)2 << 20; i++) {
            buffer_append_byte(&items, 'x');
        }
        buffer_append_text(&items, "\"/></Registry>");
    }
    buffer_append_text(&file, "<RegistrySettings>");
    buffer_append(&file, items.data, items.size);
    buffer_append_text(&file, "</RegistrySettings>");
    recorder_begin(&recorder);
    CU_ASSERT_EQUAL(
        read_memory_as(&format_gpp, file.data, file.size, (size_t)1 << 20, &recorder.sink, NULL),
        RS_OK);
    recorder_free(&recorder);
    memcpy(file.data, "<Collection>      ", 18);
    recorder_begin(&recorder);
    CU_ASSERT_EQUAL(
        read_memory_as(&format_gpp, file.data, file.size, (size_t)1 << 20, &recorder.sink, &error),
        RS_ETOOBIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "a collection has more than 67108864 bytes"));
    CU_ASSERT_EQUAL(recorder.lines.size, 0);
    recorder_free(&recorder);
    buffer_free(&items);
    buffer_free(&file);
}

/* Fed in small chunks it is the same. */
static void test_chunks(void)
{
    for (size_t i = 0; i < ROWS(meanings); i++) {
        for (size_t chunk = 40; chunk < 60; chunk += 7) {
            struct recorder recorder;
            struct buffer lines;

            recorder_begin(&recorder);
            CU_ASSERT_EQUAL(read_gpp_memory(meanings[i].file, strlen(meanings[i].file), chunk, 3,
                                            &recorder.sink, NULL),
                            RS_OK);
            buffer_terminate(&recorder.lines);
            lines = recorder.lines;
            CU_ASSERT_STRING_EQUAL(lines.data, meanings[i].events);
            recorder_free(&recorder);
        }
    }
}

/* ---- In a store ---- */

static void test_store(void)
{
    rs_store *store = new_store("s");
    rs_import_options with_key = {.key = "HKLM\\X"};
    rs_import_report report;
    rs_error error = RS_ERROR_INIT;
    const char *file =
        LIST(ITEM(V DWORD7) ITEM("action=\"C\" " V "type=\"REG_DWORD\" value=\"9\"")
                 ITEM("action=\"R\" hive=\"HKEY_LOCAL_MACHINE\" key=\"Full\"")
                     ITEM("action=\"D\" hive=\"HKEY_LOCAL_MACHINE\" key=\"No\\where\" name=\"v\"")
                         ITEM("action=\"D\" hive=\"HKEY_LOCAL_MACHINE\" key=\"No\\key\"")
                             ITEM("bitfield=\"1\" hive=\"HKEY_LOCAL_MACHINE\" key=\"Bits\" "
                                  "name=\"v\" " DWORD7));

    set_dword(store, "HKLM\\Full\\deep", "v", 1);
    set_dword(store, "HKLM\\Full", "v", 1);
    CU_ASSERT_EQUAL(import_text(store, file, &with_key, NULL, &error), RS_EPATH);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "this file says itself where its keys belong"));
    CU_ASSERT_EQUAL(import_text(store, file, NULL, &report, NULL), RS_OK);
    CU_ASSERT_STRING_EQUAL(report.format, "gpp");
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\A\\B", "v"), 7);
    CU_ASSERT_TRUE(key_exists(store, "HKLM\\Full"));
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\Full", "v"), 0xdeadbeef);
    CU_ASSERT_FALSE(key_exists(store, "HKLM\\Full\\deep"));
    CU_ASSERT_FALSE(key_exists(store, "HKLM\\No"));
    CU_ASSERT_FALSE(key_exists(store, "HKLM\\Bits"));
    CU_ASSERT_EQUAL(report.losses, 1);
    CU_ASSERT_EQUAL(report.keys_deleted, 1);
    CU_ASSERT_EQUAL(report.values_kept, 1);
    CU_ASSERT_EQUAL(import_text(store, file, NULL, &report, NULL), RS_OK);
    CU_ASSERT_EQUAL(report.keys_added + report.keys_deleted + report.values_changed, 0);
    CU_ASSERT_EQUAL(report.values_added + report.values_deleted, 0);
    rs_close(store);
}

const struct test_suite suite_format_xml_gpp = {
    "format_xml_gpp",
    (const struct test_case[]){
        {"what items mean", test_meanings},
        {"refusals", test_refusals},
        {"limits", test_limits},
        {"what is kept", test_kept},
        {"chunks", test_chunks},
        {"in a store", test_store},
        {NULL, NULL},
    },
};
