/*
 * processes.c - many processes on one store, and what becomes of it when they die, stop or fork.
 *
 * 1,000 readers that are killed with their snapshots; a reader that is stopped while a million
 * values are written; 200 readers at once, in processes and threads; a program that forks while it
 * has a store open. regtool is looked for beside this program.
 */
#include <libgen.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"
#include "verbs.h"

#define WRITES 1000000u
#define WRITES_A_REVISION 1000u
#define COMMITS_TO_NOTICE 17u
#define KILLED_READERS 1000u
#define READER_PROCESSES 20u
#define READER_THREADS 10u
#define READER_ROUNDS 20u
#define PATIENCE_MS 60000
#define MIB ((uint64_t)1 << 20)
#define FREE_AND_RESERVE (4 * MIB)

static void wait_until(const atomic_uint *number, unsigned wanted)
{
    uint64_t end = rig_now_ms() + PATIENCE_MS;
    while (*number < wanted) {
        RIG_MUST(rig_now_ms() < end);
        rig_sleep_us(500);
    }
}

/* ---- Killed readers ---- */

static void hold_snapshot(void *context, int pipe)
{
    atomic_uint *ready = context;
    rs_store *store = rig_open(0);
    rs_txn *txn = rig_begin(store, RS_READ);
    (void)pipe;
    RIG_MUST(rs_revision(txn) > 0);
    ++*ready;
    pause();
}

static int count_reader(void *context, const rs_reader *reader)
{
    (void)reader;
    ++*(unsigned *)context;
    return 0;
}

static unsigned readers_of(rs_store *store)
{
    unsigned count = 0;
    rs_txn *txn = rig_begin(store, RS_READ);
    RIG_OK(rs_readers(txn, count_reader, &count));
    rs_abort(txn);
    return count;
}

struct witness {
    atomic_uint ready;
    atomic_uint killed;
};

/* Has the store open from before the readers come until after they died, so that nothing is cleared
 * by opening. */
static void take_their_places(void *context, int pipe)
{
    struct witness *witness = context;
    static rs_txn *txns[KILLED_READERS];
    rs_store *store = rig_open(0);
    (void)pipe;
    witness->ready++;
    wait_until(&witness->killed, 1);
    RIG_MUST(readers_of(store) == KILLED_READERS);
    for (unsigned i = 0; i < KILLED_READERS; i++) {
        txns[i] = rig_begin(store, RS_READ);
    }
    RIG_MUST(readers_of(store) == KILLED_READERS);
    for (unsigned i = 0; i < KILLED_READERS; i++) {
        rs_abort(txns[i]);
    }
    scene_do(store, SCENE_SET, NULL);
    RIG_MUST(readers_of(store) == 0);
    rs_close(store);
}

static void test_killed_readers(void)
{
    static pid_t pids[KILLED_READERS];
    struct witness *witness = rig_shared(sizeof *witness);
    atomic_uint *ready = rig_shared(sizeof *ready);
    pid_t pid = rig_fork(take_their_places, witness, NULL);
    wait_until(&witness->ready, 1);
    for (unsigned i = 0; i < KILLED_READERS; i++) {
        pids[i] = rig_fork(hold_snapshot, ready, NULL);
    }
    wait_until(ready, KILLED_READERS);
    for (unsigned i = 0; i < KILLED_READERS; i++) {
        rig_kill(pids[i]);
    }
    witness->killed++;
    RIG_MUST(rig_ended_well(pid));
    rig_pass("%u readers killed: their places are given to as many others", KILLED_READERS);
}

/* ---- A stopped reader ---- */

static rs_stat stat_of(rs_store *store)
{
    rs_stat stat;
    rs_txn *txn = rig_begin(store, RS_READ);
    RIG_OK(rs_stat_get(txn, &stat));
    rs_abort(txn);
    return stat;
}

static void write_values(rs_store *store, unsigned values, uint32_t number)
{
    char name[16];
    rs_key key;
    rs_txn *txn = rig_begin(store, RS_WRITE);
    RIG_OK(rs_key_create(txn, RS_NO_KEY, "HKLM\\Many", &key));
    for (unsigned i = 0; i < values; i++) {
        snprintf(name, sizeof name, "v%u", i);
        RIG_OK(rs_set_dword(txn, key, name, number));
    }
    RIG_OK(rs_commit(txn, NULL));
}

struct culprit {
    uint32_t pid;
    rs_reader seen;
};

static int find_culprit(void *context, const rs_reader *reader)
{
    struct culprit *culprit = context;
    if (reader->pid == culprit->pid) {
        culprit->seen = *reader;
    }
    return 0;
}

static rs_reader reader_of(rs_store *store, pid_t pid)
{
    struct culprit culprit = {.pid = (uint32_t)pid};
    rs_txn *txn = rig_begin(store, RS_READ);
    RIG_OK(rs_readers(txn, find_culprit, &culprit));
    rs_abort(txn);
    RIG_MUST(culprit.seen.pid == (uint32_t)pid);
    return culprit.seen;
}

