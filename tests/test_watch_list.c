/*
 * test_watch_list.c - the list of the watches that are open, in this process and in others.
 */
#include "stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What rs_watchers() told: "PATH|PATH|", in no order. */
struct listed {
    char paths[1024];
    unsigned count;
    uint32_t pid;
    char program[256];
    size_t longest; /* path */
    int answer;
};

static int note(void *context, const rs_watcher *watcher)
{
    struct listed *listed = context;
    size_t used = strlen(listed->paths);
    size_t len = strlen(watcher->path);
    snprintf(listed->paths + used, sizeof listed->paths - used, "%s|", watcher->path);
    snprintf(listed->program, sizeof listed->program, "%s", watcher->program);
    listed->pid = watcher->pid;
    listed->longest = len > listed->longest ? len : listed->longest;
    listed->count++;
    return listed->answer;
}

static struct listed list(rs_store *store)
{
    struct listed listed = {.count = 0};
    MUST(rs_watchers(store, note, &listed) == RS_OK);
    return listed;
}

/* ---- One process ---- */

static void test_listed_while_open(void)
{
    rs_store *store = stage_store();
    CU_ASSERT_EQUAL(list(store).count, 0);
    rs_watch *first = stage_watch(store, "hklm\\one", 0, RS_NOW);
    struct listed listed = list(store);
    CU_ASSERT_EQUAL(listed.count, 1);
    CU_ASSERT_EQUAL(listed.pid, (uint32_t)getpid());
    CU_ASSERT_STRING_EQUAL(listed.program, program_invocation_short_name);
    CU_ASSERT_STRING_EQUAL(listed.paths, "hklm\\one|"); /* as given */
    rs_watch *second = stage_watch(store, "HKU", RS_SUBTREE, RS_NOW);
    listed = list(store);
    CU_ASSERT_EQUAL(listed.count, 2);
    CU_ASSERT(strstr(listed.paths, "hklm\\one|") != NULL && strstr(listed.paths, "HKU|") != NULL);
    rs_watch_close(first);
    CU_ASSERT_STRING_EQUAL(list(store).paths, "HKU|");
    rs_watch_close(second);
    CU_ASSERT_EQUAL(list(store).count, 0);
    rs_close(store);
}

static void test_odd_names(void)
{
    enum { LONG = 200000 };
    static char path[LONG];
    static char program[] = "two\nlines";
    char *ordinary = program_invocation_short_name;
    rs_store *store = stage_store();
    program_invocation_short_name = program;
    rs_watch *watch = stage_watch(store, "HKLM\\a\nb", 0, RS_NOW);
    program_invocation_short_name = ordinary;
    struct listed listed = list(store);
    CU_ASSERT_STRING_EQUAL(listed.paths, "HKLM\\a\nb|");
    CU_ASSERT_STRING_EQUAL(listed.program, "two\nlines");
    rs_watch_close(watch);
    /* As long as a key's path can be, or nearly. */
    size_t size = (size_t)snprintf(path, sizeof path, "HKLM");
    while (size + 202 < sizeof path && size < 201 * RS_MAX_DEPTH) {
        size += (size_t)snprintf(path + size, sizeof path - size, "\\%0200d", 1);
    }
    watch = stage_watch(store, path, 0, RS_NOW);
    CU_ASSERT_EQUAL(list(store).longest, size);
    rs_watch_close(watch);
    rs_close(store);
}

static void test_each_ends_it(void)
{
    rs_store *store = stage_store();
    struct listed listed = {.answer = 42};
    rs_watch *first = stage_watch(store, "HKLM", 0, RS_NOW);
    rs_watch *second = stage_watch(store, "HKU", 0, RS_NOW);
    CU_ASSERT_EQUAL(rs_watchers(store, note, &listed), 42);
    CU_ASSERT_EQUAL(listed.count, 1);
    CU_ASSERT_EQUAL(rs_watchers(store, NULL, NULL), RS_EINVAL);
    rs_watch_close(first);
    rs_watch_close(second);
    rs_close(store);
}

