/*
 * clock.c - works with a store while the clock runs backwards: run with clock_back preloaded.
 *
 * Each look at the clock gives a time a day before the last one, so within this run the year goes
 * back beyond 1970 and beyond 1601, where the store's times begin. Times are for people to read;
 * nothing may fail or stop because of one.
 */
#include <poll.h>
#include <stdio.h>
#include <time.h>

#include "scene.h"

#define COMMITS 1000u
#define PATIENCE_MS 30000

static bool runs_backwards(void)
{
    struct timespec first;
    struct timespec second;
    clock_gettime(CLOCK_REALTIME, &first);
    clock_gettime(CLOCK_REALTIME, &second);
    return second.tv_sec < first.tv_sec;
}

static void test_watch(rs_store *store, struct rig_random *random)
{
    rs_watch *watch = NULL;
    const rs_batch *batch;
    const char *file = rig_path("clock.xml");
    RIG_OK(rs_watch_open(store, SCENE_ROOT, RS_SUBTREE, RS_NOW, &watch, NULL));
    for (unsigned i = 0; i < COMMITS; i++) {
        uint64_t revision = scene_do(store, rig_below(random, SCENE_BIG), file);
        struct pollfd waited = {.fd = rs_watch_fd(watch), .events = POLLIN};
        RIG_MUST(poll(&waited, 1, PATIENCE_MS) == 1);
        RIG_OK(rs_watch_next(watch, &batch));
        RIG_MUST(batch->revision == revision);
        scene_check_batch(batch);
        RIG_GIVES(RS_END, rs_watch_next(watch, &batch));
    }
    rs_watch_close(watch);
    rig_pass("%u commits were made and watched", COMMITS);
}

/* Nobody commits; the watch's timer has to wake it all the same. */
static void test_timer(rs_store *store)
{
    rs_watch *watch = NULL;
    const rs_batch *batch;
    RIG_OK(rs_watch_open(store, SCENE_ROOT, RS_SUBTREE, RS_NOW, &watch, NULL));
    struct pollfd waited = {.fd = rs_watch_fd(watch), .events = POLLIN};
    RIG_MUST(poll(&waited, 1, PATIENCE_MS) == 1);
    RIG_GIVES(RS_END, rs_watch_next(watch, &batch));
    rs_watch_close(watch);
    rig_pass("a watch's timer goes on");
}

static uint64_t set_for_a_while(rs_store *store, uint32_t number, uint32_t seconds)
{
    rs_key key = RS_NO_KEY;
    uint64_t revision = 0;
    rs_txn *txn = rig_begin(store, RS_WRITE);
    RIG_OK(rs_key_create(txn, RS_NO_KEY, SCENE_ROOT "\\Clock", &key));
    RIG_OK(rs_set_dword(txn, key, "Number", number));
    RIG_OK(rs_txn_confirm(txn, seconds));
    RIG_OK(rs_commit(txn, &revision));
    return revision;
}

/* The time since the machine's start goes on. */
static void test_confirmation(rs_store *store, uint32_t number)
{
    uint64_t kept = 0;
    uint64_t made = 1;
    uint64_t asked = set_for_a_while(store, number, 1000);
    RIG_OK(rs_confirm_due(store, &made, NULL));
    RIG_MUST(made == 0);
    RIG_OK(rs_confirm(store, &kept, NULL));
    RIG_MUST(kept == asked);
    asked = set_for_a_while(store, 0, 1);
    while (made == 0) {
        rig_sleep_us(50000);
        RIG_OK(rs_confirm_due(store, &made, NULL));
    }
    RIG_MUST(made == asked + 1);
    rig_pass("a change is taken back in its time, not before");
}

static int on_reader(void *context, const rs_reader *reader)
{
    (void)context;
    /* No longer than the clock can have gone in this run. */
    RIG_MUST(reader->age < UINT64_C(100) * 365 * 24 * 3600 * 10000000);
    return 0;
}

static void test_ages(rs_store *store)
{
    rs_txn *old = rig_begin(store, RS_READ);
    RIG_MUST(rs_revision(old) > 0);
    scene_do(store, SCENE_NOTE, NULL);
    rs_txn *txn = rig_begin(store, RS_READ);
    RIG_OK(rs_readers(txn, on_reader, NULL));
    rs_abort(txn);
    rs_abort(old);
    rig_pass("a snapshot's age is none or sensible");
}

static void test_dumps(rs_store *store)
{
    rs_key key;
    rs_import_report report;
    rs_error error = RS_ERROR_INIT;
    const char *file = rig_path("dump.xml");
    rs_txn *txn = rig_begin(store, RS_READ);
    RIG_OK(rs_key_open(txn, RS_NO_KEY, SCENE_ROOT, &key));
    RIG_OK(rs_export(txn, key, file, NULL, &error));
    rs_abort(txn);
    txn = rig_begin(store, RS_WRITE);
    int status = rs_import(txn, file, NULL, &report, &error);
    printf("%s", error.text);
    RIG_OK(status);
    RIG_MUST(report.values_added == 0 && report.values_changed == 0 && report.values_same > 0);
    RIG_OK(rs_commit(txn, NULL));
    rig_pass("what was written is exported and imported");
}

int main(int argc, char **argv)
{
    rig_start(argc, argv, COMMITS);
    if (!runs_backwards()) {
        rig_skip("the clock runs forwards: clock_back is not preloaded");
        return rig_finish();
    }
    struct rig_random random = rig_random(rig_seed(), 0);
    rs_store *store = rig_open(RS_CREATE);
    scene_prepare(store, 100, &random);
    test_watch(store, &random);
    test_timer(store);
    test_ages(store);
    test_confirmation(store, 1);
    for (unsigned i = 0; i < 200000; i++) { /* to before 1601 */
        runs_backwards();
    }
    test_watch(store, &random);
    test_ages(store);
    test_confirmation(store, 2);
    test_dumps(store);
    rs_close(store);
    return rig_finish();
}
