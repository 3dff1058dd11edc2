/*
 * test_transfer_replace.c - import with RS_REPLACE: what is not in the dump goes, links too.
 */
#include "harness.h"
#include "transfer_helpers.h"

#include <stdio.h>

#define TIME "<mtime>2010-02-02T13:42:44Z</mtime>"
#define DWORD(name, number) "<value type=\"int32\" key=\"" name "\" value=\"" number "\"/>"
#define KEY(name, content) "<node name=\"" name "\">" TIME content "</node>"
#define BEFORE DWORD("same", "1") DWORD("Other", "1") KEY("k", DWORD("x", "1"))
#define AFTER DWORD("same", "1") DWORD("other", "2") DWORD("new", "2") KEY("K", "") KEY("l", "")

static void make_volatile(rs_store *store, const char *path)
{
    rs_txn *txn;
    rs_key key;

    CU_ASSERT_EQUAL_FATAL(rs_begin(store, RS_WRITE, &txn), RS_OK);
    CU_ASSERT_EQUAL_FATAL(rs_key_create_n(txn, RS_NO_KEY, path, RS_NTS, RS_VOLATILE, &key, NULL),
                          RS_OK);
    CU_ASSERT_EQUAL_FATAL(rs_commit(txn, NULL), RS_OK);
}

/* What the dump does not hold goes; what the system made, and what is held, stays as it is. */
static void test_replace(void)
{
    rs_store *store = new_store("s");
    rs_import_options options = {.key = "HKLM\\T", .flags = RS_REPLACE};
    rs_import_report report;

    must_import(store, own_dump("HKLM\\T", BEFORE KEY("gone", DWORD("y", "1") KEY("too", ""))),
                NULL);
    make_volatile(store, "HKLM\\T\\made");
    CU_ASSERT_EQUAL(import_text(store, own_dump("HKLM\\T", AFTER), &options, &report, NULL), RS_OK);
    CU_ASSERT_EQUAL(report.keys_deleted, 2);
    CU_ASSERT_EQUAL(report.values_deleted, 2); /* x of k, y of gone */
    CU_ASSERT_EQUAL(report.values_changed, 1);
    CU_ASSERT_EQUAL(report.values_same, 1);
    CU_ASSERT_FALSE(key_exists(store, "HKLM\\T\\gone"));
    CU_ASSERT_TRUE(key_exists(store, "HKLM\\T\\made"));
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T\\k", "x"), 0xdeadbeef);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T", "other"), 2);
    CU_ASSERT_EQUAL(import_text(store, own_dump("HKLM\\T", AFTER), &options, &report, NULL), RS_OK);
    CU_ASSERT_EQUAL(report.keys_deleted + report.values_deleted + report.values_changed, 0);
    rs_close(store);
}

#define LINK(name, target)                                                                         \
    "<node name=\"" name "\">" TIME                                                                \
    "<value type=\"link\" key=\"SymbolicLinkValue\" value=\"" target "\"/></node>"
#define TARGET "\\Registry\\Machine\\T\\k"

static int replace(rs_store *store, const char *dump, const char *key, rs_import_report *report)
{
    const rs_import_options options = {.key = key, .flags = RS_REPLACE};

    return import_text(store, dump, &options, report, NULL);
}

/* A key that has become a link since the dump was made is the dump's again, whatever is first in
 * it; what the link points to stays. */
