/* Waits for the end of an unconfirmed change; see timer.h. */
#include "timer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <regstore.h>

#include "report.h"

#define LOOK_MS 2000u      /* it may be confirmed, or taken back by others, meanwhile */
#define RETRY_MS 1000u     /* where the store cannot be written for now */
#define MOST_FAILURES 600u /* then it is left to others */

/* ---- What it does ---- */

enum state { WAITS, OVER, UNKNOWN };

static enum state look_into(rs_store *store, uint64_t revision, uint64_t *left_ms)
{
    rs_txn *txn;
    rs_pending pending;
    int status = rs_begin(store, RS_READ, &txn);

    if (status != RS_OK) {
        return UNKNOWN;
    }
    status = rs_confirm_pending(txn, &pending);
    rs_abort(txn);
    if (status != RS_OK) {
        return status == RS_ENOTFOUND ? OVER : UNKNOWN;
    }
    *left_ms = pending.left_ms;
    return pending.revision == revision ? WAITS : OVER;
}

/* It is over when the revision does not wait any more, and when the store is gone. What else keeps
 * the store from being opened may pass. */
static enum state look(const char *dir, uint64_t revision, uint64_t *left_ms)
{
    enum state state;
    rs_store *store;
    int status = rs_open(dir, RS_READONLY, &store, NULL);

    if (status != RS_OK) {
        return status == RS_ENOSTORE ? OVER : UNKNOWN;
    }
    state = look_into(store, revision, left_ms);
    rs_close(store);
    return state;
}

/* Opening for writing does it. */
static void take_back(const char *dir)
{
    rs_store *store;

    if (rs_open(dir, 0, &store, NULL) == RS_OK) {
        rs_close(store);
    }
}

static void pause_ms(uint64_t ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

static void wait_and_take_back(const char *dir, uint64_t revision)
{
    enum state state;
    unsigned failures = 0;
    uint64_t left_ms = 0;

    while (failures < MOST_FAILURES && (state = look(dir, revision, &left_ms)) != OVER) {
        if (state == WAITS && left_ms > 0) {
            pause_ms(left_ms < LOOK_MS ? left_ms : LOOK_MS);
            continue;
        }
        if (state == WAITS) {
            take_back(dir);
            state = look(dir, revision, &left_ms);
        }
        if (state != OVER) {
            failures++;
            pause_ms(RETRY_MS);
        }
    }
}

/* ---- How it is left behind ---- */

/* Whoever reads what this command prints must not wait for the timer's end, and nothing that the
 * command has open may stay so. */
static void let_go(void)
{
    int fd = open("/dev/null", O_RDWR);

    for (int standard = STDIN_FILENO; fd >= 0 && standard <= STDERR_FILENO; standard++) {
        dup2(fd, standard);
    }
    close_range(STDERR_FILENO + 1, ~0u, 0);
    signal(SIGHUP, SIG_IGN);
    if (chdir("/") != 0) {
        _exit(EXIT_FAILURE);
    }
}

/* The directory's name has to hold from elsewhere. */
static char *absolute(const char *dir)
{
    char *chosen = NULL;
    char *path;

    if (dir == NULL && rs_default_dir(&chosen) != RS_OK) {
        return NULL;
    }
    path = realpath(dir != NULL ? dir : chosen, NULL);
    rs_free(chosen);
    return path;
}

/* In a child, whose own child gets another parent. */
static void leave(const char *dir, uint64_t revision)
{
    pid_t timer = -1;

    if (setsid() >= 0) {
        timer = fork();
    }
    if (timer != 0) {
        _exit(timer > 0 ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    let_go();
    wait_and_take_back(dir, revision);
    _exit(EXIT_SUCCESS);
}

static bool started(pid_t child)
{
    int status;

    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return false;
        }
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

void timer_start(const char *dir, uint64_t revision)
{
    char *path = absolute(dir);
    pid_t child;

    fflush(stdout);
    child = path != NULL ? fork() : -1;
    if (child == 0) {
        leave(path, revision);
    }
    if (child < 0 || !started(child)) {
        report("no timer could be started; the next who opens the store for writing takes "
               "the change back");
    }
    free(path);
}
