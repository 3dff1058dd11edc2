/*
 * test_schema_walk.c - many violations, deep and wide keys, and what is stored judged.
 */
#include "schema_helpers.h"

#include <stdio.h>

/* ---- Many, and few ---- */

#define MANY 1000u

/* More than a chunk of the journal: in old keys, where each change is recorded. */
static void all_violations_are_told_once(void)
{
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    uint64_t count = 0;
    char path[128];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, APP "\\Ports\\port number %u", i);
        SUCCEEDS(rs_set_string(txn, add_key(txn, path), "Needed", "l"));
    }
    end_writing(txn);
    txn = start_writing(store);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            snprintf(path, sizeof path, APP "\\Ports\\port number %u", i);
            rs_key port = find_key(txn, path);
            SUCCEEDS(rs_set_string(txn, port, "Needed", round == 0 ? "x" : "y"));
            SUCCEEDS(rs_set_string(txn, port, "Free", "x"));
        }
    }
    SUCCEEDS(rs_txn_check(txn, NULL, NULL, &count));
    CU_ASSERT_EQUAL(count, MANY);
    SUCCEEDS(rs_key_check(txn, RS_HKLM, RS_SUBTREE, NULL, NULL, &count));
    CU_ASSERT_EQUAL(count, MANY);
    refused(txn, RS_EREFUSED, "\"y\" is given, the rule says \"l\" or \"o\"");
    rs_close(store);
}

static int stop_at_second(void *context, const rs_violation *violation)
{
    (void)violation;
    return ++*(int *)context == 2 ? 42 : 0;
}

static void who_is_told_may_stop(void)
{
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    int calls = 0;
    uint64_t count = 77;
    for (unsigned i = 0; i < 5; i++) {
        char path[128];
        snprintf(path, sizeof path, APP "\\Ports\\%u", i);
        add_key(txn, path);
    }
    GIVES(42, rs_txn_check(txn, stop_at_second, &calls, &count));
    CU_ASSERT(calls == 2 && count == 77);
    calls = 0;
    GIVES(42, rs_key_check(txn, RS_HKLM, RS_SUBTREE, stop_at_second, &calls, &count));
    CU_ASSERT(calls == 2 && count == 77);
    rs_abort(txn);
    txn = start_reading(store);
    GIVES(RS_EREADONLY, rs_txn_check(txn, NULL, NULL, NULL));
    GIVES(RS_EINVAL, rs_key_check(txn, RS_HKLM, 0x80, NULL, NULL, NULL));
    GIVES(RS_EDELETED, rs_key_check(txn, 12345678, 0, NULL, NULL, NULL));
    GIVES(RS_EINVAL, rs_txn_check(NULL, NULL, NULL, NULL));
    rs_abort(txn);
    rs_close(store);
}

struct reading {
    rs_txn *txn;
    const char *text; /* lives until the transaction ends */
    rs_error error;
};

static int read_meanwhile(void *context, const rs_violation *violation)
{
    struct reading *reading = context;
    rs_rule rule;
    uint32_t number = 0;
    rs_key app = find_key(reading->txn, APP);
    SUCCEEDS(rs_get_dword(reading->txn, app, "Limit", &number));
    CU_ASSERT_EQUAL(number, 10);
    SUCCEEDS(rs_rule_get(reading->txn, violation->path, violation->name, &rule));
    if (reading->text == NULL) {
        SUCCEEDS(rs_get_string(reading->txn, app, "Text", &reading->text));
    }
    GIVES(RS_ENOTFOUND, rs_get_dword(reading->txn, app, "None", &number));
    return 0;
}

static void who_is_told_may_read(void)
{
    rs_store *store = open_app_rules();
    struct reading reading = {.txn = start_writing(store)};
    uint64_t count = 0;
    SUCCEEDS(rs_set_string(reading.txn, find_key(reading.txn, APP), "Text", "kept"));
    for (unsigned i = 0; i < 20; i++) {
        char path[128];
        snprintf(path, sizeof path, APP "\\Ports\\%u", i);
        add_key(reading.txn, path);
    }
    rs_txn_errors(reading.txn, &reading.error);
    SUCCEEDS(rs_txn_check(reading.txn, read_meanwhile, &reading, &count));
    CU_ASSERT_EQUAL(count, 20);
    EQUAL_TEXT(reading.text, "kept");
    EQUAL_TEXT(reading.error.text, "no value \"None\"");
    rs_abort(reading.txn);
    rs_close(store);
}

