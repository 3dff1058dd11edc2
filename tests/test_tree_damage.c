/*
 * test_tree_damage.c - records of the tree that nobody wrote so: they are told as damage, and
 * nothing that goes through the tree goes on for ever or beyond its memory.
 */
#include "stores.h"
#include "../regstore/tree_node.h"

#include <endian.h>
#include <string.h>
#include <unistd.h>

/* A store with HKLM\Top\Middle\Leaf. */
static rs_store *make_store(rs_key *top, rs_key *middle)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);

    add_key(txn, "HKLM\\Top\\Middle\\Leaf");
    *top = find_key(txn, "HKLM\\Top");
    *middle = find_key(txn, "HKLM\\Top\\Middle");
    end_writing(txn);
    return store;
}

/* Writes an entry of a subkey behind the tree's back. */
static void put_subkey(rs_store *store, rs_key parent, const char *name, size_t len, rs_key child)
{
    struct env_txn txn;
    unsigned char key[511] = {0};
    struct buffer record = BUFFER_INIT;

    env_put_be64(key, parent);
    key[8] = TAG_SUBKEY;
    memcpy(key + TREE_KEY_HEAD, name, len);
    SUCCEEDS(record_put_u64(&record, child));
    SUCCEEDS(record_put_u8(&record, 0));
    SUCCEEDS(env_begin(store->env, true, &txn, NULL));
    SUCCEEDS(env_put(&txn, TABLE_TREE, (struct slice){key, TREE_KEY_HEAD + len},
                     (struct slice){record.data, record.size}));
    SUCCEEDS(env_commit(&txn, NULL));
    buffer_free(&record);
}

/* Changes a number in a record behind the tree's back. */
static void put_number(rs_store *store, enum env_table table, struct slice key, size_t offset,
                       uint64_t number)
{
    struct env_txn txn;
    char copy[200];
    struct slice record;

    SUCCEEDS(env_begin(store->env, true, &txn, NULL));
    SUCCEEDS(env_get(&txn, table, key, &record));
    CU_ASSERT_FATAL(record.size <= sizeof copy && offset + sizeof number <= record.size);
    memcpy(copy, record.data, record.size);
    number = htole64(number);
    memcpy(copy + offset, &number, sizeof number);
    SUCCEEDS(env_put(&txn, table, key, (struct slice){copy, record.size}));
    SUCCEEDS(env_commit(&txn, NULL));
}

/* A key's record begins with its parent. */
static void put_parent(rs_store *store, rs_key id, rs_key parent)
{
    unsigned char key[TREE_KEY_HEAD];

    env_put_be64(key, id);
    key[8] = TAG_SELF;
    put_number(store, TABLE_TREE, (struct slice){key, sizeof key}, 0, parent);
}

/* The next key's number comes behind the revision and LMDB's number of it. Keys from there on count
 * as new, and what is in them is not told to anyone. */
static void put_next_id(rs_store *store, rs_key id)
{
    put_number(store, TABLE_META, (struct slice){"state", 5}, 2 * sizeof(uint64_t), id);
}

/* What listing a key's subkeys ends with. */
static int list_to_end(rs_txn *txn, rs_key key)
{
    rs_cursor *cursor;
    rs_key_info info;
    int status;

    SUCCEEDS(rs_subkeys(txn, key, &cursor));
    do {
        status = rs_next_key(cursor, &info);
    } while (status == RS_OK);
    rs_cursor_close(cursor);
    return status;
}

static int delete_top(rs_store *store, rs_key top)
{
    rs_txn *txn = start_writing(store);
    int status = rs_key_delete(txn, top, RS_RECURSIVE);

    rs_abort(txn);
    return status;
}

/* A key that has its own ancestor as a subkey. */
static void test_cycle(void)
{
    rs_key top, middle;
    rs_store *store = make_store(&top, &middle);
    const rs_export_options options = {.format = "xml", .flags = RS_OVERWRITE};

    put_subkey(store, middle, "Z", 1, top);
    rs_txn *txn = start_reading(store);
    GIVES(RS_EDAMAGED, list_to_end(txn, middle));
    GIVES(RS_END, list_to_end(txn, top));
    alarm(60); /* what goes in a circle is ended */
    GIVES(RS_EDAMAGED, rs_export(txn, top, scratch_path("out.xml"), &options, NULL));
    rs_abort(txn);
    GIVES(RS_EDAMAGED, delete_top(store, top));
    alarm(0);
    rs_close(store);
}

static void expect_no_way_round(rs_store *store, rs_key key)
{
    const rs_export_options options = {.format = "xml", .flags = RS_OVERWRITE};
    rs_txn *txn = start_reading(store);

    alarm(60); /* what goes in a circle is ended */
    GIVES(RS_EDAMAGED, rs_export(txn, key, scratch_path("out.xml"), &options, NULL));
    rs_abort(txn);
    GIVES(RS_EDAMAGED, delete_top(store, key));
    alarm(0);
}

/* Has the key "above" a subkey Z, the key "below" that one for its parent. */
static void put_below(rs_store *store, rs_key above, rs_key below)
{
    put_subkey(store, above, "Z", 1, below);
    put_parent(store, below, above);
}

/* Each key of the circle is where its record says: the root is below one of its keys. */
static void test_root_in_circle(void)
{
    rs_key top, middle;
    rs_store *store = make_store(&top, &middle);

    put_below(store, middle, RS_HKLM);
    expect_no_way_round(store, top);
    put_next_id(store, RS_HKLM);
    expect_no_way_round(store, top);
    rs_close(store);
}

/* A circle that no root is in. */
static void test_circle_apart(void)
{
    rs_key top, middle;
    rs_store *store = make_store(&top, &middle);

    put_below(store, middle, top);
    expect_no_way_round(store, top);
    expect_no_way_round(store, middle);
    put_next_id(store, RS_HKLM);
    expect_no_way_round(store, middle);
    rs_close(store);
}

/* Two names for one key: the second is found empty-handed. */
static void test_two_names(void)
{
    rs_key top, middle;
    rs_store *store = make_store(&top, &middle);

    put_subkey(store, top, "ZZ", 2, middle);
    GIVES(RS_EDAMAGED, delete_top(store, top));
    rs_close(store);
}

/* LMDB's keys may be longer than the tree's. */
static void test_long_key(void)
{
    rs_key top, middle;
    char name[511 - TREE_KEY_HEAD];
    rs_store *store = make_store(&top, &middle);

    memset(name, 'A', sizeof name);
    put_subkey(store, top, name, sizeof name, middle);
    GIVES(RS_EDAMAGED, delete_top(store, top));
    rs_close(store);
}

const struct test_suite suite_tree_damage = {
    "tree_damage",
    (const struct test_case[]){
        {"a key below itself", test_cycle},
        {"a root below one of its keys", test_root_in_circle},
        {"a circle of keys apart", test_circle_apart},
        {"two names for one key", test_two_names},
        {"a key of the table that is too long", test_long_key},
        {NULL, NULL},
    },
};
