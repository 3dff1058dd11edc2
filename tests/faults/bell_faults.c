/*
 * bell_faults.c - everything that can happen to the bell, while changes are made and watched.
 *
 * Eight parts share 10,000 changes (--count), each a commit of its own. In each two watchers, of
 * another user if root runs it, must be told every revision once and in order, while the bell is
 * deleted, emptied, made unreadable, or has a directory, a FIFO or another file in its place; in
 * the last part there is no inotify to be had for the first half, and the watchers must come to one
 * after that.
 *
 * How late a change is told is measured from the return of its commit. The store promises 1.2 s on
 * a machine that has time for it. Here others work, too; so a process that only sleeps measures for
 * how long it is not woken though it should be, and ten times the longest of that is allowed on
 * top. A wake-up that is lost is not late but never comes, and fails the test.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"

#define CHANGES 10000u
#define PARTS 8u
#define WATCHERS 2u
#define PROMISED_MS 1200u
#define PATIENCE_MS 30000u
#define STALLS 10u /* that a change may meet on its way: of its writer and of its watcher */
#define NAP_MS 5u
#define FIRST_UID 61000u /* of users that nobody is: their inotify instances are nobody's loss */

enum trouble { NOTHING, DELETED, EMPTIED, UNREADABLE, DIRECTORY, FIFO, REPLACED, NO_INOTIFY };
static const char *const trouble_names[PARTS] = {"untouched",  "deleted",        "emptied",
                                                 "unreadable", "a directory",    "a FIFO",
                                                 "replaced",   "without inotify"};

/* What the processes share. */
struct board {
    atomic_bool stop;
    atomic_uint ready;         /* watchers that watch */
    atomic_uint troubles;      /* made in this part */
    _Atomic uint64_t stall_ms; /* the longest that a process had to wait for its turn */
    _Atomic uint64_t position[WATCHERS];
    _Atomic uint64_t latest_ms[WATCHERS]; /* lateness */
    atomic_uint late[WATCHERS];           /* changes told after more than was promised */
    _Atomic uint64_t committed_ms[];      /* when each revision's commit had returned; 0: not yet */
};

struct watcher {
    struct board *board;
    unsigned number;
    uint64_t since;
    uid_t uid;
};

struct troublemaker {
    struct board *board;
    enum trouble trouble;
    const char *bell;
    struct rig_random random;
};

/* ---- Another user ---- */

static uid_t other_user(void)
{
    return geteuid() == 0 ? FIRST_UID + (uid_t)getpid() % 4000 : geteuid();
}

static void become(uid_t uid)
{
    if (geteuid() == 0) {
        RIG_MUST(setgroups(0, NULL) == 0 && setgid(uid) == 0 && setuid(uid) == 0);
    }
}

/* The store's files to that user's group, as the installation has them. */
static void give_to(gid_t gid)
{
    static const char *const names[] = {"", "/data.mdb", "/lock.mdb", "/bell", "/watches"};
    for (unsigned i = 0; geteuid() == 0 && i < sizeof names / sizeof *names; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s%s", rig_store_dir(), names[i]);
        RIG_MUST(chown(path, 0, gid) == 0);
    }
}

/* ---- Watching ---- */

static void take(const struct watcher *watcher, const rs_batch *batch)
{
    struct board *board = watcher->board;
    uint64_t before = atomic_load(&board->position[watcher->number]);
    RIG_MUST(batch->revision == before + 1);
    RIG_MUST(batch->count == 1 && batch->changes[0].kind == RS_VALUE_SET);
    uint64_t committed = atomic_load(&board->committed_ms[batch->revision]);
    uint64_t now = rig_now_ms();
    uint64_t late = committed != 0 && now > committed ? now - committed : 0;
    if (late > atomic_load(&board->latest_ms[watcher->number])) {
        atomic_store(&board->latest_ms[watcher->number], late);
    }
    if (late > PROMISED_MS) {
        atomic_fetch_add(&board->late[watcher->number], 1);
    }
    atomic_store(&board->position[watcher->number], batch->revision);
}

static void watch(void *context, int pipe)
{
    struct watcher *watcher = context;
    struct board *board = watcher->board;
    rs_watch *open = NULL;
    (void)pipe;
    become(watcher->uid);
    rs_store *store = rig_open(RS_READONLY);
    RIG_OK(rs_watch_open(store, "HKLM\\Bell", 0, watcher->since, &open, NULL));
    atomic_fetch_add(&board->ready, 1);
    while (!atomic_load(&board->stop)) {
        struct pollfd ready = {.fd = rs_watch_fd(open), .events = POLLIN};
        const rs_batch *batch;
        int status;
        RIG_MUST(poll(&ready, 1, (int)PATIENCE_MS) == 1); /* once a second at least */
        while ((status = rs_watch_next(open, &batch)) == RS_OK) {
            take(watcher, batch);
        }
        RIG_GIVES(RS_END, status);
    }
    rs_watch_close(open);
    rs_close(store);
}

