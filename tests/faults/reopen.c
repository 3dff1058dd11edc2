/*
 * reopen.c - a process goes on after a failed write: what others of its transactions notice.
 *
 *     reopen DIRECTORY        an empty directory on a disk
 *
 * Each call of a commit fails in turn, beside a reader that stays open, beside idle readers of
 * another handle on the same store, and beside threads that read all the time. A reader that is
 * open reads on; new transactions are refused until it ends, and only because of it; no commit that
 * was told as done is lost. Ends with "N passed, N failed, 0 skipped". Needs regstore.h,
 * fail_storage.
 */
#include "preloaded.h"

#include <regstore.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS 12u /* more than a small commit makes */
#define THREADS 3
#define ROUNDS 30u
#define COMMITS 1000u
#define NEVER 1000u /* calls: far more than a commit makes */

static struct preloaded calls;
static struct fail_plan plan = {.how = FAIL_ONCE, .number = EIO};
static unsigned passed, failed;

static bool expect(bool holds, const char *what, unsigned long call, int status)
{
    if (!holds) {
        printf("FAILED: call %lu: %s: %s\n", call, what, rs_strerror(status));
    }
    passed += holds;
    failed += !holds;
    return holds;
}

static int get(rs_txn *txn, uint32_t *number)
{
    rs_key key;
    int status = rs_key_open(txn, RS_HKLM, "Key", &key);
    return status == RS_OK ? rs_get_dword(txn, key, "Number", number) : status;
}

static int get_now(rs_store *store, uint32_t *number)
{
    rs_txn *txn;
    int status = rs_begin(store, RS_READ, &txn);
    if (status == RS_OK) {
        status = get(txn, number);
        rs_abort(txn);
    }
    return status;
}

static int set(rs_store *store, uint32_t number)
{
    rs_txn *txn;
    rs_key key;
    int status = rs_begin(store, RS_WRITE, &txn);
    if (status != RS_OK) {
        return status;
    }
    status = rs_key_create(txn, RS_HKLM, "Key", &key);
    if (status == RS_OK) {
        status = rs_set_dword(txn, key, "Number", number);
    }
    if (status == RS_OK) {
        return rs_commit(txn, NULL);
    }
    rs_abort(txn);
    return status;
}

static int set_failing(rs_store *store, uint32_t number, unsigned long call)
{
    plan.call = call;
    calls.plan(&plan);
    int status = set(store, number);
    calls.plan(&(struct fail_plan){.call = 0});
    return status;
}

/* ---- Beside a reader ---- */

static unsigned refused; /* transactions, because of an open one */

static void beside_open_reader(rs_store *store, rs_store *other, unsigned long call)
{
    uint32_t before = 0, seen = 0, now = 0;
    rs_txn *reader;
    expect(get_now(other, &before) == RS_OK, "another handle reads", call, RS_OK); /* idle now */
    int status = rs_begin(other, RS_READ, &reader);
    if (!expect(status == RS_OK, "a reader begins", call, status)) {
        return;
    }
    int wrote = set_failing(store, before + 1, call);
    expect(wrote == RS_OK || wrote == RS_EIO, "the commit's answer", call, wrote);
    status = get_now(store, &now);
    refused += status == RS_EREOPEN;
    expect(status == RS_OK || status == RS_EREOPEN, "a reader begins or is told why", call, status);
    expect(set(store, before + 2) == status || status == RS_OK, "a writer is told the same", call,
           status);
    bool blocked = status == RS_EREOPEN;
    status = get(reader, &seen);
    expect(status == RS_OK && seen == before, "the open reader reads on", call, status);
    rs_abort(reader);
    status = get_now(store, &now);
    expect(status == RS_OK, "it is read after that", call, status);
    if (blocked) {
        expect(now == before || now == before + 1, "as before or as after", call, RS_OK);
    }
    status = set(other, before + 3);
    expect(status == RS_OK, "it is written after that", call, status);
    status = get_now(store, &now);
    expect(status == RS_OK && now == before + 3, "what was written is there", call, status);
}

/* ---- Beside threads ---- */

static rs_store *shared;
static atomic_bool stop;
static atomic_uint wrong;

static void *read_all_the_time(void *unused)
{
    uint32_t last = 0;
    (void)unused;
    while (!atomic_load(&stop)) {
        uint32_t number = 0;
        int status = get_now(shared, &number);
        bool good = status == RS_EREOPEN || (status == RS_OK && number >= last);
        atomic_fetch_add(&wrong, !good);
        last = status == RS_OK ? number : last;
    }
    return NULL;
}

