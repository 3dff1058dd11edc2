/* The file of what was typed in the shell. */
#include "shell_history.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that has grown longer than the one is cut to its end of about the other. */
#define LONGEST 262144
#define KEPT 65536

/* The directory's path, made where it is missing; free() it. NULL if there is none. */
static char *directory(void)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    char *path = NULL;

    if (state != NULL && state[0] == '/') {
        return asprintf(&path, "%s/regtool", state) < 0 ? NULL : path;
    }
    if (home == NULL || home[0] != '/' || asprintf(&path, "%s/.local/state/regtool", home) < 0) {
        return NULL;
    }
    return path;
}

static void make_directories(char *path)
{
    for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(path, 0700);
        *at = '/';
    }
    mkdir(path, 0700);
}

static int open_file(void)
{
    char *dir = directory();
    char *file = NULL;
    int fd = -1;

    if (dir == NULL) {
        return -1;
    }
    make_directories(dir);
    if (asprintf(&file, "%s/history", dir) >= 0) {
        fd = open(file, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
        free(file);
    }
    free(dir);
    return fd;
}

/* A file that is somebody else's, or that others may read, is left alone. */
static bool is_ours(int fd, struct stat *info)
{
    return fstat(fd, info) == 0 && S_ISREG(info->st_mode) && info->st_uid == geteuid() &&
           (info->st_mode & 077) == 0;
}

/* The end of the file as a text, from the start of a line; NULL if it cannot be had. */
static char *read_end(int fd, off_t size)
{
    off_t from = size > LONGEST ? size - KEPT : 0;
    char *text = malloc((size_t)(size - from) + 1);
    ssize_t got = text != NULL ? pread(fd, text, (size_t)(size - from), from) : -1;
    char *start;

    if (got < 0) {
        free(text);
        return NULL;
    }
    text[got] = '\0';
    if (from > 0) {
        start = strchr(text, '\n');
        memmove(text, start != NULL ? start + 1 : "", start != NULL ? strlen(start + 1) + 1 : 1);
        if (ftruncate(fd, 0) != 0 || write(fd, text, strlen(text)) < 0) {
            return text; /* it stays long */
        }
    }
    return text;
}

int shell_history_open(void (*each)(void *context, const char *line), void *context)
{
    int fd = open_file();
    struct stat info;
    char *text, *rest, *line;

    if (fd < 0) {
        return -1;
    }
    if (!is_ours(fd, &info)) {
        close(fd);
        return -1;
    }
    text = rest = read_end(fd, info.st_size);
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (line[0] != '\0') {
            each(context, line);
        }
    }
    free(text);
    return fd;
}

void shell_history_add(int fd, const char *line)
{
    char *text = NULL;
    int len = fd >= 0 ? asprintf(&text, "%s\n", line) : -1;

    /* A line that cannot be kept is missing from the history, and from nothing else. */
    if (len >= 0 && write(fd, text, (size_t)len) == len) {
        free(text);
        return;
    }
    free(len >= 0 ? text : NULL);
}
