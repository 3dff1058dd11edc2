/*
 * waits.c - services and writers are killed at any moment while writers wait for answers.
 *
 *     waits [--seed N] [--count SECONDS]
 *
 * Services watch a key under their names, take each state of it or reject it, note in shared memory
 * what they did, and only then answer; now and then one dies between the two, or before both.
 * Writers commit and wait. Meanwhile all of them are killed at random and replaced. Whatever a wait
 * says of a service, that service has noted it; and one that lived all along was asked. Needs rig.
 */
#include "rig.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 60u
#define SERVICES 3u
#define WRITERS 2u
#define MOST_REVISIONS (1u << 22)
#define KEY "HKLM\\Waits"
#define PATIENCE_MS 2000

enum { APPLIED = 1, REJECTED = 2 }; /* what was noted of a revision */

struct shared {
    _Atomic uint32_t lives[SERVICES]; /* counted up before a service is killed */
    _Atomic uint32_t ready[SERVICES]; /* the life that answers */
    _Atomic uint64_t told[4];         /* by rs_answer */
    _Atomic uint64_t waits;
    _Atomic unsigned char noted[SERVICES][MOST_REVISIONS];
};
static struct shared *shared;

/* ---- A service ---- */

struct life {
    unsigned number;
    uint32_t life;
    struct rig_random random;
};

static void die(const struct life *life)
{
    uint32_t own = life->life;
    (void)atomic_compare_exchange_strong(&shared->lives[life->number], &own, own + 1);
    raise(SIGKILL);
}

/* The state that a snapshot shows, for all revisions that it stands for. */
static void take_state(struct life *life, rs_store *store, rs_watch *watch, uint64_t *answered)
{
    rs_txn *txn;
    rs_key key;
    uint32_t bad = 0;
    RIG_OK(rs_begin(store, RS_READ, &txn));
    uint64_t seen = rs_revision(txn);
    RIG_OK(rs_key_open(txn, RS_NO_KEY, KEY, &key));
    RIG_OK(rs_get_dword(txn, key, "bad", &bad));
    rs_abort(txn);
    RIG_MUST(seen < MOST_REVISIONS);
    if (rig_below(&life->random, 200) == 0) {
        die(life); /* before it has taken it */
    }
    for (uint64_t revision = *answered + 1; revision <= seen; revision++) {
        atomic_fetch_or(&shared->noted[life->number][revision], bad != 0 ? REJECTED : APPLIED);
    }
    if (rig_below(&life->random, 200) == 0) {
        die(life); /* before it has said so */
    }
    RIG_OK(rs_watch_answer(watch, seen, bad != 0 ? RS_ANSWER_REJECTED : RS_ANSWER_APPLIED,
                           bad != 0 ? "bad" : ""));
    *answered = seen;
}

static void serve(void *context, int pipe)
{
    struct life *life = context;
    uint64_t answered = 0;
    rs_watch *watch;
    rs_error error = RS_ERROR_INIT;
    char name[16];
    (void)pipe;
    rs_store *store = rig_open(RS_READONLY);
    snprintf(name, sizeof name, "service%u", life->number);
    RIG_OK(rs_watch_open_named(store, name, KEY, 0, &watch, &error));
    take_state(life, store, watch, &answered);
    atomic_store(&shared->ready[life->number], life->life);
    for (;;) {
        struct pollfd ready = {.fd = rs_watch_fd(watch), .events = POLLIN};
        const rs_batch *batch;
        bool news = false;
        int status;
        RIG_MUST(poll(&ready, 1, -1) == 1);
        while ((status = rs_watch_next(watch, &batch)) == RS_OK || status == RS_EBEHIND) {
            news = true;
        }
        RIG_MUST(status == RS_END);
        if (news) {
            take_state(life, store, watch, &answered);
        }
    }
}

/* ---- A writer ---- */

struct asked {
    uint64_t revision;
    bool services[SERVICES];
};

static int on_answer(void *context, const rs_service *service)
{
    struct asked *asked = context;
    unsigned number = SERVICES;
    RIG_MUST(sscanf(service->name, "service%u", &number) == 1 && number < SERVICES);
    RIG_MUST(!asked->services[number]);
    asked->services[number] = true;
    unsigned noted = atomic_load(&shared->noted[number][asked->revision]);
    if (service->answer == RS_ANSWER_APPLIED) {
        RIG_MUST((noted & APPLIED) != 0);
    } else if (service->answer == RS_ANSWER_REJECTED) {
        RIG_MUST((noted & REJECTED) != 0 && strcmp(service->reason, "bad") == 0);
    } else {
        RIG_MUST(service->answer == RS_ANSWER_NONE);
    }
    atomic_fetch_add(&shared->told[service->answer], 1);
    return 0;
}

