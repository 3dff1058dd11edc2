/* What would go to a terminal raw. */
#include "terminal_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "invoke.h"
#include "report.h"
#include "show.h"

static void run_child(int writer, int (*work)(void *context), void *context)
{
    int result = 1;

    if (dup2(writer, STDOUT_FILENO) >= 0) {
        result = work(context);
        if (fflush(stdout) != 0) {
            result = 1;
        }
    }
    _exit(result);
}

/* The end of a line, and tabs, are what they are. */
static void show_line(const char *line, size_t len)
{
    size_t text = len;

    if (text > 0 && line[text - 1] == '\n') {
        text--;
        text -= text > 0 && line[text - 1] == '\r';
    }
    for (size_t at = 0; at < text; at++) {
        const char *tab = memchr(line + at, '\t', text - at);
        size_t end = tab != NULL ? (size_t)(tab - line) : text;

        show_text(stdout, line + at, end - at, true);
        if (tab != NULL) {
            putchar('\t');
        }
        at = end;
    }
    if (text < len) {
        putchar('\n');
    }
}

/* After output that is lost the child's next write fails, and that ends it. */
static void show_all(int reader)
{
    FILE *in = fdopen(reader, "r");
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    if (in == NULL) {
        close(reader);
        return;
    }
    while (!ferror(stdout) && (len = getline(&line, &size, in)) > 0) {
        show_line(line, (size_t)len);
    }
    free(line);
    fclose(in);
}

static int wait_for(pid_t child)
{
    int how = 0;

    while (waitpid(child, &how, 0) < 0) {
        if (errno != EINTR) {
            return 1;
        }
    }
    return WIFEXITED(how) ? WEXITSTATUS(how) : 1;
}

int terminal_filter(int (*work)(void *context), void *context)
{
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return report("standard output: %s", strerror(errno));
    }
    child = invoke_fork();
    if (child == 0) {
        close(ends[0]);
        run_child(ends[1], work, context);
    }
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return report("standard output: %s", strerror(errno));
    }
    show_all(ends[0]);
    return wait_for(child);
}
