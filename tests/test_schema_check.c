/*
 * test_schema_check.c - what a commit refuses: by whatever way it came in, and whatever the rules.
 */
#include "schema_helpers.h"

#include <stdio.h>

/* ---- Values ---- */

static void a_wrong_value_is_refused(void)
{
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    set_number(txn, find_key(txn, APP), "size", 9);
    set_number(txn, find_key(txn, APP), "Other", 9);
    expect_changes(txn, 1, "App:size 9 is given, the rule says 1 to 5\n");
    refused(txn, RS_EREFUSED,
            "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\App, value \"size\": "
            "9 is given, the rule says 1 to 5");
    txn = start_writing(store);
    SUCCEEDS(rs_set_string(txn, find_key(txn, APP), "Size", "3"));
    refused(txn, RS_EREFUSED, "a REG_SZ is given, the rule says REG_DWORD");
    txn = start_writing(store);
    set_number(txn, find_key(txn, APP), "Size", 3);
    expect_changes(txn, 0, "");
    end_writing(txn);
    rs_close(store);
}

static void values_are_judged_as_they_are_at_last(void)
{
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    rs_key app = find_key(txn, APP);
    set_number(txn, app, "Size", 9);
    set_number(txn, app, "Size", 3);
    set_number(txn, app, "Limit", 1);
    SUCCEEDS(rs_set_string(txn, app, "Limit", "x"));
    SUCCEEDS(rs_value_delete(txn, app, "Limit"));
    rs_key gone = add_key(txn, APP "\\Ports\\COM1");
    SUCCEEDS(rs_set_string(txn, gone, "Needed", "x"));
    SUCCEEDS(rs_key_delete(txn, gone, 0));
    expect_changes(txn, 0, "");
    end_writing(txn);
    txn = start_writing(store);
    set_number(txn, app, "Size", 9);
    SUCCEEDS(rs_key_delete(txn, app, RS_RECURSIVE));
    expect_changes(txn, 0, "");
    end_writing(txn);
    rs_close(store);
}

static void what_was_good_first_is_refused_at_last(void)
{
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    set_number(txn, find_key(txn, APP), "Size", 3);
    set_number(txn, find_key(txn, APP), "Size", 9);
    refused(txn, RS_EREFUSED, "9 is given, the rule says 1 to 5");
    txn = start_writing(store);
    set_number(txn, find_key(txn, APP), "Size", 3);
    set_rule(txn, APP, "Size", "type=REG_DWORD|max=2");
    refused(txn, RS_EREFUSED, "3 is given, the rule says at most 2");
    rs_close(store);
}

static void set_size(rs_store *store, uint32_t size, bool good)
{
    rs_txn *txn = start_writing(store);
    set_number(txn, find_key(txn, APP), "Size", size);
    if (good) {
        end_writing(txn);
    } else {
        refused(txn, RS_EREFUSED, "");
    }
}

/* Whatever a store remembers of the rules from one commit to the next. */
static void rules_are_those_of_now(void)
{
    rs_store *store = open_app_rules();
    rs_store *other = open_store();
    set_size(store, 3, true);
    rs_txn *txn = start_writing(store);
    set_rule(txn, APP, "Size", "type=REG_DWORD|max=2");
    set_number(txn, find_key(txn, APP), "Size", 2);
    expect_changes(txn, 0, "");
    rs_abort(txn);
    set_size(store, 4, true);
    txn = start_writing(other);
    set_rule(txn, APP, "Size", "type=REG_DWORD|max=2");
    end_writing(txn);
    set_size(store, 3, false);
    set_size(store, 1, true);
    txn = start_writing(store);
    set_rule(txn, APP, "Size", "type=REG_DWORD|max=3");
    end_writing(txn);
    set_size(store, 3, true);
    txn = start_writing(store);
    SUCCEEDS(rs_key_rename(txn, find_key(txn, APP), "Other"));
    end_writing(txn);
    txn = start_writing(store);
    set_number(txn, find_key(txn, SERVICES "\\Other"), "Size", 9);
    end_writing(txn);
    txn = start_writing(store);
    set_number(txn, find_key(txn, SERVICES "\\Other"), "Size", 1);
    end_writing(txn);
    txn = start_writing(store);
    SUCCEEDS(rs_key_rename(txn, find_key(txn, SERVICES "\\Other"), "App"));
    end_writing(txn);
    set_size(store, 9, false);
    rs_close(other);
    rs_close(store);
}

