/*
 * test_bell.c - ringing and waiting, and all that can happen to the bell's file.
 *
 * A waiter's descriptor is inotify and a timer together. The tests look at inotify alone, so that
 * the timer's second cannot stand in for a ring that was lost.
 */
#include "stage.h"
#include "../regstore/bell.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void create_bell(void)
{
    rs_error error = RS_ERROR_INIT;
    MUST(bell_create(scratch_dir(), &error) == RS_OK);
}

static void open_wait(struct bell_wait *wait)
{
    rs_error error = RS_ERROR_INIT;
    MUST(bell_wait_open(wait, scratch_dir(), &error) == RS_OK);
    MUST(wait->inotify >= 0);
}

static bool rings(const struct bell_wait *wait)
{
    return stage_readable(wait->inotify, 0) && stage_readable(wait->fd, 0);
}

/* Clearing may find that the file has to be watched anew; after a second time all is settled. */
static void settle(struct bell_wait *wait)
{
    bell_wait_clear(wait, scratch_dir());
    bell_wait_clear(wait, scratch_dir());
}

/* ---- The ordinary way ---- */

static void test_ring_wakes(void)
{
    struct bell_wait wait;
    create_bell();
    open_wait(&wait);
    CU_ASSERT(!stage_readable(wait.inotify, 0));
    bell_ring(scratch_dir());
    CU_ASSERT(rings(&wait));
    bell_wait_clear(&wait, scratch_dir());
    CU_ASSERT(!stage_readable(wait.inotify, 0));
    for (int i = 0; i < 1000; i++) {
        bell_ring(scratch_dir());
    }
    bell_wait_clear(&wait, scratch_dir());
    CU_ASSERT(!stage_readable(wait.inotify, 0));
    bell_ring(scratch_dir());
    CU_ASSERT(rings(&wait));
    bell_wait_close(&wait);
}

static void test_every_waiter_wakes(void)
{
    struct bell_wait waits[3];
    create_bell();
    for (int i = 0; i < 3; i++) {
        open_wait(&waits[i]);
    }
    bell_ring(scratch_dir());
    for (int i = 0; i < 3; i++) {
        CU_ASSERT(rings(&waits[i]));
        bell_wait_clear(&waits[i], scratch_dir());
        bell_wait_close(&waits[i]);
    }
}

static void test_file_of_group(void)
{
    struct stat st;
    mode_t mask = umask(077);
    create_bell();
    umask(mask);
    CU_ASSERT_FATAL(stat(scratch_path("bell"), &st) == 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0660);
    /* One that is there is left as it is. */
    CU_ASSERT(chmod(scratch_path("bell"), 0600) == 0);
    create_bell();
    CU_ASSERT(stat(scratch_path("bell"), &st) == 0 && (st.st_mode & 07777) == 0600);
}

/* Root makes it anew after somebody deleted it: the services' group must hear it still. */
static void test_group_of_directory(void)
{
    struct stat st;
    if (geteuid() != 0) {
        test_skip("only root can give a directory to another group");
        return;
    }
    CU_ASSERT_FATAL(chown(scratch_dir(), 0, 65534) == 0);
    create_bell();
    CU_ASSERT(stat(scratch_path("bell"), &st) == 0 && st.st_gid == 65534);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0660);
}

/* A change of the file would have to be stored some time. */
static void test_nothing_is_written(void)
{
    struct stat before;
    struct stat after;
    create_bell();
    CU_ASSERT(stat(scratch_path("bell"), &before) == 0);
    for (int i = 0; i < 100; i++) {
        bell_ring(scratch_dir());
    }
    CU_ASSERT(stat(scratch_path("bell"), &after) == 0 && after.st_size == 0);
    CU_ASSERT(memcmp(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim) == 0);
    CU_ASSERT(memcmp(&before.st_ctim, &after.st_ctim, sizeof before.st_ctim) == 0);
}

