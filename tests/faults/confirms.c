/*
 * confirms.c - kills whoever makes a change that is to be confirmed, and whoever takes it back.
 *
 * In each round a child makes such a change and is killed at some time. Either its time is over at
 * once, or it is confirmed by the same child. Then passers-by open the store for writing, all at
 * the same time, and some of them are killed, too. In the end there is no change, or a whole one
 * that is confirmed or waits, or one that was taken back, once, and all is as it was before.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"

#define ROUNDS 500u
#define PASSERS 4u
#define ROOT "HKLM\\T"
#define VALUES 40u
#define CHECK_EVERY 50u

/* What the store holds: all values of ROOT are step, and the subkey is there or not. */
struct content {
    uint32_t step;
    bool subtree;
};

struct round {
    struct content before;
    struct content after;
    bool keeps; /* it is confirmed */
};

/* ---- Content ---- */

static void put_values(rs_txn *txn, rs_key key, uint32_t step)
{
    for (unsigned i = 0; i < VALUES; i++) {
        char name[16];
        snprintf(name, sizeof name, "Value %u", i);
        RIG_OK(rs_set_dword(txn, key, name, step));
    }
}

static void write_content(rs_txn *txn, struct content from, struct content to)
{
    rs_key key = RS_NO_KEY;
    RIG_OK(rs_key_create(txn, RS_NO_KEY, ROOT, &key));
    put_values(txn, key, to.step);
    if (from.subtree && !to.subtree) {
        RIG_OK(rs_key_open(txn, key, "Sub", &key));
        RIG_OK(rs_key_delete(txn, key, RS_RECURSIVE));
    } else if (!from.subtree && to.subtree) {
        RIG_OK(rs_key_create(txn, key, "Sub\\Below", &key));
        put_values(txn, key, 1);
    }
}

static void check_values(rs_txn *txn, rs_key key, uint32_t step)
{
    for (unsigned i = 0; i < VALUES; i++) {
        char name[16];
        uint32_t number = 0;
        snprintf(name, sizeof name, "Value %u", i);
        RIG_OK(rs_get_dword(txn, key, name, &number));
        RIG_MUST(number == step);
    }
}

static void check_content(rs_store *store, struct content wanted)
{
    rs_key key = RS_NO_KEY;
    rs_key below = RS_NO_KEY;
    rs_txn *txn = rig_begin(store, RS_READ);
    RIG_OK(rs_key_open(txn, RS_NO_KEY, ROOT, &key));
    check_values(txn, key, wanted.step);
    int status = rs_key_open(txn, key, "Sub\\Below", &below);
    RIG_MUST(status == (wanted.subtree ? RS_OK : RS_ENOTFOUND));
    if (status == RS_OK) {
        check_values(txn, below, 1);
    }
    rs_abort(txn);
}

/* ---- Children ---- */

/* Tells when its commit has returned, and when it has confirmed. */
static void change(void *context, int pipe)
{
    const struct round *round = context;
    rs_store *store = rig_open(0);
    rs_txn *txn = rig_begin(store, RS_WRITE);
    write_content(txn, round->before, round->after);
    RIG_OK(rs_txn_confirm(txn, round->keeps ? 1000 : 0));
    RIG_OK(rs_commit(txn, NULL));
    RIG_MUST(write(pipe, "c", 1) == 1);
    if (round->keeps) {
        RIG_OK(rs_confirm(store, NULL, NULL));
        RIG_MUST(write(pipe, "k", 1) == 1);
    }
    rs_close(store);
}

