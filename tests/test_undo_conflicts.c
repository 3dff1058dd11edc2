/*
 * test_undo_conflicts.c - what was changed since is not lost unless it is asked for.
 */
#include "undo_steps.h"

#include <stdio.h>

static int set_again(rs_txn *txn)
{
    return rs_set_dword(txn, undo_at(txn, TOP), "Number", 3);
}

static int several(rs_txn *txn)
{
    int status = undo_set_value(txn);
    status = status != RS_OK ? status : undo_set_class(txn);
    status = status != RS_OK ? status : undo_rename_key(txn);
    return status != RS_OK ? status : undo_add_value(txn);
}

static void a_conflict_changes_nothing(void)
{
    undo_begin();
    uint64_t done = undo_do_edit(several);
    undo_do_edit(set_again);
    struct buffer before = records_of(undo_store);
    EQUAL_TEXT(undo_attempt(done, done, 0, RS_ECONFLICT),
               "2 Top:Number: the value was changed since");
    undo_must_match(&before);
    buffer_free(&before);
    rs_close(undo_store);
}

static void force_takes_the_undos_side(void)
{
    undo_begin();
    uint64_t done = undo_do_edit(several);
    undo_do_edit(set_again);
    undo_attempt(done, done, RS_UNDO_FORCE, RS_OK);
    rs_txn *txn = start_reading(undo_store);
    CU_ASSERT_EQUAL(number_of(txn, find_key(txn, TOP), "Number"), 1);
    find_key(txn, TOP "\\Sub");
    rs_abort(txn);
    rs_close(undo_store);
}

static void skip_leaves_conflicts_out(void)
{
    undo_begin();
    uint64_t done = undo_do_edit(several);
    undo_do_edit(set_again);
    undo_attempt(done, done, RS_UNDO_SKIP, RS_OK);
    rs_txn *txn = start_reading(undo_store);
    CU_ASSERT_EQUAL(number_of(txn, find_key(txn, TOP), "Number"), 3);
    find_key(txn, TOP "\\Sub");
    uint64_t undone = rs_revision(txn);
    rs_abort(txn);
    struct history history = history_of(undo_store, undone);
    CU_ASSERT_EQUAL(history.head.flags, RS_REVISION_UNDO | RS_REVISION_PARTIAL);
    history_free(&history);
    rs_close(undo_store);
}

static int set_twice(rs_txn *txn)
{
    int status = undo_set_value(txn);
    return status != RS_OK ? status : rs_set_dword(txn, undo_at(txn, TOP), "Number", 9);
}

/* 1, then 2 and 9 in a revision, then 2 by another: that the first step would fit is chance. */
static void what_is_skipped_is_skipped_as_a_whole(void)
{
    undo_begin();
    uint64_t done = undo_do_edit(set_twice);
    undo_do_edit(undo_set_value);
    struct buffer before = records_of(undo_store);
    EQUAL_TEXT(undo_attempt(done, done, RS_UNDO_SKIP, RS_OK),
               "2 Top:Number: the value was changed since");
    undo_must_match(&before);
    EQUAL_TEXT(undo_attempt(done, done, 0, RS_ECONFLICT),
               "2 Top:Number: the value was changed since");
    buffer_free(&before);
    rs_close(undo_store);
}

static int set_and_rename(rs_txn *txn)
{
    int status = rs_set_dword(txn, undo_at(txn, TOP "\\Sub"), "Fresh", 1);
    return status != RS_OK ? status : undo_rename_key(txn);
}

static int rename_renamed(rs_txn *txn)
{
    return rs_key_rename(txn, undo_at(txn, TOP "\\Zzz"), "Yyy");
}

static int delete_below_and_rename(rs_txn *txn)
{
    int status = undo_delete_key(txn);
    return status != RS_OK ? status : rs_key_rename(txn, undo_at(txn, TOP), "Head");
}

static int rename_head(rs_txn *txn)
{
    return rs_key_rename(txn, undo_at(txn, "HKLM\\Head"), "Other");
}

