/*
 * history_undo.c - revisions taken back, the newest first, each change by its inverse.
 *
 * A change is taken back where what is there is what it left; everything else is a conflict, which
 * is told. A revision's changes are read twice: forwards for where each begins, and from the last
 * to the first to take them back. What was in a deleted key follows the deletion, and is put back
 * in the journal's order. Memory: a number for each change of a revision, but not for the inner
 * ones, and for each key that comes back. A part of history.
 */
#include "history.h"
#include "tree_node.h"
#include "tree_restore.h"

struct undo {
    struct rs_txn *txn;
    const rs_undo_options *options;
    rs_undo_report report;
    uint64_t from;
    uint64_t to;
    uint64_t revision; /* being taken back */
    struct tree_restore restore;
    struct journal_reader reader;
    struct buffer places; /* uint64_t each: where the revision's changes are in its stream */
    struct number_set left_out;
    struct buffer folded;      /* memory */
    struct number_set passing; /* keys that came and went in one revision */
    struct number_set revived; /* keys that the undo has put back: nobody else knows them */
    struct number_set touched; /* keys in which others changed something */
    bool touched_known;
    bool refused;   /* there was a conflict that neither flag settles */
    rs_error first; /* conflict */
};

static bool has_flag(const struct undo *undo, unsigned flag)
{
    return (undo->options->flags & flag) != 0;
}

/* ---- What was left out ---- */

static uint64_t add_bytes(uint64_t sum, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        sum = (sum ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
    }
    return sum;
}

/* A key as a whole, or with a folded name one of its values: what was changed before is left out,
 * too. */
static uint64_t thing_of(rs_key key, const struct buffer *value)
{
    uint64_t sum = add_bytes(UINT64_C(0xcbf29ce484222325), &key, sizeof key);
    if (value != NULL) {
        sum = add_bytes(add_bytes(sum, value->data, value->size), "\1", 1);
    }
    return sum != 0 ? sum : 1;
}

static int thing_changed(struct undo *undo, const struct change *change, uint64_t *thing)
{
    bool of_value = change->kind == RS_VALUE_SET || change->kind == RS_VALUE_DELETED ||
                    change->kind == RS_KEY_RELINKED;
    const struct change_side *side = change->after.present ? &change->after : &change->before;
    int status = RS_OK;
    undo->folded.size = 0;
    if (of_value) { /* deleted and made again, it may be spelled otherwise */
        status = text_fold_append(&undo->folded, side->name, side->name_len);
    }
    *thing = thing_of(change->key, of_value ? &undo->folded : NULL);
    return status;
}

static int find_left_out(struct undo *undo, const struct change *change, bool *found)
{
    const struct number_set *set = &undo->left_out;
    uint64_t thing;
    *found = false;
    if (set->count == 0) {
        return RS_OK;
    }
    int status = thing_changed(undo, change, &thing);
    *found = status == RS_OK &&
             (number_set_has(set, thing) || number_set_has(set, thing_of(change->key, NULL)) ||
              number_set_has(set, thing_of(change->parent, NULL)));
    return status;
}

static int leave_out(struct undo *undo, const struct change *change)
{
    uint64_t thing;
    int status = thing_changed(undo, change, &thing);
    undo->txn->revision_flags |= RS_REVISION_PARTIAL;
    return status == RS_OK ? number_set_add(&undo->left_out, thing) : status;
}

/* ---- Conflicts ---- */

static int tell_conflict(struct undo *undo, const struct change *change,
                         const struct tree_conflict *met)
{
    rs_value values[2];
    struct slice path = {change->path, change->path_len};
    rs_change told = history_told(change, path, values);
    rs_conflict conflict = {
        .revision = undo->revision,
        .change = &told,
        .text = met->why,
        .lasting = met->lasting,
    };
    undo->report.conflicts++;
    fail(&undo->first, RS_ECONFLICT, "%.*s: %s", (int)path.size, change->path, met->why);
    bool go_on = undo->options->conflict == NULL ||
                 undo->options->conflict(undo->options->context, &conflict) == 0;
    return go_on ? RS_OK : RS_ECANCELLED;
}

