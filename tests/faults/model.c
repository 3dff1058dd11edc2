/*
 * model.c - 50,000 random steps, by two processes that take turns, against a small model.
 *
 * A step is some operations in one transaction, and what becomes of it: it is committed, committed
 * to be confirmed, or aborted; and then revisions are taken back, with conflicts or without, by
 * force or as far as possible; or what was taken back is redone, what waits is confirmed or taken
 * back, the store is opened anew, or the other process goes on. After each step the store is
 * compared with the model, whole, and so are 10 of its past revisions, opened one by one; what is
 * forgotten cannot be opened, and the revision before that can. The model foretells all of it (see
 * model_state.h), also which conflicts there are, and what a revision's record says. Independent of
 * that, taking back all since a revision has to lead to just what was there.
 *
 * A row that fails is made shorter as long as it fails, and printed. At the end models that are
 * wrong on purpose have to be found out in that way. All 50,000 take about half an hour where
 * $TMPDIR is in memory, and much longer elsewhere: TMPDIR=/dev/shm build/bin/model --seed 1
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model_run.h"
#include "model_state.h"

#define PATIENCE_MS 300000u
#define PASTS 10u              /* that are compared after each step */
#define CHECK_EVERY 32u        /* steps, that the store is checked */
#define LATER 1000000u         /* seconds, until the run is over */
#define KEPT_MEMORY (32 << 20) /* bytes */
#define SOON_FULL (MODEL_KEPT - 32u)

/* ---- One process ---- */

struct worker {
    struct model_run run;
    struct model_shared *shared;
    struct model *model;
    rs_store *store; /* NULL: not yet open */
    rs_txn *txn;     /* of the step under way */
    unsigned turns;
};

static bool is_my_turn(const struct worker *worker)
{
    return worker->turns % 2 == worker->run.me;
}

static void wait_for_turn(const struct worker *worker)
{
    uint64_t end = rig_now_ms() + PATIENCE_MS;
    while (worker->shared->turns < worker->turns) {
        RIG_MUST(!worker->shared->failed && rig_now_ms() < end);
        rig_sleep_us(1000);
    }
}

static void change_turns(struct worker *worker)
{
    worker->shared->turns += is_my_turn(worker);
    worker->turns++;
    if (is_my_turn(worker)) {
        wait_for_turn(worker);
    }
}

static void begin(struct worker *worker)
{
    worker->txn = rig_begin(worker->store, RS_WRITE);
    RIG_MUST(rs_revision(worker->txn) == worker->model->latest);
    model_begin(worker->model);
}

/* How far back the journal reaches; the model takes over what it could not foretell. */
static void compare_first(struct model *model, rs_txn *txn)
{
    rs_stat stat;
    RIG_OK(rs_stat_get(txn, &stat));
    RIG_MUST(stat.first_revision >= model->first_least && stat.first_revision <= model->first);
    model->first = stat.first_revision;
    model->first_least = stat.first_revision;
}

/* Commits both. */
static void commit(struct worker *worker, const struct model_ending *ending)
{
    uint64_t revision = 0;
    model_commit(worker->model, ending);
    RIG_OK(rs_commit(worker->txn, &revision));
    RIG_MUST(revision == worker->model->latest);
    worker->txn = rig_begin(worker->store, RS_READ);
    compare_first(worker->model, worker->txn);
    rs_abort(worker->txn);
    worker->txn = NULL;
}

static void drop(struct worker *worker)
{
    rs_abort(worker->txn);
    worker->txn = NULL;
    model_abort(worker->model);
}

/* ---- Confirmation ---- */

static struct model_ending ask(struct worker *worker, uint32_t number)
{
    struct model_ending ending = {.asks = worker->model->pending == 0, .due = number % 3 == 0};
    RIG_GIVES(ending.asks ? RS_OK : RS_EBUSY, rs_txn_confirm(worker->txn, ending.due ? 0 : LATER));
    return ending;
}

/* What was not confirmed in time has been taken back by the store, as far as possible. */
static bool expect_rollback(struct worker *worker)
{
    struct model *model = worker->model;
    if (model->pending == 0 || !model->due) {
        return false;
    }
    struct model_undo undo = {model->pending, model->pending, RS_UNDO_SKIP, .status = RS_OK};
    model_begin(model);
    model_undo(model, &undo);
    RIG_MUST(undo.status == RS_OK);
    undo.ending.flags &= ~(RS_REVISION_UNDO | RS_REVISION_REDO);
    undo.ending.flags |= RS_REVISION_ROLLBACK;
    undo.ending.recorded = true;
    model_commit(model, &undo.ending);
    worker->shared->rollbacks++;
    return true;
}

