/*
 * test_confirm.c - changes that wait for confirmation: kept, or taken back, once and not too early.
 */
#include "undo_steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG 1000u /* seconds; no test takes so long */

/* ---- Steps ---- */

static uint64_t do_waiting(int (*edit)(rs_txn *txn), uint32_t seconds)
{
    rs_txn *txn = start_writing(undo_store);
    SUCCEEDS(edit(txn));
    SUCCEEDS(rs_txn_confirm(txn, seconds));
    return end_writing(txn);
}

/* RS_ENOTFOUND if nothing waits. */
static int look(rs_pending *pending)
{
    rs_txn *txn = start_reading(undo_store);
    int status = rs_confirm_pending(txn, pending);
    rs_abort(txn);
    return status;
}

static void nothing_must_wait(void)
{
    rs_pending pending;
    GIVES(RS_ENOTFOUND, look(&pending));
}

static void must_wait(uint64_t revision)
{
    rs_pending pending = {0};
    SUCCEEDS(look(&pending));
    CU_ASSERT_EQUAL(pending.revision, revision);
}

/* Gives the revision that was made; 0: none was due. */
static uint64_t take_back_due(void)
{
    uint64_t made = 99;
    rs_error error = RS_ERROR_INIT;
    int status = rs_confirm_due(undo_store, &made, &error);
    if (status != RS_OK) {
        printf("    %s\n", error.text);
    }
    CU_ASSERT_EQUAL_FATAL(status, RS_OK);
    must_be_whole(undo_store);
    return made;
}

static int copy_info(void *context, const rs_revision_info *revision)
{
    static char message[JOURNAL_MAX_NOTE + 1];
    rs_revision_info *info = context;
    *info = *revision;
    snprintf(message, sizeof message, "%s", revision->message);
    info->message = message;
    return 0;
}

static rs_revision_info info_at(uint64_t revision)
{
    rs_revision_info info = {0};
    rs_txn *txn = start_reading(undo_store);
    SUCCEEDS(rs_history(txn, revision, revision, copy_info, &info));
    rs_abort(txn);
    return info;
}

static void change_record(void (*change)(struct store_pending *pending))
{
    struct env_txn txn;
    struct store_pending pending;
    SUCCEEDS(env_begin(undo_store->env, true, &txn, NULL));
    SUCCEEDS(store_pending_read(&txn, &pending));
    change(&pending);
    SUCCEEDS(store_pending_write(&txn, &pending));
    SUCCEEDS(env_commit(&txn, NULL));
}

/* ---- Kept ---- */

static void what_is_confirmed_stays(void)
{
    rs_pending pending = {0};
    uint64_t kept = 0;
    undo_begin();
    nothing_must_wait();
    uint64_t before = store_now();
    uint64_t done = do_waiting(undo_set_value, LONG);
    struct buffer records = records_of(undo_store);
    SUCCEEDS(look(&pending));
    CU_ASSERT_EQUAL(pending.revision, done);
    CU_ASSERT_EQUAL(pending.seconds, LONG);
    CU_ASSERT(pending.left_ms > 0 && pending.left_ms <= LONG * 1000);
    CU_ASSERT(pending.deadline >= before + LONG * UINT64_C(10000000));
    CU_ASSERT_EQUAL(take_back_due(), 0);
    SUCCEEDS(rs_confirm(undo_store, &kept, NULL));
    CU_ASSERT_EQUAL(kept, done);
    CU_ASSERT_EQUAL(undo_latest(), done);
    nothing_must_wait();
    GIVES(RS_ENOTFOUND, rs_confirm(undo_store, NULL, NULL));
    CU_ASSERT_EQUAL(take_back_due(), 0);
    undo_must_match(&records);
    buffer_free(&records);
    rs_close(undo_store);
}

static void one_waits_at_a_time(void)
{
    rs_error error = RS_ERROR_INIT;
    undo_begin();
    uint64_t done = do_waiting(undo_set_value, LONG);
    rs_txn *txn = start_writing(undo_store);
    rs_txn_errors(txn, &error);
    GIVES(RS_EBUSY, rs_txn_confirm(txn, 5));
    EQUAL_TEXT(error.text, "revision 2 waits for confirmation already");
    SUCCEEDS(undo_add_value(txn));
    CU_ASSERT_EQUAL(end_writing(txn), done + 1);
    must_wait(done);
    rs_close(undo_store);
}

