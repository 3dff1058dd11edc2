#include "crowd.h"

#include <poll.h>
#include <stdio.h>

/* A ring that is lost with its writer is made good for by the timer, within a second where the
 * machine has time for it; this is for one that never comes. */
#define WATCHER_PATIENCE_MS 30000
#define END_PATIENCE_MS 20000

static void read_on(struct crowd_member *member)
{
    rs_store *store = rig_open(0);
    while (!member->stop) {
        uint64_t least = member->told != NULL ? *member->told : 0;
        rs_txn *txn = rig_begin(store, RS_READ);
        RIG_MUST(rs_revision(txn) >= least);
        scene_check(txn);
        rs_abort(txn);
        member->steps++;
        rig_sleep_us(member->pause); /* without a pause readers starve a writer on two cores */
    }
    rs_close(store);
}

static void tell(_Atomic uint64_t *told, uint64_t revision)
{
    uint64_t before = told != NULL ? *told : UINT64_MAX;
    while (before < revision && !atomic_compare_exchange_weak(told, &before, revision)) {
    }
}

static void write_on(struct crowd_member *member)
{
    rs_store *store = rig_open(0);
    const char *file = rig_path("writer%u.xml", member->number);
    while (!member->stop) {
        member->position = scene_do(store, rig_below(&member->random, member->verbs), file);
        tell(member->told, member->position);
        member->steps++;
        rig_sleep_us(rig_below(&member->random, 2 * member->pause));
    }
    rs_close(store);
}

static void check_batches(struct crowd_member *member, rs_watch *watch)
{
    const rs_batch *batch;
    int status;
    while ((status = rs_watch_next(watch, &batch)) == RS_OK) {
        RIG_MUST(batch->revision == member->position + 1);
        scene_check_batch(batch);
        member->position = batch->revision;
        member->steps++;
    }
    RIG_GIVES(RS_END, status);
}

static void watch_on(struct crowd_member *member)
{
    rs_store *store = rig_open(0);
    rs_watch *watch = NULL;
    RIG_OK(rs_watch_open(store, SCENE_ROOT, RS_SUBTREE, member->position, &watch, NULL));
    while (!member->stop) {
        struct pollfd waited = {.fd = rs_watch_fd(watch), .events = POLLIN};
        RIG_MUST(poll(&waited, 1, WATCHER_PATIENCE_MS) == 1);
        check_batches(member, watch);
    }
    rs_watch_close(watch);
    rs_close(store);
}

static void run(void *context, int pipe)
{
    struct crowd_member *member = context;
    (void)pipe;
    switch (member->role) {
    case CROWD_READER:
        read_on(member);
        break;
    case CROWD_WATCHER:
        watch_on(member);
        break;
    case CROWD_WRITER:
        write_on(member);
        break;
    }
}

void crowd_start(struct crowd_member *member)
{
    member->stop = false;
    member->pid = rig_fork(run, member, NULL);
}

void crowd_must_live(const struct crowd_member *members, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        RIG_MUST(rig_is_running(members[i].pid));
    }
}

static uint64_t way_so_far(const struct crowd_member *members, unsigned count)
{
    uint64_t way = 0;
    for (unsigned i = 0; i < count; i++) {
        way += members[i].position;
    }
    return way;
}

/* Fails when nobody has come any further for a while. */
static void must_come_nearer(const struct crowd_member *members, unsigned count, uint64_t *way,
                             uint64_t *end)
{
    uint64_t now = rig_now_ms();
    uint64_t reached = way_so_far(members, count);
    if (reached != *way) {
        *way = reached;
        *end = now + END_PATIENCE_MS;
    }
    RIG_MUST(now < *end);
}

static bool all_arrived(const struct crowd_member *members, unsigned count, uint64_t revision)
{
    bool arrived = true;
    for (unsigned i = 0; i < count; i++) {
        arrived = arrived && (members[i].role != CROWD_WATCHER || members[i].position == revision);
    }
    return arrived;
}

void crowd_stop(struct crowd_member *members, unsigned count, uint64_t revision)
{
    uint64_t way = 0;
    uint64_t end = rig_now_ms() + END_PATIENCE_MS;
    while (!all_arrived(members, count, revision)) {
        crowd_must_live(members, count);
        must_come_nearer(members, count, &way, &end);
        rig_sleep_us(1000);
    }
    for (unsigned i = 0; i < count; i++) {
        members[i].stop = true;
    }
    for (unsigned i = 0; i < count; i++) {
        RIG_MUST(rig_ended_well(members[i].pid));
    }
}
