/*
 * test_watch.c - batches and positions: what a watch tells of which revision, and in what order.
 *
 * Where the watched key is has its own suite, watch_match. Batches are compared as text, whose form
 * stage.h gives.
 */
#include "stage.h"
#include "../regstore/journal.h"
#include "../regstore/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEY "HKLM\\Print"

/* ---- Batches ---- */

static void test_one_batch_per_revision(void)
{
    rs_store *store = stage_store();
    stage_create(store, KEY);
    rs_watch *watch = stage_watch(store, KEY, 0, RS_NOW);
    EXPECT(watch, "end");
    stage_set(store, KEY, "v", 1);
    stage_set(store, KEY, "v", 2);
    stage_set(store, KEY, "v", 1);
    EXPECT(watch, "set .:v ->1");
    EXPECT(watch, "set .:v 1>2");
    EXPECT(watch, "set .:v 2>1");
    EXPECT(watch, "end");
    rs_watch_close(watch);
    rs_close(store);
}

static void test_changes_in_order(void)
{
    rs_store *store = stage_store();
    stage_set(store, KEY, "old", 7);
    stage_create(store, KEY "\\Gone\\Deep");
    rs_watch *watch = stage_watch(store, KEY, RS_SUBTREE, RS_NOW);
    rs_txn *txn = stage_begin(store, RS_WRITE);
    rs_key key = stage_key(txn, KEY);
    stage_put(txn, KEY, "b", 1);
    stage_put(txn, KEY, "a", 2);
    stage_put(txn, KEY, "b", 3);
    MUST(rs_value_delete(txn, key, "old") == RS_OK);
    MUST(rs_key_set_class(txn, key, "a class") == RS_OK);
    stage_put(txn, KEY "\\New\\Deep", "inside", 4);
    MUST(rs_key_delete(txn, stage_key(txn, KEY "\\Gone"), RS_RECURSIVE) == RS_OK);
    MUST(rs_key_rename(txn, stage_key(txn, KEY "\\New"), "Newer") == RS_OK);
    stage_commit(txn);
    EXPECT(watch, "set .:b ->1; set .:a ->2; set .:b 1>3; unset .:old 7>-; class .; created New; "
                  "deleted Gone; renamed New:Newer");
    EXPECT(watch, "end");
    rs_watch_close(watch);
    rs_close(store);
}

static void test_who_and_when(void)
{
    rs_store *store = stage_store();
    const rs_batch *batch = NULL;
    rs_watch *watch = stage_watch(store, KEY, 0, RS_NOW);
    uint64_t before = store_now();
    rs_txn *txn = stage_begin(store, RS_WRITE);
    MUST(rs_txn_message(txn, "why") == RS_OK);
    MUST(rs_txn_program(txn, "editor") == RS_OK);
    stage_put(txn, KEY, "v", 1);
    uint64_t revision = stage_commit(txn);
    CU_ASSERT_FATAL(rs_watch_next(watch, &batch) == RS_OK);
    CU_ASSERT_EQUAL(batch->revision, revision);
    CU_ASSERT(batch->time >= before && batch->time <= store_now());
    CU_ASSERT_EQUAL(batch->uid, (uint32_t)getuid());
    CU_ASSERT_EQUAL(batch->pid, (uint32_t)getpid());
    CU_ASSERT_STRING_EQUAL(batch->program, "editor");
    CU_ASSERT_STRING_EQUAL(batch->message, "why");
    CU_ASSERT_EQUAL(batch->count, 1);
    CU_ASSERT_STRING_EQUAL(batch->changes[0].path, "HKEY_LOCAL_MACHINE\\Print");
    rs_watch_close(watch);
    rs_close(store);
}

