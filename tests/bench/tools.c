#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"
#include "tools.h"

#define MOST_ARGUMENTS 12

bool tool_exists(const char *program)
{
    const char *at = getenv("PATH");
    char path[4096];
    while (at != NULL && *at != '\0') {
        size_t len = strcspn(at, ":");
        snprintf(path, sizeof path, "%.*s/%s", (int)len, at, program);
        if (access(path, X_OK) == 0) {
            return true;
        }
        at += len + (at[len] == ':');
    }
    return false;
}

static pid_t start(const char *output, const char *program, const char *const *arguments)
{
    char *argv[MOST_ARGUMENTS + 2] = {(char *)(uintptr_t)program};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    for (size_t i = 0; arguments[i] != NULL; i++) {
        if (i == MOST_ARGUMENTS) {
            die("%s: too many arguments", program);
        }
        argv[i + 1] = (char *)(uintptr_t)arguments[i];
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output ? output : "/dev/null",
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int failure = posix_spawnp(&pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) {
        die("%s: %s", program, strerror(failure));
    }
    return pid;
}

static double nanoseconds(struct timeval time)
{
    return (double)time.tv_sec * 1e9 + (double)time.tv_usec * 1e3;
}

struct tool_time tool_run(const char *output, int exit_status, const char *program,
                          const char *const *arguments)
{
    struct rusage usage;
    int status;
    double began = clock_ns();
    pid_t pid = start(output, program, arguments);
    if (wait4(pid, &status, 0, &usage) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) != exit_status) {
        die("%s %s failed", program, arguments[0] ? arguments[0] : "");
    }
    return (struct tool_time){clock_ns() - began,
                              nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)};
}

bool unpack(const char *packed, const char *to)
{
    if (!tool_exists("xz")) {
        return false;
    }
    tool_run(to, 0, "xz", (const char *[]){"-dc", packed, NULL});
    return true;
}

size_t count_in_file(const char *path, const char *text, size_t len)
{
    struct stat stat;
    size_t count = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &stat) != 0) {
        die("%s: %s", path, strerror(errno));
    }
    size_t size = (size_t)stat.st_size;
    char *bytes = size > 0 ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    if (bytes == MAP_FAILED) {
        die("%s: %s", path, strerror(errno));
    }
    close(fd);
    for (const char *at = bytes; at && (at = memmem(at, size - (size_t)(at - bytes), text, len));
         at += len) {
        count++;
    }
    if (bytes) {
        munmap(bytes, size);
    }
    return count;
}
