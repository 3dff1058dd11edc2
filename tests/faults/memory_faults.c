/*
 * memory_faults.c - every verb with every allocation failing in turn.
 *
 *     memory_faults DIRECTORY [VERB [N]]      an empty directory to work in
 *
 * To be run with fail_memory.so preloaded. For each verb, the first allocation fails, then the
 * second, until the verb ends before its nth; once with only that one failing, and once with all
 * after it. A write is also committed after it failed. Each time:
 *
 *   - the verb answers RS_ENOMEM, or does its work: then that allocation could be spared;
 *   - what is stored is as before, or as after the work, and so are the files;
 *   - the verb succeeds when it is tried again on the same store;
 *   - nothing that was allocated is left when the store is closed.
 *
 * Ends with "N passed, N failed, 0 skipped", counting verbs in each of the three ways; exit status
 * 1 if any failed, 2 for wrong arguments. With VERB it tries that one alone, with N only the Nth
 * allocation, and shows where it was. Needs verbs and fail_memory.
 */
#include "fail_memory.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FAULTS_MAX 20000ul /* a verb with more is one that never ends */
#define ALL_UNTIL 12ul
#define SOME 7ul
#define SHOWN_MAX 3 /* problems of one verb in one way */

struct way {
    const char *name;
    bool all_after;
    enum verb_ending ending;
};

static const struct way ways[] = {
    {"one fails", false, VERB_ABORTS},
    {"all fail from there on", true, VERB_ABORTS},
    {"one fails, then committed", false, VERB_COMMITS},
};

/* What is stored in a place: in its store, and in its files. */
struct content {
    char *store;
    char *files;
};

struct trial {
    const struct verb *verb;
    const struct way *way;
    unsigned long nth;
    unsigned problems;
    bool show;
    char top[PATH_MAX / 2];
    struct verb_place place;
    struct content before;
    struct content after;
};

static struct verb_place fixture;
static unsigned long faults, spared;

static void die(const char *what, int status)
{
    printf("%s: %s\n0 passed, 1 failed, 0 skipped\n", what, rs_strerror(status));
    exit(1);
}

static void problem(struct trial *trial, const char *what, int status)
{
    if (trial->problems++ < SHOWN_MAX) {
        const char *name = rs_status_name(status);
        printf("FAILED: %s: allocation %lu, %s: %s (%s)\n", trial->verb->name, trial->nth,
               trial->way->name, what, name != NULL ? name : "wrong result");
        fail_memory_show();
    }
}

/* ---- Content ---- */

static int read_content(struct verb_place *place, struct content *content)
{
    int status = place->store != NULL ? verb_render(place->store, &content->store)
                                      : verb_render_dir(place->dir, &content->store);
    content->files = verb_render_files(place);
    return status == RS_OK && content->files == NULL ? RS_EIO : status;
}

static void free_content(struct content *content)
{
    free(content->store);
    free(content->files);
    *content = (struct content){NULL, NULL};
}

static void expect_content(struct trial *trial, const struct content *wanted, const char *what)
{
    struct content found = {NULL, NULL};
    int status = read_content(&trial->place, &found);
    if (status != RS_OK || strcmp(found.store, wanted->store) != 0 ||
        strcmp(found.files, wanted->files) != 0) {
        problem(trial, what, status);
    }
    free_content(&found);
}

/* ---- One fault ---- */

static void set_up(struct trial *trial)
{
    verb_remove(trial->top);
    int status = verb_copy(&fixture, &trial->place, trial->top);
    status = status != RS_OK ? status : verb_arrange(trial->verb, &trial->place);
    if (status == RS_OK && (trial->verb->flags & VERB_OPENS) == 0) {
        status = verb_open(&trial->place);
    }
    if (status != RS_OK) {
        die("a place cannot be made", status);
    }
}

static int run_armed(struct trial *trial, unsigned long *count)
{
    fail_memory_arm(trial->nth, trial->way->all_after);
    int status = verb_run(trial->verb, &trial->place, trial->way->ending);
    *count = fail_memory_disarm();
    return status;
}