/* More than any cache begins with. */
static void one_of_many_keys_is_refused(void)
{
    enum { PORTS = 700, WRONG = 77 };
    static rs_key ports[PORTS];
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    for (unsigned i = 0; i < PORTS; i++) {
        char path[64];
        snprintf(path, sizeof path, APP "\\Ports\\COM%u", i);
        ports[i] = add_key(txn, path);
        SUCCEEDS(rs_set_string(txn, ports[i], "Needed", "l"));
    }
    end_writing(txn);
    txn = start_writing(store);
    for (unsigned i = 0; i < PORTS; i++) {
        SUCCEEDS(rs_set_string(txn, ports[i * 13 % PORTS], "Needed", "o"));
    }
    SUCCEEDS(rs_set_string(txn, ports[WRONG], "Needed", "x"));
    refused(txn, RS_EREFUSED,
            "Services\\App\\Ports\\COM77, value \"Needed\": "
            "\"x\" is given, the rule says \"l\" or \"o\"");
    rs_close(store);
}

static void what_was_wrong_before_does_not_matter(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Key");
    set_number(txn, key, "Old", 9);
    end_writing(txn);
    txn = start_writing(store);
    set_rule(txn, "HKLM\\Key", "Old", "type=REG_DWORD|max=5");
    set_number(txn, key, "New", 9);
    expect_changes(txn, 0, "");
    expect_stored(txn, key, 0, 1, "Key:Old 9 is given, the rule says at most 5\n");
    end_writing(txn);
    txn = start_writing(store);
    SUCCEEDS(rs_key_set_class(txn, key, "Class"));
    end_writing(txn);
    txn = start_writing(store);
    set_number(txn, key, "Old", 8);
    refused(txn, RS_EREFUSED, "8 is given, the rule says at most 5");
    rs_close(store);
}

static void required_values_have_to_be_there(void)
{
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    rs_key port = add_key(txn, APP "\\Ports\\COM1");
    expect_changes(txn, 1, "COM1:Needed- nothing is set, the rule says that it has to be\n");
    SUCCEEDS(rs_set_string(txn, port, "Needed", "l"));
    end_writing(txn);
    txn = start_writing(store);
    SUCCEEDS(rs_value_delete(txn, port, "NEEDED"));
    refused(txn, RS_EREFUSED, "value \"Needed\": nothing is set, the rule says that it has to be");
    txn = start_writing(store);
    SUCCEEDS(rs_key_delete(txn, port, 0));
    end_writing(txn);
    txn = start_writing(store);
    add_key(txn, APP "\\Ports\\COM1");
    refused(txn, RS_EREFUSED, "nothing is set, the rule says that it has to be");
    rs_close(store);
}

/* ---- Keys ---- */

static void new_keys_are_judged_with_all_in_them(void)
{
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    char path[128];
    for (unsigned i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "HKLM\\SYSTEM\\ControlSet002\\Services\\App\\Ports\\COM%u", i);
        rs_key port = add_key(txn, path);
        SUCCEEDS(rs_set_string(txn, port, "Needed", i == 1 ? "l" : "x"));
        snprintf(path, sizeof path, "HKLM\\SYSTEM\\ControlSet002\\Services\\S%u", i);
        set_number(txn, add_key(txn, path), "Size", 9);
    }
    set_number(txn, find_key(txn, "HKLM\\SYSTEM\\ControlSet002\\Services\\App"), "Size", 0);
    set_number(txn, add_key(txn, "HKLM\\SYSTEM\\ControlSetxxx\\Services\\App"), "Size", 0);
    expect_changes(txn, 3,
                   "App:Size 0 is given, the rule says 1 to 5\n"
                   "COM0:Needed \"x\" is given, the rule says \"l\" or \"o\"\n"
                   "COM2:Needed \"x\" is given, the rule says \"l\" or \"o\"\n");
    refused(txn, RS_EREFUSED, "value \"Size\": 0 is given, the rule says 1 to 5");
    rs_close(store);
}

