/*
 * rows_wake.c - rows: what a bell costs its writer, how long it takes to wake a reader, and how
 * long until a service has answered.
 *
 * Two processes wait, one at a watch of regstore's, one at a bare inotify descriptor, and read the
 * number again when woken. The clock starts when the writer's call has returned; both rang in it.
 * Needs writers, measure, and the library's bell, which has no public interface.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../regstore/bell.h"
#include "measure.h"
#include "rows.h"
#include "writers.h"

#define WAKES 25 /* in a round */
#define LEAST_NS 1e3
#define PATIENCE 10e9 /* ns */

/* What a waiting process tells. */
struct seen {
    _Atomic uint32_t number;
    _Atomic bool ready;
    double at;
};

struct wake {
    struct writer writer;
    char raw_dir[4096];
    char bell[4200]; /* of raw LMDB */
    int bell_fd;
    struct seen *seen; /* of regstore, of raw LMDB */
    pid_t pids[2];
    cpu_set_t processors; /* that this process may use */
};

/* Keeps this process on the first or the last of the processors that it may use: on the writer's
 * own, a reader could have its turn before the writer's call returns. */
static void stay_on(const cpu_set_t *allowed, bool last)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    for (unsigned i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, allowed) && (last || CPU_COUNT(&one) == 0)) {
            CPU_ZERO(&one);
            CPU_SET(i, &one);
        }
    }
    sched_setaffinity(0, sizeof one, &one);
}

/* ---- The waiting processes ---- */

static void tell(struct seen *seen, uint32_t number)
{
    seen->at = clock_ns();
    atomic_store(&seen->number, number);
}

static void wait_for_input(int fd)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    if (poll(&waiting, 1, -1) < 0) {
        die("poll: %s", strerror(errno));
    }
}

static void watch_regstore(const struct probe *probe, const char *dir, struct seen *seen)
{
    char path[1024];
    rs_watch *watch;
    rs_txn *txn;
    rs_error error = RS_ERROR_INIT;
    rs_store *store = open_store(dir);
    snprintf(path, sizeof path, "HKLM\\%s", probe->path);
    if (rs_watch_open_named(store, "bench", path, 0, &watch, &error) != RS_OK) {
        die("%s", error.text);
    }
    atomic_store(&seen->ready, true);
    for (;;) {
        const rs_batch *batch;
        uint32_t number = 0;
        wait_for_input(rs_watch_fd(watch));
        while (rs_watch_next(watch, &batch) == RS_OK) {
            need(rs_begin(store, RS_READ, &txn), "begin");
            need(rs_get_dword_n(txn, probe->id, probe->name, probe->name_len, &number),
                 probe->name);
            rs_abort(txn);
            tell(seen, number);
            need(rs_watch_answer(watch, batch->revision, RS_ANSWER_APPLIED, NULL), "answer");
        }
    }
}

static void watch_raw(const struct raw_probe *probe, const struct wake *wake, struct seen *seen)
{
    struct raw raw;
    _Alignas(struct inotify_event) char events[4096];
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0 || inotify_add_watch(fd, wake->bell, IN_MODIFY) < 0) {
        die("inotify: %s", strerror(errno));
    }
    raw_open(&raw, wake->raw_dir, false);
    atomic_store(&seen->ready, true);
    for (;;) {
        wait_for_input(fd);
        while (read(fd, events, sizeof events) > 0) {
            ;
        }
        raw_renew(&raw);
        uint32_t number = raw_number(&raw, probe);
        raw_reset(&raw);
        tell(seen, number);
    }
}

static pid_t start_watching(const struct wake *wake)
{
    pid_t pid = fork();
    if (pid < 0) {
        die("fork: %s", strerror(errno));
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        stay_on(&wake->processors, true);
    }
    return pid;
}

