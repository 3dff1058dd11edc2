/*
 * test_process_fork.c - nothing crosses fork: what a child finds of its parent's store.
 *
 * Each call on it answers RS_EFORK, releasing it is harmless, and the parent notices nothing.
 */
#include "stage.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEY "HKLM\\Print"

/* What the child inherits; children get no context of their own. */
static struct {
    rs_store *store;
    rs_txn *txn;
    rs_watch *watch;
    rs_key key;
} inherited;

static void begin_in_child(int from_parent, int to_parent)
{
    rs_txn *txn = NULL;
    rs_watch *watch = NULL;
    (void)from_parent;
    (void)to_parent;
    MUST(rs_begin(inherited.store, RS_READ, &txn) == RS_EFORK);
    MUST(rs_begin(inherited.store, RS_WRITE, &txn) == RS_EFORK);
    MUST(rs_watch_open(inherited.store, KEY, 0, RS_NOW, &watch, NULL) == RS_EFORK);
    MUST(txn == NULL && watch == NULL);
    rs_close(inherited.store);
    rs_store *own = stage_store();
    MUST(stage_get(own, KEY, "v") == 1);
    stage_set(own, KEY, "v", 2);
    rs_close(own);
}

static void test_begin(void)
{
    inherited.store = stage_store();
    stage_set(inherited.store, KEY, "v", 1);
    struct child child = child_start(begin_in_child);
    CU_ASSERT(child_end(&child));
    CU_ASSERT_EQUAL(stage_get(inherited.store, KEY, "v"), 2);
    stage_set(inherited.store, KEY, "v", 3);
    rs_close(inherited.store);
}

static void read_in_child(int from_parent, int to_parent)
{
    uint32_t number;
    rs_cursor *cursor = NULL;
    rs_key_info info;
    (void)from_parent;
    (void)to_parent;
    MUST(rs_get_dword(inherited.txn, inherited.key, "v", &number) == RS_EFORK);
    MUST(rs_key_info_get(inherited.txn, inherited.key, &info) == RS_EFORK);
    MUST(rs_subkeys(inherited.txn, inherited.key, &cursor) == RS_EFORK);
    rs_abort(inherited.txn);
    rs_close(inherited.store);
}

static struct {
    rs_cursor *keys;
    rs_cursor *values;
} cursors;

static void list_in_child(int from_parent, int to_parent)
{
    rs_key_info info;
    rs_value value;
    (void)from_parent;
    (void)to_parent;
    MUST(rs_next_key(cursors.keys, &info) == RS_EFORK);
    MUST(rs_next_value(cursors.values, &value) == RS_EFORK);
    rs_cursor_close(cursors.keys);
    rs_cursor_close(cursors.values);
    rs_abort(inherited.txn);
    rs_close(inherited.store);
}

/* The snapshot is the parent's: it may end while the child reads on. */
static void test_cursors(void)
{
    rs_value value;
    inherited.store = stage_store();
    stage_set(inherited.store, KEY, "v", 1);
    stage_set(inherited.store, KEY "\\Below", "v", 1);
    inherited.txn = stage_begin(inherited.store, RS_READ);
    inherited.key = stage_key(inherited.txn, KEY);
    MUST(rs_subkeys(inherited.txn, inherited.key, &cursors.keys) == RS_OK);
    MUST(rs_values(inherited.txn, inherited.key, &cursors.values) == RS_OK);
    struct child child = child_start(list_in_child);
    CU_ASSERT(child_end(&child));
    CU_ASSERT_EQUAL(rs_next_value(cursors.values, &value), RS_OK);
    rs_cursor_close(cursors.keys);
    rs_cursor_close(cursors.values);
    rs_abort(inherited.txn);
    rs_close(inherited.store);
}

static void test_read_transaction(void)
{
    inherited.store = stage_store();
    stage_set(inherited.store, KEY, "v", 1);
    inherited.txn = stage_begin(inherited.store, RS_READ);
    inherited.key = stage_key(inherited.txn, KEY);
    struct child child = child_start(read_in_child);
    CU_ASSERT(child_end(&child));
    uint32_t number = 0;
    CU_ASSERT(rs_get_dword(inherited.txn, inherited.key, "v", &number) == RS_OK && number == 1);
    rs_abort(inherited.txn);
    rs_close(inherited.store);
}

static void commit_in_child(int from_parent, int to_parent)
{
    uint64_t revision = 0;
    (void)from_parent;
    (void)to_parent;
    MUST(rs_set_dword(inherited.txn, inherited.key, "v", 9) == RS_EFORK);
    MUST(rs_txn_message(inherited.txn, "from the child") == RS_EFORK);
    MUST(rs_commit(inherited.txn, &revision) == RS_EFORK);
    MUST(revision == 0);
    rs_close(inherited.store);
}