static void a_rename_into_a_ruled_place_is_judged(void)
{
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    rs_key other = add_key(txn, "HKLM\\SYSTEM\\ControlSet001\\Former");
    rs_key app = add_key(txn, "HKLM\\SYSTEM\\ControlSet001\\Former\\App");
    add_key(txn, "HKLM\\SYSTEM\\ControlSet001\\Former\\App\\Ports\\COM1");
    set_number(txn, app, "Size", 9);
    end_writing(txn);
    txn = start_writing(store);
    SUCCEEDS(rs_key_delete(txn, find_key(txn, SERVICES), RS_RECURSIVE));
    SUCCEEDS(rs_key_rename(txn, other, "Services"));
    set_number(txn, app, "Size", 8);
    expect_changes(txn, 2,
                   "App:Size 8 is given, the rule says 1 to 5\n"
                   "COM1:Needed- nothing is set, the rule says that it has to be\n");
    refused(txn, RS_EREFUSED, "8 is given, the rule says 1 to 5");
    txn = start_writing(store);
    SUCCEEDS(rs_key_rename(txn, other, "Past"));
    end_writing(txn);
    rs_close(store);
}

static void a_copy_is_judged(void)
{
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    rs_key model = add_key(txn, "HKLM\\Model");
    set_number(txn, model, "Size", 9);
    add_key(txn, "HKLM\\Model\\Ports\\COM1");
    end_writing(txn);
    txn = start_writing(store);
    SUCCEEDS(rs_key_copy(txn, model, RS_NO_KEY, APP, RS_SUBTREE, NULL));
    expect_changes(txn, 2,
                   "App:Size 9 is given, the rule says 1 to 5\n"
                   "COM1:Needed- nothing is set, the rule says that it has to be\n");
    refused(txn, RS_EREFUSED, "9 is given, the rule says 1 to 5");
    rs_close(store);
}

static rs_key link_app(rs_txn *txn, const char *path)
{
    rs_key link;
    set_rule(txn, SERVICES "\\*", "Name", "type=REG_SZ|required=yes");
    SUCCEEDS(rs_set_string(txn, find_key(txn, APP), "Name", "app"));
    SUCCEEDS(rs_link_create(txn, RS_NO_KEY, path, APP, 0, &link));
    return link;
}

/* A link is no setting: what has to be set in a key has not to be set in it. */
static void links_are_not_judged(void)
{
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    rs_key link;
    link_app(txn, SERVICES "\\Alias");
    SUCCEEDS(rs_link_create(txn, RS_NO_KEY, SERVICES "\\Zed", APP, 0, &link)); /* behind App */
    expect_changes(txn, 0, "");
    expect_stored(txn, RS_HKLM, RS_SUBTREE, 0, "");
    set_number(txn, find_key(txn, SERVICES "\\Alias"), "Size", 7);
    expect_changes(txn, 1, "App:Size 7 is given, the rule says 1 to 5\n");
    rs_abort(txn);
    rs_close(store);
}

/* One that loses its target is a key from then on, which has to have what keys have. */
static void a_link_that_becomes_a_key_is_judged(void)
{
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    rs_key link = link_app(txn, SERVICES "\\Alias");
    end_writing(txn);
    txn = start_writing(store);
    SUCCEEDS(rs_value_delete(txn, link, "SymbolicLinkValue"));
    expect_changes(txn, 1, "Alias:Name- nothing is set, the rule says that it has to be\n");
    refused(txn, RS_EREFUSED, "nothing is set, the rule says that it has to be");
    txn = start_writing(store);
    SUCCEEDS(rs_value_delete(txn, link, "SymbolicLinkValue"));
    SUCCEEDS(rs_set_string(txn, link, "Name", "no alias"));
    end_writing(txn);
    rs_close(store);
}

/* ---- Imports ---- */

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(scratch_path(name), "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_FATAL(fputs(text, file) >= 0);
    CU_ASSERT_EQUAL_FATAL(fclose(file), 0);
}

static const char dump[] = "REGEDIT4\n\n"
                           "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\App]\n"
                           "\"Size\"=dword:00000009\n\"Limit\"=\"ten\"\n\"Other\"=\"x\"\n\n"
                           "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\App\\Ports"
                           "\\COM1]\n\"Needed\"=\"z\"\n";

static void an_import_is_judged(void)
{
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    write_file("wrong.reg", dump);
    SUCCEEDS(rs_import(txn, scratch_path("wrong.reg"), NULL, NULL, NULL));
    expect_changes(txn, 3,
                   "App:Size 9 is given, the rule says 1 to 5\n"
                   "App:Limit a REG_SZ is given, the rule says REG_DWORD\n"
                   "COM1:Needed \"z\" is given, the rule says \"l\" or \"o\"\n");
    refused(txn, RS_EREFUSED, "9 is given, the rule says 1 to 5");
    rs_close(store);
}

