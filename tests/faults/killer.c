/*
 * killer.c - see killer.h.
 */
#include "killer.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

struct life {
    void (*body)(void *context, int pipe);
    void *context;
};

static void live_traced(void *context, int pipe)
{
    const struct life *life = context;
    RIG_MUST(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
    raise(SIGSTOP);
    life->body(life->context, pipe);
}

static bool kill_at_some_time(struct killer *killer, pid_t pid)
{
    int status;
    /* Mostly within the first commits, at times later. */
    rig_sleep_us(rig_below(&killer->random, 1u << (9 + rig_below(&killer->random, 6))));
    RIG_MUST(kill(pid, SIGKILL) == 0);
    RIG_MUST(waitpid(pid, &status, 0) == pid);
    RIG_MUST(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

/* Lets the child run until it has stopped count times more. Gives what it stopped or ended with. */
static int run_calls(pid_t pid, uint32_t count, uint32_t *passed)
{
    int status = 0;
    for (*passed = 0; *passed < count; ++*passed) {
        RIG_MUST(ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0);
        RIG_MUST(waitpid(pid, &status, 0) == pid);
        if (!WIFSTOPPED(status)) {
            break;
        }
    }
    return status;
}

static bool kill_at_some_call(struct killer *killer, pid_t pid)
{
    int status;
    uint32_t passed;
    RIG_MUST(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
    status = run_calls(pid, 1 + rig_below(&killer->random, killer->calls), &passed);
    bool killed = WIFSTOPPED(status);
    if (killed) {
        rig_kill(pid);
    } else {
        RIG_MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        killer->calls = (killer->calls + passed) / 2; /* so that most die before their end */
    }
    return killed;
}

/* Some machines do not let a process trace its children. */
static void be_traced(void *context, int pipe)
{
    (void)context;
    (void)pipe;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
        _exit(1);
    }
}

struct killer killer_new(struct rig_random random)
{
    return (struct killer){
        .random = random,
        .can_trace = rig_ended_well(rig_fork(be_traced, NULL, NULL)),
        .calls = 400,
    };
}

bool killer_kill(struct killer *killer, bool at_call, void (*body)(void *context, int pipe),
                 void *context, int *pipe)
{
    struct life life = {body, context};
    bool traced = at_call && killer->can_trace;
    pid_t pid = traced ? rig_fork(live_traced, &life, pipe) : rig_fork(body, context, pipe);
    bool killed = traced ? kill_at_some_call(killer, pid) : kill_at_some_time(killer, pid);
    killer->by_call += killed && traced;
    killer->by_time += killed && !traced;
    return killed;
}

void killer_report(const struct killer *killer)
{
    rig_pass("%u writers killed at some time", killer->by_time);
    if (killer->can_trace) {
        rig_pass("%u writers killed at some system call, one of about %u", killer->by_call,
                 killer->calls);
    } else {
        rig_skip("kills at system calls: tracing is not allowed here");
    }
}
