/*
 * test_answers.c - what services answer under the names of their watches, and waiting for that.
 */
#include "named.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void test_wrong_answers(void)
{
    rs_store *store = stage_store();
    stage_set(store, NAMED_KEY, "a", 1);
    rs_watch *plain = stage_watch(store, NAMED_KEY, 0, RS_NOW);
    CU_ASSERT_EQUAL(rs_watch_answer(plain, 1, RS_ANSWER_APPLIED, ""), RS_EINVAL);
    rs_watch_close(plain);
    rs_watch *watch = named_open(store);
    CU_ASSERT_EQUAL(rs_watch_answer(watch, 2, RS_ANSWER_APPLIED, ""), RS_EINVAL);
    CU_ASSERT_EQUAL(rs_watch_answer(watch, RS_NOW, RS_ANSWER_APPLIED, ""), RS_EINVAL);
    CU_ASSERT_EQUAL(rs_watch_answer(watch, 1, RS_ANSWER_NONE, ""), RS_EINVAL);
    CU_ASSERT_EQUAL(rs_watch_answer(watch, 1, (enum rs_answer)5, ""), RS_EINVAL);
    CU_ASSERT_EQUAL(rs_watch_answer(NULL, 1, RS_ANSWER_APPLIED, ""), RS_EINVAL);
    stage_set(store, NAMED_KEY, "a", 2);
    CU_ASSERT_EQUAL(rs_watch_answer(watch, 2, RS_ANSWER_APPLIED, ""), RS_OK);
    CU_ASSERT_EQUAL(rs_watch_answer(watch, 1, RS_ANSWER_APPLIED, ""), RS_EINVAL);
    CU_ASSERT_STRING_EQUAL(named_services(store), "service alive 2 2 applied - 0|");
    rs_watch_close(watch);
    rs_close(store);
}

static void test_long_reason_is_cut(void)
{
    char reason[2001];
    rs_store *store = stage_store();
    rs_watch *watch = named_open(store);
    uint64_t revision = stage_set(store, NAMED_KEY, "a", 1);
    for (size_t i = 0; i + 2 < sizeof reason; i += 2) {
        memcpy(reason + i, "\xc3\xa9", 3); /* a character of two bytes: 1,023 is in the midst */
    }
    CU_ASSERT_EQUAL(rs_watch_answer(watch, revision, RS_ANSWER_REJECTED, reason), RS_OK);
    const char *told = strstr(named_services(store), "rejected ");
    MUST(told != NULL);
    CU_ASSERT_EQUAL(strcspn(told + 9, " "), 1022);
    rs_watch_close(watch);
    rs_close(store);
}

/* ---- Waiting, in one process ---- */

static void test_wait_for_whom(void)
{
    struct named_told told;
    rs_store *store = stage_store();
    CU_ASSERT_EQUAL(named_await(store, 1, 0, &told), RS_ENOTFOUND);
    CU_ASSERT_EQUAL(named_await(store, 0, 0, &told), RS_ENOTFOUND);
    uint64_t revision = stage_set(store, NAMED_KEY, "a", 1);
    CU_ASSERT_EQUAL(named_await(store, revision, -1, &told), RS_OK); /* nobody is there */
    rs_watch *watch = named_open(store);
    rs_watch *other = NULL;
    MUST(rs_watch_open_named(store, "other", "HKLM\\Other", 0, &other, NULL) == RS_OK);
    CU_ASSERT_EQUAL(named_await(store, revision, 0, &told), RS_ETIMEOUT);
    CU_ASSERT_STRING_EQUAL(told.text, "service alive 1 0 none - 0|");
    CU_ASSERT_EQUAL(rs_watch_answer(watch, revision, RS_ANSWER_APPLIED, ""), RS_OK);
    CU_ASSERT_EQUAL(named_await(store, revision, -1, &told), RS_OK);
    CU_ASSERT_STRING_EQUAL(told.text, "service alive 1 1 applied - 0|");
    revision = stage_set(store, "HKLM\\Elsewhere", "a", 1);
    CU_ASSERT_EQUAL(named_await(store, revision, -1, &told), RS_OK); /* no business of theirs */
    CU_ASSERT_EQUAL(told.count, 0);
    revision = stage_delete(store, "HKLM\\Elsewhere"); /* with what was in it */
    CU_ASSERT_EQUAL(named_await(store, revision, -1, &told), RS_OK);
    CU_ASSERT_EQUAL(told.count, 0);
    revision = stage_set(store, "HKLM\\Other\\Below", "a", 1);
    CU_ASSERT_EQUAL(named_await(store, revision, 0, &told), RS_ETIMEOUT);
    CU_ASSERT_EQUAL(strncmp(told.text, "other alive", 11), 0);
    revision = stage_set(store, "HKLM\\Other\\Below", "b", 1);
    CU_ASSERT_EQUAL(named_await(store, revision, -1, &told), RS_OK); /* it watches the key alone */
    rs_watch_close(other);
    rs_watch_close(watch);
    rs_close(store);
}