/* A listing whose keys are new goes into the tree in another way, values in batches. */
static void an_import_of_new_keys_is_judged(void)
{
    static const char hive[] =
        "<?xml version=\"1.0\"?><hive><node name=\"Services\" root=\"1\"><node name=\"App\">"
        "<value type=\"int32\" key=\"Size\" value=\"7\"/><node name=\"Ports\"><node name=\"a\"/>"
        "</node></node><node name=\"Alien\"><value type=\"int32\" key=\"Size\" value=\"7\"/></node>"
        "</node></hive>";
    const rs_import_options options = {.key = "HKLM\\SYSTEM\\ControlSet007\\Services"};
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    write_file("new.xml", hive);
    SUCCEEDS(rs_import(txn, scratch_path("new.xml"), &options, NULL, NULL));
    expect_changes(txn, 2,
                   "App:Size 7 is given, the rule says 1 to 5\n"
                   "a:Needed- nothing is set, the rule says that it has to be\n");
    refused(txn, RS_EREFUSED, "7 is given, the rule says 1 to 5");
    rs_close(store);
}

/* ---- Rules that change ---- */

static void rules_of_the_same_transaction_count(void)
{
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    rs_key app = find_key(txn, APP);
    set_number(txn, app, "Size", 9);
    set_number(txn, app, "Fresh", 9);
    set_number(txn, add_key(txn, "HKLM\\New\\Key"), "Size", 9);
    set_rule(txn, APP, "Size", "type=REG_DWORD|max=9");
    set_rule(txn, APP, "Fresh", "type=REG_DWORD|max=8");
    set_rule(txn, "HKLM\\*\\Key", "Size", "type=REG_DWORD|max=7");
    expect_changes(txn, 2,
                   "App:Fresh 9 is given, the rule says at most 8\n"
                   "Key:Size 9 is given, the rule says at most 7\n");
    set_rule(txn, APP, "Fresh", NULL);
    SUCCEEDS(rs_key_delete(txn, find_key(txn, "HKRS\\Rules\\HKLM\\*"), RS_RECURSIVE));
    end_writing(txn);
    txn = start_writing(store);
    set_number(txn, app, "Size", 70);
    SUCCEEDS(rs_key_rename(txn, find_key(txn, "HKRS\\Rules"), "Former"));
    end_writing(txn);
    rs_close(store);
}

static void malformed_rules_are_refused(void)
{
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    set_rule(txn, APP, "Size", "type=REG_DWORD|colour=red");
    expect_changes(txn, 1, "App:Size the rule of \"Size\": \"colour=red\" is no field of a rule\n");
    SUCCEEDS(rs_txn_force(txn));
    refused(txn, RS_ERULE,
            "Rules\\HKLM\\SYSTEM\\CurrentControlSet\\Services\\App, value \"Size\": the rule of "
            "\"Size\": \"colour=red\" is no field of a rule");
    txn = start_writing(store);
    SUCCEEDS(rs_set_string(txn, find_key(txn, "HKRS\\Rules"), "Odd", "type=REG_SZ"));
    refused(txn, RS_ERULE, "the rule of \"Odd\": it is no REG_MULTI_SZ");
    txn = start_writing(store);
    const char *const fields[] = {"type=REG_SZ", NULL};
    SUCCEEDS(rs_set_multi(txn, find_key(txn, "HKRS\\Rules"), "Astray", fields, 1));
    refused(txn, RS_ERULE,
            "the rule of \"Astray\": nothing goes by a rule in HKRS\\Rules itself, it belongs "
            "below HKRS\\Rules\\HKLM, HKU or HKRS");
    txn = start_writing(store);
    set_rule(txn, "HKU\\New\\Key", "Odd", "min=1");
    refused(txn, RS_ERULE, "the rule of \"Odd\": no type= in it");
    rs_close(store);
}

