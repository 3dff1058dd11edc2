/*
 * test_tree_delete.c - deleting keys: what goes, what stays, and what the journal keeps of it.
 */
#include "stores.h"

#include <stdio.h>

static void subkeys_need_the_flag(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key child = add_key(txn, "HKLM\\Base\\Child");
    rs_key base = info_of(txn, child).parent;
    set_number(txn, base, "Size", 3);
    GIVES(RS_ENOTEMPTY, rs_key_delete(txn, base, 0));
    CU_ASSERT_EQUAL(number_of(txn, base, "Size"), 3);
    SUCCEEDS(rs_key_delete(txn, child, 0));
    SUCCEEDS(rs_key_delete(txn, base, 0));
    CU_ASSERT_EQUAL(stat_of(txn).keys + stat_of(txn).values, 0);
    GIVES(RS_EINVAL, rs_key_delete(txn, RS_NO_KEY, 0));
    GIVES(RS_EINVAL, rs_key_delete(txn, base, RS_VOLATILE));
    end_writing(txn);
    rs_close(store);
}

static void roots_stay(void)
{
    static const rs_key roots[] = {RS_HKLM, RS_HKU, RS_HKRS, RS_HKCR, RS_HKCU, RS_HKCC};
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        GIVES(RS_EROOT, rs_key_delete(txn, roots[i], RS_RECURSIVE));
    }
    CU_ASSERT_EQUAL(end_writing(txn), 0);
    rs_close(store);
}

/* Everything that takes a key, on one that is gone. */
static void check_gone(rs_txn *txn, rs_key key)
{
    rs_key found;
    rs_key_info info;
    rs_cursor *cursor = NULL;
    rs_value value;
    enum rs_origin origin;
    const char *text;
    GIVES(RS_EDELETED, rs_key_open(txn, key, "", &found));
    GIVES(RS_EDELETED, rs_key_open(txn, key, "Sub", &found));
    GIVES(RS_EDELETED, rs_key_info_get(txn, key, &info));
    GIVES(RS_EDELETED, rs_key_path(txn, key, &text, NULL));
    GIVES(RS_EDELETED, rs_link_target(txn, key, &text, NULL));
    GIVES(RS_EDELETED, rs_subkeys(txn, key, &cursor));
    GIVES(RS_EDELETED, rs_values(txn, key, &cursor));
    CU_ASSERT_PTR_NULL(cursor);
    GIVES(RS_EDELETED, rs_value_get(txn, key, "Size", &value));
    GIVES(RS_EDELETED, rs_effective(txn, key, "Size", &value, &origin));
    GIVES(RS_EDELETED, rs_get_string(txn, key, "Size", &text));
}

static void check_unchangeable(rs_txn *txn, rs_key key)
{
    rs_key found;
    GIVES(RS_EDELETED, rs_key_create(txn, key, "Sub", &found));
    GIVES(RS_EDELETED, rs_link_create(txn, key, "Sub", "HKLM", 0, &found));
    GIVES(RS_EDELETED, rs_key_delete(txn, key, RS_RECURSIVE));
    GIVES(RS_EDELETED, rs_key_rename(txn, key, "Other"));
    GIVES(RS_EDELETED, rs_key_set_class(txn, key, "c"));
    GIVES(RS_EDELETED, rs_set_dword(txn, key, "Size", 3));
    GIVES(RS_EDELETED, rs_value_delete(txn, key, "Size"));
    GIVES(RS_EDELETED, rs_multi_append(txn, key, "List", "x"));
    GIVES(RS_EDELETED, rs_multi_remove(txn, key, "List", "x"));
}

static void handles_of_deleted_keys_say_so(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key child = add_key(txn, "HKLM\\Base\\Child");
    rs_key base = info_of(txn, child).parent;
    set_number(txn, child, "Size", 3);
    end_writing(txn);
    rs_txn *before = start_reading(store);
    txn = start_writing(store);
    SUCCEEDS(rs_key_delete(txn, base, RS_RECURSIVE));
    check_gone(txn, base);
    check_gone(txn, child);
    check_unchangeable(txn, base);
    check_unchangeable(txn, child);
    rs_key again = add_key(txn, "HKLM\\Base\\Child");
    CU_ASSERT_NOT_EQUAL(again, child);
    check_gone(txn, child);
    end_writing(txn);
    CU_ASSERT_EQUAL(number_of(before, child, "Size"), 3);
    rs_abort(before);
    txn = start_reading(store);
    check_gone(txn, child);
    check_gone(txn, base);
    rs_abort(txn);
    rs_close(store);
}