/* The line of "regtool status" that begins with the culprit's number. */
static void check_status_names(const char *program, pid_t pid)
{
    char command[4096];
    char line[256];
    char wanted[64];
    bool named = false;
    char *copy = strdup(program);
    RIG_MUST(copy != NULL);
    snprintf(command, sizeof command, "'%s/regtool' --store '%s' status", dirname(copy),
             rig_store_dir());
    free(copy);
    FILE *status = popen(command, "r");
    RIG_MUST(status != NULL);
    snprintf(wanted, sizeof wanted, "    pid %ld at revision ", (long)pid);
    while (fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, wanted, strlen(wanted)) == 0) {
            printf("%s", line);
            named = strstr(line, " behind since ") != NULL && strstr(line, ", holds ") != NULL;
        }
    }
    RIG_MUST(pclose(status) == 0);
    RIG_MUST(named);
}

/* What a commit of so many values may need at most: the pages of the values that were there and of
 * the journal's record of them, each twice for half-full pages, and some for the trees above. */
static uint64_t most_per_commit(const rs_stat *before, const rs_stat *after, unsigned commits)
{
    uint64_t journal = (after->used_size - before->used_size) / commits;
    uint64_t values = (uint64_t)WRITES_A_REVISION * 64;
    return 2 * (journal + values) + 64 * 1024;
}

static void check_growth(rs_store *store, pid_t pid, const rs_stat *before, unsigned commits)
{
    rs_stat after = stat_of(store);
    rs_reader reader = reader_of(store, pid);
    uint64_t per_commit = (after.file_size - before->file_size) / commits;
    uint64_t most = most_per_commit(before, &after, commits);
    printf("%u commits of %u values: the file grew by %llu KiB a commit, at most %llu are "
           "expected; %llu MiB are held\n",
           commits, WRITES_A_REVISION, (unsigned long long)per_commit / 1024,
           (unsigned long long)most / 1024, (unsigned long long)(reader.held / MIB));
    RIG_MUST(per_commit <= most);
    RIG_MUST(reader.behind == commits && reader.age > 0);
    /* What is neither in use nor held was free before, is the reserve at the file's end, or room
     * that was made ahead for a commit, which is at most as much as is in use. */
    RIG_MUST(after.file_size <= 2 * after.used_size + reader.held + FREE_AND_RESERVE);
}

/* A writer looks for dead readers every 16 transactions. After that, all that was held is used
 * again, and the file stays as it is. */
static void check_recovery(rs_store *store, unsigned commits)
{
    for (unsigned i = 0; i < COMMITS_TO_NOTICE; i++) {
        write_values(store, WRITES_A_REVISION, i);
    }
    rs_stat before = stat_of(store);
    for (unsigned i = 0; i < commits; i++) {
        write_values(store, WRITES_A_REVISION, COMMITS_TO_NOTICE + i);
    }
    rs_stat after = stat_of(store);
    printf("%u commits without it: %llu KiB, then %llu KiB, in use %llu KiB, then %llu KiB\n",
           commits, (unsigned long long)before.file_size / 1024,
           (unsigned long long)after.file_size / 1024, (unsigned long long)before.used_size / 1024,
           (unsigned long long)after.used_size / 1024);
    RIG_MUST(after.file_size <= before.file_size + 4 * MIB); /* a step of the reserve */
}

