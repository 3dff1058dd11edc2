/*
 * test_worker - programs of our own that run beside us: that their lines come while they run, how
 * they end, what they are given, and what becomes of them when we go.
 */
#include "stores.h"

#include "../services/common/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct runner {
    struct loop loop;
    struct worker worker;
    char lines[4 * WORKER_LINE]; /* each with a line end */
    const char *last;            /* the loop ends at this line; NULL: with the worker */
    unsigned ends;
};

static void take_line(void *owner, const char *line)
{
    struct runner *runner = owner;
    CU_ASSERT_TRUE_FATAL(strlen(runner->lines) + strlen(line) + 2 < sizeof(runner->lines));
    strcat(runner->lines, line);
    strcat(runner->lines, "\n");
    if (runner->last != NULL && strcmp(line, runner->last) == 0) {
        loop_end(&runner->loop, 0);
    }
}

static void take_end(void *owner)
{
    struct runner *runner = owner;
    runner->ends++;
    loop_end(&runner->loop, 0);
}

static void runner_open(struct runner *runner)
{
    *runner = (struct runner){.ends = 0};
    CU_ASSERT_EQUAL_FATAL(loop_open(&runner->loop), 0);
    worker_init(&runner->worker, &runner->loop, take_line, take_end, runner);
}

static void runner_close(struct runner *runner)
{
    worker_signal(&runner->worker, SIGKILL);
    worker_leave(&runner->worker);
    loop_close(&runner->loop);
}

static void start_shell(struct runner *runner, const char *line)
{
    const char *const arguments[] = {"sh", "-c", line, NULL};
    CU_ASSERT_EQUAL_FATAL(worker_start(&runner->worker, "/bin/sh", arguments), 0);
}

static void run_until(struct runner *runner, const char *line)
{
    runner->last = line;
    runner->loop.ended = false;
    CU_ASSERT_EQUAL(loop_run(&runner->loop), 0);
}

static void end_loop(void *owner)
{
    loop_end(owner, 0);
}

/* Takes what comes for a moment. */
static int runner_turn(struct runner *runner)
{
    struct loop_timer moment = {.expired = end_loop, .owner = &runner->loop};
    runner->last = NULL;
    runner->loop.ended = false;
    loop_set(&runner->loop, &moment, 10);
    int status = loop_run(&runner->loop);
    loop_unset(&runner->loop, &moment);
    return status;
}

static void it_ends_with_a_status(void)
{
    struct runner runner;
    runner_open(&runner);
    start_shell(&runner, "echo one; echo why >&2; echo two; printf rest; exit 3");
    run_until(&runner, NULL);
    CU_ASSERT_EQUAL(runner.ends, 1);
    CU_ASSERT_EQUAL(runner.worker.status, 3);
    CU_ASSERT_EQUAL(runner.worker.pid, 0);
    EQUAL_TEXT(runner.lines, "one\ntwo\n");
    EQUAL_TEXT(runner.worker.said, "why\n");
    runner.lines[0] = '\0';
    start_shell(&runner, "kill -9 $$");
    run_until(&runner, NULL);
    CU_ASSERT_EQUAL(runner.worker.status, -1);
    EQUAL_TEXT(runner.lines, "");
    EQUAL_TEXT(runner.worker.said, "");
    runner_close(&runner);
}

static void its_lines_come_while_it_runs(void)
{
    struct runner runner;
    runner_open(&runner);
    start_shell(&runner, "trap 'echo told; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
    run_until(&runner, "ready");
    CU_ASSERT_EQUAL(runner.ends, 0);
    worker_signal(&runner.worker, SIGTERM);
    run_until(&runner, NULL);
    EQUAL_TEXT(runner.lines, "ready\ntold\n");
    CU_ASSERT_EQUAL(runner.worker.status, 0);
    runner_close(&runner);
}

static void long_lines_are_cut(void)
{
    struct runner runner;
    runner_open(&runner);
    start_shell(&runner, "printf '%05000d\\n' 0; echo next; printf '%05000d\\n' 0 >&2");
    run_until(&runner, NULL);
    CU_ASSERT_EQUAL_FATAL(strlen(runner.lines), WORKER_LINE + 5);
    EQUAL_TEXT(runner.lines + WORKER_LINE, "next\n");
    CU_ASSERT_EQUAL(strlen(runner.worker.said), WORKER_LINE - 1);
    runner_close(&runner);
}

/* Also none that was opened without care. */
static void it_has_three_descriptors(void)
{
    struct runner runner;
    int open_one = open("/dev/null", O_RDONLY);
    runner_open(&runner);
    start_shell(&runner, "cat; ls /proc/self/fd | tr '\\n' ' '; echo");
    run_until(&runner, NULL);
    EQUAL_TEXT(runner.lines, "0 1 2 3 \n"); /* the last one is the directory that ls reads */
    close(open_one);
    runner_close(&runner);
}

static void signals_are_as_in_a_shell(void)
{
    struct runner runner;
    sigset_t blocked;
    sigset_t before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    void (*pipe_before)(int) = signal(SIGPIPE, SIG_IGN);
    runner_open(&runner);
    start_shell(&runner, "grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\t\\n'; echo");
    run_until(&runner, NULL);
    EQUAL_TEXT(runner.lines, "SigBlk:0000000000000000SigIgn:0000000000000000\n");
    signal(SIGPIPE, pipe_before);
    sigprocmask(SIG_SETMASK, &before, NULL);
    runner_close(&runner);
}

static void what_cannot_be_run_says_so(void)
{
    const char *const arguments[] = {"nothing", NULL};
    struct runner runner;
    runner_open(&runner);
    CU_ASSERT_EQUAL_FATAL(worker_start(&runner.worker, scratch_path("nothing"), arguments), 0);
    run_until(&runner, NULL);
    CU_ASSERT_EQUAL(runner.worker.status, WORKER_NOT_RUN);
    EQUAL_TEXT(runner.worker.said, "cannot be run: No such file or directory");
    runner_close(&runner);
}

/* In a process of its own, which then ends: starts a program that tells when it is told to end. */
static int start_and_go(void *context)
{
    struct runner runner = {.ends = 0};
    const char *const arguments[] = {
        "sh", "-c",
        "trap 'echo told > \"$0\"; exit 0' TERM; echo ready; while :; do sleep 0.01; done", context,
        NULL};
    if (loop_open(&runner.loop) != 0) {
        return 1;
    }
    worker_init(&runner.worker, &runner.loop, take_line, take_end, &runner);
    runner.last = "ready";
    return worker_start(&runner.worker, "/bin/sh", arguments) == 0 && loop_run(&runner.loop) == 0
               ? 0
               : 1;
}

static void it_is_told_when_we_end(void)
{
    char path[256];
    snprintf(path, sizeof(path), "%s", scratch_path("told"));
    CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDWR);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(in_child(start_and_go, path), 0);
    struct pollfd told = {.fd = fd, .events = POLLIN};
    CU_ASSERT_EQUAL(poll(&told, 1, 60000), 1);
    close(fd);
}

