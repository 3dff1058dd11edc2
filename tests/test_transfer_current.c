/*
 * test_transfer_current.c - import: HKLM\SYSTEM\CurrentControlSet, which hives do not hold and .reg
 * files do.
 */
#include "harness.h"
#include "transfer_helpers.h"

#include <stdio.h>
#include <string.h>

#define TIME "<mtime>2010-02-02T13:42:44Z</mtime>"
#define ROOT_TIME_NUMBER 126227808000000000u /* 2001-01-01T00:00:00Z, in the helpers' dumps */
#define DWORD(name, number) "<value type=\"int32\" key=\"" name "\" value=\"" number "\"/>"
#define KEY(name, content) "<node name=\"" name "\">" TIME content "</node>"

/* ---- Dumps without it ---- */

#define SELECT(number) KEY("Select", DWORD("Current", number))
#define CCS "HKLM\\SYSTEM\\CurrentControlSet"

static bool is_volatile(rs_store *store, const char *path)
{
    rs_txn *txn = start_reading(store);
    rs_key_info info = {0};
    rs_key key;

    if (rs_key_open_n(txn, RS_NO_KEY, path, RS_NTS, RS_NOFOLLOW, &key) == RS_OK) {
        CU_ASSERT_EQUAL(rs_key_info_get(txn, key, &info), RS_OK);
    }
    bool result = (info.flags & RS_KEY_VOLATILE) != 0;
    rs_abort(txn);
    return result;
}

static void test_control_set(void)
{
    rs_store *store = new_store("s");

    must_import(store, foreign_dump(KEY("ControlSet001", "") KEY("ControlSet002", "") SELECT("1")),
                "HKLM\\SYSTEM");
    CU_ASSERT_STRING_EQUAL(target_of(store, CCS), "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001");
    CU_ASSERT(is_volatile(store, CCS));
    CU_ASSERT_EQUAL(key_time(store, "HKLM\\SYSTEM"), ROOT_TIME_NUMBER);
    must_import(store, foreign_dump(SELECT("2")), "HKLM\\SYSTEM");
    CU_ASSERT_STRING_EQUAL(target_of(store, CCS), "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002");
    /* a set that is not there, a number that is none */
    must_import(store, foreign_dump(SELECT("3")), "HKLM\\SYSTEM");
    must_import(store, foreign_dump(SELECT("1000")), "HKLM\\SYSTEM");
    CU_ASSERT_STRING_EQUAL(target_of(store, CCS), "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002");
    rs_close(store);
}

static void test_no_control_set(void)
{
    rs_store *store = new_store("s");

    /* not HKLM\SYSTEM */
    must_import(store, foreign_dump(KEY("ControlSet001", "") SELECT("1")), "HKLM\\OTHER");
    CU_ASSERT_FALSE(key_exists(store, "HKLM\\OTHER\\CurrentControlSet"));
    /* a real key stays */
    set_dword(store, CCS, "v", 1);
    must_import(store, foreign_dump(KEY("ControlSet001", "") SELECT("1")), "HKLM\\SYSTEM");
    CU_ASSERT_EQUAL(dword_of(store, CCS, "v"), 1);
    CU_ASSERT_STRING_EQUAL(target_of(store, CCS), "");
    /* the selection stays: nothing is made */
    rs_txn *txn = start_writing(store);
    rs_key key;
    CU_ASSERT_EQUAL(rs_key_open(txn, RS_NO_KEY, CCS, &key), RS_OK);
    CU_ASSERT_EQUAL(rs_key_delete(txn, key, 0), RS_OK);
    end_writing(txn);
    must_import(store, foreign_dump(SELECT("1")), "HKLM\\SYSTEM");
    CU_ASSERT_FALSE(key_exists(store, CCS));
    rs_close(store);
}

static void keep_loss(void *context, enum rs_loss_kind kind, const char *path, const char *value)
{
    char *line = context;

    CU_ASSERT_PTR_NULL(value);
    CU_ASSERT_STRING_EQUAL(line, ""); /* once in an import */
    snprintf(line, 256, "%d %s", (int)kind, path);
}

static uint64_t losses_of(rs_store *store, const char *dump, char line[static 256])
{
    rs_import_options options = {.key = "HKLM\\SYSTEM", .loss = keep_loss, .context = line};
    rs_import_report report = {.losses = 77};

    line[0] = '\0';
    CU_ASSERT_EQUAL(import_text(store, dump, &options, &report, NULL), RS_OK);
    return report.losses;
}

static void delete_key(rs_store *store, const char *path)
{
    rs_txn *txn = start_writing(store);

    CU_ASSERT_EQUAL(rs_key_delete(txn, find_key(txn, path), RS_RECURSIVE), RS_OK);
    end_writing(txn);
}

