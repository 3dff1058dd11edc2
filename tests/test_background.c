/*
 * test_background - work in threads: that all of it is done and told in the loop, by no more
 * threads than are allowed, which last for a while, and that nothing is lost or touched when its
 * pool is closed or let go.
 */
#include "harness.h"

#include "../services/common/background.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST 3

struct bench {
    struct loop loop;
    struct background *background;
    pthread_mutex_t gate; /* locked: work that begins waits */
    atomic_bool closed;   /* it is */
    atomic_uint running;
    atomic_uint most;
    atomic_uint runs;
    atomic_uint releases;
    pid_t last_run;   /* by whom */
    unsigned threads; /* how often it was another one than before; runs that do not overlap */
    unsigned done;
    unsigned expected; /* then the loop ends */
    pthread_t main;
};

struct piece {
    struct bench *bench;
    unsigned number;
    bool was_elsewhere;
    bool had_signals;
    bool again;
};

static void bench_open(struct bench *bench, unsigned most)
{
    *bench = (struct bench){.main = pthread_self()};
    CU_ASSERT_EQUAL_FATAL(pthread_mutex_init(&bench->gate, NULL), 0);
    CU_ASSERT_EQUAL_FATAL(loop_open(&bench->loop), 0);
    CU_ASSERT_EQUAL_FATAL(background_open(&bench->loop, most, &bench->background), 0);
}

static void bench_close(struct bench *bench)
{
    background_close(bench->background);
    loop_close(&bench->loop);
    (void)pthread_mutex_destroy(&bench->gate);
}

static void run(void *owner)
{
    struct piece *piece = owner;
    struct bench *bench = piece->bench;
    sigset_t blocked;
    unsigned running = atomic_fetch_add(&bench->running, 1) + 1;
    unsigned most = atomic_load(&bench->most);
    while (running > most && !atomic_compare_exchange_weak(&bench->most, &most, running)) {
    }
    (void)pthread_mutex_lock(&bench->gate);
    (void)pthread_mutex_unlock(&bench->gate);
    piece->was_elsewhere = !pthread_equal(pthread_self(), bench->main);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    piece->had_signals = sigismember(&blocked, SIGTERM) == 0 || sigismember(&blocked, SIGCHLD) == 0;
    atomic_fetch_add(&bench->runs, 1);
    atomic_fetch_sub(&bench->running, 1);
}

static void done(void *owner)
{
    struct piece *piece = owner;
    struct bench *bench = piece->bench;
    CU_ASSERT_TRUE(pthread_equal(pthread_self(), bench->main));
    CU_ASSERT_TRUE(piece->was_elsewhere);
    CU_ASSERT_FALSE(piece->had_signals);
    if (piece->again) {
        piece->again = false;
        CU_ASSERT_EQUAL(background_start(bench->background, run, done, piece), 0);
        return;
    }
    if (++bench->done == bench->expected) {
        loop_end(&bench->loop, 0);
    }
}

static void release(void *owner)
{
    struct piece *piece = owner;
    atomic_fetch_add(&piece->bench->releases, 1);
    free(piece);
}

static void start(struct bench *bench, struct piece *piece)
{
    piece->bench = bench;
    CU_ASSERT_EQUAL_FATAL(background_start(bench->background, run, done, piece), 0);
}

static void await(struct bench *bench, unsigned expected)
{
    bench->expected = expected;
    bench->loop.ended = false;
    if (bench->done < expected) {
        CU_ASSERT_EQUAL(loop_run(&bench->loop), 0);
    }
    CU_ASSERT_EQUAL(bench->done, expected);
}

static void all_is_done_by_few_threads(void)
{
    struct bench bench;
    struct piece pieces[200] = {{.again = true}, {.again = true}};
    bench_open(&bench, MOST);
    (void)pthread_mutex_lock(&bench.gate);
    for (unsigned i = 0; i < 200; i++) {
        start(&bench, &pieces[i]);
    }
    CU_ASSERT_EQUAL(bench.done, 0);
    (void)pthread_mutex_unlock(&bench.gate);
    await(&bench, 200);
    CU_ASSERT_EQUAL(atomic_load(&bench.runs), 202);
    CU_ASSERT(atomic_load(&bench.most) <= MOST);
    bench_close(&bench);
}

static void many_rounds_leave_nothing(void)
{
    struct bench bench;
    struct piece piece = {.number = 0};
    bench_open(&bench, MOST);
    int before = dup(STDERR_FILENO);
    for (unsigned i = 1; i <= 300; i++) {
        start(&bench, &piece);
        await(&bench, i);
    }
    int after = dup(STDERR_FILENO);
    CU_ASSERT_EQUAL(after, before + 1);
    close(before);
    close(after);
    bench_close(&bench);
}

static void run_alone(void *owner)
{
    struct piece *piece = owner;
    struct bench *bench = piece->bench;
    bench->threads += gettid() != bench->last_run;
    bench->last_run = gettid();
    piece->was_elsewhere = !pthread_equal(pthread_self(), bench->main);
}

static unsigned count_threads(void)
{
    unsigned count = 0;
    DIR *tasks = opendir("/proc/self/task");
    CU_ASSERT_PTR_NOT_NULL_FATAL(tasks);
    while (readdir(tasks) != NULL) {
        count++;
    }
    closedir(tasks);
    return count;
}