static void must_be_skipped(int (*edit)(rs_txn *txn), int (*others)(rs_txn *txn), const char *told)
{
    undo_begin();
    uint64_t done = undo_do_edit(edit);
    undo_do_edit(others);
    struct buffer before = records_of(undo_store);
    EQUAL_TEXT(undo_attempt(done, done, RS_UNDO_SKIP, RS_OK), told);
    undo_must_match(&before);
    buffer_free(&before);
    rs_close(undo_store);
}

static void what_came_before_in_a_skipped_key_is_skipped(void)
{
    must_be_skipped(set_and_rename, rename_renamed, "2 Sub:Zzz: the key was renamed since");
}

static void what_came_before_below_a_skipped_key_is_skipped(void)
{
    must_be_skipped(delete_below_and_rename, rename_head, "2 Top:Head: the key was renamed since");
}

static int make_numbr(rs_txn *txn)
{
    return rs_set_dword(txn, undo_at(txn, TOP), "NUMB\xc3\x89R", 5);
}

/* Deleted, and made anew in another spelling, which is the same value. */
static int respell(rs_txn *txn)
{
    SUCCEEDS(rs_value_delete(txn, undo_at(txn, TOP), "numb\xc3\xa9r"));
    return rs_set_dword(txn, undo_at(txn, TOP), "numb\xc3\xa9R", 7);
}

static int delete_respelled(rs_txn *txn)
{
    return rs_value_delete(txn, undo_at(txn, TOP), "numb\xc3\xa9R");
}

static void what_is_skipped_is_so_in_any_spelling(void)
{
    undo_begin();
    undo_do_edit(make_numbr);
    uint64_t done = undo_do_edit(respell);
    undo_do_edit(delete_respelled);
    struct buffer before = records_of(undo_store);
    EQUAL_TEXT(undo_attempt(done, done, RS_UNDO_SKIP, RS_OK),
               "3 Top:numb\xc3\xa9R: the value was deleted since");
    undo_must_match(&before);
    buffer_free(&before);
    rs_close(undo_store);
}

/* A value that was added is gone with its key, so that nothing has to be forced. */
static void an_addition_to_a_key_that_is_gone_is_taken_back(void)
{
    undo_begin();
    uint64_t done = undo_do_edit(undo_add_value);
    undo_do_edit(undo_delete_all);
    EQUAL_TEXT(undo_attempt(done, done, 0, RS_ECONFLICT), "2 Top:New: its key was deleted since");
    EQUAL_TEXT(undo_attempt(done, done, RS_UNDO_FORCE, RS_OK),
               "2 Top:New: its key was deleted since");
    rs_close(undo_store);
}

static uint64_t top_written(void)
{
    rs_txn *txn = start_reading(undo_store);
    uint64_t written = info_of(txn, find_key(txn, TOP)).written;
    rs_abort(txn);
    return written;
}

static int set_top_time(rs_txn *txn)
{
    return tree_set_written(&txn->tree, undo_at(txn, TOP), 12345);
}

/* Who has written since keeps his time, or gets a new one. */
static void times_are_not_taken_back_from_others(void)
{
    undo_begin();
    uint64_t first = top_written();
    uint64_t done = undo_do_edit(undo_set_value);
    undo_do_edit(set_top_time);
    undo_take_back(done, done);
    CU_ASSERT(top_written() != first && top_written() != 12345);
    done = undo_do_edit(set_top_time);
    undo_do_edit(undo_add_value);
    struct buffer before = records_of(undo_store);
    undo_take_back(done, done);
    undo_must_match(&before);
    buffer_free(&before);
    rs_close(undo_store);
}

static int set_in_new(rs_txn *txn)
{
    return rs_set_dword(txn, undo_at(txn, TOP "\\New\\Newer"), "Others", 1);
}

static void a_created_key_that_others_use_is_a_conflict(void)
{
    undo_begin();
    uint64_t done = undo_do_edit(undo_create_keys);
    uint64_t used = undo_do_edit(set_in_new);
    EQUAL_TEXT(undo_attempt(done, done, 0, RS_ECONFLICT),
               "2 New: something in the key was changed since");
    EQUAL_TEXT(undo_attempt(done, used, 0, RS_OK), "");
    rs_close(undo_store);
}

