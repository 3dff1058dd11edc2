/*
 * test_confirm.c - revisions that stay only if they are confirmed.
 */
#include "undo_steps.h"

#include <stdio.h>
#include <unistd.h>

static uint64_t commit_to_be_confirmed(int (*edit)(rs_txn *txn), uint32_t seconds)
{
    rs_txn *txn = start_writing(undo_store);
    SUCCEEDS(rs_txn_confirm(txn, seconds));
    SUCCEEDS(edit(txn));
    return end_writing(txn);
}

/* The deadline becomes one of long ago; with another_boot by the wall clock alone. */
static void let_pass(bool another_boot)
{
    struct env_txn txn;
    struct store_pending pending;
    SUCCEEDS(env_begin(undo_store->env, true, &txn, NULL));
    SUCCEEDS(store_pending_read(&txn, &pending));
    pending.deadline = 1;
    pending.boot_deadline = another_boot ? UINT64_MAX : 1;
    pending.boot[0] = another_boot ? '?' : pending.boot[0];
    SUCCEEDS(store_pending_write(&txn, &pending));
    SUCCEEDS(env_commit(&txn, NULL));
}

static int pending_status(void)
{
    rs_pending pending;
    rs_txn *txn = start_reading(undo_store);
    int status = rs_confirm_pending(txn, &pending);
    rs_abort(txn);
    return status;
}

static uint64_t taken_back(void)
{
    uint64_t revision = 77;
    SUCCEEDS(rs_confirm_due(undo_store, &revision, NULL));
    must_be_whole(undo_store);
    return revision;
}

static void what_waits_is_told(void)
{
    rs_pending pending = {0};
    undo_begin();
    uint64_t revision = commit_to_be_confirmed(undo_set_value, 60);
    rs_txn *txn = start_reading(undo_store);
    SUCCEEDS(rs_confirm_pending(txn, &pending));
    rs_abort(txn);
    CU_ASSERT_EQUAL(pending.revision, revision);
    CU_ASSERT(pending.left_ms > 30000 && pending.left_ms <= 60000);
    CU_ASSERT(pending.deadline > store_now());
    rs_close(undo_store);
}

static void what_is_confirmed_stays(void)
{
    undo_begin();
    commit_to_be_confirmed(undo_set_value, 60);
    struct buffer after = records_of(undo_store);
    uint64_t latest = undo_latest();
    CU_ASSERT_EQUAL(taken_back(), 0); /* never before the deadline */
    SUCCEEDS(rs_confirm(undo_store, NULL));
    GIVES(RS_ENOTFOUND, pending_status());
    GIVES(RS_ENOTFOUND, rs_confirm(undo_store, NULL));
    CU_ASSERT_EQUAL(taken_back(), 0);
    CU_ASSERT_EQUAL(undo_latest(), latest);
    undo_must_match(&after);
    buffer_free(&after);
    rs_close(undo_store);
}

static void what_is_not_confirmed_is_taken_back(void)
{
    undo_begin();
    for (int i = 0; i < 2; i++) {
        struct buffer before = records_of(undo_store);
        uint64_t revision = commit_to_be_confirmed(undo_delete_all, 60);
        let_pass(i == 1);
        GIVES(RS_ENOTFOUND, rs_confirm(undo_store, NULL)); /* too late */
        CU_ASSERT_EQUAL(taken_back(), revision);
        undo_must_match(&before);
        GIVES(RS_ENOTFOUND, pending_status());
        struct history history = history_of(undo_store, undo_latest());
        CU_ASSERT_EQUAL(history.head.flags, RS_REVISION_ROLLBACK);
        CU_ASSERT(history.head.from == revision && history.head.to == revision);
        CU_ASSERT_PTR_NOT_NULL(strstr(history.head.message, "was not confirmed in time"));
        history_free(&history);
        CU_ASSERT_EQUAL(taken_back(), 0);
        buffer_free(&before);
    }
    rs_close(undo_store);
}

static void opening_takes_back_what_is_due(void)
{
    undo_begin();
    struct buffer before = records_of(undo_store);
    commit_to_be_confirmed(undo_rename_key, 60);
    struct buffer after = records_of(undo_store);
    let_pass(false);
    rs_store *second = open_store(); /* beside one that is open: left to that one */
    rs_close(second);
    undo_must_match(&after);
    rs_close(undo_store);
    SUCCEEDS(rs_open(scratch_path("store"), RS_READONLY, &undo_store, NULL));
    undo_must_match(&after);
    rs_close(undo_store);
    undo_store = open_store();
    undo_must_match(&before);
    buffer_free(&before);
    buffer_free(&after);
    rs_close(undo_store);
}

static int set_again(rs_txn *txn)
{
    return rs_set_dword(txn, undo_at(txn, TOP), "Number", 3);
}

static int set_and_add(rs_txn *txn)
{
    int status = undo_set_value(txn);
    return status != RS_OK ? status : undo_add_value(txn);
}

static void what_was_changed_since_stays(void)
{
    undo_begin();
    uint64_t revision = commit_to_be_confirmed(set_and_add, 60);
    undo_do_edit(set_again);
    let_pass(false);
    CU_ASSERT_EQUAL(taken_back(), revision);
    rs_txn *txn = start_reading(undo_store);
    EQUAL_TEXT(values_of(txn, find_key(txn, TOP)), "Number,Text");
    CU_ASSERT_EQUAL(number_of(txn, find_key(txn, TOP), "Number"), 3);
    rs_abort(txn);
    struct history history = history_of(undo_store, undo_latest());
    CU_ASSERT_EQUAL(history.head.flags, RS_REVISION_ROLLBACK | RS_REVISION_PARTIAL);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(history.head.message, "left out: HKEY_LOCAL_MACHINE\\Top, Number"));
    history_free(&history);
    rs_close(undo_store);
}

