/*
 * test_tree_batch.c - values that are stored together are the same as values stored one by one.
 */
#include "stores.h"
#include "../regstore/tree_batch.h"

#include <stdio.h>
#include <stdlib.h>

static rs_value value_named(const char *name, uint32_t type, const void *data, size_t size)
{
    return (rs_value){name, strlen(name), type, data, size};
}

static int add(struct tree_batch *batch, rs_txn *txn, rs_key key, const char *name)
{
    rs_value value = value_named(name, REG_BINARY, name, strlen(name));
    return tree_batch_add(batch, &txn->tree, key, &value);
}

static void order_of_adding_is_kept(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Batch");
    struct tree_batch batch = {0};
    SUCCEEDS(add(&batch, txn, key, "c"));
    SUCCEEDS(add(&batch, txn, key, "a"));
    SUCCEEDS(add(&batch, txn, key, "b"));
    SUCCEEDS(add(&batch, txn, key, ""));
    CU_ASSERT_EQUAL(info_of(txn, key).values, 0);
    SUCCEEDS(tree_batch_write(&batch, &txn->tree));
    SUCCEEDS(tree_batch_write(&batch, &txn->tree));
    EQUAL_TEXT(values_of(txn, key), "c,a,b,");
    CU_ASSERT_EQUAL(info_of(txn, key).values, 4);
    set_number(txn, key, "after", 1);
    EQUAL_TEXT(values_of(txn, key), "c,a,b,,after");
    tree_batch_free(&batch);
    end_writing(txn);
    txn = start_reading(store);
    EQUAL_TEXT(values_of(txn, find_key(txn, "HKLM\\Batch")), "c,a,b,,after");
    CU_ASSERT_EQUAL(stat_of(txn).values, 5);
    rs_abort(txn);
    rs_close(store);
}

/* A name is found again in the batch, and in the table when it was written. */
static void a_name_is_added_once(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Batch");
    struct tree_batch batch = {0};
    set_number(txn, key, "Before", 1);
    SUCCEEDS(add(&batch, txn, key, "Name"));
    GIVES(RS_EEXIST, add(&batch, txn, key, "NAME"));
    GIVES(RS_EEXIST, add(&batch, txn, key, "before"));
    SUCCEEDS(add(&batch, txn, key, "Names"));
    SUCCEEDS(add(&batch, txn, key, "Nam"));
    SUCCEEDS(tree_batch_write(&batch, &txn->tree));
    GIVES(RS_EEXIST, add(&batch, txn, key, "name"));
    SUCCEEDS(tree_batch_write(&batch, &txn->tree));
    EQUAL_TEXT(values_of(txn, key), "Before,Name,Names,Nam");
    tree_batch_free(&batch);
    end_writing(txn);
    rs_close(store);
}

/* Many, so that a batch is written when it is full; each name also in another case, later. */
static void a_full_batch_is_written(void)
{
    enum { COUNT = 3 * TREE_BATCH_VALUES };
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Batch");
    struct tree_batch batch = {0};
    struct tree_list list = {0};
    char name[32];
    rs_value value;
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "v%u", i * 7919u % COUNT);
        SUCCEEDS(add(&batch, txn, key, name));
    }
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "V%u", i);
        GIVES(RS_EEXIST, add(&batch, txn, key, name));
    }
    SUCCEEDS(tree_batch_write(&batch, &txn->tree));
    SUCCEEDS(tree_list_values(&list, &txn->tree, key));
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "v%u", i * 7919u % COUNT);
        SUCCEEDS(tree_list_next_value(&list, &value));
        EQUAL_TEXT(value.name, name);
        CU_ASSERT_EQUAL_FATAL(value.size, strlen(name));
        CU_ASSERT_EQUAL(memcmp(value.data, name, value.size), 0);
    }
    GIVES(RS_END, tree_list_next_value(&list, &value));
    tree_list_free(&list);
    tree_batch_free(&batch);
    end_writing(txn);
    rs_close(store);
}

/* Long names, large data and a link's target come between plain ones, and all keep their order. */
static void what_is_not_plain_keeps_its_place(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Batch");
    struct tree_batch batch = {0};
    const char *name = repeated("n", 500);
    char *large = calloc(1, TREE_BATCH_DATA + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    rs_value data = value_named("large", REG_BINARY, large, TREE_BATCH_DATA + 1);
    rs_value none = value_named("none", REG_NONE, NULL, 0);
    rs_value link = value_named(TREE_LINK_VALUE, REG_LINK, "H\0", 2);
    SUCCEEDS(add(&batch, txn, key, "z"));
    SUCCEEDS(add(&batch, txn, key, name));
    SUCCEEDS(add(&batch, txn, key, "y"));
    SUCCEEDS(tree_batch_add(&batch, &txn->tree, key, &data));
    SUCCEEDS(tree_batch_add(&batch, &txn->tree, key, &none));
    GIVES(RS_EEXIST, add(&batch, txn, key, name));
    GIVES(RS_EEXIST, add(&batch, txn, key, "LARGE"));
    GIVES(RS_EEXIST, add(&batch, txn, key, "NONE"));
    SUCCEEDS(tree_batch_add(&batch, &txn->tree, key, &link));
    SUCCEEDS(add(&batch, txn, key, "x"));
    SUCCEEDS(tree_batch_write(&batch, &txn->tree));
    struct buffer expected = BUFFER_INIT;
    SUCCEEDS(buffer_printf(&expected, "z,%s,y,large,none," TREE_LINK_VALUE ",x", name));
    SUCCEEDS(buffer_terminate(&expected));
    EQUAL_TEXT(values_of(txn, key), expected.data);
    CU_ASSERT_TRUE(info_of(txn, key).flags & RS_KEY_LINK);
    buffer_free(&expected);
    free(large);
    tree_batch_free(&batch);
    end_writing(txn);
    rs_close(store);
}

/* A key that was there before has its changes told, one by one, as ever. */
static void changes_of_an_older_key_are_told(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Batch");
    struct tree_batch batch = {0};
    end_writing(txn);
    txn = start_writing(store);
    SUCCEEDS(add(&batch, txn, key, "b"));
    SUCCEEDS(add(&batch, txn, key, "a"));
    GIVES(RS_EEXIST, add(&batch, txn, key, "B"));
    SUCCEEDS(tree_batch_write(&batch, &txn->tree));
    struct history history = history_of(store, end_writing(txn));
    CU_ASSERT_EQUAL_FATAL(history.count, 2);
    EQUAL_TEXT(history.changes[0].after.name, "b");
    EQUAL_TEXT(history.changes[1].after.name, "a");
    history_free(&history);
    tree_batch_free(&batch);
    rs_close(store);
}

static void a_deleted_key_takes_nothing(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Batch");
    struct tree_batch batch = {0};
    SUCCEEDS(tree_delete(&txn->tree, key, false));
    GIVES(RS_EDELETED, add(&batch, txn, key, "a"));
    tree_batch_free(&batch);
    rs_abort(txn);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"the order of adding is kept", order_of_adding_is_kept},
    {"a name is added once", a_name_is_added_once},
    {"a full batch is written", a_full_batch_is_written},
    {"what is not plain keeps its place", what_is_not_plain_keeps_its_place},
    {"changes of an older key are told", changes_of_an_older_key_are_told},
    {"a deleted key takes nothing", a_deleted_key_takes_nothing},
    {NULL, NULL},
};

const struct test_suite suite_tree_batch = {"tree_batch", cases};
