/*
 * test_schema_find.c - which rule a value has, and the default that it gives.
 */
#include "stores.h"

#include <stdio.h>
#include <unistd.h>

#define PRINT "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print"

/* The store of each test: rules that overlap, and the keys of a hive with two control sets. */
static rs_store *open_ruled(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key unused;
    set_rule(txn, PRINT, "Timeout", "type=REG_DWORD|default=36000|source=print");
    set_rule(txn, PRINT "\\Ports\\*", "Switch", "type=REG_SZ|default=l|source=any port");
    set_rule(txn, PRINT "\\Ports\\lpt1", "Switch", "type=REG_SZ|default=o|source=lpt1");
    set_rule(txn, PRINT "\\*\\LPT1", "Switch", "type=REG_SZ|source=any lpt1");
    set_rule(txn, PRINT "\\*\\LPT1", "Speed", "type=REG_DWORD|source=speed");
    set_rule(txn, "HKLM\\SYSTEM\\ControlSet002\\Control\\Print", "Timeout",
             "type=REG_DWORD|default=2|source=second");
    set_rule(txn, "HKLM\\SYSTEM\\*\\Control\\Print", "Timeout", "type=REG_DWORD|source=any set");
    set_rule(txn, "HKU\\*\\Software\\App", "", "type=REG_SZ|default=user|source=user");
    set_rule(txn, "HKRS\\Settings\\Journal", "MaxAge", "type=REG_DWORD|default=0|source=age");
    add_key(txn, "HKLM\\SYSTEM\\ControlSet001\\Control\\Print\\Ports\\COM1");
    add_key(txn, "HKLM\\SYSTEM\\ControlSet002\\Control\\Print");
    SUCCEEDS(rs_link_create(txn, RS_NO_KEY, "HKLM\\SYSTEM\\CurrentControlSet",
                            "HKLM\\SYSTEM\\ControlSet001", RS_VOLATILE, &unused));
    end_writing(txn);
    return store;
}

/* The source of the rule that a value has; "none" if it has none. */
static const char *source_of(rs_txn *txn, const char *path, const char *name)
{
    rs_rule rule = {0};
    int status = rs_rule_get(txn, path, name, &rule);
    CU_ASSERT_FATAL(status == RS_OK || status == RS_ENOTFOUND);
    return status == RS_OK ? rule.source : "none";
}

static const struct {
    const char *path;
    const char *name;
    const char *source;
} places[] = {
    {PRINT, "Timeout", "print"},
    {PRINT, "TIMEOUT", "print"},
    {PRINT, "Other", "none"},
    {"HKLM\\SYSTEM\\ControlSet001\\Control\\Print", "Timeout", "print"},
    {"HKLM\\SYSTEM\\ControlSet002\\Control\\Print", "Timeout", "second"},
    {"/HKLM/SYSTEM/ControlSet003/Control/Print", "Timeout", "print"},
    {"HKLM\\SYSTEM\\ControlSet01\\Control\\Print", "Timeout", "any set"},
    {"HKLM\\SYSTEM\\ControlSet0001\\Control\\Print", "Timeout", "any set"},
    {"HKLM\\SYSTEM\\ControlSet00x\\Control\\Print", "Timeout", "any set"},
    {"HKLM\\SYSTEM\\*\\Control\\Print", "Timeout", "any set"},
    {PRINT "\\Ports\\COM1", "Switch", "any port"},
    {PRINT "\\Ports\\COM2", "Switch", "any port"},
    {PRINT "\\Ports\\LPT1", "Switch", "lpt1"},
    {PRINT "\\Ports\\LPT1", "Speed", "speed"},
    {PRINT "\\Ports\\LPT1\\Below", "Switch", "none"},
    {PRINT "\\Ports", "Switch", "none"},
    {PRINT "\\Pools\\LPT1", "Switch", "any lpt1"},
    {"HKLM", "Timeout", "none"},
    {"HKU\\S-1-5-18\\Software\\App", "", "user"},
    {"HKCU\\Software\\App", "", "user"},
    {"HKRS\\Settings\\Journal", "MaxAge", "age"},
    {"HKRS\\Rules\\HKLM", "MaxAge", "none"},
};

static void the_most_specific_rule_decides(void)
{
    rs_store *store = open_ruled();
    for (unsigned mode = RS_READ; mode <= RS_WRITE; mode++) {
        rs_txn *txn;
        SUCCEEDS(rs_begin(store, mode, &txn));
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            EQUAL_TEXT(source_of(txn, places[i].path, places[i].name), places[i].source);
        }
        rs_abort(txn);
    }
    rs_close(store);
}

