/*
 * confirm.c - see confirm.h.
 *
 * What is in conflict when a change is taken back stays as it is, and the revision's message names
 * it. There is a revision even if nothing could be taken back, as that has to be said somewhere.
 */
#include "confirm.h"

/* ---- What waits ---- */

int confirm_ask(struct rs_txn *txn, uint32_t seconds)
{
    if (txn->pending != 0) {
        return fail(txn->tree.error, RS_EBUSY, "revision %llu waits for confirmation already",
                    (unsigned long long)txn->pending);
    }
    txn->to_confirm = true;
    txn->confirm_seconds = seconds;
    return RS_OK;
}

static int fail_none(rs_error *error)
{
    return fail(error, RS_ENOTFOUND, "no change waits for confirmation");
}

int confirm_waiting(struct rs_txn *txn, rs_pending *out)
{
    struct store_pending pending;
    int status = store_pending_read(&txn->env, &pending);
    if (status == RS_ENOTFOUND) {
        return fail_none(txn->tree.error);
    }
    if (status != RS_OK) {
        return fail(txn->tree.error, status, "what waits for confirmation: %s",
                    rs_strerror(status));
    }
    *out = (rs_pending){
        .revision = pending.revision,
        .seconds = pending.seconds,
        .deadline = pending.deadline,
        .left_ms = store_pending_left(&pending),
    };
    return RS_OK;
}

/* ---- Taking back ---- */

/* Room for a message's end, which counts what it does not name. */
#define END_SIZE 64u

struct rollback {
    struct buffer message;
    uint64_t named; /* conflicts */
    uint64_t unnamed;
    int status;
};

static void add_name(struct buffer *text, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        buffer_append_byte(text, name[i] != '\0' ? (unsigned char)name[i] : '?');
    }
}

/* There is room for it. */
static void add_conflict(struct buffer *text, const rs_conflict *conflict)
{
    const rs_change *change = conflict->change;
    add_name(text, change->path, change->path_len);
    if (change->name_len > 0) {
        buffer_append_text(text, ", \"");
        add_name(text, change->name, change->name_len);
        buffer_append_text(text, "\"");
    }
    buffer_append_text(text, " (");
    buffer_append_text(text, conflict->text);
    buffer_append_text(text, ")");
}

static int name_conflict(void *context, const rs_conflict *conflict)
{
    struct rollback *rollback = context;
    struct buffer *message = &rollback->message;
    const rs_change *change = conflict->change;
    size_t more = change->path_len + change->name_len + strlen(conflict->text) + 2 * END_SIZE;
    if (rollback->unnamed > 0 || message->size + more > JOURNAL_MAX_NOTE) {
        rollback->unnamed++;
        return 0;
    }
    rollback->status = buffer_reserve(message, more);
    if (rollback->status != RS_OK) {
        return 1;
    }
    buffer_append_text(message, rollback->named == 0 ? "; left as it is: " : "; ");
    add_conflict(message, conflict);
    rollback->named++;
    return 0;
}

/* Takes back what can be, and says what could not. */
static int undo(struct rs_txn *txn, uint64_t revision, struct rollback *rollback)
{
    rs_undo_options options = {RS_UNDO_SKIP, name_conflict, rollback};
    struct buffer *message = &rollback->message;
    int status =
        buffer_printf(message, "revision %llu was not confirmed", (unsigned long long)revision);
    if (status == RS_OK) {
        status = history_undo(txn, revision, revision, &options, NULL);
    }
    if (status == RS_EBEHIND || status == RS_ENOTFOUND) {
        return buffer_append_text(message, ", and is not in the journal any more");
    }
    if (status == RS_OK && rollback->unnamed > 0) {
        status = buffer_printf(message, "; left as they are: %llu %s",
                               (unsigned long long)rollback->unnamed,
                               rollback->named > 0 ? "more" : "changes");
    }
    return status == RS_ECANCELLED ? rollback->status : status;
}

static int take_back(struct rs_txn *txn, uint64_t revision)
{
    struct rollback rollback = {.message = BUFFER_INIT};
    int status = undo(txn, revision, &rollback);
    if (status == RS_OK) {
        status = buffer_terminate(&rollback.message);
    }
    if (status == RS_OK) {
        txn->message = arena_copy(&txn->arena, rollback.message.data, rollback.message.size);
        status = txn->message != NULL ? RS_OK : RS_ENOMEM;
    }
    buffer_free(&rollback.message);
    txn->revision_flags &= ~(RS_REVISION_UNDO | RS_REVISION_REDO);
    txn->revision_flags |= RS_REVISION_ROLLBACK;
    txn->undone_from = revision;
    txn->undone_to = revision;
    txn->recorded = true;
    return status;
}

