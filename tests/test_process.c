/*
 * test_process.c - several processes on one store, some of which are killed.
 *
 * Where the order matters the processes tell each other through pipes; whoever is to die does so at
 * a point that is sure to have been reached.
 */
#include "stage.h"
#include "../regstore/store.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY "HKLM\\Print"
#define COMMITS 100u

/* ---- Writers and watchers ---- */

static void commit_often(int from_parent, int to_parent)
{
    rs_store *store = stage_store();
    stage_set(store, KEY, "v", 0);
    stage_tell(to_parent, 'r');
    stage_hear(from_parent, 'g');
    for (uint32_t i = 1; i <= COMMITS; i++) {
        stage_set(store, KEY, "v", i);
    }
    rs_close(store);
}

static void test_watch_writer(void)
{
    char text[40];
    struct child child = child_start(commit_often);
    stage_hear(child.from, 'r');
    rs_store *store = stage_store();
    rs_watch *watch = stage_watch(store, KEY, 0, RS_NOW);
    stage_tell(child.to, 'g');
    for (unsigned i = 1; i <= COMMITS; i++) {
        snprintf(text, sizeof text, "set .:v %u>%u", i - 1, i);
        CU_ASSERT_STRING_EQUAL(stage_await(watch), text);
    }
    EXPECT(watch, "end");
    CU_ASSERT(child_end(&child));
    rs_watch_close(watch);
    rs_close(store);
}

static void watch_once(int from_parent, int to_parent)
{
    rs_store *store = stage_store();
    rs_watch *watch = stage_watch(store, KEY, 0, RS_NOW);
    (void)from_parent;
    stage_tell(to_parent, 'w');
    MUST(strcmp(stage_await(watch), "created .") == 0);
    rs_watch_close(watch);
    rs_close(store);
}

static void test_write_for_watchers(void)
{
    struct child children[3];
    for (int i = 0; i < 3; i++) {
        children[i] = child_start(watch_once);
    }
    for (int i = 0; i < 3; i++) {
        stage_hear(children[i].from, 'w');
    }
    rs_store *store = stage_store();
    stage_set(store, KEY, "v", 1);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT(child_end(&children[i]));
    }
    rs_close(store);
}

static void count_up(int from_parent, int to_parent)
{
    rs_store *store = stage_store();
    stage_tell(to_parent, 'r');
    stage_hear(from_parent, 'g');
    for (unsigned i = 0; i < COMMITS; i++) {
        uint32_t number = 0;
        rs_txn *txn = stage_begin(store, RS_WRITE);
        rs_key key = stage_key(txn, KEY);
        MUST(rs_get_dword(txn, key, "v", &number) == RS_OK);
        MUST(rs_set_dword(txn, key, "v", number + 1) == RS_OK);
        stage_commit(txn);
    }
    rs_close(store);
}

static void test_two_writers(void)
{
    char text[40];
    struct child children[2] = {child_start(count_up), child_start(count_up)};
    stage_hear(children[0].from, 'r');
    stage_hear(children[1].from, 'r');
    rs_store *store = stage_store();
    uint64_t first = stage_set(store, KEY, "v", 0);
    rs_watch *watch = stage_watch(store, KEY, 0, first);
    stage_tell(children[0].to, 'g');
    stage_tell(children[1].to, 'g');
    for (unsigned i = 1; i <= 2 * COMMITS; i++) {
        snprintf(text, sizeof text, "set .:v %u>%u", i - 1, i);
        CU_ASSERT_STRING_EQUAL_FATAL(stage_await(watch), text);
        CU_ASSERT_EQUAL(rs_watch_position(watch), first + i); /* no gaps */
    }
    CU_ASSERT(child_end(&children[0]) && child_end(&children[1]));
    EXPECT(watch, "end");
    rs_watch_close(watch);
    rs_close(store);
}

/* All find no store and make one; it must be the same. */
static void make_store(int from_parent, int to_parent)
{
    char name[20];
    stage_tell(to_parent, 'r');
    stage_hear(from_parent, 'g');
    rs_store *store = stage_store();
    snprintf(name, sizeof name, "%ld", (long)getpid());
    stage_set(store, KEY, name, 1);
    rs_close(store);
}

