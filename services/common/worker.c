/* worker - a program of our own that runs for as long as it likes; see worker.h. */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- What it says ---------------------------------------------------------------------------- */

static void close_source(struct worker *worker, struct loop_source *source)
{
    loop_remove(worker->loop, source);
    if (source->fd >= 0) {
        close(source->fd);
    }
    source->fd = -1;
}

/* The owner may let go of the worker in the middle of it. */
static void take_bytes(struct worker *worker, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size && worker->pid != 0; i++) {
        if (bytes[i] != '\n') {
            worker->text[worker->line_length] = bytes[i];
            worker->line_length += worker->line_length < sizeof(worker->text) - 1;
            continue;
        }
        worker->text[worker->line_length] = '\0';
        worker->line_length = 0;
        worker->line(worker->owner, worker->text);
    }
}

static void keep_bytes(struct worker *worker, const char *bytes, size_t size)
{
    size_t room = sizeof(worker->said) - 1 - worker->said_length;
    size_t kept = size < room ? size : room;
    memcpy(worker->said + worker->said_length, bytes, kept);
    worker->said_length += kept;
    worker->said[worker->said_length] = '\0';
}

/* Gives false when there is nothing more, now or ever. */
static bool read_some(struct worker *worker, struct loop_source *source)
{
    char block[1024];
    ssize_t size = source->fd >= 0 ? read(source->fd, block, sizeof(block)) : 0;
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return errno == EINTR;
    }
    if (size <= 0) {
        close_source(worker, source);
        return false;
    }
    (source == &worker->output ? take_bytes : keep_bytes)(worker, block, (size_t)size);
    return true;
}

static void take_output(void *owner, uint32_t events)
{
    struct worker *worker = owner;
    (void)events;
    (void)read_some(worker, &worker->output);
}

static void take_errors(void *owner, uint32_t events)
{
    struct worker *worker = owner;
    (void)events;
    (void)read_some(worker, &worker->errors);
}

/* Whoever has inherited the pipes does not keep us: they are read as far as they are filled. */
static void take_end(void *owner, uint32_t events)
{
    struct worker *worker = owner;
    siginfo_t info = {.si_pid = 0};
    (void)events;
    if (waitid(P_PID, (id_t)worker->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0) {
        return;
    }
    while (worker->pid != 0 && read_some(worker, &worker->output)) {
    }
    while (worker->pid != 0 && read_some(worker, &worker->errors)) {
    }
    if (worker->pid != 0) {
        (void)waitid(P_PID, (id_t)worker->pid, &info, WEXITED | WNOHANG);
        worker->status = info.si_code == CLD_EXITED ? info.si_status : -1;
        worker_leave(worker);
        worker->ended(worker->owner);
    }
}

/* ---- Its life -------------------------------------------------------------------------------- */

void worker_init(struct worker *worker, struct loop *loop,
                 void (*line)(void *owner, const char *line), void (*ended)(void *owner),
                 void *owner)
{
    *worker = (struct worker){.loop = loop, .line = line, .ended = ended, .owner = owner};
    worker->exit = (struct loop_source){.fd = -1, .ready = take_end, .owner = worker};
    worker->output = (struct loop_source){.fd = -1, .ready = take_output, .owner = worker};
    worker->errors = (struct loop_source){.fd = -1, .ready = take_errors, .owner = worker};
    worker->input = -1;
}

/* The worker's ends of its pipes, by the numbers that they get there. */
enum { INPUT, OUTPUT, ERRORS, ENDS };

/* In the worker: only what is allowed between fork(2) and exec(3) of a process with threads. */
static void become(const char *path, const char *const *arguments, const int *ends, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++) {
        (void)signal(number, SIG_DFL);
    }
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) {
        _exit(WORKER_NOT_RUN); /* it ended before the kernel knew what to do then */
    }
    int input = ends[INPUT] >= 0 ? ends[INPUT] : open("/dev/null", O_RDONLY);
    if (dup2(input, STDIN_FILENO) >= 0 && dup2(ends[OUTPUT], STDOUT_FILENO) >= 0 &&
        dup2(ends[ERRORS], STDERR_FILENO) >= 0) {
        (void)close_range(STDERR_FILENO + 1, ~0U, 0);
        (void)execv(path, (char *const *)arguments);
    }
    const char *why = strerrordesc_np(errno);
    (void)!write(STDERR_FILENO, "cannot be run: ", 15);
    (void)!write(STDERR_FILENO, why, strlen(why));
    _exit(WORKER_NOT_RUN);
}