/* An ordinary key where the link belongs is told whenever the link would be made; to do what is
 * said about it leads to the link. */
static void test_key_in_the_way(void)
{
    static const char loss[] = "16 HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet";
    rs_store *store = new_store("s");
    char line[256];

    set_dword(store, CCS, "v", 1);
    CU_ASSERT_EQUAL(losses_of(store, foreign_dump(SELECT("1")), line), 0); /* no such set */
    CU_ASSERT_EQUAL(
        losses_of(store, foreign_dump(KEY("ControlSet001", "") KEY("ControlSet002", "")), line), 1);
    CU_ASSERT_STRING_EQUAL(line, loss);
    CU_ASSERT_EQUAL(losses_of(store, foreign_dump(SELECT("2")), line), 1);
    CU_ASSERT_STRING_EQUAL(line, loss);
    CU_ASSERT_PTR_NOT_NULL(strstr(rs_loss_text((enum rs_loss_kind)16), "delete it and Select"));
    delete_key(store, CCS);
    delete_key(store, "HKLM\\SYSTEM\\Select");
    CU_ASSERT_EQUAL(losses_of(store, foreign_dump(SELECT("2")), line), 0);
    CU_ASSERT_STRING_EQUAL(target_of(store, CCS), "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002");
    CU_ASSERT_EQUAL(losses_of(store, foreign_dump(SELECT("1")), line), 0);
    rs_close(store);
}

/* A link that somebody has made by himself is left alone, and is in nobody's way. */
static void test_link_of_ones_own(void)
{
    rs_store *store = new_store("s");
    char line[256];
    rs_key key;

    make_key(store, "HKLM\\Mine");
    rs_txn *txn = start_writing(store);
    CU_ASSERT_EQUAL(rs_key_create(txn, RS_NO_KEY, "HKLM\\SYSTEM", &key), RS_OK);
    CU_ASSERT_EQUAL(rs_link_create(txn, RS_NO_KEY, CCS, "HKLM\\Mine", 0, &key), RS_OK);
    end_writing(txn);
    CU_ASSERT_EQUAL(losses_of(store, foreign_dump(KEY("ControlSet001", "") SELECT("1")), line), 0);
    CU_ASSERT_STRING_EQUAL(target_of(store, CCS), "HKEY_LOCAL_MACHINE\\Mine");
    CU_ASSERT_FALSE(is_volatile(store, CCS));
    rs_close(store);
}

static void test_shipped_hive(void)
{
    static const char parameters[] = CCS "\\Services\\LanmanServer\\Parameters";
    rs_store *store = new_store("s");
    char path[4096];
    const char *const *strings;
    size_t count = 0;
    rs_key key;

    snprintf(path, sizeof path, "%s/hives/system.xml", top_dir());
    rs_txn *txn = start_writing(store);
    CU_ASSERT_EQUAL_FATAL(rs_import(txn, path, NULL, NULL, NULL), RS_OK);
    CU_ASSERT_EQUAL_FATAL(rs_key_open(txn, RS_NO_KEY, parameters, &key), RS_OK);
    CU_ASSERT_EQUAL_FATAL(rs_get_multi(txn, key, "NullSessionShares", &strings, &count), RS_OK);
    CU_ASSERT_EQUAL_FATAL(count, 2);
    CU_ASSERT_STRING_EQUAL(strings[0], "COMCFG");
    CU_ASSERT_STRING_EQUAL(strings[1], "DFS$");
    end_writing(txn);
    rs_close(store);
}

/* ---- Dumps that hold it ---- */

#define REG(content) "Windows Registry Editor Version 5.00\n\n" content
#define SET(path, name, number)                                                                    \
    "[HKEY_LOCAL_MACHINE\\SYSTEM\\" path "]\n\"" name "\"=dword:" number "\n\n"
#define SET_1 SET("ControlSet001\\A", "v", "1") SET("ControlSet001\\A", "old", "1")
#define SET_CURRENT SET("CurrentControlSet\\A", "v", "2") SET("CurrentControlSet\\B", "new", "3")
#define SET_SELECT SET("Select", "Current", "1")
#define FIRST "HKLM\\SYSTEM\\ControlSet001"

static void check_merged(rs_store *store)
{
    CU_ASSERT_STRING_EQUAL(target_of(store, CCS), "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001");
    CU_ASSERT(is_volatile(store, CCS));
    CU_ASSERT_EQUAL(dword_of(store, FIRST "\\A", "v"), 2);
    CU_ASSERT_EQUAL(dword_of(store, FIRST "\\A", "old"), 1);
    CU_ASSERT_EQUAL(dword_of(store, FIRST "\\B", "new"), 3);
}