/* A link that leads a watched path elsewhere concerns the watch. */
static void test_wait_through_links(void)
{
    struct named_told told;
    rs_store *store = stage_store();
    stage_create(store, "HKLM\\One\\Service");
    stage_create(store, "HKLM\\Two\\Service");
    stage_link(store, "HKLM\\Current", "HKLM\\One");
    rs_watch *watch = NULL;
    MUST(rs_watch_open_named(store, "service", "HKLM\\Current\\Service", 0, &watch, NULL) == RS_OK);
    uint64_t revision = stage_set(store, "HKLM\\Two\\Service", "a", 1);
    CU_ASSERT_EQUAL(named_await(store, revision, 0, &told), RS_OK);
    revision = stage_set(store, "HKLM\\One\\Service", "a", 1);
    CU_ASSERT_EQUAL(named_await(store, revision, 0, &told), RS_ETIMEOUT);
    revision = stage_link(store, "HKLM\\Current", "HKLM\\Two");
    CU_ASSERT_EQUAL(named_await(store, revision, 0, &told), RS_ETIMEOUT);
    rs_watch_close(watch);
    rs_close(store);
}

static void test_wait_tells_rejections(void)
{
    struct named_told told;
    rs_store *store = stage_store();
    rs_watch *watch = named_open(store);
    uint64_t good = stage_set(store, NAMED_KEY, "a", 1);
    CU_ASSERT_EQUAL(rs_watch_answer(watch, good, RS_ANSWER_APPLIED, ""), RS_OK);
    uint64_t bad = stage_set(store, NAMED_KEY, "a", 9);
    CU_ASSERT_EQUAL(rs_watch_answer(watch, bad, RS_ANSWER_REJECTED, "no-nines"), RS_OK);
    uint64_t worse = stage_set(store, NAMED_KEY, "b", 9);
    CU_ASSERT_EQUAL(rs_watch_answer(watch, worse, RS_ANSWER_REJECTED, "no-more"), RS_OK);
    uint64_t mended = stage_set(store, NAMED_KEY, "a", 2);
    CU_ASSERT_EQUAL(rs_watch_answer(watch, mended, RS_ANSWER_APPLIED, ""), RS_OK);
    CU_ASSERT_EQUAL(named_await(store, good, 0, &told), RS_OK);
    /* It was rejected, whatever came after it. */
    CU_ASSERT_EQUAL(named_await(store, bad, 0, &told), RS_EREJECTED);
    CU_ASSERT_STRING_EQUAL(told.text, "service alive 4 4 rejected no-more 0|");
    CU_ASSERT_EQUAL(named_await(store, worse, 0, &told), RS_EREJECTED);
    CU_ASSERT_EQUAL(named_await(store, mended, 0, &told), RS_OK);
    /* However many are silent. */
    rs_watch *silent = NULL;
    MUST(rs_watch_open_named(store, "silent", NAMED_KEY, 0, &silent, NULL) == RS_OK);
    CU_ASSERT_EQUAL(named_await(store, bad, 0, &told), RS_EREJECTED);
    CU_ASSERT_EQUAL(told.count, 2);
    CU_ASSERT_EQUAL(named_await(store, mended, 0, &told), RS_ETIMEOUT);
    rs_watch_close(silent);
    rs_watch_close(watch);
    rs_close(store);
}

