/*
 * test_tree_links.c - symbolic links: followed, opened themselves, looping, dangling, retargeted.
 */
#include "stores.h"

#include <stdio.h>
#include <unistd.h>

static rs_key add_link(rs_txn *txn, const char *path, const char *target)
{
    rs_key link = RS_NO_KEY;
    SUCCEEDS(rs_link_create(txn, RS_NO_KEY, path, target, 0, &link));
    return link;
}

static int opened(rs_txn *txn, const char *path)
{
    rs_key key;
    return rs_key_open(txn, RS_NO_KEY, path, &key);
}

static const char *target_of(rs_txn *txn, rs_key link)
{
    const char *target = NULL;
    SUCCEEDS(rs_link_target(txn, link, &target, NULL));
    return target;
}

static void links_are_followed(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key deep = add_key(txn, "HKLM\\SYSTEM\\ControlSet001\\Control\\Print");
    rs_key set = find_key(txn, "HKLM\\SYSTEM\\ControlSet001");
    rs_key link = add_link(txn, "HKLM\\SYSTEM\\CurrentControlSet", "HKLM\\SYSTEM\\ControlSet001");
    CU_ASSERT_EQUAL(find_key(txn, "HKLM\\system\\currentcontrolset"), set);
    CU_ASSERT_EQUAL(find_key(txn, "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print"), deep);
    CU_ASSERT_EQUAL(find_link(txn, "HKLM\\SYSTEM\\CurrentControlSet"), link);
    /* RS_NOFOLLOW is about the end of the path. */
    CU_ASSERT_EQUAL(find_link(txn, "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print"), deep);
    EQUAL_TEXT(target_of(txn, link), "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001");
    EQUAL_TEXT(path_of(txn, deep), "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Control\\Print");
    CU_ASSERT_EQUAL(info_of(txn, link).flags, RS_KEY_LINK);
    CU_ASSERT_EQUAL(info_of(txn, set).flags, 0);
    end_writing(txn);
    txn = start_reading(store);
    CU_ASSERT_EQUAL(find_key(txn, "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print"), deep);
    rs_abort(txn);
    rs_close(store);
}

static void a_link_is_stored_as_nt_stores_it(void)
{
    static const char wanted[] = "\\\0R\0e\0g\0i\0s\0t\0r\0y\0\\\0M\0a\0c\0h\0i\0n\0e\0\\\0A";
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key link = add_link(txn, "HKLM\\Link", "HKLM\\A");
    rs_value value;
    SUCCEEDS(rs_value_get(txn, link, "SymbolicLinkValue", &value));
    CU_ASSERT_EQUAL(value.type, REG_LINK);
    CU_ASSERT_EQUAL_FATAL(value.size, sizeof wanted);
    CU_ASSERT_EQUAL(memcmp(value.data, wanted, sizeof wanted), 0);
    end_writing(txn);
    rs_close(store);
}

/* A key is a link as long as it has the value, however that came there. */
static void the_value_makes_the_link(void)
{
    static const char target[] = "\\\0R\0E\0G\0I\0S\0T\0R\0Y\0\\\0u\0s\0e\0r\0\\\0X\0\0";
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Key");
    rs_key x = add_key(txn, "HKU\\X");
    SUCCEEDS(rs_set_string(txn, key, "SymbolicLinkValue", "HKU\\X"));
    CU_ASSERT_EQUAL(find_key(txn, "HKLM\\Key"), key);
    SUCCEEDS(rs_value_set(txn, key, "symboliclinkvalue", REG_LINK, target, sizeof target));
    CU_ASSERT_EQUAL(find_key(txn, "HKLM\\Key"), x);
    SUCCEEDS(rs_key_rename(txn, key, "Renamed"));
    CU_ASSERT_EQUAL(find_key(txn, "HKLM\\Renamed"), x);
    SUCCEEDS(rs_value_delete(txn, key, "SymbolicLinkValue"));
    CU_ASSERT_EQUAL(find_key(txn, "HKLM\\Renamed"), key);
    CU_ASSERT_EQUAL(info_of(txn, key).flags, 0);
    const char *none;
    GIVES(RS_ENOTFOUND, rs_link_target(txn, key, &none, NULL));
    end_writing(txn);
    rs_close(store);
}

