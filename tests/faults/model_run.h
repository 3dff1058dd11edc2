/*
 * model_run.h - rows of operations, done by two processes, and made shorter if they fail.
 *
 * Gives random rows, the memory that the processes share, and the run of both. Needs rig and
 * model_state.
 */
#ifndef MODEL_RUN_H
#define MODEL_RUN_H

#include "model_state.h"

#define MODEL_STEPS 50000u /* unless --count says otherwise */

struct model_shared {
    atomic_uint turns;  /* that have ended */
    atomic_uint at;     /* the operation under way */
    atomic_bool failed; /* the processes need not wait for each other any more */
    /* What was done; counted by the process whose turn it is. */
    unsigned steps;
    uint64_t pasts;
    unsigned undone, refused, forced, beyond, left_out, redone;
    unsigned rollbacks, confirmed, trimmed;
    struct model model;
};

struct model_run {
    unsigned steps;
    void (*work)(void *run, int pipe); /* of one process */
    enum model_wrong wrong;
    bool quiet;
    bool blind;  /* past revisions are not compared */
    unsigned me; /* which of the two processes */
    struct model_op *ops;
    unsigned count;
    unsigned failed_at;
    struct model_shared *shared;
};

/* Makes a random row for run->steps. */
void model_run_begin(struct model_run *run, uint64_t stream);
/* True if store and model agreed; else run->failed_at is the operation where they did not. */
bool model_run_agrees(struct model_run *run);
/* Leaves out what is not needed for the row to fail; if in time, as far as it comes. */
void model_run_shorten(struct model_run *run, bool in_time);
void model_run_print(const struct model_run *run);
void model_run_end(struct model_run *run);

#endif
