/*
 * rows_trust.c - rows: durable sets of values that have rules, while services wait.
 *
 * The rules that ship are in the store, and another process waits at the keys of three services, as
 * they do; one of them is concerned by what is set. Raw LMDB puts the records that regstore was
 * seen to write. A third contender, regstore without rules and without anybody who waits, tells in
 * the note what these cost. Needs writers and measure.
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"
#include "rows.h"
#include "writers.h"

#define SET "SYSTEM\\ControlSet%03u\\%s"
#define WATCHES 3
#define PATIENCE 10e9 /* ns */
#define SEED 7u

/* Numbers whose rules allow any: each commit sets another one. */
static const struct setting {
    const char *key;
    const char *name;
} settings[] = {
    {"Control\\Print", "ServerThreadTimeout"},
    {"Control\\Print", "NetPrinterDecayPeriod"},
    {"Control\\Print", "FastPrintWaitTimeout"},
    {"Control\\Print", "FastPrintThrottleTimeout"},
    {"Services\\LanmanServer\\Parameters", "autodisconnect"},
    {"Services\\LPDSVC\\Parameters", "MaxConcurrentUsers"},
};
#define SETTINGS (sizeof settings / sizeof *settings)

static const char *const watched[WATCHES] = {
    "HKLM\\SYSTEM\\ControlSet001\\Control\\Print",
    "HKLM\\SYSTEM\\ControlSet001\\Services\\LanmanServer\\Parameters",
    "HKLM\\SYSTEM\\ControlSet001\\Services\\LPDSVC\\Parameters",
};

/* What the process that waits tells. */
struct seen {
    _Atomic bool ready;
    _Atomic unsigned long batches;
};

struct trust {
    struct probes probes;
    struct writer ruled; /* and raw LMDB */
    struct writer plain;
    char ruled_dir[4096];
    char plain_dir[4096];
    char raw_dir[4096];
    struct seen *seen;
    pid_t pid;
};

/* ---- The stores ---- */

/* As many settings as wanted, in as many control sets as that takes. */
static void make_settings(const char *dir, struct probes *probes)
{
    rs_txn *txn;
    rs_store *store = open_store(dir);
    need(rs_begin(store, RS_WRITE, &txn), "begin");
    for (size_t i = 0; i < probes->count; i++) {
        char path[256];
        const struct setting *setting = &settings[i % SETTINGS];
        struct probe *probe = &probes->list[i];
        snprintf(path, sizeof path, SET, (unsigned)(i / SETTINGS + 1), setting->key);
        *probe = (struct probe){.name = setting->name, .name_len = strlen(setting->name)};
        need(rs_key_create(txn, RS_HKLM, path, &probe->id), path);
        need(rs_set_dword(txn, probe->id, probe->name, 0), path);
    }
    need(rs_commit(txn, NULL), "commit");
    rs_close(store);
}

/* Edits come in no order. */
static void shuffle(struct probes *probes)
{
    uint64_t random = SEED;
    for (size_t i = 0; i + 1 < probes->count; i++) {
        size_t from = i + random_next(&random) % (probes->count - i);
        struct probe probe = probes->list[i];
        probes->list[i] = probes->list[from];
        probes->list[from] = probe;
    }
}

/* Every value has its rule in one store, and none in the other. */
static void check_rules(rs_store *store, const struct probes *probes, int wanted)
{
    rs_txn *txn;
    rs_rule rule;
    need(rs_begin(store, RS_READ, &txn), "begin");
    for (size_t i = 0; i < probes->count; i++) {
        const char *path;
        const struct probe *probe = &probes->list[i];
        need(rs_key_path(txn, probe->id, &path, NULL), probe->name);
        int status = rs_rule_get(txn, path, probe->name, &rule);
        if (status != wanted) {
            die("the rule of %s, value \"%s\": %s", path, probe->name, rs_strerror(status));
        }
    }
    rs_abort(txn);
}

/* False if the rules are not here. */
static bool make_trust(struct bench *bench, struct trust *trust)
{
    strcpy(trust->ruled_dir, bench_copy(bench, bench_store(bench), "trust-ruled"));
    strcpy(trust->raw_dir, bench_path(bench, "trust-raw"));
    make_settings(trust->ruled_dir, &trust->probes);
    strcpy(trust->plain_dir, bench_copy(bench, trust->ruled_dir, "trust-plain"));
    remove_tree(trust->raw_dir);
    if (!store_import_rules(trust->ruled_dir)) {
        return false;
    }
    shuffle(&trust->probes);
    store_copy(trust->ruled_dir, trust->raw_dir);
    writer_learn(bench, &trust->ruled, trust->raw_dir);
    return true;
}

