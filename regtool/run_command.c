/* Runs shell commands. */
#include "run_command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

FILE *run_command_input(void)
{
    int fd = memfd_create("changes", MFD_CLOEXEC);
    FILE *input = fd >= 0 ? fdopen(fd, "w+") : NULL;

    if (input == NULL && fd >= 0) {
        close(fd);
    }
    return input;
}

/* The command starts with the signals as any program expects them, not as this one needs them. */
static int set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, ignored;
    int error;

    sigemptyset(&none);
    sigemptyset(&ignored);
    sigaddset(&ignored, SIGPIPE);
    sigaddset(&ignored, SIGXFSZ);
    error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0) {
        error = posix_spawnattr_setsigdefault(attributes, &ignored);
    }
    if (error == 0) {
        error =
            posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    return error;
}

int run_command_start(char *const words[], int input, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);

    if (error != 0) {
        return error;
    }
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        error = set_signals(&attributes);
        if (error == 0 && input >= 0) {
            error = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
        }
        if (error == 0) {
            error = posix_spawn(pid, "/bin/sh", &actions, &attributes, words, environ);
        }
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static int wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int run_command(const char *command, FILE *input)
{
    char *const words[] = {(char *)"sh", (char *)"-c", (char *)command, NULL};
    pid_t pid;
    int error = fflush(input) == 0 ? 0 : errno;

    if (error == 0 && lseek(fileno(input), 0, SEEK_SET) < 0) {
        error = errno;
    }
    if (error == 0) {
        error = run_command_start(words, fileno(input), &pid);
    }
    fclose(input);
    if (error == 0) {
        return wait_for(pid);
    }
    errno = error;
    return -1;
}

static int add_nothing(posix_spawn_file_actions_t *actions, bool quiet)
{
    int error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

    for (int fd = STDOUT_FILENO; quiet && error == 0 && fd <= STDERR_FILENO; fd++) {
        error = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_WRONLY, 0);
    }
    return error;
}

int run_program(char *const words[], bool quiet)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t pid;
    int error = posix_spawn_file_actions_init(&actions);

    if (error == 0) {
        error = posix_spawnattr_init(&attributes);
        if (error == 0) {
            error = set_signals(&attributes);
            if (error == 0) {
                error = add_nothing(&actions, quiet);
            }
            if (error == 0) {
                error = posix_spawnp(&pid, words[0], &actions, &attributes, words, environ);
            }
            posix_spawnattr_destroy(&attributes);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    if (error == 0) {
        return wait_for(pid);
    }
    errno = error;
    return -1;
}

int run_program_instead(const char *path, char *const words[], int input)
{
    sigset_t none;

    if (input >= 0 && dup2(input, STDIN_FILENO) < 0) {
        return errno;
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    execv(path, words);
    return errno;
}