/* ---- Trouble ---- */

static void clear_away(const char *bell)
{
    if (unlink(bell) != 0 && (errno == EISDIR || errno == EPERM)) {
        (void)rmdir(bell);
    }
}

static void replace(const char *bell)
{
    char fresh[4096];
    snprintf(fresh, sizeof fresh, "%s.new", bell);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    RIG_MUST(fd >= 0 && fchmod(fd, 0664) == 0 && close(fd) == 0);
    (void)rename(fresh, bell);
}

/* The writer makes the bell anew at any moment, so each of these may come too late. */
static void make_trouble(enum trouble trouble, const char *bell)
{
    switch (trouble) {
    case DELETED:
        clear_away(bell);
        break;
    case EMPTIED:
        RIG_MUST(truncate(bell, 0) == 0 || errno == ENOENT);
        break;
    case UNREADABLE:
        (void)chmod(bell, 0);
        break;
    case DIRECTORY:
        clear_away(bell);
        (void)mkdir(bell, 0770);
        break;
    case FIFO:
        clear_away(bell);
        (void)mkfifo(bell, 0660);
        break;
    case REPLACED:
        replace(bell);
        break;
    case NOTHING:
    case NO_INOTIFY:
        break;
    }
}

static void mend(enum trouble trouble, const char *bell)
{
    if (trouble == UNREADABLE) {
        (void)chmod(bell, 0660);
    } else if (trouble == DIRECTORY || trouble == FIFO) {
        clear_away(bell);
    }
}

static void trouble_bell(void *context, int pipe)
{
    struct troublemaker *maker = context;
    (void)pipe;
    while (!atomic_load(&maker->board->stop)) {
        bool lasting = rig_below(&maker->random, 10) == 0;
        make_trouble(maker->trouble, maker->bell);
        rig_sleep_us(rig_below(&maker->random, lasting ? 300000 : 5000));
        mend(maker->trouble, maker->bell);
        atomic_fetch_add(&maker->board->troubles, 1);
        rig_sleep_us(rig_below(&maker->random, 5000));
    }
    mend(maker->trouble, maker->bell);
}

/* Takes all of its user's instances and holds them until it is killed. */
static void take_inotify(void *context, int pipe)
{
    const uid_t *uid = context;
    struct rlimit limit;
    RIG_MUST(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    RIG_MUST(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    become(*uid);
    while (inotify_init1(IN_CLOEXEC) >= 0) {
    }
    RIG_MUST(errno == EMFILE);
    RIG_MUST(write(pipe, "x", 1) == 1);
    for (;;) {
        pause();
    }
}

/* ---- The machine's share of a delay ---- */

static void measure_stalls(void *context, int pipe)
{
    struct board *board = context;
    (void)pipe;
    while (!atomic_load(&board->stop)) {
        uint64_t began = rig_now_ms();
        rig_sleep_us(NAP_MS * 1000);
        uint64_t took = rig_now_ms() - began;
        if (took > NAP_MS + atomic_load(&board->stall_ms)) {
            atomic_store(&board->stall_ms, took - NAP_MS);
        }
    }
}

/* ---- A part ---- */

struct part {
    struct board *board;
    uint64_t first; /* revision */
    uint64_t last;
    pid_t watchers[WATCHERS];
    pid_t troublemaker;
    pid_t metronome;
    pid_t hog; /* 0: none */
};

static void start_watchers(struct part *part)
{
    static struct watcher watchers[WATCHERS];
    struct board *board = part->board;
    atomic_store(&board->ready, 0);
    for (unsigned i = 0; i < WATCHERS; i++) {
        watchers[i] = (struct watcher){board, i, part->first - 1, other_user()};
        atomic_store(&board->position[i], part->first - 1);
        part->watchers[i] = rig_fork(watch, &watchers[i], NULL);
    }
    while (atomic_load(&board->ready) < WATCHERS) {
        for (unsigned i = 0; i < WATCHERS; i++) {
            RIG_MUST(rig_is_running(part->watchers[i]));
        }
        rig_sleep_us(1000);
    }
}

static void start_trouble(struct part *part, enum trouble trouble)
{
    static struct troublemaker maker;
    static uid_t uid;
    maker = (struct troublemaker){part->board, trouble, rig_path("store/bell"),
                                  rig_random(rig_seed(), trouble)};
    part->hog = 0;
    if (trouble == NO_INOTIFY) {
        int told;
        char byte;
        uid = other_user();
        part->hog = rig_fork(take_inotify, &uid, &told);
        RIG_MUST(read(told, &byte, 1) == 1);
        close(told);
    }
    part->troublemaker = rig_fork(trouble_bell, &maker, NULL);
}

static void change(rs_store *store, struct board *board, uint64_t revision)
{
    uint64_t made = 0;
    rs_key key;
    rs_txn *txn = rig_begin(store, RS_WRITE);
    RIG_OK(rs_key_create(txn, RS_HKLM, "Bell", &key));
    RIG_OK(rs_set_qword(txn, key, "v", revision));
    RIG_OK(rs_commit(txn, &made));
    RIG_MUST(made == revision);
    atomic_store(&board->committed_ms[revision], rig_now_ms());
}

static void make_changes(struct part *part)
{
    rs_store *store = rig_open(0);
    for (uint64_t revision = part->first; revision <= part->last; revision++) {
        change(store, part->board, revision);
        if (part->hog != 0 && revision == (part->first + part->last) / 2) {
            rig_kill(part->hog);
        }
    }
    rs_close(store);
}

/* Descriptors of inotify that a process has. */
static unsigned count_inotify(pid_t pid)
{
    unsigned count = 0;
    for (int fd = 0; fd < 64; fd++) {
        char path[64];
        char target[64] = "";
        snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)pid, fd);
        if (readlink(path, target, sizeof target - 1) > 0) {
            count += strstr(target, "inotify") != NULL;
        }
    }
    return count;
}

