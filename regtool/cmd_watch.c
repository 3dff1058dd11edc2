/*
 * regtool watch: shows each change as it is made, or runs a command for it. Ends at SIGINT and
 * SIGTERM, between two revisions. The line that says from where it watches goes to standard error
 * once the watch stands: what is changed after that line is seen.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "arguments.h"
#include "report.h"
#include "run_command.h"
#include "tool.h"
#include "watch_print.h"

struct watcher {
    struct tool *tool;
    rs_store *store;
    rs_watch *watch;
    int signals;         /* descriptor */
    const char *path;    /* of the key, as it was asked for */
    const char *command; /* NULL: the changes are printed */
    bool once;
};

/* What the work on one batch comes to. */
enum outcome { GO_ON, DONE, FAILED };

static int print(FILE *out, bool json, const rs_batch *batch, uint64_t revision)
{
    if (batch == NULL) {
        watch_print_behind(out, json, revision);
    } else if (json) {
        return watch_print_json(out, batch);
    } else {
        return watch_print_text(out, batch);
    }
    return RS_OK;
}

static int set_environment(const struct watcher *watcher, uint64_t revision)
{
    char number[24];

    snprintf(number, sizeof(number), "%" PRIu64, revision);
    if (setenv("REGSTORE_REVISION", number, 1) != 0 ||
        setenv("REGSTORE_KEY", watcher->path, 1) != 0 ||
        setenv("REGSTORE", rs_store_dir(watcher->store), 1) != 0) {
        return report_status(RS_ENOMEM, NULL, watcher->command);
    }
    return 0;
}

/* A command that fails is reported, and the watch goes on. */
static int run(const struct watcher *watcher, const rs_batch *batch, uint64_t revision)
{
    FILE *input = run_command_input();
    int status;

    if (input == NULL) {
        return report("%s: %s", watcher->command, strerror(errno));
    }
    status = print(input, true, batch, revision);
    if (status != RS_OK || set_environment(watcher, revision) != 0) {
        fclose(input);
        return status != RS_OK ? report_status(status, NULL, watcher->path) : 1;
    }
    fflush(stdout);
    status = run_command(watcher->command, input);
    if (status < 0) {
        return report("%s: %s", watcher->command, strerror(errno));
    }
    if (status != 0) {
        return report("%s: exit status %d at revision %" PRIu64, watcher->command, status,
                      revision);
    }
    return 0;
}

/* batch is NULL where the journal no longer holds what came. */
static enum outcome work_on(const struct watcher *watcher, const rs_batch *batch)
{
    uint64_t revision = batch != NULL ? batch->revision : rs_watch_position(watcher->watch);
    int status;

    if (watcher->command != NULL) {
        if (run(watcher, batch, revision) != 0 && watcher->once) {
            return FAILED;
        }
    } else {
        status = print(stdout, watcher->tool->json, batch, revision);
        if (status != RS_OK) {
            report_status(status, NULL, watcher->path);
            return FAILED;
        }
        if (output_flush_lost(watcher->tool)) {
            return FAILED;
        }
    }
    return watcher->once ? DONE : GO_ON;
}

static bool signalled(const struct watcher *watcher)
{
    struct pollfd ready = {.fd = watcher->signals, .events = POLLIN};

    return poll(&ready, 1, 0) > 0;
}

static enum outcome drain(const struct watcher *watcher)
{
    enum outcome outcome = GO_ON;

    while (outcome == GO_ON && !signalled(watcher)) {
        const rs_batch *batch = NULL;
        int status = rs_watch_next(watcher->watch, &batch);
        if (status == RS_END) {
            return GO_ON;
        }
        if (status != RS_OK && status != RS_EBEHIND) {
            report_status(status, NULL, watcher->path);
            return FAILED;
        }
        outcome = work_on(watcher, status == RS_OK ? batch : NULL);
    }
    return outcome;
}

/* Waits for changes, for a signal, and for the reader of what is printed to leave (poll() tells
 * that without being asked); a command that is run may live without one. */
static int loop(const struct watcher *watcher)
{
    struct pollfd ready[] = {{.fd = rs_watch_fd(watcher->watch), .events = POLLIN},
                             {.fd = watcher->signals, .events = POLLIN},
                             {.fd = watcher->command == NULL ? STDOUT_FILENO : -1}};

    for (;;) {
        enum outcome outcome = drain(watcher);
        if (outcome != GO_ON) {
            return outcome == DONE ? 0 : 1;
        }
        if (poll(ready, 3, -1) < 0 && errno != EINTR) {
            return report("%s: %s", watcher->path, strerror(errno));
        }
        if (ready[1].revents != 0) {
            return 0;
        }
        if (ready[2].revents != 0) {
            return 1;
        }
    }
}

static int open_signals(int *signals)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &set, NULL) == 0) {
        *signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    }
    return *signals >= 0 ? 0 : report("signalfd: %s", strerror(errno));
}

static int watch(struct watcher *watcher, unsigned flags, uint64_t since)
{
    rs_error error = RS_ERROR_INIT;
    int result;
    int status =
        rs_watch_open(watcher->store, watcher->path, flags, since, &watcher->watch, &error);

    if (status != RS_OK) {
        return report_status(status, &error, watcher->path);
    }
    remark("watching %s from revision %" PRIu64, watcher->path, rs_watch_position(watcher->watch));
    result = loop(watcher);
    rs_watch_close(watcher->watch);
    return result;
}

/* The revision to begin after; all digits, so that "-1" does not become a large number. */
static int read_since(const char *text, uint64_t *since)
{
    char *end;

    *since = RS_NOW;
    if (text == NULL) {
        return 0;
    }
    errno = 0;
    *since = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0) {
        return report("watch: \"%s\" is not the number of a revision", text);
    }
    return 0;
}

int cmd_watch(struct tool *tool, const struct arguments *arguments)
{
    struct watcher watcher = {.tool = tool, .signals = -1, .path = arguments->operands[0]};
    unsigned flags = has_switch(arguments, SWITCH_RECURSIVE) ? RS_SUBTREE : 0;
    uint64_t since;
    int result;

    watcher.command = arguments->switches[SWITCH_EXEC];
    watcher.once = has_switch(arguments, SWITCH_ONCE);
    if (read_since(arguments->switches[SWITCH_SINCE], &since) != 0) {
        return 1;
    }
    if (open_signals(&watcher.signals) != 0) {
        return 1;
    }
    result = tool_open(tool, RS_READONLY, &watcher.store);
    if (result == 0) {
        result = watch(&watcher, flags, since);
        rs_close(watcher.store);
    }
    close(watcher.signals);
    return result;
}
