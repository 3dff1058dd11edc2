/*
 * test_watch_files.c - the files of named watches, and the directory they are in: what else may lie
 * there, and who else may hold it.
 */
#include "named.h"
#include "stores.h"
#include "../regstore/watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY NAMED_KEY
#define FILE_NAME "store/watches/service.pos"
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
    CU_ASSERT_STRING_EQUAL(services(store), "noise|");
    CU_ASSERT_NOT_EQUAL(rs_watch_open_named(store, "dir", KEY, 0, &watch, NULL), RS_OK);
    MUST(rs_watch_open_named(store, "noise", KEY, 0, &watch, NULL) == RS_OK);
    EXPECT(watch, "behind");
    rs_watch_close(watch);
    rs_close(store);
}

/* A service that is dead, and whose file was cut: its name is still told, and its successor hears
 * that something may be missing. */
static void test_file_cut_short(void)
{
    static const off_t sizes[] = {0, 1, 15, 16, 200};
    rs_store *store = stage_store();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        rs_watch_close(named_open(store));
        MUST(truncate(scratch_path(FILE_NAME), sizes[i]) == 0);
        CU_ASSERT_STRING_EQUAL(named_services(store), "service gone? 0 0 none - 0|");
        rs_watch *watch = named_open(store);
        EXPECT(watch, "behind");
        EXPECT(watch, "end");
        rs_watch_close(watch);
    }
    rs_close(store);
}

static void spoil(void)
{
    static const char noise[20000];
    int fd = open(scratch_path(FILE_NAME), O_WRONLY | O_CLOEXEC);
    MUST(fd >= 0 && pwrite(fd, noise, sizeof noise, 0) == (ssize_t)sizeof noise);
    close(fd);
}

/* What becomes of waiting if nobody knows what a running service watches: it may be concerned,
 * until it has written again. */
static void serve_spoiled(int from_parent, int to_parent)
{
    char order;
    rs_store *store = stage_store();
    rs_watch *watch = named_open(store);
    stage_tell(to_parent, 'w');
    while (read(from_parent, &order, 1) == 1 && order != 'q') {
        rs_txn *txn = stage_begin(store, RS_READ);
        uint64_t latest = rs_revision(txn);
        rs_abort(txn);
        MUST(rs_watch_answer(watch, latest, RS_ANSWER_APPLIED, "") == RS_OK);
        stage_tell(to_parent, order);
    }
    rs_watch_close(watch);
    rs_close(store);
}

static void test_file_of_a_running_one(void)
{
    char expected[64];
    struct named_told told;
    rs_error error = RS_ERROR_INIT;
    rs_watch *watch = NULL;
    struct child child = child_start(serve_spoiled);
    stage_hear(child.from, 'w');
    rs_store *store = stage_store();
    uint64_t revision = stage_set(store, KEY, "a", 1);
    spoil();
    CU_ASSERT_STRING_EQUAL(named_services(store), "service alive? 0 0 none - 0|");
    CU_ASSERT_EQUAL(named_await(store, revision, 0, &told), RS_ETIMEOUT);
    CU_ASSERT_STRING_EQUAL(told.text, "service alive? 0 0 none - 0|");
    CU_ASSERT_EQUAL(rs_watch_open_named(store, "service", KEY, 0, &watch, &error), RS_EBUSY);
    snprintf(expected, sizeof expected, "the watch service is open in process %d", (int)child.pid);
    CU_ASSERT_STRING_EQUAL(error.text, expected);
    stage_tell(child.to, 'a');
    stage_hear(child.from, 'a');
    CU_ASSERT_EQUAL(named_await(store, revision, 0, &told), RS_OK);
    CU_ASSERT_EQUAL(told.count, 1);
    stage_tell(child.to, 'q');
    CU_ASSERT(child_end(&child));
    rs_close(store);
}

static void test_forget(void)
{
    rs_error error = RS_ERROR_INIT;
    rs_store *store = stage_store();
    rs_watch *watch = named_open(store);
    CU_ASSERT_EQUAL(rs_service_forget(store, "service", &error), RS_EBUSY);
    CU_ASSERT(strstr(error.text, "the watch service is open in process") != NULL);
    CU_ASSERT_STRING_EQUAL(services(store), "service|");
    rs_watch_close(watch);
    CU_ASSERT_EQUAL(rs_service_forget(store, "service", NULL), RS_OK);
    CU_ASSERT_STRING_EQUAL(services(store), "");
    CU_ASSERT_EQUAL(rs_service_forget(store, "service", NULL), RS_ENOTFOUND);
    CU_ASSERT_EQUAL(rs_service_forget(store, "../bell", NULL), RS_ENAME);
    CU_ASSERT_EQUAL(rs_service_forget(store, NULL, NULL), RS_EINVAL);
    CU_ASSERT_EQUAL(rs_service_forget(NULL, "service", NULL), RS_EINVAL);
    stage_set(store, KEY, "a", 1);
    watch = named_open(store);
    EXPECT(watch, "end"); /* as one that was never there */
    rs_watch_close(watch);
    spoil();
    CU_ASSERT_EQUAL(rs_service_forget(store, "service", NULL), RS_OK);
    rs_close(store);
}

static int note_heard(void *context, const rs_service *service)
{
    *(uint64_t *)context = service->heard;
    return 0;
}

static uint64_t heard(rs_store *store)
{
    uint64_t time = 0;
    MUST(rs_services(store, note_heard, &time) == RS_OK);
    return time;
}

/* One that has nothing to say shows now and then that it lives, whatever the clock says. */
static void test_sign_of_life(void)
{
    static const time_t times[] = {1000000000, 4000000000};
    const uint64_t year = UINT64_C(10000000) * 86400 * 365;
    rs_store *store = stage_store();
    rs_watch *watch = named_open(store);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        const struct timespec set[2] = {{.tv_sec = times[i]}, {.tv_sec = times[i]}};
        MUST(utimensat(AT_FDCWD, scratch_path(FILE_NAME), set, 0) == 0);
        uint64_t before = heard(store);
        CU_ASSERT_EQUAL(before, UINT64_C(116444736000000000) + (uint64_t)times[i] * 10000000);
        for (int looks = 0; looks < 20 && heard(store) == before; looks++) {
            (void)stage_readable(rs_watch_fd(watch), STAGE_PATIENCE);
            EXPECT(watch, "end");
        }
        CU_ASSERT(heard(store) != before && heard(store) + year > store_now() &&
                  heard(store) < store_now() + year);
    }
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
    {"file cut short", test_file_cut_short},
    {"file of a running one", test_file_of_a_running_one},
    {"forget", test_forget},
    {"sign of life", test_sign_of_life},
    {"file with a strange path", test_file_with_a_strange_path},
    {"answer about another store", test_answer_about_another_store},
    {"wait for what is forgotten", test_wait_for_what_is_forgotten},
    {"directory missing or elsewhere", test_directory_missing_or_elsewhere},
    {"directory in use", test_directory_in_use},
    {NULL, NULL},
};
const struct test_suite suite_watch_files = {"watch_files", cases};
