/*
 * rows_readers.c - rows: two readers at a time against one, as threads and as processes.
 *
 * Workers wait at a pipe for how often to read, and say when they have; so a thread and a process
 * are told alike. Needs readers and measure.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"
#include "readers.h"
#include "rows.h"

#define WORKERS 2u

struct order {
    bool raw;
    bool check; /* every answer, once, instead of reading */
    unsigned long count;
};

struct worker {
    struct reader reader;
    int orders[2]; /* pipes: reading end, writing end */
    int answers[2];
    pthread_t thread;
    pid_t pid;
};

/* Work that was done. */
struct done {
    double busy; /* ns of processor time */
    double reads;
};

struct team {
    struct worker workers[WORKERS];
    struct done alone; /* by regstore's one reader */
    struct done together;
};

/* ---- A worker ---- */

static double busy_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void obey(struct worker *worker, const struct order *order)
{
    void (*read_one)(void *, unsigned long) = order->raw ? read_path_raw : read_path;
    if (order->check) {
        check_reader(&worker->reader, read_one, order->raw ? "raw LMDB" : "regstore");
    } else {
        read_one(&worker->reader, order->count);
    }
}

static void work(struct worker *worker)
{
    struct order order;
    while (read(worker->orders[0], &order, sizeof order) == sizeof order) {
        double began = busy_ns();
        obey(worker, &order);
        double busy = busy_ns() - began;
        if (write(worker->answers[1], &busy, sizeof busy) != sizeof busy) {
            return;
        }
    }
}

static void *thread_main(void *worker)
{
    work(worker);
    return NULL;
}

static void process_main(struct worker *worker, const char *store, const char *raw)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(worker->orders[1]);
    worker->reader.store = open_store(store);
    raw_open(&worker->reader.raw, raw, false);
    work(worker);
    rs_close(worker->reader.store);
    raw_close(&worker->reader.raw);
    _exit(0);
}

/* ---- The team ---- */

static void start_processes(struct bench *bench, struct team *team)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        struct worker *worker = &team->workers[i];
        worker->pid = fork();
        if (worker->pid < 0) {
            die("fork: %s", strerror(errno));
        }
        if (worker->pid == 0) {
            for (unsigned other = 0; other < i; other++) {
                close(team->workers[other].orders[1]);
            }
            process_main(worker, bench_store(bench), bench_raw(bench));
        }
    }
}

/* Threads share what is open; each has a transaction of its own. */
static void start_threads(struct bench *bench, struct team *team, struct reader *shared)
{
    shared->store = open_store(bench_store(bench));
    raw_open(&shared->raw, bench_raw(bench), false);
    for (unsigned i = 0; i < WORKERS; i++) {
        struct worker *worker = &team->workers[i];
        worker->reader.store = shared->store;
        worker->reader.raw = shared->raw;
        raw_need(mdb_txn_begin(shared->raw.env, NULL, MDB_RDONLY, &worker->reader.raw.reader),
                 "mdb_txn_begin");
        mdb_txn_reset(worker->reader.raw.reader);
        if (pthread_create(&worker->thread, NULL, thread_main, worker) != 0) {
            die("a thread cannot be started");
        }
    }
}

static void end_workers(struct team *team, struct reader *shared)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        struct worker *worker = &team->workers[i];
        close(worker->orders[1]);
        if (shared != NULL) {
            pthread_join(worker->thread, NULL);
            mdb_txn_abort(worker->reader.raw.reader);
        } else {
            waitpid(worker->pid, NULL, 0);
        }
        close(worker->orders[0]);
        close(worker->answers[0]);
        close(worker->answers[1]);
    }
    if (shared != NULL) {
        rs_close(shared->store);
        raw_close(&shared->raw);
    }
}

/* Gives the processor time that it took all of them. */
static double give_order(struct team *team, unsigned workers, struct order order)
{
    double answer;
    double busy = 0;
    for (unsigned i = 0; i < workers; i++) {
        if (write(team->workers[i].orders[1], &order, sizeof order) != sizeof order) {
            die("a reader is gone");
        }
    }
    for (unsigned i = 0; i < workers; i++) {
        if (read(team->workers[i].answers[0], &answer, sizeof answer) != sizeof answer) {
            die("a reader failed");
        }
        busy += answer;
    }
    return busy;
}

static void one(void *context, unsigned long count)
{
    struct team *team = context;
    team->alone.busy += give_order(team, 1, (struct order){false, false, count});
    team->alone.reads += (double)count;
}

static void both(void *context, unsigned long count)
{
    struct team *team = context;
    team->together.busy += give_order(team, WORKERS, (struct order){false, false, count});
    team->together.reads += WORKERS * (double)count;
}

static void one_raw(void *team, unsigned long count)
{
    give_order(team, 1, (struct order){true, false, count});
}

static void both_raw(void *team, unsigned long count)
{
    give_order(team, WORKERS, (struct order){true, false, count});
}

/* ---- The row ---- */

/* How many times as much both read in the time that one takes; by processor time alone that is what
 * they would with nobody else at work. */
static void take(struct result *result, struct times *times, const struct team *team)
{
    struct result raw = {0};
    result->regstore = median(times->ns[0], times->rounds);
    result->raw = median(times->ns[2], times->rounds);
    for (unsigned i = 0; i < times->rounds; i++) {
        times->ns[0][i] *= WORKERS;
        times->ns[2][i] *= WORKERS;
    }
    result_ratio(result, times->ns[0], times->ns[1], times->rounds);
    result->cpu = WORKERS * (team->alone.busy / team->alone.reads) /
                  (team->together.busy / team->together.reads);
    result_ratio(&raw, times->ns[2], times->ns[3], times->rounds);
    snprintf(result->note, sizeof result->note,
             "ns of one reader; two raw readers do %.2f times as much as one", raw.ratio);
}

void row_readers(struct bench *bench, const struct row *row, struct result *result)
{
    bool processes = row->variant == 1;
    struct reader shared = {0};
    struct team team = {0};
    struct times times;
    bench_store(bench);
    struct probes probes = probes_choose(bench_data(bench), PROBE_DEPTH, 32, 0);
    struct raw_probe *raw_probes = raw_probes_new(&probes);
    for (unsigned i = 0; i < WORKERS; i++) {
        struct worker *worker = &team.workers[i];
        worker->reader = (struct reader){.probes = &probes, .raw_probes = raw_probes};
        if (pipe(worker->orders) != 0 || pipe(worker->answers) != 0) {
            die("pipe: %s", strerror(errno));
        }
    }
    if (processes) {
        start_processes(bench, &team);
    } else {
        start_threads(bench, &team, &shared);
    }
    give_order(&team, WORKERS, (struct order){false, true, 0});
    give_order(&team, WORKERS, (struct order){true, true, 0});
    times_new(&times, 4, rounds_of(bench, 31));
    times_measure(
        &times,
        (struct contender[]){{one, &team}, {both, &team}, {one_raw, &team}, {both_raw, &team}}, 30);
    take(result, &times, &team);
    times_free(&times);
    end_workers(&team, processes ? NULL : &shared);
    raw_probes_free(raw_probes, probes.count);
    probes_free(&probes);
}