/* What was applied stays so when the next is rejected, and the other way round; where nobody knows
 * any more, there is no answer. */
static void test_wait_after_many_answers(void)
{
    enum { TURNS = 20, KEPT = 16 };
    struct named_told told;
    rs_store *store = stage_store();
    rs_watch *watch = named_open(store);
    uint64_t first = stage_set(store, NAMED_KEY, "first", 1);
    CU_ASSERT_EQUAL(rs_watch_answer(watch, first, RS_ANSWER_APPLIED, ""), RS_OK);
    for (uint32_t i = 0; i < TURNS; i++) {
        uint64_t bad = stage_set(store, NAMED_KEY, "a", 2 * i);
        CU_ASSERT_EQUAL(rs_watch_answer(watch, bad, RS_ANSWER_REJECTED, "no"), RS_OK);
        CU_ASSERT_EQUAL(named_await(store, bad - 1, 0, &told), RS_OK);
        CU_ASSERT_EQUAL(named_await(store, bad, 0, &told), RS_EREJECTED);
        uint64_t good = stage_set(store, NAMED_KEY, "a", 2 * i + 1);
        CU_ASSERT_EQUAL(rs_watch_answer(watch, good, RS_ANSWER_APPLIED, ""), RS_OK);
    }
    uint64_t known = first + 1 + 2 * (TURNS - KEPT); /* the oldest rejection that is kept */
    CU_ASSERT_EQUAL(named_await(store, known, 0, &told), RS_EREJECTED);
    CU_ASSERT_EQUAL(named_await(store, known - 1, 0, &told), RS_OK);
    CU_ASSERT_EQUAL(named_await(store, known - 2, 0, &told), RS_ETIMEOUT);
    rs_watch_close(watch);
    rs_close(store);
}

static void test_restart_lasts(void)
{
    struct named_told told;
    rs_store *store = stage_store();
    rs_watch *watch = named_open(store);
    uint64_t size = stage_set(store, NAMED_KEY, "Size", 1);
    CU_ASSERT_EQUAL(rs_watch_answer(watch, size, RS_ANSWER_RESTART, "Size"), RS_OK);
    uint64_t later = stage_set(store, NAMED_KEY, "a", 1);
    CU_ASSERT_EQUAL(rs_watch_answer(watch, later, RS_ANSWER_RESTART, "a"), RS_OK);
    CU_ASSERT_STRING_EQUAL(named_services(store), "service alive 2 2 restart a 1|");
    later = stage_set(store, NAMED_KEY, "b", 1);
    CU_ASSERT_EQUAL(rs_watch_answer(watch, later, RS_ANSWER_APPLIED, ""), RS_OK);
    CU_ASSERT_STRING_EQUAL(named_services(store), "service alive 3 3 applied - 1|");
    CU_ASSERT_EQUAL(named_await(store, size, 0, &told), RS_OK);
    CU_ASSERT(strstr(told.text, " restart ") != NULL);
    CU_ASSERT_EQUAL(named_await(store, later, 0, &told), RS_OK);
    CU_ASSERT(strstr(told.text, " applied ") != NULL);
    uint64_t back = stage_set(store, NAMED_KEY, "Size", 0);
    CU_ASSERT_EQUAL(rs_watch_answer(watch, back, RS_ANSWER_SETTLED, "note"), RS_OK);
    CU_ASSERT_STRING_EQUAL(named_services(store), "service alive 4 4 applied note 0|");
    CU_ASSERT_EQUAL(named_await(store, size, 0, &told), RS_OK);
    CU_ASSERT_STRING_EQUAL(told.text, "service alive 4 4 applied note 0|");
    rs_watch_close(watch);
    rs_close(store);
}

static int stop(void *context, const rs_service *service)
{
    (void)service;
    *(int *)context += 1;
    return 42;
}

