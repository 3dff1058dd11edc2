/*
 * test_tree.c - keys: names, order, limits, rename, class, write times, handles.
 */
#include "stores.h"

#include <stdio.h>

#define E_ACUTE "\xc3\xa9"
#define E_ACUTE_CAPITAL "\xc3\x89"
#define SHARP_S "\xc3\x9f"
#define HIGH_SURROGATE "\xed\xa0\x80"
#define CJK "\xe4\xb8\xad"

/* ---- Names ---- */

static void a_new_store_has_its_roots(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_reading(store);
    CU_ASSERT_EQUAL(find_key(txn, "HKLM"), RS_HKLM);
    CU_ASSERT_EQUAL(find_key(txn, "HKEY_USERS"), RS_HKU);
    CU_ASSERT_EQUAL(find_key(txn, "/hkrs"), RS_HKRS);
    rs_key_info info = info_of(txn, RS_HKLM);
    EQUAL_TEXT(info.name, "HKEY_LOCAL_MACHINE");
    CU_ASSERT_EQUAL(info.parent, RS_NO_KEY);
    CU_ASSERT_EQUAL(info.subkeys + info.values + info.flags, 0);
    CU_ASSERT(info.written > 0);
    CU_ASSERT_EQUAL(rs_revision(txn), 0);
    CU_ASSERT_EQUAL(stat_of(txn).keys, 0);
    rs_abort(txn);
    rs_close(store);
}

static void paths_lead_to_keys(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key print = add_key(txn, "HKLM\\SYSTEM\\Control\\Print");
    CU_ASSERT_EQUAL(find_key(txn, "hkey_local_machine\\system\\CONTROL\\print\\"), print);
    CU_ASSERT_EQUAL(find_key(txn, "/HKLM/SYSTEM/Control/Print/"), print);
    rs_key control = info_of(txn, print).parent;
    rs_key found;
    SUCCEEDS(rs_key_open(txn, control, "print", &found));
    CU_ASSERT_EQUAL(found, print);
    SUCCEEDS(rs_key_open(txn, print, "", &found));
    CU_ASSERT_EQUAL(found, print);
    EQUAL_TEXT(path_of(txn, print), "HKEY_LOCAL_MACHINE\\SYSTEM\\Control\\Print");
    EQUAL_TEXT(path_of(txn, RS_HKU), "HKEY_USERS");
    CU_ASSERT_EQUAL(end_writing(txn), 1);
    rs_close(store);
}

static void paths_that_lead_nowhere(void)
{
    static const struct {
        const char *path;
        int status;
    } rows[] = {
        {"HKLM\\None", RS_ENOTFOUND}, {"HKLM\\A\\None\\More", RS_ENOTFOUND},
        {"HKXX\\A", RS_EPATH},        {"HKLM\\A\\\\B", RS_EPATH},
        {"\\HKLM\\A", RS_EPATH},      {"", RS_EPATH},
        {"HKLM\\A\xff", RS_ETEXT},    {"HKCR", RS_ENOTFOUND},
    };
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    add_key(txn, "HKLM\\A");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rs_error error = RS_ERROR_INIT;
        rs_key key = 77;
        rs_txn_errors(txn, &error);
        CU_ASSERT_EQUAL(rs_key_open(txn, RS_NO_KEY, rows[i].path, &key), rows[i].status);
        CU_ASSERT_EQUAL(error.status, rows[i].status);
        CU_ASSERT_EQUAL(key, 77);
    }
    rs_txn_errors(txn, NULL);
    rs_abort(txn);
    rs_close(store);
}