static void confirm(struct worker *worker)
{
    uint64_t kept = 0;
    uint64_t waiting = worker->model->pending;
    bool too_late = expect_rollback(worker);
    RIG_GIVES(waiting == 0 || too_late ? RS_ENOTFOUND : RS_OK,
              rs_confirm(worker->store, &kept, NULL));
    RIG_MUST(kept == (too_late ? 0 : waiting));
    worker->shared->confirmed += kept != 0;
    worker->model->pending = 0;
}

static void let_pass(struct worker *worker)
{
    uint64_t made = 1;
    bool due = expect_rollback(worker);
    RIG_OK(rs_confirm_due(worker->store, &made, NULL));
    RIG_MUST(made == (due ? worker->model->latest : 0));
}

static void open_store(struct worker *worker)
{
    if (worker->store != NULL) {
        rs_close(worker->store);
    }
    expect_rollback(worker);
    worker->store = rig_open(0);
}

/* ---- Undo ---- */

static int on_conflict(void *context, const rs_conflict *conflict)
{
    struct model_undo *seen = context;
    RIG_MUST(conflict->revision >= seen->from && conflict->revision <= seen->to);
    seen->conflicts++;
    seen->lasting += conflict->lasting != 0;
    return 0;
}

/* The store's own undo, after the model's; the transaction has ended then if it is refused. */
static void undo_store(struct worker *worker, const struct model_undo *wanted)
{
    struct model_undo seen = {.from = wanted->from, .to = wanted->to};
    rs_undo_options options = {wanted->flags, on_conflict, &seen};
    rs_undo_report report = {0};
    RIG_GIVES(wanted->status, rs_undo(worker->txn, wanted->from, wanted->to, &options, &report));
    RIG_MUST(report.conflicts == wanted->conflicts && seen.conflicts == wanted->conflicts);
    RIG_MUST(seen.lasting == wanted->lasting);
    RIG_MUST(wanted->status != RS_OK || report.changes == wanted->changes);
}

static void count_undo(struct model_shared *shared, const struct model_undo *undo)
{
    shared->undone += undo->status == RS_OK;
    shared->refused += undo->status == RS_ECONFLICT;
    shared->forced += undo->status == RS_OK && undo->conflicts > 0;
    shared->beyond += undo->status == RS_EBEHIND || undo->status == RS_ENOTFOUND;
}

static void undo(struct worker *worker, uint64_t from, uint64_t to, const struct model_op *op)
{
    struct model *model = worker->model;
    static const unsigned flags[] = {0, RS_UNDO_FORCE, RS_UNDO_SKIP};
    struct model_undo wanted = {from, to, flags[op->a / 4 % 3], .status = RS_OK};
    bool back = to == model->latest && from >= model->first;
    begin(worker);
    model_undo(model, &wanted);
    if (model->overflow) { /* more at once than the model has room for */
        drop(worker);
        worker->shared->left_out++;
        return;
    }
    if (back) { /* nobody came in between */
        RIG_MUST(wanted.conflicts == 0 &&
                 (model->wrong != MODEL_RIGHT ||
                  model_equal(&model->now, &model_record(model, from - 1)->after)));
    }
    undo_store(worker, &wanted);
    count_undo(worker->shared, &wanted);
    if (wanted.status != RS_OK) {
        drop(worker);
        return;
    }
    if (op->c % 16 == 0) {
        struct model_ending asked = ask(worker, op->b);
        wanted.ending.asks = asked.asks;
        wanted.ending.due = asked.due;
    }
    commit(worker, &wanted.ending);
}

/* The latest revisions; or a row of some age, which may begin before what is kept. */
static void undo_some(struct worker *worker, const struct model_op *op)
{
    const struct model *model = worker->model;
    uint64_t kept = model->latest - model->first + 1;
    uint64_t to = op->a % 4 == 0 ? model->latest : model->first + op->b % kept;
    uint64_t count = 1 + (op->a % 4 == 0 ? op->b % 6 : op->c / 16 % 4);
    uint64_t from = to >= count + 2 ? to - count + 1 : 2;
    bool forgotten = from < model->first;
    if (forgotten && op->a % 16 != 1) {
        from = model->first;
    }
    from = from < 2 ? 2 : from; /* what keeps the history short stays */
    to = op->c % 64 == 1 ? model->latest + 1 : to;
    if (from <= to) {
        undo(worker, from, to, op);
    }
}

static void redo(struct worker *worker, const struct model_op *op)
{
    struct model *model = worker->model;
    for (uint64_t i = model->latest; i >= model->first && i > 1; i--) {
        if ((model_record(model, i)->flags & (RS_REVISION_UNDO | RS_REVISION_ROLLBACK)) != 0) {
            undo(worker, i, i, op);
            worker->shared->redone++;
            return;
        }
    }
}

