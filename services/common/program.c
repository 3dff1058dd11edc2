/* program - another program, run and waited for in the loop; see program.h. */
#include "program.h"

#include "character.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Its end --------------------------------------------------------------------------------- */

static void close_source(struct program *child, struct loop_source *source)
{
    loop_remove(child->loop, source);
    if (source->fd >= 0) {
        close(source->fd);
    }
    source->fd = -1;
}

/* Keeps the beginning; the rest is read so that the child can go on. Gives false at the end. */
static bool read_some(struct program *child)
{
    char block[1024];
    ssize_t size = read(child->output.fd, block, sizeof(block));
    if (size <= 0) {
        return size < 0 && errno == EINTR;
    }
    size_t room = sizeof(child->text) - 1 - child->length;
    size_t kept = (size_t)size < room ? (size_t)size : room;
    memcpy(child->text + child->length, block, kept);
    child->length += kept;
    child->text[child->length] = '\0';
    return true;
}

static void let_go(struct program *child)
{
    close_source(child, &child->exit);
    close_source(child, &child->output);
    loop_unset(child->loop, &child->limit);
    child->pid = 0;
}

/* Whoever has inherited the pipe does not keep us: it is read as far as it is filled. */
static void take_end(void *owner, uint32_t events)
{
    struct program *child = owner;
    siginfo_t info = {.si_pid = 0};
    (void)events;
    if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) {
        return;
    }
    while (child->output.fd >= 0 && read_some(child)) {
    }
    child->status = info.si_code == CLD_EXITED ? info.si_status : -1;
    let_go(child);
    child->ended(child->owner);
}

static void take_output(void *owner, uint32_t events)
{
    struct program *child = owner;
    (void)events;
    errno = 0;
    if (!read_some(child) && errno != EAGAIN) {
        close_source(child, &child->output);
    }
}

static void take_limit(void *owner)
{
    struct program *child = owner;
    child->timed_out = true;
    (void)kill(-child->pid, SIGKILL);
}

/* ---- Its life -------------------------------------------------------------------------------- */

void program_init(struct program *child, struct loop *loop, void (*ended)(void *owner), void *owner)
{
    *child = (struct program){.loop = loop, .ended = ended, .owner = owner};
    child->exit = (struct loop_source){.fd = -1, .ready = take_end, .owner = child};
    child->output = (struct loop_source){.fd = -1, .ready = take_output, .owner = child};
    child->limit = (struct loop_timer){.expired = take_limit, .owner = child};
}

/* It has the signals that it would have in a shell, and a group of its own to be killed with. */
static int prepare(posix_spawnattr_t *attributes, posix_spawn_file_actions_t *actions, int output)
{
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    int problem = posix_spawnattr_setflags(
        attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    problem = problem != 0 ? problem : posix_spawnattr_setsigmask(attributes, &none);
    problem = problem != 0 ? problem : posix_spawnattr_setsigdefault(attributes, &all);
    problem = problem != 0
                  ? problem
                  : posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    problem = problem != 0 ? problem
                           : posix_spawn_file_actions_adddup2(actions, STDIN_FILENO, STDOUT_FILENO);
    return problem != 0 ? problem
                        : posix_spawn_file_actions_adddup2(actions, output, STDERR_FILENO);
}

static int spawn(struct program *child, const char *const *arguments, int output)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    int problem = posix_spawnattr_init(&attributes);
    if (problem != 0) {
        return problem;
    }
    problem = posix_spawn_file_actions_init(&actions);
    if (problem == 0) {
        problem = prepare(&attributes, &actions, output);
        if (problem == 0) {
            problem = posix_spawnp(&child->pid, arguments[0], &actions, &attributes,
                                   (char *const *)arguments, environ);
        }
        (void)posix_spawn_file_actions_destroy(&actions);
    }
    (void)posix_spawnattr_destroy(&attributes);
    return problem;
}

/* The child runs. */
static int watch(struct program *child)
{
    child->exit.fd = pidfd_open(child->pid, 0);
    if (child->exit.fd < 0) {
        return errno;
    }
    int problem = loop_add(child->loop, &child->exit, EPOLLIN);
    return problem != 0 ? problem : loop_add(child->loop, &child->output, EPOLLIN);
}

int program_start(struct program *child, const char *const *arguments, int64_t limit)
{
    int ends[2];
    child->timed_out = false;
    child->length = 0;
    child->text[0] = '\0';
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return errno;
    }
    int problem = spawn(child, arguments, ends[1]);
    close(ends[1]);
    child->output.fd = ends[0];
    if (problem != 0) {
        child->pid = 0;
        let_go(child);
        return problem;
    }
    problem = watch(child);
    if (problem != 0) {
        program_stop(child);
        return problem;
    }
    loop_set(child->loop, &child->limit, limit);
    return 0;
}

void program_stop(struct program *child)
{
    if (child->pid != 0) {
        (void)kill(-child->pid, SIGKILL);
        (void)waitpid(child->pid, NULL, 0);
        let_go(child);
    }
}

static bool begins_with_one(const char *text, const char *const *starts)
{
    while (*starts != NULL && strncmp(text, *starts, strlen(*starts)) != 0) {
        starts++;
    }
    return *starts != NULL;
}

void program_take_line(const char *text, char *line, size_t size)
{
    size_t left = strcspn(text, "\n");
    size_t length = 0;
    while (left > 0) {
        size_t valid = character_size(text, left);
        bool clean = valid > 0 && !character_is_unseen(text, valid);
        size_t taken = valid > 0 ? valid : 1;
        size_t added = clean ? valid : 1;
        if (added >= size - length) {
            break;
        }
        memcpy(line + length, clean ? text : "?", added);
        length += added;
        text += taken;
        left -= taken;
    }
    line[length] = '\0';
}

void program_first_line(const struct program *child, const char *const *skipped, char *line,
                        size_t size)
{
    const char *at = child->text;
    while (*at != '\0' && (*at == '\n' || begins_with_one(at, skipped))) {
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    program_take_line(at, line, size);
}