static void what_changes_nothing_waits_for_nothing(void)
{
    undo_begin();
    rs_txn *txn = start_writing(undo_store);
    SUCCEEDS(rs_txn_confirm(txn, 0));
    CU_ASSERT_EQUAL(end_writing(txn), 1);
    txn = start_writing(undo_store);
    SUCCEEDS(undo_set_value(txn));
    SUCCEEDS(rs_txn_confirm(txn, 0));
    rs_abort(txn);
    nothing_must_wait();
    CU_ASSERT_EQUAL(take_back_due(), 0);
    txn = start_reading(undo_store);
    GIVES(RS_EINVAL, rs_txn_confirm(txn, 5));
    rs_abort(txn);
    GIVES(RS_EINVAL, rs_confirm(NULL, NULL, NULL));
    GIVES(RS_EINVAL, rs_confirm_due(NULL, NULL, NULL));
    rs_close(undo_store);
}

/* ---- Taken back ---- */

static void each_edit_is_taken_back_exactly(void)
{
    undo_begin();
    for (size_t i = 0; i < undo_edit_count; i++) {
        struct buffer before = records_of(undo_store);
        uint64_t done = do_waiting(undo_edits[i].edit, 0);
        must_wait(done);
        uint64_t made = take_back_due();
        CU_ASSERT_EQUAL(made, done + 1);
        undo_must_match(&before);
        nothing_must_wait();
        CU_ASSERT_EQUAL(take_back_due(), 0);
        buffer_free(&before);
        rs_revision_info info = info_at(made);
        CU_ASSERT_EQUAL(info.flags, RS_REVISION_ROLLBACK);
        CU_ASSERT(info.from == done && info.to == done);
    }
    rs_close(undo_store);
}

static void an_unconfirmed_undo_is_undone(void)
{
    undo_begin();
    uint64_t done = undo_do_edit(undo_delete_all);
    struct buffer deleted = records_of(undo_store);
    rs_txn *txn = start_writing(undo_store);
    SUCCEEDS(rs_undo(txn, done, done, NULL, NULL));
    SUCCEEDS(rs_txn_confirm(txn, 0));
    end_writing(txn);
    uint64_t made = take_back_due();
    undo_must_match(&deleted);
    CU_ASSERT_EQUAL(info_at(made).flags, RS_REVISION_ROLLBACK);
    CU_ASSERT_EQUAL(info_at(undo_take_back(made, made)).flags, RS_REVISION_REDO);
    buffer_free(&deleted);
    rs_close(undo_store);
}

static void opening_for_writing_takes_back(void)
{
    rs_store *other = NULL;
    undo_begin();
    uint64_t done = do_waiting(undo_set_value, 0);
    SUCCEEDS(rs_open(scratch_path("store"), RS_READONLY, &other, NULL));
    GIVES(RS_EREADONLY, rs_confirm_due(other, NULL, NULL));
    GIVES(RS_EREADONLY, rs_confirm(other, NULL, NULL));
    rs_close(other);
    CU_ASSERT_EQUAL(undo_latest(), done);
    /* The thread's own transaction is not waited for. */
    rs_txn *txn = start_writing(undo_store);
    SUCCEEDS(rs_open(scratch_path("store"), 0, &other, NULL));
    rs_close(other);
    rs_abort(txn);
    CU_ASSERT_EQUAL(undo_latest(), done);
    SUCCEEDS(rs_open(scratch_path("store"), 0, &other, NULL));
    rs_close(other);
    CU_ASSERT_EQUAL(undo_latest(), done + 1);
    CU_ASSERT_EQUAL(info_at(done + 1).flags, RS_REVISION_ROLLBACK);
    nothing_must_wait();
    rs_close(undo_store);
}

static void it_can_be_too_late(void)
{
    rs_error error = RS_ERROR_INIT;
    undo_begin();
    struct buffer before = records_of(undo_store);
    do_waiting(undo_set_value, 0);
    GIVES(RS_ENOTFOUND, rs_confirm(undo_store, NULL, &error));
    EQUAL_TEXT(error.text, "it is too late to confirm");
    undo_must_match(&before);
    nothing_must_wait();
    buffer_free(&before);
    rs_close(undo_store);
}

static int open_there(void *context)
{
    rs_store *store = NULL;
    int status = rs_open(context, 0, &store, NULL);
    rs_close(store);
    return status == RS_OK ? 0 : 1;
}

