/*
 * confirm.c - a revision that stays only if it is confirmed; see confirm.h.
 *
 * What waits is a record in the store itself, committed with the revision. Whoever comes by after
 * the deadline takes it back, in one transaction that removes the record, too: so it is done once,
 * whoever and however many come by.
 */
#include "confirm.h"

#include <stdio.h>

#include "history.h"

#define LONGEST_WAIT (UINT32_C(366) * 24 * 60 * 60) /* seconds */

int confirm_ask(struct rs_txn *txn, uint32_t seconds)
{
    struct store_pending pending;
    int status = tree_writable(&txn->tree);
    if (status != RS_OK) {
        return status;
    }
    if (seconds == 0 || seconds > LONGEST_WAIT) {
        return fail(txn->tree.error, RS_EINVAL, "to be confirmed within %u seconds: 1 to %u",
                    seconds, LONGEST_WAIT);
    }
    status = store_pending_read(&txn->env, &pending);
    if (status == RS_OK) {
        return fail(txn->tree.error, RS_EBUSY, "revision %llu waits to be confirmed",
                    (unsigned long long)pending.revision);
    }
    if (status != RS_ENOTFOUND) {
        return fail(txn->tree.error, status, "what waits to be confirmed: %s", rs_strerror(status));
    }
    txn->confirm_within = seconds;
    return RS_OK;
}

static int fail_none(rs_error *error, int status)
{
    return status == RS_ENOTFOUND
               ? fail(error, status, "nothing waits to be confirmed")
               : fail(error, status, "what waits to be confirmed: %s", rs_strerror(status));
}

int confirm_pending(struct rs_txn *txn, rs_pending *out)
{
    struct store_pending pending;
    int status = store_pending_read(&txn->env, &pending);
    if (status != RS_OK) {
        return fail_none(txn->tree.error, status);
    }
    *out = (rs_pending){
        .revision = pending.revision,
        .deadline = pending.deadline,
        .left_ms = store_pending_left(&pending),
    };
    return RS_OK;
}

/* Commits that the record is gone, which is no revision. */
static int commit_removed(struct rs_txn *txn, rs_error *error)
{
    int status = tree_flush(&txn->tree);
    if (status == RS_OK) {
        status = store_pending_remove(&txn->env);
    }
    return status == RS_OK ? env_commit(&txn->env, error)
                           : fail(error, status, "%s", rs_strerror(status));
}

int confirm_keep(struct rs_store *store, rs_error *error)
{
    struct rs_txn *txn;
    struct store_pending pending;
    int status = store_begin(store, true, &txn, error);
    if (status != RS_OK) {
        return status;
    }
    status = store_pending_read(&txn->env, &pending);
    if (status == RS_OK && store_pending_left(&pending) == 0) {
        status = fail(error, RS_ENOTFOUND, "revision %llu was not confirmed in time",
                      (unsigned long long)pending.revision);
    } else if (status != RS_OK) {
        status = fail_none(error, status);
    } else {
        status = commit_removed(txn, error);
    }
    store_abort(txn);
    return status;
}

/* ---- Taking it back ---- */

struct note {
    struct buffer text;
    int status;
};

/* What is left out is said in the message, as far as there is room. */
static int add_conflict(void *context, const rs_conflict *conflict)
{
    struct note *note = context;
    const rs_change *change = conflict->change;
    size_t more = change->path_len + change->name_len + 100;
    if (note->status == RS_OK && note->text.size + more < JOURNAL_MAX_NOTE) {
        note->status = buffer_printf(
            &note->text, "; left out: %.*s%s%.*s, %s", (int)change->path_len, change->path,
            change->name_len > 0 ? ", " : "", (int)change->name_len, change->name, conflict->text);
    }
    return note->status;
}

static int roll_back(struct rs_txn *txn, uint64_t revision, struct note *note)
{
    rs_undo_options options = {RS_UNDO_SKIP, add_conflict, note};
    int status = buffer_printf(&note->text, "revision %llu was not confirmed in time",
                               (unsigned long long)revision);
    if (status == RS_OK) {
        status = history_undo(txn, revision, revision, &options, NULL);
    }
    if (status == RS_OK) {
        status = store_pending_remove(&txn->env);
    }
    if (status == RS_OK) {
        status = buffer_terminate(&note->text);
    }
    txn->message = note->text.data;
    txn->revision_flags &= ~(RS_REVISION_UNDO | RS_REVISION_REDO);
    txn->revision_flags |= RS_REVISION_ROLLBACK;
    return status;
}

/* Where all was left out there is no revision, but the record goes all the same. */
static int take_back(struct rs_txn *txn, uint64_t revision, rs_error *error)
{
    struct note note = {BUFFER_INIT, RS_OK};
    int status = roll_back(txn, revision, &note);
    if (status == RS_OK && txn->journal.changes == 0) {
        status = commit_removed(txn, error);
        store_abort(txn);
    } else if (status == RS_OK) {
        status = store_commit(txn, NULL);
    } else {
        store_abort(txn);
    }
    buffer_free(&note.text);
    return status;
}

static int forget(struct rs_txn *txn, uint64_t revision, rs_error *error)
{
    int status = commit_removed(txn, error);
    store_abort(txn);
    return status == RS_OK ? fail(error, RS_EBEHIND,
                                  "revision %llu was not confirmed in time, but is no longer in "
                                  "the journal",
                                  (unsigned long long)revision)
                           : status;
}

/* Under the writer's lock: somebody else may have been here. */
static int take_back_due(struct rs_store *store, uint64_t *revision, rs_error *error)
{
    struct rs_txn *txn;
    struct store_pending pending;
    struct journal_reader reader = {0};
    struct journal_head head;
    int status = store_begin(store, true, &txn, error);
    if (status != RS_OK) {
        return status;
    }
    txn->tree.error = error;
    status = store_pending_read(&txn->env, &pending);
    if (status != RS_OK || store_pending_left(&pending) > 0) {
        store_abort(txn);
        return status == RS_ENOTFOUND ? RS_OK : status;
    }
    status = journal_open(&reader, &txn->env, pending.revision, &head);
    journal_close(&reader);
    if (status == RS_ENOTFOUND) {
        return forget(txn, pending.revision, error);
    }
    status = take_back(txn, pending.revision, error);
    if (status == RS_OK) {
        *revision = pending.revision;
    }
    return status;
}

/* Without a transaction of the pool, which would keep its reader slot. */
int confirm_due(struct rs_store *store, uint64_t *revision, rs_error *error)
{
    struct env_txn txn;
    struct store_pending pending;
    uint64_t taken = 0;
    int status = env_forked(store->env) ? fail(error, RS_EFORK, "%s", rs_strerror(RS_EFORK))
                                        : env_begin(store->env, false, &txn, error);
    if (status != RS_OK) {
        return status;
    }
    status = store_pending_read(&txn, &pending);
    bool due = status == RS_OK && store_pending_left(&pending) == 0;
    env_abort(&txn);
    if (due) {
        status = take_back_due(store, &taken, error);
    }
    if (status != RS_OK && status != RS_ENOTFOUND) {
        return fail(error, status, "%s: %s", store->dir, rs_strerror(status));
    }
    if (revision != NULL) {
        *revision = taken;
    }
    return RS_OK;
}