/* The longest that a change is told late is a period: a ring may be lost just after a tick. */
static void test_timer_period(void)
{
    struct itimerspec every;
    struct bell_wait wait;
    create_bell();
    open_wait(&wait);
    CU_ASSERT_FATAL(timerfd_gettime(wait.timer, &every) == 0);
    CU_ASSERT_EQUAL(every.it_interval.tv_sec, 1);
    CU_ASSERT_EQUAL(every.it_interval.tv_nsec, 0);
    CU_ASSERT(every.it_value.tv_sec <= 1);
    bell_wait_close(&wait);
}

static void test_timer_alone(void)
{
    struct bell_wait wait;
    create_bell();
    open_wait(&wait);
    CU_ASSERT(stage_readable(wait.fd, STAGE_PATIENCE));
    CU_ASSERT(!stage_readable(wait.inotify, 0));
    bell_wait_clear(&wait, scratch_dir());
    CU_ASSERT(stage_readable(wait.fd, STAGE_PATIENCE));
    bell_wait_close(&wait);
}

/* ---- Trouble with the file ---- */

static void test_no_file_yet(void)
{
    struct bell_wait wait;
    open_wait(&wait);
    CU_ASSERT(wait.watch < 0);
    bell_ring(scratch_dir()); /* makes it */
    bell_wait_clear(&wait, scratch_dir());
    CU_ASSERT(wait.watch >= 0);
    bell_ring(scratch_dir());
    CU_ASSERT(rings(&wait));
    bell_wait_close(&wait);
}

static void test_deleted(void)
{
    struct bell_wait wait;
    create_bell();
    bell_ring(scratch_dir());
    open_wait(&wait);
    CU_ASSERT(unlink(scratch_path("bell")) == 0);
    CU_ASSERT(rings(&wait));
    settle(&wait);
    CU_ASSERT(!stage_readable(wait.inotify, 0)); /* no busy loop while it is away */
    bell_ring(scratch_dir());
    settle(&wait);
    CU_ASSERT(wait.watch >= 0);
    bell_ring(scratch_dir());
    CU_ASSERT(rings(&wait));
    bell_wait_close(&wait);
}

/* Another file takes its place; moved is where the old one goes, NULL: it is gone. */
static void replace_bell(const char *moved)
{
    int fd = open(scratch_path("new"), O_WRONLY | O_CREAT, 0660);
    CU_ASSERT(fd >= 0 && close(fd) == 0);
    if (moved != NULL) {
        CU_ASSERT(rename(scratch_path("bell"), scratch_path(moved)) == 0);
    }
    CU_ASSERT(rename(scratch_path("new"), scratch_path("bell")) == 0);
}

static void check_replaced(const char *moved)
{
    struct bell_wait wait;
    create_bell();
    bell_ring(scratch_dir());
    open_wait(&wait);
    replace_bell(moved);
    CU_ASSERT(rings(&wait));
    settle(&wait);
    CU_ASSERT(wait.watch >= 0);
    CU_ASSERT(!stage_readable(wait.inotify, 0));
    bell_ring(scratch_dir());
    CU_ASSERT(rings(&wait));
    bell_wait_clear(&wait, scratch_dir());
    CU_ASSERT(!stage_readable(wait.inotify, 0));
    bell_wait_close(&wait);
}

static void test_replaced(void)
{
    check_replaced(NULL);
}

/* The old file has not gone, but is the bell no more. */
static void test_moved_and_replaced(void)
{
    check_replaced("old");
}

/* A change of owner or mode makes the waiter look again, once. */
static void test_mode_changed(void)
{
    struct bell_wait wait;
    create_bell();
    open_wait(&wait);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT(chmod(scratch_path("bell"), i % 2 == 0 ? 0640 : 0660) == 0);
        settle(&wait);
        CU_ASSERT(wait.watch >= 0);
        CU_ASSERT(!stage_readable(wait.inotify, 0));
    }
    bell_ring(scratch_dir());
    CU_ASSERT(rings(&wait));
    bell_wait_close(&wait);
}

