/*
 * storage_faults.c - every call on a file fails once, for ever or half done, under every verb.
 *
 *     storage_faults [--every K] [--seed N] [--verb NAME] [--call N] DIRECTORY
 *
 * DIRECTORY is empty and on a disk. Each case is a child with a store of its own: the verb runs
 * with the n-th call failing. Then the store is as before the verb or as after it, and the bell has
 * rung only for the latter; the answer fits what failed; the same process does the verb again with
 * nothing failing; and another process finds the same. With --every only each K-th call fails, from
 * one that the seed chooses. --verb and --call make one case again. Ends with "N passed, N failed,
 * 0 skipped". Needs verbs, fail_storage.
 */
#include "preloaded.h"
#include "verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CASE_SECONDS 60u

static struct preloaded calls;

static struct options {
    unsigned long every;
    unsigned long seed;
    const char *verb;
    unsigned long call;
    const char *dir;
} options = {.every = 1, .seed = 1};

static unsigned long passed, failures;
static unsigned long without; /* verbs that make no call that is made to fail */

/* What a verb makes of a place when nothing fails. */
struct expected {
    unsigned long calls;
    char *before, *after;
    char *files_before, *files_after;
};

struct one_case {
    const struct verb *verb;
    struct fail_plan plan;
    const struct expected *expected;
};

/* ---- Pieces ---- */

static const char *const how_names[] = {"once", "ever", "short"};

static char *join(const char *name)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", options.dir, name) < 0) {
        abort();
    }
    return path;
}

static void must(bool holds, const char *what)
{
    if (!holds) {
        printf("%s\n0 passed, 1 failed, 0 skipped\n", what);
        exit(1);
    }
}

static void stop_failing(void)
{
    calls.plan(&(struct fail_plan){.call = 0});
}

/* Opens the place unless the verb does so itself. What is made in $TMPDIR counts, too. */
static int open_for(const struct verb *verb, struct verb_place *place)
{
    char tmp[PATH_MAX];
    snprintf(tmp, sizeof tmp, "%s/tmp", place->top);
    if (setenv("TMPDIR", tmp, 1) != 0) {
        return RS_ENOMEM;
    }
    return verb->flags & VERB_OPENS ? RS_OK : verb_open(place);
}

static int render(const struct verb *verb, struct verb_place *place, char **text)
{
    return verb->flags & VERB_OPENS ? verb_render_dir(place->dir, text)
                                    : verb_render(place->store, text);
}

/* ---- One case, in a child ---- */

/* In a child: says what is wrong, and ends. */
static void give_up(const char *what, int status, const struct verb_place *place)
{
    printf("  %s: %s %s\n", what, status == VERB_WRONG ? "wrong" : rs_status_name(status),
           place->error.text);
    fflush(stdout);
    _exit(1);
}

/* A write that was cut off tells both: that it failed, and that disks end writes so when they are
 * full. */
static bool is_honest(const struct fail_plan *plan, int status)
{
    bool full = status == RS_EDISK && (plan->number == ENOSPC || plan->how == FAIL_SHORT);
    bool broken = status == RS_EIO && (plan->number == EIO || plan->how == FAIL_SHORT);
    return status == RS_OK || full || broken;
}

static void check_answer(const struct one_case *one, int status, const struct verb_place *place)
{
    if (!is_honest(&one->plan, status)) {
        give_up("the answer does not tell what failed", status, place);
    }
    if (status != RS_OK && place->error.status != RS_OK && place->error.text[0] == '\0') {
        give_up("the error has no text", status, place);
    }
}

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* True if the verb took place; it must have if it said so. */
static bool check_state(const struct one_case *one, struct verb_place *place, int status)
{
    const struct expected *expected = one->expected;
    char *now = NULL;
    int rendered = render(one->verb, place, &now);
    char *files = verb_render_files(place);
    if (rendered != RS_OK || files == NULL) {
        give_up("the store cannot be read in the same process", rendered, place);
    }
    bool after = same(now, expected->after) && same(files, expected->files_after);
    bool before = same(now, expected->before) && same(files, expected->files_before);
    if (!before && !after) {
        give_up("the state is neither as before nor as after", status, place);
    }
    if (status == RS_OK && !after) {
        give_up("said to have succeeded, but it has not", status, place);
    }
    free(now);
    free(files);
    return after;
}

static void do_again(const struct one_case *one, struct verb_place *place)
{
    place->error = (rs_error)RS_ERROR_INIT;
    int status = verb_run(one->verb, place, VERB_ABORTS);
    if (status != RS_OK) {
        give_up("cannot be done again in the same process", status, place);
    }
    if (!check_state(one, place, status)) {
        give_up("was done again, with another outcome", status, place);
    }
}

