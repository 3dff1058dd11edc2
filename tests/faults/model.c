/*
 * model.c - 50,000 random operations, by two processes that take turns, against a small model.
 *
 * Both processes know the whole row of operations and follow it in their own copy of the model;
 * only the one whose turn it is does them to the store, too, and compares each answer. So each
 * checks what the other has written. Transactions are committed or aborted at random, stores are
 * closed and opened in between, and what was committed last is taken back, redone, and taken back
 * again: the model then is what it was. Now and then stores as they were are opened, and compared
 * with the model of then; the store is checked, and keeps so little history that it always forgets
 * some. A row that fails is made shorter as long as it fails, and
 * printed. At the end a model that is wrong on purpose has to be found out in that way.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model_state.h"

#define OPERATIONS 50000u
#define COMPARE_ALL_EVERY 50u /* transactions */
#define WRONG_OPERATIONS 3000u
#define SHORTENING_MS 90000u
#define PATIENCE_MS 60000u
#define KEPT 24u    /* models of the latest transactions */
#define HISTORY 40u /* revisions that the store keeps */
#define PASTS 3u    /* that are looked at in one operation */
#define SETTINGS "HKRS\\Settings\\Journal"

static const char *const kind_names[MODEL_KINDS] = {"create", "delete", "rename", "set",    "unset",
                                                    "class",  "link",   "lookup", "commit", "abort",
                                                    "reopen", "switch", "undo",   "past"};

struct shared {
    atomic_uint turns;                /* that have ended */
    atomic_uint at;                   /* the operation under way */
    atomic_bool failed;               /* the processes need not wait for each other any more */
    _Atomic uint64_t revisions[KEPT]; /* that the latest transactions led to */
    atomic_uint undone;
    atomic_uint pasts;
};

struct run {
    const struct model_op *ops;
    unsigned count;
    unsigned me; /* which of the two processes */
    bool wrong;
    bool quiet;
    struct shared *shared;
};

/* ---- One process ---- */

struct worker {
    struct run run;
    struct model_state now;
    struct model_state before;     /* the transaction */
    struct model_state then[KEPT]; /* after the latest transactions, by their number */
    rs_store *store;
    rs_txn *txn; /* NULL while it is the other's turn */
    unsigned turns;
    unsigned ended; /* transactions */
};

static bool is_my_turn(const struct worker *worker)
{
    return worker->turns % 2 == worker->run.me;
}

static void wait_for_turn(const struct worker *worker)
{
    uint64_t end = rig_now_ms() + PATIENCE_MS;
    while (worker->run.shared->turns < worker->turns) {
        RIG_MUST(!worker->run.shared->failed && rig_now_ms() < end);
        rig_sleep_us(50);
    }
}

static void begin(struct worker *worker, bool compare)
{
    worker->before = worker->now;
    worker->txn = NULL;
    if (!is_my_turn(worker)) {
        return;
    }
    worker->txn = rig_begin(worker->store, RS_WRITE);
    model_resolve(&worker->now, worker->txn);
    worker->before = worker->now;
    if (compare) {
        model_compare(&worker->now, worker->txn);
    }
}

/* A transaction has been committed: what it led to is remembered. */
static void remember(struct worker *worker)
{
    unsigned place = ++worker->ended % KEPT;
    worker->then[place] = worker->now;
    if (is_my_turn(worker)) {
        rs_txn *txn = rig_begin(worker->store, RS_READ);
        worker->run.shared->revisions[place] = rs_revision(txn);
        rs_abort(txn);
    }
}

/* The place of the model some transactions ago, as far as there is one. */
static unsigned place_ago(const struct worker *worker, uint32_t number)
{
    unsigned most = worker->ended < KEPT ? worker->ended : KEPT - 1;
    return (worker->ended - number % (most + 1)) % KEPT;
}