static void write_failing(rs_store *store)
{
    uint32_t number = 0;
    int status = get_now(store, &number);
    expect(status == RS_OK, "it is read before", 0, status);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned long call = 1 + round % CALLS;
        set_failing(store, ++number, call);
        /* The readers are there by turns; between two of them the files are opened anew. */
        do {
            status = set(store, ++number);
        } while (status == RS_EREOPEN);
        expect(status == RS_OK, "it is written beside threads", call, status);
    }
}

/* A commit that syncs slowly can be seen before it is done, by a reader that a quick one before it
 * has overtaken. */
static void write_all_the_time(rs_store *store)
{
    uint32_t number = 0;
    int status = get_now(store, &number);
    for (unsigned i = 0; i < COMMITS && status == RS_OK; i++) {
        status = i % 2 == 0 ? set_failing(store, ++number, NEVER) : set(store, ++number);
    }
    expect(status == RS_OK, "it is written", 0, status);
}

static void beside_threads(rs_store *store, const char *dir, void (*write)(rs_store *))
{
    pthread_t threads[THREADS];
    int status = rs_open(dir, 0, &shared, NULL);
    expect(status == RS_OK, "another handle", 0, status);
    atomic_store(&stop, false);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, read_all_the_time, NULL);
    }
    write(store);
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    expect(atomic_exchange(&wrong, 0) == 0, "threads read what was there, in order", 0, RS_OK);
    rs_close(shared);
}

/* ---- Another store in the place ---- */

/* Until a new transaction is refused because of one that is open. */
static bool fail_for_good(rs_store *store)
{
    uint32_t number;
    bool refused_now = false;
    for (unsigned long round = 0; round < CALLS * CALLS && !refused_now; round++) {
        rs_txn *reader;
        if (rs_begin(store, RS_READ, &reader) != RS_OK) {
            return false;
        }
        set_failing(store, 77, 1 + round * (CALLS + 1) / CALLS % CALLS);
        refused_now = get_now(store, &number) == RS_EREOPEN;
        rs_abort(reader);
    }
    return refused_now;
}

static void beside_another_store(rs_store *store, const char *dir)
{
    char away[PATH_MAX + 8], other[PATH_MAX + 8];
    uint32_t number = 0;
    rs_store *stranger = NULL;
    snprintf(away, sizeof away, "%s.away", dir);
    snprintf(other, sizeof other, "%s.other", dir);
    if (!expect(fail_for_good(store), "a write fails for good", 0, RS_OK)) {
        return;
    }
    int status = rename(dir, away) == 0 ? rs_open(dir, RS_CREATE, &stranger, NULL) : RS_EIO;
    expect(status == RS_OK, "another store is made in the place", 0, status);
    rs_close(stranger);
    status = get_now(store, &number);
    expect(status == RS_ENOSTORE, "the other store is not read", 0, status);
    status = set(store, 5);
    expect(status == RS_ENOSTORE, "the other store is not written", 0, status);
    expect(rename(dir, other) == 0 && rename(away, dir) == 0, "the own one comes back", 0, RS_OK);
    status = set(store, 6);
    expect(status == RS_OK, "it is written again", 0, status);
    status = get_now(store, &number);
    expect(status == RS_OK && number == 6, "what was written is there again", 0, status);
}

int main(int argc, char **argv)
{
    char dir[PATH_MAX];
    rs_store *store, *other;
    if (argc != 2 || realpath(argv[1], plan.dir) == NULL) {
        fputs("usage: reopen DIRECTORY\n", stderr);
        return 2;
    }
    snprintf(dir, sizeof dir, "%s/store", argv[1]);
    if (!preloaded_find(&calls, argv) || rs_open(dir, RS_CREATE, &store, NULL) != RS_OK ||
        rs_open(dir, 0, &other, NULL) != RS_OK || set(store, 1) != RS_OK) {
        puts("cannot begin\n0 passed, 1 failed, 0 skipped");
        return 1;
    }
    /* How many calls come before the meta page's differs from commit to commit. */
    for (unsigned long round = 0; round < CALLS * CALLS; round++) {
        beside_open_reader(store, other, 1 + round * (CALLS + 1) / CALLS % CALLS);
    }
    expect(refused > 0, "some write failed so that the store had to be opened anew", 0, RS_OK);
    beside_threads(store, dir, write_all_the_time);
    beside_threads(store, dir, write_failing);
    rs_close(other);
    beside_another_store(store, dir);
    rs_close(store);
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
