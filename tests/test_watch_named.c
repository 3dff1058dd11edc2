/*
 * test_watch_named.c - watches that keep their place under a name: positions, names, rules.
 */
#include "named.h"

#include <stdio.h>
#include <string.h>

/* ---- Positions ---- */

static void test_goes_on_where_it_was(void)
{
    rs_store *store = stage_store();
    stage_set(store, NAMED_KEY, "early", 1);
    rs_watch *watch = named_open(store);
    EXPECT(watch, "end"); /* a first open begins at the latest revision */
    stage_set(store, NAMED_KEY, "a", 1);
    EXPECT(watch, "set .:a ->1");
    EXPECT(watch, "end"); /* which says that the first has been dealt with */
    rs_watch_close(watch);
    stage_set(store, NAMED_KEY, "b", 2);
    stage_set(store, "HKLM\\Other", "x", 1);
    stage_set(store, NAMED_KEY, "c", 3);
    watch = named_open(store);
    EXPECT(watch, "set .:b ->2");
    rs_watch_close(watch); /* in the midst of it */
    watch = named_open(store);
    EXPECT(watch, "set .:b ->2");
    EXPECT(watch, "set .:c ->3");
    EXPECT(watch, "end");
    rs_watch_close(watch);
    rs_close(store);
}

static void test_answer_moves_the_position(void)
{
    rs_store *store = stage_store();
    rs_watch *watch = named_open(store);
    uint64_t revision = stage_set(store, NAMED_KEY, "a", 1);
    EXPECT(watch, "created .");
    CU_ASSERT_EQUAL(rs_watch_answer(watch, revision, RS_ANSWER_APPLIED, NULL), RS_OK);
    rs_watch_close(watch);
    watch = named_open(store);
    EXPECT(watch, "end");
    rs_watch_close(watch);
    rs_close(store);
}

static void test_damaged_slots(void)
{
    rs_store *store = stage_store();
    rs_watch *watch = named_open(store);
    for (uint32_t i = 1; i < 4; i++) {
        stage_set(store, NAMED_KEY, "a", i);
        MUST(strstr(stage_next(watch), i == 1 ? "created" : "set") != NULL);
    }
    EXPECT(watch, "end");
    rs_watch_close(watch);
    /* Either slot alone is enough: nothing is lost, at most something is told again. */
    named_damage("service", 0);
    stage_set(store, NAMED_KEY, "a", 4);
    watch = named_open(store);
    const char *got = stage_next(watch);
    for (int i = 0; i < 3 && strcmp(got, "set .:a 3>4") != 0; i++) {
        MUST(strcmp(got, "end") != 0 && strcmp(got, "behind") != 0);
        got = stage_next(watch);
    }
    EXPECT(watch, "end");
    rs_watch_close(watch);
    named_damage("service", 0);
    named_damage("service", 1);
    watch = named_open(store);
    rs_watch_close(watch); /* nobody was told yet */
    watch = named_open(store);
    EXPECT(watch, "behind");
    EXPECT(watch, "end");
    stage_set(store, NAMED_KEY, "a", 5);
    EXPECT(watch, "set .:a 4>5");
    rs_watch_close(watch);
    rs_close(store);
}

static void test_names(void)
{
    static const char *const bad[] = {"", ".hidden", "a/b", "a b", "..", "caf\xc3\xa9"};
    char longest[66];
    rs_store *store = stage_store();
    rs_watch *watch = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CU_ASSERT_EQUAL(rs_watch_open_named(store, bad[i], NAMED_KEY, 0, &watch, NULL), RS_ENAME);
    }
    memset(longest, '7', 65);
    longest[65] = '\0';
    CU_ASSERT_EQUAL(rs_watch_open_named(store, longest, NAMED_KEY, 0, &watch, NULL), RS_ENAME);
    longest[64] = '\0';
    MUST(rs_watch_open_named(store, longest, NAMED_KEY, 0, &watch, NULL) == RS_OK);
    CU_ASSERT(strncmp(named_services(store), longest, 64) == 0);
    rs_watch_close(watch);
    CU_ASSERT_EQUAL(rs_watch_open_named(store, "a", "HKXX\\A", 0, &watch, NULL), RS_EPATH);
    CU_ASSERT_EQUAL(rs_watch_open_named(store, "a", NAMED_KEY, 4, &watch, NULL), RS_EINVAL);
    CU_ASSERT(strncmp(named_services(store), longest, 64) == 0);
    rs_close(store);
}

