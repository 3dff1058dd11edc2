/*
 * test_deliverer - who prints the jobs of a queue: what is heard of him, how he gets one job after
 * the other, and his ends. A script stands in for regstore-deliver.
 */
#include "harness.h"

#include "../services/lpdsvc/deliverer.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct watcher {
    struct loop loop;
    struct deliverer deliverer;
    char heard[1024]; /* an event each, with a blank behind it */
    const char *last; /* the loop ends at this event */
    const char *next; /* the job that is given when he has printed one; NULL: none */
};

static void hear(struct watcher *watcher, const char *event)
{
    size_t length = strlen(watcher->heard);
    CU_ASSERT_TRUE_FATAL(length + strlen(event) + 2 < sizeof(watcher->heard));
    (void)snprintf(watcher->heard + length, sizeof(watcher->heard) - length, "%s ", event);
    if (watcher->last != NULL && strcmp(event, watcher->last) == 0) {
        loop_end(&watcher->loop, 0);
    }
}

static void hear_printing(void *owner)
{
    hear(owner, "printing");
}

static void hear_again(void *owner, const char *document)
{
    char event[64];
    (void)snprintf(event, sizeof(event), "again:%s", document);
    hear(owner, event);
}

static void hear_waiting(void *owner, const char *reason)
{
    char event[64];
    (void)snprintf(event, sizeof(event), "waiting:%s", reason);
    hear(owner, event);
}

static void hear_done(void *owner)
{
    struct watcher *watcher = owner;
    const char *next = watcher->next;
    CU_ASSERT_STRING_EQUAL(watcher->deliverer.job, "");
    hear(watcher, "done");
    if (next != NULL) {
        watcher->next = NULL;
        deliverer_give(&watcher->deliverer, next);
    }
}

static void hear_end(void *owner, int status, const char *reason)
{
    char event[128];
    struct watcher *watcher = owner;
    CU_ASSERT_EQUAL(watcher->deliverer.phase, DELIVERER_NOBODY);
    CU_ASSERT_FALSE(deliverer_is_ours(&watcher->deliverer));
    (void)snprintf(event, sizeof(event), "end:%d:%s", status, reason != NULL ? reason : "-");
    hear(watcher, event);
    loop_end(&watcher->loop, 0);
}

static const struct deliverer_calls calls = {hear_printing, hear_again, hear_waiting, hear_done,
                                             hear_end};

static void watcher_open(struct watcher *watcher)
{
    *watcher = (struct watcher){.last = NULL};
    CU_ASSERT_EQUAL_FATAL(loop_open(&watcher->loop), 0);
    deliverer_init(&watcher->deliverer, &watcher->loop, &calls, watcher);
}

static void watcher_close(struct watcher *watcher)
{
    worker_signal(&watcher->deliverer.worker, SIGKILL);
    deliverer_release(&watcher->deliverer);
    loop_close(&watcher->loop);
}

/* Starts this script, whose $job is the first job's name, and $next() is the name that it reads. */
static void start(struct watcher *watcher, const char *script)
{
    static const struct target target = {.kind = TARGET_FILE, .text = "/dev/null", .format = 'l'};
    static const struct deliver_call call = {
        .spool = "/spool", .job = "00000001", .target = &target, .retry = 1000};
    char path[256];
    (void)snprintf(path, sizeof(path), "%s", scratch_path("deliver"));
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fprintf(file,
            "#!/bin/sh\n"
            "while [ $# -gt 2 ]; do shift; done; job=$1\n"
            "next() { read -r job || exit 0; }\n"
            "%s\n",
            script);
    CU_ASSERT_EQUAL_FATAL(fclose(file), 0);
    CU_ASSERT_EQUAL_FATAL(chmod(path, 0700), 0);
    CU_ASSERT_EQUAL_FATAL(deliverer_start(&watcher->deliverer, path, &call), 0);
    CU_ASSERT_EQUAL(watcher->deliverer.phase, DELIVERER_BUSY);
    CU_ASSERT_STRING_EQUAL(watcher->deliverer.job, "00000001");
}

/* Until this is heard, or he has ended. */
static void listen_until(struct watcher *watcher, const char *event)
{
    watcher->last = event;
    watcher->loop.ended = false;
    CU_ASSERT_EQUAL(loop_run(&watcher->loop), 0);
}