static void a_root_becomes_no_link(void)
{
    static const char target[] = "H\0K\0U";
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    SUCCEEDS(rs_value_set(txn, RS_HKLM, "SymbolicLinkValue", REG_LINK, target, sizeof target));
    CU_ASSERT_EQUAL(find_key(txn, "HKLM"), RS_HKLM);
    CU_ASSERT_EQUAL(info_of(txn, RS_HKLM).flags, 0);
    SUCCEEDS(rs_value_delete(txn, RS_HKLM, "SymbolicLinkValue"));
    end_writing(txn);
    rs_close(store);
}

static void loops_are_errors(void)
{
    rs_error error = RS_ERROR_INIT;
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key;
    add_link(txn, "HKLM\\Self", "HKLM\\Self");
    add_link(txn, "HKLM\\A", "HKLM\\B");
    add_link(txn, "HKLM\\B", "HKLM\\A");
    add_link(txn, "HKLM\\Inside", "HKLM\\Inside\\Deeper");
    rs_txn_errors(txn, &error);
    GIVES(RS_ELOOP, opened(txn, "HKLM\\Self"));
    CU_ASSERT_EQUAL(error.status, RS_ELOOP);
    GIVES(RS_ELOOP, opened(txn, "HKLM\\A\\x"));
    GIVES(RS_ELOOP, opened(txn, "HKLM\\Inside"));
    GIVES(RS_ELOOP, rs_key_create(txn, RS_HKLM, "B\\New", &key));
    GIVES(RS_ELOOP, rs_key_create(txn, RS_HKLM, "Inside\\New", &key));
    CU_ASSERT_EQUAL(stat_of(txn).keys, 4);
    end_writing(txn);
    rs_close(store);
}

static void chains_have_a_limit(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key end = add_key(txn, "HKLM\\L0");
    char path[32];
    char target[32];
    for (int i = 1; i <= TREE_MAX_LINKS + 1; i++) {
        snprintf(path, sizeof path, "HKLM\\L%d", i);
        snprintf(target, sizeof target, "HKLM\\L%d", i - 1);
        add_link(txn, path, target);
    }
    CU_ASSERT_EQUAL(find_key(txn, "HKLM\\L32"), end);
    GIVES(RS_ELOOP, opened(txn, "HKLM\\L33"));
    end_writing(txn);
    rs_close(store);
}

static void a_dangling_link_leads_nowhere(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key link = add_link(txn, "HKLM\\Link", "HKLM\\Far\\Away");
    GIVES(RS_ENOTFOUND, opened(txn, "HKLM\\Link"));
    GIVES(RS_ENOTFOUND, opened(txn, "HKLM\\Link\\Deeper"));
    CU_ASSERT_EQUAL(find_link(txn, "HKLM\\Link"), link);
    rs_key deeper = add_key(txn, "HKLM\\Link\\Deeper");
    EQUAL_TEXT(path_of(txn, deeper), "HKEY_LOCAL_MACHINE\\Far\\Away\\Deeper");
    CU_ASSERT_EQUAL(find_key(txn, "HKLM\\Far\\Away\\Deeper"), deeper);
    CU_ASSERT_EQUAL(info_of(txn, link).subkeys, 0);
    end_writing(txn);
    rs_close(store);
}

/* What a path makes behind a dangling link is counted before the link's target is made. */
static void a_dangling_link_makes_all_or_nothing(void)
{
    char target[2000];
    rs_key key = 0;
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    snprintf(target, sizeof target, "HKLM\\%s", repeated("k\\", 510));
    add_link(txn, "HKLM\\Link", target);
    GIVES(RS_EDEPTH, rs_key_create(txn, RS_HKLM, "Link\\a\\b\\c", &key));
    CU_ASSERT_EQUAL(stat_of(txn).keys, 1);
    add_link(txn, "HKLM\\SOFTWARE", target);
    GIVES(RS_EDEPTH, rs_key_create(txn, RS_HKCR, "a\\b", &key));
    CU_ASSERT_EQUAL(stat_of(txn).keys, 2);
    SUCCEEDS(rs_key_create(txn, RS_HKCR, "a", &key));
    end_writing(txn);
    rs_close(store);
}

