/*
 * test_live - live, which keeps a service's settings as the store has them and answers for them: a
 * service in this process, and what it writes into its log. tests/services.py tests whole programs.
 */
#include "stores.h"

#include "live_bench.h"

/* For making a journal that is cut short. */
#include "../regstore/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void a_change_is_taken(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_start(&rig);
    expect_line(&rig, "test: started with revision 0's settings: ",
                "all default, there is no key " BENCH_KEY " yet");
    bench_set_dword(rig.store, "Rate", 3);
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 1, ",
                " us after its commit: the key exists now, Rate 2 -> 3 ms");
    CU_ASSERT_EQUAL(rig.live.settings->values[RATE].number, 3);
    CU_ASSERT_EQUAL(rig.live.revision, 1);
    live_follow(&rig.live);
    CU_ASSERT_STRING_EQUAL(rig_log(&rig), "");
    rig_close(&rig);
}

static void a_bad_change_is_refused_until_mended(void)
{
    struct rig rig;
    rig_open(&rig);
    bench_set_dword(rig.store, "Rate", 3);
    rig_start(&rig);
    expect_line(&rig, "test: started with revision 1's settings: ", "1 set, 0 refused, 5 default");
    bench_set_dword(rig.store, "Rate", 9);
    live_follow(&rig.live);
    expect_line(&rig, "test: refused revision 2: ",
                "Rate: 9 is given, the rule says 1 to 5 ms (Q1); keeping revision 1's settings");
    bench_set_dword(rig.store, "Switch", 0); /* good, but Rate is still bad: nothing is taken */
    live_follow(&rig.live);
    expect_line(&rig, "test: refused revision 3: ",
                "Rate: 9 is given, the rule says 1 to 5 ms (Q1); keeping revision 1's settings");
    CU_ASSERT_EQUAL(rig.live.settings->values[RATE].number, 3);
    CU_ASSERT_EQUAL(rig.live.settings->values[SWITCH].number, 1);
    bench_set_dword(rig.store, "Rate", 4);
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 4, ",
                "all values are allowed again, Rate 3 -> 4 ms, Switch 1 -> 0");
    rig_close(&rig);
}

static void a_bad_value_does_not_keep_a_service_down(void)
{
    struct rig rig;
    rig_open(&rig);
    bench_set_dword(rig.store, "Rate", 9);
    rig_start(&rig);
    CU_ASSERT_STRING_EQUAL(
        rig_log(&rig), "test: Rate: 9 is given, the rule says 1 to 5 ms (Q1); starting with the "
                       "default instead: 2 ms\n"
                       "test: started with revision 1's settings: 0 set, 1 refused, 5 default\n");
    CU_ASSERT_EQUAL(rig.live.settings->values[RATE].number, 2);
    bench_set_dword(rig.store, "Rate", 2);
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 2, ",
                "all values are allowed again, no setting changed");
    rig_close(&rig);
}

static void changes_are_taken_together(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_start(&rig);
    rig_log(&rig);
    for (uint32_t number = 1; number <= 5; number++) {
        bench_set_dword(rig.store, "Rate", number);
    }
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 5, ", "the key exists now, Rate 2 -> 5 ms");
    rig_close(&rig);
}

static void what_is_read_on_request_is_said(void)
{
    struct rig rig;
    rig_run(&rig, 3);
    live_read_again(&rig.live);
    expect_line(&rig, "test: applied revision 1, read again on request: ", "no setting changed");
    rig_close(&rig);
}

static void other_keys_and_values_change_nothing(void)
{
    rs_key key;
    struct rig rig;
    rig_run(&rig, 3);
    rs_txn *txn = bench_begin(rig.store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_key_create(txn, RS_HKLM, "SOFTWARE\\Other", &key), RS_OK);
    bench_commit(txn);
    live_follow(&rig.live);
    CU_ASSERT_STRING_EQUAL(rig_log(&rig), "");
    bench_set_dword(rig.store, "Raet", 4); /* a slip that the administrator should see */
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 3, ", " us after its commit: no setting changed");
    rig_close(&rig);
}

static void change_rule(struct rig *rig, const char *path, const char *name, const char *fields)
{
    rs_txn *txn = bench_begin(rig->store, RS_WRITE);
    set_rule(txn, path, name, fields);
    bench_commit(txn);
    live_follow(&rig->live);
}