static void many_take_it_back_once(void)
{
    pid_t children[6];
    size_t count = sizeof children / sizeof *children;
    char *dir = strdup(scratch_path("store"));
    undo_begin();
    uint64_t done = do_waiting(undo_delete_all, 0);
    rs_close(undo_store);
    for (size_t i = 0; i < count; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            _exit(open_there(dir));
        }
    }
    for (size_t i = 0; i < count; i++) {
        int status = 1;
        CU_ASSERT_EQUAL(waitpid(children[i], &status, 0), children[i]);
        CU_ASSERT_EQUAL(status, 0);
    }
    undo_store = open_store();
    CU_ASSERT_EQUAL(undo_latest(), done + 1);
    nothing_must_wait();
    free(dir);
    rs_close(undo_store);
}

/* ---- Conflicts ---- */

static int change_two(rs_txn *txn)
{
    int status = undo_set_value(txn);
    return status != RS_OK ? status : undo_add_value(txn);
}

static int set_otherwise(rs_txn *txn)
{
    return rs_set_dword(txn, undo_at(txn, TOP), "Number", 3);
}

static void what_was_changed_since_stays_and_is_named(void)
{
    undo_begin();
    uint64_t done = do_waiting(change_two, 0);
    undo_do_edit(set_otherwise);
    uint64_t made = take_back_due();
    rs_revision_info info = info_at(made);
    CU_ASSERT_EQUAL(info.flags, RS_REVISION_ROLLBACK | RS_REVISION_PARTIAL);
    CU_ASSERT_EQUAL(info.from, done);
    EQUAL_TEXT(info.message, "revision 2 was not confirmed; left as it is: HKEY_LOCAL_MACHINE\\Top,"
                             " \"Number\" (the value was changed since)");
    rs_txn *txn = start_reading(undo_store);
    rs_key top = undo_at(txn, TOP);
    rs_value value;
    CU_ASSERT_EQUAL(number_of(txn, top, "Number"), 3);
    GIVES(RS_ENOTFOUND, rs_value_get(txn, top, "New", &value));
    rs_abort(txn);
    nothing_must_wait();
    rs_close(undo_store);
}

static void nothing_to_take_back_is_told_once(void)
{
    undo_begin();
    uint64_t done = do_waiting(undo_set_value, 0);
    undo_do_edit(set_otherwise);
    struct buffer now = records_of(undo_store);
    CU_ASSERT_EQUAL(take_back_due(), done + 2);
    undo_must_match(&now);
    CU_ASSERT(strstr(info_at(done + 2).message, "was changed since") != NULL);
    CU_ASSERT_EQUAL(take_back_due(), 0);
    buffer_free(&now);
    rs_close(undo_store);
}

static int set_many(rs_txn *txn, uint32_t number)
{
    int status = RS_OK;
    for (int i = 0; status == RS_OK && i < 300; i++) {
        char name[32];
        snprintf(name, sizeof name, "a value with number %d", i);
        status = rs_set_dword(txn, undo_at(txn, TOP), name, number);
    }
    return status;
}

static int set_many_once(rs_txn *txn)
{
    return set_many(txn, 1);
}

static int set_many_again(rs_txn *txn)
{
    return set_many(txn, 2);
}

static void more_conflicts_than_a_message_holds_are_counted(void)
{
    undo_begin();
    do_waiting(set_many_once, 0);
    undo_do_edit(set_many_again);
    uint64_t made = take_back_due();
    rs_revision_info info = info_at(made);
    CU_ASSERT(strlen(info.message) > JOURNAL_MAX_NOTE * 3 / 4);
    CU_ASSERT(strlen(info.message) <= JOURNAL_MAX_NOTE);
    CU_ASSERT(strstr(info.message, "; left as they are: ") != NULL);
    EQUAL_TEXT(info.message + strlen(info.message) - 5, " more");
    rs_close(undo_store);
}

/* ---- Clocks ---- */

static void of_another_start(struct store_pending *pending)
{
    strcpy(pending->boot, "another start");
}

static void of_no_known_start(struct store_pending *pending)
{
    pending->boot[0] = '\0';
}

static void over_by_the_clock(struct store_pending *pending)
{
    pending->deadline = 1;
}

static void over_by_uptime(struct store_pending *pending)
{
    pending->boot_deadline = 1;
}