/* Of a root that is a view the rules are those of what it shows; a link leads to no rules. */
static void rules_that_would_apply_to_nothing_are_refused(void)
{
    static const char *const places[][2] = {
        {"HKCU\\Key", "\"HKCU\", it belongs below HKRS\\Rules\\HKU\\*"},
        {"hkey_current_user", "\"hkey_current_user\", it belongs below HKRS\\Rules\\HKU\\*"},
        {"HKCR\\Key", "\"HKCR\", it belongs below HKRS\\Rules\\HKLM\\SOFTWARE\\Classes"},
        {"HKCC", "\"HKCC\", it belongs below HKRS\\Rules\\HKLM\\SYSTEM\\CurrentControlSet\\"
                 "Hardware Profiles\\Current"},
        {"HKEY_USERS\\A", "\"HKEY_USERS\", it belongs below HKRS\\Rules\\HKU"},
        {"*\\Key", "\"*\", it belongs below HKRS\\Rules\\HKLM, HKU or HKRS"},
        {"Print", "\"Print\", it belongs below HKRS\\Rules\\HKLM, HKU or HKRS"},
    };
    rs_store *store = open_app_rules();
    rs_txn *txn;
    rs_key link;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        txn = start_writing(store);
        set_rule(txn, places[i][0], "Size", "type=REG_DWORD");
        SUCCEEDS(rs_txn_force(txn));
        refused(txn, RS_ERULE, places[i][1]);
    }
    txn = start_writing(store);
    set_rule(txn, "HKU", "Size", "type=REG_DWORD");
    set_rule(txn, "hkrs\\A", "Size", "type=REG_DWORD");
    end_writing(txn);
    txn = start_writing(store);
    SUCCEEDS(rs_key_rename(txn, find_key(txn, "HKRS\\Rules\\HKU"), "HKCU"));
    refused(txn, RS_ERULE, "\"HKCU\", it belongs below HKRS\\Rules\\HKU\\*");
    txn = start_writing(store);
    SUCCEEDS(rs_link_create(txn, RS_NO_KEY, "HKRS\\Rules\\HKLM\\SYSTEM\\ControlSet001",
                            "HKRS\\Rules\\HKLM\\SYSTEM\\CurrentControlSet", 0, &link));
    refused(txn, RS_ERULE, "no rule is found by a symbolic link");
    rs_close(store);
}

static void keys_that_become_rules_are_judged(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    SUCCEEDS(rs_set_string(txn, add_key(txn, "HKRS\\Drafts\\HKLM\\Key"), "Odd", "x"));
    end_writing(txn);
    txn = start_writing(store);
    SUCCEEDS(rs_key_rename(txn, find_key(txn, "HKRS\\Drafts"), "Rules"));
    refused(txn, RS_ERULE, "it is no REG_MULTI_SZ");
    txn = start_writing(store);
    SUCCEEDS(rs_key_copy(txn, find_key(txn, "HKRS\\Drafts"), RS_HKRS, "Rules", RS_SUBTREE, NULL));
    expect_stored(txn, RS_HKRS, RS_SUBTREE, 1,
                  "Key:Odd the rule of \"Odd\": it is no REG_MULTI_SZ\n");
    refused(txn, RS_ERULE, "it is no REG_MULTI_SZ");
    rs_close(store);
}

/* ---- Force ---- */

static unsigned flags_of(rs_store *store, uint64_t revision)
{
    struct history history = history_of(store, revision);
    unsigned flags = history.head.flags;
    history_free(&history);
    return flags;
}

static void force_is_recorded_where_it_was_needed(void)
{
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    SUCCEEDS(rs_txn_force(txn));
    set_number(txn, find_key(txn, APP), "Size", 9);
    set_number(txn, find_key(txn, APP), "Limit", 9);
    expect_changes(txn, 1, "App:Size 9 is given, the rule says 1 to 5\n");
    CU_ASSERT_EQUAL(flags_of(store, end_writing(txn)), RS_REVISION_FORCED);
    txn = start_writing(store);
    SUCCEEDS(rs_txn_force(txn));
    set_number(txn, find_key(txn, APP), "Size", 4);
    CU_ASSERT_EQUAL(flags_of(store, end_writing(txn)), 0);
    txn = start_reading(store);
    GIVES(RS_EREADONLY, rs_txn_force(txn));
    rs_abort(txn);
    GIVES(RS_EINVAL, rs_txn_force(NULL));
    rs_close(store);
}

static void what_is_undone_is_not_judged(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Key");
    set_number(txn, key, "Size", 9);
    end_writing(txn);
    txn = start_writing(store);
    SUCCEEDS(rs_value_delete(txn, key, "Size"));
    uint64_t deleted = end_writing(txn);
    txn = start_writing(store);
    set_rule(txn, "HKLM\\Key", "Size", "type=REG_DWORD|max=5");
    end_writing(txn);
    txn = start_writing(store);
    SUCCEEDS(rs_undo(txn, deleted, deleted, NULL, NULL));
    expect_changes(txn, 0, "");
    CU_ASSERT_EQUAL(flags_of(store, end_writing(txn)), RS_REVISION_UNDO);
    rs_close(store);
}