static void test_stopped_reader(const char *program, unsigned writes)
{
    int status;
    unsigned commits = writes > WRITES_A_REVISION ? writes / WRITES_A_REVISION : 1;
    atomic_uint *ready = rig_shared(sizeof *ready);
    pid_t pid = rig_fork(hold_snapshot, ready, NULL);
    wait_until(ready, 1);
    RIG_MUST(kill(pid, SIGSTOP) == 0);
    RIG_MUST(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    rs_store *store = rig_open(0);
    rs_stat before = stat_of(store);
    for (unsigned i = 0; i < commits; i++) {
        write_values(store, WRITES_A_REVISION, i + 1);
    }
    check_growth(store, pid, &before, commits);
    check_status_names(program, pid);
    rig_kill(pid);
    check_recovery(store, commits / 10);
    rs_close(store);
    rig_pass("a reader stopped during %u writes is named, and the file grew as documented", writes);
}

/* ---- Many readers at once ---- */

static void *read_often(void *context)
{
    atomic_uint *holding = context;
    rs_store *store = rig_open(0);
    rs_txn *txn = rig_begin(store, RS_READ);
    scene_check(txn);
    ++*holding;
    wait_until(holding, READER_PROCESSES * READER_THREADS + 1);
    scene_check(txn);
    rs_abort(txn);
    for (unsigned i = 0; i < READER_ROUNDS; i++) {
        txn = rig_begin(store, RS_READ);
        scene_check(txn);
        rs_abort(txn);
        rig_sleep_us(2000);
    }
    rs_close(store);
    return NULL;
}

static void read_in_threads(void *context, int pipe)
{
    pthread_t threads[READER_THREADS];
    (void)pipe;
    for (unsigned i = 0; i < READER_THREADS; i++) {
        RIG_MUST(pthread_create(&threads[i], NULL, read_often, context) == 0);
    }
    for (unsigned i = 0; i < READER_THREADS; i++) {
        RIG_MUST(pthread_join(threads[i], NULL) == 0);
    }
}

static void test_many_readers(void)
{
    pid_t pids[READER_PROCESSES];
    struct rig_random random = rig_random(rig_seed(), 1);
    atomic_uint *holding = rig_shared(sizeof *holding);
    for (unsigned i = 0; i < READER_PROCESSES; i++) {
        pids[i] = rig_fork(read_in_threads, holding, NULL);
    }
    wait_until(holding, READER_PROCESSES * READER_THREADS);
    rs_store *store = rig_open(0);
    const char *file = rig_path("many.xml");
    RIG_MUST(readers_of(store) == READER_PROCESSES * READER_THREADS);
    scene_do(store, SCENE_SET, NULL);
    ++*holding;
    for (unsigned i = 0; i < 50; i++) {
        scene_do(store, scene_any(&random), file);
    }
    for (unsigned i = 0; i < READER_PROCESSES; i++) {
        RIG_MUST(rig_ended_well(pids[i]));
    }
    RIG_MUST(readers_of(store) == 0);
    rs_close(store);
    rig_pass("%u readers at once, while one writes", READER_PROCESSES * READER_THREADS);
}

/* ---- Fork ---- */

/* Verbs that ask nothing of the store that is open, or open it themselves. */
static bool needs_no_store(const struct verb *verb)
{
    static const char *const beginnings[] = {"default-dir", "begin-read", "type-", "parse-",
                                             "print-",      "decode-",    "rule-"};
    if ((verb->flags & VERB_OPENS) != 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        if (strncmp(verb->name, beginnings[i], strlen(beginnings[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* The verbs that act in a transaction of the mode; those that begin their own go with the reads. */
static bool belongs(const struct verb *verb, unsigned mode)
{
    return !needs_no_store(verb) &&
           (verb->flags & VERB_WRITES ? mode == RS_WRITE : mode == RS_READ);
}

struct inherited {
    struct verb_place place;
    unsigned mode;
};

/* Each verb acts on what the parent has open. */
static void act_in_child(void *context, int pipe)
{
    struct inherited *inherited = context;
    struct verb_place *place = &inherited->place;
    bool good = true;
    (void)pipe;
    for (size_t i = 0; verb_at(i) != NULL; i++) {
        const struct verb *verb = verb_at(i);
        place->key = RS_HKLM;
        int status = belongs(verb, inherited->mode) ? verb->act(place) : RS_EFORK;
        if (status != RS_EFORK) {
            fprintf(stderr, "%s: %s\n", verb->name, rs_strerror(status));
            good = false;
        }
    }
    RIG_MUST(good);
    RIG_MUST(inherited->mode == RS_READ || rs_commit(place->txn, NULL) == RS_EFORK);
    if (inherited->mode == RS_READ) {
        rs_abort(place->txn);
    }
    verb_close(place);
}

static void fork_inside(struct inherited *inherited, const struct verb *verb, unsigned mode)
{
    struct verb_place *place = &inherited->place;
    char *before = NULL;
    char *after = NULL;
    inherited->mode = mode;
    RIG_OK(verb_open(place));
    RIG_OK(verb_render(place->store, &before));
    RIG_OK(rs_begin(place->store, mode, &place->txn));
    RIG_MUST(rig_ended_well(rig_fork(act_in_child, inherited, NULL)));
    rs_abort(place->txn);
    RIG_OK(verb_render(place->store, &after));
    RIG_MUST(strcmp(before, after) == 0);
    int status = verb_run(verb, place, VERB_ABORTS);
    RIG_MUST(status == RS_OK); /* the parent goes on */
    free(before);
    free(after);
    verb_close(place);
}

static void test_fork(void)
{
    static struct inherited inherited;
    const char *top = rig_path("verbs");
    const struct verb *writer = NULL;
    unsigned reads = 0;
    unsigned writes = 0;
    RIG_MUST(mkdir(top, 0755) == 0);
    RIG_OK(verb_prepare(&inherited.place, top));
    for (size_t i = 0; verb_at(i) != NULL; i++) {
        reads += belongs(verb_at(i), RS_READ);
        writes += belongs(verb_at(i), RS_WRITE);
        writer = strcmp(verb_at(i)->name, "set-dword") == 0 ? verb_at(i) : writer;
    }
    RIG_MUST(writer != NULL && reads > 0 && writes > 0);
    fork_inside(&inherited, writer, RS_READ);
    fork_inside(&inherited, writer, RS_WRITE);
    verb_remove(top);
    rig_pass("%u verbs that read and %u that write know that they are in a child", reads, writes);
}

int main(int argc, char **argv)
{
    rig_start(argc, argv, WRITES);
    rs_store *store = rig_open(RS_CREATE);
    scene_prepare(store, 0, NULL);
    rs_close(store);
    test_killed_readers();
    test_many_readers();
    test_stopped_reader(argv[0], rig_count());
    test_fork();
    return rig_finish();
}