/* Our end, which does not wait, is that for reading, or for writing; the other one is the worker's.
 */
static int open_pipe(int *ours, int *worker, bool we_read)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return errno;
    }
    *ours = ends[we_read ? 0 : 1];
    *worker = ends[we_read ? 1 : 0];
    (void)fcntl(*ours, F_SETFL, O_NONBLOCK);
    return 0;
}

static int open_pipes(struct worker *worker, int *ends)
{
    int problem = worker->listens ? open_pipe(&worker->input, &ends[INPUT], false) : 0;
    problem = problem != 0 ? problem : open_pipe(&worker->output.fd, &ends[OUTPUT], true);
    return problem != 0 ? problem : open_pipe(&worker->errors.fd, &ends[ERRORS], true);
}

static int run(struct worker *worker, const char *path, const char *const *arguments)
{
    int ends[ENDS] = {-1, -1, -1};
    pid_t parent = getpid();
    int problem = open_pipes(worker, ends);
    if (problem == 0) {
        worker->pid = fork();
        if (worker->pid == 0) {
            become(path, arguments, ends, parent);
        }
        problem = worker->pid < 0 ? errno : 0;
    }
    for (size_t i = 0; i < ENDS; i++) {
        if (ends[i] >= 0) {
            close(ends[i]);
        }
    }
    return problem;
}

static int watch(struct worker *worker)
{
    worker->exit.fd = pidfd_open(worker->pid, 0);
    int problem = worker->exit.fd < 0 ? errno : loop_add(worker->loop, &worker->exit, EPOLLIN);
    problem = problem != 0 ? problem : loop_add(worker->loop, &worker->output, EPOLLIN);
    return problem != 0 ? problem : loop_add(worker->loop, &worker->errors, EPOLLIN);
}

static void forget_said(struct worker *worker)
{
    worker->said_length = 0;
    worker->said[0] = '\0';
}

int worker_start(struct worker *worker, const char *path, const char *const *arguments)
{
    worker->line_length = 0;
    forget_said(worker);
    int problem = run(worker, path, arguments);
    if (problem != 0) {
        worker_leave(worker);
        return problem;
    }
    problem = watch(worker);
    if (problem != 0) {
        (void)kill(worker->pid, SIGTERM);
        (void)waitpid(worker->pid, NULL, 0);
        worker_leave(worker);
    }
    return problem;
}

/* A pipe takes so little as a whole or not at all. */
bool worker_tell(struct worker *worker, const char *line)
{
    char text[WORKER_LINE];
    int length = snprintf(text, sizeof(text), "%s\n", line);
    if (worker->input < 0 || length < 0 || (size_t)length >= sizeof(text)) {
        return false;
    }
    while (read_some(worker, &worker->errors)) {
    }
    forget_said(worker);
    return write(worker->input, text, (size_t)length) == length;
}

void worker_close_input(struct worker *worker)
{
    if (worker->input >= 0) {
        close(worker->input);
        worker->input = -1;
    }
}

void worker_signal(const struct worker *worker, int number)
{
    if (worker->pid > 0) {
        (void)kill(worker->pid, number);
    }
}

void worker_leave(struct worker *worker)
{
    close_source(worker, &worker->exit);
    close_source(worker, &worker->output);
    close_source(worker, &worker->errors);
    worker_close_input(worker);
    worker->pid = 0;
}