static void test_each_ends_it(void)
{
    int calls = 0;
    rs_store *store = stage_store();
    rs_watch *watch = named_open(store);
    uint64_t revision = stage_set(store, NAMED_KEY, "a", 1);
    CU_ASSERT_EQUAL(rs_services(store, stop, &calls), 42);
    CU_ASSERT_EQUAL(rs_wait(store, revision, 0, stop, &calls), 42);
    CU_ASSERT_EQUAL(calls, 2);
    CU_ASSERT_EQUAL(rs_wait(store, revision, 0, NULL, NULL), RS_ETIMEOUT);
    CU_ASSERT_EQUAL(rs_wait(NULL, revision, 0, NULL, NULL), RS_EINVAL);
    CU_ASSERT_EQUAL(rs_services(store, NULL, NULL), RS_EINVAL);
    rs_watch_close(watch);
    rs_close(store);
}

/* A service whose file could not be read when the wait began, and what its process does then. */
struct unreadable {
    rs_watch *watch;
    uint64_t answered;
    char text[256];
};

/* Called for the service that is asked before it. */
static int let_it_write(void *context, const rs_service *service)
{
    struct unreadable *unreadable = context;
    if (strcmp(service->name, "first") == 0) {
        MUST(rs_watch_answer(unreadable->watch, unreadable->answered, RS_ANSWER_APPLIED, "") ==
             RS_OK);
    }
    size_t used = strlen(unreadable->text);
    snprintf(unreadable->text + used, sizeof unreadable->text - used, "%s %d|", service->name,
             (int)service->answer);
    return 0;
}

/* A wait for a revision that "first" has taken, while "second" is not readable at first. Gives what
 * was told of the two, as "NAME ANSWER|". */
static const char *await_unreadable(rs_store *store, const char *path, bool answers, int outcome)
{
    static struct unreadable unreadable;
    rs_watch *first = NULL;
    uint64_t before = stage_set(store, NAMED_KEY, "a", 1);
    unreadable = (struct unreadable){.text = ""};
    MUST(rs_watch_open_named(store, "first", NAMED_KEY, 0, &first, NULL) == RS_OK);
    MUST(rs_watch_open_named(store, "second", path, 0, &unreadable.watch, NULL) == RS_OK);
    uint64_t revision = stage_set(store, NAMED_KEY, "a", 2);
    MUST(rs_watch_answer(first, revision, RS_ANSWER_APPLIED, "") == RS_OK);
    named_damage("second", 0);
    named_damage("second", 1);
    CU_ASSERT(strstr(named_services(store), "second alive?") != NULL);
    unreadable.answered = answers ? revision : before;
    CU_ASSERT_EQUAL(rs_wait(store, revision, 0, let_it_write, &unreadable), outcome);
    rs_watch_close(first);
    rs_watch_close(unreadable.watch);
    return unreadable.text;
}

/* Nobody knows what it watches until its process writes into the file again: then it turns out
 * whether an answer of it is wanted. */
static void test_wait_for_one_that_could_not_be_read(void)
{
    rs_store *store = stage_store();
    CU_ASSERT_STRING_EQUAL(await_unreadable(store, NAMED_KEY, true, RS_OK), "first 1|second 1|");
    CU_ASSERT_STRING_EQUAL(await_unreadable(store, NAMED_KEY, false, RS_ETIMEOUT),
                           "first 1|second 0|");
    CU_ASSERT_STRING_EQUAL(await_unreadable(store, "HKLM\\Other", false, RS_OK), "first 1|");
    rs_close(store);
}

/* ---- Several processes ---- */

/* Answers what it hears: 'a' applied, 'r' rejected, 'q' ends, 'k' hangs until it is killed. */
static void serve(int from_parent, int to_parent)
{
    char order;
    rs_store *store = stage_store();
    rs_watch *watch = named_open(store);
    stage_tell(to_parent, 'w');
    while (read(from_parent, &order, 1) == 1 && order != 'q') {
        if (order == 'l') {
            MUST(strncmp(named_services(store), "service alive", 13) == 0);
            stage_tell(to_parent, order);
            continue;
        }
        rs_txn *txn = stage_begin(store, RS_READ);
        uint64_t latest = rs_revision(txn);
        rs_abort(txn);
        MUST(rs_watch_answer(watch, latest, order == 'a' ? RS_ANSWER_APPLIED : RS_ANSWER_REJECTED,
                             order == 'a' ? "" : "refused") == RS_OK);
        stage_tell(to_parent, order);
    }
    rs_watch_close(watch);
    rs_close(store);
}