/* A key that was made, and in which others have changed something since, is theirs, too. */
static int check_touched(struct undo *undo, const struct change *change, struct tree_conflict *met)
{
    int status = RS_OK;
    if (change->kind != RS_KEY_CREATED || met->why != NULL) {
        return RS_OK;
    }
    if (!undo->touched_known) {
        status = history_touched(undo->txn, undo->to, &undo->touched);
        undo->touched_known = true;
    }
    if (number_set_has(&undo->touched, change->key)) {
        met->why = "something in the key was changed since";
    }
    return status;
}

/* Whether a change is to be taken back. Where nothing settles a conflict the transaction will end
 * in an abort: it goes on as by force, so that no conflict is told for what came before. */
static int decide(struct undo *undo, const struct change *change, bool *take_back)
{
    struct tree_conflict met;
    bool left_out;
    /* What the revisions made and deleted again goes again, whatever was left out of it. */
    *take_back = change->kind == RS_KEY_CREATED && number_set_has(&undo->revived, change->key);
    if (*take_back) {
        return RS_OK;
    }
    int status = find_left_out(undo, change, &left_out);
    if (status != RS_OK || left_out) {
        return status;
    }
    status = tree_restore_check(&undo->restore, change, &met);
    if (status == RS_OK) {
        status = check_touched(undo, change, &met);
    }
    if (status == RS_OK && met.why != NULL) {
        status = tell_conflict(undo, change, &met);
        if (status == RS_OK && has_flag(undo, RS_UNDO_SKIP)) {
            return leave_out(undo, change);
        }
        undo->refused = undo->refused || met.lasting || !has_flag(undo, RS_UNDO_FORCE);
    }
    *take_back = !met.lasting;
    return status;
}

/* ---- Taking back ---- */

/* The inner changes that come after a deletion. */
static int put_inner(struct undo *undo)
{
    struct change change;
    int status;
    while ((status = journal_next(&undo->reader, &change)) == RS_OK && change.inner) {
        status = tree_restore_inner(&undo->restore, &change);
        if (status == RS_OK && change.kind == RS_KEY_DELETED) {
            status = number_set_add(&undo->revived, change.key);
        }
        if (status != RS_OK) {
            return status;
        }
    }
    return status == RS_END ? RS_OK : status;
}

/* What was in a key that came and went is told nowhere, so it is not put back only to be removed
 * again, nor is it in anybody's way. All that is left of it is its parent's write time. */
static int undo_passing(struct undo *undo, const struct change *change)
{
    struct tree *tree = &undo->txn->tree;
    struct node parent;
    bool left_out = false;
    int status = number_set_add(&undo->passing, change->key);
    if (status == RS_OK) {
        status = find_left_out(undo, change, &left_out);
    }
    if (status != RS_OK || left_out || change->parent_before == change->parent_after) {
        return status;
    }
    status = tree_node(tree, change->parent, &parent);
    if (status != RS_OK || parent.written != change->parent_after) {
        return status == RS_EDELETED ? RS_OK : status;
    }
    status = node_keep(tree, change->parent, &parent);
    return status == RS_OK ? tree_set_class_at(tree, &parent, parent.class_name, parent.class_len,
                                               change->parent_before)
                           : status;
}

static int undo_change(struct undo *undo, uint64_t place)
{
    struct change change;
    bool take_back = false;
    int status = journal_seek(&undo->reader, place);
    if (status == RS_OK) {
        status = journal_next(&undo->reader, &change);
    }
    if (status == RS_OK && (change.passing || number_set_has(&undo->passing, change.key))) {
        return undo_passing(undo, &change);
    }
    if (status == RS_OK) {
        status = decide(undo, &change, &take_back);
    }
    if (status != RS_OK || !take_back) {
        return status;
    }
    undo->report.changes++;
    bool deletion = change.kind == RS_KEY_DELETED;
    rs_key key = change.key;
    status = tree_restore_apply(&undo->restore, &change);
    if (status == RS_OK && deletion) {
        status = number_set_add(&undo->revived, key);
    }
    return status == RS_OK && deletion ? put_inner(undo) : status;
}