/* It may have come to its end before. */
static void kill_or_miss(pid_t pid)
{
    int status;
    RIG_MUST(kill(pid, SIGKILL) == 0);
    RIG_MUST(waitpid(pid, &status, 0) == pid);
    RIG_MUST(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
}

static void pass_by(void *context, int pipe)
{
    (void)context;
    (void)pipe;
    rs_close(rig_open(0));
}

/* How long a child lives at most, in microseconds. What it takes to commit depends on the machine
 * and on who else is at work there: so one that did not come so far is followed by one that lives
 * longer, and the other way round. */
#define PACE_FIRST 8192u
#define PACE_LEAST 256u
#define PACE_MOST 1000000u
#define PACE_STEPS 16u

static unsigned next_pace(unsigned pace, bool committed)
{
    pace = committed ? pace - pace / PACE_STEPS : pace + pace / PACE_STEPS;
    return pace < PACE_LEAST ? PACE_LEAST : pace > PACE_MOST ? PACE_MOST : pace;
}

static unsigned some_time(struct rig_random *random, unsigned pace)
{
    return rig_below(random, pace >> rig_below(random, 4)) + 1;
}

/* Gives what it told: 0, 1 for its commit, 2 for the confirmation, too. */
static int change_and_kill(struct round *round, struct rig_random *random, unsigned pace)
{
    char told[2];
    int fd;
    int count = 0;
    pid_t pid = rig_fork(change, round, &fd);
    rig_sleep_us(some_time(random, pace));
    kill_or_miss(pid);
    while (count < 2 && read(fd, told, 1) == 1) {
        count++;
    }
    close(fd);
    return count;
}

static void let_pass(struct rig_random *random, unsigned pace)
{
    pid_t passers[PASSERS];
    unsigned killed = rig_below(random, PASSERS + 1);
    for (unsigned i = 0; i < PASSERS; i++) {
        passers[i] = rig_fork(pass_by, NULL, NULL);
    }
    rig_sleep_us(some_time(random, pace));
    for (unsigned i = 0; i < PASSERS; i++) {
        if (i < killed) {
            kill_or_miss(passers[i]);
        } else {
            RIG_MUST(rig_ended_well(passers[i]));
        }
    }
}

/* ---- What is left ---- */

static int copy_info(void *context, const rs_revision_info *revision)
{
    *(rs_revision_info *)context = *revision;
    return 0;
}

static uint64_t latest_of(rs_store *store, rs_revision_info *info)
{
    rs_txn *txn = rig_begin(store, RS_READ);
    uint64_t latest = rs_revision(txn);
    RIG_OK(rs_history(txn, latest, latest, copy_info, info));
    rs_abort(txn);
    return latest;
}

/* What a writer left that was killed in the middle of its commit shows when the next one begins. */
static void settle(rs_store *store)
{
    rs_abort(rig_begin(store, RS_WRITE));
    RIG_OK(rs_confirm_due(store, NULL, NULL));
}

struct tally {
    uint64_t revision;
    struct content content;
    unsigned pace;
    unsigned lost;
    unsigned kept;
    unsigned taken_back;
};

static void judge(rs_store *store, const struct round *round, int told, struct tally *tally)
{
    rs_revision_info info = {0};
    uint64_t latest = latest_of(store, &info);
    uint64_t made = latest - tally->revision;
    RIG_MUST(made <= 2 && (made > 0 || told == 0));
    RIG_MUST(made != 1 || round->keeps);
    RIG_MUST(made != 2 || !round->keeps);
    if (made == 2) {
        RIG_MUST(info.flags == RS_REVISION_ROLLBACK);
        RIG_MUST(info.from == latest - 1 && info.to == latest - 1);
    }
    tally->content = made == 1 ? round->after : round->before;
    check_content(store, tally->content);
    int status = rs_confirm(store, NULL, NULL);
    RIG_MUST(status == RS_ENOTFOUND || (status == RS_OK && made == 1 && told < 2));
    tally->revision = latest;
    tally->lost += made == 0;
    tally->kept += made == 1;
    tally->taken_back += made == 2;
}

static void check_whole(rs_store *store)
{
    rs_check_report report;
    rs_txn *txn = rig_begin(store, RS_READ);
    RIG_OK(rs_check(txn, NULL, &report));
    RIG_MUST(report.damages == 0);
    rs_abort(txn);
}

static void run_round(struct tally *tally, struct rig_random *random, unsigned number)
{
    struct round round = {
        .before = tally->content,
        .after = {number + 1, rig_below(random, 2) == 0},
        .keeps = rig_below(random, 3) == 0,
    };
    int told = change_and_kill(&round, random, tally->pace);
    let_pass(random, tally->pace);
    tally->pace = next_pace(tally->pace, told > 0);
    rs_store *store = rig_open(0);
    settle(store);
    judge(store, &round, told, tally);
    if (number % CHECK_EVERY == 0) {
        check_whole(store);
    }
    rs_close(store);
}

int main(int argc, char **argv)
{
    rig_start(argc, argv, ROUNDS);
    struct rig_random random = rig_random(rig_seed(), 0);
    struct tally tally = {.revision = 1, .pace = PACE_FIRST};
    rs_store *store = rig_open(RS_CREATE);
    rs_txn *txn = rig_begin(store, RS_WRITE);
    write_content(txn, tally.content, tally.content);
    RIG_OK(rs_commit(txn, NULL));
    rs_close(store);
    for (unsigned i = 0; i < rig_count(); i++) {
        run_round(&tally, &random, i);
    }
    RIG_MUST(tally.kept > 0 && tally.taken_back > 0);
    rig_pass("%u changes were not there after a kill, %u stayed, %u were taken back once",
             tally.lost, tally.kept, tally.taken_back);
    store = rig_open(0);
    check_whole(store);
    rs_close(store);
    rig_pass("the store is whole");
    return rig_finish();
}
