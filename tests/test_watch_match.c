/*
 * test_watch_match.c - where the watched key is: keys that come and go, are renamed and linked.
 *
 * Each test is a row of edits, and what a watch tells of them in the end.
 */
#include "stage.h"
#include "../regstore/watch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CONTROL_SET "HKLM\\SYSTEM\\CurrentControlSet"

/* ---- A key that does not exist yet ---- */

static void test_created(void)
{
    rs_store *store = stage_store();
    rs_watch *watch = stage_watch(store, "HKLM\\A\\B\\C", 0, RS_NOW);
    stage_create(store, "HKLM\\A");
    stage_create(store, "HKLM\\A\\B");
    stage_create(store, "HKLM\\A\\BC");
    stage_create(store, "HKLM\\A\\B\\CD");
    stage_set(store, "HKLM\\A\\B\\C", "v", 1);
    stage_set(store, "HKLM\\A\\B\\C", "v", 2);
    EXPECT(watch, "created .");
    EXPECT(watch, "created .");
    EXPECT(watch, "created .");
    EXPECT(watch, "set .:v 1>2");
    EXPECT(watch, "end");
    rs_watch_close(watch);
    rs_close(store);
}

static void test_created_with_ancestor(void)
{
    rs_store *store = stage_store();
    rs_watch *watch = stage_watch(store, "HKLM\\A\\B\\C", 0, RS_NOW);
    stage_set(store, "HKLM\\A\\B\\C", "v", 1);
    stage_set(store, "HKLM\\A\\B\\C", "v", 2);
    EXPECT(watch, "created .");
    EXPECT(watch, "set .:v 1>2");
    rs_watch_close(watch);
    rs_close(store);
}

static void test_renamed_to_it(void)
{
    rs_store *store = stage_store();
    stage_create(store, "HKLM\\X\\B\\Other");
    rs_watch *watch = stage_watch(store, "HKLM\\A\\B\\C", RS_SUBTREE, RS_NOW);
    stage_set(store, "HKLM\\X\\B\\Other", "v", 1);
    stage_rename(store, "HKLM\\X", "A");
    stage_set(store, "HKLM\\A\\B\\Other", "v", 2);
    stage_rename(store, "HKLM\\A\\B\\Other", "c");
    stage_set(store, "HKLM\\A\\B\\C", "v", 3);
    EXPECT(watch, "renamed .:A");
    EXPECT(watch, "renamed .:c");
    EXPECT(watch, "set .:v 2>3");
    EXPECT(watch, "end");
    rs_watch_close(watch);
    rs_close(store);
}

/* As regedit does it: made under a passing name, then renamed. */
static void test_created_and_renamed(void)
{
    rs_store *store = stage_store();
    rs_watch *watch = stage_watch(store, "HKLM\\Wanted", 0, RS_NOW);
    rs_txn *txn = stage_begin(store, RS_WRITE);
    stage_put(txn, "HKLM\\New Key", "v", 1);
    MUST(rs_key_rename(txn, stage_key(txn, "HKLM\\New Key"), "Wanted") == RS_OK);
    stage_commit(txn);
    stage_set(store, "HKLM\\Wanted", "v", 2);
    EXPECT(watch, "renamed .:Wanted");
    EXPECT(watch, "set .:v 1>2");
    rs_watch_close(watch);
    rs_close(store);
}

static void test_imported(void)
{
    static const char dump[] = "<?xml version=\"1.0\"?><hive>"
                               "<node name=\"HKEY_LOCAL_MACHINE\\SYSTEM\" root=\"1\">"
                               "<node name=\"Print\">"
                               "<value type=\"int32\" key=\"v\" value=\"7\"/>"
                               "</node></node></hive>";
    rs_store *store = stage_store();
    rs_error error = RS_ERROR_INIT;
    FILE *file = fopen(scratch_path("dump.xml"), "w");
    CU_ASSERT_FATAL(file != NULL);
    CU_ASSERT(fputs(dump, file) >= 0 && fclose(file) == 0);
    rs_watch *watch = stage_watch(store, "HKLM\\SYSTEM\\Print", 0, RS_NOW);
    rs_txn *txn = stage_begin(store, RS_WRITE);
    CU_ASSERT_EQUAL(rs_import(txn, scratch_path("dump.xml"), NULL, NULL, &error), RS_OK);
    CU_ASSERT_STRING_EQUAL(error.text, "");
    stage_commit(txn);
    EXPECT(watch, "created .");
    CU_ASSERT_EQUAL(stage_get(store, "HKLM\\SYSTEM\\Print", "v"), 7);
    stage_set(store, "HKLM\\SYSTEM\\Print", "v", 8);
    EXPECT(watch, "set .:v 7>8");
    rs_watch_close(watch);
    rs_close(store);
}