/* ---- The bell: after a commit and not before, as who is woken looks at once ---- */

static int listen_to_bell(const struct one_case *one, const struct verb_place *place)
{
    char bell[PATH_MAX + 8];
    snprintf(bell, sizeof bell, "%s/bell", place->dir);
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    bool listens = (one->verb->flags & VERB_WRITES) != 0 && fd >= 0 &&
                   inotify_add_watch(fd, bell, IN_CLOSE_WRITE | IN_MODIFY) >= 0;
    return listens ? fd : -1;
}

static bool has_rung(int listener)
{
    _Alignas(struct inotify_event) char events[4096];
    return listener >= 0 && read(listener, events, sizeof events) > 0;
}

static void check_bell(int listener, bool rang, bool after, int status,
                       const struct verb_place *place)
{
    if (rang && !after) {
        give_up("it rang, but there is nothing new", status, place);
    }
    if (listener >= 0 && !rang && status == RS_OK) {
        give_up("it did not ring", status, place);
    }
}

static void run_case(const struct one_case *one, struct verb_place *place)
{
    unsigned long failed;
    int status = open_for(one->verb, place);
    if (status != RS_OK) {
        give_up("the place cannot be opened", status, place);
    }
    int listener = listen_to_bell(one, place);
    calls.plan(&one->plan);
    status = verb_run(one->verb, place, VERB_ABORTS);
    bool rang = has_rung(listener);
    calls.seen(&failed);
    stop_failing();
    if (failed == 0 && status != RS_OK) {
        give_up("fails by itself", status, place);
    }
    check_answer(one, status, place);
    bool after = check_state(one, place, status);
    check_bell(listener, rang, after, status, place);
    if (!verb_left_nothing(place)) {
        give_up("something was left in the directory for temporary files", status, place);
    }
    if (!after || (one->verb->flags & (VERB_WRITES | VERB_FILES)) == 0) {
        do_again(one, place);
    }
    if (!(one->verb->flags & VERB_OPENS)) {
        verb_close(place);
    }
}

/* ---- Cases, in this process ---- */

static bool wait_for(pid_t child)
{
    int status = 0;
    if (waitpid(child, &status, 0) != child) {
        return false;
    }
    if (WIFSIGNALED(status)) {
        printf("  ended by signal %d\n", WTERMSIG(status));
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* What the renderings do not show: the journal, and LMDB's own lists of pages. */
static int check_all(const char *dir, rs_check_report *report)
{
    rs_store *store;
    rs_txn *txn;
    int status = rs_open(dir, RS_READONLY, &store, NULL);
    if (status != RS_OK) {
        return status;
    }
    status = rs_begin(store, RS_READ, &txn);
    if (status == RS_OK) {
        status = rs_check(txn, NULL, report);
        rs_abort(txn);
    }
    rs_close(store);
    return status;
}

/* Another process finds what the case left. */
static bool check_from_outside(const struct one_case *one, const struct verb_place *place)
{
    char *found = NULL;
    int status = verb_render_dir(place->dir, &found);
    if (status != RS_OK || !same(found, one->expected->after)) {
        printf("  another process finds something else: %s\n", rs_status_name(status));
        free(found);
        return false;
    }
    free(found);
    rs_check_report report = {0};
    status = check_all(place->dir, &report);
    if (status != RS_OK || report.damages != 0) {
        printf("  the store is damaged in %llu places: %s\n", (unsigned long long)report.damages,
               rs_status_name(status));
        return false;
    }
    return true;
}

static void try_case(const struct verb_place *master, const struct one_case *one)
{
    struct verb_place place;
    char *top = join("place");
    mkdir(top, 0755);
    must(verb_copy(master, &place, top) == RS_OK, "the place cannot be copied");
    must(verb_arrange(one->verb, &place) == RS_OK, "the place cannot be arranged");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(CASE_SECONDS);
        run_case(one, &place);
        _exit(0);
    }
    bool good = child > 0 && wait_for(child) && check_from_outside(one, &place);
    if (!good) {
        printf("FAILED: --verb %s --call %lu (%s, %s) of %lu\n", one->verb->name, one->plan.call,
               how_names[one->plan.how], strerrorname_np(one->plan.number), one->expected->calls);
    }
    passed += good;
    failures += !good;
    verb_remove(top);
    free(top);
}

/* ---- What is expected ---- */

/* Runs the verb with nothing failing; the calls are counted in a file, as a child makes them. */
static void count_calls(const struct verb *verb, struct verb_place *place, const char *file)
{
    unsigned long failed;
    FILE *out = fopen(file, "w");
    struct fail_plan plan = {.call = 0};
    snprintf(plan.dir, sizeof plan.dir, "%s", place->top);
    int status = open_for(verb, place);
    calls.plan(&plan);
    if (status == RS_OK) {
        status = verb_run(verb, place, VERB_ABORTS);
    }
    unsigned long count = calls.seen(&failed);
    stop_failing();
    if (status == RS_OK && !(verb->flags & VERB_OPENS)) {
        verb_close(place);
    }
    _exit(out != NULL && status == RS_OK && fprintf(out, "%lu\n", count) > 0 && fclose(out) == 0
              ? 0
              : 1);
}

static bool expect(const struct verb *verb, const struct verb_place *master,
                   struct expected *expected)
{
    struct verb_place place;
    char *top = join("place");
    char *file = join("calls");
    mkdir(top, 0755);
    must(verb_copy(master, &place, top) == RS_OK, "the place cannot be copied");
    must(verb_arrange(verb, &place) == RS_OK, "the place cannot be arranged");
    bool good = verb_render_dir(place.dir, &expected->before) == RS_OK;
    expected->files_before = verb_render_files(&place);
    pid_t child = fork();
    if (child == 0) {
        count_calls(verb, &place, file);
    }
    good = good && child > 0 && wait_for(child);
    good = good && verb_render_dir(place.dir, &expected->after) == RS_OK;
    expected->files_after = verb_render_files(&place);
    FILE *in = fopen(file, "r");
    good = good && in != NULL && fscanf(in, "%lu", &expected->calls) == 1;
    if (in != NULL) {
        fclose(in);
    }
    unlink(file);
    verb_remove(top);
    free(top);
    free(file);
    return good && expected->files_before != NULL && expected->files_after != NULL;
}

static bool is_chosen(const struct verb *verb, unsigned long call)
{
    if (options.call != 0) {
        return call == options.call;
    }
    return (call + options.seed + (unsigned char)verb->name[0]) % options.every == 0;
}

static void try_call(const struct verb_place *master, struct one_case *one)
{
    static const int numbers[] = {EIO, ENOSPC};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        one->plan.number = numbers[i];
        one->plan.how = FAIL_ONCE;
        try_case(master, one);
        one->plan.how = FAIL_EVER;
        try_case(master, one);
    }
    one->plan.how = FAIL_SHORT;
    try_case(master, one);
}