/* Pairs of names that are one name, and pairs that are two. */
static void names_fold_as_the_registry_does(void)
{
    static const struct {
        const char *one;
        const char *other;
        bool same;
    } rows[] = {
        {"abc", "ABC", true},
        {E_ACUTE, E_ACUTE_CAPITAL, true},
        {SHARP_S, "SS", false},
        {SHARP_S, "\xe1\xba\x9e", false}, /* its capital has no way back */
        {"\xc4\xb1", "I", false},         /* dotless i */
        {HIGH_SURROGATE, HIGH_SURROGATE "x", false},
        {"\xed\xb0\x80", HIGH_SURROGATE, false},
        {"\xf0\x90\x90\xa8", "\xf0\x90\x90\x80", false}, /* outside the BMP nothing folds */
    };
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rs_key base;
        rs_key one;
        rs_key other;
        char name[8];
        snprintf(name, sizeof name, "%zu", i);
        SUCCEEDS(rs_key_create(txn, RS_HKLM, name, &base));
        SUCCEEDS(rs_key_create(txn, base, rows[i].one, &one));
        SUCCEEDS(rs_key_create(txn, base, rows[i].other, &other));
        CU_ASSERT_EQUAL(one == other, rows[i].same);
        EQUAL_TEXT(info_of(txn, one).name, rows[i].one);
        CU_ASSERT_EQUAL(info_of(txn, base).subkeys, rows[i].same ? 1 : 2);
    }
    end_writing(txn);
    rs_close(store);
}

static void names_may_hold_nul(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key plain = add_key(txn, "HKLM\\a");
    rs_key key;
    rs_key found;
    SUCCEEDS(rs_key_create_n(txn, RS_HKLM, "a\0b\\c\0", 6, 0, &key, NULL));
    SUCCEEDS(rs_key_open_n(txn, RS_HKLM, "A\0B", 3, 0, &found));
    CU_ASSERT_NOT_EQUAL(found, plain);
    rs_key_info info = info_of(txn, found);
    CU_ASSERT_EQUAL(info.name_len, 3);
    CU_ASSERT_EQUAL(memcmp(info.name, "a\0b", 4), 0);
    const char *path;
    size_t len;
    SUCCEEDS(rs_key_path(txn, key, &path, &len));
    CU_ASSERT_EQUAL(len, strlen("HKEY_LOCAL_MACHINE\\") + 6);
    CU_ASSERT_EQUAL(memcmp(path + len - 6, "a\0b\\c\0", 7), 0);
    SUCCEEDS(rs_key_open_n(txn, RS_NO_KEY, path, len, 0, &found));
    CU_ASSERT_EQUAL(found, key);
    end_writing(txn);
    rs_close(store);
}

static void subkeys_come_in_folded_order(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key base = add_key(txn, "HKLM\\Base");
    static const char *const names[] = {
        "b", "C", "a", "B1", "_", E_ACUTE, "\xef\xbf\xbd", "Z", "\xf0\x90\x80\x80"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        rs_key key;
        SUCCEEDS(rs_key_create(txn, base, names[i], &key));
    }
    /* In the order of UTF-16 units a surrogate stands before U+FFFD. */
    const char *order = "a,b,B1,C,Z,_," E_ACUTE ",\xf0\x90\x80\x80,\xef\xbf\xbd";
    EQUAL_TEXT(subkeys_of(txn, base), order);
    end_writing(txn);
    txn = start_reading(store);
    EQUAL_TEXT(subkeys_of(txn, base), order);
    rs_abort(txn);
    rs_close(store);
}

/* ---- Long names ---- */

/* Names of 255 units whose first 200 are the same, more than the table's keys hold. */
static void long_name(char *name, unsigned number)
{
    snprintf(name, 800, "%s%03u%s", repeated(CJK, 200), number, repeated(CJK, 52));
}

#define LONG_NAMES 200u

static void make_long_names(rs_txn *txn, rs_key base, rs_key keys[LONG_NAMES])
{
    char name[800];
    for (unsigned i = 0; i < LONG_NAMES; i++) {
        unsigned number = i * 83 % LONG_NAMES;
        long_name(name, number);
        SUCCEEDS(rs_key_create(txn, base, name, &keys[number]));
        set_number(txn, keys[number], "number", number);
    }
}

static void check_long_names(rs_txn *txn, rs_key base, const rs_key keys[LONG_NAMES])
{
    rs_cursor *cursor;
    rs_key_info info;
    char name[800];
    unsigned number = 0;
    SUCCEEDS(rs_subkeys(txn, base, &cursor));
    while (rs_next_key(cursor, &info) == RS_OK) {
        rs_key found = 0;
        long_name(name, number);
        EQUAL_TEXT(info.name, name);
        SUCCEEDS(rs_key_open(txn, base, name, &found));
        CU_ASSERT_EQUAL(found, keys[number]);
        CU_ASSERT_EQUAL(number_of(txn, found, "number"), number);
        number++;
    }
    CU_ASSERT_EQUAL(number, LONG_NAMES);
    rs_cursor_close(cursor);
}