/* Later revisions that were taken back themselves do not count; redone, they do again. */
static void what_was_taken_back_is_no_conflict(void)
{
    undo_begin();
    uint64_t done = undo_do_edit(undo_create_keys);
    uint64_t used = undo_do_edit(set_in_new);
    uint64_t undone = undo_take_back(used, used);
    uint64_t redone = undo_take_back(undone, undone);
    EQUAL_TEXT(undo_attempt(done, done, 0, RS_ECONFLICT),
               "2 New: something in the key was changed since");
    undo_take_back(redone, redone);
    undo_take_back(done, done);
    rs_close(undo_store);
}

static int create_other_b(rs_txn *txn)
{
    rs_key key;
    int status = rs_key_create(txn, RS_NO_KEY, TOP "\\B", &key);
    return status != RS_OK ? status : rs_set_dword(txn, key, "Value", 1);
}

static void a_taken_name_is_a_conflict(void)
{
    undo_begin();
    rs_txn *txn = start_reading(undo_store);
    rs_key key = find_key(txn, TOP "\\b");
    rs_abort(txn);
    uint64_t done = undo_do_edit(undo_delete_key);
    undo_do_edit(create_other_b);
    EQUAL_TEXT(undo_attempt(done, done, 0, RS_ECONFLICT), "2 b: another key has its name now");
    undo_attempt(done, done, RS_UNDO_FORCE, RS_OK);
    txn = start_reading(undo_store);
    CU_ASSERT_EQUAL(find_key(txn, TOP "\\b"), key);
    CU_ASSERT_EQUAL(info_of(txn, key).values, 0);
    rs_abort(txn);
    EQUAL_TEXT(undo_attempt(done, done, 0, RS_ECONFLICT), "2 b: the key is there again");
    rs_close(undo_store);
}

/* What is gone cannot be put back by force. */
static void some_conflicts_are_lasting(void)
{
    undo_begin();
    uint64_t done = undo_do_edit(several);
    undo_do_edit(undo_delete_all);
    CU_ASSERT_PTR_NOT_NULL(strstr(undo_attempt(done, done, RS_UNDO_FORCE, RS_ECONFLICT), "since!"));
    undo_attempt(done, done, RS_UNDO_SKIP, RS_OK);
    rs_close(undo_store);
}

static void places_are_given_once(void)
{
    undo_begin();
    uint64_t added = undo_do_edit(undo_add_value);
    uint64_t undone = undo_take_back(added, added);
    rs_txn *txn = start_writing(undo_store);
    SUCCEEDS(rs_set_string(txn, undo_at(txn, TOP), "Second", "second"));
    end_writing(txn);
    undo_take_back(undone, undone);
    txn = start_reading(undo_store);
    EQUAL_TEXT(values_of(txn, find_key(txn, TOP)), "Number,Text,Second,New");
    rs_abort(txn);
    rs_close(undo_store);
}

static void ranges_are_checked(void)
{
    undo_begin();
    uint64_t done = undo_do_edit(undo_set_value);
    rs_txn *txn = start_writing(undo_store);
    GIVES(RS_ENOTFOUND, rs_undo(txn, done, done + 1, NULL, NULL));
    GIVES(RS_EINVAL, rs_undo(txn, done, done - 1, NULL, NULL));
    GIVES(RS_EINVAL, rs_undo(txn, 0, done, NULL, NULL));
    GIVES(RS_EINVAL, rs_undo(txn, done, done, &(rs_undo_options){.flags = 3}, NULL));
    SUCCEEDS(
        journal_trim(&txn->env, done, &(struct journal_limits){.revisions = 1, .steps = 10}, NULL));
    rs_error error = RS_ERROR_INIT;
    rs_txn_errors(txn, &error);
    GIVES(RS_EBEHIND, rs_undo(txn, 1, done, NULL, NULL));
    EQUAL_TEXT(error.text, "revision 1 is no longer in the journal, which begins with 2");
    rs_abort(txn);
    txn = start_reading(undo_store);
    GIVES(RS_EREADONLY, rs_undo(txn, done, done, NULL, NULL));
    rs_abort(txn);
    rs_close(undo_store);
}