/* Work that comes after work finds a thread; when none comes, no thread stays. */
static void threads_last_for_a_while(void)
{
    struct bench bench;
    struct piece piece = {.bench = &bench};
    unsigned before = count_threads();
    bench_open(&bench, MOST);
    for (unsigned i = 1; i <= 300; i++) {
        CU_ASSERT_EQUAL_FATAL(background_start(bench.background, run_alone, done, &piece), 0);
        await(&bench, i);
    }
    CU_ASSERT(bench.threads < 100);
    while (count_threads() > before) {
        (void)sched_yield();
    }
    start(&bench, &piece);
    await(&bench, 301);
    bench_close(&bench);
}

/* Keeps the gate closed until work has come to it. */
static void *keep_gate(void *argument)
{
    struct bench *bench = argument;
    (void)pthread_mutex_lock(&bench->gate);
    atomic_store(&bench->closed, true);
    while (atomic_load(&bench->running) == 0) {
        (void)sched_yield();
    }
    (void)pthread_mutex_unlock(&bench->gate);
    return NULL;
}

/* A pool that is closed while its work hangs waits for it, and tells of all. */
static void closing_waits(void)
{
    struct bench bench;
    struct piece pieces[50] = {{.again = true}};
    pthread_t keeper;
    bench_open(&bench, MOST);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&keeper, NULL, keep_gate, &bench), 0);
    while (!atomic_load(&bench.closed)) {
        (void)sched_yield();
    }
    for (unsigned i = 0; i < 50; i++) {
        start(&bench, &pieces[i]);
    }
    background_close(bench.background);
    bench.background = NULL;
    CU_ASSERT_EQUAL(bench.done, 50);
    CU_ASSERT_EQUAL(atomic_load(&bench.runs), 51);
    (void)pthread_join(keeper, NULL);
    bench_close(&bench);
}

/* One that is let go waits for nothing; each owner is released, and no done is called. */
static void letting_go_waits_for_nothing(void)
{
    struct bench bench;
    bench_open(&bench, MOST);
    (void)pthread_mutex_lock(&bench.gate);
    for (unsigned i = 0; i < 50; i++) {
        struct piece *piece = calloc(1, sizeof(*piece));
        CU_ASSERT_PTR_NOT_NULL_FATAL(piece);
        start(&bench, piece);
    }
    while (atomic_load(&bench.running) < MOST) {
        (void)sched_yield();
    }
    background_let_go(bench.background, release);
    bench.background = NULL;
    CU_ASSERT_EQUAL(atomic_load(&bench.releases), 50 - MOST);
    (void)pthread_mutex_unlock(&bench.gate);
    while (atomic_load(&bench.releases) < 50) {
        (void)sched_yield();
    }
    CU_ASSERT_EQUAL(atomic_load(&bench.runs), MOST);
    CU_ASSERT_EQUAL(bench.done, 0);
    bench_close(&bench);
}

/* What has run and was not told yet is released, too. */
static void what_is_finished_is_released(void)
{
    struct bench bench;
    bench_open(&bench, MOST);
    for (unsigned i = 0; i < MOST; i++) {
        struct piece *piece = calloc(1, sizeof(*piece));
        CU_ASSERT_PTR_NOT_NULL_FATAL(piece);
        start(&bench, piece);
    }
    while (atomic_load(&bench.runs) < MOST) {
        (void)sched_yield();
    }
    background_let_go(bench.background, release);
    bench.background = NULL;
    while (atomic_load(&bench.releases) < MOST) {
        (void)sched_yield();
    }
    CU_ASSERT_EQUAL(bench.done, 0);
    bench_close(&bench);
}

static void close_it(void *owner)
{
    struct piece *piece = owner;
    struct bench *bench = piece->bench;
    background_close(bench->background);
    bench->background = NULL;
    bench->done++;
    loop_end(&bench->loop, 0);
}

static void let_it_go(void *owner)
{
    struct piece *piece = owner;
    struct bench *bench = piece->bench;
    background_let_go(bench->background, release);
    bench->background = NULL;
    free(piece);
    bench->done++;
    loop_end(&bench->loop, 0);
}

static void a_done_may_end_the_pool(void)
{
    struct bench bench;
    struct piece pieces[2] = {{.number = 0}};
    bench_open(&bench, 1);
    pieces[0].bench = &bench;
    CU_ASSERT_EQUAL(background_start(bench.background, run, close_it, &pieces[0]), 0);
    start(&bench, &pieces[1]);
    await(&bench, 2);
    bench_close(&bench);

    bench_open(&bench, 1);
    struct piece *piece = calloc(1, sizeof(*piece));
    struct piece *other = calloc(1, sizeof(*other));
    CU_ASSERT_FATAL(piece != NULL && other != NULL);
    piece->bench = &bench;
    CU_ASSERT_EQUAL(background_start(bench.background, run, let_it_go, piece), 0);
    start(&bench, other);
    await(&bench, 1);
    while (atomic_load(&bench.releases) < 1) {
        (void)sched_yield();
    }
    bench_close(&bench);
    background_close(NULL);
    background_let_go(NULL, release);
}

static const struct test_case cases[] = {
    {"all is done by few threads", all_is_done_by_few_threads},
    {"many rounds leave nothing", many_rounds_leave_nothing},
    {"threads last for a while", threads_last_for_a_while},
    {"closing waits", closing_waits},
    {"letting go waits for nothing", letting_go_waits_for_nothing},
    {"what is finished is released", what_is_finished_is_released},
    {"a done may end the pool", a_done_may_end_the_pool},
    {NULL, NULL},
};

const struct test_suite suite_background = {"background", cases};