/* What stands in the bell's place must neither block nor kill the writer, and is left alone. */
static void test_not_a_file(void)
{
    struct stat st;
    CU_ASSERT(mkfifo(scratch_path("bell"), 0660) == 0);
    bell_ring(scratch_dir());
    int reader = open(scratch_path("bell"), O_RDONLY | O_NONBLOCK);
    bell_ring(scratch_dir());
    CU_ASSERT(reader >= 0 && close(reader) == 0);
    CU_ASSERT(lstat(scratch_path("bell"), &st) == 0 && S_ISFIFO(st.st_mode));
    CU_ASSERT(unlink(scratch_path("bell")) == 0);
    CU_ASSERT(mkdir(scratch_path("bell"), 0770) == 0);
    bell_ring(scratch_dir());
    CU_ASSERT(lstat(scratch_path("bell"), &st) == 0 && S_ISDIR(st.st_mode));
}

/* Nobody writes or waits through a symbolic link, which could lead out of the store. */
static void test_symlink(void)
{
    struct bell_wait wait;
    struct stat st;
    int fd = open(scratch_path("elsewhere"), O_WRONLY | O_CREAT, 0660);
    CU_ASSERT(fd >= 0 && close(fd) == 0);
    CU_ASSERT(symlink("elsewhere", scratch_path("bell")) == 0);
    int inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    CU_ASSERT(inotify_add_watch(inotify, scratch_path("elsewhere"), IN_OPEN) >= 0);
    bell_ring(scratch_dir());
    CU_ASSERT(!stage_readable(inotify, 0));
    CU_ASSERT(close(inotify) == 0);
    CU_ASSERT(lstat(scratch_path("bell"), &st) == 0 && S_ISLNK(st.st_mode));
    open_wait(&wait);
    CU_ASSERT(chmod(scratch_path("elsewhere"), 0600) == 0);
    CU_ASSERT(!stage_readable(wait.inotify, 0));
    bell_wait_close(&wait);
}

/* Runs in a child that is not root, as root may read everything. */
static void wait_for_unreadable(int from_parent, int to_parent)
{
    struct bell_wait wait;
    MUST(geteuid() != 0 || setuid(65534) == 0);
    open_wait(&wait);
    MUST(wait.watch < 0);
    stage_tell(to_parent, 'o');
    stage_hear(from_parent, 'r');
    bell_wait_clear(&wait, scratch_dir());
    MUST(wait.watch >= 0);
    stage_tell(to_parent, 'w');
    MUST(stage_readable(wait.inotify, STAGE_PATIENCE));
    bell_wait_close(&wait);
}

static void test_unreadable(void)
{
    create_bell();
    CU_ASSERT(chmod(scratch_dir(), 0711) == 0);
    CU_ASSERT(chmod(scratch_path("bell"), 0200) == 0);
    struct child child = child_start(wait_for_unreadable);
    stage_hear(child.from, 'o');
    CU_ASSERT(chmod(scratch_path("bell"), 0664) == 0);
    stage_tell(child.to, 'r');
    stage_hear(child.from, 'w');
    bell_ring(scratch_dir());
    CU_ASSERT(child_end(&child));
}

/* ---- Trouble with the system ---- */

/* inotify's instances are few for all of a user's processes. Instead of using them up, which would
 * disturb others, the test program has its own inotify_init1(), which can be told to refuse. */
static bool no_inotify;

int inotify_init1(int flags)
{
    if (no_inotify) {
        errno = EMFILE;
        return -1;
    }
    return (int)syscall(SYS_inotify_init1, flags);
}

/* The timer alone wakes, and nothing is missed. */
static void test_no_inotify(void)
{
    struct bell_wait wait;
    rs_error error = RS_ERROR_INIT;
    rs_store *store = stage_store();
    no_inotify = true;
    int status = bell_wait_open(&wait, scratch_dir(), &error);
    rs_watch *watch = stage_watch(store, "HKLM\\Print", 0, RS_NOW);
    no_inotify = false;
    CU_ASSERT_EQUAL_FATAL(status, RS_OK);
    CU_ASSERT_EQUAL(wait.inotify, -1);
    CU_ASSERT(stage_readable(wait.fd, STAGE_PATIENCE));
    bell_wait_clear(&wait, scratch_dir());
    CU_ASSERT(stage_readable(wait.fd, STAGE_PATIENCE));
    bell_wait_close(&wait);
    EXPECT(watch, "end");
    stage_set(store, "HKLM\\Print", "v", 1);
    CU_ASSERT(stage_readable(rs_watch_fd(watch), STAGE_PATIENCE));
    EXPECT(watch, "created .");
    EXPECT(watch, "end");
    rs_watch_close(watch);
    rs_close(store);
}

