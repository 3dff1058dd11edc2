/*
 * test_program - other programs, which the file server runs and waits for in the loop: how they
 * end, what they say, and that none outlives its time.
 */
#include "stores.h"

#include "../services/common/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEVER_MS 60000

struct runner {
    struct loop loop;
    struct program program;
    unsigned ends;
};

static void count_end(void *owner)
{
    struct runner *runner = owner;
    runner->ends++;
    loop_end(&runner->loop, 0);
}

static void runner_open(struct runner *runner)
{
    *runner = (struct runner){.ends = 0};
    CU_ASSERT_EQUAL_FATAL(loop_open(&runner->loop), 0);
    program_init(&runner->program, &runner->loop, count_end, runner);
}

static void runner_close(struct runner *runner)
{
    program_stop(&runner->program);
    loop_close(&runner->loop);
}

/* Runs a line of shell to its end. */
static void run_shell(struct runner *runner, const char *line, int64_t limit)
{
    const char *const arguments[] = {"sh", "-c", line, NULL};
    CU_ASSERT_EQUAL_FATAL(program_start(&runner->program, arguments, limit), 0);
    runner->loop.ended = false;
    CU_ASSERT_EQUAL(loop_run(&runner->loop), 0);
    CU_ASSERT_EQUAL(runner->program.pid, 0);
}

static void programs_end_with_a_status(void)
{
    static const char *const skipped[] = {"no such", "skip", NULL};
    struct runner runner;
    char line[64];
    runner_open(&runner);
    run_shell(&runner, "echo out; echo skip this >&2; echo; printf 'to\\033ld\\n' >&2; exit 3",
              NEVER_MS);
    CU_ASSERT_EQUAL(runner.program.status, 3);
    CU_ASSERT_FALSE(runner.program.timed_out);
    CU_ASSERT_STRING_EQUAL(runner.program.text, "skip this\nto\033ld\n");
    program_first_line(&runner.program, skipped, line, sizeof(line));
    CU_ASSERT_STRING_EQUAL(line, "to?ld");
    program_take_line("\u20ac \u202etfel\u2069\x9b \xe2\x82\n", line, sizeof(line));
    CU_ASSERT_STRING_EQUAL(line, "\u20ac ?tfel?? ??");
    program_take_line("ab\u20ac", line, 5);
    CU_ASSERT_STRING_EQUAL(line, "ab");
    run_shell(&runner, "read word; test -z \"$word\"", NEVER_MS);
    CU_ASSERT_EQUAL(runner.program.status, 0);
    CU_ASSERT_STRING_EQUAL(runner.program.text, "");
    CU_ASSERT_EQUAL(runner.ends, 2);
    runner_close(&runner);
}

/* Signals that a service ignores or blocks are not those of what it starts. */
static void programs_have_signals(void)
{
    struct runner runner;
    struct sigaction old;
    struct sigaction ignored = {.sa_handler = SIG_IGN};
    CU_ASSERT_EQUAL_FATAL(sigaction(SIGPIPE, &ignored, &old), 0);
    runner_open(&runner);
    run_shell(&runner, "kill -PIPE $$; exit 5", NEVER_MS);
    CU_ASSERT_EQUAL(runner.program.status, -1);
    runner_close(&runner);
    (void)sigaction(SIGPIPE, &old, NULL);
}

static void much_output_is_read_and_cut(void)
{
    struct runner runner;
    runner_open(&runner);
    run_shell(&runner, "yes | head -c 1000000 >&2; exit 4", NEVER_MS);
    CU_ASSERT_EQUAL(runner.program.status, 4);
    CU_ASSERT_EQUAL(runner.program.length, PROGRAM_TEXT_SIZE - 1);
    CU_ASSERT_EQUAL(strlen(runner.program.text), PROGRAM_TEXT_SIZE - 1);
    runner_close(&runner);
}

static void programs_are_killed_in_time(void)
{
    struct runner runner;
    runner_open(&runner);
    run_shell(&runner, "sleep 1000 & sleep 1000", 100);
    CU_ASSERT_TRUE(runner.program.timed_out);
    CU_ASSERT_EQUAL(runner.program.status, -1);
    run_shell(&runner, "exit 0", NEVER_MS);
    CU_ASSERT_FALSE(runner.program.timed_out);
    CU_ASSERT_EQUAL(runner.ends, 2);
    runner_close(&runner);
}

static bool comes(int fd, short event)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    return poll(&poller, 1, NEVER_MS) == 1 && (poller.revents & event) != 0;
}

/* What it has started keeps a pipe open, until that is killed, too. */
static void programs_end_with_all_they_started(void)
{
    struct runner runner;
    char line[4200];
    char byte;
    CU_ASSERT_EQUAL_FATAL(mkfifo(scratch_path("held"), 0600), 0);
    int held = open(scratch_path("held"), O_RDONLY | O_NONBLOCK);
    CU_ASSERT_FATAL(held >= 0);
    runner_open(&runner);
    (void)snprintf(line, sizeof(line), "exec 9> %s; (echo; sleep 1000) >&9 & sleep 1000",
                   scratch_path("held"));
    const char *const arguments[] = {"sh", "-c", line, NULL};
    CU_ASSERT_EQUAL_FATAL(program_start(&runner.program, arguments, NEVER_MS), 0);
    CU_ASSERT_TRUE(comes(held, POLLIN));
    CU_ASSERT_EQUAL(read(held, &byte, 1), 1);
    program_stop(&runner.program);
    CU_ASSERT_TRUE(comes(held, POLLHUP));
    close(held);
    runner_close(&runner);
}

static void programs_may_be_missing_or_stopped(void)
{
    static const char *const missing[] = {"no-program-of-this-name", NULL};
    static const char *const lasting[] = {"sleep", "1000", NULL};
    struct runner runner;
    runner_open(&runner);
    CU_ASSERT_EQUAL(program_start(&runner.program, missing, NEVER_MS), ENOENT);
    CU_ASSERT_EQUAL(runner.program.pid, 0);
    CU_ASSERT_EQUAL(program_start(&runner.program, lasting, NEVER_MS), 0);
    program_stop(&runner.program);
    program_stop(&runner.program);
    CU_ASSERT_EQUAL(runner.ends, 0);
    runner_close(&runner);
}

/* Left behind are neither children nor timers nor descriptors. */
static void many_programs_leave_nothing(void)
{
    struct runner runner;
    runner_open(&runner);
    int before = dup(STDERR_FILENO);
    for (int i = 0; i < 50; i++) {
        run_shell(&runner, "exit 0", NEVER_MS);
    }
    int after = dup(STDERR_FILENO);
    CU_ASSERT_EQUAL(after, before + 1);
    CU_ASSERT_PTR_NULL(runner.loop.timers);
    close(before);
    close(after);
    runner_close(&runner);
}

static const struct test_case cases[] = {
    {"programs end with a status", programs_end_with_a_status},
    {"programs have signals", programs_have_signals},
    {"much output is read and cut", much_output_is_read_and_cut},
    {"programs are killed in time", programs_are_killed_in_time},
    {"programs end with all they started", programs_end_with_all_they_started},
    {"programs may be missing or stopped", programs_may_be_missing_or_stopped},
    {"many programs leave nothing", many_programs_leave_nothing},
    {NULL, NULL},
};

const struct test_suite suite_program = {"program", cases};
