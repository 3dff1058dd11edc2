/*
 * test_transfer_patch.c - patches: keys told by whole paths, in an order that makes what was known
 * of the way to them untrue: deletions, links, other spellings.
 */
#include "harness.h"
#include "transfer_helpers.h"

#include <string.h>

#define REG(content) "Windows Registry Editor Version 5.00\n\n" content
#define SET(path, number) "[HKEY_LOCAL_MACHINE\\" path "]\n\"v\"=dword:" number "\n\n"
#define DELETE(path) "[-HKEY_LOCAL_MACHINE\\" path "]\n\n"

static void must_patch(rs_store *store, const char *text)
{
    rs_error error = RS_ERROR_INIT;

    CU_ASSERT_EQUAL(import_text(store, text, NULL, NULL, &error), RS_OK);
    CU_ASSERT_STRING_EQUAL(error.text, "");
}

static void test_near_and_far(void)
{
    rs_store *store = new_store("s");
    rs_import_report report;

    CU_ASSERT_EQUAL(
        import_text(store,
                    REG(SET("A", "1") SET("A\\B", "2") SET("A\\B\\C\\D", "3") SET("a\\b\\E", "4")
                            SET("AB", "5") SET("A\\B", "6") SET("A\\BC", "7") SET("A\\B\\C", "8")),
                    NULL, &report, NULL),
        RS_OK);
    CU_ASSERT_EQUAL(report.keys_added, 7);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\A", "v"), 1);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\A\\B", "v"), 6);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\A\\B\\C\\D", "v"), 3);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\A\\B\\E", "v"), 4);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\AB", "v"), 5);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\A\\BC", "v"), 7);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\A\\B\\C", "v"), 8);
    rs_close(store);
}

/* A key that was on the way and is deleted is made anew. */
static void test_deleted_way(void)
{
    rs_store *store = new_store("s");

    must_patch(store, REG(SET("A", "1") SET("A\\B", "2") DELETE("A") SET("A\\B\\C", "3")));
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\A", "v"), 0xdeadbeef);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\A\\B", "v"), 0xdeadbeef);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\A\\B\\C", "v"), 3);
    rs_close(store);
}

/* A key that was on the way and becomes a link leads to its target from then on. */
static void test_link_on_the_way(void)
{
    /* \Registry\Machine\T */
    static const char link[] =
        "\"SymbolicLinkValue\"=hex(6):5c,00,52,00,65,00,67,00,69,00,73,00,74,00,72,00,79,00,5c,00,"
        "4d,00,61,00,63,00,68,00,69,00,6e,00,65,00,5c,00,54,00\n\n";
    char text[1000] = REG(SET("T", "1") "[HKEY_LOCAL_MACHINE\\A]\n\n[HKEY_LOCAL_MACHINE\\A\\L]\n");
    rs_store *store = new_store("s");

    strcat(text, link);
    strcat(text, SET("A\\L\\below", "2") SET("A\\L", "3") SET("A\\L\\below\\more", "4"));
    must_patch(store, text);
    CU_ASSERT_STRING_EQUAL(target_of(store, "HKLM\\A\\L"), "HKEY_LOCAL_MACHINE\\T");
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T\\below", "v"), 2);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T", "v"), 3);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T\\below\\more", "v"), 4);
    rs_close(store);
}

/* What is wrong with a path is told in the same words, near or far. */
static void test_bad_paths(void)
{
    static const char *const bad[] = {"A\\\\B", "A\\B\\\\C", "A\\\\"};
    rs_store *store = new_store("s");

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char near[300] = REG(SET("A", "1"));
        char far[300] = REG("");
        rs_error one = RS_ERROR_INIT;
        rs_error other = RS_ERROR_INIT;

        strcat(strcat(strcat(near, "[HKEY_LOCAL_MACHINE\\"), bad[i]), "]\n");
        strcat(strcat(strcat(far, "[HKEY_LOCAL_MACHINE\\"), bad[i]), "]\n");
        CU_ASSERT_EQUAL(import_text(store, near, NULL, NULL, &one),
                        import_text(store, far, NULL, NULL, &other));
        const char *text = strstr(one.text, "the key path");
        const char *other_text = strstr(other.text, "the key path");
        CU_ASSERT_STRING_EQUAL(text ? text : "", other_text ? other_text : "");
    }
    rs_close(store);
}

/* As deep as keys may be, one by one, and one more. */
static void test_depth(void)
{
    rs_store *store = new_store("s");
    rs_import_options options = {0};
    rs_error error = RS_ERROR_INIT;
    static char text[600000] = REG("");
    size_t len = strlen(text);

    for (int depth = 1; depth <= RS_MAX_DEPTH + 1; depth++) {
        memcpy(text + len, "[HKEY_LOCAL_MACHINE", 19);
        len += 19;
        for (int i = 0; i < depth; i++) {
            memcpy(text + len, "\\k", 2);
            len += 2;
        }
        if (depth == RS_MAX_DEPTH) {
            memcpy(text + len, "]\n", 3);
            CU_ASSERT_EQUAL(import_text(store, text, &options, NULL, &error), RS_OK);
        }
        memcpy(text + len, "]\n", 3);
        len += 2;
    }
    CU_ASSERT_STRING_EQUAL(error.text, "");
    CU_ASSERT_EQUAL(import_text(store, text, &options, NULL, &error), RS_EDEPTH);
    rs_close(store);
}

const struct test_suite suite_transfer_patch = {
    "transfer_patch",
    (const struct test_case[]){
        {"near and far", test_near_and_far},
        {"a way that is deleted", test_deleted_way},
        {"a way that becomes a link", test_link_on_the_way},
        {"bad paths", test_bad_paths},
        {"depth", test_depth},
        {NULL, NULL},
    },
};