static void test_paths(void)
{
    char path[5000];
    rs_store *store = stage_store();
    rs_watch *watch = NULL;
    size_t size = (size_t)snprintf(path, sizeof path, "HKLM");
    while (size < 4500) {
        size += (size_t)snprintf(path + size, sizeof path - size, "\\%0100d", 1);
    }
    CU_ASSERT_EQUAL(rs_watch_open_named(store, "a", path, 0, &watch, NULL), RS_ETOOLONG);
    CU_ASSERT_STRING_EQUAL(named_services(store), "");
    rs_close(store);
}

static void test_one_at_a_time(void)
{
    rs_store *store = stage_store();
    rs_error error = RS_ERROR_INIT;
    rs_watch *watch = named_open(store);
    rs_watch *second = NULL;
    CU_ASSERT_EQUAL(rs_watch_open_named(store, "service", NAMED_KEY, 0, &second, &error), RS_EBUSY);
    CU_ASSERT(strstr(error.text, "service is open in process") != NULL);
    rs_watch_close(watch);
    watch = named_open(store);
    rs_watch_close(watch);
    rs_close(store);
}

/* The answers of an earlier process, and of an earlier store, are not this one's. */
static void test_answers_are_the_process_s_own(void)
{
    rs_store *store = stage_store();
    uint64_t revision = stage_set(store, NAMED_KEY, "a", 1);
    rs_watch *watch = named_open(store);
    CU_ASSERT_EQUAL(rs_watch_answer(watch, revision, RS_ANSWER_RESTART, "Size"), RS_OK);
    CU_ASSERT_STRING_EQUAL(named_services(store), "service alive 1 1 restart Size 1|");
    rs_watch_close(watch);
    CU_ASSERT_STRING_EQUAL(named_services(store), "service ended 1 1 restart Size 1|");
    watch = named_open(store);
    CU_ASSERT_STRING_EQUAL(named_services(store), "service alive 1 0 none - 0|");
    rs_watch_close(watch);
    rs_close(store);
}

static void test_another_store(void)
{
    rs_store *store = stage_store();
    stage_set(store, NAMED_KEY, "a", 1);
    rs_watch *watch = named_open(store);
    CU_ASSERT_EQUAL(rs_watch_answer(watch, 1, RS_ANSWER_APPLIED, ""), RS_OK);
    MUST(rs_compact(store, NULL, NULL) == RS_OK); /* who has it open keeps the old file */
    rs_watch_close(watch);
    rs_close(store);
    store = stage_store();
    CU_ASSERT_STRING_EQUAL(named_services(store), "service ended 0 0 none - 0|");
    watch = named_open(store);
    EXPECT(watch, "behind");
    rs_watch_close(watch);
    rs_close(store);
}

/* ---- Rules ---- */

#define RULES "HKRS\\Rules\\HKLM\\SYSTEM"

#define WATCHED "HKLM\\SYSTEM\\ControlSet001\\Control"

/* Whether a change of a rule key concerns a watch on a key. */
static bool rule_concerns(rs_store *store, const char *path, unsigned flags, const char *rule_key)
{
    struct named_told told;
    rs_watch *watch = NULL;
    MUST(rs_watch_open_named(store, "ruled", path, flags, &watch, NULL) == RS_OK);
    rs_txn *txn = stage_begin(store, RS_WRITE);
    rs_key key;
    MUST(rs_key_open(txn, RS_NO_KEY, rule_key, &key) == RS_OK);
    MUST(rs_set_multi(txn, key, "v", (const char *const[]){"type=REG_DWORD"}, 1) == RS_OK);
    uint64_t revision = stage_commit(txn);
    int status = named_await(store, revision, 0, &told);
    MUST(status == (told.count > 0 ? RS_ETIMEOUT : RS_OK));
    const char *next = stage_next(watch);
    MUST((strncmp(next, "set ", 4) == 0) == (told.count > 0));
    txn = stage_begin(store, RS_WRITE);
    MUST(rs_value_delete(txn, stage_key(txn, rule_key), "v") == RS_OK);
    MUST(rs_watch_answer(watch, stage_commit(txn), RS_ANSWER_APPLIED, "") == RS_OK);
    rs_watch_close(watch);
    return told.count > 0;
}