/* The clock may be set as anybody likes while the machine runs. */
static void the_clock_is_no_matter_while_the_machine_runs(void)
{
    undo_begin();
    uint64_t done = do_waiting(undo_set_value, LONG);
    change_record(over_by_the_clock);
    CU_ASSERT_EQUAL(take_back_due(), 0);
    must_wait(done);
    change_record(over_by_uptime);
    CU_ASSERT_EQUAL(take_back_due(), done + 1);
    rs_close(undo_store);
}

static void after_another_start_the_clock_decides(void)
{
    void (*const starts[])(struct store_pending *) = {of_another_start, of_no_known_start};
    undo_begin();
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        uint64_t done = do_waiting(undo_set_value, LONG);
        change_record(starts[i]);
        change_record(over_by_uptime);
        CU_ASSERT_EQUAL(take_back_due(), 0);
        must_wait(done);
        change_record(over_by_the_clock);
        CU_ASSERT_EQUAL(take_back_due(), done + 1);
    }
    rs_close(undo_store);
}

/* Less than a millisecond is left, and not none: one of the tries is quick enough to see it. */
static void the_last_moment_counts(void)
{
    uint64_t seen = 0;
    for (int i = 0; i < 1000 && seen == 0; i++) {
        struct store_pending pending = {.deadline = store_now() + 9999};
        seen = store_pending_left(&pending);
    }
    CU_ASSERT_EQUAL(seen, 1);
}

/* ---- Beside others ---- */

static void who_takes_it_back_himself_ends_it(void)
{
    undo_begin();
    uint64_t done = do_waiting(change_two, LONG);
    undo_do_edit(set_otherwise);
    rs_undo_options skip = {.flags = RS_UNDO_SKIP};
    rs_txn *txn = start_writing(undo_store);
    SUCCEEDS(rs_undo(txn, done, done, &skip, NULL));
    end_writing(txn);
    must_wait(done); /* a part of it is still there */
    undo_take_back(done, undo_latest());
    nothing_must_wait();
    rs_close(undo_store);
}

static void an_undo_of_others_leaves_it_waiting(void)
{
    undo_begin();
    uint64_t before = undo_do_edit(undo_set_class);
    uint64_t done = do_waiting(undo_set_value, LONG);
    uint64_t after = undo_do_edit(undo_add_value);
    undo_take_back(before, before);
    must_wait(done);
    undo_take_back(after, after);
    must_wait(done);
    undo_take_back(done, done);
    nothing_must_wait();
    rs_close(undo_store);
}

static uint64_t first_revision(void)
{
    rs_txn *txn = start_reading(undo_store);
    uint64_t first = stat_of(txn).first_revision;
    rs_abort(txn);
    return first;
}

static int count_up(rs_txn *txn)
{
    static uint32_t number = 100;
    return rs_set_dword(txn, undo_at(txn, TOP), "Count", number++);
}

static int keep_two_revisions(rs_txn *txn)
{
    rs_key key;
    int status = rs_key_create(txn, RS_HKRS, "Settings\\Journal", &key);
    return status != RS_OK ? status : rs_set_dword(txn, key, "MaxRevisions", 2);
}

static void the_journal_keeps_what_waits(void)
{
    undo_begin();
    undo_do_edit(keep_two_revisions);
    uint64_t done = do_waiting(undo_delete_key, LONG);
    for (int i = 0; i < 20; i++) {
        undo_do_edit(count_up);
    }
    CU_ASSERT_EQUAL(first_revision(), done);
    change_record(over_by_uptime);
    uint64_t made = take_back_due();
    rs_txn *txn = start_reading(undo_store);
    CU_ASSERT_NOT_EQUAL(undo_at(txn, TOP "\\b"), RS_NO_KEY);
    rs_abort(txn);
    for (int i = 0; i < 20; i++) {
        undo_do_edit(count_up);
    }
    CU_ASSERT_EQUAL(first_revision(), made + 19);
    rs_close(undo_store);
}