static void a_rule_says_where_it_is(void)
{
    rs_store *store = open_ruled();
    rs_txn *txn = start_reading(store);
    rs_rule rule;
    rs_error error = RS_ERROR_INIT;
    SUCCEEDS(rs_rule_get(txn, PRINT "\\Ports\\COM1", "SWITCH", &rule));
    EQUAL_TEXT(rule.key, "HKEY_REGSTORE\\Rules\\HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print\\"
                         "Ports\\*");
    EQUAL_TEXT(rule.name, "Switch");
    rs_txn_errors(txn, &error);
    GIVES(RS_ENOTFOUND, rs_rule_get(txn, PRINT, "None", &rule));
    EQUAL_TEXT(error.text, "no rule for value \"None\"");
    error = (rs_error)RS_ERROR_INIT;
    GIVES(RS_EPATH, rs_rule_get(txn, "SYSTEM\\Select", "x", &rule));
    CU_ASSERT(strstr(error.text, "SYSTEM\\Select") != NULL);
    GIVES(RS_EPATH, rs_rule_get(txn, "HKLM\\SYSTEM\\\\Select", "x", &rule));
    GIVES(RS_EINVAL, rs_rule_get(txn, NULL, "x", &rule));
    GIVES(RS_EINVAL, rs_rule_get(txn, PRINT, "x", NULL));
    rs_abort(txn);
    rs_close(store);
}

/* A link that leads nowhere, or holds no path, is no way: then the names alone decide. */
static void broken_links_are_passed_by(void)
{
    rs_store *store = open_ruled();
    rs_txn *txn = start_writing(store);
    rs_key link;
    set_rule(txn, "HKLM\\Link\\Below", "v", "type=REG_DWORD|source=below");
    SUCCEEDS(rs_link_create(txn, RS_NO_KEY, "HKLM\\Link", "HKLM\\Nowhere", 0, &link));
    EQUAL_TEXT(source_of(txn, "HKLM\\Link\\Below", "v"), "below");
    SUCCEEDS(rs_value_set(txn, link, "SymbolicLinkValue", REG_LINK, "odd", 3));
    EQUAL_TEXT(source_of(txn, "HKLM\\Link\\Below", "v"), "below");
    SUCCEEDS(rs_key_delete(txn, link, 0));
    SUCCEEDS(rs_link_create(txn, RS_NO_KEY, "HKLM\\Link", "HKLM\\Link", 0, &link));
    EQUAL_TEXT(source_of(txn, "HKLM\\Link\\Below", "v"), "below");
    rs_abort(txn);
    rs_close(store);
}

static void without_rules_there_are_none(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_reading(store);
    EQUAL_TEXT(source_of(txn, PRINT, "Timeout"), "none");
    EQUAL_TEXT(source_of(txn, "HKRS\\Rules\\HKLM", "Timeout"), "none");
    rs_abort(txn);
    rs_close(store);
}

/* ---- All rules of a key ---- */

static int add_rule(void *context, const rs_rule *rule)
{
    struct buffer *text = context;
    return buffer_printf(text, "%s=%s;", rule->name, rule->source);
}

static int stop_at_once(void *context, const rs_rule *rule)
{
    (void)rule;
    ++*(int *)context;
    return 42;
}

static void expect_rules(rs_txn *txn, const char *path, const char *expected)
{
    struct buffer text = BUFFER_INIT;
    SUCCEEDS(rs_rules(txn, path, RS_NTS, add_rule, &text));
    SUCCEEDS(buffer_terminate(&text));
    EQUAL_TEXT(text.data, expected);
    buffer_free(&text);
}

static void rules_of_a_key_are_listed(void)
{
    rs_store *store = open_ruled();
    rs_txn *txn = start_writing(store);
    int calls = 0;
    expect_rules(txn, PRINT "\\Ports\\LPT1", "Speed=speed;Switch=lpt1;");
    expect_rules(txn, PRINT "\\Ports\\COM7", "Switch=any port;");
    expect_rules(txn, PRINT "\\Ports", "");
    expect_rules(txn, "HKRS", "");
    GIVES(42, rs_rules(txn, PRINT "\\Ports\\LPT1", RS_NTS, stop_at_once, &calls));
    CU_ASSERT_EQUAL(calls, 1);
    GIVES(RS_EINVAL, rs_rules(txn, PRINT, RS_NTS, NULL, NULL));
    set_rule(txn, PRINT "\\Ports\\LPT1", "Broken", "type=none");
    set_rule(txn, PRINT "\\Ports\\LPT1", "Speed", "type=REG_DWORD|source=own speed");
    expect_rules(txn, PRINT "\\Ports\\LPT1", "Speed=own speed;Switch=lpt1;");
    rs_abort(txn);
    rs_close(store);
}

/* ---- What a transaction changes ---- */