/* What means nothing to the service is no line. */
static void other_rules_are_taken(void)
{
    struct rig rig;
    rig_run(&rig, 3);
    change_rule(&rig, BENCH_KEY, "Switch", "type=REG_DWORD|default=0");
    expect_line(&rig, "test: applied revision 2, ",
                " us after its commit: Switch 1 -> 0 (default)");
    change_rule(&rig, "HKLM\\SOFTWARE\\*", "Comment", "type=REG_SZ|default=other");
    expect_line(&rig, "test: applied revision 3, ", ": Comment \"none\" -> \"other\" (default)");
    change_rule(&rig, BENCH_KEY, "Rate", "type=REG_DWORD|default=2|unit=days");
    change_rule(&rig, "HKLM\\SOFTWARE\\Other", "Rate", "type=REG_DWORD|default=7");
    CU_ASSERT_STRING_EQUAL(rig_log(&rig), "");
    EQUAL_TEXT(rig.live.settings->values[RATE].unit, "days");
    change_rule(&rig, BENCH_KEY, "Rate", "type=REG_DWORD|min=4");
    expect_line(&rig, "test: refused revision 6: ",
                "Rate: 3 is given, the rule says at least 4; keeping revision 3's settings");
    change_rule(&rig, BENCH_KEY, "Rate", NULL);
    expect_line(&rig, "test: applied revision 7, ",
                "all values are allowed again, no setting changed");
    rig_close(&rig);
}

/* Whoever changes a rule can wait for it, whether it means something to the service or not. */
static void other_rules_are_answered(void)
{
    struct rig rig;
    rig_run(&rig, 3);
    change_rule(&rig, BENCH_KEY, "Switch", "type=REG_DWORD|default=0");
    expect_answer(&rig, "2 applied 0: ");
    change_rule(&rig, BENCH_KEY, "Rate", "type=REG_DWORD|default=2|unit=days");
    expect_answer(&rig, "3 applied 0: ");
    CU_ASSERT_EQUAL(rs_wait(rig.store, 3, 0, NULL, NULL), RS_OK);
    change_rule(&rig, "HKLM\\SOFTWARE\\Other", "Rate", "type=REG_DWORD|default=7");
    expect_answer(&rig, "3 applied 0: ");
    change_rule(&rig, BENCH_KEY, "Rate", "type=REG_DWORD|min=4");
    expect_answer(&rig, "5 rejected 0: Rate: 3 is given, the rule says at least 4");
    CU_ASSERT_EQUAL(rs_wait(rig.store, 5, 0, NULL, NULL), RS_EREJECTED);
    rig_close(&rig);
}

static void a_restart_is_needed_until_values_are_back(void)
{
    struct rig rig;
    rig_run(&rig, 3);
    bench_set_dword(rig.store, "Buffers", 5);
    live_follow(&rig.live);
    expect_answer(&rig, "2 restart 2: Buffers");
    bench_set_dword(rig.store, "Rate", 4);
    live_follow(&rig.live);
    expect_answer(&rig, "3 applied 2: ");
    bench_set_dword(rig.store, "Buffers", 6);
    live_follow(&rig.live);
    expect_answer(&rig, "4 restart 2: Buffers");
    bench_set_dword(rig.store, "Buffers", 513);
    live_follow(&rig.live);
    expect_answer(&rig, "5 rejected 2: Buffers: 513 is given, the rule says 1 to 512 (Q6)");
    rig_log(&rig);
    rs_txn *txn = bench_begin(rig.store, RS_WRITE);
    SUCCEEDS(rs_value_delete(txn, bench_key(txn), "Buffers"));
    bench_commit(txn);
    live_follow(&rig.live);
    expect_answer(&rig, "6 applied 0: ");
    rig_close(&rig);
}

/* A number above another that its rule names: allowed, and said, once. */
static void what_is_not_wise_is_said(void)
{
    static const char why[] = "Rate: 3 is above \"Switch\", which is 1: it is too quick (Q9)";
    char line[256];
    char answer_text[256];
    struct rig rig;
    rig_open(&rig);
    bench_set_dword(rig.store, "Rate", 3);
    rs_txn *txn = bench_begin(rig.store, RS_WRITE);
    set_rule(txn, BENCH_KEY, "Rate",
             "type=REG_DWORD|default=1|warn-above=Switch|warning=it is too quick|source=Q9");
    bench_commit(txn);
    rig_start(&rig);
    snprintf(line, sizeof(line), "test: %s\ntest: started with", why);
    CU_ASSERT_EQUAL(strncmp(rig_log(&rig), line, strlen(line)), 0);
    snprintf(answer_text, sizeof(answer_text), "2 applied 0: warning: %s", why);
    expect_answer(&rig, answer_text);
    bench_set_string(rig.store, "Comment", "other");
    live_follow(&rig.live);
    CU_ASSERT_PTR_NULL(strstr(rig_log(&rig), "above"));
    bench_set_dword(rig.store, "Rate", 1);
    live_follow(&rig.live);
    expect_answer(&rig, "4 applied 0: ");
    rig_log(&rig);
    bench_set_dword(rig.store, "Rate", 3);
    live_follow(&rig.live);
    snprintf(line, sizeof(line), "test: %s\n", why);
    CU_ASSERT_EQUAL(strncmp(rig_log(&rig), line, strlen(line)), 0);
    rig_close(&rig);
}