/* Both sides whole: type, bytes, spelling. */
static void test_old_and_new_value(void)
{
    static const unsigned char odd[] = {1, 0, 3};
    rs_store *store = stage_store();
    const rs_batch *batch = NULL;
    stage_set(store, KEY, "Mode", 5);
    rs_watch *watch = stage_watch(store, KEY, 0, RS_NOW);
    rs_txn *txn = stage_begin(store, RS_WRITE);
    MUST(rs_value_set(txn, stage_key(txn, KEY), "mode", 4711, odd, sizeof odd) == RS_OK);
    stage_commit(txn);
    CU_ASSERT_FATAL(rs_watch_next(watch, &batch) == RS_OK && batch->count == 1);
    const rs_change *change = &batch->changes[0];
    CU_ASSERT_STRING_EQUAL(change->name, "Mode"); /* overwriting keeps the first spelling */
    CU_ASSERT_EQUAL_FATAL(change->old_value != NULL && change->new_value != NULL, 1);
    CU_ASSERT_EQUAL(change->old_value->type, REG_DWORD);
    CU_ASSERT_EQUAL(change->old_value->size, 4);
    CU_ASSERT_STRING_EQUAL(change->old_value->name, "Mode");
    CU_ASSERT_EQUAL(change->new_value->type, 4711);
    CU_ASSERT_EQUAL(change->new_value->size, sizeof odd);
    CU_ASSERT(memcmp(change->new_value->data, odd, sizeof odd) == 0);
    txn = stage_begin(store, RS_WRITE);
    MUST(rs_value_set(txn, stage_key(txn, KEY), "Mode", REG_NONE, NULL, 0) == RS_OK);
    stage_commit(txn);
    CU_ASSERT_FATAL(rs_watch_next(watch, &batch) == RS_OK && batch->count == 1);
    CU_ASSERT_EQUAL(batch->changes[0].new_value->size, 0);
    CU_ASSERT(batch->changes[0].new_value->data != NULL);
    rs_watch_close(watch);
    rs_close(store);
}

static void test_nothing_told(void)
{
    rs_store *store = stage_store();
    uint64_t revision = stage_set(store, KEY, "v", 1);
    rs_watch *watch = stage_watch(store, KEY, RS_SUBTREE, RS_NOW);
    CU_ASSERT_EQUAL(stage_set(store, KEY, "v", 1), revision); /* set as it is already */
    rs_txn *txn = stage_begin(store, RS_WRITE);
    stage_put(txn, KEY, "v", 2);
    rs_abort(txn);
    EXPECT(watch, "end");
    CU_ASSERT_EQUAL(rs_watch_position(watch), revision);
    rs_watch_close(watch);
    rs_close(store);
}

static void test_subtree_or_not(void)
{
    rs_store *store = stage_store();
    stage_create(store, KEY "\\Sub\\Deep");
    rs_watch *own = stage_watch(store, KEY, 0, RS_NOW);
    rs_watch *all = stage_watch(store, KEY, RS_SUBTREE, RS_NOW);
    stage_set(store, KEY "\\Sub", "v", 1);
    stage_set(store, KEY "\\Sub\\Deep", "v", 1);
    stage_create(store, KEY "\\Sub\\Deep\\Deeper");
    stage_delete(store, KEY "\\Sub\\Deep");
    stage_create(store, KEY "\\Direct");
    stage_rename(store, KEY "\\Direct", "Renamed");
    stage_delete(store, KEY "\\Sub");
    EXPECT(all, "set Sub:v ->1");
    EXPECT(all, "set Sub\\Deep:v ->1");
    EXPECT(all, "created Sub\\Deep\\Deeper");
    EXPECT(all, "deleted Sub\\Deep");
    for (int i = 0; i < 2; i++) {
        rs_watch *watch = i == 0 ? own : all;
        EXPECT(watch, "created Direct");
        EXPECT(watch, "renamed Direct:Renamed");
        EXPECT(watch, "deleted Sub");
        EXPECT(watch, "end");
        rs_watch_close(watch);
    }
    rs_close(store);
}

