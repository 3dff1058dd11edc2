/*
 * test_settings - a service's settings against their rules, and both in words.
 */
#include "stores.h"

#include "settings_bench.h"

#include "../services/common/settings_text.h"

#include <string.h>

static struct settings *load(rs_store *store)
{
    struct settings *settings = NULL;
    rs_txn *txn = bench_begin(store, RS_READ);
    CU_ASSERT_EQUAL_FATAL(bench_load(txn, &bench_service, &settings), RS_OK);
    rs_abort(txn);
    return settings;
}

static void expect_list(const char *const *strings, const char *joined)
{
    char text[256] = "";
    for (; *strings != NULL; strings++) {
        strncat(text, *strings, sizeof(text) - strlen(text) - 1);
        strncat(text, ",", sizeof(text) - strlen(text) - 1);
    }
    CU_ASSERT_STRING_EQUAL(text, joined);
}

/* ---- Loading */

static void absent_key_gives_defaults(void)
{
    rs_store *store = bench_open();
    struct settings *settings = load(store);
    CU_ASSERT_FALSE(settings->key_exists);
    CU_ASSERT_EQUAL(settings->set, 0);
    CU_ASSERT_EQUAL(settings->refused, 0);
    CU_ASSERT_EQUAL(settings->values[RATE].number, 2);
    CU_ASSERT_EQUAL(settings->values[RATE].origin, SETTING_FROM_DEFAULT);
    CU_ASSERT_EQUAL(settings->values[SWITCH].number, 1);
    CU_ASSERT_STRING_EQUAL(settings->values[COMMENT].text, "none");
    expect_list(settings->values[SHARES].strings, "one,two,");
    CU_ASSERT_FALSE(settings->values[BUFFERS].known);
    settings_free(settings);
    rs_close(store);
}

static void set_values_are_read(void)
{
    static const char *const shares[] = {"A", "", "C"};
    rs_store *store = bench_open();
    bench_set_dword(store, "rate", 5); /* names do not depend on case */
    bench_set_dword(store, "Level", 0xffffffffu);
    bench_set_dword(store, "Switch", 0);
    bench_set_dword(store, "Buffers", 512);
    bench_set_string(store, "Comment", "caf\xc3\xa9");
    bench_set_multi(store, "Shares", shares, 3);
    struct settings *settings = load(store);
    CU_ASSERT_TRUE(settings->key_exists);
    CU_ASSERT_EQUAL(settings->set, ROWS);
    CU_ASSERT_EQUAL(settings->values[RATE].number, 5);
    CU_ASSERT_EQUAL(settings->values[RATE].origin, SETTING_FROM_STORE);
    CU_ASSERT_EQUAL(settings->values[LEVEL].number, 0xffffffffu);
    CU_ASSERT_EQUAL(settings->values[SWITCH].number, 0);
    CU_ASSERT_TRUE(settings->values[BUFFERS].known);
    CU_ASSERT_EQUAL(settings->values[BUFFERS].number, 512);
    CU_ASSERT_STRING_EQUAL(settings->values[COMMENT].text, "caf\xc3\xa9");
    expect_list(settings->values[SHARES].strings, "A,,C,");
    settings_free(settings);
    rs_close(store);
}

static void one_snapshot_is_read(void)
{
    struct settings *settings = NULL;
    rs_store *store = bench_open();
    uint64_t first = bench_set_dword(store, "Rate", 3);
    rs_txn *txn = bench_begin(store, RS_READ);
    bench_set_dword(store, "Rate", 4);
    CU_ASSERT_EQUAL_FATAL(bench_load(txn, &bench_service, &settings), RS_OK);
    rs_abort(txn);
    CU_ASSERT_EQUAL(settings->values[RATE].number, 3);
    CU_ASSERT_EQUAL(settings->revision, first);
    settings_free(settings);
    rs_close(store);
}