static void a_transaction_sees_its_own_rules(void)
{
    rs_store *store = open_ruled();
    rs_txn *txn = start_writing(store);
    EQUAL_TEXT(source_of(txn, PRINT, "Timeout"), "print");
    set_rule(txn, PRINT, "Timeout", "type=REG_DWORD|source=new");
    EQUAL_TEXT(source_of(txn, PRINT, "Timeout"), "new");
    set_rule(txn, PRINT, "Timeout", NULL);
    EQUAL_TEXT(source_of(txn, PRINT, "Timeout"), "any set");
    SUCCEEDS(rs_key_rename(txn, find_key(txn, "HKRS\\Rules\\HKLM\\SYSTEM\\*"), "ControlSet001"));
    EQUAL_TEXT(source_of(txn, PRINT, "Timeout"), "any set");
    EQUAL_TEXT(source_of(txn, "HKLM\\SYSTEM\\ControlSet003\\Control\\Print", "Timeout"), "none");
    SUCCEEDS(rs_key_delete(txn, find_key(txn, "HKRS\\Rules"), RS_RECURSIVE));
    EQUAL_TEXT(source_of(txn, PRINT, "Timeout"), "none");
    rs_abort(txn);
    rs_close(store);
}

static void later_snapshots_see_later_rules(void)
{
    rs_store *store = open_ruled();
    rs_txn *old = start_reading(store);
    EQUAL_TEXT(source_of(old, PRINT, "Timeout"), "print");
    rs_txn *txn = start_writing(store);
    set_rule(txn, PRINT, "Timeout", "type=REG_DWORD|source=new");
    end_writing(txn);
    EQUAL_TEXT(source_of(old, PRINT, "Timeout"), "print");
    rs_abort(old);
    txn = start_reading(store);
    EQUAL_TEXT(source_of(txn, PRINT, "Timeout"), "new");
    rs_abort(txn);
    rs_close(store);
}

/* ---- Defaults ---- */

static void defaults_are_effective(void)
{
    rs_store *store = open_ruled();
    for (unsigned mode = RS_READ; mode <= RS_WRITE; mode++) {
        rs_txn *txn;
        rs_value value = {0};
        enum rs_origin origin = RS_ORIGIN_NONE;
        uint32_t number = 0;
        const char *text = NULL;
        SUCCEEDS(rs_begin(store, mode, &txn));
        rs_key print = find_key(txn, PRINT);
        SUCCEEDS(rs_get_dword(txn, print, "timeout", &number));
        CU_ASSERT_EQUAL(number, 36000);
        SUCCEEDS(rs_effective(txn, print, "timeout", &value, &origin));
        CU_ASSERT_EQUAL(origin, RS_ORIGIN_DEFAULT);
        EQUAL_TEXT(value.name, "Timeout");
        CU_ASSERT(value.type == REG_DWORD && value.size == 4);
        SUCCEEDS(rs_get_string(txn, find_key(txn, PRINT "\\Ports\\COM1"), "Switch", &text));
        EQUAL_TEXT(text, "l");
        GIVES(RS_ETYPE, rs_get_string(txn, print, "Timeout", &text));
        GIVES(RS_ENOTFOUND, rs_get_dword(txn, print, "Other", &number));
        SUCCEEDS(rs_effective(txn, print, "Other", &value, &origin));
        CU_ASSERT_EQUAL(origin, RS_ORIGIN_NONE);
        GIVES(RS_ENOTFOUND, rs_value_get(txn, print, "Timeout", &value));
        rs_error error = RS_ERROR_INIT;
        rs_txn_errors(txn, &error);
        GIVES(RS_ENOTFOUND, rs_get_string(txn, print, "", &text));
        EQUAL_TEXT(error.text, "the default value is not set");
        rs_txn_errors(txn, NULL);
        rs_abort(txn);
    }
    rs_close(store);
}

static void what_is_set_comes_first(void)
{
    rs_store *store = open_ruled();
    rs_txn *txn = start_writing(store);
    rs_key print = find_key(txn, PRINT);
    rs_value value;
    enum rs_origin origin = RS_ORIGIN_NONE;
    set_number(txn, print, "Timeout", 5);
    CU_ASSERT_EQUAL(number_of(txn, print, "Timeout"), 5);
    SUCCEEDS(rs_effective(txn, print, "Timeout", &value, &origin));
    CU_ASSERT_EQUAL(origin, RS_ORIGIN_SET);
    SUCCEEDS(rs_value_delete(txn, print, "Timeout"));
    CU_ASSERT_EQUAL(number_of(txn, print, "Timeout"), 36000);
    rs_abort(txn);
    rs_close(store);
}