static void try_verb(const struct verb_place *master, const struct verb *verb)
{
    struct expected expected = {0};
    if (!expect(verb, master, &expected)) {
        printf("FAILED: %s: does not succeed with nothing failing\n", verb->name);
        failures++;
        return;
    }
    struct one_case one = {.verb = verb, .expected = &expected};
    snprintf(one.plan.dir, sizeof one.plan.dir, "%s/place", options.dir);
    for (one.plan.call = 1; one.plan.call <= expected.calls; one.plan.call++) {
        if (is_chosen(verb, one.plan.call)) {
            try_call(master, &one);
        }
    }
    without += expected.calls == 0;
    free(expected.before);
    free(expected.after);
    free(expected.files_before);
    free(expected.files_after);
}

/* ---- The program ---- */

static bool read_options(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        bool last = i + 1 == argc;
        if (strncmp(argv[i], "--", 2) != 0) {
            options.dir = argv[i];
        } else if (last) {
            return false;
        } else if (strcmp(argv[i], "--every") == 0) {
            options.every = strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0) {
            options.seed = strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--verb") == 0) {
            options.verb = argv[++i];
        } else if (strcmp(argv[i], "--call") == 0) {
            options.call = strtoul(argv[++i], NULL, 10);
        } else {
            return false;
        }
    }
    return options.dir != NULL && options.every > 0;
}

int main(int argc, char **argv)
{
    struct verb_place master;
    if (!read_options(argc, argv)) {
        fputs("usage: storage_faults [--every K] [--seed N] [--verb NAME] [--call N] DIRECTORY\n",
              stderr);
        return 2;
    }
    must(preloaded_find(&calls, argv), "fail_storage.so cannot be preloaded");
    options.dir = realpath(options.dir, NULL);
    must(options.dir != NULL, "no such directory");
    char *top = join("master");
    must(mkdir(top, 0755) == 0 && verb_prepare(&master, top) == RS_OK, "cannot make a store");
    for (size_t i = 0; verb_at(i) != NULL; i++) {
        if (options.verb == NULL || strcmp(options.verb, verb_at(i)->name) == 0) {
            try_verb(&master, verb_at(i));
        }
    }
    verb_remove(top);
    free(top);
    printf("seed %lu, each %lu. call, %lu cases; %lu verbs only read, and make no call to fail\n",
           options.seed, options.every, passed + failures, without);
    printf("%lu passed, %lu failed, 0 skipped\n", passed, failures);
    return failures == 0 && passed + without > 0 ? 0 : 1;
}