struct waiter {
    pthread_t thread;
    _Atomic pid_t number; /* of the thread; 0: it has not begun */
    rs_store *store;
    uint64_t revision;
    int status;
    struct named_told told;
};

static void *wait_in_thread(void *context)
{
    struct waiter *waiter = context;
    waiter->number = gettid();
    waiter->status = named_await(waiter->store, waiter->revision, STAGE_PATIENCE, &waiter->told);
    return NULL;
}

static void start_waiting(struct waiter *waiter, rs_store *store, uint64_t revision)
{
    waiter->number = 0;
    waiter->store = store;
    waiter->revision = revision;
    MUST(pthread_create(&waiter->thread, NULL, wait_in_thread, waiter) == 0);
}

static int end_waiting(struct waiter *waiter)
{
    MUST(pthread_join(waiter->thread, NULL) == 0);
    return waiter->status;
}

static void test_wait_is_woken(void)
{
    struct waiter waiter;
    struct child child = child_start(serve);
    stage_hear(child.from, 'w');
    rs_store *store = stage_store();
    start_waiting(&waiter, store, stage_set(store, NAMED_KEY, "a", 1));
    stage_tell(child.to, 'a');
    CU_ASSERT_EQUAL(end_waiting(&waiter), RS_OK);
    start_waiting(&waiter, store, stage_set(store, NAMED_KEY, "a", 2));
    stage_tell(child.to, 'r');
    CU_ASSERT_EQUAL(end_waiting(&waiter), RS_EREJECTED);
    CU_ASSERT(strstr(waiter.told.text, "rejected refused") != NULL);
    stage_tell(child.to, 'q');
    CU_ASSERT(child_end(&child));
    CU_ASSERT(strncmp(named_services(store), "service ended", 13) == 0);
    rs_close(store);
}

/* How many inotify instances this process has. */
static unsigned count_inotify(void)
{
    char path[300];
    char target[64];
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    MUST(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        ssize_t len = readlink(path, target, sizeof target - 1);
        target[len > 0 ? len : 0] = '\0';
        count += strcmp(target, "anon_inode:inotify") == 0;
    }
    closedir(dir);
    return count;
}

/* A wait that has become a long one sleeps until the directory changes, and leaves nothing open. */
static void test_wait_is_woken_from_a_long_one(void)
{
    struct waiter waiter;
    struct child child = child_start(serve);
    stage_hear(child.from, 'w');
    rs_store *store = stage_store();
    unsigned before = count_inotify();
    start_waiting(&waiter, store, stage_set(store, NAMED_KEY, "a", 1));
    while (count_inotify() == before) {
        sched_yield();
    }
    stage_wait_asleep(getpid(), waiter.number);
    stage_tell(child.to, 'a');
    CU_ASSERT_EQUAL(end_waiting(&waiter), RS_OK);
    CU_ASSERT(strstr(waiter.told.text, "applied") != NULL);
    CU_ASSERT_EQUAL(count_inotify(), before);
    stage_tell(child.to, 'q');
    CU_ASSERT(child_end(&child));
    rs_close(store);
}

/* The deadline of a long wait comes while it sleeps. */
static void test_long_wait_ends(void)
{
    struct named_told told;
    struct child child = child_start(serve);
    stage_hear(child.from, 'w');
    rs_store *store = stage_store();
    unsigned before = count_inotify();
    uint64_t revision = stage_set(store, NAMED_KEY, "a", 1);
    CU_ASSERT_EQUAL(named_await(store, revision, 60, &told), RS_ETIMEOUT);
    CU_ASSERT_STRING_EQUAL(told.text, "service alive 0 0 none - 0|");
    CU_ASSERT_EQUAL(count_inotify(), before);
    stage_tell(child.to, 'q');
    CU_ASSERT(child_end(&child));
    rs_close(store);
}

