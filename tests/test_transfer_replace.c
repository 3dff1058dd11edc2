/*
 * test_transfer_replace.c - import with RS_REPLACE: what is not in the dump goes.
 */
#include "harness.h"
#include "transfer_helpers.h"

#define TIME "<mtime>2010-02-02T13:42:44Z</mtime>"
#define DWORD(name, number) "<value type=\"int32\" key=\"" name "\" value=\"" number "\"/>"
#define KEY(name, content) "<node name=\"" name "\">" TIME content "</node>"
#define BEFORE DWORD("same", "1") DWORD("Other", "1") KEY("k", DWORD("x", "1"))
#define AFTER DWORD("same", "1") DWORD("other", "2") DWORD("new", "2") KEY("K", "") KEY("l", "")

/* What the dump does not hold goes; what the system made, and what is held, stays as it is. */
static void test_replace(void)
{
    rs_store *store = new_store("s");
    rs_import_options options = {.key = "HKLM\\T", .flags = RS_REPLACE};
    rs_import_report report;

    must_import(store, own_dump("HKLM\\T", BEFORE KEY("gone", DWORD("y", "1") KEY("too", ""))),
                NULL);
    CU_ASSERT_EQUAL(import_text(store, own_dump("HKLM\\T", AFTER), &options, &report, NULL), RS_OK);
    CU_ASSERT_EQUAL(report.keys_deleted, 2);
    CU_ASSERT_EQUAL(report.values_deleted, 2); /* x of k, y of gone */
    CU_ASSERT_EQUAL(report.values_changed, 1);
    CU_ASSERT_EQUAL(report.values_same, 1);
    CU_ASSERT_FALSE(key_exists(store, "HKLM\\T\\gone"));
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T\\k", "x"), 0xdeadbeef);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T", "other"), 2);
    CU_ASSERT_EQUAL(import_text(store, own_dump("HKLM\\T", AFTER), &options, &report, NULL), RS_OK);
    CU_ASSERT_EQUAL(report.keys_deleted + report.values_deleted + report.values_changed, 0);
    rs_close(store);
}

const struct test_suite suite_transfer_replace = {
    "transfer_replace",
    (const struct test_case[]){
        {"what is not in the dump goes", test_replace},
        {NULL, NULL},
    },
};
