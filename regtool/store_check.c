/*
 * Reads a whole store in a child; see store_check.h. LMDB trusts its pages, so the child is forked
 * before anything is opened: where it crashes or does not come to an end, that is reported as
 * damage, too.
 */
#include "store_check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "report.h"
#include "show.h"
#include "tool.h"

#define MOST_SHOWN 100        /* damages: a bad page can bring thousands */
#define MOST_SECONDS_BUSY 10  /* of work without getting on: reading goes in circles */
#define MOST_SECONDS_IDLE 120 /* of waiting for what does not come */
#define LOOK_EVERY 500        /* milliseconds */

/* What the child leaves behind, in memory that both have. */
struct sheet {
    atomic_ullong steps;    /* grows as long as the check gets on */
    rs_check_report report; /* so far */
    bool opened;
    bool finished;
    int status;
    rs_error error;
};

struct checking {
    bool json;
    const char *dir;
    struct sheet *sheet;
    rs_error *why;  /* NULL: everything is printed; else nothing is, and the first damage is told */
    uint64_t shown; /* damages */
};

/* ---- Printing -------------------------------------------------------------------------------- */

static void json_member_place(struct json *json, const char *name, uint64_t number)
{
    if (number != 0) {
        json_member_number(json, name, number);
    } else {
        json_member(json, name);
        json_null(json);
    }
}

static void keep_damage(struct sheet *sheet, const char *text)
{
    if (sheet->error.status == RS_OK) {
        sheet->error.status = RS_EDAMAGED;
        snprintf(sheet->error.text, sizeof(sheet->error.text), "%s", text);
    }
}

/* At once, as the next step may be the last. */
static void print_damage(const struct checking *checking, const rs_damage *damage)
{
    if (checking->why != NULL) {
        keep_damage(checking->sheet, damage->text);
    } else if (checking->json) {
        struct json json = {.out = stdout};
        json_open(&json, '{');
        json_member_text(&json, "damage", damage->text);
        json_member_place(&json, "key", damage->key);
        json_member_place(&json, "revision", damage->revision);
        json_close(&json, '}');
        json_line(&json);
    } else {
        show_text(stdout, damage->text, strlen(damage->text), true);
        putchar('\n');
    }
    fflush(stdout);
}

static void print_report(const struct checking *checking, uint64_t damages)
{
    const rs_check_report *report = &checking->sheet->report;

    if (checking->why != NULL) {
        return;
    }
    if (checking->json) {
        struct json json = {.out = stdout};
        json_open(&json, '{');
        json_member_text(&json, "store", checking->dir);
        json_member_number(&json, "keys", report->keys);
        json_member_number(&json, "values", report->values);
        json_member_number(&json, "revisions", report->revisions);
        json_member_number(&json, "damages", damages);
        json_close(&json, '}');
        json_line(&json);
        return;
    }
    if (damages == 0) {
        fputs("no damage found", stdout);
    } else {
        printf("%" PRIu64 " %s found", damages, damages == 1 ? "damage" : "damages");
        if (damages > MOST_SHOWN) {
            printf(", %d shown", MOST_SHOWN);
        }
    }
    printf(": read %" PRIu64 " keys, %" PRIu64 " values, %" PRIu64 " revisions\n", report->keys,
           report->values, report->revisions);
}

/* ---- The child ------------------------------------------------------------------------------- */

static int on_damage(void *context, const rs_damage *damage)
{
    struct checking *checking = context;

    if (checking->shown < MOST_SHOWN) {
        checking->shown++;
        print_damage(checking, damage);
    }
    checking->sheet->report.damages++;
    return 0;
}

static int on_progress(void *context, const rs_check_report *report)
{
    struct checking *checking = context;

    checking->sheet->report = *report;
    atomic_fetch_add(&checking->sheet->steps, 1);
    return 0;
}

static int check_store(struct checking *checking)
{
    struct sheet *sheet = checking->sheet;
    rs_check_options options = {on_damage, on_progress, checking};
    rs_store *store;
    rs_txn *txn;
    int status = rs_open(checking->dir, RS_READONLY, &store, &sheet->error);

    if (status != RS_OK) {
        return status;
    }
    sheet->opened = true;
    status = rs_begin(store, RS_READ, &txn);
    if (status == RS_OK) {
        status = rs_check(txn, &options, &sheet->report);
        rs_abort(txn);
    }
    rs_close(store);
    return status;
}

/* Does not outlive its parent, leaves no core, and keeps LMDB's last words to itself. */
static void become_quiet(pid_t parent)
{
    struct rlimit none = {0, 0};
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(EXIT_FAILURE);
    }
    (void)setrlimit(RLIMIT_CORE, &none);
    if (null >= 0) {
        (void)dup2(null, STDERR_FILENO);
    }
}

