/*
 * test_threads.c - many threads on one store: writers, readers, and watches that come and go.
 *
 * Its worth is in the flavour that finds races. A counter stands in two values of two keys, which
 * every revision changes together; no reader may ever see them differ, or go backwards.
 */
#include "stage.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define WRITERS 2
#define READERS 8
#define WATCHERS 2
#define COMMITS 100u /* each writer's */
#define LEFT "HKLM\\Left"
#define RIGHT "HKLM\\Right\\Deep"

/* What the threads of a test share. CUnit is not made for threads: they count what is wrong. */
struct shared {
    rs_store *store;
    atomic_bool done;
    atomic_uint wrong;
    atomic_uint seen; /* snapshots looked at, watches opened */
};

static void note_unless(struct shared *shared, bool right)
{
    if (!right) {
        atomic_fetch_add(&shared->wrong, 1);
    }
}

static bool both_keys(rs_txn *txn, rs_key *left, rs_key *right)
{
    return rs_key_open(txn, RS_NO_KEY, LEFT, left) == RS_OK &&
           rs_key_open(txn, RS_NO_KEY, RIGHT, right) == RS_OK;
}

/* ---- The threads ---- */

static bool count_one(rs_store *store)
{
    rs_txn *txn;
    rs_key left;
    rs_key right;
    uint32_t number = 0;
    if (rs_begin(store, RS_WRITE, &txn) != RS_OK) {
        return false;
    }
    if (!both_keys(txn, &left, &right) || rs_get_dword(txn, left, "v", &number) != RS_OK ||
        rs_set_dword(txn, left, "v", number + 1) != RS_OK ||
        rs_set_dword(txn, right, "v", number + 1) != RS_OK) {
        rs_abort(txn);
        return false;
    }
    return rs_commit(txn, NULL) == RS_OK;
}

static void *write_often(void *context)
{
    struct shared *shared = context;
    for (unsigned i = 0; i < COMMITS; i++) {
        note_unless(shared, count_one(shared->store));
    }
    return NULL;
}

/* The counter in a snapshot; false if its two values differ. */
static bool read_one(rs_store *store, uint32_t *number)
{
    rs_txn *txn;
    rs_key left;
    rs_key right;
    uint32_t other = 0;
    if (rs_begin(store, RS_READ, &txn) != RS_OK) {
        return false;
    }
    bool read = both_keys(txn, &left, &right) && rs_get_dword(txn, left, "v", number) == RS_OK &&
                rs_get_dword(txn, right, "v", &other) == RS_OK && *number == other;
    rs_abort(txn);
    return read;
}

/* Readers that never pause would keep the writers from the processor. */
static void *read_often(void *context)
{
    struct shared *shared = context;
    uint32_t last = 0;
    while (!atomic_load(&shared->done)) {
        uint32_t number = 0;
        note_unless(shared, read_one(shared->store, &number) && number >= last);
        last = number;
        atomic_fetch_add(&shared->seen, 1);
        sched_yield();
    }
    return NULL;
}

static int ignore_watcher(void *context, const rs_watcher *watcher)
{
    (void)context;
    (void)watcher;
    return 0;
}

/* Opens a watch, takes a few batches, closes it, and again. */
static void *watch_now_and_then(void *context)
{
    struct shared *shared = context;
    while (!atomic_load(&shared->done)) {
        rs_watch *watch;
        const rs_batch *batch;
        if (rs_watch_open(shared->store, "HKLM", RS_SUBTREE, RS_NOW, &watch, NULL) != RS_OK) {
            note_unless(shared, false);
            break;
        }
        uint64_t last = rs_watch_position(watch);
        for (int i = 0; i < 10; i++) {
            int status = rs_watch_next(watch, &batch);
            note_unless(shared, status == RS_OK || status == RS_END);
            note_unless(shared, status != RS_OK || batch->revision == ++last);
            note_unless(shared, status != RS_OK || batch->count == 2);
        }
        note_unless(shared, rs_watchers(shared->store, ignore_watcher, NULL) == RS_OK);
        rs_watch_close(watch);
        atomic_fetch_add(&shared->seen, 1);
    }
    return NULL;
}

/* ---- The tests ---- */

static void set_up(struct shared *shared)
{
    *shared = (struct shared){.store = stage_store()};
    rs_txn *txn = stage_begin(shared->store, RS_WRITE);
    stage_put(txn, LEFT, "v", 0);
    stage_put(txn, RIGHT, "v", 0);
    stage_commit(txn);
}

static void start(pthread_t *threads, int count, void *(*run)(void *), struct shared *shared)
{
    for (int i = 0; i < count; i++) {
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, run, shared) == 0);
    }
}