static void test_made_at_once(void)
{
    enum { MAKERS = 4 };
    struct child children[MAKERS];
    for (int i = 0; i < MAKERS; i++) {
        children[i] = child_start(make_store);
        stage_hear(children[i].from, 'r');
    }
    for (int i = 0; i < MAKERS; i++) {
        stage_tell(children[i].to, 'g');
    }
    for (int i = 0; i < MAKERS; i++) {
        CU_ASSERT(child_end(&children[i]));
    }
    rs_store *store = stage_store();
    rs_txn *txn = stage_begin(store, RS_READ);
    rs_key_info info;
    CU_ASSERT_EQUAL(rs_revision(txn), MAKERS);
    CU_ASSERT(rs_key_info_get(txn, stage_key(txn, KEY), &info) == RS_OK && info.values == MAKERS);
    rs_abort(txn);
    rs_close(store);
}

/* ---- Killed writers ---- */

static uint64_t latest_revision(rs_store *store)
{
    rs_txn *txn = stage_begin(store, RS_READ);
    uint64_t revision = rs_revision(txn);
    rs_abort(txn);
    return revision;
}

/* Commits, and cannot ring for want of a descriptor; and then it is too late. */
static void die_before_ringing(int from_parent, int to_parent)
{
    const struct rlimit none = {0, 0};
    rs_store *store = stage_store();
    stage_tell(to_parent, 'r');
    stage_hear(from_parent, 'g');
    MUST(setrlimit(RLIMIT_NOFILE, &none) == 0);
    stage_set(store, KEY, "v", 1);
    raise(SIGKILL);
}

static void test_killed_before_bell(void)
{
    struct bell_wait wait;
    struct child child = child_start(die_before_ringing);
    stage_hear(child.from, 'r');
    rs_store *store = stage_store();
    rs_watch *watch = stage_watch(store, KEY, 0, RS_NOW);
    CU_ASSERT_FATAL(bell_wait_open(&wait, scratch_path("store"), NULL) == RS_OK);
    EXPECT(watch, "end");
    stage_tell(child.to, 'g');
    CU_ASSERT(child_was_killed(&child));
    CU_ASSERT(stage_readable(rs_watch_fd(watch), 1500));
    EXPECT(watch, "created .");
    CU_ASSERT(!stage_readable(wait.inotify, 0)); /* nobody rang */
    CU_ASSERT_EQUAL(stage_get(store, KEY, "v"), 1);
    bell_wait_close(&wait);
    rs_watch_close(watch);
    rs_close(store);
}

static void die_in_transaction(int from_parent, int to_parent)
{
    char name[20];
    rs_store *store = stage_store();
    rs_txn *txn = stage_begin(store, RS_WRITE);
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "v%u", i);
        stage_put(txn, KEY, name, i);
    }
    MUST(rs_key_delete(txn, stage_key(txn, "HKLM\\Old"), RS_RECURSIVE) == RS_OK);
    stage_tell(to_parent, 'm');
    stage_hear(from_parent, 'x'); /* never said */
}

static void set_up_old(int from_parent, int to_parent)
{
    (void)from_parent;
    (void)to_parent;
    rs_store *store = stage_store();
    stage_set(store, "HKLM\\Old", "v", 1);
    rs_close(store);
}

static void test_killed_in_transaction(void)
{
    struct child child = child_start(set_up_old);
    CU_ASSERT_FATAL(child_end(&child));
    child = child_start(die_in_transaction);
    stage_hear(child.from, 'm');
    rs_store *store = stage_store();
    uint64_t before = latest_revision(store);
    child_kill(&child);
    CU_ASSERT_EQUAL(stage_get(store, KEY, "v1"), UINT32_MAX);
    CU_ASSERT_EQUAL(stage_get(store, "HKLM\\Old", "v"), 1);
    CU_ASSERT_EQUAL(stage_set(store, KEY, "after", 1), before + 1);
    CU_ASSERT_EQUAL(stage_get(store, KEY, "v1"), UINT32_MAX);
    rs_close(store);
}

/* ---- Killed readers ---- */

static void read_until_killed(int from_parent, int to_parent)
{
    rs_store *store = stage_store();
    rs_txn *txn = stage_begin(store, RS_READ);
    MUST(rs_revision(txn) == 0);
    stage_tell(to_parent, 'r');
    stage_hear(from_parent, 'x'); /* never said */
}

static int count_reader(void *context, const rs_reader *reader)
{
    (void)reader;
    ++*(unsigned *)context;
    return 0;
}

static unsigned count_readers(rs_store *store)
{
    unsigned count = 0;
    rs_txn *txn = stage_begin(store, RS_READ);
    MUST(rs_readers(txn, count_reader, &count) == RS_OK);
    rs_abort(txn);
    return count;
}

