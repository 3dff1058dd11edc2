/*
 * test_undo_beside.c - what a transaction does beside an undo, and keys that came and went while
 * others were at work.
 */
#include "undo_steps.h"

/* What was there when the first conflict was told; "" if there was none. */
static const char *attempt(uint64_t from, uint64_t to, unsigned flags, int expected)
{
    static rs_error error;
    rs_undo_options options = {.flags = flags};
    rs_undo_report report = {0};
    rs_txn *txn = start_writing(undo_store);
    error = (rs_error)RS_ERROR_INIT;
    rs_txn_errors(txn, &error);
    GIVES(expected, rs_undo(txn, from, to, &options, &report));
    if (expected == RS_OK) {
        end_writing(txn);
        must_be_whole(undo_store);
    } else {
        rs_abort(txn);
    }
    CU_ASSERT_EQUAL(report.conflicts > 0, expected == RS_ECONFLICT || flags != 0);
    return error.text;
}

static int set_in_new(rs_txn *txn)
{
    return rs_set_dword(txn, undo_at(txn, TOP "\\New\\Newer"), "Others", 1);
}

static int do_nothing(rs_txn *txn)
{
    (void)txn;
    return RS_OK;
}

/* ---- More than an undo ---- */

#define IS_USED "HKEY_LOCAL_MACHINE\\Top\\New: something in the key was changed since"

static void undo_beside(int (*before)(rs_txn *txn), int (*after)(rs_txn *txn))
{
    undo_begin();
    uint64_t done = undo_do_edit(undo_create_keys);
    uint64_t other = undo_do_edit(undo_set_value);
    rs_txn *txn = start_writing(undo_store);
    SUCCEEDS(before(txn));
    SUCCEEDS(rs_undo(txn, other, other, NULL, NULL));
    SUCCEEDS(after(txn));
    uint64_t made = end_writing(txn);
    struct history history = history_of(undo_store, made);
    CU_ASSERT_EQUAL(history.head.flags, RS_REVISION_UNDO | RS_REVISION_PARTIAL);
    history_free(&history);
    EQUAL_TEXT(attempt(done, done, 0, RS_ECONFLICT), IS_USED);
    undo_take_back(made, made);
    undo_take_back(done, done);
    rs_close(undo_store);
}

static void an_undo_hides_nothing_before_it(void)
{
    undo_beside(set_in_new, do_nothing);
}

static void an_undo_hides_nothing_after_it(void)
{
    undo_beside(do_nothing, set_in_new);
}

static void two_undos_hide_nothing(void)
{
    undo_begin();
    uint64_t done = undo_do_edit(undo_create_keys);
    uint64_t used = undo_do_edit(set_in_new);
    uint64_t undone = undo_take_back(used, used);
    uint64_t other = undo_do_edit(undo_set_value);
    rs_txn *txn = start_writing(undo_store);
    SUCCEEDS(rs_undo(txn, undone, undone, NULL, NULL));
    SUCCEEDS(rs_undo(txn, other, other, NULL, NULL));
    end_writing(txn);
    EQUAL_TEXT(attempt(done, done, 0, RS_ECONFLICT), IS_USED);
    rs_close(undo_store);
}

static int delete_in_new(rs_txn *txn)
{
    return rs_key_delete(txn, undo_at(txn, TOP "\\New\\Newer\\Newest"), 0);
}

/* What the transaction has done before the undo would be lost with the key, too. */
static void what_was_done_before_is_not_lost(void)
{
    static int (*const edits[])(rs_txn * txn) = {set_in_new, delete_in_new};
    undo_begin();
    uint64_t done = undo_do_edit(undo_create_keys);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        rs_undo_report report = {0};
        rs_error error = RS_ERROR_INIT;
        rs_txn *txn = start_writing(undo_store);
        rs_txn_errors(txn, &error);
        SUCCEEDS(edits[i](txn));
        GIVES(RS_ECONFLICT, rs_undo(txn, done, done, NULL, &report));
        EQUAL_TEXT(error.text, IS_USED);
        CU_ASSERT_EQUAL(report.conflicts, 1);
        rs_abort(txn);
    }
    rs_txn *txn = start_writing(undo_store);
    SUCCEEDS(undo_set_value(txn)); /* elsewhere */
    SUCCEEDS(rs_undo(txn, done, done, NULL, NULL));
    end_writing(txn);
    rs_close(undo_store);
}

/* ---- Keys that came and went ---- */

static int delete_new(rs_txn *txn)
{
    return rs_key_delete(txn, undo_at(txn, TOP "\\New"), RS_RECURSIVE);
}

static int rename_new(rs_txn *txn)
{
    return rs_key_rename(txn, undo_at(txn, TOP "\\New"), "Renamed");
}

static int delete_renamed(rs_txn *txn)
{
    return rs_key_delete(txn, undo_at(txn, TOP "\\Renamed"), RS_RECURSIVE);
}

static bool is_there(const char *path)
{
    rs_txn *txn = start_reading(undo_store);
    bool there = undo_at(txn, path) != RS_NO_KEY;
    rs_abort(txn);
    return there;
}

/* What others did with a key that came back meanwhile, and is gone, is no conflict. */
static void what_was_made_and_deleted_stays_away(void)
{
    undo_begin();
    uint64_t done = undo_do_edit(undo_create_keys);
    uint64_t deleted = undo_do_edit(delete_new);
    undo_take_back(deleted, deleted);
    undo_do_edit(set_in_new);
    undo_do_edit(delete_new);
    EQUAL_TEXT(attempt(done, deleted, 0, RS_OK), "");
    CU_ASSERT(!is_there(TOP "\\New"));
    rs_close(undo_store);
}

static void what_was_made_and_deleted_is_not_left_behind(void)
{
    undo_begin();
    uint64_t done = undo_do_edit(undo_create_keys);
    undo_do_edit(rename_new);
    uint64_t deleted = undo_do_edit(delete_renamed);
    undo_do_edit(undo_create_keys);
    attempt(done, deleted, RS_UNDO_SKIP, RS_OK);
    CU_ASSERT(!is_there(TOP "\\Renamed"));
    CU_ASSERT(is_there(TOP "\\New"));
    rs_close(undo_store);
}

/* The undo of both made and deleted the key, too; before that it was there for a revision. */
static void what_came_and_went_was_there_before(void)
{
    undo_begin();
    uint64_t done = undo_do_edit(undo_create_keys);
    struct buffer before = records_of(undo_store);
    uint64_t deleted = undo_do_edit(delete_new);
    uint64_t undone = undo_take_back(done, deleted);
    undo_take_back(deleted, undone);
    undo_must_match(&before);
    buffer_free(&before);
    rs_close(undo_store);
}

static const struct test_case cases[] = {
    {"an undo hides nothing before it", an_undo_hides_nothing_before_it},
    {"an undo hides nothing after it", an_undo_hides_nothing_after_it},
    {"two undos hide nothing", two_undos_hide_nothing},
    {"what was done before is not lost", what_was_done_before_is_not_lost},
    {"what was made and deleted stays away", what_was_made_and_deleted_stays_away},
    {"what was made and deleted is not left behind", what_was_made_and_deleted_is_not_left_behind},
    {"what came and went was there before", what_came_and_went_was_there_before},
    {NULL, NULL},
};
const struct test_suite suite_undo_beside = {"undo_beside", cases};
