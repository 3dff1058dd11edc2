/*
 * kills.c - kills writers at any moment, and looks whether the store is whole each time.
 *
 * Half of the kills come at a random time after a writer has begun; the other half at a system call
 * that a tracer counts down to: what is on the disk changes only by those, so stopping before and
 * after each of them meets every state that a crash of the program can leave there. Meanwhile
 * readers and watchers are at work, and are killed now and then, too; for a quarter of the run
 * there are none, so that the next process to open the store is the first. The journal is full, so
 * every commit trims it. A writer tells each revision through a pipe once its commit has returned.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crowd.h"

#define KILLS 2000u
#define KEEP 10000u /* revisions that the journal keeps */
#define CROWD 4u
#define VERBS_A_LIFE 4u
#define CHECK_ALL_EVERY 200u
#define KILL_CROWD_EVERY 20u

struct writer {
    bool traced;
    struct rig_random random;
    const char *file;
};

/* What the parent knows for sure. */
struct known {
    uint64_t revision; /* that was acknowledged or read */
    uint64_t kept;     /* kills after which the revision under way was there, unacknowledged */
    uint64_t late;     /* kills after which it showed up with the next writer */
    uint64_t lost;     /* kills after which nothing was under way, or it was not there */
    uint32_t calls;    /* system calls of a writer that lived to its end */
};

/* ---- The writer ---- */