/* Bytes of the file that hold nothing. */
static uint64_t wasted_bytes(rs_store *store)
{
    rs_stat stat;
    rs_txn *txn = stage_begin(store, RS_READ);
    MUST(rs_stat_get(txn, &stat) == RS_OK);
    rs_abort(txn);
    return stat.file_size > stat.used_size ? stat.file_size - stat.used_size : 0;
}

/* A writer that stays open notices by itself; nobody has to open the store anew. */
static void test_killed_reader(void)
{
    static char data[32768];
    struct child child = child_start(read_until_killed);
    stage_hear(child.from, 'r');
    rs_store *store = stage_store();
    CU_ASSERT_EQUAL(count_readers(store), 1);
    child_kill(&child);
    for (int i = 0; i < 400; i++) {
        rs_key key;
        rs_txn *txn = stage_begin(store, RS_WRITE);
        data[0] = (char)i;
        MUST(rs_key_create(txn, RS_NO_KEY, KEY, &key) == RS_OK);
        MUST(rs_set_binary(txn, key, "big", data, sizeof data) == RS_OK);
        stage_commit(txn);
    }
    CU_ASSERT_EQUAL(count_readers(store), 0);
    CU_ASSERT(wasted_bytes(store) < 100 * sizeof data);
    rs_close(store);
}

/* More readers than have room, all of them dead: their places are given anew. */
static void fill_readers(int from_parent, int to_parent)
{
    enum { MOST = 1024 };
    rs_store *store = stage_store();
    rs_txn *txn = NULL;
    int status = RS_OK;
    for (int i = 0; i <= MOST && status == RS_OK; i++) {
        status = rs_begin(store, RS_READ, &txn);
    }
    MUST(status == RS_EREADERS);
    stage_tell(to_parent, 'f');
    stage_hear(from_parent, 'x'); /* never said */
}

static void test_killed_readers_slots(void)
{
    struct child child = child_start(set_up_old);
    CU_ASSERT_FATAL(child_end(&child));
    /* This one is open before the others come, so that opening does not clear anything. */
    rs_store *store = stage_store();
    child = child_start(fill_readers);
    stage_hear(child.from, 'f');
    rs_txn *txn = NULL;
    CU_ASSERT_EQUAL(rs_begin(store, RS_READ, &txn), RS_EREADERS);
    child_kill(&child);
    CU_ASSERT_EQUAL(rs_begin(store, RS_READ, &txn), RS_OK);
    rs_abort(txn);
    CU_ASSERT_EQUAL(stage_get(store, "HKLM\\Old", "v"), 1);
    rs_close(store);
}

/* ---- Handles ---- */

static void rename_and_delete(int from_parent, int to_parent)
{
    rs_store *store = stage_store();
    stage_set(store, "HKLM\\A\\B\\C", "v", 1);
    stage_tell(to_parent, 'm');
    stage_hear(from_parent, 'r');
    stage_rename(store, "HKLM\\A\\B\\C", "New");
    stage_rename(store, "HKLM\\A", "Z");
    stage_tell(to_parent, 'r');
    stage_hear(from_parent, 'd');
    stage_delete(store, "HKLM\\Z\\B");
    stage_create(store, "HKLM\\Z\\B\\New"); /* the same path, not the same key */
    stage_tell(to_parent, 'd');
    rs_close(store);
}

static void check_renamed(rs_store *store, rs_key key)
{
    const char *path = NULL;
    rs_key_info info;
    uint32_t number = 0;
    rs_txn *txn = stage_begin(store, RS_READ);
    CU_ASSERT(rs_key_info_get(txn, key, &info) == RS_OK && strcmp(info.name, "New") == 0);
    CU_ASSERT_FATAL(rs_key_path(txn, key, &path, NULL) == RS_OK);
    CU_ASSERT_STRING_EQUAL(path, "HKEY_LOCAL_MACHINE\\Z\\B\\New");
    CU_ASSERT(rs_get_dword(txn, key, "v", &number) == RS_OK && number == 1);
    rs_abort(txn);
}

static void check_deleted(rs_store *store, rs_key key)
{
    rs_key_info info;
    rs_key below;
    uint32_t number;
    rs_txn *txn = stage_begin(store, RS_WRITE);
    CU_ASSERT_EQUAL(rs_key_info_get(txn, key, &info), RS_EDELETED);
    CU_ASSERT_EQUAL(rs_get_dword(txn, key, "v", &number), RS_EDELETED);
    CU_ASSERT_EQUAL(rs_set_dword(txn, key, "v", 1), RS_EDELETED);
    CU_ASSERT_EQUAL(rs_key_open(txn, key, "Sub", &below), RS_EDELETED);
    CU_ASSERT_EQUAL(rs_key_create(txn, key, "Sub", &below), RS_EDELETED);
    CU_ASSERT_EQUAL(rs_key_rename(txn, key, "X"), RS_EDELETED);
    CU_ASSERT_EQUAL(rs_key_delete(txn, key, 0), RS_EDELETED);
    rs_abort(txn);
}

