/*
 * kills.c - kills writers at any moment, and looks whether the store is whole each time.
 *
 * Half of the kills come at a random time after a writer has begun; the other half at a system call
 * (see killer.h). Meanwhile readers and watchers are at work, and are killed now and then, too; for
 * a quarter of the run there are none, so that the next process to open the store is the first. The
 * journal is full, so every commit trims it. A writer tells each revision through a pipe once its
 * commit has returned. What takes revisions back is killed in kills_undo.c.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crowd.h"
#include "killer.h"

#define KILLS 2000u
#define KEEP 10000u /* revisions that the journal keeps */
#define CROWD 4u
#define VERBS_A_LIFE 4u
#define CHECK_ALL_EVERY 200u
#define KILL_CROWD_EVERY 20u

struct writer {
    struct rig_random random;
    const char *file;
};

/* What the parent knows for sure. */
struct known {
    uint64_t revision; /* that was acknowledged or read */
    uint64_t kept;     /* kills after which the revision under way was there, unacknowledged */
    uint64_t late;     /* kills after which it showed up with the next writer */
    uint64_t lost;     /* kills after which nothing was under way, or it was not there */
};

/* ---- The writer ---- */

static void write_and_tell(void *context, int pipe)
{
    struct writer *writer = context;
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
    struct killer killer;
    const char *file;
    unsigned of_crowd;
};

static void kill_one(struct kills *kills, unsigned number)
{
    bool killed = false;
    while (!killed) {
        int pipe;
        struct writer writer = {rig_random(rig_next(&kills->random), number), kills->file};
        killed = killer_kill(&kills->killer, number % 2 == 0, write_and_tell, &writer, &pipe);
        hear(pipe, &kills->known);
        check_whole(&kills->known, kills->crowd);
    }
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
        .killer = killer_new(rig_random(rig_seed(), 1)),
        .crowd = rig_shared(sizeof *kills.crowd),
        .file = rig_path("dump.xml"),
    };
    rs_store *store = rig_open(RS_CREATE);
    scene_prepare(store, KEEP, NULL);
    kills.known.revision = scene_do(store, SCENE_NOTE, NULL);
    rs_close(store);
    run(&kills, rig_count());
    killer_report(&kills.killer);
    rig_pass("%u readers and watchers killed meanwhile", kills.of_crowd);
    printf("a revision under way was there %llu times, showed up late %llu times; %llu times "
           "there was none\n",
           (unsigned long long)kills.known.kept, (unsigned long long)kills.known.late,
           (unsigned long long)kills.known.lost);
    return rig_finish();
}