static void test_killed_service_is_gone(void)
{
    struct named_told told;
    struct child child = child_start(serve);
    stage_hear(child.from, 'w');
    rs_store *store = stage_store();
    uint64_t revision = stage_set(store, NAMED_KEY, "a", 1);
    stage_tell(child.to, 'a');
    stage_hear(child.from, 'a');
    CU_ASSERT_EQUAL(named_await(store, revision, STAGE_PATIENCE, &told), RS_OK);
    child_kill(&child);
    CU_ASSERT(strncmp(named_services(store), "service gone", 12) == 0);
    CU_ASSERT_EQUAL(named_await(store, revision, 0, &told), RS_OK); /* not there when it is asked */
    CU_ASSERT_EQUAL(told.count, 0);
    rs_watch *watch = named_open(store); /* and its name is free */
    rs_watch_close(watch);
    rs_close(store);
}

/* By listing the services it has had its own file open, and closed. */
static void test_service_that_lists_services_is_alive(void)
{
    struct child child = child_start(serve);
    stage_hear(child.from, 'w');
    rs_store *store = stage_store();
    stage_tell(child.to, 'l');
    stage_hear(child.from, 'l');
    CU_ASSERT(strncmp(named_services(store), "service alive", 13) == 0);
    child_kill(&child);
    CU_ASSERT(strncmp(named_services(store), "service gone", 12) == 0);
    rs_close(store);
}

/* Kills the child as soon as it has answered; called for another service, before it is asked. */
static int let_it_answer_and_die(void *context, const rs_service *service)
{
    struct child *child = context;
    if (strcmp(service->name, "first") == 0) {
        stage_tell(child->to, 'a');
        stage_hear(child->from, 'a');
        child_kill(child);
    }
    return 0;
}

/* What a process has taken is gone with it, whatever it has answered. */
static void test_the_dead_have_not_answered(void)
{
    struct child child = child_start(serve);
    stage_hear(child.from, 'w');
    rs_store *store = stage_store();
    rs_watch *watch = NULL;
    MUST(rs_watch_open_named(store, "first", NAMED_KEY, RS_SUBTREE, &watch, NULL) == RS_OK);
    uint64_t revision = stage_set(store, NAMED_KEY, "a", 1);
    MUST(rs_watch_answer(watch, revision, RS_ANSWER_APPLIED, "") == RS_OK);
    CU_ASSERT_EQUAL(rs_wait(store, revision, 0, let_it_answer_and_die, &child), RS_ETIMEOUT);
    rs_watch_close(watch);
    rs_close(store);
}

/* It dies while it is waited for, and comes again. */
static void test_wait_for_one_that_comes_again(void)
{
    struct waiter waiter;
    struct child child = child_start(serve);
    stage_hear(child.from, 'w');
    rs_store *store = stage_store();
    uint64_t revision = stage_set(store, NAMED_KEY, "a", 1);
    start_waiting(&waiter, store, revision);
    child_kill(&child);
    rs_watch *watch = named_open(store);
    CU_ASSERT_EQUAL(rs_watch_answer(watch, revision, RS_ANSWER_APPLIED, ""), RS_OK);
    CU_ASSERT_EQUAL(end_waiting(&waiter), RS_OK);
    rs_watch_close(watch);
    rs_close(store);
}

/* A child that was forked keeps the dead one's lock, but not its name. */
static void fork_and_serve(int from_parent, int to_parent)
{
    rs_store *store = stage_store();
    (void)named_open(store);
    stage_leave_heir(from_parent, to_parent);
}

static void test_name_after_a_fork(void)
{
    struct child child = child_start(fork_and_serve);
    stage_hear(child.from, 'w');
    heir_left(&child);
    rs_store *store = stage_store();
    CU_ASSERT(strncmp(named_services(store), "service gone", 12) == 0);
    rs_watch *watch = named_open(store);
    CU_ASSERT(strncmp(named_services(store), "service alive", 13) == 0);
    heir_end(&child);
    rs_watch_close(watch);
    rs_close(store);
}