/* Nobody is in between, so nothing is in conflict. */
static void undo(struct worker *worker, uint32_t number)
{
    unsigned place = place_ago(worker, number % 3 == 0 ? number / 3 : 1 + number % 2);
    uint64_t from = worker->run.shared->revisions[place] + 1;
    if (is_my_turn(worker)) {
        rs_undo_report report = {0};
        rs_txn *txn = rig_begin(worker->store, RS_WRITE);
        if (from <= rs_revision(txn)) {
            RIG_OK(rs_undo(txn, from, rs_revision(txn), NULL, &report));
            worker->run.shared->undone++;
        }
        RIG_MUST(report.conflicts == 0);
        RIG_OK(rs_commit(txn, NULL));
    }
    worker->now = worker->then[place];
    remember(worker);
}

static void compare_past(struct worker *worker, uint32_t number)
{
    static struct model_state model;
    rs_store *past;
    unsigned place = place_ago(worker, number);
    RIG_OK(rs_open_past(worker->store, worker->run.shared->revisions[place], &past, NULL));
    rs_txn *txn = rig_begin(past, RS_READ);
    model = worker->then[place];
    model_resolve(&model, txn);
    model_compare(&model, txn);
    rs_abort(txn);
    rs_close(past);
    worker->run.shared->pasts++;
}

/* What is forgotten cannot be opened; what is left is whole. */
static void look_back(struct worker *worker, const struct model_op *op)
{
    rs_check_report report;
    rs_store *past;
    rs_stat stat;
    const uint32_t numbers[PASTS] = {op->a, op->b, op->c};
    for (unsigned i = 0; i < PASTS; i++) {
        compare_past(worker, numbers[i]);
    }
    rs_txn *txn = rig_begin(worker->store, RS_READ);
    RIG_OK(rs_stat_get(txn, &stat));
    RIG_OK(rs_check(txn, NULL, &report));
    rs_abort(txn);
    RIG_MUST(report.damages == 0);
    /* Revisions with large values go in pieces, while others come. */
    RIG_MUST(stat.revision < stat.first_revision + 4 * HISTORY);
    if (stat.first_revision > 2) {
        RIG_GIVES(RS_EBEHIND, rs_open_past(worker->store, stat.first_revision - 2, &past, NULL));
    }
}

static void change_turns(struct worker *worker)
{
    worker->run.shared->turns += is_my_turn(worker);
    worker->turns++;
    if (is_my_turn(worker)) {
        wait_for_turn(worker);
    }
}

static void end(struct worker *worker, const struct model_op *op)
{
    if (op->kind == MODEL_ABORT) {
        rs_abort(worker->txn);
        worker->now = worker->before;
    } else if (worker->txn != NULL) {
        RIG_OK(rs_commit(worker->txn, NULL));
    }
    remember(worker);
    if (op->kind == MODEL_UNDO) {
        undo(worker, op->a);
    }
    if (op->kind == MODEL_PAST && is_my_turn(worker)) {
        look_back(worker, op);
    }
    if (op->kind == MODEL_REOPEN && is_my_turn(worker)) {
        rs_close(worker->store);
        worker->store = rig_open(0);
    }
    if (op->kind == MODEL_SWITCH) {
        change_turns(worker);
    }
    begin(worker, op->kind == MODEL_UNDO || worker->ended % COMPARE_ALL_EVERY == 0);
}

/* The first process makes the store, and has it keep little history; the second finds it so. */
static void begin_store(struct worker *worker)
{
    rs_key key;
    worker->store = rig_open(RS_CREATE);
    rs_txn *txn = rig_begin(worker->store, RS_WRITE);
    RIG_OK(rs_key_create(txn, RS_NO_KEY, SETTINGS, &key));
    RIG_OK(rs_set_dword(txn, key, "MaxRevisions", HISTORY));
    RIG_OK(rs_commit(txn, NULL));
    worker->ended = UINT32_MAX; /* the first that is remembered has the number 0 */
    remember(worker);
}