static void put_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    MUST(file != NULL);
    MUST(fputs(text, file) >= 0 && fclose(file) == 0);
}

/* What lies in the directory and is no entry, or one that nobody holds. */
static void test_stray_files(void)
{
    rs_store *store = stage_store();
    rs_watch *watch = stage_watch(store, "HKLM", 0, RS_NOW);
    put_file(scratch_path("store/watches/1-0"), "1\nsomebody\nHKU\n");
    put_file(scratch_path("store/watches/garbage"), "");
    CU_ASSERT(symlink("/", scratch_path("store/watches/link")) == 0);
    CU_ASSERT(mkfifo(scratch_path("store/watches/pipe"), 0600) == 0);
    CU_ASSERT_STRING_EQUAL(list(store).paths, "HKLM|");
    CU_ASSERT(access(scratch_path("store/watches/1-0"), F_OK) != 0);
    CU_ASSERT(access(scratch_path("store/watches/garbage"), F_OK) == 0);
    rs_watch_close(watch);
    rs_close(store);
}

/* Locked, as an entry is, but empty. */
static void test_empty_entry(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    rs_store *store = stage_store();
    int fd = open(scratch_path("store/watches/1-7"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    MUST(fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0);
    CU_ASSERT_EQUAL(list(store).count, 0);
    CU_ASSERT_EQUAL(access(scratch_path("store/watches/1-7"), F_OK), 0);
    close(fd);
    rs_close(store);
}

/* The number in the name of the only entry. */
static unsigned number_of_entry(void)
{
    long pid = 0;
    unsigned number = 0;
    DIR *entries = opendir(scratch_path("store/watches"));
    MUST(entries != NULL);
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] != '.') {
            MUST(sscanf(entry->d_name, "%ld-%u", &pid, &number) == 2 && pid == getpid());
        }
    }
    closedir(entries);
    return number;
}

/* Where a directory has its entry's name, a watch is not listed, and works. */
static void test_name_taken(void)
{
    char name[100];
    rs_store *store = stage_store();
    rs_watch *watch = stage_watch(store, "HKLM", RS_SUBTREE, RS_NOW);
    unsigned next = number_of_entry() + 1;
    rs_watch_close(watch);
    snprintf(name, sizeof name, "store/watches/%ld-%u", (long)getpid(), next);
    MUST(mkdir(scratch_path(name), 0700) == 0);
    watch = stage_watch(store, "HKLM", RS_SUBTREE, RS_NOW);
    CU_ASSERT_EQUAL(list(store).count, 0);
    snprintf(name, sizeof name, "store/watches/.%ld-%u", (long)getpid(), next);
    CU_ASSERT_NOT_EQUAL(access(scratch_path(name), F_OK), 0);
    stage_create(store, "HKLM\\A");
    EXPECT(watch, "created A");
    rs_watch_close(watch);
    rs_close(store);
}

/* A symbolic link in the directory's place leads to what is nobody's business here. */
static void test_link_elsewhere(void)
{
    rs_store *store = stage_store();
    struct listed listed = {.count = 0};
    MUST(rmdir(scratch_path("store/watches")) == 0);
    MUST(mkdir(scratch_path("elsewhere"), 0755) == 0);
    put_file(scratch_path("elsewhere/1-0"), "precious");
    MUST(symlink("../elsewhere", scratch_path("store/watches")) == 0);
    CU_ASSERT_EQUAL(rs_watchers(store, note, &listed), RS_EUNSAFE);
    CU_ASSERT(access(scratch_path("elsewhere/1-0"), F_OK) == 0);
    rs_watch *watch = stage_watch(store, "HKLM", 0, RS_NOW);
    CU_ASSERT(rmdir(scratch_path("elsewhere")) != 0); /* as it was: that file and no other */
    CU_ASSERT(unlink(scratch_path("elsewhere/1-0")) == 0);
    CU_ASSERT(rmdir(scratch_path("elsewhere")) == 0);
    rs_watch_close(watch);
    rs_close(store);
}

/* A process was killed while it made its entry: the hidden file goes, one that is being made stays.
 */