/* Where the key is a link, the rules of its target count. */
static void another_key_has_other_rules(void)
{
    rs_key key;
    struct rig rig;
    rig_open(&rig);
    rs_txn *txn = bench_begin(rig.store, RS_WRITE);
    set_rule(txn, "HKLM\\SOFTWARE\\Real", "Rate", "type=REG_DWORD|default=4");
    bench_commit(txn);
    rig_start(&rig);
    rig_log(&rig);
    txn = bench_begin(rig.store, RS_WRITE);
    SUCCEEDS(rs_key_create(txn, RS_HKLM, "SOFTWARE\\Real", &key));
    SUCCEEDS(rs_link_create(txn, RS_NO_KEY, BENCH_KEY, "HKLM\\SOFTWARE\\Real", 0, &key));
    bench_commit(txn);
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 2, ", ": the key exists now, Rate 2 -> 4 (default)");
    rig_close(&rig);
}

static void a_deleted_key_gives_the_defaults_back(void)
{
    struct rig rig;
    rig_run(&rig, 3);
    rs_txn *txn = bench_begin(rig.store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_key_delete(txn, bench_key(txn), 0), RS_OK);
    bench_commit(txn);
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 2, ", ": the key is gone, Rate 3 -> 2 ms (default)");
    bench_set_dword(rig.store, "Rate", 4);
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 3, ", ": the key exists now, Rate 2 -> 4 ms");
    rig_close(&rig);
}

static void an_unconfirmed_change_is_taken_back(void)
{
    struct rig rig;
    rig_open(&rig);
    bench_set_dword(rig.store, "Rate", 3);
    rig_start(&rig);
    rig_log(&rig);
    rs_txn *txn = bench_begin(rig.store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_set_dword(txn, bench_key(txn), "Rate", 4), RS_OK);
    CU_ASSERT_EQUAL_FATAL(rs_txn_confirm(txn, 0), RS_OK);
    bench_commit(txn);
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 3, ", "no setting changed");
    txn = bench_begin(rig.store, RS_READ);
    CU_ASSERT_EQUAL(rs_revision(txn), 3);
    rs_abort(txn);
    rig_close(&rig);
}

static void a_journal_cut_short_is_said(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_start(&rig);
    rig_log(&rig);
    bench_set_dword(rig.store, "Rate", 3);
    bench_set_dword(rig.store, "Rate", 4);
    rs_txn *txn = bench_begin(rig.store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_set_dword(txn, bench_key(txn), "Rate", 5), RS_OK);
    CU_ASSERT_EQUAL_FATAL(
        journal_trim(&txn->env, 2, &(struct journal_limits){.revisions = 0, .steps = 2}, NULL),
        RS_OK);
    bench_commit(txn);
    live_follow(&rig.live);
    expect_line(&rig,
                "test: applied revision 3, read again because the journal no longer reaches back: ",
                "the key exists now, Rate 2 -> 5 ms");
    bench_set_dword(rig.store, "Rate", 1);
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 4, ", " us after its commit: Rate 5 -> 1 ms");
    rig_close(&rig);
}

static void what_cannot_be_taken_back_is_told_once(void)
{
    static const struct slice key = {"pending", 7};
    static const struct slice noise = {"noise", 5};
    struct env_txn txn;
    struct rig rig;
    rig_run(&rig, 3);
    SUCCEEDS(env_begin(rig.store->env, true, &txn, NULL));
    SUCCEEDS(env_put(&txn, TABLE_META, key, noise));
    SUCCEEDS(env_commit(&txn, NULL));
    live_follow(&rig.live);
    expect_line(&rig, "test: an unconfirmed change cannot be taken back: ", "damaged");
    live_follow(&rig.live);
    CU_ASSERT_STRING_EQUAL(rig_log(&rig), "");
    rig_close(&rig);
}

static const struct test_case cases[] = {
    {"a change is taken", a_change_is_taken},
    {"a bad change is refused until mended", a_bad_change_is_refused_until_mended},
    {"a bad value does not keep a service down", a_bad_value_does_not_keep_a_service_down},
    {"changes are taken together", changes_are_taken_together},
    {"what is read on request is said", what_is_read_on_request_is_said},
    {"other keys and values change nothing", other_keys_and_values_change_nothing},
    {"other rules are taken", other_rules_are_taken},
    {"other rules are answered", other_rules_are_answered},
    {"a restart is needed until values are back", a_restart_is_needed_until_values_are_back},
    {"what is not wise is said", what_is_not_wise_is_said},
    {"another key has other rules", another_key_has_other_rules},
    {"a deleted key gives the defaults back", a_deleted_key_gives_the_defaults_back},
    {"an unconfirmed change is taken back", an_unconfirmed_change_is_taken_back},
    {"a journal cut short is said", a_journal_cut_short_is_said},
    {"what cannot be taken back is told once", what_cannot_be_taken_back_is_told_once},
    {NULL, NULL},
};

const struct test_suite suite_live = {"live", cases};