/* After the last turn both compare all with what a newly opened store shows. */
static void compare_at_end(struct worker *worker)
{
    if (worker->txn != NULL) {
        RIG_OK(rs_commit(worker->txn, NULL));
        worker->run.shared->turns++;
    }
    worker->turns++;
    wait_for_turn(worker);
    rs_close(worker->store);
    worker->store = rig_open(RS_READONLY);
    rs_txn *txn = rig_begin(worker->store, RS_READ);
    model_resolve(&worker->now, txn);
    model_compare(&worker->now, txn);
    rs_abort(txn);
    rs_close(worker->store);
}

static void work(void *context, int pipe)
{
    static struct worker worker;
    (void)pipe;
    worker.run = *(struct run *)context;
    worker.now.wrong = worker.run.wrong;
    if (worker.run.quiet) {
        RIG_MUST(dup2(open("/dev/null", O_WRONLY), STDERR_FILENO) >= 0);
    }
    begin_store(&worker);
    begin(&worker, false);
    for (unsigned i = 0; i < worker.run.count; i++) {
        const struct model_op *op = &worker.run.ops[i];
        if (worker.txn != NULL) {
            worker.run.shared->at = i;
        }
        if (op->kind < MODEL_COMMIT) {
            model_apply(&worker.now, op, worker.txn);
        } else {
            end(&worker, op);
        }
    }
    compare_at_end(&worker);
}