static void copies_of_the_store(void)
{
    rs_store *other = NULL;
    rs_txn *txn = NULL;
    rs_pending pending = {0};
    undo_begin();
    uint64_t done = do_waiting(undo_set_value, LONG);
    struct buffer records = records_of(undo_store);
    SUCCEEDS(rs_backup(undo_store, scratch_path("copy.mdb"), NULL, NULL, NULL));
    SUCCEEDS(rs_open_past(undo_store, done - 1, &other, NULL));
    txn = start_reading(other);
    GIVES(RS_ENOTFOUND, rs_confirm_pending(txn, &pending));
    rs_abort(txn);
    rs_close(other);
    SUCCEEDS(rs_compact(undo_store, NULL, NULL));
    rs_close(undo_store);
    undo_store = open_store();
    must_wait(done);
    rs_close(undo_store);
    const rs_restore_options anew = {.flags = RS_ANEW};
    SUCCEEDS(rs_restore(scratch_path("other"), scratch_path("copy.mdb"), &anew, NULL, NULL));
    SUCCEEDS(rs_open(scratch_path("other"), 0, &undo_store, NULL));
    nothing_must_wait();
    undo_must_match(&records);
    rs_close(undo_store);
    SUCCEEDS(rs_restore(scratch_path("store"), scratch_path("copy.mdb"), NULL, NULL, NULL));
    undo_store = open_store();
    nothing_must_wait();
    undo_must_match(&records);
    must_be_whole(undo_store);
    buffer_free(&records);
    rs_close(undo_store);
}

/* ---- Damage ---- */

static uint64_t damages(void)
{
    rs_check_report report = {0};
    rs_txn *txn = start_reading(undo_store);
    SUCCEEDS(rs_check(txn, NULL, &report));
    rs_abort(txn);
    return report.damages;
}

static void of_no_revision(struct store_pending *pending)
{
    pending->revision = 99;
}

static void of_a_trimmed_revision(struct store_pending *pending)
{
    pending->revision = 1;
}

static void check_finds_what_is_wrong(void)
{
    static const struct slice key = {"pending", 7};
    struct env_txn txn;
    rs_pending pending;
    rs_txn *writing = NULL;
    undo_begin();
    do_waiting(undo_set_value, LONG);
    CU_ASSERT_EQUAL(damages(), 0);
    trim_history(undo_store, 1);
    CU_ASSERT_EQUAL(damages(), 0);
    change_record(of_a_trimmed_revision);
    CU_ASSERT_EQUAL(damages(), 1);
    change_record(of_no_revision);
    CU_ASSERT_EQUAL(damages(), 1);
    change_record(over_by_uptime);
    uint64_t made = take_back_due(); /* it is said that there is nothing to take back */
    CU_ASSERT(strstr(info_at(made).message, "not in the journal") != NULL);
    CU_ASSERT_EQUAL(damages(), 0);
    SUCCEEDS(env_begin(undo_store->env, true, &txn, NULL));
    SUCCEEDS(env_put(&txn, TABLE_META, key, (struct slice){"short", 5}));
    SUCCEEDS(env_commit(&txn, NULL));
    CU_ASSERT_EQUAL(damages(), 1);
    GIVES(RS_EDAMAGED, look(&pending));
    GIVES(RS_EDAMAGED, rs_confirm(undo_store, NULL, NULL));
    GIVES(RS_EDAMAGED, rs_confirm_due(undo_store, NULL, NULL));
    GIVES(RS_EDAMAGED, rs_begin(undo_store, RS_WRITE, &writing));
    rs_close(undo_store);
}

static const struct test_case cases[] = {
    {"what is confirmed stays", what_is_confirmed_stays},
    {"one waits at a time", one_waits_at_a_time},
    {"what changes nothing waits for nothing", what_changes_nothing_waits_for_nothing},
    {"each edit is taken back exactly", each_edit_is_taken_back_exactly},
    {"an unconfirmed undo is undone", an_unconfirmed_undo_is_undone},
    {"opening for writing takes back", opening_for_writing_takes_back},
    {"it can be too late", it_can_be_too_late},
    {"many take it back once", many_take_it_back_once},
    {"what was changed since stays and is named", what_was_changed_since_stays_and_is_named},
    {"nothing to take back is told once", nothing_to_take_back_is_told_once},
    {"more conflicts than a message holds", more_conflicts_than_a_message_holds_are_counted},
    {"the clock is no matter while the machine runs",
     the_clock_is_no_matter_while_the_machine_runs},
    {"after another start the clock decides", after_another_start_the_clock_decides},
    {"the last moment counts", the_last_moment_counts},
    {"who takes it back himself ends it", who_takes_it_back_himself_ends_it},
    {"an undo of others leaves it waiting", an_undo_of_others_leaves_it_waiting},
    {"the journal keeps what waits", the_journal_keeps_what_waits},
    {"copies of the store", copies_of_the_store},
    {"check finds what is wrong", check_finds_what_is_wrong},
    {NULL, NULL},
};
const struct test_suite suite_confirm = {"confirm", cases};
