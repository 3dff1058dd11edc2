/*
 * test_undo.c - revisions taken back: to the last byte of every record.
 */
#include "undo_steps.h"
#include "transfer_helpers.h"

#include <stdio.h>

/* ---- Exactness ---- */

/* Undo, redo, undo of the redo, and redo of that. */
static void each_edit_is_taken_back_exactly(void)
{
    undo_begin();
    for (size_t i = 0; i < undo_edit_count; i++) {
        struct buffer before = records_of(undo_store);
        uint64_t done = undo_do_edit(undo_edits[i].edit);
        struct buffer after = records_of(undo_store);
        for (int round = 0; round < 2; round++) {
            done = undo_take_back(done, done);
            undo_must_match(&before);
            done = undo_take_back(done, done);
            undo_must_match(&after);
        }
        undo_take_back(done, done);
        undo_must_match(&before);
        buffer_free(&before);
        buffer_free(&after);
    }
    rs_close(undo_store);
}

/* One edit after the other, then back by one, and by ranges, and all the undoing undone. */
static void rows_of_edits_are_taken_back(void)
{
    static const size_t row[] = {0, 1, 2, 3, 5, 8, 12, 14, 15, 16, 9, 17, 6, 7, 4, 10};
    struct buffer states[sizeof row / sizeof *row + 1];
    size_t count = sizeof row / sizeof *row;
    undo_begin();
    states[0] = records_of(undo_store);
    for (size_t i = 0; i < count; i++) {
        rs_txn *txn = start_writing(undo_store);
        int status = undo_edits[row[i]].edit(txn);
        if (status != RS_OK) { /* what an earlier edit made impossible */
            rs_abort(txn);
            txn = start_writing(undo_store);
            set_number(txn, undo_at(txn, TOP), "Instead", (uint32_t)i);
        }
        CU_ASSERT_EQUAL(end_writing(txn), i + 2);
        states[i + 1] = records_of(undo_store);
    }
    uint64_t last = count + 1;
    uint64_t all = undo_take_back(2, last);
    undo_must_match(&states[0]);
    undo_take_back(all, all);
    undo_must_match(&states[count]);
    for (size_t i = count; i > 0; i -= 2) {
        uint64_t undone = undo_take_back(i, i + 1);
        undo_must_match(&states[i - 2]);
        CU_ASSERT(undone > last);
    }
    undo_take_back(last + 1, undo_latest());
    undo_must_match(&states[count]);
    for (size_t i = 0; i <= count; i++) {
        buffer_free(&states[i]);
    }
    rs_close(undo_store);
}

static int count_difference(void *context, const rs_difference *difference)
{
    (void)difference;
    ++*(unsigned *)context;
    return 0;
}

static int make_subtree(rs_txn *txn)
{
    int status = RS_OK;
    for (int i = 0; status == RS_OK && i < 3000; i++) {
        char path[100];
        rs_key key;
        snprintf(path, sizeof path, "HKLM\\Many\\%02x\\key %d\\%s", i * 37 % 256, i % 100,
                 i % 3 ? "Sub" : "Other");
        status = rs_key_create(txn, RS_NO_KEY, path, &key);
        for (int j = 0; status == RS_OK && j < i % 5; j++) {
            snprintf(path, sizeof path, "Value %d", (j * 3 + i) % 5);
            status = rs_value_set(txn, key, path, REG_SZ, path, 20);
        }
        status = status != RS_OK ? status : tree_set_written(&txn->tree, key, (uint64_t)i + 1);
    }
    return status;
}

static int delete_subtree(rs_txn *txn)
{
    return rs_key_delete(txn, undo_at(txn, "HKLM\\Many"), RS_RECURSIVE);
}

