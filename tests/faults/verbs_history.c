/*
 * verbs_history.c - see verbs.h: the verbs that ask for what was, or bring it back, and their
 * table.
 */
#include "verbs.h"

#define FIXTURE "HKLM\\Verbs"

static int judge(int status, bool right)
{
    return status != RS_OK || right ? status : VERB_WRONG;
}

/* ---- History ---- */

static int count_revision(void *context, const rs_revision_info *revision)
{
    *(unsigned *)context += revision->revision > 0;
    return 0;
}

static int count_change(void *context, const rs_change *change)
{
    *(unsigned *)context += change->path_len > 0;
    return 0;
}

static int list_history(struct verb_place *place)
{
    unsigned count = 0;
    int status = rs_history(place->txn, RS_NOW, 0, count_revision, &count);
    return judge(status, count == VERB_LAST);
}

static int list_key_history(struct verb_place *place)
{
    unsigned count = 0;
    int status = rs_history_key(place->txn, FIXTURE "\\Link\\subkey number 007", RS_SUBTREE, RS_NOW,
                                0, count_revision, &count);
    return judge(status, count >= 2);
}

static int list_changes(struct verb_place *place)
{
    unsigned count = 0;
    int status = rs_history_changes(place->txn, VERB_LAST, count_change, &count);
    return judge(status, count >= 3);
}

/* ---- Undo ---- */

/* The last revision set a value and deleted a key. */
static int undo_last(struct verb_place *place)
{
    rs_undo_report report = {0};
    int status = rs_undo(place->txn, VERB_LAST, VERB_LAST, NULL, &report);
    return judge(status, report.changes > 1 && report.conflicts == 0);
}

static int redo(struct verb_place *place)
{
    rs_undo_report report = {0};
    int status = rs_undo(place->txn, VERB_UNDO, VERB_UNDO, NULL, &report);
    return judge(status, report.changes > 1 && report.conflicts == 0);
}

/* The setting counts for the commit that makes it. */
static int keep_little(struct verb_place *place)
{
    rs_key key = RS_NO_KEY;
    int status = rs_key_create(place->txn, RS_HKRS, "Settings\\Journal", &key);
    return status != RS_OK ? status : rs_set_dword(place->txn, key, "MaxRevisions", 2);
}

/* The commit that takes back trims, too. */
static int undo_and_trim(struct verb_place *place)
{
    int status = undo_last(place);
    return status != RS_OK ? status : keep_little(place);
}

static int undo_by_force(struct verb_place *place)
{
    rs_undo_options options = {.flags = RS_UNDO_FORCE};
    rs_undo_report report = {0};
    int status = rs_undo(place->txn, 1, 4, &options, &report);
    return judge(status, report.changes > 1 && report.conflicts > 0);
}

/* The last revision has switched it off. */
static int open_past(struct verb_place *place)
{
    rs_store *past = NULL;
    rs_txn *txn = NULL;
    uint32_t number = 0;
    rs_key key = RS_NO_KEY;
    int status = rs_open_past(place->store, 4, &past, &place->error);
    status = status != RS_OK ? status : rs_begin(past, RS_READ, &txn);
    status = status != RS_OK ? status : rs_key_open(txn, RS_NO_KEY, FIXTURE, &key);
    status = status != RS_OK ? status : rs_get_dword(txn, key, "Switch", &number);
    rs_abort(txn);
    rs_close(past);
    return judge(status, number == 1);
}

/* ---- Confirmation ---- */

static int show_pending(struct verb_place *place)
{
    rs_pending pending;
    int status = rs_confirm_pending(place->txn, &pending);
    return status == RS_ENOTFOUND ? RS_OK : judge(status, false);
}

static int nothing_due(struct verb_place *place)
{
    uint64_t revision = 7;
    int status = rs_confirm_due(place->store, &revision, &place->error);
    return judge(status, revision == 0);
}

static int open_and_end(struct verb_place *place, int (*end)(rs_store *, uint64_t *, rs_error *))
{
    rs_store *store = NULL;
    rs_txn *txn = NULL;
    rs_pending pending;
    uint64_t revision = 0;
    int status = rs_open(place->dir, 0, &store, &place->error);
    status = status != RS_OK ? status : end(store, &revision, &place->error);
    status = status != RS_OK ? status : rs_begin(store, RS_READ, &txn);
    if (status == RS_OK) {
        status = rs_confirm_pending(txn, &pending) == RS_ENOTFOUND ? RS_OK : VERB_WRONG;
    }
    rs_abort(txn);
    rs_close(store);
    return status;
}

static int confirm(struct verb_place *place)
{
    return open_and_end(place, rs_confirm);
}

/* Opening does it, or else the call. */
static int roll_back(struct verb_place *place)
{
    return open_and_end(place, rs_confirm_due);
}

static int ask_to_confirm(struct verb_place *place)
{
    int status = rs_set_dword(place->txn, place->key, "Confirm", 1);
    return status != RS_OK ? status : rs_txn_confirm(place->txn, 1000);
}

#define READS VERB_READS

const struct verb verb_history[] = {
    {"history", READS, NULL, list_history},
    {"history-key", READS, NULL, list_key_history},
    {"history-changes", READS, NULL, list_changes},

    {"open-past", 0, NULL, open_past},
    {"undo", VERB_WRITES, NULL, undo_last},
    {"undo-force", VERB_WRITES, NULL, undo_by_force},
    {"redo", VERB_WRITES | VERB_UNDONE, NULL, redo},
    {"trim", VERB_WRITES | VERB_MANY | VERB_STEPS, NULL, keep_little},
    {"undo-trim", VERB_WRITES | VERB_MANY | VERB_STEPS, NULL, undo_and_trim},
    {"confirm-pending", READS, NULL, show_pending},
    {"confirm-none", 0, NULL, nothing_due},
    {"confirm-ask", VERB_WRITES, FIXTURE, ask_to_confirm},
    {"confirm", VERB_WRITES | VERB_MANY | VERB_OPENS | VERB_WAITS | VERB_STEPS, NULL, confirm},
    {"confirm-due", VERB_WRITES | VERB_MANY | VERB_OPENS | VERB_DUE | VERB_STEPS, NULL, roll_back},

    {NULL, 0, NULL, NULL},
};
