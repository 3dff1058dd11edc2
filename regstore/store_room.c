/*
 * store_room.c - deletions where there is no room: what they record gives way to them, then
 * history.
 *
 * The journal keeps what a transaction deletes, which takes as much room as what is deleted. If
 * there is none, the same deletions are done again in a new transaction, in which the journal says
 * what was deleted, but does not keep it. If even that finds no room the older half of the history
 * goes, and half of what is left, as long as it helps. Either way it is one revision or none. Needs
 * tree, journal and env. A part of store.
 */
#include "store.h"

#define SHORTEN_STEPS 1000u     /* transactions at most */
#define SHORTEN_REVISIONS 1000u /* in one of them */
#define TRIES 16u               /* halves of a history that is as long as it can be */

bool store_is_full(int status)
{
    return status == RS_EDISK || status == RS_EFULL;
}

/* ---- History gives way ---- */

/* Removes some of the oldest revisions before one, and before one that waits for confirmation.
 * RS_END if there are none. */
static int shorten_once(struct env_txn *txn, uint64_t first_kept)
{
    struct store_state state = {0};
    uint64_t first = 0;
    struct store_pending pending;
    int status = store_state_read(txn, &state);
    if (status == RS_OK) {
        status = journal_first(txn, &first);
    }
    if (status == RS_OK) {
        bool waits = store_pending_read(txn, &pending) == RS_OK;
        first_kept = waits && pending.revision < first_kept ? pending.revision : first_kept;
    }
    if (status == RS_OK && (first == 0 || first >= first_kept)) {
        status = RS_END;
    }
    struct journal_limits limits = {.revisions = state.revision + 1 - first_kept,
                                    .steps = SHORTEN_REVISIONS};
    if (status == RS_OK) {
        status = journal_trim(txn, state.revision, &limits, &state.journal_bytes);
    }
    return status == RS_OK ? store_state_write(txn, &state) : status;
}

/* LMDB does not use the pages that the latest transaction gave back. This one gives none back. */
static int settle(struct env_txn *txn, uint64_t unused)
{
    struct store_state state;
    (void)unused;
    int status = store_state_read(txn, &state);
    return status == RS_OK ? store_state_write(txn, &state) : status;
}

static int in_transaction(struct env *env, int (*step)(struct env_txn *, uint64_t), uint64_t number)
{
    struct env_txn txn;
    int status = env_begin(env, true, &txn, NULL);
    if (status != RS_OK) {
        return status;
    }
    status = step(&txn, number);
    if (status != RS_OK) {
        env_abort(&txn);
        return status;
    }
    return env_commit(&txn, NULL);
}

/* The revisions that the journal has; *first is 0 if none. */
static int look(struct env *env, uint64_t *first, uint64_t *latest, bool *full)
{
    struct env_txn txn;
    struct store_state state;
    int status = env_begin(env, false, &txn, NULL);
    if (status != RS_OK) {
        return status;
    }
    *full = env_has_no_room(&txn);
    status = journal_first(&txn, first);
    if (status == RS_OK) {
        status = store_state_read(&txn, &state);
    }
    env_abort(&txn);
    if (status == RS_OK) {
        *latest = state.revision;
    }
    return status;
}

bool store_shorten_history(struct env *env)
{
    uint64_t first, latest;
    bool full;
    unsigned steps = 0;
    /* A disk that said so once, and has room, is no reason to forget. */
    if (look(env, &first, &latest, &full) != RS_OK || !full || first == 0) {
        return false;
    }
    uint64_t first_kept = first + (latest - first + 2) / 2;
    while (steps < SHORTEN_STEPS && in_transaction(env, shorten_once, first_kept) == RS_OK) {
        steps++;
    }
    return steps > 0 && in_transaction(env, settle, 0) == RS_OK;
}

/* ---- Deletions done again ---- */

static int redo(struct tree *tree, const struct journal *told)
{
    struct change change;
    size_t at = 0;
    int status;
    while ((status = journal_told(told, &at, &change)) == RS_OK) {
        if (change.inner) {
            continue;
        }
        status =
            change.kind == RS_KEY_DELETED
                ? tree_delete(tree, change.key, true)
                : tree_value_delete(tree, change.key, change.before.name, change.before.name_len);
        if (status != RS_OK) {
            return status;
        }
    }
    return status == RS_END ? RS_OK : status;
}

static void end(struct rs_txn *txn)
{
    env_abort(&txn->env);
    journal_free(&txn->journal);
    tree_end(&txn->tree);
    txn->journal = (struct journal){0};
    txn->tree = (struct tree){0};
}

/* Whoever made a revision in between may have changed what is deleted here: then *over. */
static int try_again(struct rs_txn *txn, const struct journal *told, bool *over)
{
    int status = env_begin(txn->store->env, true, &txn->env, NULL);
    if (status == RS_OK) {
        status = store_start_writing(txn);
    }
    if (status == RS_OK && txn->journal.revision != told->revision) {
        *over = true;
        return RS_OK;
    }
    if (status == RS_OK) {
        txn->journal.brief = true;
        status = redo(&txn->tree, told);
    }
    return status == RS_OK ? store_try_commit(txn) : status;
}

int store_delete_briefly(struct rs_txn *txn, int status)
{
    struct env *env = txn->store->env;
    struct journal told = txn->journal;
    uint64_t first, latest;
    bool full = false;
    bool over = false;
    txn->journal = (struct journal){0};
    end(txn);
    if (look(env, &first, &latest, &full) != RS_OK || !full) {
        over = true;
    }
    for (unsigned tries = 0; !over && store_is_full(status) && tries < TRIES; tries++) {
        if (tries > 0 && !store_shorten_history(env)) {
            break;
        }
        int again = try_again(txn, &told, &over);
        status = over ? status : again;
        end(txn);
    }
    journal_free(&told);
    return status;
}