static int find_places(struct undo *undo)
{
    struct change change;
    int status = RS_OK;
    undo->places.size = 0;
    while (status == RS_OK) {
        uint64_t place = journal_at(&undo->reader);
        status = journal_next(&undo->reader, &change);
        if (status == RS_OK && !change.inner) {
            status = buffer_append(&undo->places, &place, sizeof place);
        }
    }
    return status == RS_END ? RS_OK : status;
}

static int undo_revision(struct undo *undo, struct journal_head *head)
{
    int status = journal_open(&undo->reader, &undo->txn->env, undo->revision, head);
    if (status == RS_ENOTFOUND) {
        return history_fail_missing(undo->txn, undo->revision);
    }
    if (status == RS_OK) {
        status = find_places(undo);
    }
    const uint64_t *places = (const uint64_t *)(const void *)undo->places.data;
    for (size_t i = undo->places.size / sizeof *places; status == RS_OK && i > 0; i--) {
        status = undo_change(undo, places[i - 1]);
    }
    return status;
}

static int undo_all(struct undo *undo)
{
    struct journal_head head = {0};
    int status = RS_OK;
    for (uint64_t i = undo->to; status == RS_OK && i >= undo->from; i--) {
        undo->revision = i;
        status = undo_revision(undo, &head);
    }
    bool redo = undo->from == undo->to && (head.flags & (RS_REVISION_UNDO | RS_REVISION_ROLLBACK));
    undo->txn->revision_flags |= redo ? RS_REVISION_REDO : RS_REVISION_UNDO;
    undo->txn->undone_from = undo->from;
    undo->txn->undone_to = undo->to;
    undo->txn->undone_changes = undo->txn->journal.changes;
    return status;
}

static int refuse(struct undo *undo)
{
    unsigned long long others = undo->report.conflicts - 1;
    struct tree *tree = &undo->txn->tree;
    tree->failed = RS_ECONFLICT;
    return others > 0 ? fail(tree->error, RS_ECONFLICT, "%s, and %llu more conflicts",
                             undo->first.text, others)
                      : fail(tree->error, RS_ECONFLICT, "%s", undo->first.text);
}

/* Both ends are looked for before anything is done. */
static int check_range(struct rs_txn *txn, uint64_t from, uint64_t to)
{
    uint64_t first;
    int status = journal_first(&txn->env, &first);
    if (status != RS_OK) {
        return fail(txn->tree.error, status, "the journal: %s", rs_strerror(status));
    }
    if (from == 0 || from > to) {
        return fail(txn->tree.error, RS_EINVAL, "no revisions from %llu to %llu",
                    (unsigned long long)from, (unsigned long long)to);
    }
    if (to > store_revision(txn)) {
        return history_fail_missing(txn, to);
    }
    return first == 0 || from < first ? history_fail_missing(txn, from) : RS_OK;
}

int history_undo(struct rs_txn *txn, uint64_t from, uint64_t to, const rs_undo_options *options,
                 rs_undo_report *report)
{
    static const rs_undo_options no_options;
    struct undo undo = {
        .txn = txn,
        .options = options != NULL ? options : &no_options,
        .from = from,
        .to = to,
        .restore = {.tree = &txn->tree},
        .first = RS_ERROR_INIT,
    };
    const uint64_t first = txn->journal.changes;
    int status = tree_writable(&txn->tree);
    if (status == RS_OK) {
        status = check_range(txn, from, to);
    }
    if (status != RS_OK) {
        return status;
    }
    if (first > 0) {
        txn->mixed = true;
        status = history_touched_here(txn, &undo.touched);
    }
    status = status == RS_OK ? undo_all(&undo) : status;
    if (status == RS_OK) { /* rules do not stand in the way of the past */
        status = schema_exempt_add(&txn->undone, first, txn->journal.changes);
    }
    status = tree_fail(&txn->tree, status, "cannot take changes back");
    if (status == RS_OK && undo.refused) {
        status = refuse(&undo);
    }
    tree_restore_free(&undo.restore);
    journal_close(&undo.reader);
    buffer_free(&undo.places);
    buffer_free(&undo.folded);
    number_set_free(&undo.left_out);
    number_set_free(&undo.passing);
    number_set_free(&undo.revived);
    number_set_free(&undo.touched);
    if (report != NULL && (status == RS_OK || status == RS_ECONFLICT)) {
        *report = undo.report;
    }
    return status;
}