static void test_names(void)
{
    static const char key_name[] = "HKLM\\Print\\a\0b";
    rs_store *store = stage_store();
    rs_key key;
    rs_watch *watch = stage_watch(store, "hklm\\pRINT", RS_SUBTREE, RS_NOW);
    stage_set(store, KEY, "v", 1);
    rs_txn *txn = stage_begin(store, RS_WRITE);
    MUST(rs_key_create_n(txn, RS_NO_KEY, key_name, sizeof key_name - 1, 0, &key, NULL) == RS_OK);
    stage_commit(txn);
    txn = stage_begin(store, RS_WRITE);
    MUST(rs_set_dword_n(txn, key, "x\0y", 3, 1) == RS_OK);
    MUST(rs_set_dword(txn, key, "", 2) == RS_OK);
    stage_commit(txn);
    EXPECT(watch, "created .");
    EXPECT(watch, "created a%b");
    EXPECT(watch, "set a%b:x%y ->1; set a%b: ->2");
    rs_watch_close(watch);
    /* The key with NUL in its name can be watched itself. */
    MUST(rs_watch_open_n(store, key_name, sizeof key_name - 1, 0, RS_NOW, &watch, NULL) == RS_OK);
    stage_set(store, "HKLM\\Print\\a", "v", 1);
    txn = stage_begin(store, RS_WRITE);
    MUST(rs_set_dword(txn, key, "v", 3) == RS_OK);
    stage_commit(txn);
    EXPECT(watch, "set .:v ->3");
    EXPECT(watch, "end");
    rs_watch_close(watch);
    rs_close(store);
}

/* A stream of changes longer than a chunk of the journal. */
static void test_long_revision(void)
{
    enum { COUNT = 2000, BIG = 200000 };
    static char data[BIG];
    rs_store *store = stage_store();
    const rs_batch *batch = NULL;
    stage_create(store, KEY);
    rs_watch *watch = stage_watch(store, KEY, 0, RS_NOW);
    rs_txn *txn = stage_begin(store, RS_WRITE);
    rs_key key = stage_key(txn, KEY);
    for (uint32_t i = 0; i < COUNT; i++) {
        MUST(rs_set_dword(txn, key, "v", i) == RS_OK);
    }
    MUST(rs_set_binary(txn, key, "big", data, sizeof data) == RS_OK);
    stage_commit(txn);
    stage_set(store, KEY, "after", 1);
    CU_ASSERT_FATAL(rs_watch_next(watch, &batch) == RS_OK);
    CU_ASSERT_EQUAL_FATAL(batch->count, COUNT + 1);
    for (uint32_t i = 0; i < COUNT; i++) {
        CU_ASSERT_FATAL(memcmp(batch->changes[i].new_value->data, &i, sizeof i) == 0);
    }
    CU_ASSERT_EQUAL(batch->changes[COUNT].new_value->size, BIG);
    EXPECT(watch, "set .:after ->1");
    rs_watch_close(watch);
    rs_close(store);
}

static void test_hundred_commits(void)
{
    char text[40];
    rs_store *store = stage_store();
    stage_set(store, KEY, "v", 0);
    rs_watch *watch = stage_watch(store, KEY, 0, RS_NOW);
    for (uint32_t i = 1; i <= 100; i++) {
        stage_set(store, KEY, "v", i);
    }
    for (unsigned i = 1; i <= 100; i++) {
        snprintf(text, sizeof text, "set .:v %u>%u", i - 1, i);
        EXPECT(watch, text);
    }
    EXPECT(watch, "end");
    rs_watch_close(watch);
    rs_close(store);
}

static void test_two_watches(void)
{
    rs_store *store = stage_store();
    rs_store *again = stage_store();
    stage_create(store, KEY);
    rs_watch *first = stage_watch(store, KEY, 0, RS_NOW);
    rs_watch *second = stage_watch(again, KEY, 0, RS_NOW);
    stage_set(store, KEY, "v", 1);
    CU_ASSERT(stage_readable(rs_watch_fd(first), STAGE_PATIENCE));
    EXPECT(first, "set .:v ->1");
    EXPECT(first, "end");
    rs_watch_close(first);
    CU_ASSERT(stage_readable(rs_watch_fd(second), STAGE_PATIENCE));
    EXPECT(second, "set .:v ->1");
    stage_set(again, KEY, "v", 2);
    EXPECT(second, "set .:v 1>2");
    EXPECT(second, "end");
    rs_watch_close(second);
    rs_close(again);
    rs_close(store);
}

