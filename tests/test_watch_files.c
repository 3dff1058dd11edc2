/*
 * test_watch_files.c - the files of named watches, and the directory they are in: what else may lie
 * there, and who else may hold it.
 */
#include "stage.h"
#include "stores.h"
#include "../regstore/watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY "HKLM\\Service"
#define NAMES 1000

static int add_name(void *context, const rs_service *service)
{
    char *names = context;
    size_t used = strlen(names);
    snprintf(names + used, NAMES - used, "%s|", service->name);
    return 0;
}

/* Their names, each with "|" after it. */
static const char *services(rs_store *store)
{
    static char names[NAMES];
    names[0] = '\0';
    MUST(rs_services(store, add_name, names) == RS_OK);
    return names;
}

static void test_stray_files(void)
{
    rs_store *store = stage_store();
    rs_watch *watch = NULL;
    FILE *file = fopen(scratch_path("store/watches/noise.pos"), "w");
    MUST(file != NULL && fputs("noise", file) >= 0 && fclose(file) == 0);
    MUST(mkfifo(scratch_path("store/watches/pipe.pos"), 0600) == 0);
    MUST(mkdir(scratch_path("store/watches/dir.pos"), 0700) == 0);
    MUST(symlink("noise.pos", scratch_path("store/watches/link.pos")) == 0);
    CU_ASSERT_STRING_EQUAL(services(store), "");
    CU_ASSERT_NOT_EQUAL(rs_watch_open_named(store, "dir", KEY, 0, &watch, NULL), RS_OK);
    MUST(rs_watch_open_named(store, "noise", KEY, 0, &watch, NULL) == RS_OK);
    EXPECT(watch, "behind");
    rs_watch_close(watch);
    rs_close(store);
}

/* What no watch has written: a file whose path is none concerns nobody. */
static void test_file_with_a_strange_path(void)
{
    char told[NAMES] = "";
    struct watch_named *named = NULL;
    rs_store *store = stage_store();
    struct watch_record fresh = {.store = env_data_inode(store->env), .path = "nonsense"};
    MUST(watch_named_open(scratch_path("store"), "odd", &fresh, &named, NULL) == RS_OK);
    uint64_t revision = stage_set(store, KEY, "a", 1);
    CU_ASSERT_STRING_EQUAL(services(store), "odd|");
    CU_ASSERT_EQUAL(rs_wait(store, revision, 0, add_name, told), RS_OK);
    CU_ASSERT_STRING_EQUAL(told, "");
    watch_named_close(named, false);
    rs_close(store);
}

/* What was answered about the revisions of another store is no answer. */
static void test_answer_about_another_store(void)
{
    char told[NAMES] = "";
    struct watch_named *named = NULL;
    rs_store *store = stage_store();
    struct watch_record fresh = {.store = env_data_inode(store->env) + 1, .path = KEY};
    MUST(watch_named_open(scratch_path("store"), "odd", &fresh, &named, NULL) == RS_OK);
    uint64_t revision = stage_set(store, KEY, "a", 1);
    watch_record_answer(&named->record, revision, RS_ANSWER_APPLIED, "");
    MUST(watch_named_save(named) == RS_OK);
    CU_ASSERT_EQUAL(rs_wait(store, revision, 0, add_name, told), RS_ETIMEOUT);
    named->record.store--;
    MUST(watch_named_save(named) == RS_OK);
    CU_ASSERT_EQUAL(rs_wait(store, revision, 0, add_name, told), RS_OK);
    CU_ASSERT_STRING_EQUAL(told, "odd|odd|");
    watch_named_close(named, false);
    rs_close(store);
}

static void test_wait_for_what_is_forgotten(void)
{
    rs_store *store = stage_store();
    for (uint32_t i = 0; i < 3; i++) {
        stage_set(store, KEY, "a", i);
    }
    trim_history(store, 2);
    CU_ASSERT_EQUAL(rs_wait(store, 1, 0, NULL, NULL), RS_EBEHIND);
    CU_ASSERT_EQUAL(rs_wait(store, 2, 0, NULL, NULL), RS_OK);
    CU_ASSERT_EQUAL(rs_wait(store, 4, 0, NULL, NULL), RS_ENOTFOUND);
    rs_close(store);
}

static void test_directory_missing_or_elsewhere(void)
{
    char told[NAMES] = "";
    rs_store *store = stage_store();
    rs_watch *watch = NULL;
    char *elsewhere = strdup(scratch_path("elsewhere"));
    MUST(rename(scratch_path("store/watches"), elsewhere) == 0);
    CU_ASSERT_STRING_EQUAL(services(store), "");
    CU_ASSERT_NOT_EQUAL(rs_watch_open_named(store, "a", KEY, 0, &watch, NULL), RS_OK);
    MUST(symlink(elsewhere, scratch_path("store/watches")) == 0);
    CU_ASSERT_EQUAL(rs_services(store, add_name, told), RS_EUNSAFE);
    CU_ASSERT_NOT_EQUAL(rs_watch_open_named(store, "a", KEY, 0, &watch, NULL), RS_OK);
    CU_ASSERT_STRING_EQUAL(told, "");
    free(elsewhere);
    rs_close(store);
}

/* Somebody who keeps the directory's lock is not waited for for ever. */
static void test_directory_in_use(void)
{
    rs_error error = RS_ERROR_INIT;
    rs_watch *watch = NULL;
    rs_store *store = stage_store();
    int fd = open(scratch_path("store/watches"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MUST(fd >= 0 && flock(fd, LOCK_EX) == 0);
    CU_ASSERT_EQUAL(rs_watch_open_named(store, "a", KEY, 0, &watch, &error), RS_EBUSY);
    CU_ASSERT(strstr(error.text, "watches: in use") != NULL);
    close(fd);
    MUST(rs_watch_open_named(store, "a", KEY, 0, &watch, &error) == RS_OK);
    rs_watch_close(watch);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"stray files", test_stray_files},
    {"file with a strange path", test_file_with_a_strange_path},
    {"answer about another store", test_answer_about_another_store},
    {"wait for what is forgotten", test_wait_for_what_is_forgotten},
    {"directory missing or elsewhere", test_directory_missing_or_elsewhere},
    {"directory in use", test_directory_in_use},
    {NULL, NULL},
};
const struct test_suite suite_watch_files = {"watch_files", cases};