/* ---- Many keys ---- */

#define FOLDERS 300u
#define EACH 100u

static rs_key make_many(rs_txn *txn)
{
    rs_key top = add_key(txn, "HKLM\\Many");
    for (unsigned i = 0; i < FOLDERS; i++) {
        char name[32];
        rs_key folder;
        snprintf(name, sizeof name, "Folder%u", i);
        SUCCEEDS(rs_key_create(txn, top, name, &folder));
        for (unsigned j = 0; j + 1 < EACH; j++) {
            rs_key key;
            snprintf(name, sizeof name, "Key%u", j * 7919 % EACH);
            SUCCEEDS(rs_key_create(txn, folder, name, &key));
            set_number(txn, key, "Number", i * EACH + j);
        }
    }
    return top;
}

/* Each pre-image names a parent that an earlier one, or the key itself, stands for. */
static void check_pre_images(const struct history *history, rs_key top)
{
    rs_key newest = 0;
    size_t keys = 0;
    size_t values = 0;
    for (size_t i = 0; i < history->count; i++) {
        const struct change *change = &history->changes[i];
        bool is_key = change->kind == RS_KEY_DELETED;
        CU_ASSERT(is_key || change->kind == RS_VALUE_DELETED);
        CU_ASSERT(change->before.present && !change->after.present);
        CU_ASSERT_EQUAL(change->inner, i > 0);
        CU_ASSERT(i == 0 || change->key > top);
        CU_ASSERT(is_key || change->key == newest);
        newest = is_key ? change->key : newest;
        keys += is_key;
        values += !is_key;
    }
    CU_ASSERT_EQUAL(keys, FOLDERS * EACH + 1);
    CU_ASSERT_EQUAL(values, FOLDERS * (EACH - 1));
}

static void thirty_thousand_keys_go_at_once(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key other = add_key(txn, "HKLM\\Other");
    set_number(txn, other, "Size", 3);
    rs_key top = make_many(txn);
    CU_ASSERT_EQUAL(stat_of(txn).keys, FOLDERS * EACH + 2);
    end_writing(txn);
    txn = start_writing(store);
    SUCCEEDS(rs_key_delete(txn, top, RS_RECURSIVE));
    CU_ASSERT_EQUAL(stat_of(txn).keys, 1);
    CU_ASSERT_EQUAL(end_writing(txn), 2);
    txn = start_reading(store);
    CU_ASSERT_EQUAL(stat_of(txn).keys, 1);
    CU_ASSERT_EQUAL(stat_of(txn).values, 1);
    EQUAL_TEXT(subkeys_of(txn, RS_HKLM), "Other");
    rs_abort(txn);
    struct history history = history_of(store, 2);
    check_pre_images(&history, top);
    history_free(&history);
    rs_close(store);
}

/* ---- Pre-images ---- */

/* Two levels with values in an order of their own, a class, a link and long names. */
static rs_key make_sample(rs_txn *txn, rs_key *child)
{
    rs_key top = add_key(txn, "HKLM\\Parent\\Top");
    *child = add_key(txn, "HKLM\\Parent\\Top\\Child");
    SUCCEEDS(rs_key_set_class(txn, *child, "Class"));
    set_number(txn, *child, "gone", 0);
    set_number(txn, *child, "Zulu", 1);
    set_number(txn, *child, "Alpha", 2);
    SUCCEEDS(rs_value_delete(txn, *child, "gone"));
    SUCCEEDS(rs_value_set(txn, top, "", 0xffffffff, "\1\2\3", 3));
    SUCCEEDS(tree_set_written(&txn->tree, *child, 1001));
    SUCCEEDS(tree_set_written(&txn->tree, top, 1002));
    SUCCEEDS(tree_set_written(&txn->tree, find_key(txn, "HKLM\\Parent"), 1003));
    return top;
}

static void check_inner_value(const struct change *change, rs_key key, const char *name,
                              uint32_t position)
{
    CU_ASSERT_EQUAL(change->kind, RS_VALUE_DELETED);
    CU_ASSERT(change->inner);
    CU_ASSERT_EQUAL(change->key, key);
    EQUAL_TEXT(change->path, "");
    EQUAL_TEXT(change->before.name, name);
    CU_ASSERT_EQUAL(change->before.position, position);
}