/* Fewer subkeys than rules name, and more; each is met once. */
static void sparse_and_dense_keys_are_judged(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    char path[64];
    set_rule(txn, "HKLM\\*\\Few", "v", "type=REG_DWORD|max=1");
    for (unsigned i = 0; i < 40; i++) {
        snprintf(path, sizeof path, "HKLM\\Top\\K%u", i);
        set_rule(txn, path, "v", "type=REG_DWORD|max=1");
        snprintf(path, sizeof path, "HKLM\\*\\k%u", i % 20);
        set_rule(txn, path, "w", "type=REG_DWORD|max=1");
    }
    for (unsigned round = 0; round < 2; round++) {
        uint64_t count = 0;
        for (unsigned i = round == 0 ? 35 : 0; i < (round == 0 ? 45 : 200); i++) {
            snprintf(path, sizeof path, "HKLM\\Top\\k%u", i);
            set_number(txn, add_key(txn, path), "v", 2);
            set_number(txn, add_key(txn, path), "w", 2);
        }
        SUCCEEDS(rs_txn_check(txn, NULL, NULL, &count));
        CU_ASSERT_EQUAL(count, round == 0 ? 5 : 60);
        SUCCEEDS(rs_key_check(txn, RS_HKLM, RS_SUBTREE, NULL, NULL, &count));
        CU_ASSERT_EQUAL(count, round == 0 ? 5 : 60);
    }
    rs_abort(txn);
    rs_close(store);
}

/* Many rule keys with a rule of the same name, which allow one number each. */
static void each_key_has_its_own_rule(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    char path[64];
    char fields[64];
    for (unsigned i = 0; i < 300; i++) {
        snprintf(path, sizeof path, "HKLM\\Top\\K%u", i);
        snprintf(fields, sizeof fields, "type=REG_DWORD|min=%u|max=%u", i, i);
        set_rule(txn, path, "v", fields);
        set_number(txn, add_key(txn, path), "v", i);
    }
    expect_changes(txn, 0, "");
    expect_stored(txn, RS_HKLM, RS_SUBTREE, 0, "");
    set_number(txn, find_key(txn, "HKLM\\Top\\K7"), "v", 8);
    expect_stored(txn, RS_HKLM, RS_SUBTREE, 1, "K7:v 8 is given, the rule says 7 to 7\n");
    rs_abort(txn);
    rs_close(store);
}

static void what_is_not_wise_is_told(void)
{
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    rs_key app = find_key(txn, APP);
    set_number(txn, app, "Period", 11);
    expect_changes(txn, 0, "(App:Period 11 is above \"Limit\", which is 10: never shown\n");
    set_number(txn, app, "Limit", 11);
    expect_changes(txn, 0, "");
    end_writing(txn);
    txn = start_writing(store);
    set_number(txn, app, "limit", 7);
    expect_changes(txn, 0, "(App:Period 11 is above \"Limit\", which is 7: never shown\n");
    expect_stored(txn, app, 0, 0, "(App:Period 11 is above \"Limit\", which is 7: never shown\n");
    set_number(txn, app, "Size", 9);
    expect_changes(txn, 1,
                   "(App:Period 11 is above \"Limit\", which is 7: never shown\n"
                   "App:Size 9 is given, the rule says 1 to 5\n");
    set_number(txn, app, "Size", 2);
    end_writing(txn);
    txn = start_writing(store);
    set_number(txn, app, "Size", 3);
    expect_changes(txn, 0, "");
    /* A value can be both: not allowed, and not wise. */
    set_rule(txn, APP, "Period", "type=REG_DWORD|max=20|warn-above=Limit");
    set_number(txn, app, "Period", 21);
    expect_changes(txn, 1,
                   "App:Period 21 is given, the rule says at most 20\n"
                   "(App:Period 21 is above \"Limit\", which is 7\n");
    rs_abort(txn);
    rs_close(store);
}

