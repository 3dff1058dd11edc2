/*
 * test_tree_names.c - names too long for LMDB's keys: their order, and names whose hash is the
 * same.
 */
#include "stores.h"
#include "../regstore/tree_node.h"

#include <stdio.h>

#define CJK "\xe4\xbd\xa0"         /* U+4F60 */
#define FULLWIDTH_A "\xef\xbc\xa1" /* U+FF21, in the order behind it */

/* ---- Order ---- */

/* Long names stand in the table by their hash; they are listed by their text. */
static void long_names_stand_in_order(void)
{
    enum { NAMES = 6 };
    char expected[8192] = "";
    char path[1000];
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\K");
    for (unsigned i = NAMES; i > 0; i--) {
        snprintf(path, sizeof path, "HKLM\\K\\%s%u", repeated(CJK, 200), i);
        add_key(txn, path);
    }
    add_key(txn, "HKLM\\K\\" FULLWIDTH_A);
    add_key(txn, "HKLM\\K\\a");
    for (unsigned i = 1; i <= NAMES; i++) {
        size_t used = strlen(expected);
        snprintf(expected + used, sizeof expected - used, "%s%s%u", i == 1 ? "a," : ",",
                 repeated(CJK, 200), i);
    }
    strcat(expected, "," FULLWIDTH_A);
    EQUAL_TEXT(subkeys_of(txn, key), expected);
    end_writing(txn);
    txn = start_reading(store);
    EQUAL_TEXT(subkeys_of(txn, key), expected);
    rs_abort(txn);
    rs_close(store);
}

/* ---- The same hash ---- */

/* FNV-1a gives both the same number behind 200 times CJK. Found by trying five thousand million. */
#define ONE "JPAIPLLMMLDFFNEN"
#define OTHER "LMOIFDEMEKDENPHG"

static const char *colliding(const char *end)
{
    static char names[2][700];
    static unsigned next;
    char *name = names[next++ % 2];
    snprintf(name, sizeof names[0], "%s%s", repeated(CJK, 200), end);
    return name;
}

static rs_key child_of(rs_txn *txn, rs_key key, const char *name)
{
    rs_key child = RS_NO_KEY;
    int status = rs_key_open(txn, key, name, &child);
    CU_ASSERT(status == RS_OK || status == RS_ENOTFOUND);
    return child;
}

/* The key of the first of the colliding names in the table. */
static struct tree_key entry_of(rs_txn *txn, rs_key id, enum tree_tag tag, const char *name)
{
    struct tree_key entry;
    struct slice found;
    SUCCEEDS(tree_find(&txn->tree, id, tag, name, strlen(name), RS_MAX_KEY_NAME, &entry, &found));
    return entry;
}

static void colliding_keys_are_two(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\K"), one, other;
    SUCCEEDS(rs_key_create(txn, key, colliding(ONE), &one));
    SUCCEEDS(rs_key_create(txn, key, colliding(OTHER), &other));
    CU_ASSERT_NOT_EQUAL(one, other);
    struct tree_key first = entry_of(txn, key, TAG_SUBKEY, colliding(ONE));
    struct tree_key second = entry_of(txn, key, TAG_SUBKEY, colliding(OTHER));
    CU_ASSERT_EQUAL(first.size, second.size); /* they differ in the counter alone */
    CU_ASSERT_EQUAL(memcmp(first.bytes, second.bytes, first.size - 1), 0);
    CU_ASSERT(first.bytes[first.size - 1] == 0 && second.bytes[second.size - 1] == 1);
    end_writing(txn);
    txn = start_writing(store);
    CU_ASSERT_EQUAL(child_of(txn, key, colliding(ONE)), one);
    CU_ASSERT_EQUAL(child_of(txn, key, colliding(OTHER)), other);
    SUCCEEDS(rs_key_delete(txn, one, 0));
    CU_ASSERT_EQUAL(child_of(txn, key, colliding(ONE)), RS_NO_KEY);
    CU_ASSERT_EQUAL(child_of(txn, key, colliding(OTHER)), other);
    SUCCEEDS(rs_key_create(txn, key, colliding(ONE), &one));
    CU_ASSERT_EQUAL(child_of(txn, key, colliding(ONE)), one);
    CU_ASSERT_EQUAL(info_of(txn, key).subkeys, 2);
    end_writing(txn);
    rs_close(store);
}

static void colliding_values_are_two(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\K");
    set_number(txn, key, colliding(ONE), 1);
    set_number(txn, key, colliding(OTHER), 2);
    set_number(txn, key, colliding(ONE), 3);
    end_writing(txn);
    txn = start_writing(store);
    CU_ASSERT_EQUAL(info_of(txn, key).values, 2);
    CU_ASSERT_EQUAL(number_of(txn, key, colliding(ONE)), 3);
    CU_ASSERT_EQUAL(number_of(txn, key, colliding(OTHER)), 2);
    SUCCEEDS(rs_value_delete(txn, key, colliding(ONE)));
    CU_ASSERT_EQUAL(number_of(txn, key, colliding(OTHER)), 2);
    end_writing(txn);
    rs_close(store);
}

/* The counter is one byte; a name that finds it used up is refused, and nothing else happens. */
static void too_many_colliding_names_are_refused(void)
{
    struct env_txn behind;
    struct slice found;
    struct buffer record = BUFFER_INIT;
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\K"), one, other;
    SUCCEEDS(rs_key_create(txn, key, colliding(ONE), &one));
    end_writing(txn);
    txn = start_reading(store);
    struct tree_key entry = entry_of(txn, key, TAG_SUBKEY, colliding(ONE));
    rs_abort(txn);
    SUCCEEDS(env_begin(store->env, true, &behind, NULL));
    SUCCEEDS(env_get(&behind, TABLE_TREE, tree_key_slice(&entry), &found));
    SUCCEEDS(buffer_append(&record, found.data, found.size));
    SUCCEEDS(env_delete(&behind, TABLE_TREE, tree_key_slice(&entry)));
    entry.bytes[entry.size - 1] = UINT8_MAX;
    SUCCEEDS(env_put(&behind, TABLE_TREE, tree_key_slice(&entry),
                     (struct slice){record.data, record.size}));
    SUCCEEDS(env_commit(&behind, NULL));
    buffer_free(&record);
    txn = start_writing(store);
    CU_ASSERT_EQUAL(child_of(txn, key, colliding(ONE)), one);
    GIVES(RS_EFULL, rs_key_create(txn, key, colliding(OTHER), &other));
    add_key(txn, "HKLM\\K\\after");
    end_writing(txn);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"colliding keys are two", colliding_keys_are_two},
    {"colliding values are two", colliding_values_are_two},
    {"too many colliding names are refused", too_many_colliding_names_are_refused},
    {"long names stand in order", long_names_stand_in_order},
    {NULL, NULL},
};
const struct test_suite suite_tree_names = {"tree_names", cases};