/* ---- Who waits ---- */

static void take_batches(rs_watch *watch, struct seen *seen)
{
    const rs_batch *batch;
    int status;
    while ((status = rs_watch_next(watch, &batch)) == RS_OK) {
        atomic_fetch_add(&seen->batches, 1);
    }
    if (status != RS_END) {
        die("a watch: %s", rs_strerror(status));
    }
}

static void wait_for_ever(const char *dir, struct seen *seen)
{
    rs_watch *watches[WATCHES];
    struct pollfd waiting[WATCHES];
    rs_error error = RS_ERROR_INIT;
    rs_store *store = open_store(dir);
    for (int i = 0; i < WATCHES; i++) {
        if (rs_watch_open(store, watched[i], RS_SUBTREE, RS_NOW, &watches[i], &error) != RS_OK) {
            die("%s", error.text);
        }
        waiting[i] = (struct pollfd){.fd = rs_watch_fd(watches[i]), .events = POLLIN};
    }
    atomic_store(&seen->ready, true);
    for (;;) {
        if (poll(waiting, WATCHES, -1) < 0) {
            die("poll: %s", strerror(errno));
        }
        for (int i = 0; i < WATCHES; i++) {
            if (waiting[i].revents != 0) {
                take_batches(watches[i], seen);
            }
        }
    }
}

static void await(const struct trust *trust, unsigned long batches)
{
    double began = clock_ns();
    while (!atomic_load(&trust->seen->ready) || atomic_load(&trust->seen->batches) < batches) {
        if (clock_ns() - began > PATIENCE || waitpid(trust->pid, NULL, WNOHANG) != 0) {
            die("nobody waits at the store's keys");
        }
        usleep(1000);
    }
}

/* Before this process opens the stores: it is not to hand them on. */
static void start_waiting(struct trust *trust)
{
    trust->seen =
        mmap(NULL, sizeof *trust->seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (trust->seen == MAP_FAILED || (trust->pid = fork()) < 0) {
        die("cannot start who waits: %s", strerror(errno));
    }
    if (trust->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        wait_for_ever(trust->ruled_dir, trust->seen);
    }
    await(trust, 0);
}

/* ---- The rows ---- */

static void measure(struct bench *bench, struct trust *trust, const struct row *row,
                    struct result *result)
{
    struct times times;
    start_waiting(trust);
    trust->ruled.store = open_store(trust->ruled_dir);
    trust->plain.store = open_store(trust->plain_dir);
    raw_open(&trust->ruled.raw, trust->raw_dir, false);
    check_rules(trust->ruled.store, &trust->probes, RS_OK);
    check_rules(trust->plain.store, &trust->probes, RS_ENOTFOUND);
    writer_check(&trust->ruled);
    await(trust, 1);
    times_new(&times, 3, rounds_of(bench, 25));
    times_measure(&times,
                  (struct contender[]){{write_regstore, &trust->ruled},
                                       {write_raw, &trust->ruled},
                                       {write_regstore, &trust->plain}},
                  30);
    result_take(result, &times, 1e3 * row->variant);
    result->sqlite = NAN;
    snprintf(result->note, sizeof result->note,
             "%.1f without rules and watches; %zu records in each transaction",
             median(times.ns[2], times.rounds) / 1e3 / row->variant, trust->ruled.records.count);
    times_free(&times);
    raw_close(&trust->ruled.raw);
    rs_close(trust->plain.store);
    rs_close(trust->ruled.store);
    kill(trust->pid, SIGKILL);
    waitpid(trust->pid, NULL, 0);
    munmap(trust->seen, sizeof *trust->seen);
}

void row_trust(struct bench *bench, const struct row *row, struct result *result)
{
    struct trust trust = {.probes = {.count = row->variant}};
    trust.probes.list = calloc(row->variant, sizeof *trust.probes.list);
    if (trust.probes.list == NULL) {
        die("out of memory");
    }
    trust.ruled = trust.plain = (struct writer){.probes = &trust.probes, .sets = row->variant};
    if (make_trust(bench, &trust)) {
        measure(bench, &trust, row, result);
    } else {
        result->skipped = true;
        snprintf(result->note, sizeof result->note, "no " SHIPPED_RULES);
    }
    raw_records_free(&trust.ruled.records);
    free(trust.probes.list);
    remove_tree(trust.ruled_dir);
    remove_tree(trust.plain_dir);
    remove_tree(trust.raw_dir);
}