/* ---- The past ---- */

static rs_store *open_past(rs_store *store, uint64_t revision)
{
    rs_store *past = NULL;
    rs_error error = RS_ERROR_INIT;
    int status = rs_open_past(store, revision, &past, &error);
    if (status != RS_OK) {
        fprintf(stderr, "%s\n", error.text);
    }
    RIG_OK(status);
    return past;
}

static void compare_past(struct worker *worker, rs_store *past, uint64_t revision)
{
    rs_txn *txn = rig_begin(past, RS_READ);
    RIG_MUST(rs_revision(txn) == revision);
    model_compare(worker->model, &model_record(worker->model, revision)->after, txn);
    rs_abort(txn);
    worker->shared->pasts++;
}

/* Some are opened from one of the others: what was past then is past now. */
static void look_back(struct worker *worker, struct rig_random *random)
{
    struct model *model = worker->model;
    uint64_t reach = model->latest - model->first + 2;
    uint64_t revision = model->first - 1 + rig_below(random, (uint32_t)reach);
    rs_store *past = open_past(worker->store, revision);
    compare_past(worker, past, revision);
    if (rig_below(random, 8) == 0) {
        uint64_t older = revision - rig_below(random, (uint32_t)(revision - model->first + 2));
        rs_store *before = open_past(past, older);
        compare_past(worker, before, older);
        rs_close(before);
    }
    rs_close(past);
}

/* What is forgotten cannot be opened, nor what has not been made. */
static void look_beyond(struct worker *worker)
{
    rs_store *past;
    const struct model *model = worker->model;
    if (model->first > 1) {
        RIG_GIVES(RS_EBEHIND, rs_open_past(worker->store, model->first - 2, &past, NULL));
    }
    RIG_GIVES(RS_ENOTFOUND, rs_open_past(worker->store, model->latest + 1, &past, NULL));
}

/* ---- After each step ---- */

static void compare_pending(const struct model *model, rs_txn *txn)
{
    rs_pending pending = {0};
    RIG_GIVES(model->pending != 0 ? RS_OK : RS_ENOTFOUND, rs_confirm_pending(txn, &pending));
    RIG_MUST(pending.revision == model->pending);
    RIG_MUST(model->pending == 0 || (pending.left_ms == 0) == model->due);
}

static void compare_present(struct worker *worker, bool check)
{
    struct model *model = worker->model;
    rs_check_report report = {0};
    rs_txn *txn = rig_begin(worker->store, RS_READ);
    RIG_MUST(rs_revision(txn) == model->latest);
    compare_first(model, txn);
    compare_pending(model, txn);
    model_compare(model, &model->now, txn);
    model_compare_record(model, txn);
    if (check) {
        RIG_OK(rs_check(txn, NULL, &report));
    }
    RIG_MUST(report.damages == 0);
    rs_abort(txn);
}

static void compare_all(struct worker *worker, const struct model_op *op)
{
    bool blind = worker->run.blind;
    struct rig_random random = rig_random(op->b, op->c);
    uint64_t before = worker->shared->pasts;
    compare_present(worker, worker->shared->steps % CHECK_EVERY == 0);
    for (unsigned i = 0; i < PASTS && !blind; i++) {
        look_back(worker, &random);
    }
    look_beyond(worker);
    worker->shared->trimmed += worker->model->first > 1;
    RIG_MUST(blind || worker->shared->pasts >= before + PASTS);
}

/* ---- Steps ---- */

static void end_transaction(struct worker *worker, const struct model_op *op)
{
    struct model_ending ending = {0};
    if (op->kind == MODEL_ABORT) {
        drop(worker);
        return;
    }
    if (op->kind == MODEL_ASK) {
        ending = ask(worker, op->a);
    }
    commit(worker, &ending);
}

static void end_step(struct worker *worker, const struct model_op *op)
{
    struct model *model = worker->model;
    end_transaction(worker, op);
    if (op->kind == MODEL_UNDO) {
        undo_some(worker, op);
    } else if (op->kind == MODEL_REDO) {
        redo(worker, op);
    } else if (op->kind == MODEL_DUE) {
        let_pass(worker);
    } else if (op->kind == MODEL_REOPEN) {
        open_store(worker);
    }
    /* What waits holds the history, for which the model has not so much room. */
    if (op->kind == MODEL_CONFIRM || model->latest - model->first > SOON_FULL) {
        confirm(worker);
    }
    compare_all(worker, op);
    worker->shared->steps++;
}