static void long_names_are_told_apart(void)
{
    rs_key keys[LONG_NAMES];
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key base = add_key(txn, "HKLM\\Base");
    make_long_names(txn, base, keys);
    check_long_names(txn, base, keys);
    end_writing(txn);
    txn = start_reading(store);
    check_long_names(txn, base, keys);
    rs_abort(txn);
    rs_close(store);
}

/* Looking for a long name looks at the key's record, which may push the parent's record out of the
 * cache and into the table, where it moves its neighbours: the entry just found is one of them. */
static void long_names_are_found_while_records_move(void)
{
    char name[800];
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key base = add_key(txn, "HKLM\\Base");
    rs_key child = base;
    long_name(name, 1);
    /* A key whose record has the parent's place in the cache; one of these has. */
    for (unsigned i = 0; i < 1000 && child % 64 != (base - 1) % 64; i++) {
        child = add_key(txn, "HKLM\\Other");
        SUCCEEDS(rs_key_delete(txn, child, 0));
    }
    SUCCEEDS(rs_key_create(txn, base, name, &child));
    end_writing(txn);
    txn = start_writing(store);
    for (unsigned i = 0; i < 10; i++) {
        rs_key found = 0;
        long_name(name, i);
        SUCCEEDS(rs_key_rename(txn, child, name));
        SUCCEEDS(rs_key_set_class(txn, base, repeated("c", 1 + i * 10)));
        GIVES(RS_OK, rs_key_open(txn, base, name, &found));
        CU_ASSERT_EQUAL(found, child);
    }
    CU_ASSERT_EQUAL(info_of(txn, base).subkeys, 1);
    end_writing(txn);
    rs_close(store);
}

static void long_names_are_renamed_and_deleted(void)
{
    rs_key keys[LONG_NAMES];
    char name[800];
    rs_key found;
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key base = add_key(txn, "HKLM\\Base");
    make_long_names(txn, base, keys);
    for (unsigned i = 0; i < LONG_NAMES; i += 2) {
        long_name(name, i);
        SUCCEEDS(rs_key_delete(txn, keys[i], 0));
        GIVES(RS_ENOTFOUND, rs_key_open(txn, base, name, &found));
        SUCCEEDS(rs_key_rename(txn, keys[i + 1], name));
        SUCCEEDS(rs_key_open(txn, base, name, &found));
        CU_ASSERT_EQUAL(found, keys[i + 1]);
    }
    CU_ASSERT_EQUAL(info_of(txn, base).subkeys, LONG_NAMES / 2);
    end_writing(txn);
    rs_close(store);
}

/* ---- Limits ---- */

static void a_name_has_at_most_255_units(void)
{
    static const struct {
        const char *unit;
        size_t most;
    } rows[] = {{"a", 255}, {E_ACUTE, 255}, {CJK, 255}, {"\xf0\x90\x80\x80", 127}};
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rs_key key = 0;
        SUCCEEDS(rs_key_create(txn, RS_HKLM, repeated(rows[i].unit, rows[i].most), &key));
        rs_key same = 0;
        SUCCEEDS(rs_key_open(txn, RS_HKLM, repeated(rows[i].unit, rows[i].most), &same));
        CU_ASSERT_EQUAL(key, same);
        const char *longer = repeated(rows[i].unit, rows[i].most + 1);
        GIVES(RS_ETOOLONG, rs_key_create(txn, RS_HKLM, longer, &key));
        GIVES(RS_ETOOLONG, rs_key_rename(txn, same, longer));
    }
    CU_ASSERT_EQUAL(info_of(txn, RS_HKLM).subkeys, 4);
    end_writing(txn);
    rs_close(store);
}