/* What is allowed at the bounds and beyond; a refused value leaves the default in its place. */
static void numbers_are_held_to_their_bounds(void)
{
    static const struct {
        int row;
        uint32_t number;
        bool allowed;
        uint32_t stands_in;
    } cases[] = {
        {RATE, 0, false, 2},
        {RATE, 1, true, 2},
        {RATE, 5, true, 2},
        {RATE, 6, false, 2},
        {LEVEL, 0, true, 0},
        {LEVEL, 1, true, 0},
        {LEVEL, 2, false, 0},
        {LEVEL, 0xfffffffeu, false, 0},
        {LEVEL, 0xffffffffu, true, 0},
        {SWITCH, 1, true, 1},
        {SWITCH, 2, false, 1},
        {BUFFERS, 513, false, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct setting *row = &bench_table[cases[i].row];
        rs_store *store = bench_open();
        bench_set_dword(store, row->name, cases[i].number);
        struct settings *settings = load(store);
        const struct setting_value *value = &settings->values[cases[i].row];
        CU_ASSERT_EQUAL(settings->refused, cases[i].allowed ? 0 : 1);
        CU_ASSERT_EQUAL(value->number, cases[i].allowed ? cases[i].number : cases[i].stands_in);
        CU_ASSERT_EQUAL(value->origin, cases[i].allowed ? SETTING_FROM_STORE : SETTING_REFUSED);
        settings_free(settings);
        /* Mended for the next case. */
        rs_txn *txn = bench_begin(store, RS_WRITE);
        CU_ASSERT_EQUAL(rs_value_delete(txn, bench_key(txn), row->name), RS_OK);
        bench_commit(txn);
        rs_close(store);
    }
}

static void expect_refusal(rs_store *store, int row, const char *expected)
{
    struct line line = LINE_INIT;
    struct settings *settings = load(store);
    CU_ASSERT_EQUAL(settings->values[row].origin, SETTING_REFUSED);
    settings_add_refusal(&line, &bench_table[row], &settings->values[row]);
    CU_ASSERT_STRING_EQUAL(line.text, expected);
    settings_free(settings);
}

static void refusals_say_why(void)
{
    rs_store *store = bench_open();
    bench_set_dword(store, "Rate", 9);
    expect_refusal(store, RATE, "Rate: 9 is given, the rule says 1 to 5 ms (Q1)");
    bench_set_dword(store, "Level", 7);
    expect_refusal(store, LEVEL, "Level: 7 is given, the rule says 0, 1 or 0xffffffff (Q2)");
    bench_set_string(store, "Switch", "1");
    expect_refusal(store, SWITCH, "Switch: a REG_SZ is given, the rule says REG_DWORD (Q3)");
    bench_set_dword(store, "Comment", 1);
    expect_refusal(store, COMMENT,
                   "Comment: a REG_DWORD is given, the rule says REG_SZ (regstore)");
    bench_set_string(store, "Shares", "A");
    expect_refusal(store, SHARES, "Shares: a REG_SZ is given, the rule says REG_MULTI_SZ (Q5)");
    bench_set_bytes(store, "Buffers", REG_DWORD, "\1\0\0", 3);
    expect_refusal(store, BUFFERS, "Buffers: 3 bytes are given, a REG_DWORD has 4 (Q6)");
    bench_set_bytes(store, "Buffers", 0x20000, "\1\0\0\0", 4);
    expect_refusal(store, BUFFERS, "Buffers: a REG_0x20000 is given, the rule says REG_DWORD (Q6)");
    rs_close(store);
}

static void all_refusals_stand_in_one_line(void)
{
    struct line line = LINE_INIT;
    rs_store *store = bench_open();
    bench_set_dword(store, "Rate", 0);
    bench_set_dword(store, "Switch", 2);
    struct settings *settings = load(store);
    CU_ASSERT_EQUAL(settings->refused, 2);
    line_add(&line, "no: ");
    settings_add_refusals(&line, settings);
    CU_ASSERT_STRING_EQUAL(line.text, "no: Rate: 0 is given, the rule says 1 to 5 ms (Q1); Switch: "
                                      "2 is given, the rule says 0 to 1 (Q3)");
    settings_free(settings);
    rs_close(store);
}

static void changes_are_described(void)
{
    static const char *const shares[] = {"one", "two", "a \"b\""};
    struct line line = LINE_INIT;
    rs_store *store = bench_open();
    bench_set_dword(store, "Level", 1);
    struct settings *before = load(store);
    bench_set_dword(store, "Rate", 5);
    bench_set_dword(store, "Level", 0xffffffffu);
    bench_set_string(store, "Comment", "hello");
    bench_set_multi(store, "Shares", shares, 3);
    bench_set_dword(store, "Buffers", 9);
    struct settings *after = load(store);
    CU_ASSERT_EQUAL(settings_add_changes(&line, before, after), 5);
    CU_ASSERT_STRING_EQUAL(line.text,
                           "Rate 2 -> 5 ms, Level 1 -> 0xffffffff, Comment \"none\" -> \"hello\", "
                           "Shares [\"one\", \"two\"] -> [\"one\", \"two\", \"a \\x22b\\x22\"], "
                           "Buffers chosen by the service -> 9 (from the next start)");
    line = (struct line)LINE_INIT;
    CU_ASSERT_EQUAL(settings_add_changes(&line, after, before), 5);
    CU_ASSERT_PTR_NOT_NULL(strstr(line.text, "Rate 5 -> 2 ms (default), "));
    CU_ASSERT_PTR_NOT_NULL(strstr(line.text, "Buffers 9 -> chosen by the service"));
    settings_free(before);
    settings_free(after);
    rs_close(store);
}

/* Setting a value to its default, and another order of a list. */
static void only_meaning_counts_as_change(void)
{
    static const char *const swapped[] = {"two", "one"};
    struct line line = LINE_INIT;
    rs_store *store = bench_open();
    struct settings *before = load(store);
    bench_set_dword(store, "Rate", 2);
    bench_set_multi(store, "Shares", default_list, 2);
    struct settings *same = load(store);
    CU_ASSERT_EQUAL(settings_add_changes(&line, before, same), 0);
    CU_ASSERT_EQUAL(line.length, 0);
    bench_set_multi(store, "Shares", swapped, 2);
    struct settings *other = load(store);
    CU_ASSERT_EQUAL(settings_add_changes(&line, same, other), 1);
    settings_free(before);
    settings_free(same);
    settings_free(other);
    rs_close(store);
}

/* ---- Rules */

/* Puts a rule into the store, in a transaction of its own. */
static void store_rule(rs_store *store, const char *name, const char *fields)
{
    rs_txn *txn = bench_begin(store, RS_WRITE);
    set_rule(txn, BENCH_KEY, name, fields);
    bench_commit(txn);
}

static void rules_of_the_store_come_first(void)
{
    rs_store *store = bench_open();
    store_rule(store, "rate", "type=REG_DWORD|min=10|default=20|applies=restart");
    store_rule(store, "Comment", "type=REG_SZ|enum=a|enum=b|default=b|unit=letters|source=here");
    store_rule(store, "Shares", "type=REG_MULTI_SZ|default=");
    struct settings *settings = load(store);
    const struct setting_value *rate = &settings->values[RATE];
    CU_ASSERT_EQUAL(rate->origin, SETTING_FROM_RULE);
    CU_ASSERT_EQUAL(rate->number, 20);
    CU_ASSERT_EQUAL(rate->applies, RS_APPLIES_RESTART);
    EQUAL_TEXT(rate->allowed, "at least 10");
    EQUAL_TEXT(rate->unit, "");
    EQUAL_TEXT(rate->source, "");
    EQUAL_TEXT(settings->values[COMMENT].text, "b");
    EQUAL_TEXT(settings->values[COMMENT].allowed, "\"a\", \"b\"");
    EQUAL_TEXT(settings->values[COMMENT].unit, "letters");
    expect_list(settings->values[SHARES].strings, "");
    CU_ASSERT_TRUE(settings->values[SHARES].known);
    CU_ASSERT_EQUAL(settings->values[SWITCH].origin, SETTING_FROM_DEFAULT);
    settings_free(settings);
    bench_set_dword(store, "Rate", 10); /* the rule that ships allows 5 at most */
    settings = load(store);
    CU_ASSERT_EQUAL(settings->values[RATE].origin, SETTING_FROM_STORE);
    CU_ASSERT_EQUAL(settings->values[RATE].number, 10);
    settings_free(settings);
    rs_close(store);
}

/* What the service cannot read stays away from it, whatever the store's rule is. */
static void rules_of_other_types_give_way(void)
{
    rs_store *store = bench_open();
    store_rule(store, "Rate", "type=REG_SZ|default=fast");
    store_rule(store, "Comment", "type=REG_EXPAND_SZ|default=%A%");
    struct settings *settings = load(store);
    CU_ASSERT_EQUAL(settings->values[RATE].origin, SETTING_FROM_DEFAULT);
    CU_ASSERT_EQUAL(settings->values[RATE].number, 2);
    CU_ASSERT_EQUAL(settings->values[COMMENT].origin, SETTING_FROM_RULE);
    EQUAL_TEXT(settings->values[COMMENT].text, "%A%");
    settings_free(settings);
    rs_close(store);
}

/* Where the key is, a value that has to be set is; the default stands in for it. */
static void required_values_are_missed(void)
{
    rs_store *store = bench_open();
    store_rule(store, "Rate", "type=REG_DWORD|required=yes|default=7");
    struct settings *settings = load(store);
    CU_ASSERT_EQUAL(settings->refused, 0);
    CU_ASSERT_EQUAL(settings->values[RATE].number, 7);
    settings_free(settings);
    store_rule(store, "Rate", NULL);
    bench_set_dword(store, "Switch", 1);
    store_rule(store, "Rate", "type=REG_DWORD|required=yes|default=7");
    expect_refusal(store, RATE, "Rate: nothing is set, the rule says that it has to be");
    rs_close(store);
}

static void a_row_without_a_rule_is_a_mistake(void)
{
    static const struct setting table[] = {{"Unruled", SETTING_NUMBER}};
    struct settings *settings = NULL;
    struct service service = bench_service;
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_READ);
    service.table = table;
    service.count = 1;
    CU_ASSERT_EQUAL(bench_load(txn, &service, &settings), RS_ERULE);
    CU_ASSERT_PTR_NULL(settings);
    rs_abort(txn);
    rs_close(store);
}