static void test_rules_concern(void)
{
    static const struct {
        const char *key;
        bool exact; /* concerns who watches the key alone */
        bool below; /* with those below it */
    } rows[] = {
        {RULES "\\CurrentControlSet\\Control", true, true},
        {RULES "\\ControlSet001\\Control", true, true},
        {RULES "\\*\\CONTROL", true, true},
        {RULES "\\ControlSet001\\*", true, true},
        {RULES "\\CurrentControlSet\\Control\\*", false, true},
        {RULES "\\ControlSet002\\Control", false, false},
        {RULES "\\CurrentControlSet\\Services", false, false},
        {RULES "\\CurrentControlSet", false, false},
        {"HKRS\\Rules\\HKU\\SYSTEM\\ControlSet001\\Control", false, false},
    };
    rs_store *store = stage_store();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        stage_create(store, rows[i].key);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CU_ASSERT_EQUAL(rule_concerns(store, WATCHED, RS_WATCH_RULES, rows[i].key), rows[i].exact);
        CU_ASSERT_EQUAL(rule_concerns(store, WATCHED, RS_SUBTREE | RS_WATCH_RULES, rows[i].key),
                        rows[i].below);
        CU_ASSERT(!rule_concerns(store, WATCHED, RS_SUBTREE, rows[i].key));
    }
    rs_close(store);
}

/* CurrentControlSet stands for the control sets and for nothing else, as it does for rules. */
static void test_rules_of_control_sets_concern(void)
{
    static const struct {
        const char *name;
        bool meant;
    } rows[] = {
        {"ControlSet000", true},   {"controlset999", true},  {"ControlSet01", false},
        {"ControlSet0010", false}, {"ControlSet00x", false}, {"ControlSetx01", false},
        {"ControlledBy01", false}, {"Select", false},        {"CurrentControlSet", true},
    };
    rs_store *store = stage_store();
    stage_create(store, RULES "\\CurrentControlSet\\Sub");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[64];
        rs_rule rule;
        snprintf(path, sizeof path, "HKLM\\SYSTEM\\%s\\Sub", rows[i].name);
        CU_ASSERT_EQUAL(
            rule_concerns(store, path, RS_WATCH_RULES, RULES "\\CurrentControlSet\\Sub"),
            rows[i].meant);
        rs_txn *txn = stage_begin(store, RS_WRITE);
        rs_key key;
        MUST(rs_key_open(txn, RS_NO_KEY, RULES "\\CurrentControlSet\\Sub", &key) == RS_OK);
        MUST(rs_set_multi(txn, key, "v", (const char *const[]){"type=REG_DWORD"}, 1) == RS_OK);
        CU_ASSERT_EQUAL(rs_rule_get(txn, path, "v", &rule), rows[i].meant ? RS_OK : RS_ENOTFOUND);
        rs_abort(txn);
    }
    rs_close(store);
}

/* Rule keys that come and go take rules along; batches say what is a rule's. */
static void test_rule_keys_concern(void)
{
    const rs_batch *batch;
    rs_store *store = stage_store();
    rs_watch *watch = stage_watch(store, "HKLM\\A", RS_SUBTREE | RS_WATCH_RULES, RS_NOW);
    stage_create(store, "HKRS\\Other");
    EXPECT(watch, "end");
    stage_create(store, "HKRS\\Rules");
    EXPECT(watch, "created .");
    stage_create(store, "HKRS\\Rules\\HKLM\\B");
    EXPECT(watch, "created ."); /* with HKLM above it */
    stage_create(store, "HKRS\\Rules\\HKLM\\C");
    EXPECT(watch, "end");
    stage_create(store, "HKRS\\Rules\\HKLM\\*\\Sub");
    EXPECT(watch, "created .");
    stage_rename(store, "HKRS\\Rules\\HKLM\\*\\Sub", "Below");
    EXPECT(watch, "renamed Sub:Below");
    stage_rename(store, "HKRS\\Rules\\HKLM\\B", "A");
    MUST(rs_watch_next(watch, &batch) == RS_OK && batch->count == 1);
    CU_ASSERT(batch->changes->rule && batch->changes->relative_len == 0);
    stage_set(store, "HKLM\\A", "v", 1);
    MUST(rs_watch_next(watch, &batch) == RS_OK && batch->count == 1);
    CU_ASSERT(!batch->changes->rule);
    stage_delete(store, "HKRS\\Rules\\HKLM");
    EXPECT(watch, "deleted .");
    rs_watch_close(watch);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"goes on where it was", test_goes_on_where_it_was},
    {"answer moves the position", test_answer_moves_the_position},
    {"damaged slots", test_damaged_slots},
    {"names", test_names},
    {"paths", test_paths},
    {"one at a time", test_one_at_a_time},
    {"answers are the process's own", test_answers_are_the_process_s_own},
    {"another store", test_another_store},
    {"rules concern", test_rules_concern},
    {"rules of control sets concern", test_rules_of_control_sets_concern},
    {"rule keys concern", test_rule_keys_concern},
    {NULL, NULL},
};
const struct test_suite suite_watch_named = {"watch_named", cases};