static void join(const pthread_t *threads, int count)
{
    for (int i = 0; i < count; i++) {
        CU_ASSERT(pthread_join(threads[i], NULL) == 0);
    }
}

static void run_readers(struct shared *shared, void *(*work)(void *context))
{
    pthread_t threads[READERS];
    start(threads, READERS, work, shared);
    join(threads, READERS);
    CU_ASSERT_EQUAL(atomic_load(&shared->wrong), 0);
}

static void test_all_at_once(void)
{
    pthread_t writers[WRITERS];
    pthread_t readers[READERS];
    pthread_t watchers[WATCHERS];
    struct shared shared;
    set_up(&shared);
    start(readers, READERS, read_often, &shared);
    start(watchers, WATCHERS, watch_now_and_then, &shared);
    start(writers, WRITERS, write_often, &shared);
    join(writers, WRITERS);
    atomic_store(&shared.done, true);
    join(readers, READERS);
    join(watchers, WATCHERS);
    CU_ASSERT_EQUAL(atomic_load(&shared.wrong), 0);
    CU_ASSERT(atomic_load(&shared.seen) > 0);
    CU_ASSERT_EQUAL(stage_get(shared.store, LEFT, "v"), WRITERS * COMMITS);
    rs_close(shared.store);
}

/* A watch in a thread that sleeps until it is woken gets all, whoever writes. */
static void *watch_all(void *context)
{
    struct shared *shared = context;
    rs_watch *watch;
    const rs_batch *batch;
    if (rs_watch_open(shared->store, RIGHT, 0, 1, &watch, NULL) != RS_OK) {
        note_unless(shared, false);
        return NULL;
    }
    while (rs_watch_position(watch) < 1 + WRITERS * COMMITS) {
        int status = rs_watch_next(watch, &batch);
        if (status == RS_OK) {
            atomic_fetch_add(&shared->seen, 1);
        } else if (status != RS_END || !stage_readable(rs_watch_fd(watch), STAGE_PATIENCE)) {
            note_unless(shared, false);
            break;
        }
    }
    rs_watch_close(watch);
    return NULL;
}

static void test_woken(void)
{
    pthread_t writers[WRITERS];
    pthread_t watchers[WATCHERS];
    struct shared shared;
    set_up(&shared);
    start(watchers, WATCHERS, watch_all, &shared);
    start(writers, WRITERS, write_often, &shared);
    join(writers, WRITERS);
    join(watchers, WATCHERS);
    CU_ASSERT_EQUAL(atomic_load(&shared.wrong), 0);
    CU_ASSERT_EQUAL(atomic_load(&shared.seen), WATCHERS * WRITERS * COMMITS);
    rs_close(shared.store);
}

/* Each thread opens and closes the store that the others use. */
static void *open_and_close(void *context)
{
    struct shared *shared = context;
    char dir[4096];
    snprintf(dir, sizeof dir, "%s", rs_store_dir(shared->store));
    for (int i = 0; i < 50; i++) {
        rs_store *own;
        uint32_t number = 0;
        if (rs_open(dir, 0, &own, NULL) != RS_OK) {
            note_unless(shared, false);
            break;
        }
        note_unless(shared, read_one(own, &number) && number <= READERS * 50);
        note_unless(shared, i % 10 != 0 || count_one(own));
        rs_close(own);
    }
    return NULL;
}

static void test_open_and_close(void)
{
    struct shared shared;
    set_up(&shared);
    run_readers(&shared, open_and_close);
    CU_ASSERT_EQUAL(stage_get(shared.store, LEFT, "v"), READERS * 5);
    rs_close(shared.store);
}

/* More snapshots at once than idle ones are kept. */
static void *abort_later(void *context)
{
    struct shared *shared = context;
    enum { AT_ONCE = 20 };
    for (int i = 0; i < 20; i++) {
        rs_txn *txns[AT_ONCE];
        int count = 0;
        while (count < AT_ONCE && rs_begin(shared->store, RS_READ, &txns[count]) == RS_OK) {
            count++;
        }
        note_unless(shared, count == AT_ONCE);
        while (count > 0) {
            rs_abort(txns[--count]);
        }
    }
    return NULL;
}

static void test_many_snapshots(void)
{
    struct shared shared;
    set_up(&shared);
    run_readers(&shared, abort_later);
    rs_close(shared.store);
}

static const struct test_case cases[] = {
    {"all at once", test_all_at_once},
    {"woken", test_woken},
    {"open and close", test_open_and_close},
    {"many snapshots", test_many_snapshots},
    {NULL, NULL},
};
const struct test_suite suite_threads = {"threads", cases};