/* ---- Positions ---- */

static void test_unrelated_revisions(void)
{
    rs_store *store = stage_store();
    stage_create(store, KEY);
    rs_watch *watch = stage_watch(store, KEY, RS_SUBTREE, RS_NOW);
    stage_set(store, "HKLM\\Printer", "v", 1); /* a name that only begins alike */
    stage_set(store, "HKLM\\Prin", "v", 1);
    uint64_t revision = stage_set(store, "HKU\\Print", "v", 1);
    EXPECT(watch, "end");
    CU_ASSERT_EQUAL(rs_watch_position(watch), revision);
    stage_set(store, KEY, "v", 1);
    revision = stage_set(store, "HKLM\\Printer", "v", 2);
    EXPECT(watch, "set .:v ->1");
    CU_ASSERT_EQUAL(rs_watch_position(watch), revision - 1);
    EXPECT(watch, "end");
    CU_ASSERT_EQUAL(rs_watch_position(watch), revision);
    rs_watch_close(watch);
    rs_close(store);
}

static void test_past_position(void)
{
    rs_store *store = stage_store();
    uint64_t revision = stage_set(store, KEY, "v", 1);
    stage_set(store, KEY, "v", 2);
    stage_set(store, KEY, "v", 3);
    rs_watch *watch = stage_watch(store, KEY, 0, revision);
    CU_ASSERT_EQUAL(rs_watch_position(watch), revision);
    EXPECT(watch, "set .:v 1>2");
    EXPECT(watch, "set .:v 2>3");
    EXPECT(watch, "end");
    rs_watch_close(watch);
    watch = stage_watch(store, KEY, 0, 0);
    EXPECT(watch, "created .");
    EXPECT(watch, "set .:v 1>2");
    rs_watch_close(watch);
    rs_close(store);
}

static void test_future_position(void)
{
    rs_store *store = stage_store();
    rs_watch *watch = NULL;
    rs_error error = RS_ERROR_INIT;
    uint64_t revision = stage_set(store, KEY, "v", 1);
    CU_ASSERT_EQUAL(rs_watch_open(store, KEY, 0, revision + 1, &watch, &error), RS_EINVAL);
    CU_ASSERT(strstr(error.text, "has not been made") != NULL);
    CU_ASSERT(watch == NULL);
    rs_close(store);
}

/* Leaves only the latest revisions in the journal. */
static void trim(rs_store *store, uint64_t keep)
{
    struct env_txn txn;
    struct store_state state;
    MUST(env_begin(store->env, true, &txn, NULL) == RS_OK);
    MUST(store_state_read(&txn, &state) == RS_OK);
    MUST(journal_trim(&txn, state.revision,
                      &(struct journal_limits){.revisions = keep, .steps = 1000}, NULL) == RS_OK);
    MUST(env_commit(&txn, NULL) == RS_OK);
}

static void test_behind(void)
{
    rs_store *store = stage_store();
    stage_create(store, KEY);
    rs_watch *watch = stage_watch(store, KEY, 0, RS_NOW);
    rs_watch *near = stage_watch(store, KEY, 0, RS_NOW);
    stage_set(store, KEY, "v", 1);
    EXPECT(near, "set .:v ->1");
    stage_set(store, KEY, "v", 2);
    uint64_t revision = stage_set(store, KEY, "v", 3);
    trim(store, 2);
    EXPECT(near, "set .:v 1>2"); /* the first that is left is just what it needs */
    EXPECT(near, "set .:v 2>3");
    EXPECT(watch, "behind");
    CU_ASSERT_EQUAL(rs_watch_position(watch), revision);
    EXPECT(watch, "end");
    stage_set(store, KEY, "v", 4);
    EXPECT(watch, "set .:v 3>4");
    EXPECT(watch, "end");
    rs_watch_close(near);
    rs_watch_close(watch);
    rs_close(store);
}