static void test_link_made_above(void)
{
    rs_store *store = stage_store();
    stage_set(store, "HKLM\\Real\\Sub", "v", 1);
    rs_watch *watch = stage_watch(store, "HKLM\\Link\\Sub", 0, RS_NOW);
    stage_set(store, "HKLM\\Real\\Sub", "v", 2);
    stage_link(store, "HKLM\\Link", "HKLM\\Real");
    stage_set(store, "HKLM\\Real\\Sub", "v", 3);
    EXPECT(watch, "created .");
    EXPECT(watch, "set .:v 2>3");
    EXPECT(watch, "end");
    rs_watch_close(watch);
    rs_close(store);
}

/* ---- A key that goes ---- */

static void test_deleted(void)
{
    static const char *const tops[] = {"HKLM\\A\\B", "HKLM\\A"};
    rs_store *store = stage_store();
    for (int i = 0; i < 2; i++) {
        stage_set(store, "HKLM\\A\\B", "v", 1);
        rs_watch *watch = stage_watch(store, "HKLM\\A\\B", RS_SUBTREE, RS_NOW);
        stage_delete(store, tops[i]);
        stage_set(store, "HKLM\\A\\B", "v", 2);
        stage_set(store, "HKLM\\A\\B", "v", 3);
        EXPECT(watch, "deleted .");
        EXPECT(watch, "created .");
        EXPECT(watch, "set .:v 2>3");
        rs_watch_close(watch);
        stage_delete(store, "HKLM\\A");
    }
    rs_close(store);
}

static void test_renamed_away_and_back(void)
{
    static const struct {
        const char *key, *away, *name, *elsewhere;
    } rows[] = {
        {"HKLM\\A\\B", "HKLM\\A\\Z", "B", "HKLM\\A\\Z"},
        {"HKLM\\A", "HKLM\\Z", "A", "HKLM\\Z\\B"},
    };
    rs_store *store = stage_store();
    for (int i = 0; i < 2; i++) {
        stage_set(store, "HKLM\\A\\B", "v", 1);
        rs_watch *watch = stage_watch(store, "HKLM\\A\\B", 0, RS_NOW);
        stage_rename(store, rows[i].key, "Z");
        stage_set(store, rows[i].elsewhere, "v", 2);
        stage_rename(store, rows[i].away, rows[i].name);
        stage_set(store, "HKLM\\A\\B", "v", 3);
        EXPECT(watch, "renamed .:Z");
        EXPECT(watch, i == 0 ? "renamed .:B" : "renamed .:A");
        EXPECT(watch, "set .:v 2>3");
        EXPECT(watch, "end");
        rs_watch_close(watch);
        stage_delete(store, "HKLM\\A");
    }
    rs_close(store);
}

static void test_case_renamed(void)
{
    rs_store *store = stage_store();
    stage_set(store, "HKLM\\Print", "v", 1);
    rs_watch *watch = stage_watch(store, "HKLM\\Print", 0, RS_NOW);
    stage_rename(store, "HKLM\\Print", "PRINT");
    stage_set(store, "HKLM\\print", "v", 2);
    EXPECT(watch, "renamed .:PRINT");
    EXPECT(watch, "set .:v 1>2");
    rs_watch_close(watch);
    rs_close(store);
}

/* Two keys change places in one revision. */
static void test_swapped(void)
{
    rs_store *store = stage_store();
    stage_set(store, "HKLM\\A", "v", 1);
    stage_set(store, "HKLM\\B", "v", 2);
    rs_watch *watch = stage_watch(store, "HKLM\\A", 0, RS_NOW);
    rs_txn *txn = stage_begin(store, RS_WRITE);
    MUST(rs_key_rename(txn, stage_key(txn, "HKLM\\A"), "C") == RS_OK);
    MUST(rs_key_rename(txn, stage_key(txn, "HKLM\\B"), "A") == RS_OK);
    MUST(rs_key_rename(txn, stage_key(txn, "HKLM\\C"), "B") == RS_OK);
    stage_commit(txn);
    stage_set(store, "HKLM\\B", "v", 3);
    stage_set(store, "HKLM\\A", "v", 4);
    EXPECT(watch, "renamed .:C; renamed .:A");
    EXPECT(watch, "set .:v 2>4");
    EXPECT(watch, "end");
    rs_watch_close(watch);
    rs_close(store);
}

