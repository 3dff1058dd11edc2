/*
 * test_process_locks.c - locks around LMDB's own: the turn to write, and who opens a store.
 */
#include "stage.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY "HKLM\\Print"

/* ---- Two stores ---- */

/* A thread that waits for its turn at a store, and ends what it has begun. */
struct waiting {
    rs_store *store;
    atomic_int thread; /* its number once it is about to wait */
    int to;            /* who is told that it has begun, and says when it is to end; -1: nobody */
    int from;
};

static void *write_in_thread(void *context)
{
    struct waiting *waiting = context;
    rs_txn *txn;
    atomic_store(&waiting->thread, (int)gettid());
    MUST(rs_begin(waiting->store, RS_WRITE, &txn) == RS_OK);
    if (waiting->to >= 0) {
        stage_tell(waiting->to, 'b');
        stage_hear(waiting->from, 'e');
    }
    rs_abort(txn);
    return waiting;
}

static pthread_t start_waiting(struct waiting *waiting)
{
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, write_in_thread, waiting) == 0);
    while (atomic_load(&waiting->thread) == 0) {
        sched_yield();
    }
    stage_wait_asleep(getpid(), atomic_load(&waiting->thread));
    return thread;
}

static rs_store *other_store(void)
{
    rs_store *store;
    MUST(rs_open(scratch_path("other"), RS_CREATE, &store, NULL) == RS_OK);
    return store;
}

/* Writes to the other store, and then in a thread of its own to the first one, too. */
static void write_both(int from_parent, int to_parent)
{
    stage_hear(from_parent, 'g');
    rs_store *store = stage_store();
    rs_store *other = other_store();
    struct waiting waiting = {.store = store, .to = to_parent, .from = from_parent};
    rs_txn *txn = stage_begin(other, RS_WRITE);
    stage_tell(to_parent, 'o');
    stage_hear(from_parent, 'w');
    pthread_t thread = start_waiting(&waiting);
    stage_tell(to_parent, 'w');
    MUST(pthread_join(thread, NULL) == 0);
    rs_abort(txn);
    rs_close(other);
    rs_close(store);
}

/* Who has the turn; 0: nobody. To be asked by a process that does not have it. */
static pid_t owner_of_turn(void)
{
    struct flock first = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    int fd = open(scratch_path("store/data.mdb"), O_RDWR | O_CLOEXEC);
    MUST(fd >= 0 && fcntl(fd, F_GETLK, &first) == 0);
    close(fd);
    return first.l_type == F_UNLCK ? 0 : first.l_pid;
}

/* To the kernel these two processes wait for each other, which their threads do not. */
static void test_two_stores(void)
{
    struct child child = child_start(write_both);
    rs_store *store = stage_store();
    rs_store *other = other_store();
    struct waiting waiting = {.store = other, .to = -1};
    rs_txn *txn = stage_begin(store, RS_WRITE);
    stage_tell(child.to, 'g');
    stage_hear(child.from, 'o');
    pthread_t thread = start_waiting(&waiting);
    stage_tell(child.to, 'w');
    stage_hear(child.from, 'w');
    rs_abort(txn);
    stage_hear(child.from, 'b');
    CU_ASSERT_EQUAL(owner_of_turn(), child.pid);
    stage_tell(child.to, 'e');
    CU_ASSERT(child_end(&child));
    MUST(pthread_join(thread, NULL) == 0);
    rs_close(other);
    rs_close(store);
}

/* ---- Opening ---- */

static void replace_unread(int from_parent, int to_parent)
{
    rs_restore_options options = {.flags = RS_UNREAD};
    stage_hear(from_parent, 'g');
    stage_tell(to_parent, 'b');
    MUST(rs_restore(scratch_path("store"), scratch_path("copy"), &options, NULL, NULL) == RS_OK);
    stage_hear(from_parent, 'e');
}

static ino_t data_file(void)
{
    struct stat st;
    MUST(stat(scratch_path("store/data.mdb"), &st) == 0);
    return st.st_ino;
}

/* Who opens the store has looked at its files, and has not got them open yet. */
static void test_damaged_under_an_opener(void)
{
    struct child child = child_start(replace_unread);
    rs_store *store = stage_store();
    stage_set(store, KEY, "v", 1);
    MUST(rs_backup(store, scratch_path("copy"), NULL, NULL, NULL) == RS_OK);
    rs_close(store);
    int opener = open(scratch_path("store"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MUST(opener >= 0 && flock(opener, LOCK_EX) == 0);
    ino_t before = data_file();
    stage_tell(child.to, 'g');
    stage_hear(child.from, 'b');
    stage_wait_asleep(child.pid, child.pid);
    CU_ASSERT_EQUAL(data_file(), before);
    close(opener);
    stage_tell(child.to, 'e');
    CU_ASSERT(child_end(&child));
    CU_ASSERT_NOT_EQUAL(data_file(), before);
}

static void open_it(int from_parent, int to_parent)
{
    stage_hear(from_parent, 'g');
    rs_store *store = stage_store();
    MUST(stage_get(store, KEY, "v") == 1);
    stage_tell(to_parent, 'o');
    rs_close(store);
}

/* Whoever may open the directory can lock it for ever. */
static void test_locked_by_others(void)
{
    struct child child = child_start(open_it);
    rs_store *store = stage_store();
    stage_set(store, KEY, "v", 1);
    rs_close(store);
    MUST(chmod(scratch_path("store"), 0755) == 0);
    int other = open(scratch_path("store"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MUST(other >= 0 && flock(other, LOCK_EX) == 0);
    stage_tell(child.to, 'g');
    stage_hear(child.from, 'o');
    CU_ASSERT(child_end(&child));
    close(other);
}

static const struct test_case cases[] = {
    {"two stores", test_two_stores},
    {"damaged, under an opener", test_damaged_under_an_opener},
    {"locked by others", test_locked_by_others},
    {NULL, NULL},
};
const struct test_suite suite_process_locks = {"process_locks", cases};
