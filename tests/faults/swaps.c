/*
 * swaps.c - other data files in the store's place while it is used, and killed at any moment.
 *
 * Writers add one to their own value and to the sum of all, and readers look that the sum is right.
 * Meanwhile one process after another compacts the store, or restores a backup that it has made,
 * and most of them are killed half way; writers are killed, too. After each the store is whole, and
 * no revision is ever given twice. As long as nobody restores, no commit is lost that was said to
 * have succeeded; after a restore the sum is that of the backup, or of what was written since.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"

#define SWAPS 300u
#define WRITERS 2u
#define READERS 2u
#define KEY "HKLM\\Swaps"
#define LONGEST_US 6000u

/* What the processes share. */
struct shared {
    _Atomic uint64_t revision; /* the highest that was acknowledged */
    _Atomic uint32_t acknowledged[WRITERS];
    _Atomic uint64_t commits;
    _Atomic uint64_t reopened; /* because the files were replaced */
    _Atomic uint64_t looks;
    _Atomic uint64_t swapped; /* by those who lived to tell */
    _Atomic bool stop;
};

static struct shared *shared;

struct worker {
    unsigned number;
    bool restores;
    const char *backup;
};

static rs_store *open_store(void)
{
    rs_store *store = NULL;
    RIG_OK(rs_open(rig_store_dir(), RS_CREATE, &store, NULL));
    return store;
}

static rs_store *open_again(rs_store *store)
{
    atomic_fetch_add(&shared->reopened, 1);
    rs_close(store);
    return open_store();
}

static void raise_to(_Atomic uint64_t *highest, uint64_t number)
{
    uint64_t seen = atomic_load(highest);
    while (seen < number && !atomic_compare_exchange_weak(highest, &seen, number)) {
    }
}

static uint32_t number_of(rs_txn *txn, rs_key key, const char *name)
{
    uint32_t number = 0;
    int status = rs_get_dword(txn, key, name, &number);
    RIG_MUST(status == RS_OK || status == RS_ENOTFOUND);
    return number;
}

static void name_writer(char name[16], unsigned number)
{
    snprintf(name, 16, "Writer%u", number);
}

/* ---- Writers and readers ---- */

static int add_one(rs_store *store, const char *name, uint32_t *reached)
{
    rs_txn *txn;
    rs_key key;
    uint64_t revision = 0;
    int status = rs_begin(store, RS_WRITE, &txn);
    if (status != RS_OK) {
        return status;
    }
    /* Under the lock nobody else is given one. */
    uint64_t highest = atomic_load(&shared->revision);
    RIG_OK(rs_key_create(txn, RS_NO_KEY, KEY, &key));
    *reached = number_of(txn, key, name) + 1;
    RIG_OK(rs_set_dword(txn, key, name, *reached));
    RIG_OK(rs_set_dword(txn, key, "Sum", number_of(txn, key, "Sum") + 1));
    status = rs_commit(txn, &revision);
    if (status == RS_OK) {
        RIG_MUST(revision > highest);
        raise_to(&shared->revision, revision);
    }
    return status;
}

static void write_on(void *context, int pipe)
{
    struct worker *worker = context;
    char name[16];
    rs_store *store = open_store();
    (void)pipe;
    name_writer(name, worker->number);
    while (!atomic_load(&shared->stop)) {
        uint32_t reached = 0;
        int status = add_one(store, name, &reached);
        if (status == RS_EREPLACED) {
            store = open_again(store);
            continue;
        }
        RIG_GIVES(RS_OK, status);
        atomic_store(&shared->acknowledged[worker->number], reached);
        atomic_fetch_add(&shared->commits, 1);
    }
    rs_close(store);
}

static void look_at_sum(rs_txn *txn)
{
    rs_key key;
    uint32_t sum = 0;
    int status = rs_key_open(txn, RS_NO_KEY, KEY, &key);
    if (status == RS_ENOTFOUND) {
        return;
    }
    RIG_GIVES(RS_OK, status);
    for (unsigned i = 0; i < WRITERS; i++) {
        char name[16];
        name_writer(name, i);
        sum += number_of(txn, key, name);
    }
    RIG_MUST(sum == number_of(txn, key, "Sum"));
}

/* True until the store's files are others. */
static bool follow(rs_watch *watch, rs_store *store)
{
    const rs_batch *batch;
    rs_txn *txn;
    int status = RS_OK;
    RIG_OK(rs_begin(store, RS_READ, &txn));
    look_at_sum(txn);
    rs_abort(txn);
    atomic_fetch_add(&shared->looks, 1);
    while (status == RS_OK || status == RS_EBEHIND) {
        status = rs_watch_next(watch, &batch);
    }
    RIG_MUST(status == RS_END || status == RS_EREPLACED);
    return status == RS_END;
}