static void test_left_half_made(void)
{
    char dead[64];
    char alive[64];
    rs_store *store = stage_store();
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        _exit(0);
    }
    MUST(waitpid(pid, NULL, 0) == pid);
    snprintf(dead, sizeof dead, "store/watches/.%ld-0", (long)pid);
    snprintf(alive, sizeof alive, "store/watches/.%ld-7", (long)getpid());
    put_file(scratch_path(dead), "");
    put_file(scratch_path(alive), "");
    put_file(scratch_path("store/watches/.other"), "");
    CU_ASSERT_EQUAL(list(store).count, 0);
    CU_ASSERT(access(scratch_path(dead), F_OK) != 0);
    CU_ASSERT(access(scratch_path(alive), F_OK) == 0);
    CU_ASSERT(access(scratch_path("store/watches/.other"), F_OK) == 0);
    rs_close(store);
}

/* A process that has the number of one that died is not that one. */
static void test_number_given_again(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    rs_store *store = stage_store();
    int fd = open(scratch_path("store/watches/9-9"), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    CU_ASSERT_FATAL(fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0);
    CU_ASSERT(dprintf(fd, "%ld%c1%cold%cHKU%c", (long)getpid(), 0, 0, 0, 0) > 0);
    CU_ASSERT_EQUAL(list(store).count, 0);
    close(fd);
    rs_close(store);
}

/* Being listed is not what a watch is for: it does without. */
static void test_cannot_be_listed(void)
{
    rs_store *store = stage_store();
    MUST(rmdir(scratch_path("store/watches")) == 0);
    put_file(scratch_path("store/watches"), "in the way");
    rs_watch *watch = stage_watch(store, "HKLM", 0, RS_NOW);
    stage_set(store, "HKLM", "v", 1);
    EXPECT(watch, "set .:v ->1");
    rs_watch_close(watch);
    rs_close(store);
}

/* ---- Several processes ---- */

static void watch_until_killed(int from_parent, int to_parent)
{
    rs_store *store = stage_store();
    (void)stage_watch(store, "HKLM\\Child", 0, RS_NOW);
    stage_tell(to_parent, 'w');
    stage_hear(from_parent, 'x'); /* never said */
}

static void test_killed(void)
{
    struct child child = child_start(watch_until_killed);
    stage_hear(child.from, 'w');
    rs_store *store = stage_store();
    struct listed listed = list(store);
    CU_ASSERT_STRING_EQUAL(listed.paths, "HKLM\\Child|");
    CU_ASSERT_EQUAL(listed.pid, (uint32_t)child.pid);
    child_kill(&child);
    CU_ASSERT_EQUAL(list(store).count, 0);
    rs_close(store);
}

/* A watcher forks, then dies: its child holds the entry's lock on, but watches nothing. */
static void fork_and_watch_until_killed(int from_parent, int to_parent)
{
    rs_store *store = stage_store();
    (void)stage_watch(store, "HKLM\\Child", 0, RS_NOW);
    stage_leave_heir(from_parent, to_parent);
}

static void test_killed_after_fork(void)
{
    struct child child = child_start(fork_and_watch_until_killed);
    stage_hear(child.from, 'w');
    rs_store *store = stage_store();
    CU_ASSERT_EQUAL(list(store).count, 1);
    heir_left(&child);
    CU_ASSERT_EQUAL(list(store).count, 0);
    heir_end(&child);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"listed while open", test_listed_while_open},
    {"odd names", test_odd_names},
    {"each ends it", test_each_ends_it},
    {"stray files", test_stray_files},
    {"empty entry", test_empty_entry},
    {"name taken", test_name_taken},
    {"link elsewhere", test_link_elsewhere},
    {"left half made", test_left_half_made},
    {"number given again", test_number_given_again},
    {"cannot be listed", test_cannot_be_listed},
    {"killed", test_killed},
    {"killed after fork", test_killed_after_fork},
    {NULL, NULL},
};
const struct test_suite suite_watch_list = {"watch_list", cases};
