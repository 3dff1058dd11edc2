/*
 * test_api_values.c - typed access: each getter on each type, setters, lists appended to.
 */
#include "stores.h"

#include <stdio.h>
#include <stdlib.h>

struct bench {
    rs_store *store;
    rs_txn *txn;
    rs_key key;
};

static struct bench open_bench(void)
{
    struct bench bench = {.store = open_store()};
    bench.txn = start_writing(bench.store);
    bench.key = add_key(bench.txn, "HKLM\\Key");
    return bench;
}

static void close_bench(struct bench *bench)
{
    rs_abort(bench->txn);
    rs_close(bench->store);
}

static void set_bytes(struct bench *bench, uint32_t type, const char *data, size_t size)
{
    SUCCEEDS(rs_value_set(bench->txn, bench->key, "v", type, data, size));
}

/* ---- Getters ---- */

/* Calls every getter on the value "v"; gives the first letters of those that took it: d(word),
 * q(word), b(ool), s(tring), e(xpanded), m(ulti), y (binary). "!" before one that said RS_EDATA. */
static const char *taken(struct bench *bench)
{
    static char answer[32];
    uint32_t dword;
    uint64_t qword;
    int truth;
    const char *text;
    const char *const *list;
    size_t count;
    const void *data;
    rs_txn *txn = bench->txn;
    rs_key key = bench->key;
    const int statuses[] = {
        rs_get_dword(txn, key, "v", &dword),         rs_get_qword(txn, key, "v", &qword),
        rs_get_bool(txn, key, "v", &truth),          rs_get_string(txn, key, "v", &text),
        rs_get_expanded(txn, key, "v", &text),       rs_get_multi(txn, key, "v", &list, &count),
        rs_get_binary(txn, key, "v", &data, &count),
    };
    size_t size = 0;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        CU_ASSERT(statuses[i] == RS_OK || statuses[i] == RS_ETYPE || statuses[i] == RS_EDATA);
        if (statuses[i] == RS_EDATA) {
            answer[size++] = '!';
        }
        if (statuses[i] != RS_ETYPE) {
            answer[size++] = "dqbsemy"[i];
        }
    }
    answer[size] = '\0';
    return answer;
}

static void getters_take_their_types(void)
{
    static const struct {
        uint32_t type;
        size_t size;
        const char *taken;
    } rows[] = {
        {REG_NONE, 4, "y"},     {REG_SZ, 4, "se"},      {REG_EXPAND_SZ, 4, "se"},
        {REG_BINARY, 4, "y"},   {REG_DWORD, 4, "db"},   {REG_DWORD, 3, "!d!b"},
        {REG_DWORD, 5, "!d!b"}, {REG_DWORD, 0, "!d!b"}, {REG_DWORD, 8, "!d!b"},
        {REG_LINK, 4, ""},      {REG_MULTI_SZ, 4, "m"}, {REG_MULTI_SZ, 0, "m"},
        {REG_QWORD, 8, "q"},    {REG_QWORD, 4, "!q"},   {REG_SZ, 0, "se"},
        {REG_SZ, 3, "se"},      {0xffffffff, 4, ""},    {REG_RESOURCE_LIST, 4, ""},
    };
    struct bench bench = open_bench();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        set_bytes(&bench, rows[i].type, "a\0b\0c\0\0", rows[i].size);
        const char *answer = taken(&bench);
        if (strcmp(answer, rows[i].taken) != 0) {
            printf("  type %u, %zu bytes: \"%s\", not \"%s\"\n", rows[i].type, rows[i].size, answer,
                   rows[i].taken);
            CU_FAIL("a getter took another type than its own, or did not take that");
        }
    }
    close_bench(&bench);
}

static void numbers_come_back(void)
{
    static const uint32_t numbers[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};
    struct bench bench = open_bench();
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint64_t wide = (uint64_t)numbers[i] << 32 | 5;
        uint64_t qword = 0;
        int truth = -1;
        set_number(bench.txn, bench.key, "v", numbers[i]);
        CU_ASSERT_EQUAL(number_of(bench.txn, bench.key, "v"), numbers[i]);
        SUCCEEDS(rs_get_bool(bench.txn, bench.key, "v", &truth));
        CU_ASSERT_EQUAL(truth, numbers[i] != 0);
        SUCCEEDS(rs_set_qword(bench.txn, bench.key, "v", wide));
        SUCCEEDS(rs_get_qword(bench.txn, bench.key, "v", &qword));
        CU_ASSERT_EQUAL(qword, wide);
    }
    SUCCEEDS(rs_set_bool(bench.txn, bench.key, "v", 17));
    CU_ASSERT_EQUAL(number_of(bench.txn, bench.key, "v"), 1);
    set_bytes(&bench, REG_DWORD_BIG_ENDIAN, "\0\0\1\2", 4);
    CU_ASSERT_EQUAL(number_of(bench.txn, bench.key, "v"), 258);
    close_bench(&bench);
}