static void judge_failure(struct trial *trial, int status)
{
    const rs_error *error = &trial->place.error;
    if (status != RS_ENOMEM) {
        problem(trial, "not RS_ENOMEM", status);
    }
    if (error->status != RS_OK && (error->status != status || error->text[0] == '\0')) {
        problem(trial, error->text, error->status);
    }
    if (trial->verb->flags & VERB_STEPS) {
        return; /* some of it may be done */
    }
    expect_content(trial, &trial->before, "changed what is stored");
    status = verb_run(trial->verb, &trial->place, VERB_ABORTS);
    if (status != RS_OK) {
        problem(trial, "cannot be tried again", status);
    }
}

/* True while there may be a further allocation to fail. */
static bool try_fault(struct trial *trial)
{
    unsigned long count;
    long live = fail_memory_live();
    set_up(trial);
    int status = run_armed(trial, &count);
    bool hit = count >= trial->nth;
    faults += hit;
    spared += hit && status == RS_OK;
    if (status != RS_OK) {
        judge_failure(trial, status);
    }
    if (!hit || !(trial->verb->flags & VERB_STEPS)) {
        expect_content(trial, &trial->after, "did not store what it should have");
    }
    verb_close(&trial->place);
    if (fail_memory_live() != live) {
        problem(trial, "memory is not freed", status);
    }
    if (trial->show) {
        printf("allocation %lu: %s\n", trial->nth, rs_strerror(status));
        fail_memory_show();
    }
    return hit;
}

/* ---- One verb ---- */

/* What the verb does with nothing failing; also what libraries allocate once and keep. */
static void learn(struct trial *trial)
{
    set_up(trial);
    int status = read_content(&trial->place, &trial->before);
    if (status == RS_OK) {
        status = verb_run(trial->verb, &trial->place, VERB_ABORTS);
    }
    if (status == RS_OK) {
        status = read_content(&trial->place, &trial->after);
    }
    verb_close(&trial->place);
    if (status != RS_OK) {
        die(trial->verb->name, status);
    }
}

/* The first way takes every allocation; the others, far into a long verb, some: there it does the
 * same again and again. */
static unsigned long step_after(const struct trial *trial)
{
    return trial->way == ways || trial->nth < ALL_UNTIL ? 1 : SOME;
}

static bool try_verb(const struct verb *verb, const struct way *way, const char *top,
                     unsigned long only)
{
    struct trial trial = {.verb = verb, .way = way, .nth = 1, .show = only != 0};
    strcpy(trial.top, top);
    learn(&trial);
    if (only != 0) {
        trial.nth = only;
        try_fault(&trial);
    } else {
        while (try_fault(&trial) && trial.nth < FAULTS_MAX) {
            trial.nth += step_after(&trial);
        }
    }
    if (trial.nth >= FAULTS_MAX) {
        problem(&trial, "there is no end of it", RS_OK);
    }
    free_content(&trial.before);
    free_content(&trial.after);
    return trial.problems == 0;
}

static bool has_way(const struct verb *verb, const struct way *way)
{
    return way->ending == VERB_ABORTS || (verb->flags & (VERB_WRITES | VERB_MANY)) == VERB_WRITES;
}

int main(int argc, char **argv)
{
    char fixture_top[PATH_MAX / 2], top[PATH_MAX / 2];
    unsigned passed = 0, failed = 0;
    if (argc < 2 || argc > 4 || fail_memory_arm == NULL) {
        fputs("usage: memory_faults DIRECTORY [VERB [N]], with fail_memory.so preloaded\n", stderr);
        return 2;
    }
    static char output[BUFSIZ]; /* not memory that a verb would seem to have left */
    setvbuf(stdout, output, _IOLBF, sizeof output);
    snprintf(fixture_top, sizeof fixture_top, "%s/fixture", argv[1]);
    snprintf(top, sizeof top, "%s/place", argv[1]);
    if (mkdir(fixture_top, 0755) != 0 || mkdir(top, 0755) != 0) {
        die(argv[1], RS_EIO);
    }
    int status = verb_prepare(&fixture, fixture_top);
    if (status != RS_OK) {
        die("a place cannot be made", status);
    }
    unsigned long only = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    for (size_t i = 0; verb_at(i) != NULL; i++) {
        const struct verb *verb = verb_at(i);
        for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
            if (has_way(verb, &ways[w]) && (argc < 3 || strcmp(argv[2], verb->name) == 0)) {
                bool good = try_verb(verb, &ways[w], top, only);
                passed += good;
                failed += !good;
            }
        }
    }
    verb_remove(argv[1]);
    printf("%lu allocations failed, %lu of them could be spared\n", faults, spared);
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}
