/*
 * test_tree_model.c - thousands of random changes, compared with a small model kept in arrays.
 *
 * The model knows keys by number, names without case, and values in the order of their creation. It
 * has more keys than the cache of records has slots, and names longer than the table's keys. The
 * random numbers are seeded, so that a failure comes again.
 */
#include "stores.h"

#include <stdio.h>
#include <strings.h>

#define MAX_KEYS 4000
#define MAX_VALUES 6
#define STEPS 6000
#define STEPS_A_REVISION 40
#define CJK "\xe4\xb8\xad"

struct model_value {
    unsigned name;
    uint32_t data;
};

struct model_key {
    rs_key key;
    int parent; /* -1: HKLM */
    bool deleted;
    char name[600];
    struct model_value values[MAX_VALUES];
    unsigned value_count;
    unsigned class_len;
};

static struct model_key model[MAX_KEYS];
static int model_count;
static uint32_t random_state;

static unsigned random_below(unsigned limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % limit;
}

/* ---- The model ---- */

/* Mostly short names of few kinds, so that they meet; some long ones with a common beginning. */
static const char *random_name(void)
{
    unsigned number = random_below(30);
    static char name[600];
    if (random_below(3) == 0) {
        snprintf(name, sizeof name, "%s%c%02u", repeated(CJK, 165), random_below(2) ? 'L' : 'l',
                 number);
    } else {
        snprintf(name, sizeof name, "%s%u", random_below(2) ? "Name" : "nAME", number);
    }
    return name;
}