static void bad_names_make_nothing(void)
{
    static const struct {
        const char *path;
        int status;
    } rows[] = {
        {"New\\\\Deeper", RS_EPATH},
        {"\\New", RS_EPATH},
        {"New\\a\xff", RS_ETEXT},
        {"New\\" HIGH_SURROGATE "\xed\xb0\x80", RS_ETEXT}, /* a pair has one sequence */
    };
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key base = add_key(txn, "HKLM\\Base");
    rs_key key = 77;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        GIVES(rows[i].status, rs_key_create(txn, base, rows[i].path, &key));
        GIVES(RS_ENAME, rs_key_rename(txn, base, "a\\b"));
        GIVES(RS_ENAME, rs_key_rename(txn, base, ""));
        CU_ASSERT_EQUAL(key, 77);
    }
    char path[1000];
    snprintf(path, sizeof path, "New\\%s", repeated("x", 256));
    GIVES(RS_ETOOLONG, rs_key_create(txn, base, path, &key));
    CU_ASSERT_EQUAL(info_of(txn, base).subkeys, 0);
    EQUAL_TEXT(info_of(txn, base).name, "Base");
    CU_ASSERT_EQUAL(stat_of(txn).keys, 1);
    end_writing(txn);
    rs_close(store);
}

/* 512 names below a root are possible, one more is not; nothing of such a path is made. */
static void depth_has_a_limit(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key deepest = 0;
    rs_key key = 0;
    GIVES(RS_EDEPTH, rs_key_create(txn, RS_HKLM, repeated("k\\", 513), &key));
    CU_ASSERT_EQUAL(info_of(txn, RS_HKLM).subkeys, 0);
    SUCCEEDS(rs_key_create(txn, RS_HKLM, repeated("k\\", 512), &deepest));
    GIVES(RS_EDEPTH, rs_key_create(txn, deepest, "k", &key));
    SUCCEEDS(rs_key_open(txn, RS_HKLM, repeated("k\\", 500), &key));
    GIVES(RS_EDEPTH, rs_key_create(txn, key, repeated("j\\", 13), &key));
    CU_ASSERT_EQUAL(info_of(txn, key).subkeys, 1);
    SUCCEEDS(rs_key_create(txn, key, repeated("j\\", 12), &key));
    CU_ASSERT_EQUAL(strlen(path_of(txn, deepest)), strlen("HKEY_LOCAL_MACHINE") + 2 * 512);
    SUCCEEDS(rs_key_open(txn, RS_HKLM, repeated("k\\", 1), &key));
    SUCCEEDS(rs_key_delete(txn, key, RS_RECURSIVE));
    CU_ASSERT_EQUAL(stat_of(txn).keys, 0);
    end_writing(txn);
    rs_close(store);
}

/* The names of a view count, as many as it has. */
static void depth_counts_through_views(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = 0;
    GIVES(RS_EDEPTH, rs_key_create(txn, RS_HKCR, repeated("k\\", 511), &key));
    GIVES(RS_EDEPTH, rs_key_create(txn, RS_HKCU, repeated("k\\", 512), &key));
    CU_ASSERT_EQUAL(stat_of(txn).keys, 0);
    SUCCEEDS(rs_key_create(txn, RS_HKCR, repeated("k\\", 510), &key));
    SUCCEEDS(rs_key_create(txn, RS_HKCU, repeated("k\\", 511), &key));
    end_writing(txn);
    rs_close(store);
}

/* ---- Rename ---- */

static void a_rename_keeps_handle_and_contents(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Base\\Old");
    rs_key child = add_key(txn, "HKLM\\Base\\Old\\Child");
    set_number(txn, key, "Size", 3);
    end_writing(txn);
    txn = start_writing(store);
    SUCCEEDS(rs_key_rename(txn, key, "New"));
    EQUAL_TEXT(path_of(txn, child), "HKEY_LOCAL_MACHINE\\Base\\New\\Child");
    CU_ASSERT_EQUAL(find_key(txn, "HKLM\\base\\new\\child"), child);
    rs_key none;
    GIVES(RS_ENOTFOUND, rs_key_open(txn, RS_HKLM, "Base\\Old", &none));
    end_writing(txn);
    txn = start_reading(store);
    CU_ASSERT_EQUAL(find_key(txn, "HKLM\\Base\\New"), key);
    CU_ASSERT_EQUAL(number_of(txn, key, "Size"), 3);
    CU_ASSERT_EQUAL(stat_of(txn).keys, 3);
    rs_abort(txn);
    rs_close(store);
}