/* In whatever order the file tells of the sets and of the selection. */
static void test_ordinary_key(void)
{
    static const char *const files[] = {
        REG(SET_1 SET_CURRENT SET_SELECT),
        REG(SET_SELECT SET_1 SET_CURRENT),
        REG(SET_1 SET_SELECT SET_CURRENT),
    };

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char name[8];
        snprintf(name, sizeof name, "s%zu", i);
        rs_store *store = new_store(name);
        rs_import_report report;
        CU_ASSERT_EQUAL(import_text(store, files[i], NULL, &report, NULL), RS_OK);
        check_merged(store);
        CU_ASSERT_EQUAL(report.keys_added, 5); /* SYSTEM, Select, the set, A, B */
        CU_ASSERT_EQUAL(report.values_added, 4);
        CU_ASSERT_EQUAL(report.values_changed, 1);
        /* Once more the keys go through the link. */
        CU_ASSERT_EQUAL(import_text(store, files[i], NULL, &report, NULL), RS_OK);
        check_merged(store);
        CU_ASSERT_EQUAL(report.keys_added, 0);
        CU_ASSERT_EQUAL(report.values_added, 0);
        rs_close(store);
    }
}

/* The set that is named need not be in the file. */
static void test_ordinary_key_alone(void)
{
    rs_store *store = new_store("s");

    must_import(store, REG(SET_CURRENT SET_SELECT), NULL);
    CU_ASSERT_STRING_EQUAL(target_of(store, CCS), "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001");
    CU_ASSERT_EQUAL(dword_of(store, FIRST "\\B", "new"), 3);
    rs_close(store);
}

/* A listing, too; the same again replaces, and the link stays one. */
static void test_ordinary_key_listed(void)
{
    rs_import_options options = {.key = "HKLM\\SYSTEM", .flags = RS_REPLACE};
    rs_store *store = new_store("s");

    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(
            import_text(store,
                        foreign_dump(KEY("ControlSet001", KEY("A", DWORD("v", "1"))) KEY(
                            "CurrentControlSet", KEY("B", DWORD("new", "3"))) SELECT("1")),
                        &options, NULL, NULL),
            RS_OK);
        CU_ASSERT_STRING_EQUAL(target_of(store, CCS), "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001");
        CU_ASSERT(is_volatile(store, CCS));
        CU_ASSERT_EQUAL(dword_of(store, FIRST "\\A", "v"), 1);
        CU_ASSERT_EQUAL(dword_of(store, FIRST "\\B", "new"), 3);
        CU_ASSERT_EQUAL(key_time(store, "HKLM\\SYSTEM"), ROOT_TIME_NUMBER);
    }
    rs_close(store);
}

/* What was there before keeps its word. */
static void test_ordinary_key_kept(void)
{
    rs_import_options options = {.flags = RS_KEEP};
    rs_store *store = new_store("s");

    set_dword(store, FIRST "\\A", "v", 7);
    CU_ASSERT_EQUAL(import_text(store, REG(SET_1 SET_CURRENT SET_SELECT), &options, NULL, NULL),
                    RS_OK);
    CU_ASSERT_STRING_EQUAL(target_of(store, CCS), "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001");
    CU_ASSERT_EQUAL(dword_of(store, FIRST "\\A", "v"), 7);
    CU_ASSERT_EQUAL(dword_of(store, FIRST "\\B", "new"), 3);
    rs_close(store);
}

/* No selection, or a key that was there before: an ordinary key it is. */
static void test_ordinary_key_stays(void)
{
    rs_store *store = new_store("s");

    must_import(store, REG(SET_1 SET_CURRENT), NULL);
    CU_ASSERT_EQUAL(dword_of(store, CCS "\\A", "v"), 2);
    CU_ASSERT_EQUAL(dword_of(store, FIRST "\\A", "v"), 1);
    must_import(store, REG(SET_CURRENT SET_SELECT), NULL);
    CU_ASSERT_STRING_EQUAL(target_of(store, CCS), "");
    CU_ASSERT_EQUAL(dword_of(store, FIRST "\\A", "v"), 1);
    rs_close(store);
}

const struct test_suite suite_transfer_current = {
    "transfer_current",
    (const struct test_case[]){
        {"the current control set", test_control_set},
        {"no current control set", test_no_control_set},
        {"a key in the way of the link", test_key_in_the_way},
        {"a link of one's own", test_link_of_ones_own},
        {"the hive that ships", test_shipped_hive},
        {"an ordinary key", test_ordinary_key},
        {"an ordinary key alone", test_ordinary_key_alone},
        {"an ordinary key in a listing", test_ordinary_key_listed},
        {"an ordinary key and what is kept", test_ordinary_key_kept},
        {"an ordinary key that stays", test_ordinary_key_stays},
        {NULL, NULL},
    },
};
