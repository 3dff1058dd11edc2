/*
 * deliver_command - a document on the standard input of a command, which sh runs.
 *
 * What is known of the job is in the command's environment, never in its text, so that nothing a
 * client calls its job is ever a part of a command. Its exit status says how it went: 0 is printed;
 * 75, EX_TEMPFAIL, is that nothing was and that it is to be tried again; of all others nobody
 * knows. Needs deliver.
 */
#include "deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define COMMAND_SAID 4096   /* bytes that are kept of the end of what it says */
#define COMMAND_LEFT 1024   /* times that they are read after its end: what a pipe may hold */
#define COMMAND_NOT_RUN 126 /* sh's own statuses */
#define COMMAND_NOT_FOUND 127

struct command {
    struct delivery *delivery;
    pid_t pid;
    int process; /* becomes readable at its end */
    int input;   /* its standard input; -1: closed */
    int errors;  /* its standard error; -1: at its end */
    size_t length;
    char said[COMMAND_SAID];
};

/* ---- What it says ---------------------------------------------------------------------------- */

static void close_end(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

/* Keeps the end, where the reason stands. */
static void keep(struct command *command, const char *bytes, size_t size)
{
    size_t room = sizeof(command->said) - 1;
    if (command->length + size > room) {
        size_t gone = command->length + size - room;
        memmove(command->said, command->said + gone, command->length - gone);
        command->length -= gone;
    }
    memcpy(command->said + command->length, bytes, size);
    command->length += size;
}

/* Gives whether there was something. */
static bool read_errors(struct command *command)
{
    char block[1024];
    ssize_t got = read(command->errors, block, sizeof(block));
    if (got > 0) {
        keep(command, block, (size_t)got);
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
        close_end(&command->errors);
    }
    return got > 0;
}

/* The last line that is not empty, as a person may read it. */
static void add_said(const struct command *command, struct line *why)
{
    size_t end = command->length;
    while (end > 0 && strchr(" \t\r\n", command->said[end - 1]) != NULL) {
        end--;
    }
    size_t start = end;
    while (start > 0 && command->said[start - 1] != '\n') {
        start--;
    }
    line_add_clean(why, command->said + start, end - start);
}

/* ---- Its beginning --------------------------------------------------------------------------- */

static bool set_environment(const struct delivery *delivery)
{
    char number[16];
    (void)snprintf(number, sizeof(number), "%u", delivery->number);
    return setenv("JOB_NAME", delivery->name, 1) == 0 &&
           setenv("JOB_USER", delivery->user, 1) == 0 &&
           setenv("JOB_HOST", delivery->host, 1) == 0 &&
           setenv("JOB_TITLE", delivery->title, 1) == 0 &&
           setenv("JOB_QUEUE", delivery->queue, 1) == 0 && setenv("JOB_NUMBER", number, 1) == 0;
}

/* The child, which has signals as in a shell and nothing else that is ours. It does not outlive who
 * feeds it: the end of its input would be no document's end, and the next one would find it there.
 */
static void become(const struct delivery *delivery, int input, int errors, pid_t parent)
{
    sigset_t none;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(COMMAND_NOT_RUN);
    }
    sigemptyset(&none);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0 && dup2(input, STDIN_FILENO) >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0 &&
        dup2(errors, STDERR_FILENO) >= 0 && set_environment(delivery)) {
        (void)close_range(STDERR_FILENO + 1, ~0u, 0);
        execl("/bin/sh", "sh", "-c", delivery->target->name, (char *)NULL);
    }
    _exit(COMMAND_NOT_RUN);
}

/* Pipes whose ends here do not block. */
static bool open_pipes(int *input, int *errors)
{
    if (pipe2(input, O_CLOEXEC) != 0) {
        return false;
    }
    if (pipe2(errors, O_CLOEXEC) != 0) {
        close(input[0]);
        close(input[1]);
        return false;
    }
    (void)fcntl(input[1], F_SETFL, O_NONBLOCK);
    (void)fcntl(errors[0], F_SETFL, O_NONBLOCK);
    return true;
}