static void read_on(void *context, int pipe)
{
    rs_store *store = open_store();
    (void)context;
    (void)pipe;
    while (!atomic_load(&shared->stop)) {
        rs_watch *watch;
        RIG_OK(rs_watch_open(store, KEY, RS_SUBTREE, RS_NOW, &watch, NULL));
        while (!atomic_load(&shared->stop) && follow(watch, store)) {
        }
        rs_watch_close(watch);
        store = open_again(store);
    }
    rs_close(store);
}

/* ---- Those who are killed ---- */

static void swap(void *context, int pipe)
{
    const struct worker *worker = context;
    rs_backup_options over = {.flags = RS_OVERWRITE};
    rs_store *store = open_store();
    int status;
    (void)pipe;
    if (worker->restores) {
        RIG_OK(rs_backup(store, worker->backup, &over, NULL, NULL));
        rs_close(store);
        status = rs_restore(rig_store_dir(), worker->backup, NULL, NULL, NULL);
    } else {
        status = rs_compact(store, NULL, NULL);
        rs_close(store);
    }
    RIG_GIVES(RS_OK, status);
    atomic_fetch_add(&shared->swapped, 1);
}

/* ---- What is left ---- */

static void check_store(void *context, int pipe)
{
    const struct worker *worker = context;
    rs_check_report report = {0};
    uint32_t before[WRITERS];
    rs_txn *txn;
    rs_key key;
    uint64_t highest = atomic_load(&shared->revision);
    (void)pipe;
    for (unsigned i = 0; i < WRITERS; i++) {
        before[i] = atomic_load(&shared->acknowledged[i]);
    }
    rs_store *store = open_store();
    RIG_OK(rs_begin(store, RS_READ, &txn));
    RIG_MUST(rs_revision(txn) >= highest);
    RIG_OK(rs_check(txn, NULL, &report));
    RIG_MUST(report.damages == 0);
    look_at_sum(txn);
    for (unsigned i = 0; !worker->restores && highest > 0 && i < WRITERS; i++) {
        char name[16];
        name_writer(name, i);
        RIG_OK(rs_key_open(txn, RS_NO_KEY, KEY, &key));
        RIG_MUST(number_of(txn, key, name) >= before[i]);
    }
    rs_abort(txn);
    rs_close(store);
}

/* ---- The run ---- */

/* Gives whether it ended before it was killed. */
static bool swap_and_kill(struct worker *worker, struct rig_random *random)
{
    pid_t pid = rig_fork(swap, worker, NULL);
    if (rig_below(random, 8) == 0) {
        RIG_MUST(rig_ended_well(pid));
        return true;
    }
    int how = 0;
    rig_sleep_us(rig_below(random, LONGEST_US));
    RIG_MUST(kill(pid, SIGKILL) == 0 && waitpid(pid, &how, 0) == pid);
    bool ended = WIFEXITED(how);
    RIG_MUST(ended ? WEXITSTATUS(how) == 0 : WTERMSIG(how) == SIGKILL);
    return ended;
}

static void try_swaps(bool restores, unsigned count, struct rig_random *random)
{
    struct worker writers[WRITERS], swapper = {.restores = restores};
    pid_t pids[WRITERS], readers[READERS];
    unsigned killed = 0;
    swapper.backup = rig_path("backup");
    atomic_store(&shared->stop, false);
    RIG_MUST(rig_ended_well(rig_fork(check_store, &swapper, NULL))); /* makes the store */
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = rig_fork(read_on, NULL, NULL);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct worker){.number = i};
        pids[i] = rig_fork(write_on, &writers[i], NULL);
    }
    for (unsigned i = 0; i < count; i++) {
        killed += !swap_and_kill(&swapper, random);
        RIG_MUST(rig_ended_well(rig_fork(check_store, &swapper, NULL)));
        unsigned chosen = rig_below(random, 4 * WRITERS);
        if (chosen < WRITERS) {
            rig_kill(pids[chosen]);
            pids[chosen] = rig_fork(write_on, &writers[chosen], NULL);
        }
    }
    atomic_store(&shared->stop, true);
    for (unsigned i = 0; i < WRITERS; i++) {
        RIG_MUST(rig_ended_well(pids[i]));
    }
    for (unsigned i = 0; i < READERS; i++) {
        RIG_MUST(rig_ended_well(readers[i]));
    }
    RIG_MUST(rig_ended_well(rig_fork(check_store, &swapper, NULL)));
    rig_pass("%u times %s, %u of them killed, among %llu commits and %llu looks, %llu times opened "
             "again",
             count, restores ? "restored" : "compacted", killed,
             (unsigned long long)atomic_load(&shared->commits),
             (unsigned long long)atomic_load(&shared->looks),
             (unsigned long long)atomic_load(&shared->reopened));
}

int main(int argc, char **argv)
{
    rig_start(argc, argv, SWAPS);
    struct rig_random random = rig_random(rig_seed(), 0);
    shared = rig_shared(sizeof *shared);
    try_swaps(false, rig_count() / 2, &random);
    try_swaps(true, rig_count() / 2, &random);
    RIG_MUST(atomic_load(&shared->swapped) > 0 && atomic_load(&shared->reopened) > 0);
    return rig_finish();
}