static void test_open_handle(void)
{
    rs_key_info info;
    struct child child = child_start(rename_and_delete);
    stage_hear(child.from, 'm');
    rs_store *store = stage_store();
    rs_txn *snapshot = stage_begin(store, RS_READ);
    rs_key key = stage_key(snapshot, "HKLM\\A\\B\\C");
    stage_tell(child.to, 'r');
    stage_hear(child.from, 'r');
    check_renamed(store, key);
    stage_tell(child.to, 'd');
    stage_hear(child.from, 'd');
    check_deleted(store, key);
    /* The snapshot is as it was, all the time. */
    CU_ASSERT(rs_key_info_get(snapshot, key, &info) == RS_OK && strcmp(info.name, "C") == 0);
    CU_ASSERT_EQUAL(stage_key(snapshot, "HKLM\\A\\B\\C"), key);
    rs_abort(snapshot);
    CU_ASSERT(child_end(&child));
    rs_close(store);
}

/* ---- Replaced, and killed in the middle ---- */

static void wait_to_write(int from_parent, int to_parent)
{
    rs_txn *txn;
    rs_store *store = stage_store();
    stage_tell(to_parent, 'o');
    stage_hear(from_parent, 'g');
    stage_tell(to_parent, 'b');
    MUST(rs_begin(store, RS_WRITE, &txn) == RS_EREPLACED);
    stage_tell(to_parent, 'r');
    stage_hear(from_parent, 'e');
    rs_close(store);
}

static void die_writing(int from_parent, int to_parent)
{
    stage_hear(from_parent, 'g');
    rs_store *store = stage_store();
    for (uint32_t i = 1; i <= 3; i++) {
        stage_set(store, KEY, "v", i);
    }
    stage_put(stage_begin(store, RS_WRITE), KEY, "v", 77);
    stage_tell(to_parent, 'w');
    stage_hear(from_parent, 'e'); /* it is killed before */
}

static void stop_asleep(pid_t pid)
{
    int how = 0;
    stage_wait_asleep(pid, pid);
    MUST(kill(pid, SIGSTOP) == 0 && waitpid(pid, &how, WUNTRACED) == pid && WIFSTOPPED(how));
}

/* One who replaced the data file was killed before it replaced the lock file. One who waited with
 * the old data file is woken by the death of a writer of the new one, and must not take the old
 * file's latest commit for that of the new. */
static void test_replaced_while_waiting(void)
{
    struct child waiter = child_start(wait_to_write);
    struct child dead = child_start(die_writing);
    stage_hear(waiter.from, 'o');
    rs_store *store = stage_store();
    stage_set(store, KEY, "v", 0);
    MUST(rs_backup(store, scratch_path("copy"), NULL, NULL, NULL) == RS_OK);
    rs_txn *txn = stage_begin(store, RS_WRITE);
    stage_tell(waiter.to, 'g');
    stage_hear(waiter.from, 'b');
    stop_asleep(waiter.pid);
    MUST(rename(scratch_path("copy"), scratch_path("store/data.mdb")) == 0);
    rs_abort(txn);
    stage_tell(dead.to, 'g');
    stage_hear(dead.from, 'w');
    child_kill(&dead);
    MUST(kill(waiter.pid, SIGCONT) == 0);
    stage_hear(waiter.from, 'r');
    rs_close(store);
    store = stage_store();
    CU_ASSERT_EQUAL(stage_get(store, KEY, "v"), 3);
    CU_ASSERT_EQUAL(stage_set(store, KEY, "v", 4), 5);
    stage_tell(waiter.to, 'e');
    CU_ASSERT(child_end(&waiter));
    rs_close(store);
}

static const struct test_case cases[] = {
    {"watch writer", test_watch_writer},
    {"write for watchers", test_write_for_watchers},
    {"two writers", test_two_writers},
    {"made at once", test_made_at_once},
    {"killed before bell", test_killed_before_bell},
    {"killed in transaction", test_killed_in_transaction},
    {"killed reader", test_killed_reader},
    {"killed readers' slots", test_killed_readers_slots},
    {"open handle", test_open_handle},
    {"replaced while waiting", test_replaced_while_waiting},
    {NULL, NULL},
};
const struct test_suite suite_process = {"process", cases};