static bool start(struct command *command, struct line *why)
{
    int input[2];
    int errors[2];
    if (!deliver_sending(command->delivery, why)) {
        return false;
    }
    if (!open_pipes(input, errors)) {
        deliver_add_error(why, errno);
        return false;
    }
    pid_t self = getpid();
    command->pid = fork();
    if (command->pid == 0) {
        become(command->delivery, input[0], errors[1], self);
    }
    int error = errno;
    close(input[0]);
    close(errors[1]);
    command->input = input[1];
    command->errors = errors[0];
    if (command->pid < 0) {
        deliver_add_error(why, error);
        command->pid = 0;
        return false;
    }
    command->process = pidfd_open(command->pid, 0);
    if (command->process < 0) {
        deliver_add_error(why, errno);
    }
    return command->process >= 0;
}

/* ---- Its input, and its end ------------------------------------------------------------------ */

/* Waits for one of its ends to be of use; it ends when the command does, whoever else still holds
 * its standard error. */
static bool wait_some(struct command *command)
{
    struct pollfd ends[] = {
        {.fd = command->input, .events = POLLOUT},
        {.fd = command->errors, .events = POLLIN},
        {.fd = command->process, .events = POLLIN},
    };
    if (poll(ends, 3, -1) < 0) {
        return true;
    }
    if (ends[1].revents != 0) {
        (void)read_errors(command);
    }
    return (ends[2].revents & POLLIN) == 0;
}

/* A command that does not want all of it may end early; how it went is what it says. */
static void feed(struct command *command, const char *bytes, size_t size)
{
    while (size > 0 && command->input >= 0) {
        ssize_t written = write(command->input, bytes, size);
        if (written > 0) {
            bytes += written;
            size -= (size_t)written;
        } else if (written < 0 && errno != EAGAIN && errno != EINTR) {
            close_end(&command->input);
        }
        if (size > 0 && command->input >= 0 && !wait_some(command)) {
            close_end(&command->input);
        }
    }
}

static void free_command(struct command *command)
{
    close_end(&command->input);
    close_end(&command->errors);
    close_end(&command->process);
    free(command);
}

static enum outcome judge(const struct command *command, int status, struct line *why)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return DELIVER_DONE;
    }
    size_t before = why->length;
    add_said(command, why);
    if (WIFSIGNALED(status)) {
        line_separate(why, before, "; ");
        line_add(why, "the command was killed by signal %d", WTERMSIG(status));
        return DELIVER_UNKNOWN;
    }
    if (why->length == before) {
        line_add(why, "the command ended with status %d", WEXITSTATUS(status));
    }
    switch (WEXITSTATUS(status)) {
    case EX_TEMPFAIL:
        return DELIVER_AWAY;
    case COMMAND_NOT_RUN:
    case COMMAND_NOT_FOUND:
        return DELIVER_REFUSED;
    default:
        return DELIVER_UNKNOWN;
    }
}

/* Reads what is left of its errors, and how it ended. */
static int wait_end(struct command *command)
{
    int status = 0;
    close_end(&command->input);
    while (command->process >= 0 && wait_some(command)) {
    }
    for (int left = COMMAND_LEFT; left > 0 && command->errors >= 0 && read_errors(command);) {
        left--;
    }
    while (waitpid(command->pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

/* It is run when the first bytes are there, or the end is. */
static enum outcome begin(struct delivery *delivery, void **state, struct line *why)
{
    struct command *command = calloc(1, sizeof(*command));
    if (command == NULL) {
        line_add(why, "out of memory");
        return DELIVER_REFUSED;
    }
    command->delivery = delivery;
    command->process = command->input = command->errors = -1;
    *state = command;
    return DELIVER_DONE;
}

static bool write_part(void *state, const char *bytes, size_t size, struct line *why)
{
    struct command *command = state;
    if (command->pid == 0 && !start(command, why)) {
        return false;
    }
    feed(command, bytes, size);
    return true;
}

static enum outcome end(void *state, struct line *why)
{
    struct command *command = state;
    enum outcome outcome = DELIVER_REFUSED;
    if (command->pid != 0 || start(command, why)) {
        outcome = judge(command, wait_end(command), why);
    }
    free_command(command);
    return outcome;
}

/* It is killed before it sees the end of its input, which it would take for the document's. */
static enum outcome end_early(void *state)
{
    struct command *command = state;
    bool ran = command->pid != 0;
    if (ran) {
        (void)kill(command->pid, SIGKILL);
        (void)wait_end(command);
    }
    free_command(command);
    return ran ? DELIVER_UNKNOWN : DELIVER_REFUSED;
}

const struct transport deliver_command = {false, begin, write_part, end, end_early};