static void a_rename_may_change_case_alone(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Base\\name");
    CU_ASSERT_EQUAL(end_writing(txn), 1);
    txn = start_writing(store);
    SUCCEEDS(rs_key_rename(txn, key, "NAME"));
    EQUAL_TEXT(info_of(txn, key).name, "NAME");
    CU_ASSERT_EQUAL(end_writing(txn), 2);
    txn = start_writing(store);
    SUCCEEDS(rs_key_rename(txn, key, "NAME"));
    CU_ASSERT_EQUAL(end_writing(txn), 2);
    txn = start_reading(store);
    EQUAL_TEXT(subkeys_of(txn, find_key(txn, "HKLM\\Base")), "NAME");
    CU_ASSERT_EQUAL(find_key(txn, "HKLM\\Base\\Name"), key);
    rs_abort(txn);
    rs_close(store);
}

static void a_rename_overwrites_nothing(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key one = add_key(txn, "HKLM\\One");
    add_key(txn, "HKLM\\Two");
    GIVES(RS_EEXIST, rs_key_rename(txn, one, "TWO"));
    GIVES(RS_EROOT, rs_key_rename(txn, RS_HKLM, "Other"));
    GIVES(RS_EROOT, rs_key_rename(txn, RS_HKCU, "Other"));
    EQUAL_TEXT(subkeys_of(txn, RS_HKLM), "One,Two");
    end_writing(txn);
    rs_close(store);
}

/* ---- Class, write times, handles ---- */

static void a_class_is_kept_beside_the_name(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Classy");
    SUCCEEDS(rs_key_set_class_n(txn, key, "a\0b", 3));
    SUCCEEDS(rs_key_rename(txn, key, "Renamed"));
    GIVES(RS_ETOOLONG, rs_key_set_class(txn, key, repeated("x", RS_MAX_CLASS + 1)));
    GIVES(RS_ETEXT, rs_key_set_class(txn, key, "\xff"));
    end_writing(txn);
    txn = start_writing(store);
    rs_key_info info = info_of(txn, key);
    CU_ASSERT_EQUAL(info.class_len, 3);
    CU_ASSERT_EQUAL(memcmp(info.class_name, "a\0b", 4), 0);
    EQUAL_TEXT(info.name, "Renamed");
    SUCCEEDS(rs_key_set_class(txn, key, repeated("x", RS_MAX_CLASS)));
    CU_ASSERT_EQUAL(info_of(txn, key).class_len, RS_MAX_CLASS);
    SUCCEEDS(rs_key_set_class(txn, key, ""));
    EQUAL_TEXT(info_of(txn, key).class_name, "");
    end_writing(txn);
    rs_close(store);
}

/* Sets the write times of a key and its parent to 1, makes one change, and tells which of them
 * changed: "key", "parent", both or none. */
static const char *touched_by(rs_store *store, int (*change)(rs_txn *txn, rs_key key))
{
    static const char *const answers[] = {"none", "key", "parent", "key and parent"};
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Parent\\Key");
    rs_key parent = find_key(txn, "HKLM\\Parent");
    set_number(txn, key, "There", 1);
    SUCCEEDS(tree_set_written(&txn->tree, key, 1));
    SUCCEEDS(tree_set_written(&txn->tree, parent, 1));
    end_writing(txn);
    txn = start_writing(store);
    uint64_t now = txn->tree.now;
    SUCCEEDS(change(txn, key));
    rs_key_info info = {0};
    int status = rs_key_info_get(txn, key, &info);
    unsigned answer = status == RS_OK && info.written != 1 ? 1 : 0;
    CU_ASSERT(status == RS_EDELETED || info.written == 1 || info.written == now);
    answer |= info_of(txn, parent).written != 1 ? 2 : 0;
    CU_ASSERT(!(answer & 2) || info_of(txn, parent).written == now);
    end_writing(txn);
    return answers[answer];
}