static const char *string_of(struct bench *bench)
{
    const char *text = NULL;
    SUCCEEDS(rs_get_string(bench->txn, bench->key, "v", &text));
    return text;
}

/* A string ends at its first NUL; a missing terminator and half a unit do not matter. */
static void strings_are_read_as_windows_reads_them(void)
{
    struct bench bench = open_bench();
    set_bytes(&bench, REG_SZ, "a\0b\0\0\0c\0\0", 10);
    EQUAL_TEXT(string_of(&bench), "ab");
    set_bytes(&bench, REG_SZ, "a\0b", 4);
    EQUAL_TEXT(string_of(&bench), "ab");
    set_bytes(&bench, REG_SZ, "a\0b\0c", 5);
    EQUAL_TEXT(string_of(&bench), "ab");
    set_bytes(&bench, REG_SZ, "", 0);
    EQUAL_TEXT(string_of(&bench), "");
    set_bytes(&bench, REG_SZ, "\0\xd8x\0", 4);
    EQUAL_TEXT(string_of(&bench), "\xed\xa0\x80x");
    SUCCEEDS(rs_set_string(bench.txn, bench.key, "v", "\xf0\x9f\x96\xa8 \xc3\xa9"));
    EQUAL_TEXT(string_of(&bench), "\xf0\x9f\x96\xa8 \xc3\xa9");
    rs_value value;
    SUCCEEDS(rs_value_get(bench.txn, bench.key, "v", &value));
    CU_ASSERT(value.type == REG_SZ && value.size == 10);
    close_bench(&bench);
}

static void expanding_replaces_variables(void)
{
    const char *text = NULL;
    struct bench bench = open_bench();
    setenv("RS_TEST_ROOT", "/srv", 1);
    unsetenv("RS_TEST_NONE");
    SUCCEEDS(rs_set_expanded(bench.txn, bench.key, "v", "%RS_TEST_ROOT%/x%RS_TEST_NONE%100%"));
    SUCCEEDS(rs_get_expanded(bench.txn, bench.key, "v", &text));
    EQUAL_TEXT(text, "/srv/x%RS_TEST_NONE%100%");
    EQUAL_TEXT(string_of(&bench), "%RS_TEST_ROOT%/x%RS_TEST_NONE%100%");
    SUCCEEDS(rs_set_string(bench.txn, bench.key, "v", "%RS_TEST_ROOT%"));
    SUCCEEDS(rs_get_expanded(bench.txn, bench.key, "v", &text));
    EQUAL_TEXT(text, "%RS_TEST_ROOT%");
    unsetenv("RS_TEST_ROOT");
    close_bench(&bench);
}

static void failing_getters_write_nothing(void)
{
    uint32_t dword = 77;
    uint64_t qword = 77;
    int truth = 77;
    size_t count = 77;
    const char *const *list = NULL;
    const char *text = NULL;
    const void *data = NULL;
    struct bench bench = open_bench();
    set_bytes(&bench, REG_LINK, "", 0);
    GIVES(RS_ETYPE, rs_get_dword(bench.txn, bench.key, "v", &dword));
    GIVES(RS_ETYPE, rs_get_qword(bench.txn, bench.key, "v", &qword));
    GIVES(RS_ETYPE, rs_get_bool(bench.txn, bench.key, "v", &truth));
    GIVES(RS_ETYPE, rs_get_string_n(bench.txn, bench.key, "v", 1, &text, &count));
    GIVES(RS_ETYPE, rs_get_multi(bench.txn, bench.key, "v", &list, &count));
    GIVES(RS_ETYPE, rs_get_binary(bench.txn, bench.key, "v", &data, &count));
    CU_ASSERT(dword == 77 && qword == 77 && truth == 77 && count == 77);
    CU_ASSERT(list == NULL && text == NULL && data == NULL);
    close_bench(&bench);
}