/* In what it missed, the watched key may have moved. */
static void test_behind_and_moved(void)
{
    rs_store *store = stage_store();
    stage_create(store, "HKLM\\One");
    stage_create(store, "HKLM\\Two");
    stage_link(store, "HKLM\\Link", "HKLM\\One");
    rs_watch *watch = stage_watch(store, "HKLM\\Link", 0, RS_NOW);
    stage_link(store, "HKLM\\Link", "HKLM\\Two");
    stage_set(store, "HKLM\\Other", "v", 1);
    trim(store, 1);
    EXPECT(watch, "behind");
    stage_set(store, "HKLM\\One", "v", 1);
    stage_set(store, "HKLM\\Two", "v", 2);
    EXPECT(watch, "set .:v ->2");
    EXPECT(watch, "end");
    rs_watch_close(watch);
    rs_close(store);
}

/* Puts an older state in the place of the store's, as restoring a copy of its files does. */
static void go_back(rs_store *store, uint64_t revision)
{
    struct env_txn txn;
    struct slice found;
    unsigned char record[256];
    MUST(env_begin(store->env, true, &txn, NULL) == RS_OK);
    MUST(env_get(&txn, TABLE_META, (struct slice){"state", 5}, &found) == RS_OK);
    MUST(found.size <= sizeof record);
    memcpy(record, found.data, found.size);
    for (int i = 0; i < 8; i++) {
        record[i] = (unsigned char)(revision >> 8 * i);
    }
    struct slice changed = {record, found.size};
    MUST(env_put(&txn, TABLE_META, (struct slice){"state", 5}, changed) == RS_OK);
    MUST(env_commit(&txn, NULL) == RS_OK);
}

static void test_older_store(void)
{
    rs_store *store = stage_store();
    stage_create(store, "HKLM\\One");
    stage_create(store, "HKLM\\Two");
    stage_link(store, "HKLM\\Link", "HKLM\\One");
    rs_watch *watch = stage_watch(store, "HKLM\\Link", 0, RS_NOW);
    stage_set(store, "HKLM\\One", "v", 1);
    EXPECT(watch, "set .:v ->1");
    /* The older store's link leads elsewhere, and no revision tells of it. */
    uint64_t revision = stage_link(store, "HKLM\\Link", "HKLM\\Two");
    go_back(store, revision - 2);
    EXPECT(watch, "behind");
    CU_ASSERT_EQUAL(rs_watch_position(watch), revision - 2);
    EXPECT(watch, "end");
    stage_set(store, "HKLM\\Two", "v", 2);
    EXPECT(watch, "set .:v ->2");
    EXPECT(watch, "end");
    rs_watch_close(watch);
    rs_close(store);
}

/* A revision that cannot be read any more is missed like one that is gone, once. */
static void test_damaged_revision(void)
{
    unsigned char key[12] = {0};
    rs_store *store = stage_store();
    struct env_txn txn;
    stage_create(store, KEY);
    rs_watch *watch = stage_watch(store, KEY, 0, RS_NOW);
    uint64_t revision = stage_set(store, KEY, "v", 1);
    stage_set(store, KEY, "v", 2);
    env_put_be64(key, revision);
    MUST(env_begin(store->env, true, &txn, NULL) == RS_OK);
    MUST(env_put(&txn, TABLE_JOURNAL, (struct slice){key, 12}, (struct slice){"bad", 3}) == RS_OK);
    MUST(env_commit(&txn, NULL) == RS_OK);
    EXPECT(watch, "behind");
    stage_set(store, KEY, "v", 3);
    EXPECT(watch, "set .:v 2>3");
    EXPECT(watch, "end");
    rs_watch_close(watch);
    rs_close(store);
}

/* ---- The descriptor ---- */

static void test_descriptor(void)
{
    rs_store *store = stage_store();
    stage_create(store, KEY);
    rs_watch *watch = stage_watch(store, KEY, 0, RS_NOW);
    stage_set(store, KEY, "v", 1);
    CU_ASSERT_STRING_EQUAL(stage_await(watch), "set .:v ->1");
    CU_ASSERT(stage_readable(rs_watch_fd(watch), STAGE_PATIENCE)); /* at the latest in a second */
    EXPECT(watch, "end");
    stage_set(store, KEY, "v", 2);
    CU_ASSERT_STRING_EQUAL(stage_await(watch), "set .:v 1>2");
    rs_watch_close(watch);
    rs_close(store);
}