static void test_link_to_key(void)
{
    static const char *const contents[] = {"", DWORD("x", "2"), KEY("below", ""),
                                           DWORD("x", "2") KEY("below", DWORD("y", "3"))};

    static const char *const names[] = {"a", "b", "c", "d"};

    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        rs_store *store = new_store(names[i]);
        rs_import_report report;
        char dump[500];
        must_import(store, own_dump("HKLM\\T", KEY("k", DWORD("z", "1")) LINK("l", TARGET)), NULL);
        CU_ASSERT_STRING_EQUAL(target_of(store, "HKLM\\T\\l"), "HKEY_LOCAL_MACHINE\\T\\k");
        snprintf(dump, sizeof dump, "%s<node name=\"l\" class=\"C\">" TIME "%s</node>",
                 KEY("k", DWORD("z", "1")), contents[i]);
        CU_ASSERT_EQUAL(replace(store, own_dump("HKLM\\T", dump), NULL, &report), RS_OK);
        CU_ASSERT_EQUAL(report.keys_deleted, 1);
        CU_ASSERT_EQUAL(report.keys_found, 2);
        CU_ASSERT_STRING_EQUAL(target_of(store, "HKLM\\T\\l"), "");
        CU_ASSERT(key_exists(store, "HKLM\\T\\l"));
        CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T\\k", "z"), 1);
        CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T\\k", "x"), 0xdeadbeef);
        CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T\\l", "z"), 0xdeadbeef);
        CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T\\l", "x"), i % 2 ? 2 : 0xdeadbeef);
        CU_ASSERT_EQUAL(key_exists(store, "HKLM\\T\\l\\below"), i >= 2);
        CU_ASSERT_FALSE(key_exists(store, "HKLM\\T\\k\\below"));
        CU_ASSERT_EQUAL(key_time(store, "HKLM\\T\\l"), key_time(store, "HKLM\\T\\k"));
        CU_ASSERT_EQUAL(replace(store, own_dump("HKLM\\T", dump), NULL, &report), RS_OK);
        CU_ASSERT_EQUAL(report.keys_added + report.keys_deleted + report.values_changed, 0);
        rs_close(store);
    }
}

/* And the other way round: a key with all that is in it becomes the dump's link; a link gets
 * another target. */
static void test_key_to_link(void)
{
    rs_store *store = new_store("s");
    rs_import_report report;

    must_import(store, own_dump("HKLM\\T", KEY("k", "") KEY("l", DWORD("x", "1") KEY("below", ""))),
                NULL);
    const char *dump = own_dump("HKLM\\T", KEY("k", "") LINK("l", TARGET));
    CU_ASSERT_EQUAL(replace(store, dump, NULL, &report), RS_OK);
    CU_ASSERT_STRING_EQUAL(target_of(store, "HKLM\\T\\l"), "HKEY_LOCAL_MACHINE\\T\\k");
    CU_ASSERT_FALSE(key_exists(store, "HKLM\\T\\l\\below"));
    CU_ASSERT_EQUAL(report.keys_deleted, 1);
    CU_ASSERT_EQUAL(report.values_deleted, 1);
    dump = own_dump("HKLM\\T", KEY("k", "") LINK("l", TARGET "2"));
    CU_ASSERT_EQUAL(replace(store, dump, NULL, &report), RS_OK);
    CU_ASSERT_STRING_EQUAL(target_of(store, "HKLM\\T\\l"), "HKEY_LOCAL_MACHINE\\T\\k2");
    CU_ASSERT_EQUAL(report.values_changed, 1);
    rs_close(store);
}

/* The key that the caller names is no link: neither replaced nor followed. A merge replaces none.
 */
static void test_links_stay(void)
{
    rs_store *store = new_store("s");

    must_import(store, own_dump("HKLM\\T", KEY("k", "") LINK("l", TARGET)), NULL);
    const char *dump = own_dump("HKLM\\T\\l", DWORD("x", "1"));
    CU_ASSERT_EQUAL(replace(store, dump, NULL, NULL), RS_ELINK);
    CU_ASSERT_EQUAL(replace(store, own_dump("HKLM\\T\\l", ""), NULL, NULL), RS_ELINK);
    dump = own_dump("HKLM\\T", KEY("l", DWORD("x", "1")));
    CU_ASSERT_EQUAL(import_text(store, dump, NULL, NULL, NULL), RS_ELINK);
    CU_ASSERT_STRING_EQUAL(target_of(store, "HKLM\\T\\l"), "HKEY_LOCAL_MACHINE\\T\\k");
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T\\k", "x"), 0xdeadbeef);
    rs_close(store);
}

const struct test_suite suite_transfer_replace = {
    "transfer_replace",
    (const struct test_case[]){
        {"what is not in the dump goes", test_replace},
        {"a key in a link's place", test_link_to_key},
        {"a link in a key's place", test_key_to_link},
        {"links that stay", test_links_stay},
        {NULL, NULL},
    },
};
