/*
 * soak.c - 16 watchers, 8 readers and 2 writers for a minute (--count SECONDS), killed at random.
 *
 * Every snapshot has to be the latest. Every revision has to reach every watcher, once and in
 * order; one that takes the place of a killed one goes on where that one was. The first of each
 * role is never killed, and it is their memory that must not grow. The store is filled beforehand
 * with as many revisions of the same kinds as the journal keeps, so from then on each commit
 * removes about as much as it adds, and the file must not grow either.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "crowd.h"

#define SECONDS 60u
#define SETTLED_SECONDS 10u
#define KEPT 10000u
#define WATCHERS 16u
#define READERS 8u
#define WRITERS 2u
#define MEMBERS (WATCHERS + READERS + WRITERS)
#define KILL_EVERY_MS 100u

/* What malloc may still take for the largest batch or record that it has not met in ten seconds. */
#define MEMORY_TOLERANCE_KIB 512u
/* A killed reader holds what is freed until the next look for dead ones, 16 commits later; and the
 * sizes of 10,000 random revisions differ a little from one window to the next. */
#define FILE_TOLERANCE_PERCENT 10u

struct sizes {
    uint64_t file;
    uint64_t memory[MEMBERS]; /* KiB; 0 if the process can be killed */
};

static bool is_veteran(const struct crowd_member *member)
{
    return member->number == 0;
}

static void gather(struct crowd_member *members, uint64_t revision)
{
    _Atomic uint64_t *told = rig_shared(sizeof *told);
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct crowd_member *member = &members[i];
        bool watcher = i < WATCHERS;
        bool reader = !watcher && i < WATCHERS + READERS;
        member->role = watcher ? CROWD_WATCHER : reader ? CROWD_READER : CROWD_WRITER;
        member->number = watcher ? i : reader ? i - WATCHERS : i - WATCHERS - READERS;
        /* Readers without pauses starve a writer on two cores. */
        member->pause = watcher ? 0 : reader ? 20000 : 5000;
        member->verbs = SCENE_BIG;
        member->random = rig_random(rig_seed(), i + 1);
        member->position = revision;
        member->told = told;
        crowd_start(member);
    }
}

/* Private memory; mapped pages of the file are the kernel's, and are shared. */
static uint64_t memory_of(pid_t pid)
{
    char path[64];
    char line[128];
    unsigned long long kib = 0;
    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    FILE *status = fopen(path, "r");
    RIG_MUST(status != NULL);
    while (fgets(line, sizeof line, status) != NULL && sscanf(line, "RssAnon: %llu", &kib) != 1) {
    }
    fclose(status);
    RIG_MUST(kib > 0);
    return kib;
}

static struct sizes measure(const struct crowd_member *members)
{
    struct sizes sizes = {0};
    struct stat st;
    RIG_MUST(stat(rig_path("store/data.mdb"), &st) == 0);
    sizes.file = (uint64_t)st.st_size;
    for (unsigned i = 0; i < MEMBERS; i++) {
        sizes.memory[i] = is_veteran(&members[i]) ? memory_of(members[i].pid) : 0;
    }
    return sizes;
}

static void compare(const struct sizes *before, const struct sizes *after)
{
    printf("file %llu KiB, then %llu KiB\n", (unsigned long long)before->file / 1024,
           (unsigned long long)after->file / 1024);
    for (unsigned i = 0; i < MEMBERS; i++) {
        if (before->memory[i] != 0) {
            printf("member %u: private memory %llu KiB, then %llu KiB\n", i,
                   (unsigned long long)before->memory[i], (unsigned long long)after->memory[i]);
            RIG_MUST(RIG_SANITIZED || after->memory[i] <= before->memory[i] + MEMORY_TOLERANCE_KIB);
        }
    }
    RIG_MUST(after->file <= before->file + before->file / 100 * FILE_TOLERANCE_PERCENT);
}

/* Gives how many were killed. */
static unsigned soak(struct crowd_member *members, unsigned milliseconds, struct rig_random *random)
{
    unsigned killed = 0;
    uint64_t end = rig_now_ms() + milliseconds;
    while (rig_now_ms() < end) {
        rig_sleep_us(1000 * (1 + rig_below(random, 2 * KILL_EVERY_MS)));
        struct crowd_member *member = &members[rig_below(random, MEMBERS)];
        crowd_must_live(members, MEMBERS);
        if (!is_veteran(member)) {
            rig_kill(member->pid);
            crowd_start(member);
            killed++;
        }
    }
    return killed;
}

static uint64_t latest_revision(void)
{
    rs_store *store = rig_open(0);
    rs_txn *txn = rig_begin(store, RS_READ);
    uint64_t revision = rs_revision(txn);
    scene_check(txn);
    scene_count(txn);
    rs_abort(txn);
    rs_close(store);
    return revision;
}

/* A writer that was killed may have left a revision that only the next writer shows; so one more is
 * written when all writers have stopped. */
static uint64_t finish(struct crowd_member *members)
{
    crowd_stop(members + WATCHERS + READERS, WRITERS, 0);
    rs_store *store = rig_open(0);
    uint64_t revision = scene_do(store, SCENE_NOTE, NULL);
    rs_close(store);
    for (unsigned i = 0; i < WRITERS; i++) {
        RIG_MUST(members[WATCHERS + READERS + i].position < revision);
    }
    crowd_stop(members, WATCHERS + READERS, revision);
    RIG_MUST(latest_revision() == revision);
    return revision;
}

static uint64_t steps_of(const struct crowd_member *members, enum crowd_role role)
{
    uint64_t steps = 0;
    for (unsigned i = 0; i < MEMBERS; i++) {
        steps += members[i].role == role ? members[i].steps : 0;
    }
    return steps;
}

int main(int argc, char **argv)
{
    rig_start(argc, argv, SECONDS);
    struct rig_random random = rig_random(rig_seed(), 0);
    struct crowd_member *members = rig_shared(MEMBERS * sizeof *members);
    unsigned settled = rig_count() > 2 * SETTLED_SECONDS ? SETTLED_SECONDS : rig_count() / 2;
    rs_store *store = rig_open(RS_CREATE);
    scene_prepare(store, KEPT, &random);
    rs_close(store);
    uint64_t first = latest_revision();
    gather(members, first);
    unsigned killed = soak(members, settled * 1000, &random);
    struct sizes before = measure(members);
    killed += soak(members, (rig_count() - settled) * 1000, &random);
    struct sizes after = measure(members);
    uint64_t last = finish(members);
    printf("%llu revisions, %u kills, %llu batches, %llu snapshots\n",
           (unsigned long long)(last - first), killed,
           (unsigned long long)steps_of(members, CROWD_WATCHER),
           (unsigned long long)steps_of(members, CROWD_READER));
    RIG_MUST(steps_of(members, CROWD_WATCHER) >= WATCHERS * (last - first));
    rig_pass("every revision reached every watcher, in order");
    compare(&before, &after);
    rig_pass("memory and file stayed as they were after %u s", settled);
    return rig_finish();
}