static uint64_t commit(rs_store *store, struct rig_random *random)
{
    rs_txn *txn;
    rs_key key;
    uint64_t revision;
    RIG_OK(rs_begin(store, RS_WRITE, &txn));
    RIG_OK(rs_key_open(txn, RS_NO_KEY, KEY, &key));
    RIG_OK(rs_set_dword(txn, key, "bad", rig_below(random, 4) == 0));
    RIG_OK(rs_set_dword(txn, key, "number", (uint32_t)rig_next(random)));
    RIG_OK(rs_commit(txn, &revision));
    return revision;
}

static void wait_once(rs_store *store, struct rig_random *random)
{
    struct asked asked = {.revision = commit(store, random)};
    uint32_t before[SERVICES];
    unsigned told = 0;
    for (unsigned i = 0; i < SERVICES; i++) {
        uint32_t life = atomic_load(&shared->lives[i]);
        before[i] = atomic_load(&shared->ready[i]) == life ? life : 0;
    }
    int status = rs_wait(store, asked.revision, PATIENCE_MS, on_answer, &asked);
    for (unsigned i = 0; i < SERVICES; i++) {
        told += asked.services[i];
    }
    if (status != RS_OK && (status != RS_EREJECTED || told == 0) &&
        (status != RS_ETIMEOUT || told == 0)) {
        RIG_OK(status);
    }
    for (unsigned i = 0; i < SERVICES; i++) {
        bool lived = before[i] != 0 && atomic_load(&shared->lives[i]) == before[i];
        RIG_MUST(asked.services[i] || !lived);
    }
    atomic_fetch_add(&shared->waits, 1);
}

static void write_and_wait(void *context, int pipe)
{
    struct life *life = context;
    (void)pipe;
    rs_store *store = rig_open(0);
    for (;;) {
        wait_once(store, &life->random);
    }
}

/* ---- The run ---- */

static pid_t start(unsigned who, uint64_t stream)
{
    static struct life life;
    bool service = who < SERVICES;
    life = (struct life){
        .number = service ? who : who - SERVICES,
        .life = service ? atomic_load(&shared->lives[who]) : 0,
        .random = rig_random(rig_seed(), stream),
    };
    return rig_fork(service ? serve : write_and_wait, &life, NULL);
}

/* Whoever has ended by itself has to have been killed, too. */
static void replace(unsigned who, pid_t *pid, uint64_t stream)
{
    if (who < SERVICES) {
        atomic_fetch_add(&shared->lives[who], 1);
    }
    rig_kill(*pid);
    *pid = start(who, stream);
}

static bool has_ended(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};
    RIG_MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0);
    return info.si_pid != 0;
}

static void prepare(void)
{
    rs_txn *txn;
    rs_key key;
    rs_store *store = rig_open(RS_CREATE);
    RIG_OK(rs_begin(store, RS_WRITE, &txn));
    RIG_OK(rs_key_create(txn, RS_NO_KEY, KEY, &key));
    RIG_OK(rs_set_dword(txn, key, "bad", 0));
    RIG_OK(rs_commit(txn, NULL));
    rs_close(store);
}

static unsigned torture(pid_t *pids, unsigned seconds)
{
    struct rig_random random = rig_random(rig_seed(), 1);
    uint64_t end = rig_now_ms() + 1000u * (uint64_t)seconds;
    uint64_t stream = 1000;
    unsigned kills = 0;
    while (rig_now_ms() < end) {
        unsigned who = rig_below(&random, SERVICES + WRITERS);
        rig_sleep_us(rig_below(&random, 20000));
        replace(who, &pids[who], stream++);
        kills++;
        for (unsigned i = 0; i < SERVICES; i++) {
            if (has_ended(pids[i])) {
                replace(i, &pids[i], stream++);
            }
        }
    }
    return kills;
}

int main(int argc, char **argv)
{
    pid_t pids[SERVICES + WRITERS];
    rig_start(argc, argv, SECONDS);
    shared = rig_shared(sizeof *shared);
    for (unsigned i = 0; i < SERVICES; i++) {
        atomic_store(&shared->lives[i], 1);
    }
    prepare();
    for (unsigned who = 0; who < SERVICES + WRITERS; who++) {
        pids[who] = start(who, 10 + who);
    }
    unsigned kills = torture(pids, rig_count());
    for (unsigned who = SERVICES + WRITERS; who-- > 0;) { /* those first who ask for the others */
        rig_kill(pids[who]);
    }
    uint64_t applied = atomic_load(&shared->told[RS_ANSWER_APPLIED]);
    uint64_t rejected = atomic_load(&shared->told[RS_ANSWER_REJECTED]);
    RIG_MUST(atomic_load(&shared->waits) > 0 && applied > 0 && rejected > 0);
    rig_pass("%u kills, %llu waits: %llu applied, %llu rejected, %llu without an answer", kills,
             (unsigned long long)atomic_load(&shared->waits), (unsigned long long)applied,
             (unsigned long long)rejected,
             (unsigned long long)atomic_load(&shared->told[RS_ANSWER_NONE]));
    return rig_finish();
}