static void write_and_tell(void *context, int pipe)
{
    struct writer *writer = context;
    if (writer->traced) {
        RIG_MUST(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
        raise(SIGSTOP);
    }
    rs_store *store = rig_open(0);
    for (unsigned i = 0; i < VERBS_A_LIFE; i++) {
        uint64_t revision = scene_do(store, scene_any(&writer->random), writer->file);
        RIG_MUST(write(pipe, &revision, sizeof revision) == sizeof revision);
    }
    rs_close(store);
}

/* Each acknowledged revision follows the one before. */
static void hear(int pipe, struct known *known)
{
    uint64_t revision;
    ssize_t got;
    while ((got = read(pipe, &revision, sizeof revision)) == sizeof revision) {
        RIG_MUST(revision == known->revision + 1);
        known->revision = revision;
    }
    RIG_MUST(got == 0);
    close(pipe);
}

/* True if it was killed; false if it had come to its end. */
static bool kill_at_some_time(struct writer *writer, struct rig_random *random, struct known *known)
{
    int pipe;
    int status;
    pid_t pid = rig_fork(write_and_tell, writer, &pipe);
    /* Mostly within the first commits, at times later. */
    rig_sleep_us(rig_below(random, 1u << (9 + rig_below(random, 6))));
    RIG_MUST(kill(pid, SIGKILL) == 0);
    RIG_MUST(waitpid(pid, &status, 0) == pid);
    RIG_MUST(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    hear(pipe, known);
    return WIFSIGNALED(status);
}

/* Lets the child run until it has stopped count times more. Gives what it stopped or ended with. */
static int run_calls(pid_t pid, uint32_t count, uint32_t *passed)
{
    int status = 0;
    for (*passed = 0; *passed < count; ++*passed) {
        RIG_MUST(ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0);
        RIG_MUST(waitpid(pid, &status, 0) == pid);
        if (!WIFSTOPPED(status)) {
            break;
        }
    }
    return status;
}

static bool kill_at_some_call(struct writer *writer, struct rig_random *random, struct known *known)
{
    int pipe;
    int status;
    uint32_t passed;
    pid_t pid = rig_fork(write_and_tell, writer, &pipe);
    RIG_MUST(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
    status = run_calls(pid, 1 + rig_below(random, known->calls), &passed);
    bool killed = WIFSTOPPED(status);
    if (killed) {
        rig_kill(pid);
    } else {
        RIG_MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        known->calls = (known->calls + passed) / 2; /* so that most die before their end */
    }
    hear(pipe, known);
    return killed;
}

/* Some machines do not let a process trace its children. */
static void be_traced(void *context, int pipe)
{
    (void)context;
    (void)pipe;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
        _exit(1);
    }
}

/* ---- Checks ---- */

/* Every revision after one has its changes, and there is none missing. */
static void check_journal(rs_store *store, uint64_t since, uint64_t latest, bool all_ours)
{
    rs_watch *watch = NULL;
    const rs_batch *batch;
    RIG_OK(rs_watch_open(store, SCENE_ROOT, RS_SUBTREE, since, &watch, NULL));
    for (uint64_t revision = since + 1; revision <= latest; revision++) {
        RIG_OK(rs_watch_next(watch, &batch));
        RIG_MUST(batch->revision == revision);
        if (all_ours || batch->message[0] != '\0') {
            scene_check_batch(batch);
        }
    }
    RIG_GIVES(RS_END, rs_watch_next(watch, &batch));
    rs_watch_close(watch);
}

struct crowd {
    struct crowd_member members[CROWD];
    bool there;
};

/* A commit is made by LMDB's meta page and shown by a number in memory that all processes share. A
 * writer that dies between the two leaves a revision that nobody sees until the next writer begins,
 * or the next process to find itself alone. It was not acknowledged, so it may come as late as
 * that. */
static void check_whole(struct known *known, const struct crowd *crowd)
{
    rs_store *store = rig_open(0);
    rs_txn *txn = rig_begin(store, RS_READ);
    scene_check(txn);
    uint64_t latest = rs_revision(txn);
    rs_abort(txn);
    RIG_MUST(latest == known->revision || latest == known->revision + 1);
    uint64_t made = scene_do(store, SCENE_NOTE, NULL);
    bool late = made == latest + 2 && latest == known->revision && crowd->there;
    RIG_MUST(made == latest + 1 || late);
    check_journal(store, known->revision, made, true);
    known->late += late;
    known->kept += !late && latest != known->revision;
    known->lost += !late && latest == known->revision;
    known->revision = made;
    rs_close(store);
}

static int must_be_known(struct crowd *crowd, uint32_t pid)
{
    bool found = false;
    for (unsigned i = 0; i < CROWD; i++) {
        found = found || (crowd->there && (uint32_t)crowd->members[i].pid == pid);
    }
    RIG_MUST(found);
    return 0;
}

static int on_reader(void *context, const rs_reader *reader)
{
    return must_be_known(context, reader->pid);
}

static int on_watcher(void *context, const rs_watcher *watcher)
{
    return must_be_known(context, watcher->pid);
}

/* All that is counted, all of the journal, and nobody listed who is dead. */
static void check_all(struct known *known, struct crowd *crowd)
{
    rs_stat stat;
    rs_store *store = rig_open(0);
    rs_txn *txn = rig_begin(store, RS_READ);
    rs_check_report report;
    scene_count(txn);
    RIG_OK(rs_check(txn, NULL, &report));
    RIG_MUST(report.damages == 0);
    RIG_OK(rs_stat_get(txn, &stat));
    RIG_MUST(stat.revision == known->revision);
    RIG_MUST(stat.revision - stat.first_revision == KEEP - 1);
    RIG_OK(rs_readers(txn, on_reader, crowd));
    rs_abort(txn);
    RIG_OK(rs_watchers(store, on_watcher, crowd));
    check_journal(store, stat.first_revision - 1, stat.revision, false);
    rs_close(store);
}

/* ---- The run ---- */

static void gather(struct crowd *crowd, const struct known *known)
{
    for (unsigned i = 0; i < CROWD; i++) {
        struct crowd_member *member = &crowd->members[i];
        member->role = i % 2 == 0 ? CROWD_READER : CROWD_WATCHER;
        member->number = i;
        member->pause = 2000;
        member->position = known->revision;
        crowd_start(member);
    }
    crowd->there = true;
}

static void disperse(struct crowd *crowd, const struct known *known)
{
    crowd_stop(crowd->members, CROWD, known->revision);
    crowd->there = false;
}

static void kill_one_of(struct crowd *crowd, struct rig_random *random)
{
    struct crowd_member *member = &crowd->members[rig_below(random, CROWD)];
    crowd_must_live(crowd->members, CROWD);
    rig_kill(member->pid);
    crowd_start(member);
}

struct kills {
    struct rig_random random;
    struct known known;
    struct crowd *crowd;
    const char *file;
    bool can_trace;
    unsigned by_time;
    unsigned by_call;
    unsigned of_crowd;
};

static void kill_one(struct kills *kills, unsigned number)
{
    struct writer writer = {kills->can_trace && number % 2 == 0, kills->random, kills->file};
    bool killed = false;
    while (!killed) {
        writer.random = rig_random(rig_next(&kills->random), number);
        killed = writer.traced ? kill_at_some_call(&writer, &kills->random, &kills->known)
                               : kill_at_some_time(&writer, &kills->random, &kills->known);
        check_whole(&kills->known, kills->crowd);
    }
    kills->by_call += writer.traced;
    kills->by_time += !writer.traced;
}

/* Nobody else is there in the third quarter. */
static bool is_lonely(unsigned number, unsigned count)
{
    return number >= count / 2 && number < count - count / 4;
}

static void run(struct kills *kills, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (is_lonely(i, count) == kills->crowd->there) {
            if (kills->crowd->there) {
                disperse(kills->crowd, &kills->known);
            } else {
                gather(kills->crowd, &kills->known);
            }
        }
        if (kills->crowd->there && i % KILL_CROWD_EVERY == KILL_CROWD_EVERY - 1) {
            kill_one_of(kills->crowd, &kills->random);
            kills->of_crowd++;
        }
        kill_one(kills, i);
        if (i % CHECK_ALL_EVERY == 0 || i + 1 == count) {
            check_all(&kills->known, kills->crowd);
        }
    }
    if (kills->crowd->there) {
        disperse(kills->crowd, &kills->known);
    }
}

int main(int argc, char **argv)
{
    rig_start(argc, argv, KILLS);
    struct kills kills = {
        .random = rig_random(rig_seed(), 0),
        .known = {.calls = 400},
        .crowd = rig_shared(sizeof *kills.crowd),
        .file = rig_path("dump.xml"),
        .can_trace = rig_ended_well(rig_fork(be_traced, NULL, NULL)),
    };
    rs_store *store = rig_open(RS_CREATE);
    scene_prepare(store, KEEP, NULL);
    kills.known.revision = scene_do(store, SCENE_NOTE, NULL);
    rs_close(store);
    run(&kills, rig_count());
    rig_pass("%u writers killed at some time", kills.by_time);
    if (kills.can_trace) {
        rig_pass("%u writers killed at some system call, one of about %u", kills.by_call,
                 kills.known.calls);
    } else {
        rig_skip("kills at system calls: tracing is not allowed here");
    }
    rig_pass("%u readers and watchers killed meanwhile", kills.of_crowd);
    printf("a revision under way was there %llu times, showed up late %llu times; %llu times "
           "there was none\n",
           (unsigned long long)kills.known.kept, (unsigned long long)kills.known.late,
           (unsigned long long)kills.known.lost);
    return rig_finish();
}