static int child_of(int parent, const char *name)
{
    for (int i = 0; i < model_count; i++) {
        if (!model[i].deleted && model[i].parent == parent &&
            strcasecmp(model[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static int random_key(void)
{
    for (int i = 0; i < 100; i++) {
        int key = (int)random_below((unsigned)model_count + 1) - 1;
        if (key < 0 || !model[key].deleted) {
            return key;
        }
    }
    return -1;
}

static rs_key id_of(int key)
{
    return key < 0 ? RS_HKLM : model[key].key;
}

static unsigned children_of(int parent)
{
    unsigned count = 0;
    for (int i = 0; i < model_count; i++) {
        count += !model[i].deleted && model[i].parent == parent;
    }
    return count;
}

/* Children stand behind their parents, so one pass reaches all. */
static void forget(int key)
{
    model[key].deleted = true;
    for (int i = key + 1; i < model_count; i++) {
        if (!model[i].deleted && model[i].parent >= 0 && model[model[i].parent].deleted) {
            model[i].deleted = true;
        }
    }
}

/* ---- One step of each kind ---- */

static void create_one(rs_txn *txn)
{
    int parent = random_key();
    const char *name = random_name();
    int known = child_of(parent, name);
    rs_key key = 0;
    int created = -1;
    SUCCEEDS(rs_key_create_n(txn, id_of(parent), name, RS_NTS, 0, &key, &created));
    CU_ASSERT_EQUAL_FATAL(created, known < 0);
    if (known >= 0) {
        CU_ASSERT_EQUAL_FATAL(key, model[known].key);
        return;
    }
    CU_ASSERT_FATAL(model_count < MAX_KEYS);
    struct model_key *added = &model[model_count++];
    *added = (struct model_key){.key = key, .parent = parent};
    snprintf(added->name, sizeof added->name, "%s", name);
}

static void delete_one(rs_txn *txn)
{
    int key = random_key();
    if (key < 0 || random_below(4) > 0) {
        return;
    }
    if (children_of(key) > 0) {
        CU_ASSERT_EQUAL_FATAL(rs_key_delete(txn, id_of(key), 0), RS_ENOTEMPTY);
    }
    SUCCEEDS(rs_key_delete(txn, id_of(key), RS_RECURSIVE));
    forget(key);
}

static void rename_one(rs_txn *txn)
{
    int key = random_key();
    const char *name = random_name();
    if (key < 0) {
        return;
    }
    int known = child_of(model[key].parent, name);
    int wanted = known < 0 || known == key ? RS_OK : RS_EEXIST;
    CU_ASSERT_EQUAL_FATAL(rs_key_rename(txn, id_of(key), name), wanted);
    if (wanted == RS_OK) {
        snprintf(model[key].name, sizeof model[key].name, "%s", name);
    }
}

static int value_at(const struct model_key *key, unsigned name)
{
    for (unsigned i = 0; i < key->value_count; i++) {
        if (key->values[i].name == name) {
            return (int)i;
        }
    }
    return -1;
}

static const char *value_name(unsigned number)
{
    static char name[700];
    snprintf(name, sizeof name, "%s%u", number % 2 ? repeated(CJK, 200) : "value", number);
    return name;
}

static void set_one(rs_txn *txn)
{
    int key = random_key();
    unsigned name = random_below(MAX_VALUES);
    uint32_t data = random_below(3);
    if (key < 0) {
        return;
    }
    set_number(txn, id_of(key), value_name(name), data);
    int at = value_at(&model[key], name);
    if (at < 0) {
        at = (int)model[key].value_count++;
    }
    model[key].values[at] = (struct model_value){name, data};
}

static void unset_one(rs_txn *txn)
{
    int key = random_key();
    unsigned name = random_below(MAX_VALUES);
    if (key < 0) {
        return;
    }
    struct model_key *known = &model[key];
    int at = value_at(known, name);
    int wanted = at < 0 ? RS_ENOTFOUND : RS_OK;
    CU_ASSERT_EQUAL_FATAL(rs_value_delete(txn, id_of(key), value_name(name)), wanted);
    if (at >= 0) {
        known->value_count--;
        for (unsigned i = (unsigned)at; i < known->value_count; i++) {
            known->values[i] = known->values[i + 1];
        }
    }
}

/* Records that change their length move their neighbours. */
static void class_one(rs_txn *txn)
{
    int key = random_key();
    if (key >= 0) {
        model[key].class_len = random_below(400);
        SUCCEEDS(rs_key_set_class(txn, id_of(key), repeated("c", model[key].class_len)));
    }
}

static void take_step(rs_txn *txn)
{
    static void (*const steps[])(rs_txn * txn) = {create_one, create_one, create_one,
                                                  delete_one, rename_one, set_one,
                                                  set_one,    unset_one,  class_one};
    steps[random_below(sizeof steps / sizeof *steps)](txn);
}

/* ---- Comparing ---- */

static void compare_values(rs_txn *txn, const struct model_key *known)
{
    rs_cursor *cursor;
    rs_value value;
    SUCCEEDS(rs_values(txn, known->key, &cursor));
    for (unsigned i = 0; i < known->value_count; i++) {
        SUCCEEDS(rs_next_value(cursor, &value));
        EQUAL_TEXT(value.name, value_name(known->values[i].name));
        CU_ASSERT_EQUAL(memcmp(value.data, &known->values[i].data, 4), 0);
    }
    CU_ASSERT_EQUAL_FATAL(rs_next_value(cursor, &value), RS_END);
    rs_cursor_close(cursor);
}

static void compare_subkeys(rs_txn *txn, int parent)
{
    rs_cursor *cursor;
    rs_key_info info;
    char last[600] = "";
    unsigned count = 0;
    SUCCEEDS(rs_subkeys(txn, id_of(parent), &cursor));
    while (rs_next_key(cursor, &info) == RS_OK) {
        int known = child_of(parent, info.name);
        CU_ASSERT_FATAL(known >= 0 && model[known].key == info.key);
        CU_ASSERT_FATAL(count == 0 || rs_name_compare(last, RS_NTS, info.name, RS_NTS) < 0);
        snprintf(last, sizeof last, "%s", info.name);
        count++;
    }
    rs_cursor_close(cursor);
    CU_ASSERT_EQUAL_FATAL(count, children_of(parent));
    CU_ASSERT_EQUAL_FATAL(info_of(txn, id_of(parent)).subkeys, count);
}

static void compare_key(rs_txn *txn, int key)
{
    const struct model_key *known = &model[key];
    rs_key found = 0;
    rs_key_info info = {0};
    if (known->deleted) {
        CU_ASSERT_EQUAL_FATAL(rs_key_info_get(txn, known->key, &info), RS_EDELETED);
        return;
    }
    info = info_of(txn, known->key);
    EQUAL_TEXT(info.name, known->name);
    CU_ASSERT_EQUAL_FATAL(info.parent, id_of(known->parent));
    CU_ASSERT_EQUAL_FATAL(info.class_len, known->class_len);
    CU_ASSERT_EQUAL_FATAL(info.values, known->value_count);
    SUCCEEDS(rs_key_open(txn, id_of(known->parent), known->name, &found));
    CU_ASSERT_EQUAL_FATAL(found, known->key);
    compare_values(txn, known);
    compare_subkeys(txn, key);
}

static void compare_all(rs_txn *txn)
{
    uint64_t keys = 0;
    uint64_t values = 0;
    compare_subkeys(txn, -1);
    for (int i = 0; i < model_count; i++) {
        compare_key(txn, i);
        keys += !model[i].deleted;
        values += model[i].deleted ? 0 : model[i].value_count;
    }
    rs_stat stat = stat_of(txn);
    CU_ASSERT_EQUAL_FATAL(stat.keys, keys);
    CU_ASSERT_EQUAL_FATAL(stat.values, values);
}

/* Nothing lies in the table that no key leads to: a store whose keys are all deleted has no records
 * but those of the roots. */
static void check_nothing_is_left(rs_store *store)
{
    struct env_cursor cursor = {NULL};
    struct slice key;
    struct slice value;
    unsigned records = 0;
    rs_txn *txn = start_reading(store);
    SUCCEEDS(env_cursor_open(&txn->env, TABLE_TREE, &cursor));
    for (int status = env_cursor_first(&cursor, &key, &value); status == RS_OK;
         status = env_cursor_next(&cursor, &key, &value)) {
        records++;
    }
    CU_ASSERT_EQUAL(records, 3);
    env_cursor_close(&cursor);
    rs_abort(txn);
}

static void delete_all(rs_store *store)
{
    rs_txn *txn = start_writing(store);
    for (int i = 0; i < model_count; i++) {
        if (!model[i].deleted && model[i].parent < 0) {
            SUCCEEDS(rs_key_delete(txn, model[i].key, RS_RECURSIVE));
        }
    }
    rs_stat stat = stat_of(txn);
    CU_ASSERT_EQUAL(stat.keys + stat.values, 0);
    end_writing(txn);
    check_nothing_is_left(store);
}

static void follow_the_model(uint32_t seed)
{
    rs_store *store = open_store();
    random_state = seed;
    model_count = 0;
    for (int step = 0; step < STEPS; step += STEPS_A_REVISION) {
        rs_txn *txn = start_writing(store);
        for (int i = 0; i < STEPS_A_REVISION; i++) {
            take_step(txn);
        }
        if (step % 1000 == 0) {
            compare_all(txn);
        }
        end_writing(txn);
    }
    rs_txn *txn = start_reading(store);
    compare_all(txn);
    rs_abort(txn);
    must_be_whole(store);
    delete_all(store);
    rs_close(store);
}

static void random_changes_follow_the_model(void)
{
    follow_the_model(1);
}

static void other_random_changes_too(void)
{
    follow_the_model(20261121);
}

/* The same in a single transaction: all records pass through its cache. */
static void one_transaction_follows_the_model(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    random_state = 4711;
    model_count = 0;
    for (int step = 0; step < STEPS; step++) {
        take_step(txn);
    }
    compare_all(txn);
    end_writing(txn);
    txn = start_reading(store);
    compare_all(txn);
    rs_abort(txn);
    must_be_whole(store);
    delete_all(store);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"random changes follow the model", random_changes_follow_the_model},
    {"other random changes too", other_random_changes_too},
    {"one transaction follows the model", one_transaction_follows_the_model},
    {NULL, NULL},
};
const struct test_suite suite_tree_model = {"tree_model", cases};
