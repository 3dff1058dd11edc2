/*
 * fuzz_history.c - every reader of a store's history, and the undo, called for all revisions.
 *
 * A damaged record may end a part of it with any status of the list; what is handed out must be
 * whole. Needs fuzz.h.
 */
#include "fuzz.h"

#include <string.h>

#define REVISIONS 9u /* those that the store of the targets has, and one behind them */

/* What is told is asked for while it is told, too. */
struct listing {
    rs_txn *txn;
    uint64_t last;
};

static void check_text(const char *text, size_t len)
{
    FUZZ_CHECK(text != NULL && text[len] == '\0');
}

/* The sum is there so that each byte is read. */
static void check_side(const rs_value *value)
{
    size_t sum = 0;

    if (value == NULL) {
        return;
    }
    check_text(value->name, value->name_len);
    for (size_t i = 0; i < value->size; i++) {
        sum += ((const unsigned char *)value->data)[i];
    }
    FUZZ_CHECK(sum <= value->size * UINT8_MAX);
}

static void check_change(const rs_change *change)
{
    FUZZ_CHECK(change->kind >= RS_KEY_CREATED && change->kind <= RS_VALUE_DELETED);
    check_text(change->path, change->path_len);
    check_text(change->name, change->name_len);
    check_text(change->old_name, change->old_name_len);
    check_side(change->old_value);
    check_side(change->new_value);
}

static int look_at_change(void *context, const rs_change *change)
{
    (void)context;
    check_change(change);
    return 0;
}

static int look_at_revision(void *context, const rs_revision_info *revision)
{
    struct listing *listing = context;

    FUZZ_CHECK(revision->revision < listing->last);
    listing->last = revision->revision;
    check_text(revision->program, strlen(revision->program));
    check_text(revision->message, strlen(revision->message));
    return 0;
}

void fuzz_history(rs_txn *txn)
{
    static const char *const paths[] = {"HKLM\\SYSTEM\\Print", "HKLM\\SYSTEM\\Link",
                                        "HKLM\\SYSTEM\\Print\\Under"};
    rs_pending pending;

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct listing listing = {txn, UINT64_MAX};
        fuzz_known(rs_history_key(txn, paths[i], i % 2 == 0 ? RS_SUBTREE : 0, RS_NOW, 0,
                                  look_at_revision, &listing));
    }
    struct listing listing = {txn, UINT64_MAX};
    fuzz_known(rs_history(txn, RS_NOW, 0, look_at_revision, &listing));
    for (uint64_t revision = 0; revision < REVISIONS; revision++) {
        fuzz_known(rs_history_changes(txn, revision, look_at_change, NULL));
    }
    fuzz_known(rs_confirm_pending(txn, &pending));
}

void fuzz_past(rs_store *store)
{
    for (uint64_t revision = 0; revision < REVISIONS; revision++) {
        rs_store *past;
        rs_txn *txn;
        if (fuzz_known(rs_open_past(store, revision, &past, NULL)) != RS_OK) {
            continue;
        }
        if (fuzz_known(rs_begin(past, RS_READ, &txn)) == RS_OK) {
            fuzz_walk(txn);
            fuzz_history(txn);
            rs_abort(txn);
        }
        rs_close(past);
    }
}

static int look_at_conflict(void *context, const rs_conflict *conflict)
{
    (void)context;
    FUZZ_CHECK(conflict->text[0] != '\0' && strchr(conflict->text, '\n') == NULL);
    check_change(conflict->change);
    return 0;
}

void fuzz_undo(rs_txn *txn, unsigned choice)
{
    static const unsigned flags[] = {0, RS_UNDO_FORCE, RS_UNDO_SKIP};
    rs_undo_options options = {.conflict = look_at_conflict};
    rs_undo_report report;
    uint64_t from = choice % REVISIONS;
    uint64_t to = from + choice / REVISIONS % 3;

    options.flags = flags[choice / REVISIONS / 3 % 3];
    fuzz_known(rs_undo(txn, from, to, &options, &report));
}
