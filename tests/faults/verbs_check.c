/*
 * verbs_check.c - tries the table of verbs itself, with nothing failing.
 *
 *     verbs DIRECTORY        an empty directory to work in
 *
 * Each verb has to succeed; one that writes has to change what is rendered, and one that does not
 * has to leave it alone. So what the fault programs find later is the fault's doing. Ends with "N
 * passed, N failed, 0 skipped"; exit status 1 if any failed. Needs verbs.
 */
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static unsigned passed, failed;

static void expect(const struct verb *verb, bool holds, const char *what)
{
    if (!holds) {
        printf("FAILED: %s: %s\n", verb->name, what);
    }
    passed += holds;
    failed += !holds;
}

static void must(int status, const char *what)
{
    if (status != RS_OK) {
        printf("%s: %s\n0 passed, 1 failed, 0 skipped\n", what, rs_strerror(status));
        exit(1);
    }
}

static char *content(const struct verb_place *place)
{
    char *text = NULL;
    must(verb_render_dir(place->dir, &text), "the store cannot be rendered");
    return text;
}

static int run_once(const struct verb *verb, struct verb_place *place)
{
    int status = verb->flags & VERB_OPENS ? RS_OK : verb_open(place);
    if (status == RS_OK) {
        status = verb_run(verb, place, VERB_ABORTS);
        verb_close(place);
    }
    return status;
}

static void check(const struct verb *verb, const struct verb_place *fixture, const char *top)
{
    struct verb_place place;
    verb_remove(top);
    must(verb_copy(fixture, &place, top), "the place cannot be copied");
    must(verb_arrange(verb, &place), "the place cannot be arranged");
    char *before = content(&place);
    char *files_before = verb_render_files(&place);
    int status = run_once(verb, &place);
    if (status != RS_OK) {
        printf("%s: %d %s %s\n", verb->name, status, rs_strerror(status), place.error.text);
    }
    expect(verb, status == RS_OK, "did not succeed");
    char *after = content(&place);
    char *files_after = verb_render_files(&place);
    bool changed = strcmp(before, after) != 0;
    bool files_changed = strcmp(files_before, files_after) != 0;
    expect(verb, changed == ((verb->flags & VERB_WRITES) != 0), "changed the store, or did not");
    expect(verb, files_changed == ((verb->flags & VERB_FILES) != 0), "changed files, or did not");
    free(before);
    free(after);
    free(files_before);
    free(files_after);
}

int main(int argc, char **argv)
{
    char fixture_top[PATH_MAX / 2], top[PATH_MAX / 2];
    struct verb_place fixture;
    if (argc != 2) {
        fputs("usage: verbs DIRECTORY\n", stderr);
        return 2;
    }
    snprintf(fixture_top, sizeof fixture_top, "%s/fixture", argv[1]);
    snprintf(top, sizeof top, "%s/place", argv[1]);
    must(mkdir(fixture_top, 0755) == 0 && mkdir(top, 0755) == 0 ? RS_OK : RS_EIO, argv[1]);
    must(verb_prepare(&fixture, fixture_top), "the place cannot be made");
    for (size_t i = 0; verb_at(i) != NULL; i++) {
        check(verb_at(i), &fixture, top);
    }
    verb_remove(argv[1]);
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