/* ---- What is stored ---- */

static void stored_values_are_judged(void)
{
    rs_store *store = open_app_rules();
    rs_txn *txn = start_writing(store);
    set_number(txn, find_key(txn, APP), "Size", 9);
    add_key(txn, APP "\\Ports\\COM1");
    set_number(txn, add_key(txn, "HKLM\\SYSTEM\\ControlSet002\\Services\\App"), "Size", 0);
    set_number(txn, add_key(txn, "HKU\\Services\\App"), "Size", 0);
    SUCCEEDS(rs_txn_force(txn));
    end_writing(txn);
    txn = start_reading(store);
    expect_stored(txn, find_key(txn, APP), 0, 1, "App:Size 9 is given, the rule says 1 to 5\n");
    expect_stored(txn, find_key(txn, APP "\\Ports"), RS_SUBTREE, 1,
                  "COM1:Needed- nothing is set, the rule says that it has to be\n");
    expect_stored(txn, RS_HKLM, RS_SUBTREE, 3,
                  "App:Size 9 is given, the rule says 1 to 5\n"
                  "COM1:Needed- nothing is set, the rule says that it has to be\n"
                  "App:Size 0 is given, the rule says 1 to 5\n");
    expect_stored(txn, RS_HKLM, 0, 0, "");
    expect_stored(txn, RS_HKU, RS_SUBTREE, 0, "");
    expect_stored(txn, RS_HKRS, RS_SUBTREE, 0, "");
    rs_abort(txn);
    rs_close(store);
}

/* As deep as keys may be, along with as many rule keys. */
static void deep_keys_are_judged(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    struct buffer path = BUFFER_INIT;
    struct buffer rules = BUFFER_INIT;
    uint64_t count = 0;
    SUCCEEDS(buffer_append_text(&path, "HKLM"));
    SUCCEEDS(buffer_append_text(&rules, "HKRS\\Rules\\HKLM"));
    for (unsigned i = 0; i < RS_MAX_DEPTH - 2; i++) {
        SUCCEEDS(buffer_append_text(&path, "\\k"));
        SUCCEEDS(buffer_append_text(&rules, i % 2 == 0 ? "\\*" : "\\K"));
    }
    struct buffer rule = multi_of("type=REG_DWORD|max=1");
    rs_key key;
    SUCCEEDS(rs_key_create_n(txn, RS_NO_KEY, rules.data, rules.size, 0, &key, NULL));
    SUCCEEDS(rs_value_set(txn, key, "v", REG_MULTI_SZ, rule.data, rule.size));
    SUCCEEDS(rs_key_create_n(txn, RS_NO_KEY, path.data, path.size, 0, &key, NULL));
    set_number(txn, key, "v", 2);
    SUCCEEDS(rs_txn_check(txn, NULL, NULL, &count));
    CU_ASSERT_EQUAL(count, 1);
    expect_stored(txn, RS_HKLM, RS_SUBTREE, 1, "k:v 2 is given, the rule says at most 1\n");
    refused(txn, RS_EREFUSED, "2 is given, the rule says at most 1");
    buffer_free(&rule);
    buffer_free(&path);
    buffer_free(&rules);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"all violations are told once", all_violations_are_told_once},
    {"who is told may stop", who_is_told_may_stop},
    {"who is told may read", who_is_told_may_read},
    {"sparse and dense keys are judged", sparse_and_dense_keys_are_judged},
    {"each key has its own rule", each_key_has_its_own_rule},
    {"what is not wise is told", what_is_not_wise_is_told},
    {"stored values are judged", stored_values_are_judged},
    {"deep keys are judged", deep_keys_are_judged},
    {NULL, NULL},
};

const struct test_suite suite_schema_walk = {"schema_walk", cases};