static void await(struct wake *wake, unsigned who, uint32_t number)
{
    double began = clock_ns();
    while (number != 0 ? atomic_load(&wake->seen[who].number) != number
                       : !atomic_load(&wake->seen[who].ready)) {
        if (clock_ns() - began > PATIENCE || waitpid(wake->pids[who], NULL, WNOHANG) != 0) {
            die("%s was not woken", who == 0 ? "regstore's watch" : "the bare bell's reader");
        }
        usleep(100);
    }
}

/* ---- The writer ---- */

static void ring_bare(const struct wake *wake)
{
    if (pwrite(wake->bell_fd, "\a", 1, 0) != 1) {
        die("%s: %s", wake->bell, strerror(errno));
    }
}

/* One commit: from its return until the reader has read; and the reader sleeps again. */
static double wake_once(struct wake *wake, unsigned who)
{
    if (who == 0) {
        write_regstore(&wake->writer, 1);
    } else {
        write_raw(&wake->writer, 1);
        ring_bare(wake);
    }
    double returned = clock_ns();
    await(wake, who, who == 0 ? wake->writer.number : (uint32_t)wake->writer.commits);
    usleep(1000);
    double took = wake->seen[who].at - returned;
    /* On a busy machine the writer may lose its turn before its call returns. */
    return took > LEAST_NS ? took : LEAST_NS;
}

static double wake_round(struct wake *wake, unsigned who)
{
    double times[WAKES];
    for (int i = 0; i < WAKES; i++) {
        times[i] = wake_once(wake, who);
    }
    return median(times, WAKES);
}

/* ---- The rows ---- */