/* Only the last key of a path is made volatile. */
static void a_dangling_link_is_not_made_volatile(void)
{
    rs_key key;
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    add_link(txn, "HKLM\\Link", "HKLM\\Target");
    SUCCEEDS(rs_key_create_n(txn, RS_HKLM, "Link\\New", RS_NTS, RS_VOLATILE, &key, NULL));
    CU_ASSERT_EQUAL(info_of(txn, key).flags, RS_KEY_VOLATILE);
    CU_ASSERT_EQUAL(info_of(txn, find_key(txn, "HKLM\\Target")).flags, 0);
    end_writing(txn);
    rs_close(store);
}

static void a_target_must_be_a_path(void)
{
    static const char *const bad[] = {"", "None", "\\HKLM\\A", "HKLM\\A\\\\B", "HKXX\\A"};
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key link = 77;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        GIVES(RS_EPATH, rs_link_create(txn, RS_HKLM, "Link", bad[i], 0, &link));
    }
    CU_ASSERT_EQUAL(stat_of(txn).keys, 0);
    rs_key key = add_key(txn, "HKLM\\Odd");
    SUCCEEDS(rs_value_set(txn, key, "SymbolicLinkValue", REG_LINK, "odd", 3));
    GIVES(RS_EDATA, opened(txn, "HKLM\\Odd"));
    CU_ASSERT_EQUAL(find_link(txn, "HKLM\\Odd"), key);
    end_writing(txn);
    rs_close(store);
}

static void a_link_is_pointed_elsewhere(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key one = add_key(txn, "HKLM\\One");
    rs_key two = add_key(txn, "HKLM\\Two");
    rs_key link = add_link(txn, "HKLM\\Link", "HKLM\\One");
    CU_ASSERT_EQUAL(find_key(txn, "HKLM\\Link"), one);
    end_writing(txn);
    txn = start_writing(store);
    CU_ASSERT_EQUAL(add_link(txn, "HKLM\\LINK", "HKLM\\Two"), link);
    CU_ASSERT_EQUAL(find_key(txn, "HKLM\\Link"), two);
    rs_key none = 77;
    GIVES(RS_EEXIST, rs_link_create(txn, RS_HKLM, "One", "HKLM\\Two", 0, &none));
    GIVES(RS_EEXIST, rs_link_create(txn, RS_NO_KEY, "HKLM", "HKLM\\Two", 0, &none));
    CU_ASSERT_EQUAL(none, 77);
    EQUAL_TEXT(subkeys_of(txn, RS_HKLM), "Link,One,Two");
    CU_ASSERT_EQUAL(stat_of(txn).values, 1);
    end_writing(txn);
    rs_close(store);
}

static void a_volatile_link_says_so(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key link;
    SUCCEEDS(rs_link_create(txn, RS_HKLM, "A\\Link", "HKLM\\B", RS_VOLATILE, &link));
    CU_ASSERT_EQUAL(info_of(txn, link).flags, RS_KEY_LINK | RS_KEY_VOLATILE);
    CU_ASSERT_EQUAL(info_of(txn, find_key(txn, "HKLM\\A")).flags, 0);
    rs_key key;
    SUCCEEDS(rs_key_create_n(txn, RS_HKLM, "C\\D", RS_NTS, RS_VOLATILE, &key, NULL));
    CU_ASSERT_EQUAL(info_of(txn, key).flags, RS_KEY_VOLATILE);
    CU_ASSERT_EQUAL(info_of(txn, find_key(txn, "HKLM\\C")).flags, 0);
    GIVES(RS_EINVAL, rs_link_create(txn, RS_HKLM, "X", "HKLM\\B", RS_NOFOLLOW, &key));
    end_writing(txn);
    rs_close(store);
}

/* ---- Views ---- */