static void what_he_says_is_heard(void)
{
    struct watcher watcher;
    watcher_open(&watcher);
    start(&watcher, "echo nonsense; echo again 1; echo printing 1/2; echo waiting for paper\n"
                    "echo done 00000007; echo done; echo printing 2/2; echo done $job; exit 0");
    listen_until(&watcher, NULL);
    CU_ASSERT_STRING_EQUAL(watcher.heard,
                           "again:1 printing waiting:for paper printing done end:0:- ");
    watcher_close(&watcher);
}

static void he_gets_one_job_after_the_other(void)
{
    struct watcher watcher;
    watcher_open(&watcher);
    start(&watcher, "while :; do echo printing 1/1; echo \"done $job\"; next; done");
    watcher.next = "00000002";
    listen_until(&watcher, "done");
    CU_ASSERT_EQUAL(watcher.deliverer.phase, DELIVERER_BUSY);
    CU_ASSERT_STRING_EQUAL(watcher.deliverer.job, "00000002");
    listen_until(&watcher, "done");
    CU_ASSERT_EQUAL(watcher.deliverer.phase, DELIVERER_FREE);
    deliverer_give(&watcher.deliverer, "00000003");
    CU_ASSERT_EQUAL(watcher.deliverer.phase, DELIVERER_BUSY);
    listen_until(&watcher, "done");
    deliverer_dismiss(&watcher.deliverer);
    CU_ASSERT_EQUAL(watcher.deliverer.phase, DELIVERER_LEAVING);
    CU_ASSERT_TRUE(deliverer_is_ours(&watcher.deliverer));
    listen_until(&watcher, NULL);
    CU_ASSERT_STRING_EQUAL(watcher.heard, "printing done printing done printing done end:0:- ");
    watcher_close(&watcher);
}

static void one_without_a_job_is_not_kept_for_long(void)
{
    struct watcher watcher;
    watcher_open(&watcher);
    start(&watcher, "echo \"done $job\"; next");
    listen_until(&watcher, "done");
    CU_ASSERT_TRUE(watcher.deliverer.leave.set);
    listen_until(&watcher, NULL);
    CU_ASSERT_STRING_EQUAL(watcher.heard, "done end:0:- ");
    watcher_close(&watcher);
}

/* Between two jobs it is no news how, and of a job that he had, it is. */
static void ends_are_told_where_they_are_news(void)
{
    static const struct {
        const char *script;
        const char *next;
        const char *heard;
    } rows[] = {
        {"echo out of paper >&2; exit 1", NULL, "end:1:out of paper "},
        {"exit 0", NULL, "end:0:regstore-deliver has ended with status 0 "},
        {"kill -9 $$", NULL, "end:-1:regstore-deliver was killed "},
        {"echo \"done $job\"; kill -9 $$", NULL, "done end:-1:- "},
        {"echo old >&2; echo \"done $job\"; next; echo printing 1/1; exit 3", "00000002",
         "done printing end:3:regstore-deliver has ended with status 3 "},
        {"echo \"done $job\"; next; echo damaged >&2; exit 4", "00000002", "done end:4:damaged "},
        {"echo \"done $job\"; next; kill -9 $$", "00000002", "done end:-1:- "},
        {"echo \"done $job\"; next; exit 0", "00000002", "done end:0:- "},
        {"echo \"done $job\"; next; echo printing 1/1; kill -9 $$", "00000002",
         "done printing end:-1:regstore-deliver was killed "},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct watcher watcher;
        watcher_open(&watcher);
        start(&watcher, rows[i].script);
        watcher.next = rows[i].next;
        listen_until(&watcher, NULL);
        CU_ASSERT_STRING_EQUAL(watcher.heard, rows[i].heard);
        watcher_close(&watcher);
    }
}

static void who_is_told_to_end_gets_no_more(void)
{
    struct watcher watcher;
    watcher_open(&watcher);
    start(&watcher,
          "trap 'told=yes' TERM; echo printing 1/1; while [ -z \"$told\" ]; do sleep 0.01; "
          "done; echo \"done $job\"; next");
    listen_until(&watcher, "printing");
    deliverer_tell_to_end(&watcher.deliverer);
    listen_until(&watcher, "done");
    CU_ASSERT_EQUAL(watcher.deliverer.phase, DELIVERER_LEAVING);
    listen_until(&watcher, NULL);
    CU_ASSERT_STRING_EQUAL(watcher.heard, "printing done end:0:- ");
    start(&watcher,
          "trap 'exit 1' TERM; echo waiting x; echo why >&2; while :; do sleep 0.01; done");
    watcher.heard[0] = '\0';
    listen_until(&watcher, "waiting:x");
    deliverer_tell_to_end(&watcher.deliverer);
    listen_until(&watcher, NULL);
    CU_ASSERT_STRING_EQUAL(watcher.heard, "waiting:x end:1:- ");
    watcher_close(&watcher);
}