static void effective_values_tell_their_origin(void)
{
    rs_value value = {.type = 77};
    enum rs_origin origin = RS_ORIGIN_DEFAULT;
    struct bench bench = open_bench();
    SUCCEEDS(rs_effective(bench.txn, bench.key, "v", &value, &origin));
    CU_ASSERT(origin == RS_ORIGIN_NONE && value.type == 77);
    set_number(bench.txn, bench.key, "v", 3);
    SUCCEEDS(rs_effective(bench.txn, bench.key, "V", &value, &origin));
    CU_ASSERT(origin == RS_ORIGIN_SET && value.type == REG_DWORD && value.size == 4);
    GIVES(RS_EINVAL, rs_effective(bench.txn, bench.key, "v", &value, NULL));
    GIVES(RS_EDELETED, rs_effective(bench.txn, bench.key + 1000, "v", &value, &origin));
    close_bench(&bench);
}

/* ---- Lists ---- */

/* The strings of the list "v", each in brackets. */
static const char *list_of(struct bench *bench)
{
    static char text[1000];
    const char *const *list = NULL;
    size_t count = 0;
    int size = 0;
    SUCCEEDS(rs_get_multi(bench->txn, bench->key, "v", &list, &count));
    CU_ASSERT_PTR_NULL(list[count]);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        size += snprintf(text + size, sizeof text - (size_t)size, "[%s]", list[i]);
    }
    return text;
}

static void set_list(struct bench *bench, const char *const *list, size_t count)
{
    SUCCEEDS(rs_set_multi(bench->txn, bench->key, "v", list, count));
}

static int append(struct bench *bench, const char *text)
{
    int changed = -1;
    SUCCEEDS(rs_multi_append_n(bench->txn, bench->key, "v", 1, text, &changed));
    return changed;
}

static int take_out(struct bench *bench, const char *text)
{
    int changed = -1;
    SUCCEEDS(rs_multi_remove_n(bench->txn, bench->key, "v", 1, text, &changed));
    return changed;
}

static void lists_come_back(void)
{
    static const char *const list[] = {"one", "", "\xc3\xa9", "two"};
    rs_value value;
    struct bench bench = open_bench();
    set_list(&bench, list, 4);
    EQUAL_TEXT(list_of(&bench), "[one][][\xc3\xa9][two]");
    set_list(&bench, NULL, 0);
    EQUAL_TEXT(list_of(&bench), "");
    SUCCEEDS(rs_value_get(bench.txn, bench.key, "v", &value));
    CU_ASSERT_EQUAL(value.size, 2);
    set_bytes(&bench, REG_MULTI_SZ, "a\0\0\0b", 6); /* as some programs leave it */
    EQUAL_TEXT(list_of(&bench), "[a][b]");
    set_bytes(&bench, REG_MULTI_SZ, "", 0);
    EQUAL_TEXT(list_of(&bench), "");
    close_bench(&bench);
}

/* KB Q121853: the entries that exist must not be replaced. */
static void appending_keeps_the_others(void)
{
    static const char *const shares[] = {"COMCFG", "DFS$"};
    struct bench bench = open_bench();
    set_list(&bench, shares, 2);
    CU_ASSERT_EQUAL(append(&bench, "PRINTER"), 1);
    EQUAL_TEXT(list_of(&bench), "[COMCFG][DFS$][PRINTER]");
    CU_ASSERT_EQUAL(append(&bench, "printer"), 0);
    CU_ASSERT_EQUAL(append(&bench, "comcfg"), 0);
    EQUAL_TEXT(list_of(&bench), "[COMCFG][DFS$][PRINTER]");
    CU_ASSERT_EQUAL(take_out(&bench, "dfs$"), 1);
    CU_ASSERT_EQUAL(take_out(&bench, "DFS$"), 0);
    EQUAL_TEXT(list_of(&bench), "[COMCFG][PRINTER]");
    CU_ASSERT_EQUAL(take_out(&bench, "COMCFG"), 1);
    CU_ASSERT_EQUAL(take_out(&bench, "PRINTER"), 1);
    EQUAL_TEXT(list_of(&bench), "");
    CU_ASSERT_EQUAL(append(&bench, "again"), 1);
    EQUAL_TEXT(list_of(&bench), "[again]");
    close_bench(&bench);
}