static void test_arguments(void)
{
    rs_store *store = stage_store();
    rs_watch *watch = NULL;
    rs_error error = RS_ERROR_INIT;
    CU_ASSERT_EQUAL(rs_watch_open(store, "HKLM\\\\Print", 0, RS_NOW, &watch, &error), RS_EPATH);
    CU_ASSERT(strstr(error.text, "\\Print") != NULL);
    CU_ASSERT_EQUAL(rs_watch_open(store, "Print", 0, RS_NOW, &watch, NULL), RS_EPATH);
    CU_ASSERT_EQUAL(rs_watch_open(store, "", 0, RS_NOW, &watch, NULL), RS_EPATH);
    CU_ASSERT_EQUAL(rs_watch_open(store, KEY, 4, RS_NOW, &watch, NULL), RS_EINVAL);
    CU_ASSERT_EQUAL(rs_watch_open(NULL, KEY, 0, RS_NOW, &watch, NULL), RS_EINVAL);
    CU_ASSERT_EQUAL(rs_watch_open(store, KEY, 0, RS_NOW, NULL, NULL), RS_EINVAL);
    CU_ASSERT(watch == NULL);
    CU_ASSERT_EQUAL(rs_watch_next(NULL, &(const rs_batch *){NULL}), RS_EINVAL);
    rs_watch_close(NULL);
    rs_close(store);
}

/* ---- The store's files are others ---- */

/* What the watch answers when its second has passed, and goes on answering. */
static void expect_at_next_look(rs_watch *watch, const char *text)
{
    MUST(stage_readable(rs_watch_fd(watch), STAGE_PATIENCE));
    EXPECT(watch, text);
    EXPECT(watch, text);
}

static void test_store_replaced(void)
{
    rs_store *store = stage_store();
    rs_watch *watch = stage_watch(store, KEY, 0, RS_NOW);
    stage_set(store, KEY, "v", 1);
    EXPECT(watch, "created .");
    EXPECT(watch, "end");
    CU_ASSERT(rename(scratch_path("store"), scratch_path("old")) == 0);
    expect_at_next_look(watch, "RS_EREPLACED");
    stage_set(store, KEY, "v", 2); /* the old files are still told of */
    EXPECT(watch, "set .:v 1>2");
    EXPECT(watch, "RS_EREPLACED");
    CU_ASSERT(rename(scratch_path("old"), scratch_path("store")) == 0);
    expect_at_next_look(watch, "end");
    CU_ASSERT(rename(scratch_path("store/data.mdb"), scratch_path("store/moved")) == 0);
    int fd = creat(scratch_path("store/data.mdb"), 0640);
    CU_ASSERT(fd >= 0 && close(fd) == 0);
    expect_at_next_look(watch, "RS_EREPLACED");
    rs_watch_close(watch);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"one batch per revision", test_one_batch_per_revision},
    {"changes in order", test_changes_in_order},
    {"who and when", test_who_and_when},
    {"old and new value", test_old_and_new_value},
    {"nothing told", test_nothing_told},
    {"subtree or not", test_subtree_or_not},
    {"names", test_names},
    {"long revision", test_long_revision},
    {"hundred commits", test_hundred_commits},
    {"two watches", test_two_watches},
    {"unrelated revisions", test_unrelated_revisions},
    {"past position", test_past_position},
    {"future position", test_future_position},
    {"behind", test_behind},
    {"behind and moved", test_behind_and_moved},
    {"older store", test_older_store},
    {"damaged revision", test_damaged_revision},
    {"descriptor", test_descriptor},
    {"arguments", test_arguments},
    {"store replaced", test_store_replaced},
    {NULL, NULL},
};
const struct test_suite suite_watch = {"watch", cases};