static int lose_key(rs_txn *txn)
{
    txn->journal.brief = true;
    return undo_delete_all(txn);
}

static void a_lost_deletion_cannot_be_taken_back(void)
{
    undo_begin();
    uint64_t done = undo_do_edit(lose_key);
    EQUAL_TEXT(undo_attempt(done, done, RS_UNDO_FORCE, RS_ECONFLICT),
               "2 Top: a full disk had no room to keep what was deleted!");
    rs_close(undo_store);
}

static int set_row(rs_txn *txn, const char *names)
{
    rs_key key;
    char name[2] = "";
    SUCCEEDS(rs_key_create(txn, undo_at(txn, TOP), "Row", &key));
    for (; *names != '\0'; names++) {
        name[0] = *names;
        SUCCEEDS(rs_set_string(txn, key, name, "x"));
    }
    return RS_OK;
}

static int begin_row(rs_txn *txn)
{
    return set_row(txn, "abcd");
}

static int go_on(rs_txn *txn)
{
    return set_row(txn, "efghi");
}

static int go_on_otherwise(rs_txn *txn)
{
    return set_row(txn, "xy");
}

/* What comes back finds the places of the first two taken, and takes those of the next ones. */
static void places_taken_by_an_undo_are_taken(void)
{
    undo_begin();
    undo_do_edit(begin_row);
    uint64_t longer = undo_do_edit(go_on);
    uint64_t shorter = undo_take_back(longer, longer);
    undo_do_edit(go_on_otherwise);
    EQUAL_TEXT(undo_attempt(shorter, shorter, 0, RS_OK), "");
    rs_txn *txn = start_reading(undo_store);
    EQUAL_TEXT(values_of(txn, find_key(txn, TOP "\\Row")), "a,b,c,d,x,y,e,f,g,h,i");
    rs_abort(txn);
    rs_close(undo_store);
}

static int begin_alone(rs_txn *txn)
{
    rs_key key;
    SUCCEEDS(rs_key_create(txn, undo_at(txn, TOP), "Alone", &key));
    return rs_set_string(txn, key, "A", "a");
}

static int delete_alone(rs_txn *txn)
{
    return rs_value_delete(txn, undo_at(txn, TOP "\\Alone"), "A");
}

static int set_alone(rs_txn *txn)
{
    return rs_set_string(txn, undo_at(txn, TOP "\\Alone"), "A", "a");
}

/* It came back to its first place; what made it in the second one is taken back, and again. */
static void a_value_has_an_earlier_place_than_it_was_given(void)
{
    undo_begin();
    undo_do_edit(begin_alone);
    uint64_t deleted = undo_do_edit(delete_alone);
    uint64_t set = undo_do_edit(set_alone);
    undo_do_edit(delete_alone);
    undo_take_back(deleted, deleted);
    struct buffer before = records_of(undo_store);
    uint64_t undone = undo_take_back(set, set);
    rs_txn *txn = start_reading(undo_store);
    EQUAL_TEXT(values_of(txn, find_key(txn, TOP "\\Alone")), "");
    rs_abort(txn);
    undo_take_back(undone, undone);
    undo_must_match(&before);
    buffer_free(&before);
    rs_close(undo_store);
}

static int pass_by(rs_txn *txn)
{
    rs_key link;
    SUCCEEDS(rs_link_create(txn, undo_at(txn, TOP), "Passing", "HKLM", 0, &link));
    SUCCEEDS(rs_key_rename(txn, link, "Passed"));
    return rs_key_delete(txn, link, 0);
}

static int take_its_name(rs_txn *txn)
{
    rs_key key;
    return rs_key_create(txn, undo_at(txn, TOP), "Passed", &key);
}