static void links_work_through_views(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key set = add_key(txn, "HKLM\\SYSTEM\\ControlSet001\\Hardware Profiles\\0001");
    add_link(txn, "HKLM\\SYSTEM\\CurrentControlSet", "HKLM\\SYSTEM\\ControlSet001");
    GIVES(RS_ENOTFOUND, opened(txn, "HKCC"));
    add_link(txn, "HKLM\\SYSTEM\\CurrentControlSet\\Hardware Profiles\\Current",
             "HKLM\\SYSTEM\\ControlSet001\\Hardware Profiles\\0001");
    CU_ASSERT_EQUAL(find_key(txn, "HKCC"), set);
    rs_key software = add_key(txn, "HKCC\\Software");
    CU_ASSERT_EQUAL(info_of(txn, software).parent, set);
    rs_key txt = add_key(txn, "HKCR\\.txt");
    EQUAL_TEXT(path_of(txn, txt), "HKEY_LOCAL_MACHINE\\SOFTWARE\\Classes\\.txt");
    rs_key link = add_link(txn, "HKCR\\link", "HKCC\\Software");
    EQUAL_TEXT(path_of(txn, link), "HKEY_LOCAL_MACHINE\\SOFTWARE\\Classes\\link");
    CU_ASSERT_EQUAL(find_key(txn, "HKLM\\SOFTWARE\\Classes\\link"), software);
    end_writing(txn);
    rs_close(store);
}

static void the_users_view_is_his_own(void)
{
    char wanted[64];
    snprintf(wanted, sizeof wanted, "HKEY_USERS\\S-1-22-1-%lu\\Printers", (unsigned long)getuid());
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key_info info;
    GIVES(RS_ENOTFOUND, rs_key_info_get(txn, RS_HKCU, &info));
    rs_key printers = add_key(txn, "HKCU\\Printers");
    EQUAL_TEXT(path_of(txn, printers), wanted);
    rs_key link = add_link(txn, "HKCU\\Link", "HKCU\\Printers");
    EQUAL_TEXT(target_of(txn, link), wanted);
    CU_ASSERT_EQUAL(find_key(txn, "HKCU\\Link"), printers);
    set_number(txn, RS_HKCU, "Size", 3);
    CU_ASSERT_EQUAL(info_of(txn, RS_HKCU).values, 1);
    EQUAL_TEXT(subkeys_of(txn, RS_HKCU), "Link,Printers");
    GIVES(RS_EROOT, rs_key_delete(txn, RS_HKCU, RS_RECURSIVE));
    end_writing(txn);
    rs_close(store);
}

/* ---- Deleting ---- */

static void deleting_does_not_follow(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key kept = add_key(txn, "HKLM\\Kept\\Deep");
    rs_key link = add_link(txn, "HKLM\\Gone\\Sub\\Link", "HKLM\\Kept");
    add_link(txn, "HKLM\\Gone\\Up", "HKLM\\Gone");
    rs_key single = add_link(txn, "HKLM\\Single", "HKLM\\Kept");
    SUCCEEDS(rs_key_delete(txn, single, RS_RECURSIVE));
    SUCCEEDS(rs_key_delete(txn, find_key(txn, "HKLM\\Gone"), RS_RECURSIVE));
    rs_key_info info;
    GIVES(RS_EDELETED, rs_key_info_get(txn, link, &info));
    CU_ASSERT_EQUAL(find_key(txn, "HKLM\\Kept\\Deep"), kept);
    EQUAL_TEXT(subkeys_of(txn, RS_HKLM), "Kept");
    CU_ASSERT_EQUAL(stat_of(txn).keys, 2);
    CU_ASSERT_EQUAL(stat_of(txn).values, 0);
    end_writing(txn);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"links are followed", links_are_followed},
    {"a link is stored as NT stores it", a_link_is_stored_as_nt_stores_it},
    {"the value makes the link", the_value_makes_the_link},
    {"a root becomes no link", a_root_becomes_no_link},
    {"loops are errors", loops_are_errors},
    {"chains have a limit", chains_have_a_limit},
    {"a dangling link leads nowhere", a_dangling_link_leads_nowhere},
    {"a dangling link makes all or nothing", a_dangling_link_makes_all_or_nothing},
    {"a dangling link is not made volatile", a_dangling_link_is_not_made_volatile},
    {"a target must be a path", a_target_must_be_a_path},
    {"a link is pointed elsewhere", a_link_is_pointed_elsewhere},
    {"a volatile link says so", a_volatile_link_says_so},
    {"links work through views", links_work_through_views},
    {"the user's view is his own", the_users_view_is_his_own},
    {"deleting does not follow", deleting_does_not_follow},
    {NULL, NULL},
};
const struct test_suite suite_tree_links = {"tree_links", cases};