/* ---- Before the commit ---- */

static int concerned(rs_txn *txn, const char *path, unsigned flags)
{
    int answer = -1;
    int status = rs_txn_concerns(txn, path, flags, &answer);
    return status == RS_OK ? answer : status;
}

static void test_whom_a_change_will_concern(void)
{
    rs_store *store = stage_store();
    stage_set(store, NAMED_KEY, "a", 1);
    rs_txn *txn = stage_begin(store, RS_WRITE);
    CU_ASSERT_EQUAL(concerned(txn, NAMED_KEY, RS_SUBTREE), 0);
    stage_put(txn, NAMED_KEY "\\Below", "b", 1);
    CU_ASSERT_EQUAL(concerned(txn, NAMED_KEY, RS_SUBTREE), 1);
    CU_ASSERT_EQUAL(concerned(txn, NAMED_KEY "\\Below\\Deep", 0), 1); /* it comes */
    CU_ASSERT_EQUAL(concerned(txn, "HKLM\\Elsewhere", RS_SUBTREE | RS_WATCH_RULES), 0);
    stage_put(txn, "HKRS\\Rules\\HKLM\\*", "c", 1);
    CU_ASSERT_EQUAL(concerned(txn, "HKLM\\Elsewhere", RS_SUBTREE), 0);
    CU_ASSERT_EQUAL(concerned(txn, "HKLM\\Elsewhere", RS_SUBTREE | RS_WATCH_RULES), 1);
    CU_ASSERT_EQUAL(concerned(txn, "nowhere", 0), RS_EPATH);
    CU_ASSERT_EQUAL(concerned(txn, NAMED_KEY, 4), RS_EINVAL);
    rs_abort(txn);
    txn = stage_begin(store, RS_READ);
    CU_ASSERT_EQUAL(concerned(txn, NAMED_KEY, 0), RS_EREADONLY);
    rs_abort(txn);
    rs_close(store);
}

/* A transaction that only deletes keeps its changes elsewhere. */
static void test_whom_a_deletion_will_concern(void)
{
    rs_store *store = stage_store();
    stage_set(store, NAMED_KEY "\\Below", "a", 1);
    rs_txn *txn = stage_begin(store, RS_WRITE);
    MUST(rs_key_delete(txn, stage_key(txn, NAMED_KEY "\\Below"), RS_RECURSIVE) == RS_OK);
    CU_ASSERT_EQUAL(concerned(txn, NAMED_KEY "\\Below\\Deep", 0), 1);
    CU_ASSERT_EQUAL(concerned(txn, NAMED_KEY, 0), 1); /* a direct subkey went */
    CU_ASSERT_EQUAL(concerned(txn, NAMED_KEY "\\Other", RS_SUBTREE), 0);
    rs_abort(txn);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"wrong answers", test_wrong_answers},
    {"long reason is cut", test_long_reason_is_cut},
    {"wait: for whom", test_wait_for_whom},
    {"wait: through links", test_wait_through_links},
    {"wait: tells rejections", test_wait_tells_rejections},
    {"wait: after many answers", test_wait_after_many_answers},
    {"restart lasts", test_restart_lasts},
    {"each ends it", test_each_ends_it},
    {"wait: for one that could not be read", test_wait_for_one_that_could_not_be_read},
    {"wait: is woken", test_wait_is_woken},
    {"wait: is woken from a long one", test_wait_is_woken_from_a_long_one},
    {"wait: a long one ends", test_long_wait_ends},
    {"killed service is gone", test_killed_service_is_gone},
    {"wait: the dead have not answered", test_the_dead_have_not_answered},
    {"wait: for one that comes again", test_wait_for_one_that_comes_again},
    {"name after a fork", test_name_after_a_fork},
    {"service that lists services is alive", test_service_that_lists_services_is_alive},
    {"whom a change will concern", test_whom_a_change_will_concern},
    {"whom a deletion will concern", test_whom_a_deletion_will_concern},
    {NULL, NULL},
};
const struct test_suite suite_answers = {"answers", cases};