/* Thousands of inner changes, and the public comparison says the same. */
static void a_large_subtree_comes_back(void)
{
    rs_store *copy = NULL;
    unsigned differences = 0;
    rs_compare_options options = {.flags = RS_SUBTREE | RS_TIMES | RS_VOLATILE,
                                  .each = count_difference,
                                  .context = &differences};
    undo_begin();
    undo_do_edit(make_subtree);
    struct buffer before = records_of(undo_store);
    SUCCEEDS(rs_backup(undo_store, scratch_path("copy.mdb"), NULL, NULL, NULL));
    uint64_t deleted = undo_do_edit(delete_subtree);
    undo_take_back(deleted, deleted);
    undo_must_match(&before);
    buffer_free(&before);
    SUCCEEDS(rs_open(scratch_path("other"), RS_CREATE, &copy, NULL));
    rs_close(copy);
    SUCCEEDS(rs_restore(scratch_path("other"), scratch_path("copy.mdb"), NULL, NULL, NULL));
    SUCCEEDS(rs_open(scratch_path("other"), 0, &copy, NULL));
    rs_txn *left = start_reading(undo_store);
    rs_txn *right = start_reading(copy);
    SUCCEEDS(rs_compare(left, RS_NO_KEY, right, RS_NO_KEY, &options, NULL));
    CU_ASSERT_EQUAL(differences, 0);
    rs_abort(left);
    rs_abort(right);
    rs_close(copy);
    rs_close(undo_store);
}

static const char dump[] = "<?xml version=\"1.0\"?><hive><node name=\"root\" root=\"1\">"
                           "<node name=\"Sub\"><mtime>2010-02-02T13:42:44Z</mtime>"
                           "<value type=\"int32\" key=\"Number\" value=\"5\"/>"
                           "<node name=\"Deeper\"><value type=\"string\" key=\"T\" value=\"x\"/>"
                           "</node></node><node name=\"Added\"/></node></hive>";

/* Merged over what is there, and in its place: an import, and what restore does. */
static void an_import_is_taken_back(void)
{
    static const unsigned flags[] = {0, RS_REPLACE};
    undo_begin();
    for (size_t i = 0; i < 2; i++) {
        struct buffer before = records_of(undo_store);
        rs_import_options options = {.key = TOP, .flags = flags[i]};
        SUCCEEDS(import_text(undo_store, dump, &options, NULL, NULL));
        struct buffer after = records_of(undo_store);
        uint64_t done = undo_latest();
        done = undo_take_back(done, done);
        undo_must_match(&before);
        undo_take_back(done, done);
        undo_must_match(&after);
        buffer_free(&before);
        buffer_free(&after);
    }
    rs_close(undo_store);
}

static void the_head_says_what_was_taken_back(void)
{
    undo_begin();
    uint64_t done = undo_do_edit(undo_set_value);
    uint64_t undone = undo_take_back(done, done);
    uint64_t redone = undo_take_back(undone, undone);
    struct history history = history_of(undo_store, undone);
    CU_ASSERT_EQUAL(history.head.flags, RS_REVISION_UNDO);
    CU_ASSERT(history.head.from == done && history.head.to == done);
    history_free(&history);
    history = history_of(undo_store, redone);
    CU_ASSERT_EQUAL(history.head.flags, RS_REVISION_REDO);
    CU_ASSERT(history.head.from == undone && history.head.to == undone);
    history_free(&history);
    history = history_of(undo_store, undo_take_back(redone, redone));
    CU_ASSERT_EQUAL(history.head.flags, RS_REVISION_UNDO);
    history_free(&history);
    rs_close(undo_store);
}

static const struct test_case cases[] = {
    {"each edit is taken back exactly", each_edit_is_taken_back_exactly},
    {"rows of edits are taken back", rows_of_edits_are_taken_back},
    {"a large subtree comes back", a_large_subtree_comes_back},
    {"an import is taken back", an_import_is_taken_back},
    {"the head says what was taken back", the_head_says_what_was_taken_back},
    {NULL, NULL},
};
const struct test_suite suite_undo = {"undo", cases};