static void wait_for_watchers(const struct part *part, bool inotify)
{
    for (unsigned i = 0; i < WATCHERS; i++) {
        while (atomic_load(&part->board->position[i]) < part->last ||
               (inotify && count_inotify(part->watchers[i]) == 0)) {
            RIG_MUST(rig_is_running(part->watchers[i]));
            rig_sleep_us(1000);
        }
    }
}

static void run_part(struct part *part, enum trouble trouble)
{
    struct board *board = part->board;
    uint64_t latest = 0;
    unsigned late = 0;
    atomic_store(&board->stop, false);
    atomic_store(&board->troubles, 0);
    atomic_store(&board->stall_ms, 0);
    part->metronome = rig_fork(measure_stalls, board, NULL);
    start_trouble(part, trouble);
    start_watchers(part);
    make_changes(part);
    wait_for_watchers(part, trouble == NO_INOTIFY);
    atomic_store(&board->stop, true);
    RIG_MUST(rig_ended_well(part->troublemaker) && rig_ended_well(part->metronome));
    for (unsigned i = 0; i < WATCHERS; i++) {
        RIG_MUST(rig_ended_well(part->watchers[i]));
        uint64_t theirs = atomic_exchange(&board->latest_ms[i], 0);
        latest = theirs > latest ? theirs : latest;
        late += atomic_exchange(&board->late[i], 0);
    }
    RIG_MUST(atomic_load(&board->troubles) > 0);
    uint64_t stall = atomic_load(&board->stall_ms);
    printf("bell %s: the latest after %llu ms, %u after more than %u; stalls of up to %llu ms\n",
           trouble_names[trouble], (unsigned long long)latest, late, PROMISED_MS,
           (unsigned long long)stall);
    RIG_MUST(latest <= PROMISED_MS + STALLS * stall);
    rig_pass("bell %s: %llu changes, none lost, none late", trouble_names[trouble],
             (unsigned long long)(part->last - part->first + 1));
}

/* The first revision makes the key, so that all others are alike. */
static void make_store(struct board *board)
{
    rs_store *store = rig_open(RS_CREATE);
    change(store, board, 1);
    rs_close(store);
    give_to(other_user());
    RIG_MUST(chmod(rig_path("."), 0711) == 0);
}

int main(int argc, char **argv)
{
    rig_start(argc, argv, CHANGES);
    unsigned each = rig_count() / PARTS + 1;
    size_t revisions = (size_t)each * PARTS + 2;
    struct part part = {.last = 1};
    part.board = rig_shared(sizeof *part.board + revisions * sizeof part.board->committed_ms[0]);
    make_store(part.board);
    for (unsigned trouble = 0; trouble < PARTS; trouble++) {
        if (trouble == NO_INOTIFY && geteuid() != 0) {
            rig_skip("only root can use up the inotify instances of somebody else");
            continue;
        }
        part.first = part.last + 1;
        part.last += each;
        run_part(&part, (enum trouble)trouble);
    }
    return rig_finish();
}
