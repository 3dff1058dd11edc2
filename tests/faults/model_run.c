#include "model_run.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SHORTENING_MS 90000u
#define PRINTED_OPS 100u
#define OPS_IN_STEP 12u /* at most */

static const char *const kind_names[MODEL_KINDS] = {
    "create", "delete", "rename", "set",  "unset", "class",   "link", "keep",   "lookup",
    "commit", "ask",    "abort",  "undo", "redo",  "confirm", "due",  "reopen", "switch"};

/* ---- Rows ---- */

static enum model_kind random_change(struct rig_random *random)
{
    static const enum model_kind weights[] = {
        MODEL_DELETE, MODEL_DELETE, MODEL_CREATE, MODEL_CREATE, MODEL_CREATE,
        MODEL_CREATE, MODEL_RENAME, MODEL_RENAME, MODEL_SET,    MODEL_SET,
        MODEL_SET,    MODEL_SET,    MODEL_SET,    MODEL_SET,    MODEL_UNSET,
        MODEL_UNSET,  MODEL_CLASS,  MODEL_LINK,   MODEL_LOOKUP, MODEL_LOOKUP};
    return rig_below(random, 60) == 0
               ? MODEL_KEEP
               : weights[rig_below(random, sizeof weights / sizeof *weights)];
}

static enum model_kind random_ending(struct rig_random *random)
{
    static const enum model_kind weights[] = {
        MODEL_COMMIT, MODEL_COMMIT,  MODEL_COMMIT, MODEL_COMMIT, MODEL_COMMIT,
        MODEL_COMMIT, MODEL_ASK,     MODEL_ASK,    MODEL_ABORT,  MODEL_UNDO,
        MODEL_UNDO,   MODEL_UNDO,    MODEL_UNDO,   MODEL_UNDO,   MODEL_REDO,
        MODEL_REDO,   MODEL_CONFIRM, MODEL_DUE,    MODEL_REOPEN, MODEL_SWITCH};
    return weights[rig_below(random, sizeof weights / sizeof *weights)];
}

static void add_op(struct model_run *run, enum model_kind kind, struct rig_random *random)
{
    struct model_op *op = &run->ops[run->count++];
    op->kind = kind;
    op->a = (uint32_t)rig_next(random);
    op->b = (uint32_t)rig_next(random);
    op->c = (uint32_t)rig_next(random);
}

void model_run_begin(struct model_run *run, uint64_t stream)
{
    struct rig_random random = rig_random(rig_seed(), stream);
    run->ops = calloc((size_t)run->steps * (OPS_IN_STEP + 1) + 1, sizeof *run->ops);
    RIG_MUST(run->ops != NULL);
    run->count = 0;
    for (unsigned i = 0; i < run->steps; i++) {
        for (unsigned left = rig_below(&random, OPS_IN_STEP + 1); left > 0; left--) {
            add_op(run, random_change(&random), &random);
        }
        add_op(run, random_ending(&random), &random);
    }
}

/* ---- A run of both ---- */

static size_t shared_size(const struct model_run *run)
{
    size_t transactions = 4 * (size_t)(run->count + 16);
    return sizeof *run->shared + transactions * sizeof run->shared->model.times[0];
}

static void forget_shared(struct model_run *run)
{
    if (run->shared != NULL) {
        munmap(run->shared, shared_size(run));
        run->shared = NULL;
    }
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *place)
{
    (void)st;
    (void)type;
    (void)place;
    return remove(path);
}

bool model_run_agrees(struct model_run *run)
{
    pid_t pids[2];
    bool ended[2] = {false, false};
    bool good = true;
    nftw(rig_store_dir(), remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    forget_shared(run);
    run->shared = rig_shared(shared_size(run));
    for (run->me = 0; run->me < 2; run->me++) {
        pids[run->me] = rig_fork(run->work, run, NULL);
    }
    for (unsigned i = 0; !ended[0] || !ended[1]; i = 1 - i) {
        int result = ended[i] ? -1 : rig_poll(pids[i]);
        if (result >= 0) {
            ended[i] = true;
            good = good && result == 0;
            run->shared->failed = !good;
        }
        rig_sleep_us(2000);
    }
    run->failed_at = run->shared->at;
    return good;
}

/* ---- Shorter ones ---- */

static bool fails_without(struct model_run *run, struct model_op *shorter, unsigned from,
                          unsigned left_out)
{
    struct model_op *whole = run->ops;
    unsigned count = run->count;
    memcpy(shorter, whole, from * sizeof *whole);
    memcpy(shorter + from, whole + from + left_out, (count - from - left_out) * sizeof *whole);
    forget_shared(run);
    run->ops = shorter;
    run->count = count - left_out;
    bool fails = !model_run_agrees(run);
    forget_shared(run);
    run->ops = whole;
    run->count = count;
    if (fails) {
        run->count = count - left_out;
        memcpy(whole, shorter, run->count * sizeof *whole);
    }
    return fails;
}

void model_run_shorten(struct model_run *run, bool in_time)
{
    uint64_t end = in_time ? rig_now_ms() + SHORTENING_MS : UINT64_MAX;
    struct model_op *shorter = calloc(run->count + 1, sizeof *shorter);
    RIG_MUST(shorter != NULL);
    forget_shared(run);
    run->quiet = true;
    run->count = run->failed_at + 1 < run->count ? run->failed_at + 1 : run->count;
    run->blind = true; /* which is quick, if it fails so, too */
    run->blind = !model_run_agrees(run);
    forget_shared(run);
    for (unsigned piece = (run->count + 1) / 2; piece > 0; piece /= 2) {
        for (unsigned i = 0; i < run->count && rig_now_ms() < end;) {
            unsigned left_out = piece < run->count - i ? piece : run->count - i;
            i += fails_without(run, shorter, i, left_out) ? 0 : left_out;
        }
    }
    free(shorter);
}

void model_run_print(const struct model_run *run)
{
    if (run->count > PRINTED_OPS) {
        printf("  the last %u of %u:\n", PRINTED_OPS, run->count);
    }
    for (unsigned i = run->count > PRINTED_OPS ? run->count - PRINTED_OPS : 0; i < run->count;
         i++) {
        const struct model_op *op = &run->ops[i];
        printf("  %s %u %u %u\n", kind_names[op->kind], op->a, op->b, op->c);
    }
}

void model_run_end(struct model_run *run)
{
    forget_shared(run);
    free(run->ops);
}