static void prepare(struct bench *bench, struct wake *wake)
{
    writer_learn(bench, &wake->writer, bench_raw(bench));
    bench_copy(bench, bench_store(bench), "wake-store");
    strcpy(wake->raw_dir, bench_path(bench, "wake-raw"));
    remove_tree(wake->raw_dir);
    store_copy(bench_store(bench), wake->raw_dir);
    snprintf(wake->bell, sizeof wake->bell, "%s/bell", wake->raw_dir);
    wake->bell_fd = open(wake->bell, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    wake->seen = mmap(NULL, 2 * sizeof *wake->seen, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (wake->bell_fd < 0 || wake->seen == MAP_FAILED) {
        die("%s: %s", wake->bell, strerror(errno));
    }
}

/* Before this process opens the stores: it is not to hand them on. */
static void start_both(struct bench *bench, struct wake *wake)
{
    const struct probe *probe = &wake->writer.probes->list[0];
    struct raw_probe *raw_probe = raw_probes_new(wake->writer.probes);
    if ((wake->pids[0] = start_watching(wake)) == 0) {
        watch_regstore(probe, bench_path(bench, "wake-store"), &wake->seen[0]);
    }
    if ((wake->pids[1] = start_watching(wake)) == 0) {
        watch_raw(raw_probe, wake, &wake->seen[1]);
    }
    raw_probes_free(raw_probe, wake->writer.probes->count);
    await(wake, 0, 0);
    await(wake, 1, 0);
    wake->writer.store = open_store(bench_path(bench, "wake-store"));
    raw_open(&wake->writer.raw, wake->raw_dir, false);
}

static void end(struct bench *bench, struct wake *wake)
{
    for (int i = 0; i < 2; i++) {
        if (wake->pids[i] > 0) {
            kill(wake->pids[i], SIGKILL);
            waitpid(wake->pids[i], NULL, 0);
        }
    }
    raw_close(&wake->writer.raw);
    rs_close(wake->writer.store);
    raw_records_free(&wake->writer.records);
    close(wake->bell_fd);
    munmap(wake->seen, 2 * sizeof *wake->seen);
    remove_tree(bench_path(bench, "wake-store"));
    remove_tree(wake->raw_dir);
}

static void wake_both(struct wake *wake, struct times *times, unsigned round)
{
    for (unsigned turn = 0; turn < 2; turn++) {
        unsigned who = (round + turn) % 2;
        times->ns[who][round] = wake_round(wake, who);
    }
}

/* Two waiting processes, rounds of one kind with them, and their end. */
static void measure_waiting(struct bench *bench, struct result *result,
                            void (*measure)(struct wake *wake, struct times *times, unsigned round))
{
    bench_store(bench);
    struct probes probes = probes_choose(bench_data(bench), PROBE_DEPTH, 1, 1);
    struct wake wake = {.writer = {.probes = &probes, .sets = 1}};
    struct times times;
    prepare(bench, &wake);
    sched_getaffinity(0, sizeof wake.processors, &wake.processors);
    start_both(bench, &wake);
    stay_on(&wake.processors, false);
    wake.writer.number = 100;
    times_new(&times, 2, rounds_of(bench, 15));
    for (unsigned round = 0; round < times.rounds; round++) {
        measure(&wake, &times, round);
    }
    sched_setaffinity(0, sizeof wake.processors, &wake.processors);
    result_take(result, &times, 1e3);
    times_free(&times);
    end(bench, &wake);
    probes_free(&probes);
}

void row_wake(struct bench *bench, const struct row *row, struct result *result)
{
    (void)row;
    measure_waiting(bench, result, wake_both);
}

/* One commit, and the wait for its answer. Gives both times. */
static void answer_once(struct wake *wake, double *answered, double *read)
{
    rs_txn *txn;
    rs_store *store = wake->writer.store;
    write_regstore(&wake->writer, 1);
    double returned = clock_ns();
    need(rs_begin(store, RS_READ, &txn), "begin");
    uint64_t revision = rs_revision(txn);
    rs_abort(txn);
    need(rs_wait(store, revision, (int)(PATIENCE / 1e6), NULL, NULL), "wait");
    *answered = clock_ns() - returned;
    await(wake, 0, wake->writer.number);
    usleep(1000);
    *read = wake->seen[0].at - returned;
    *read = *read > LEAST_NS ? *read : LEAST_NS;
}

static void answer_round(struct wake *wake, struct times *times, unsigned round)
{
    double answered[WAKES];
    double read[WAKES];
    for (int i = 0; i < WAKES; i++) {
        answer_once(wake, &answered[i], &read[i]);
    }
    times->ns[0][round] = median(answered, WAKES);
    times->ns[1][round] = median(read, WAKES);
}

void row_answer(struct bench *bench, const struct row *row, struct result *result)
{
    (void)row;
    measure_waiting(bench, result, answer_round);
}

static void ring(void *context, unsigned long count)
{
    const char *dir = context;
    while (count-- > 0) {
        bell_ring(dir);
    }
}

/* Is it heard? Whoever listened has gone before anything is measured. */
static void check_bell(const char *dir)
{
    char bell[4200];
    _Alignas(struct inotify_event) char event[4096];
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    snprintf(bell, sizeof bell, "%s/bell", dir);
    if (fd < 0 || inotify_add_watch(fd, bell, IN_CLOSE_WRITE) < 0) {
        die("inotify: %s", strerror(errno));
    }
    bell_ring(dir);
    if (read(fd, event, sizeof event) <= 0) {
        die("%s: the bell does not ring", dir);
    }
    close(fd);
}

void row_bell(struct bench *bench, const struct row *row, struct result *result)
{
    char dir[4096];
    bench_store(bench);
    struct probes probes = probes_choose(bench_data(bench), PROBE_DEPTH, 1, 1);
    struct wake wake = {.writer = {.probes = &probes, .sets = 1}};
    struct times times;
    (void)row;
    prepare(bench, &wake);
    strcpy(dir, bench_path(bench, "wake-store"));
    wake.writer.store = open_store(dir);
    raw_open(&wake.writer.raw, wake.raw_dir, false);
    check_bell(dir);
    times_new(&times, 2, rounds_of(bench, 15));
    times_measure(&times, (struct contender[]){{ring, dir}, {write_raw, &wake.writer}}, 20);
    result_take(result, &times, 1e3);
    times_free(&times);
    end(bench, &wake);
    probes_free(&probes);
}