static void test_write_transaction(void)
{
    inherited.store = stage_store();
    uint64_t before = stage_set(inherited.store, KEY, "v", 1);
    inherited.txn = stage_begin(inherited.store, RS_WRITE);
    inherited.key = stage_key(inherited.txn, KEY);
    MUST(rs_set_dword(inherited.txn, inherited.key, "w", 2) == RS_OK);
    struct child child = child_start(commit_in_child);
    CU_ASSERT(child_end(&child));
    CU_ASSERT_EQUAL(stage_get(inherited.store, KEY, "w"), UINT32_MAX);
    MUST(rs_set_dword(inherited.txn, inherited.key, "v", 3) == RS_OK);
    CU_ASSERT_EQUAL(stage_commit(inherited.txn), before + 1);
    CU_ASSERT_EQUAL(stage_get(inherited.store, KEY, "v"), 3);
    CU_ASSERT_EQUAL(stage_get(inherited.store, KEY, "w"), 2);
    rs_close(inherited.store);
}

static int count_watcher(void *context, const rs_watcher *watcher)
{
    (void)watcher;
    ++*(unsigned *)context;
    return 0;
}

static int count_service(void *context, const rs_service *service)
{
    (void)service;
    ++*(unsigned *)context;
    return 0;
}

static void ask_in_child(int from_parent, int to_parent)
{
    rs_error error = RS_ERROR_INIT;
    unsigned services = 0;
    (void)from_parent;
    (void)to_parent;
    MUST(rs_services(inherited.store, count_service, &services) == RS_EFORK);
    MUST(rs_wait(inherited.store, 1, -1, count_service, &services) == RS_EFORK);
    MUST(rs_service_forget(inherited.store, "gone", &error) == RS_EFORK);
    MUST(services == 0 && error.status == RS_EFORK);
    MUST(rs_watch_answer(inherited.watch, 1, RS_ANSWER_APPLIED, "") == RS_EFORK);
    MUST(rs_watch_answer_for(inherited.watch, KEY, NULL) == RS_EFORK);
    rs_watch_close(inherited.watch);
    rs_close(inherited.store);
}

/* What the parent could forget the child cannot. */
static void test_services(void)
{
    unsigned services = 0;
    inherited.store = stage_store();
    stage_set(inherited.store, KEY, "v", 1);
    MUST(rs_watch_open_named(inherited.store, "gone", KEY, 0, &inherited.watch, NULL) == RS_OK);
    rs_watch_close(inherited.watch);
    MUST(rs_watch_open_named(inherited.store, "kept", KEY, 0, &inherited.watch, NULL) == RS_OK);
    struct child child = child_start(ask_in_child);
    CU_ASSERT(child_end(&child));
    CU_ASSERT_EQUAL(rs_watch_answer(inherited.watch, 1, RS_ANSWER_APPLIED, ""), RS_OK);
    CU_ASSERT_EQUAL(rs_wait(inherited.store, 1, 0, NULL, NULL), RS_OK);
    rs_watch_close(inherited.watch);
    CU_ASSERT(rs_services(inherited.store, count_service, &services) == RS_OK && services == 2);
    CU_ASSERT_EQUAL(rs_service_forget(inherited.store, "gone", NULL), RS_OK);
    rs_close(inherited.store);
}

static void watch_in_child(int from_parent, int to_parent)
{
    const rs_batch *batch = NULL;
    unsigned watchers = 0;
    (void)from_parent;
    (void)to_parent;
    MUST(rs_watch_next(inherited.watch, &batch) == RS_EFORK);
    MUST(rs_watchers(inherited.store, count_watcher, &watchers) == RS_EFORK && watchers == 0);
    rs_watch_close(inherited.watch);
    rs_close(inherited.store);
}

/* The descriptors are shared: a child that reads from them would take the parent's wake-up. */
static void test_watch(void)
{
    unsigned watchers = 0;
    inherited.store = stage_store();
    stage_set(inherited.store, KEY, "v", 1);
    inherited.watch = stage_watch(inherited.store, KEY, 0, RS_NOW);
    stage_set(inherited.store, KEY, "v", 2);
    struct child child = child_start(watch_in_child);
    CU_ASSERT(child_end(&child));
    CU_ASSERT(stage_readable(rs_watch_fd(inherited.watch), 0));
    CU_ASSERT(rs_watchers(inherited.store, count_watcher, &watchers) == RS_OK && watchers == 1);
    EXPECT(inherited.watch, "set .:v 1>2");
    EXPECT(inherited.watch, "end");
    rs_watch_close(inherited.watch);
    rs_close(inherited.store);
}

static const struct test_case cases[] = {
    {"begin", test_begin},
    {"read transaction", test_read_transaction},
    {"cursors", test_cursors},
    {"write transaction", test_write_transaction},
    {"watch", test_watch},
    {"services", test_services},
    {NULL, NULL},
};
const struct test_suite suite_process_fork = {"process_fork", cases};