/* Those of hives/rules/, as the build has made them. */
static void shipped_rules_are_rules(void)
{
    size_t count = 0;
    for (const struct shipped_rule *at = shipped_rules; at->key != NULL; at++, count++) {
        rs_error error = RS_ERROR_INIT;
        rs_rule *rule = NULL;
        CU_ASSERT_EQUAL(rs_rule_parse(at->name, at->data, at->size, &rule, &error), RS_OK);
        EQUAL_TEXT(error.text, "");
        CU_ASSERT(*rule->text != '\0' && *rule->source != '\0');
        rs_free(rule);
    }
    CU_ASSERT(count > 40);
}

/* ---- Lines */

static void quoted_text_stays_on_its_line(void)
{
    struct line line = LINE_INIT;
    line_add_quoted(&line, "a\nb\x1b[1m\xc2\x9b\xed\xa0\x80\x7f \xc3\xa9 SQL\\QUERY");
    CU_ASSERT_STRING_EQUAL(line.text, "\"a\\x0ab\\x1b[1m\\xc2\\x9b\\xed\\xa0\\x80\\x7f \xc3\xa9 "
                                      "SQL\\QUERY\"");
}

/* What is not seen but turns the text, or makes two names look the same, is; its neighbours are
 * not.
 */
static void what_changes_text_is_quoted_as_bytes(void)
{
    static const struct {
        const char *text;
        const char *quoted;
    } rows[] = {
        {"\u200a\u200b\u200f\u2010", "\u200a\\xe2\\x80\\x8b\\xe2\\x80\\x8f\u2010"},
        {"\u2027\u2028\u202e\u202f", "\u2027\\xe2\\x80\\xa8\\xe2\\x80\\xae\u202f"},
        {"\u2065\u2066\u206f\u2070", "\u2065\\xe2\\x81\\xa6\\xe2\\x81\\xaf\u2070"},
        {"\u00a0\u00ad\u061b\u061c", "\u00a0\\xc2\\xad\u061b\\xd8\\x9c"},
        {"\ufeff\ufffd\U000e0020\U0010ffff", "\\xef\\xbb\\xbf\ufffd\\xf3\\xa0\\x80\\xa0\U0010ffff"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct line line = LINE_INIT;
        struct line wanted = LINE_INIT;
        line_add_quoted(&line, rows[i].text);
        line_add(&wanted, "\"%s\"", rows[i].quoted);
        CU_ASSERT_STRING_EQUAL(line.text, wanted.text);
    }
}

static void long_text_is_cut_between_characters(void)
{
    char text[3 * LINE_QUOTED_MAX];
    struct line line = LINE_INIT;
    memset(text, 'x', sizeof(text));
    memcpy(text + LINE_QUOTED_MAX - 1, "\xc3\xa9", 2);
    text[sizeof(text) - 1] = '\0';
    line_add_quoted(&line, text);
    CU_ASSERT_EQUAL(line.length, strlen("\"...\"") + LINE_QUOTED_MAX + 1);
    CU_ASSERT_STRING_EQUAL(line.text + LINE_QUOTED_MAX, "\xc3\xa9...\"");
}

static void what_is_no_text_is_quoted_as_bytes(void)
{
    struct line line = LINE_INIT;
    char bytes[3 * LINE_QUOTED_MAX];
    line_add_quoted(&line, "\xff\xfe \xc3 \xe2\x82");
    CU_ASSERT_STRING_EQUAL(line.text, "\"\\xff\\xfe \\xc3 \\xe2\\x82\"");
    line = (struct line)LINE_INIT;
    memset(bytes, 0x80, sizeof(bytes));
    bytes[sizeof(bytes) - 1] = '\0';
    line_add_quoted(&line, bytes);
    CU_ASSERT_EQUAL(line.length, strlen("\"...\"") + strlen("\\x80") * LINE_QUOTED_MAX);
}

static void full_line_ends_in_dots(void)
{
    struct line line = LINE_INIT;
    for (int i = 0; i < LINE_SIZE; i++) {
        line_add(&line, "%s", "word ");
    }
    CU_ASSERT_EQUAL(line.length, LINE_SIZE - 1);
    CU_ASSERT_EQUAL(strlen(line.text), LINE_SIZE - 1);
    CU_ASSERT_STRING_EQUAL(line.text + LINE_SIZE - 4, "...");
}

static const struct test_case cases[] = {
    {"an absent key gives the defaults", absent_key_gives_defaults},
    {"set values are read", set_values_are_read},
    {"one snapshot is read", one_snapshot_is_read},
    {"numbers are held to their bounds", numbers_are_held_to_their_bounds},
    {"refusals say why", refusals_say_why},
    {"all refusals stand in one line", all_refusals_stand_in_one_line},
    {"changes are described", changes_are_described},
    {"only meaning counts as change", only_meaning_counts_as_change},
    {"rules of the store come first", rules_of_the_store_come_first},
    {"rules of other types give way", rules_of_other_types_give_way},
    {"required values are missed", required_values_are_missed},
    {"a row without a rule is a mistake", a_row_without_a_rule_is_a_mistake},
    {"shipped rules are rules", shipped_rules_are_rules},
    {"quoted text stays on its line", quoted_text_stays_on_its_line},
    {"what changes text is quoted as bytes", what_changes_text_is_quoted_as_bytes},
    {"long text is cut between characters", long_text_is_cut_between_characters},
    {"a full line ends in dots", full_line_ends_in_dots},
    {"what is no text is quoted as bytes", what_is_no_text_is_quoted_as_bytes},
    {NULL, NULL},
};

const struct test_suite suite_settings = {"settings", cases};