/* It reads line by line, and comes to the end of what it is told. */
static void it_is_told_lines(void)
{
    struct runner runner;
    runner_open(&runner);
    runner.worker.listens = true;
    start_shell(&runner, "while read -r x; do echo \"why $x\" >&2; echo \"got $x\"; done; exit 5");
    CU_ASSERT_TRUE(worker_tell(&runner.worker, "one"));
    run_until(&runner, "got one");
    CU_ASSERT_TRUE(worker_tell(&runner.worker, "two  words"));
    run_until(&runner, "got two  words");
    CU_ASSERT_EQUAL(runner.ends, 0);
    worker_close_input(&runner.worker);
    CU_ASSERT_FALSE(worker_tell(&runner.worker, "three"));
    run_until(&runner, NULL);
    EQUAL_TEXT(runner.lines, "got one\ngot two  words\n");
    CU_ASSERT_EQUAL(runner.worker.status, 5);
    runner_close(&runner);
}

/* What it says on standard error is about what it was told last. */
static void what_it_said_before_is_forgotten(void)
{
    struct runner runner;
    runner_open(&runner);
    runner.worker.listens = true;
    start_shell(&runner, "echo old >&2; echo ready; read -r x; echo \"new $x\" >&2");
    run_until(&runner, "ready");
    while (runner.worker.said[0] == '\0') {
        CU_ASSERT_EQUAL_FATAL(runner_turn(&runner), 0);
    }
    CU_ASSERT_TRUE(worker_tell(&runner.worker, "x"));
    run_until(&runner, NULL);
    EQUAL_TEXT(runner.worker.said, "new x\n");
    runner_close(&runner);
}

/* Neither one that has closed its input nor one that reads nothing keeps us. */
static void one_that_does_not_listen_is_not_waited_for(void)
{
    char line[WORKER_LINE + 1];
    struct runner runner;
    void (*pipe_before)(int) = signal(SIGPIPE, SIG_IGN);
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\0';
    runner_open(&runner);
    CU_ASSERT_FALSE(worker_tell(&runner.worker, "nobody"));
    runner.worker.listens = true;
    start_shell(&runner, "exec <&-; echo closed; trap 'exit 0' TERM; while :; do sleep 0.01; done");
    run_until(&runner, "closed");
    CU_ASSERT_FALSE(worker_tell(&runner.worker, "x"));
    worker_signal(&runner.worker, SIGTERM);
    run_until(&runner, NULL);
    start_shell(&runner, "kill -STOP $$");
    CU_ASSERT_FALSE(worker_tell(&runner.worker, line));
    line[WORKER_LINE - 2] = '\0';
    for (unsigned i = 0; i < 1024 && worker_tell(&runner.worker, line); i++) {
        CU_ASSERT_TRUE_FATAL(i < 1023);
    }
    runner_close(&runner);
    signal(SIGPIPE, pipe_before);
}

/* Its owner goes, and hears nothing of it; it writes to nobody. */
static void it_is_left(void)
{
    struct runner runner;
    runner_open(&runner);
    runner.worker.listens = true; /* so that it stays until it is left */
    start_shell(&runner, "trap '' PIPE; echo ready; read x; echo more");
    run_until(&runner, "ready");
    worker_leave(&runner.worker);
    CU_ASSERT_EQUAL(runner.worker.pid, 0);
    CU_ASSERT_EQUAL(runner.ends, 0);
    worker_signal(&runner.worker, SIGKILL);
    runner_close(&runner);
}

static const struct test_case cases[] = {
    {"it ends with a status", it_ends_with_a_status},
    {"its lines come while it runs", its_lines_come_while_it_runs},
    {"long lines are cut", long_lines_are_cut},
    {"it has three descriptors", it_has_three_descriptors},
    {"signals are as in a shell", signals_are_as_in_a_shell},
    {"what cannot be run says so", what_cannot_be_run_says_so},
    {"it is told when we end", it_is_told_when_we_end},
    {"it is told lines", it_is_told_lines},
    {"what it said before is forgotten", what_it_said_before_is_forgotten},
    {"one that does not listen is not waited for", one_that_does_not_listen_is_not_waited_for},
    {"it is left", it_is_left},
    {NULL, NULL},
};

const struct test_suite suite_worker = {"worker", cases};