static int set_it(rs_txn *txn, rs_key key)
{
    return rs_set_dword(txn, key, "New", 7);
}

static int set_the_same(rs_txn *txn, rs_key key)
{
    return rs_set_dword(txn, key, "There", 1);
}

static int unset_it(rs_txn *txn, rs_key key)
{
    return rs_value_delete(txn, key, "There");
}

static int rename_it(rs_txn *txn, rs_key key)
{
    return rs_key_rename(txn, key, "Renamed");
}

static int delete_it(rs_txn *txn, rs_key key)
{
    return rs_key_delete(txn, key, RS_RECURSIVE);
}

static int make_below(rs_txn *txn, rs_key key)
{
    rs_key below;
    return rs_key_create(txn, key, "Below", &below);
}

static int class_it(rs_txn *txn, rs_key key)
{
    return rs_key_set_class(txn, key, "c");
}

static void write_times_follow_changes(void)
{
    rs_store *store = open_store();
    EQUAL_TEXT(touched_by(store, set_it), "key");
    EQUAL_TEXT(touched_by(store, set_the_same), "none");
    EQUAL_TEXT(touched_by(store, unset_it), "key");
    EQUAL_TEXT(touched_by(store, class_it), "key");
    EQUAL_TEXT(touched_by(store, make_below), "key");
    EQUAL_TEXT(touched_by(store, delete_it), "parent");
    EQUAL_TEXT(touched_by(store, rename_it), "key and parent");
    rs_close(store);
}

static void a_key_that_never_was_is_deleted(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_reading(store);
    rs_key found;
    GIVES(RS_EDELETED, rs_key_open(txn, 12345, "", &found));
    GIVES(RS_EDELETED, rs_key_open(txn, 12345, "Sub", &found));
    rs_abort(txn);
    txn = start_writing(store);
    GIVES(RS_EDELETED, rs_key_create(txn, 12345, "Sub", &found));
    GIVES(RS_EDELETED, rs_set_dword(txn, 12345, "Size", 3));
    CU_ASSERT_EQUAL(end_writing(txn), 0);
    rs_close(store);
}

/* Below the interface, which lets none of this through. */
static void the_tree_itself_refuses(void)
{
    struct node node;
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    GIVES(RS_EROOT, tree_delete(&txn->tree, RS_HKLM, true));
    GIVES(RS_EROOT, tree_rename(&txn->tree, RS_HKLM, "X", 1));
    GIVES(RS_EINVAL, tree_node(&txn->tree, RS_NO_KEY, &node));
    GIVES(RS_EDELETED, tree_set_written(&txn->tree, 12345, 1));
    rs_abort(txn);
    txn = start_reading(store);
    GIVES(RS_EREADONLY, tree_set_written(&txn->tree, RS_HKLM, 1));
    rs_abort(txn);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"a new store has its roots", a_new_store_has_its_roots},
    {"paths lead to keys", paths_lead_to_keys},
    {"paths that lead nowhere", paths_that_lead_nowhere},
    {"names fold as the registry does", names_fold_as_the_registry_does},
    {"names may hold NUL", names_may_hold_nul},
    {"subkeys come in folded order", subkeys_come_in_folded_order},
    {"long names are told apart", long_names_are_told_apart},
    {"long names are found while records move", long_names_are_found_while_records_move},
    {"long names are renamed and deleted", long_names_are_renamed_and_deleted},
    {"a name has at most 255 units", a_name_has_at_most_255_units},
    {"bad names make nothing", bad_names_make_nothing},
    {"depth has a limit", depth_has_a_limit},
    {"depth counts through views", depth_counts_through_views},
    {"a rename keeps handle and contents", a_rename_keeps_handle_and_contents},
    {"a rename may change case alone", a_rename_may_change_case_alone},
    {"a rename overwrites nothing", a_rename_overwrites_nothing},
    {"a class is kept beside the name", a_class_is_kept_beside_the_name},
    {"write times follow changes", write_times_follow_changes},
    {"a key that never was is deleted", a_key_that_never_was_is_deleted},
    {"the tree itself refuses", the_tree_itself_refuses},
    {NULL, NULL},
};
const struct test_suite suite_tree = {"tree", cases};