/* What a transaction changes beside an undo is judged: before it, behind it, between two, and in
 * what an undo has put back. */
static void what_is_changed_beside_an_undo_is_judged(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key top = add_key(txn, "HKLM\\Top");
    rs_key key = add_key(txn, "HKLM\\Top\\Key");
    set_number(txn, key, "Size", 9);
    set_number(txn, top, "Size", 9);
    end_writing(txn);
    txn = start_writing(store);
    SUCCEEDS(rs_key_delete(txn, key, 0));
    const uint64_t deleted = end_writing(txn);
    txn = start_writing(store);
    SUCCEEDS(rs_value_delete(txn, top, "Size"));
    const uint64_t emptied = end_writing(txn);
    txn = start_writing(store);
    set_rule(txn, "HKLM\\Top", "Size", "type=REG_DWORD|max=5");
    set_rule(txn, "HKLM\\Top\\*", "Size", "type=REG_DWORD|max=5");
    set_rule(txn, "HKLM\\Top\\*", "Other", "type=REG_DWORD|max=5");
    end_writing(txn);
    for (int own = 0; own < 4; own++) {
        txn = start_writing(store);
        if (own == 1) {
            set_number(txn, add_key(txn, "HKLM\\Top\\Before"), "Other", 6);
        }
        SUCCEEDS(rs_undo(txn, emptied, emptied, NULL, NULL));
        if (own == 2) {
            set_number(txn, add_key(txn, "HKLM\\Top\\Between"), "Other", 7);
        }
        SUCCEEDS(rs_undo(txn, deleted, deleted, NULL, NULL));
        if (own == 3) {
            set_number(txn, find_key(txn, "HKLM\\Top\\Key"), "Other", 8);
        }
        static const char *const told[] = {"", "Before:Other 6 is given, the rule says at most 5\n",
                                           "Between:Other 7 is given, the rule says at most 5\n",
                                           "Key:Other 8 is given, the rule says at most 5\n"};
        expect_changes(txn, own > 0, told[own]);
        if (own > 0) {
            refused(txn, RS_EREFUSED, "is given, the rule says at most 5");
        } else {
            rs_abort(txn);
        }
    }
    txn = start_writing(store);
    SUCCEEDS(rs_undo(txn, emptied, emptied, NULL, NULL));
    set_number(txn, top, "Size", 8); /* not what the undo has put there */
    refused(txn, RS_EREFUSED, "8 is given, the rule says at most 5");
    rs_close(store);
}

static const struct test_case cases[] = {
    {"a wrong value is refused", a_wrong_value_is_refused},
    {"values are judged as they are at last", values_are_judged_as_they_are_at_last},
    {"what was good first is refused at last", what_was_good_first_is_refused_at_last},
    {"one of many keys is refused", one_of_many_keys_is_refused},
    {"rules are those of now", rules_are_those_of_now},
    {"what was wrong before does not matter", what_was_wrong_before_does_not_matter},
    {"required values have to be there", required_values_have_to_be_there},
    {"new keys are judged with all in them", new_keys_are_judged_with_all_in_them},
    {"a rename into a ruled place is judged", a_rename_into_a_ruled_place_is_judged},
    {"a copy is judged", a_copy_is_judged},
    {"links are not judged", links_are_not_judged},
    {"a link that becomes a key is judged", a_link_that_becomes_a_key_is_judged},
    {"an import is judged", an_import_is_judged},
    {"an import of new keys is judged", an_import_of_new_keys_is_judged},
    {"rules of the same transaction count", rules_of_the_same_transaction_count},
    {"malformed rules are refused", malformed_rules_are_refused},
    {"rules that would apply to nothing are refused",
     rules_that_would_apply_to_nothing_are_refused},
    {"keys that become rules are judged", keys_that_become_rules_are_judged},
    {"force is recorded where it was needed", force_is_recorded_where_it_was_needed},
    {"what is undone is not judged", what_is_undone_is_not_judged},
    {"what is changed beside an undo is judged", what_is_changed_beside_an_undo_is_judged},
    {NULL, NULL},
};

const struct test_suite suite_schema_check = {"schema_check", cases};