static void run_child(struct checking *checking, pid_t parent)
{
    become_quiet(parent);
    checking->sheet->status = check_store(checking);
    checking->sheet->finished = true;
    fflush(stdout);
    _exit(ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* ---- The parent ------------------------------------------------------------------------------ */

/* How the child ended, or why it was ended. */
enum verdict { ENDED, CIRCLES, WAITS };

struct patience {
    unsigned long long steps; /* when the child was last seen to get on */
    double busy;              /* seconds of work until then */
    double time;
};

static double seconds_of(clockid_t clock)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static enum verdict look(const struct checking *checking, clockid_t clock,
                         struct patience *patience)
{
    unsigned long long steps = atomic_load(&checking->sheet->steps);
    double busy = seconds_of(clock);
    double time = seconds_of(CLOCK_MONOTONIC);

    if (steps != patience->steps || patience->time == 0) {
        *patience = (struct patience){steps, busy, time};
    }
    if (busy - patience->busy > MOST_SECONDS_BUSY) {
        return CIRCLES;
    }
    return time - patience->time > MOST_SECONDS_IDLE ? WAITS : ENDED;
}

/* The child holds the other end of the pipe alive as long as it lives itself. */
static enum verdict wait_for(const struct checking *checking, pid_t child, int alive, int *how)
{
    struct pollfd ended = {.fd = alive};
    struct patience patience = {0, 0, 0};
    enum verdict verdict = ENDED;
    clockid_t clock;

    if (clock_getcpuclockid(child, &clock) != 0) {
        clock = CLOCK_MONOTONIC;
    }
    while (verdict == ENDED && poll(&ended, 1, LOOK_EVERY) <= 0) {
        verdict = look(checking, clock, &patience);
    }
    if (verdict != ENDED) {
        kill(child, SIGKILL);
    }
    while (waitpid(child, how, 0) < 0 && errno == EINTR) {
    }
    return verdict;
}

static void print_place(const rs_check_report *report, char *place, size_t size)
{
    if (report->revision != 0) {
        snprintf(place, size, "the journal's revision %" PRIu64, report->revision);
    } else if (report->key != RS_NO_KEY) {
        snprintf(place, size, "key %" PRIu64, report->key);
    } else {
        snprintf(place, size, "the store");
    }
}

/* The child did not come to its end: that is a damage of its own. */
static int report_death(const struct checking *checking, enum verdict verdict, int how)
{
    const rs_check_report *report = &checking->sheet->report;
    char place[80];
    char text[RS_ERROR_TEXT_MAX];
    rs_damage damage = {.key = report->key, .revision = report->revision, .text = text};

    print_place(report, place, sizeof(place));
    if (verdict == CIRCLES) {
        snprintf(text, sizeof(text), "%s: reading it, or what comes after it, never ends", place);
    } else if (WIFSIGNALED(how)) {
        snprintf(text, sizeof(text), "%s: reading it, or what comes after it, crashes (%s)", place,
                 strsignal(WTERMSIG(how)));
    } else {
        snprintf(text, sizeof(text), "%s: reading it, or what comes after it, ends with status %d",
                 place, WEXITSTATUS(how));
    }
    print_damage(checking, &damage);
    print_report(checking, report->damages + 1);
    return 1;
}

static int report_end(const struct checking *checking)
{
    struct sheet *sheet = checking->sheet;

    if (sheet->status != RS_OK && sheet->error.status == RS_OK) {
        sheet->error.status = sheet->status;
    }
    if (sheet->status == RS_EDAMAGED && !sheet->opened) {
        print_damage(checking, &(rs_damage){.text = sheet->error.text});
        print_report(checking, 1);
        return 1;
    }
    if (sheet->status != RS_OK) {
        return checking->why != NULL ? 1
                                     : report_status(sheet->status, &sheet->error, checking->dir);
    }
    print_report(checking, sheet->report.damages);
    return sheet->report.damages == 0 ? 0 : 1;
}

static int fork_and_wait(struct checking *checking)
{
    enum verdict verdict;
    int alive[2];
    int how = 0;
    pid_t parent = getpid();
    pid_t child;

    fflush(stdout);
    if (pipe2(alive, O_CLOEXEC) != 0) {
        return report("check: %s", strerror(errno));
    }
    child = fork();
    if (child == 0) {
        run_child(checking, parent);
    }
    close(alive[1]);
    if (child < 0) {
        close(alive[0]);
        return report("check: %s", strerror(errno));
    }
    verdict = wait_for(checking, child, alive[0], &how);
    close(alive[0]);
    if (verdict == WAITS) {
        return report("%s: cannot be checked: nothing came for %d seconds", checking->dir,
                      MOST_SECONDS_IDLE);
    }
    return verdict == ENDED && checking->sheet->finished ? report_end(checking)
                                                         : report_death(checking, verdict, how);
}

static int check(struct checking *checking)
{
    void *memory =
        mmap(NULL, sizeof(struct sheet), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int result;

    if (memory == MAP_FAILED) {
        return report("check: %s", strerror(errno));
    }
    checking->sheet = memory;
    result = fork_and_wait(checking);
    if (checking->why != NULL && result != 0) {
        *checking->why = checking->sheet->error;
    }
    munmap(memory, sizeof(struct sheet));
    return result;
}

int store_check(const struct tool *tool, const char *dir)
{
    struct checking checking = {.json = tool->json, .dir = dir};

    return check(&checking);
}

int store_check_quietly(const char *dir, rs_error *why)
{
    struct checking checking = {.dir = dir, .why = why};

    *why = (rs_error)RS_ERROR_INIT;
    if (check(&checking) == 0) {
        return RS_OK;
    }
    return why->status != RS_OK ? why->status : RS_EDAMAGED;
}
