/*
 * test_past.c - the store as it was: the same records, from which nothing is left over.
 */
#include "undo_steps.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static rs_store *open_past(uint64_t revision)
{
    rs_store *past = NULL;
    rs_error error = RS_ERROR_INIT;
    int status = rs_open_past(undo_store, revision, &past, &error);
    if (status != RS_OK) {
        printf("    %s\n", error.text);
    }
    CU_ASSERT_EQUAL_FATAL(status, RS_OK);
    return past;
}

static void must_have_been(uint64_t revision, const struct buffer *then)
{
    rs_store *past = open_past(revision);
    struct buffer records = records_of(past);
    CU_ASSERT_FATAL(same_records(then, &records));
    buffer_free(&records);
    must_be_whole(past);
    rs_txn *txn = start_reading(past);
    rs_stat stat = stat_of(txn);
    CU_ASSERT_EQUAL(stat.revision, revision);
    CU_ASSERT_EQUAL(rs_revision(txn), revision);
    rs_abort(txn);
    rs_close(past);
}

static void every_revision_is_as_it_was(void)
{
    struct buffer states[64];
    CU_ASSERT_FATAL(undo_edit_count < 32);
    undo_store = open_store();
    states[0] = records_of(undo_store);
    rs_close(undo_store);
    undo_begin();
    states[1] = records_of(undo_store);
    uint64_t last = 1;
    for (size_t i = 0; i < undo_edit_count; i++) {
        last = undo_do_edit(undo_edits[i].edit);
        states[last] = records_of(undo_store);
        last = undo_take_back(last, last);
        states[last] = records_of(undo_store);
    }
    for (uint64_t i = 0; i <= last; i++) {
        must_have_been(i, &states[i]);
        buffer_free(&states[i]);
    }
    rs_close(undo_store);
}

static unsigned entries_of(const char *path)
{
    unsigned count = 0;
    DIR *dir = opendir(path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count - 2;
}

/* Two at once, which outlive the store. */
static void nothing_is_left_of_a_past(void)
{
    const char *before = getenv("TMPDIR");
    undo_begin();
    uint64_t done = undo_do_edit(undo_set_value);
    SUCCEEDS(mkdir(scratch_path("tmp"), 0700));
    SUCCEEDS(setenv("TMPDIR", scratch_path("tmp"), 1));
    rs_store *first = open_past(done - 1);
    CU_ASSERT_EQUAL(entries_of(scratch_path("tmp")), 0);
    rs_store *second = open_past(done);
    rs_close(undo_store);
    rs_txn *one = start_reading(first);
    rs_txn *two = start_reading(second);
    CU_ASSERT_EQUAL(number_of(one, find_key(one, TOP), "Number"), 1);
    CU_ASSERT_EQUAL(number_of(two, find_key(two, TOP), "Number"), 2);
    rs_abort(one);
    rs_abort(two);
    GIVES(RS_EREADONLY, rs_begin(first, RS_WRITE, &one));
    rs_close(first);
    rs_close(second);
    CU_ASSERT_EQUAL(entries_of(scratch_path("tmp")), 0);
    SUCCEEDS(before != NULL ? setenv("TMPDIR", before, 1) : unsetenv("TMPDIR"));
}

static int lose_key(rs_txn *txn)
{
    txn->journal.brief = true;
    return undo_delete_all(txn);
}

static void what_cannot_be_reached_is_told(void)
{
    rs_store *past = NULL;
    rs_error error = RS_ERROR_INIT;
    undo_begin();
    for (int i = 0; i < 3; i++) {
        undo_do_edit(i % 2 ? undo_add_value : undo_set_value);
        undo_take_back(undo_latest(), undo_latest());
    }
    trim_history(undo_store, 3);
    GIVES(RS_ENOTFOUND, rs_open_past(undo_store, 8, &past, NULL));
    GIVES(RS_EBEHIND, rs_open_past(undo_store, 3, &past, &error));
    EQUAL_TEXT(error.text, "the journal no longer reaches back to revision 3, but to 4");
    rs_close(open_past(4));
    GIVES(RS_EINVAL, rs_open_past(NULL, 3, &past, NULL));
    undo_do_edit(lose_key);
    GIVES(RS_EBEHIND, rs_open_past(undo_store, 7, &past, NULL));
    rs_close(open_past(8));
    CU_ASSERT_PTR_NULL(past);
    rs_close(undo_store);
}

static int set_large(rs_txn *txn)
{
    static char large[4 << 20];
    return rs_set_binary(txn, undo_at(txn, TOP), "Large", large, sizeof large);
}

/* Nothing but chunks is left of the revision, and they are nobody's. */
static void a_revision_that_is_half_forgotten_is_no_obstacle(void)
{
    undo_begin();
    uint64_t large = undo_do_edit(set_large);
    struct buffer then = records_of(undo_store);
    undo_do_edit(undo_set_value);
    rs_txn *txn = start_writing(undo_store);
    SUCCEEDS(journal_trim(&txn->env, large + 1,
                          &(struct journal_limits){.revisions = 1, .steps = 2},
                          &txn->journal_bytes));
    SUCCEEDS(rs_value_delete(txn, undo_at(txn, TOP), "Large"));
    end_writing(txn);
    must_have_been(large, &then);
    buffer_free(&then);
    rs_close(undo_store);
}

static const struct test_case cases[] = {
    {"every revision is as it was", every_revision_is_as_it_was},
    {"nothing is left of a past", nothing_is_left_of_a_past},
    {"what cannot be reached is told", what_cannot_be_reached_is_told},
    {"a revision that is half forgotten is no obstacle",
     a_revision_that_is_half_forgotten_is_no_obstacle},
    {NULL, NULL},
};
const struct test_suite suite_past = {"past", cases};