static void appending_begins_a_list(void)
{
    struct bench bench = open_bench();
    CU_ASSERT_EQUAL(append(&bench, "first"), 1);
    EQUAL_TEXT(list_of(&bench), "[first]");
    rs_value value;
    SUCCEEDS(rs_value_get(bench.txn, bench.key, "v", &value));
    CU_ASSERT(value.type == REG_MULTI_SZ && value.size == 14);
    SUCCEEDS(rs_value_delete(bench.txn, bench.key, "v"));
    GIVES(RS_ENOTFOUND, rs_multi_remove(bench.txn, bench.key, "v", "x"));
    set_bytes(&bench, REG_MULTI_SZ, "a\0\0\0b", 6);
    CU_ASSERT_EQUAL(append(&bench, "c"), 1);
    EQUAL_TEXT(list_of(&bench), "[a][b][c]");
    close_bench(&bench);
}

static void empty_strings_in_lists_survive(void)
{
    static const char *const list[] = {"a", "", "b", "", "", "c"};
    struct bench bench = open_bench();
    set_list(&bench, list, 6);
    CU_ASSERT_EQUAL(append(&bench, "d"), 1);
    EQUAL_TEXT(list_of(&bench), "[a][][b][][][c][d]");
    CU_ASSERT_EQUAL(take_out(&bench, "b"), 1);
    EQUAL_TEXT(list_of(&bench), "[a][][][][c][d]");
    CU_ASSERT_EQUAL(append(&bench, ""), 0);
    CU_ASSERT_EQUAL(take_out(&bench, ""), 1);
    EQUAL_TEXT(list_of(&bench), "[a][c][d]");
    close_bench(&bench);
}

/* An empty string at the end can be told from the list's own end, and is there once. */
static void an_empty_string_is_appended_once(void)
{
    static const char *const list[] = {"a"};
    struct bench bench = open_bench();
    set_list(&bench, list, 1);
    CU_ASSERT_EQUAL(append(&bench, ""), 1);
    EQUAL_TEXT(list_of(&bench), "[a][]");
    CU_ASSERT_EQUAL(append(&bench, ""), 0);
    CU_ASSERT_EQUAL(append(&bench, "b"), 1);
    EQUAL_TEXT(list_of(&bench), "[a][][b]");
    close_bench(&bench);
}

static void appending_twice_is_one_revision(void)
{
    struct bench bench = open_bench();
    CU_ASSERT_EQUAL(append(&bench, "x"), 1);
    CU_ASSERT_EQUAL(end_writing(bench.txn), 1);
    bench.txn = start_writing(bench.store);
    CU_ASSERT_EQUAL(append(&bench, "X"), 0);
    CU_ASSERT_EQUAL(end_writing(bench.txn), 1);
    bench.txn = start_writing(bench.store);
    GIVES(RS_ETEXT, rs_multi_append(bench.txn, bench.key, "v", "\xff"));
    EQUAL_TEXT(list_of(&bench), "[x]");
    set_number(bench.txn, bench.key, "v", 1);
    GIVES(RS_ETYPE, rs_multi_append(bench.txn, bench.key, "v", "y"));
    GIVES(RS_ETYPE, rs_multi_remove(bench.txn, bench.key, "v", "y"));
    CU_ASSERT_EQUAL(number_of(bench.txn, bench.key, "v"), 1);
    close_bench(&bench);
}

static const struct test_case cases[] = {
    {"getters take their types", getters_take_their_types},
    {"numbers come back", numbers_come_back},
    {"strings are read as Windows reads them", strings_are_read_as_windows_reads_them},
    {"expanding replaces variables", expanding_replaces_variables},
    {"failing getters write nothing", failing_getters_write_nothing},
    {"effective values tell their origin", effective_values_tell_their_origin},
    {"lists come back", lists_come_back},
    {"appending keeps the others", appending_keeps_the_others},
    {"appending begins a list", appending_begins_a_list},
    {"empty strings in lists survive", empty_strings_in_lists_survive},
    {"an empty string is appended once", an_empty_string_is_appended_once},
    {"appending twice is one revision", appending_twice_is_one_revision},
    {NULL, NULL},
};
const struct test_suite suite_api_values = {"api_values", cases};