/* A waiter that began without inotify takes one as soon as there is one. */
static void test_inotify_comes_back(void)
{
    struct bell_wait wait;
    create_bell();
    no_inotify = true;
    int status = bell_wait_open(&wait, scratch_dir(), NULL);
    CU_ASSERT_FATAL(status == RS_OK && wait.inotify < 0);
    CU_ASSERT(stage_readable(wait.fd, STAGE_PATIENCE));
    CU_ASSERT(bell_wait_clear(&wait, scratch_dir()));
    CU_ASSERT(wait.inotify < 0);
    no_inotify = false;
    CU_ASSERT(stage_readable(wait.fd, STAGE_PATIENCE));
    CU_ASSERT(bell_wait_clear(&wait, scratch_dir()));
    CU_ASSERT_FATAL(wait.inotify >= 0);
    bell_ring(scratch_dir());
    CU_ASSERT(rings(&wait));
    bell_wait_close(&wait);
}

/* Without descriptors for the timer there is nothing to wait with, and nothing may leak. */
static void test_no_descriptors(void)
{
    struct rlimit limit;
    struct bell_wait wait;
    int next = dup(STDOUT_FILENO);
    close(next);
    CU_ASSERT_FATAL(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    for (rlim_t spare = 0; spare < 3; spare++) {
        rs_error error = RS_ERROR_INIT;
        struct rlimit few = {(rlim_t)next + spare, limit.rlim_max};
        CU_ASSERT_FATAL(setrlimit(RLIMIT_NOFILE, &few) == 0);
        int status = bell_wait_open(&wait, scratch_dir(), &error);
        setrlimit(RLIMIT_NOFILE, &limit);
        if (status == RS_OK) {
            CU_ASSERT_EQUAL(spare, 2); /* enough for the timer, not for inotify */
            CU_ASSERT_EQUAL(wait.inotify, -1);
            bell_wait_close(&wait);
        } else {
            CU_ASSERT(strstr(error.text, scratch_dir()) != NULL);
        }
        int after = dup(STDOUT_FILENO);
        close(after);
        CU_ASSERT_EQUAL(after, next);
    }
}

static void test_no_directory(void)
{
    rs_error error = RS_ERROR_INIT;
    char long_dir[5000];
    CU_ASSERT_EQUAL(bell_create(scratch_path("none"), &error), RS_EIO);
    CU_ASSERT(strstr(error.text, "none/bell") != NULL);
    bell_ring(scratch_path("none")); /* harmless */
    memset(long_dir, 'x', sizeof long_dir - 1);
    long_dir[sizeof long_dir - 1] = '\0';
    CU_ASSERT_EQUAL(bell_create(long_dir, NULL), RS_EINVAL);
    bell_ring(long_dir);
}

static const struct test_case cases[] = {
    {"ring wakes", test_ring_wakes},
    {"every waiter wakes", test_every_waiter_wakes},
    {"file of group", test_file_of_group},
    {"group of directory", test_group_of_directory},
    {"nothing is written", test_nothing_is_written},
    {"the timer\'s period is a second", test_timer_period},
    {"timer alone", test_timer_alone},
    {"no file yet", test_no_file_yet},
    {"deleted", test_deleted},
    {"replaced", test_replaced},
    {"moved and replaced", test_moved_and_replaced},
    {"mode changed", test_mode_changed},
    {"not a file", test_not_a_file},
    {"symlink", test_symlink},
    {"unreadable", test_unreadable},
    {"no inotify", test_no_inotify},
    {"inotify comes back", test_inotify_comes_back},
    {"no descriptors", test_no_descriptors},
    {"no directory", test_no_directory},
    {NULL, NULL},
};
const struct test_suite suite_bell = {"bell", cases};