/* ---- A run of both ---- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *place)
{
    (void)st;
    (void)type;
    (void)place;
    return remove(path);
}

/* True if store and model agreed; else *at is the operation where they did not. */
static bool agree(struct run *run, unsigned *at)
{
    pid_t pids[2];
    bool ended[2] = {false, false};
    bool good = true;
    nftw(rig_store_dir(), remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    memset(run->shared, 0, sizeof *run->shared);
    for (run->me = 0; run->me < 2; run->me++) {
        pids[run->me] = rig_fork(work, run, NULL);
    }
    for (unsigned i = 0; !ended[0] || !ended[1]; i = 1 - i) {
        int result = ended[i] ? -1 : rig_poll(pids[i]);
        if (result >= 0) {
            ended[i] = true;
            good = good && result == 0;
            run->shared->failed = !good;
        }
        rig_sleep_us(200);
    }
    *at = run->shared->at;
    return good;
}

/* ---- Rows of operations ---- */

static struct model_op *random_ops(unsigned count, uint64_t stream)
{
    static const enum model_kind weights[] = {
        MODEL_DELETE, MODEL_DELETE, MODEL_CREATE, MODEL_CREATE, MODEL_CREATE,
        MODEL_DELETE, MODEL_RENAME, MODEL_RENAME, MODEL_SET,    MODEL_SET,
        MODEL_SET,    MODEL_SET,    MODEL_SET,    MODEL_SET,    MODEL_UNSET,
        MODEL_UNSET,  MODEL_CLASS,  MODEL_LINK,   MODEL_LOOKUP, MODEL_LOOKUP};
    struct rig_random random = rig_random(rig_seed(), stream);
    struct model_op *ops = calloc(count + 1, sizeof *ops);
    RIG_MUST(ops != NULL);
    for (unsigned i = 0; i < count; i++) {
        unsigned end = rig_below(&random, 100);
        ops[i].kind = end < 2   ? MODEL_COMMIT
                      : end < 3 ? MODEL_ABORT
                      : end < 5 ? MODEL_SWITCH
                      : end < 6 ? MODEL_UNDO
                                : weights[rig_below(&random, sizeof weights / sizeof *weights)];
        if (end < 5 && rig_below(&random, 10) == 0) {
            ops[i].kind = rig_below(&random, 5) == 0 ? MODEL_REOPEN : MODEL_PAST;
        }
        ops[i].a = (uint32_t)rig_next(&random);
        ops[i].b = (uint32_t)rig_next(&random);
        ops[i].c = (uint32_t)rig_next(&random);
    }
    return ops;
}

/* Leaves out what is not needed for the row to fail: halves, quarters, down to single ones; as far
 * as it comes by then. */
static void shorten(struct run *run, struct model_op *ops, uint64_t end)
{
    unsigned at;
    struct model_op *shorter = calloc(run->count + 1, sizeof *shorter);
    RIG_MUST(shorter != NULL);
    run->quiet = true;
    for (unsigned piece = (run->count + 1) / 2; piece > 0; piece /= 2) {
        for (unsigned i = 0; i < run->count && rig_now_ms() < end;) {
            unsigned left_out = piece < run->count - i ? piece : run->count - i;
            unsigned whole = run->count;
            memcpy(shorter, ops, i * sizeof *ops);
            memcpy(shorter + i, ops + i + left_out, (whole - i - left_out) * sizeof *ops);
            run->ops = shorter;
            run->count = whole - left_out;
            if (agree(run, &at)) {
                run->count = whole;
                i += left_out;
            } else {
                memcpy(ops, shorter, run->count * sizeof *ops);
            }
        }
    }
    run->ops = ops;
    free(shorter);
}

static void print_ops(const struct run *run)
{
    for (unsigned i = 0; i < run->count; i++) {
        const struct model_op *op = &run->ops[i];
        printf("  %s %u %u %u\n", kind_names[op->kind], op->a, op->b, op->c);
    }
}

static void tell_what_is_there(void)
{
    rs_stat stat;
    rs_store *store = rig_open(RS_READONLY);
    rs_txn *txn = rig_begin(store, RS_READ);
    RIG_OK(rs_stat_get(txn, &stat));
    printf("%llu revisions, at the end %llu keys and %llu values\n",
           (unsigned long long)stat.revision, (unsigned long long)stat.keys,
           (unsigned long long)stat.values);
    rs_abort(txn);
    rs_close(store);
}

static void test_model(struct run *run)
{
    unsigned at;
    struct model_op *ops = random_ops(run->count, 0);
    run->ops = ops;
    bool store_agrees = agree(run, &at);
    if (!store_agrees) {
        printf("operation %u failed; it fails the same with these alone:\n", at);
        run->count = at + 1 < run->count ? at + 1 : run->count;
        shorten(run, ops, rig_now_ms() + SHORTENING_MS);
        print_ops(run);
        RIG_MUST(store_agrees);
    }
    free(ops);
    tell_what_is_there();
    printf("%u times revisions were taken back, %u stores as they were compared\n",
           run->shared->undone, run->shared->pasts);
    RIG_MUST(run->count < 1000 || (run->shared->undone > 0 && run->shared->pasts > 0));
    rig_pass("the store agrees with the model over %u operations of two processes", run->count);
}

/* A deletion that the wrong model forgets: found with hardly more than a key, a value and that. */
static void test_wrong_model(struct run *run)
{
    unsigned at;
    struct model_op *ops = random_ops(WRONG_OPERATIONS, 1);
    *run = (struct run){.ops = ops, .count = WRONG_OPERATIONS, .shared = run->shared};
    run->wrong = true;
    run->quiet = true;
    RIG_MUST(!agree(run, &at));
    run->count = at + 1;
    shorten(run, ops, UINT64_MAX); /* how short it is counts here, not how long it takes */
    printf("a wrong model is found out with:\n");
    print_ops(run);
    RIG_MUST(run->count >= 3 && run->count <= 8);
    rig_pass("a wrong model is found out at operation %u, and with %u alone", at, run->count);
    free(ops);
}

int main(int argc, char **argv)
{
    rig_start(argc, argv, OPERATIONS);
    struct run run = {.count = rig_count(), .shared = rig_shared(sizeof *run.shared)};
    test_model(&run);
    test_wrong_model(&run);
    return rig_finish();
}