/* Nothing is left to be taken back: there is no revision, and nothing waits any more. */
static void all_of_it_may_have_been_changed_since(void)
{
    undo_begin();
    uint64_t revision = commit_to_be_confirmed(undo_set_value, 60);
    undo_take_back(revision, revision);
    uint64_t latest = undo_latest();
    let_pass(false);
    CU_ASSERT_EQUAL(taken_back(), revision);
    CU_ASSERT_EQUAL(undo_latest(), latest);
    GIVES(RS_ENOTFOUND, pending_status());
    rs_close(undo_store);
}

static void one_waits_at_a_time(void)
{
    undo_begin();
    commit_to_be_confirmed(undo_set_value, 60);
    rs_txn *txn = start_writing(undo_store);
    GIVES(RS_EBUSY, rs_txn_confirm(txn, 60));
    rs_abort(txn);
    SUCCEEDS(rs_confirm(undo_store, NULL));
    txn = start_writing(undo_store);
    GIVES(RS_EINVAL, rs_txn_confirm(txn, 0));
    GIVES(RS_EINVAL, rs_txn_confirm(txn, UINT32_MAX));
    SUCCEEDS(rs_txn_confirm(txn, 60));
    rs_abort(txn);
    GIVES(RS_ENOTFOUND, pending_status());
    txn = start_writing(undo_store);
    SUCCEEDS(rs_txn_confirm(txn, 60));
    end_writing(txn); /* nothing was changed */
    GIVES(RS_ENOTFOUND, pending_status());
    rs_close(undo_store);
}

static int keep_little(rs_txn *txn)
{
    rs_key key;
    int status = rs_key_create(txn, RS_NO_KEY, "HKRS\\Settings\\Journal", &key);
    return status != RS_OK ? status : rs_set_dword(txn, key, "MaxRevisions", 2);
}

static void the_journal_keeps_what_waits(void)
{
    undo_begin();
    undo_do_edit(keep_little);
    struct buffer before = records_of(undo_store);
    uint64_t revision = commit_to_be_confirmed(undo_rename_key, 60);
    for (uint32_t i = 0; i < 10; i++) {
        rs_txn *txn = start_writing(undo_store);
        set_number(txn, RS_HKU, "Number", i);
        end_writing(txn);
    }
    rs_txn *txn = start_reading(undo_store);
    CU_ASSERT_EQUAL(stat_of(txn).first_revision, revision);
    rs_abort(txn);
    let_pass(false);
    CU_ASSERT_EQUAL(taken_back(), revision);
    txn = start_writing(undo_store);
    CU_ASSERT(undo_at(txn, TOP "\\Sub") != RS_NO_KEY);
    set_number(txn, RS_HKU, "Number", 77);
    uint64_t latest = end_writing(txn);
    txn = start_reading(undo_store);
    CU_ASSERT(stat_of(txn).first_revision > revision && latest > revision);
    rs_abort(txn);
    buffer_free(&before);
    rs_close(undo_store);
}

static void a_lost_history_is_told(void)
{
    uint64_t revision = 0;
    rs_error error = RS_ERROR_INIT;
    undo_begin();
    commit_to_be_confirmed(undo_set_value, 60);
    undo_do_edit(undo_add_value);
    trim_history(undo_store, 1);
    let_pass(false);
    GIVES(RS_EBEHIND, rs_confirm_due(undo_store, &revision, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "no longer in the journal"));
    SUCCEEDS(rs_confirm_due(undo_store, &revision, NULL));
    CU_ASSERT_EQUAL(revision, 0);
    rs_close(undo_store);
}

static int die_unconfirmed(void *context)
{
    rs_store *store;
    rs_txn *txn;
    rs_key key;
    (void)context;
    if (rs_open(scratch_path("store"), 0, &store, NULL) != RS_OK ||
        rs_begin(store, RS_WRITE, &txn) != RS_OK || rs_txn_confirm(txn, 1) != RS_OK ||
        rs_key_open(txn, RS_NO_KEY, TOP, &key) != RS_OK ||
        rs_key_delete(txn, key, RS_RECURSIVE) != RS_OK || rs_commit(txn, NULL) != RS_OK) {
        return 1;
    }
    _exit(0); /* without closing */
}

/* A whole second, by the clock: before it nothing happens, after it, it does. */
static void the_clock_decides(void)
{
    undo_begin();
    struct buffer before = records_of(undo_store);
    rs_close(undo_store);
    uint64_t start = store_now();
    CU_ASSERT_EQUAL_FATAL(in_child(die_unconfirmed, NULL), 0);
    undo_store = open_store();
    uint64_t revision = 0;
    while (revision == 0 && store_now() < start + 200 * UINT64_C(10000000)) {
        revision = taken_back();
        usleep(10000);
    }
    CU_ASSERT_EQUAL(revision, 2);
    CU_ASSERT(store_now() - start >= 10000000);
    undo_must_match(&before);
    buffer_free(&before);
    rs_close(undo_store);
}

static const struct test_case cases[] = {
    {"what waits is told", what_waits_is_told},
    {"what is confirmed stays", what_is_confirmed_stays},
    {"what is not confirmed is taken back", what_is_not_confirmed_is_taken_back},
    {"opening takes back what is due", opening_takes_back_what_is_due},
    {"what was changed since stays", what_was_changed_since_stays},
    {"all of it may have been changed since", all_of_it_may_have_been_changed_since},
    {"one waits at a time", one_waits_at_a_time},
    {"the journal keeps what waits", the_journal_keeps_what_waits},
    {"a lost history is told", a_lost_history_is_told},
    {"the clock decides", the_clock_decides},
    {NULL, NULL},
};
const struct test_suite suite_confirm = {"confirm", cases};