/* The first process makes the store, and has it keep little history. */
static void begin_store(struct worker *worker)
{
    worker->store = rig_open(RS_CREATE);
    worker->txn = rig_begin(worker->store, RS_WRITE);
    model_prepare(worker->model, worker->txn, 20);
    commit(worker, &(struct model_ending){0});
}

static void do_op(struct worker *worker, const struct model_op *op)
{
    if (worker->store == NULL) {
        open_store(worker);
    }
    if (worker->txn == NULL) {
        begin(worker);
    }
    if (op->kind < MODEL_COMMIT) {
        model_apply(worker->model, op, worker->txn);
    } else {
        end_step(worker, op);
    }
}

static void end_store(struct worker *worker)
{
    if (worker->txn != NULL) {
        drop(worker);
    }
    rs_close(worker->store);
}

/* Each copy of the store takes megabytes for a moment: had anew from the system they would be half
 * of the time that all takes. A sanitizer's memory is its own. */
static void keep_memory(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, KEPT_MEMORY);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_MEMORY);
}

static void work(void *context, int pipe)
{
    static struct worker worker;
    (void)pipe;
    alarm(0); /* it dies with its parent, which takes its time */
    keep_memory();
    worker.run = *(struct model_run *)context;
    worker.shared = worker.run.shared;
    worker.model = &worker.shared->model;
    worker.model->wrong = worker.run.wrong;
    if (worker.run.quiet) {
        RIG_MUST(dup2(open("/dev/null", O_WRONLY), STDERR_FILENO) >= 0);
    }
    if (is_my_turn(&worker)) {
        begin_store(&worker);
    }
    for (unsigned i = 0; i < worker.run.count; i++) {
        const struct model_op *op = &worker.run.ops[i];
        if (is_my_turn(&worker)) {
            worker.shared->at = i;
            do_op(&worker, op);
        }
        if (op->kind == MODEL_SWITCH) {
            change_turns(&worker);
        }
    }
    end_store(&worker);
}

/* ---- Both, and what they show ---- */

static void tell_counts(const struct model_shared *shared)
{
    printf("%llu revisions; %llu stores as they were compared\n",
           (unsigned long long)shared->model.latest, (unsigned long long)shared->pasts);
    printf("taken back %u times, %u of them over conflicts, %u redone; refused %u, out of reach "
           "%u, left out %u\n",
           shared->undone, shared->forced, shared->redone, shared->refused, shared->beyond,
           shared->left_out);
    printf("%u confirmed, %u taken back for want of it; %u steps with a history cut short\n",
           shared->confirmed, shared->rollbacks, shared->trimmed);
}

static void test_model(unsigned steps)
{
    struct model_run run = {.steps = steps, .work = work};
    model_run_begin(&run, 0);
    unsigned rows = run.count;
    bool agrees = model_run_agrees(&run);
    if (!agrees) {
        printf("operation %u failed; it fails the same with these alone:\n", run.failed_at);
        model_run_shorten(&run, true);
        model_run_print(&run);
        RIG_MUST(agrees);
    }
    const struct model_shared *shared = run.shared;
    tell_counts(shared);
    RIG_MUST(shared->steps == steps && shared->pasts >= (uint64_t)PASTS * steps);
    RIG_MUST(steps < 1000 || (shared->undone > 0 && shared->forced > 0 && shared->refused > 0 &&
                              shared->redone > 0 && shared->confirmed > 0 &&
                              shared->rollbacks > 0 && shared->trimmed > 0));
    model_run_end(&run);
    rig_pass("the store agrees with the model over %u steps of %u operations", steps, rows);
}

/* Found with hardly more than what the wrong model gets wrong. */
static void test_wrong_model(enum model_wrong wrong)
{
    struct model_run run = {
        .steps = 400, .work = work, .wrong = wrong, .quiet = true, .blind = true};
    model_run_begin(&run, wrong);
    RIG_MUST(!model_run_agrees(&run));
    unsigned at = run.failed_at;
    model_run_shorten(&run, false);
    printf("a wrong model is found out with:\n");
    model_run_print(&run);
    RIG_MUST(run.count >= 2 && run.count <= 8);
    rig_pass("wrong model %d is found out at operation %u, and with %u alone", (int)wrong, at,
             run.count);
    model_run_end(&run);
}

int main(int argc, char **argv)
{
    rig_start(argc, argv, MODEL_STEPS);
    printf("seed %llu, %u steps\n", (unsigned long long)rig_seed(), rig_count());
    test_model(rig_count());
    for (int wrong = MODEL_RIGHT + 1; wrong < MODEL_WRONGS; wrong++) {
        test_wrong_model((enum model_wrong)wrong);
    }
    return rig_finish();
}