/* His end comes after the job was given. */
static void one_who_is_dead_takes_no_job(void)
{
    struct watcher watcher;
    void (*pipe_before)(int) = signal(SIGPIPE, SIG_IGN);
    watcher_open(&watcher);
    start(&watcher, "echo \"done $job\"; next");
    listen_until(&watcher, "done");
    pid_t pid = watcher.deliverer.worker.pid;
    siginfo_t info;
    CU_ASSERT_EQUAL(kill(pid, SIGKILL), 0);
    CU_ASSERT_EQUAL(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    deliverer_give(&watcher.deliverer, "00000002");
    CU_ASSERT_EQUAL(watcher.deliverer.phase, DELIVERER_LEAVING);
    CU_ASSERT_STRING_EQUAL(watcher.deliverer.job, "");
    listen_until(&watcher, NULL);
    CU_ASSERT_STRING_EQUAL(watcher.heard, "done end:-1:- ");
    watcher_close(&watcher);
    signal(SIGPIPE, pipe_before);
}

/* In a process of its own: claims the job, says so, and waits for the end of what it is told. */
static pid_t claim_in_child(int directory, int *input)
{
    int ready[2];
    int ends[2];
    char byte = 'x';
    CU_ASSERT_EQUAL_FATAL(pipe2(ready, O_CLOEXEC), 0);
    CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[1]);
        int claim = job_claim(directory);
        (void)!write(ready[1], &byte, claim >= 0 ? 1 : 0);
        close(ready[1]);
        (void)!read(ends[0], &byte, 1);
        _exit(0);
    }
    CU_ASSERT_TRUE_FATAL(pid > 0);
    close(ready[1]);
    close(ends[0]);
    CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    *input = ends[1];
    return pid;
}

static int make_job(void)
{
    struct line problem = LINE_INIT;
    const char *path = scratch_path("job");
    CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CU_ASSERT_TRUE_FATAL(directory >= 0);
    CU_ASSERT_TRUE_FATAL(job_begin_state(directory, "00000001", 1, &problem));
    return directory;
}

static void one_of_before_us_is_followed(void)
{
    struct watcher watcher;
    int input;
    int directory = make_job();
    watcher_open(&watcher);
    CU_ASSERT_FALSE(deliverer_follow(&watcher.deliverer, directory, "00000001"));
    CU_ASSERT_EQUAL(watcher.deliverer.phase, DELIVERER_NOBODY);
    pid_t pid = claim_in_child(directory, &input);
    CU_ASSERT_TRUE_FATAL(deliverer_follow(&watcher.deliverer, directory, "00000001"));
    CU_ASSERT_EQUAL(watcher.deliverer.phase, DELIVERER_FOREIGN);
    CU_ASSERT_FALSE(deliverer_is_ours(&watcher.deliverer));
    deliverer_tell_to_end(&watcher.deliverer); /* he is not ours to be told */
    CU_ASSERT_EQUAL(kill(pid, 0), 0);
    close(input);
    listen_until(&watcher, NULL);
    CU_ASSERT_STRING_EQUAL(watcher.heard, "end:1:- ");
    CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
    watcher_close(&watcher);
    close(directory);
}

static const struct test_case cases[] = {
    {"what he says is heard", what_he_says_is_heard},
    {"he gets one job after the other", he_gets_one_job_after_the_other},
    {"one without a job is not kept for long", one_without_a_job_is_not_kept_for_long},
    {"ends are told where they are news", ends_are_told_where_they_are_news},
    {"who is told to end gets no more", who_is_told_to_end_gets_no_more},
    {"one who is dead takes no job", one_who_is_dead_takes_no_job},
    {"one of before us is followed", one_of_before_us_is_followed},
    {NULL, NULL},
};

const struct test_suite suite_deliverer = {"deliverer", cases};