/* All that is left of it is a write time. */
static void a_key_that_came_and_went_does_not_come_back(void)
{
    undo_begin();
    struct buffer before = records_of(undo_store);
    uint64_t done = undo_do_edit(pass_by);
    undo_take_back(done, done);
    undo_must_match(&before);
    EQUAL_TEXT(undo_attempt(done, done, RS_UNDO_SKIP, RS_OK), "");
    undo_must_match(&before);
    buffer_free(&before);
    undo_do_edit(take_its_name);
    EQUAL_TEXT(undo_attempt(done, done, 0, RS_OK), "");
    EQUAL_TEXT(undo_attempt(done, done, RS_UNDO_FORCE, RS_OK), "");
    rs_txn *txn = start_reading(undo_store);
    find_key(txn, TOP "\\Passed");
    rs_abort(txn);
    rs_close(undo_store);
}

static int make_two(rs_txn *txn)
{
    rs_key key;
    SUCCEEDS(rs_key_create(txn, undo_at(txn, TOP), "One", &key));
    SUCCEEDS(rs_set_string(txn, key, "A", "a"));
    SUCCEEDS(rs_set_string(txn, key, "B", "b"));
    SUCCEEDS(rs_set_string(txn, key, "C", "c"));
    SUCCEEDS(rs_key_create(txn, undo_at(txn, TOP), "Two", &key));
    SUCCEEDS(rs_set_string(txn, key, "A", "a"));
    return rs_set_string(txn, key, "B", "b");
}

/* Of the second key a value that has the place of one that was deleted from the first. */
static int change_two(rs_txn *txn)
{
    rs_key one = undo_at(txn, TOP "\\One");
    SUCCEEDS(rs_value_delete(txn, one, "B"));
    SUCCEEDS(rs_set_string(txn, undo_at(txn, TOP "\\Two"), "B", "other"));
    return rs_value_delete(txn, one, "A");
}

static void places_are_each_keys_own(void)
{
    undo_begin();
    undo_do_edit(make_two);
    struct buffer before = records_of(undo_store);
    uint64_t done = undo_do_edit(change_two);
    undo_take_back(done, done);
    undo_must_match(&before);
    buffer_free(&before);
    rs_close(undo_store);
}

static const struct test_case cases[] = {
    {"a conflict changes nothing", a_conflict_changes_nothing},
    {"force takes the undo's side", force_takes_the_undos_side},
    {"skip leaves conflicts out", skip_leaves_conflicts_out},
    {"what is skipped is skipped as a whole", what_is_skipped_is_skipped_as_a_whole},
    {"what came before in a skipped key is skipped", what_came_before_in_a_skipped_key_is_skipped},
    {"what came before below a skipped key", what_came_before_below_a_skipped_key_is_skipped},
    {"what is skipped is so in any spelling", what_is_skipped_is_so_in_any_spelling},
    {"an addition to a key that is gone", an_addition_to_a_key_that_is_gone_is_taken_back},
    {"times are not taken back from others", times_are_not_taken_back_from_others},
    {"a created key that others use is a conflict", a_created_key_that_others_use_is_a_conflict},
    {"what was taken back is no conflict", what_was_taken_back_is_no_conflict},
    {"a taken name is a conflict", a_taken_name_is_a_conflict},
    {"some conflicts are lasting", some_conflicts_are_lasting},
    {"places are given once", places_are_given_once},
    {"places are each key's own", places_are_each_keys_own},
    {"places taken by an undo are taken", places_taken_by_an_undo_are_taken},
    {"a value has an earlier place than it was given",
     a_value_has_an_earlier_place_than_it_was_given},
    {"a key that came and went does not come back", a_key_that_came_and_went_does_not_come_back},
    {"ranges are checked", ranges_are_checked},
    {"a lost deletion cannot be taken back", a_lost_deletion_cannot_be_taken_back},
    {NULL, NULL},
};
const struct test_suite suite_undo_conflicts = {"undo_conflicts", cases};