static void a_malformed_rule_gives_no_default(void)
{
    rs_store *store = open_ruled();
    rs_txn *txn = start_writing(store);
    rs_key print = find_key(txn, PRINT);
    rs_error error = RS_ERROR_INIT;
    rs_rule rule;
    uint32_t number;
    set_rule(txn, PRINT, "Timeout", "type=REG_DWORD|default=x");
    GIVES(RS_ENOTFOUND, rs_get_dword(txn, print, "Timeout", &number));
    rs_txn_errors(txn, &error);
    GIVES(RS_ERULE, rs_rule_get(txn, PRINT, "Timeout", &rule));
    EQUAL_TEXT(error.text, "the rule of \"Timeout\": default=x: no number that the type holds");
    rs_txn_errors(txn, NULL);
    SUCCEEDS(rs_set_dword(txn, find_key(txn, "HKRS\\Rules\\" PRINT), "Timeout", 1));
    GIVES(RS_ERULE, rs_rule_get(txn, PRINT, "Timeout", &rule));
    rs_abort(txn);
    rs_close(store);
}

static void lists_are_appended_to_their_default(void)
{
    rs_store *store = open_ruled();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Lists");
    const char *const *strings;
    size_t count = 0;
    int changed = 0;
    set_rule(txn, "HKLM\\Lists", "Shares", "type=REG_MULTI_SZ|default=COMCFG|default=DFS$");
    SUCCEEDS(rs_multi_append_n(txn, key, "Shares", RS_NTS, "dfs$", &changed));
    CU_ASSERT_EQUAL(changed, 0);
    SUCCEEDS(rs_multi_append(txn, key, "Shares", "NEW"));
    SUCCEEDS(rs_get_multi(txn, key, "Shares", &strings, &count));
    CU_ASSERT_EQUAL_FATAL(count, 3);
    EQUAL_TEXT(strings[0], "COMCFG");
    EQUAL_TEXT(strings[2], "NEW");
    SUCCEEDS(rs_value_delete(txn, key, "Shares"));
    SUCCEEDS(rs_multi_remove(txn, key, "Shares", "COMCFG"));
    SUCCEEDS(rs_get_multi(txn, key, "Shares", &strings, &count));
    CU_ASSERT_EQUAL_FATAL(count, 1);
    EQUAL_TEXT(strings[0], "DFS$");
    rs_abort(txn);
    rs_close(store);
}

/* More keys than are remembered, and more rule keys for one of them. */
static void many_keys_and_many_rules(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    char path[64];
    for (unsigned i = 0; i < 16; i++) {
        snprintf(path, sizeof path, "HKLM\\%s\\%s\\%s\\%s", i & 8 ? "a" : "*", i & 4 ? "b" : "*",
                 i & 2 ? "c" : "*", i & 1 ? "d" : "*");
        char fields[64];
        snprintf(fields, sizeof fields, "type=REG_DWORD|source=%u", i);
        set_rule(txn, path, "v", fields);
    }
    set_rule(txn, "HKLM\\*\\*\\*\\*", "last", "type=REG_DWORD|source=last");
    for (unsigned i = 0; i < 300; i++) {
        snprintf(path, sizeof path, "HKLM\\a\\b\\%u\\d", i);
        add_key(txn, path);
    }
    end_writing(txn);
    txn = start_reading(store);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 300; i++) {
            snprintf(path, sizeof path, "HKLM\\a\\b\\%u\\d", i);
            EQUAL_TEXT(source_of(txn, path, "v"), "13");
            /* Asked for again once what is remembered beside it is known, too. */
            snprintf(path, sizeof path, "HKLM\\a\\b\\%u\\d", i > 0 ? i - 1 : 0);
            EQUAL_TEXT(source_of(txn, path, "last"), "last");
        }
    }
    EQUAL_TEXT(source_of(txn, "HKLM\\a\\b\\c\\d", "v"), "15");
    EQUAL_TEXT(source_of(txn, "HKLM\\x\\b\\c\\d", "v"), "7");
    EQUAL_TEXT(source_of(txn, "HKLM\\x\\y\\z\\w", "v"), "0");
    rs_abort(txn);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"the most specific rule decides", the_most_specific_rule_decides},
    {"a rule says where it is", a_rule_says_where_it_is},
    {"broken links are passed by", broken_links_are_passed_by},
    {"without rules there are none", without_rules_there_are_none},
    {"rules of a key are listed", rules_of_a_key_are_listed},
    {"a transaction sees its own rules", a_transaction_sees_its_own_rules},
    {"later snapshots see later rules", later_snapshots_see_later_rules},
    {"defaults are effective", defaults_are_effective},
    {"what is set comes first", what_is_set_comes_first},
    {"a malformed rule gives no default", a_malformed_rule_gives_no_default},
    {"lists are appended to their default", lists_are_appended_to_their_default},
    {"many keys and many rules", many_keys_and_many_rules},
    {NULL, NULL},
};

const struct test_suite suite_schema_find = {"schema_find", cases};