/* ---- Links ---- */

static void test_control_set_changed(void)
{
    rs_store *store = stage_store();
    stage_set(store, "HKLM\\SYSTEM\\ControlSet001\\Control\\Print", "v", 1);
    stage_set(store, "HKLM\\SYSTEM\\ControlSet002\\Control\\Print", "v", 2);
    stage_link(store, CONTROL_SET, "HKLM\\SYSTEM\\ControlSet001");
    rs_watch *watch = stage_watch(store, CONTROL_SET "\\Control\\Print", RS_SUBTREE, RS_NOW);
    stage_set(store, CONTROL_SET "\\Control\\Print", "v", 3);
    stage_set(store, "HKLM\\SYSTEM\\ControlSet002\\Control\\Print", "v", 4);
    EXPECT(watch, "set .:v 1>3");
    EXPECT(watch, "end");
    stage_link(store, CONTROL_SET, "HKLM\\SYSTEM\\ControlSet002");
    EXPECT(watch, "relinked .");
    stage_set(store, "HKLM\\SYSTEM\\ControlSet001\\Control\\Print", "v", 5);
    stage_set(store, CONTROL_SET "\\Control\\Print", "v", 6);
    stage_create(store, CONTROL_SET "\\Control\\Print\\Sub");
    EXPECT(watch, "set .:v 4>6");
    EXPECT(watch, "created Sub");
    EXPECT(watch, "end");
    rs_watch_close(watch);
    rs_close(store);
}

static void test_link_deleted_and_made(void)
{
    rs_store *store = stage_store();
    stage_set(store, "HKLM\\Real\\Sub", "v", 1);
    stage_link(store, "HKLM\\Dir\\Link", "HKLM\\Real");
    rs_watch *watch = stage_watch(store, "HKLM\\Dir\\Link\\Sub", 0, RS_NOW);
    stage_delete(store, "HKLM\\Dir");
    EXPECT(watch, "deleted .");
    stage_set(store, "HKLM\\Real\\Sub", "v", 2);
    EXPECT(watch, "end");
    stage_set(store, "HKLM\\Dir\\Link\\Sub", "v", 3); /* a key where the link was */
    EXPECT(watch, "created .");
    stage_set(store, "HKLM\\Dir\\Link\\Sub", "v", 4);
    EXPECT(watch, "set .:v 3>4");
    rs_watch_close(watch);
    rs_close(store);
}

static void test_chain_of_links(void)
{
    rs_store *store = stage_store();
    stage_link(store, "HKLM\\One", "HKLM\\Two\\Inner");
    stage_link(store, "HKLM\\Two", "HKU\\Three");
    rs_watch *watch = stage_watch(store, "hklm\\one\\Sub", 0, RS_NOW);
    stage_set(store, "HKU\\Three\\Inner\\Sub", "v", 1);
    EXPECT(watch, "created .");
    stage_set(store, "HKLM\\One\\Sub", "v", 2);
    EXPECT(watch, "set .:v 1>2");
    stage_set(store, "HKU\\Four\\Inner\\Sub", "v", 3);
    EXPECT(watch, "end");
    stage_link(store, "HKLM\\Two", "HKU\\Four");
    EXPECT(watch, "relinked .");
    stage_set(store, "HKU\\Four\\Inner\\Sub", "v", 4);
    EXPECT(watch, "set .:v 3>4");
    stage_set(store, "HKU\\Three\\Inner\\Sub", "v", 5);
    EXPECT(watch, "end");
    rs_watch_close(watch);
    rs_close(store);
}

static void test_loop_of_links(void)
{
    rs_store *store = stage_store();
    stage_link(store, "HKLM\\One", "HKLM\\Two");
    stage_link(store, "HKLM\\Two", "HKLM\\One");
    rs_watch *watch = stage_watch(store, "HKLM\\One\\Sub", 0, RS_NOW);
    stage_link(store, "HKLM\\Two", "HKLM\\Three");
    EXPECT(watch, "relinked .");
    stage_set(store, "HKLM\\Three\\Sub", "v", 1);
    EXPECT(watch, "created .");
    stage_link(store, "HKLM\\Two", "HKLM\\One");
    EXPECT(watch, "relinked .");
    rs_watch_close(watch);
    rs_close(store);
}