/* *due is the revision whose time is over; 0: none. */
static int find_due(struct env_txn *txn, uint64_t *due)
{
    struct store_pending pending;
    int status = store_pending_read(txn, &pending);
    *due = status == RS_OK && store_pending_left(&pending) == 0 ? pending.revision : 0;
    return status == RS_ENOTFOUND ? RS_OK : status;
}

static int look(struct rs_store *store, uint64_t *due, rs_error *error)
{
    struct env_txn txn;
    int status = env_begin(store->env, false, &txn, error);
    if (status == RS_OK) {
        status = find_due(&txn, due);
        env_abort(&txn);
    }
    return status;
}

/* Another one may have been first. */
static int take_back_due(struct rs_store *store, uint64_t *made, rs_error *error)
{
    struct rs_txn *txn;
    uint64_t due = 0;
    int status = store_begin(store, true, &txn, error);
    if (status != RS_OK) {
        return status;
    }
    txn->tree.error = error;
    status = find_due(&txn->env, &due);
    if (status == RS_OK && due != 0) {
        status = take_back(txn, due);
    }
    if (status != RS_OK || due == 0) {
        store_abort(txn);
        return status;
    }
    return store_commit(txn, made);
}

int confirm_due(struct rs_store *store, uint64_t *revision, rs_error *error)
{
    rs_error why = RS_ERROR_INIT;
    uint64_t due = 0;
    uint64_t made = 0;
    int status = look(store, &due, &why);
    if (status == RS_OK && due != 0) {
        status = take_back_due(store, &made, &why);
    }
    if (status != RS_OK) {
        return fail(error, status, "an unconfirmed change cannot be taken back: %s",
                    why.text[0] != '\0' ? why.text : rs_strerror(status));
    }
    if (revision != NULL) {
        *revision = made;
    }
    return RS_OK;
}

/* A thread that is writing already cannot begin another transaction, and whoever cannot take the
 * change back is not kept from his work: there will be others. */
int confirm_open(const char *dir, unsigned flags, struct rs_store **store, rs_error *error)
{
    int status = store_open(dir, flags, store, error);
    if (status == RS_OK && !(*store)->readonly && !env_writing_here((*store)->env)) {
        (void)confirm_due(*store, NULL, NULL);
    }
    return status;
}

/* ---- Keeping ---- */

/* RS_END if its time is over. */
static int forget(struct env_txn *txn, uint64_t *revision, rs_error *error)
{
    struct store_pending pending;
    int status = store_pending_read(txn, &pending);
    if (status == RS_ENOTFOUND) {
        return fail_none(error);
    }
    if (status == RS_OK && store_pending_left(&pending) == 0) {
        return RS_END;
    }
    if (status == RS_OK) {
        *revision = pending.revision;
        status = store_pending_forget(txn);
    }
    return status;
}

static int try_to_keep(struct rs_store *store, uint64_t *revision, rs_error *error)
{
    struct env_txn txn;
    int status = env_begin(store->env, true, &txn, error);
    if (status != RS_OK) {
        return status;
    }
    status = forget(&txn, revision, error);
    if (status != RS_OK) {
        env_abort(&txn);
        return status;
    }
    status = env_commit(&txn, error);
    if (status == RS_OK) {
        bell_ring(store->dir);
    }
    return status;
}

int confirm_keep(struct rs_store *store, uint64_t *revision, rs_error *error)
{
    rs_error why = RS_ERROR_INIT;
    uint64_t kept = 0;
    uint64_t made = 0;
    int status = store->readonly
                     ? fail(&why, RS_EREADONLY, "%s: the store is read-only", store->dir)
                     : try_to_keep(store, &kept, &why);
    if (status == RS_END) {
        status = confirm_due(store, &made, &why);
        status = status != RS_OK ? status : fail(&why, RS_ENOTFOUND, "it is too late to confirm");
    }
    if (status != RS_OK) {
        return fail(error, status, "%s", why.text[0] != '\0' ? why.text : rs_strerror(status));
    }
    if (revision != NULL) {
        *revision = kept;
    }
    return RS_OK;
}