static void pre_images_are_complete(void)
{
    rs_key child;
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key top = make_sample(txn, &child);
    rs_key parent = info_of(txn, top).parent;
    end_writing(txn);
    txn = start_writing(store);
    uint64_t now = txn->tree.now;
    SUCCEEDS(rs_key_delete(txn, top, RS_RECURSIVE));
    struct history history = history_of(store, end_writing(txn));
    CU_ASSERT_EQUAL_FATAL(history.count, 5);
    const struct change *change = history.changes;
    EQUAL_TEXT(change[0].path, "HKEY_LOCAL_MACHINE\\Parent\\Top");
    CU_ASSERT(change[0].key == top && change[0].parent == parent && !change[0].inner);
    CU_ASSERT_EQUAL(change[0].written_before, 1002);
    CU_ASSERT_EQUAL(change[0].parent_before, 1003);
    CU_ASSERT_EQUAL(change[0].parent_after, now);
    check_inner_value(&change[1], top, "", 0);
    CU_ASSERT_EQUAL(change[1].before.type, 0xffffffff);
    CU_ASSERT_EQUAL_FATAL(change[1].before.size, 3);
    CU_ASSERT_EQUAL(memcmp(change[1].before.data, "\1\2\3", 3), 0);
    CU_ASSERT(change[2].inner && change[2].kind == RS_KEY_DELETED);
    CU_ASSERT(change[2].key == child && change[2].parent == top);
    EQUAL_TEXT(change[2].before.name, "Child");
    CU_ASSERT_EQUAL(change[2].before.position, 3); /* the place the next value would have got */
    CU_ASSERT_EQUAL(change[2].written_before, 1001);
    CU_ASSERT_EQUAL(change[2].before.size, 5);
    EQUAL_TEXT((const char *)change[2].before.data, "Class");
    check_inner_value(&change[3], child, "Alpha", 2);
    check_inner_value(&change[4], child, "Zulu", 1);
    history_free(&history);
    rs_close(store);
}

static void pre_images_tell_links_and_volatile_keys(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key top = add_key(txn, "HKLM\\Top");
    rs_key link;
    SUCCEEDS(rs_link_create(txn, top, "Link", "HKLM\\A", RS_VOLATILE, &link));
    end_writing(txn);
    txn = start_writing(store);
    SUCCEEDS(rs_key_delete(txn, top, RS_RECURSIVE));
    struct history history = history_of(store, end_writing(txn));
    CU_ASSERT_EQUAL_FATAL(history.count, 3);
    CU_ASSERT_EQUAL(history.changes[1].key, link);
    CU_ASSERT_EQUAL(history.changes[1].before.type, RS_KEY_LINK | RS_KEY_VOLATILE);
    EQUAL_TEXT(history.changes[2].before.name, "SymbolicLinkValue");
    CU_ASSERT_EQUAL(history.changes[2].before.type, REG_LINK);
    history_free(&history);
    rs_close(store);
}

/* What one transaction makes and deletes again has no pre-images. */
static void new_keys_go_without_pre_images(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    add_key(txn, "HKLM\\Old");
    end_writing(txn);
    txn = start_writing(store);
    set_number(txn, add_key(txn, "HKLM\\Old\\New\\Deeper"), "Size", 3);
    SUCCEEDS(rs_key_delete(txn, find_key(txn, "HKLM\\Old\\New\\Deeper"), 0));
    set_number(txn, add_key(txn, "HKLM\\Old\\New\\Other"), "Size", 3);
    SUCCEEDS(rs_key_delete(txn, find_key(txn, "HKLM\\Old\\New"), RS_RECURSIVE));
    CU_ASSERT_EQUAL(stat_of(txn).keys, 1);
    CU_ASSERT_EQUAL(stat_of(txn).values, 0);
    struct history history = history_of(store, end_writing(txn));
    CU_ASSERT_EQUAL_FATAL(history.count, 2);
    CU_ASSERT_EQUAL(history.changes[0].kind, RS_KEY_CREATED);
    CU_ASSERT_EQUAL(history.changes[1].kind, RS_KEY_DELETED);
    EQUAL_TEXT(history.changes[1].path, "HKEY_LOCAL_MACHINE\\Old\\New");
    history_free(&history);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"subkeys need the flag", subkeys_need_the_flag},
    {"roots stay", roots_stay},
    {"handles of deleted keys say so", handles_of_deleted_keys_say_so},
    {"thirty thousand keys go at once", thirty_thousand_keys_go_at_once},
    {"pre-images are complete", pre_images_are_complete},
    {"pre-images tell links and volatile keys", pre_images_tell_links_and_volatile_keys},
    {"new keys go without pre-images", new_keys_go_without_pre_images},
    {NULL, NULL},
};
const struct test_suite suite_tree_delete = {"tree_delete", cases};