/* A link whose target is no path leads nowhere; the watch waits for a better one. */
static void test_broken_link(void)
{
    static const unsigned char garbage[] = {'x', 0, '\\', 0, '\\', 0, 'y', 0};
    rs_store *store = stage_store();
    stage_set(store, "HKLM\\Real\\Sub", "v", 1);
    stage_link(store, "HKLM\\Link", "HKLM\\Real");
    rs_watch *early = stage_watch(store, "HKLM\\Link\\Sub", 0, RS_NOW);
    rs_txn *txn = stage_begin(store, RS_WRITE);
    rs_key link = stage_key(txn, "HKLM\\Link");
    MUST(rs_value_set(txn, link, "SymbolicLinkValue", REG_LINK, garbage, sizeof garbage) == RS_OK);
    stage_commit(txn);
    EXPECT(early, "relinked .");
    rs_watch *late = stage_watch(store, "HKLM\\Link\\Sub", 0, RS_NOW);
    stage_link(store, "HKLM\\Link", "HKLM\\Real");
    stage_set(store, "HKLM\\Real\\Sub", "v", 2);
    for (int i = 0; i < 2; i++) {
        rs_watch *watch = i == 0 ? early : late;
        EXPECT(watch, "relinked .");
        EXPECT(watch, "set .:v 1>2");
        EXPECT(watch, "end");
        rs_watch_close(watch);
    }
    rs_close(store);
}

/* Recursion never follows links: one below the watched key is told of, not what it leads to. */
static void test_link_below(void)
{
    rs_store *store = stage_store();
    stage_create(store, "HKLM\\Top");
    stage_create(store, "HKLM\\Real");
    rs_watch *watch = stage_watch(store, "HKLM\\Top", RS_SUBTREE, RS_NOW);
    stage_link(store, "HKLM\\Top\\Link", "HKLM\\Real");
    stage_set(store, "HKLM\\Real", "v", 1);
    stage_set(store, "HKLM\\Top\\Link", "v", 2);
    stage_link(store, "HKLM\\Top\\Link", "HKLM\\Other");
    EXPECT(watch, "created Link");
    EXPECT(watch, "relinked Link");
    EXPECT(watch, "end");
    rs_watch_close(watch);
    rs_close(store);
}

/* ---- Roots and views ---- */

static void test_root(void)
{
    rs_store *store = stage_store();
    rs_watch *own = stage_watch(store, "HKLM", 0, RS_NOW);
    rs_watch *all = stage_watch(store, "HKLM", RS_SUBTREE, RS_NOW);
    stage_set(store, "HKLM", "v", 1);
    stage_set(store, "HKU", "v", 1);
    stage_create(store, "HKLM\\Key");
    stage_create(store, "HKLM\\Key\\Deep");
    EXPECT(own, "set .:v ->1");
    EXPECT(own, "created Key");
    EXPECT(own, "end");
    EXPECT(all, "set .:v ->1");
    EXPECT(all, "created Key");
    EXPECT(all, "created Key\\Deep");
    EXPECT(all, "end");
    rs_watch_close(own);
    rs_watch_close(all);
    rs_close(store);
}

static void test_views(void)
{
    char user[80];
    rs_store *store = stage_store();
    snprintf(user, sizeof user, "HKU\\S-1-22-1-%u\\Software", (unsigned)getuid());
    rs_watch *hkcu = stage_watch(store, "HKCU\\Software", 0, RS_NOW);
    rs_watch *hkcr = stage_watch(store, "HKEY_CLASSES_ROOT", 0, RS_NOW);
    rs_watch *hkcc = stage_watch(store, "HKCC\\System", 0, RS_NOW);
    stage_set(store, user, "v", 1);
    stage_set(store, "HKCU\\Software", "v", 2);
    stage_create(store, "HKLM\\SOFTWARE\\Classes\\.txt");
    stage_link(store, CONTROL_SET, "HKLM\\SYSTEM\\ControlSet001");
    stage_set(store, "HKLM\\SYSTEM\\ControlSet001\\Hardware Profiles\\Current\\System", "v", 3);
    stage_set(store, "HKCC\\System", "v", 4);
    EXPECT(hkcu, "created .");
    EXPECT(hkcu, "set .:v 1>2");
    EXPECT(hkcu, "end");
    EXPECT(hkcr, "created .");
    EXPECT(hkcr, "end");
    /* CurrentControlSet's ancestor, what it leads to, and the value. */
    EXPECT(hkcc, "created .");
    EXPECT(hkcc, "created .");
    EXPECT(hkcc, "set .:v 3>4");
    EXPECT(hkcc, "end");
    rs_watch_close(hkcu);
    rs_watch_close(hkcr);
    rs_watch_close(hkcc);
    rs_close(store);
}

static void test_forms_of_path(void)
{
    static const char *const paths[] = {"HKEY_LOCAL_MACHINE\\A\\b", "hklm\\a\\B\\", "/HKLM/A/B",
                                        "/hkey_local_machine/a/b/"};
    rs_store *store = stage_store();
    stage_create(store, "HKLM\\A\\B\\C");
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const rs_batch *batch = NULL;
        rs_watch *watch = stage_watch(store, paths[i], RS_SUBTREE, RS_NOW);
        stage_set(store, "HKLM\\a\\b\\c", "v", (uint32_t)i);
        CU_ASSERT_FATAL(rs_watch_next(watch, &batch) == RS_OK && batch->count == 1);
        CU_ASSERT_STRING_EQUAL(batch->changes[0].path, "HKEY_LOCAL_MACHINE\\A\\B\\C");
        CU_ASSERT_STRING_EQUAL(batch->changes[0].relative, "C");
        rs_watch_close(watch);
    }
    rs_close(store);
}

/* No key can have the name that a link's target asks for: there is none yet. */
static void test_link_to_impossible_name(void)
{
    char target[400];
    rs_store *store = stage_store();
    snprintf(target, sizeof target, "HKLM\\%0300d\\X", 1);
    stage_link(store, "HKLM\\L", target);
    rs_watch *watch = stage_watch(store, "HKLM\\L\\K", 0, RS_NOW);
    EXPECT(watch, "end");
    stage_delete(store, "HKLM\\L");
    stage_set(store, "HKLM\\L\\K", "v", 1);
    EXPECT(watch, "deleted .");
    EXPECT(watch, "created .");
    rs_watch_close(watch);
    rs_close(store);
}

/* A record of a renamed key that nobody wrote so: its new name is no text. */
static void test_damaged_new_name(void)
{
    rs_store *store = stage_store();
    rs_watch *watch = stage_watch(store, "HKLM\\X", RS_SUBTREE, RS_NOW);
    rs_txn *txn = stage_begin(store, RS_WRITE);
    struct change_sink *journal = &txn->journal.sink;
    struct change change = {.kind = RS_KEY_RENAMED, .key = 4, .parent = RS_HKLM};
    change.path = "HKEY_LOCAL_MACHINE\\A";
    change.path_len = strlen(change.path);
    change.before = (struct change_side){.present = true, .name = "A", .name_len = 1};
    change.after = (struct change_side){.present = true, .name = "\xff", .name_len = 1};
    MUST(journal->change(journal, &change) == RS_OK);
    stage_commit(txn);
    EXPECT(watch, "behind"); /* what is lost can be read from the keys themselves */
    stage_create(store, "HKLM\\X");
    EXPECT(watch, "created .");
    rs_watch_close(watch);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"damaged new name", test_damaged_new_name},
    {"created", test_created},
    {"created with ancestor", test_created_with_ancestor},
    {"renamed to it", test_renamed_to_it},
    {"created and renamed", test_created_and_renamed},
    {"imported", test_imported},
    {"link made above", test_link_made_above},
    {"deleted", test_deleted},
    {"renamed away and back", test_renamed_away_and_back},
    {"case renamed", test_case_renamed},
    {"swapped", test_swapped},
    {"control set changed", test_control_set_changed},
    {"link deleted and made", test_link_deleted_and_made},
    {"chain of links", test_chain_of_links},
    {"loop of links", test_loop_of_links},
    {"broken link", test_broken_link},
    {"link below", test_link_below},
    {"root", test_root},
    {"views", test_views},
    {"forms of path", test_forms_of_path},
    {"link to an impossible name", test_link_to_impossible_name},
    {NULL, NULL},
};
const struct test_suite suite_watch_match = {"watch_match", cases};
