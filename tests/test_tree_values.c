/*
 * test_tree_values.c - values: names, order, bytes and type numbers, limits, what they are told as.
 */
#include "stores.h"

#include <stdio.h>
#include <stdlib.h>

#define E_ACUTE "\xc3\xa9"
#define E_ACUTE_CAPITAL "\xc3\x89"
#define CJK "\xe4\xb8\xad"

static rs_value value_of(rs_txn *txn, rs_key key, const char *name)
{
    rs_value value = {0};
    SUCCEEDS(rs_value_get(txn, key, name, &value));
    return value;
}

static void bytes_and_types_are_kept(void)
{
    static const uint32_t types[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 0x80000000, 0xffffffff};
    static const char odd[] = {1, 0, (char)0xff};
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Values");
    char name[16];
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        snprintf(name, sizeof name, "%zu", i);
        SUCCEEDS(rs_value_set(txn, key, name, types[i], odd, i % 4));
    }
    end_writing(txn);
    txn = start_reading(store);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        snprintf(name, sizeof name, "%zu", i);
        rs_value value = value_of(txn, key, name);
        CU_ASSERT_EQUAL(value.type, types[i]);
        CU_ASSERT_EQUAL_FATAL(value.size, i % 4);
        CU_ASSERT_PTR_NOT_NULL_FATAL(value.data);
        CU_ASSERT_EQUAL(memcmp(value.data, odd, value.size), 0);
        EQUAL_TEXT(value.name, name);
    }
    CU_ASSERT_EQUAL(info_of(txn, key).values, sizeof types / sizeof *types);
    rs_abort(txn);
    rs_close(store);
}

static void the_default_value_has_no_name(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Values");
    rs_value value;
    GIVES(RS_ENOTFOUND, rs_value_get(txn, key, "", &value));
    set_number(txn, key, "First", 1);
    set_number(txn, key, "", 2);
    CU_ASSERT_EQUAL(number_of(txn, key, NULL), 2);
    EQUAL_TEXT(value_of(txn, key, "").name, "");
    EQUAL_TEXT(values_of(txn, key), "First,");
    SUCCEEDS(rs_value_delete(txn, key, ""));
    GIVES(RS_ENOTFOUND, rs_value_delete(txn, key, ""));
    EQUAL_TEXT(values_of(txn, key), "First");
    end_writing(txn);
    rs_close(store);
}

static void values_come_in_order_of_creation(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Values");
    set_number(txn, key, "Zulu", 1);
    set_number(txn, key, "alpha", 2);
    set_number(txn, key, "Mike", 3);
    end_writing(txn);
    txn = start_writing(store);
    set_number(txn, key, "ALPHA", 4);
    EQUAL_TEXT(values_of(txn, key), "Zulu,alpha,Mike");
    CU_ASSERT_EQUAL(number_of(txn, key, "Alpha"), 4);
    SUCCEEDS(rs_value_delete(txn, key, "zulu"));
    set_number(txn, key, "zulu", 5);
    end_writing(txn);
    txn = start_reading(store);
    EQUAL_TEXT(values_of(txn, key), "alpha,Mike,zulu");
    CU_ASSERT_EQUAL(info_of(txn, key).values, 3);
    rs_abort(txn);
    rs_close(store);
}

static void an_overwritten_value_keeps_its_spelling(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Values");
    SUCCEEDS(rs_set_string(txn, key, E_ACUTE, "one"));
    SUCCEEDS(rs_set_dword(txn, key, E_ACUTE_CAPITAL, 2));
    EQUAL_TEXT(values_of(txn, key), E_ACUTE);
    EQUAL_TEXT(value_of(txn, key, E_ACUTE_CAPITAL).name, E_ACUTE);
    CU_ASSERT_EQUAL(info_of(txn, key).values, 1);
    CU_ASSERT_EQUAL(stat_of(txn).values, 1);
    end_writing(txn);
    rs_close(store);
}

static void names_may_hold_anything(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Values");
    rs_value value;
    SUCCEEDS(rs_set_dword_n(txn, key, "a\0b", 3, 1));
    SUCCEEDS(rs_set_dword_n(txn, key, "a", 1, 2));
    SUCCEEDS(rs_set_dword_n(txn, key, "back\\slash", RS_NTS, 3));
    SUCCEEDS(rs_set_dword_n(txn, key, "\xed\xa0\x80", 3, 4));
    GIVES(RS_ETEXT, rs_set_dword_n(txn, key, "\xff", 1, 5));
    SUCCEEDS(rs_value_get_n(txn, key, "A\0B", 3, &value));
    CU_ASSERT_EQUAL(value.name_len, 3);
    CU_ASSERT_EQUAL(memcmp(value.name, "a\0b", 4), 0);
    CU_ASSERT_EQUAL(number_of(txn, key, "A"), 2);
    CU_ASSERT_EQUAL(number_of(txn, key, "\xed\xa0\x80"), 4);
    CU_ASSERT_EQUAL(info_of(txn, key).values, 4);
    end_writing(txn);
    rs_close(store);
}

/* ---- Limits ---- */

static void a_name_has_at_most_16383_units(void)
{
    static const char *const units[] = {"a", CJK};
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Values");
    for (uint32_t i = 0; i < 2; i++) {
        const char *name = repeated(units[i], RS_MAX_VALUE_NAME);
        set_number(txn, key, name, i);
        GIVES(RS_ETOOLONG, rs_set_dword(txn, key, repeated(units[i], RS_MAX_VALUE_NAME + 1), 9));
        CU_ASSERT_EQUAL(number_of(txn, key, name), i);
        CU_ASSERT_EQUAL(strlen(value_of(txn, key, name).name), strlen(name));
    }
    CU_ASSERT_EQUAL(info_of(txn, key).values, 2);
    end_writing(txn);
    rs_close(store);
}

#define LONG_NAMES 300u

static const char *long_name(unsigned number)
{
    static char name[70000];
    snprintf(name, sizeof name, "%s%u", repeated(CJK, 160 + number % 7), number);
    return name;
}

/* Many names that are alike for more bytes than the table's keys hold, some of them deleted. */
static void long_names_are_told_apart(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Values");
    rs_value value;
    for (unsigned i = 0; i < LONG_NAMES; i++) {
        set_number(txn, key, long_name(i), i);
    }
    for (unsigned i = 0; i < LONG_NAMES; i += 3) {
        SUCCEEDS(rs_value_delete(txn, key, long_name(i)));
    }
    end_writing(txn);
    txn = start_reading(store);
    for (unsigned i = 0; i < LONG_NAMES; i++) {
        if (i % 3 == 0) {
            GIVES(RS_ENOTFOUND, rs_value_get(txn, key, long_name(i), &value));
        } else {
            CU_ASSERT_EQUAL(number_of(txn, key, long_name(i)), i);
        }
    }
    CU_ASSERT_EQUAL(info_of(txn, key).values, LONG_NAMES - LONG_NAMES / 3);
    rs_abort(txn);
    rs_close(store);
}

static void data_has_at_most_16_mib(void)
{
    unsigned char *data = malloc(RS_MAX_DATA + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(data);
    for (size_t i = 0; i <= RS_MAX_DATA; i++) {
        data[i] = (unsigned char)(i * 7 >> 3);
    }
    rs_error error = RS_ERROR_INIT;
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Values");
    rs_txn_errors(txn, &error);
    GIVES(RS_ETOOBIG, rs_set_binary(txn, key, "Big", data, RS_MAX_DATA + 1));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "16777217"));
    CU_ASSERT_EQUAL(info_of(txn, key).values, 0);
    SUCCEEDS(rs_set_binary(txn, key, "Big", data, RS_MAX_DATA));
    end_writing(txn);
    txn = start_reading(store);
    rs_value value = value_of(txn, key, "Big");
    CU_ASSERT_EQUAL_FATAL(value.size, RS_MAX_DATA);
    CU_ASSERT_EQUAL(memcmp(value.data, data, RS_MAX_DATA), 0);
    rs_abort(txn);
    rs_close(store);
    free(data);
}

/* ---- What a transaction returns ---- */

/* What was returned stays, whatever is written after it. */
static void returned_values_stay_in_a_write_transaction(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Values");
    char name[16];
    rs_value values[100];
    rs_key_info info = info_of(txn, key);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "v%u", i);
        SUCCEEDS(rs_set_string(txn, key, name, repeated(name, i)));
        values[i] = value_of(txn, key, name);
        set_number(txn, add_key(txn, "HKLM\\Other"), name, i);
        set_number(txn, key, "v0", i);
    }
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "v%u", i);
        EQUAL_TEXT(values[i].name, name);
        CU_ASSERT_EQUAL(values[i].size, 2 * (strlen(name) * i + 1));
        CU_ASSERT_EQUAL(*(const char *)values[i].data, i > 0 ? 'v' : 0);
    }
    EQUAL_TEXT(info.name, "Values");
    end_writing(txn);
    rs_close(store);
}

/* A value may be set from what was read, under its own name too. */
static void a_value_is_copied_onto_others(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Values");
    rs_cursor *cursor;
    rs_value value;
    SUCCEEDS(rs_set_string(txn, key, "a", "text"));
    SUCCEEDS(rs_set_string(txn, key, "b", "other"));
    SUCCEEDS(rs_values(txn, key, &cursor));
    while (rs_next_value(cursor, &value) == RS_OK) {
        SUCCEEDS(rs_value_set(txn, key, "copy", value.type, value.data, value.size));
        SUCCEEDS(rs_value_delete_n(txn, key, value.name, value.name_len));
    }
    rs_cursor_close(cursor);
    const char *text;
    SUCCEEDS(rs_get_string(txn, key, "copy", &text));
    EQUAL_TEXT(text, "other");
    EQUAL_TEXT(values_of(txn, key), "copy");
    end_writing(txn);
    rs_close(store);
}

static void a_cursor_shows_the_key_as_it_was(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Values");
    rs_cursor *cursor;
    rs_value value;
    for (uint32_t i = 0; i < 5; i++) {
        char name[2] = {(char)('a' + i), 0};
        set_number(txn, key, name, i);
    }
    SUCCEEDS(rs_values(txn, key, &cursor));
    for (uint32_t i = 0; i < 5; i++) {
        SUCCEEDS(rs_next_value(cursor, &value));
        CU_ASSERT_EQUAL(*value.name, (char)('a' + i));
        CU_ASSERT_EQUAL(*(const unsigned char *)value.data, i);
        set_number(txn, key, "e", 100);
        SUCCEEDS(rs_key_delete(txn, add_key(txn, "HKLM\\Values\\Sub"), 0));
        if (i < 4) {
            SUCCEEDS(rs_value_delete_n(txn, key, value.name, 1));
        }
    }
    GIVES(RS_END, rs_next_value(cursor, &value));
    GIVES(RS_END, rs_next_value(cursor, &value));
    rs_cursor_close(cursor);
    EQUAL_TEXT(values_of(txn, key), "e");
    end_writing(txn);
    rs_close(store);
}

static void a_cursor_leaves_out_deleted_subkeys(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key base = add_key(txn, "HKLM\\Base");
    rs_cursor *cursor;
    rs_key_info info;
    add_key(txn, "HKLM\\Base\\a");
    rs_key b = add_key(txn, "HKLM\\Base\\b");
    add_key(txn, "HKLM\\Base\\c");
    SUCCEEDS(rs_subkeys(txn, base, &cursor));
    SUCCEEDS(rs_next_key(cursor, &info));
    EQUAL_TEXT(info.name, "a");
    SUCCEEDS(rs_key_delete(txn, b, 0));
    add_key(txn, "HKLM\\Base\\b");
    add_key(txn, "HKLM\\Base\\d");
    SUCCEEDS(rs_next_key(cursor, &info));
    EQUAL_TEXT(info.name, "c");
    GIVES(RS_END, rs_next_key(cursor, &info));
    rs_cursor_close(cursor);
    EQUAL_TEXT(subkeys_of(txn, base), "a,b,c,d");
    end_writing(txn);
    rs_close(store);
}

static void equal_data_changes_nothing(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Values");
    set_number(txn, key, "Size", 3);
    SUCCEEDS(rs_value_set(txn, key, "None", REG_NONE, NULL, 0));
    CU_ASSERT_EQUAL(end_writing(txn), 1);
    txn = start_writing(store);
    set_number(txn, key, "SIZE", 3);
    SUCCEEDS(rs_value_set(txn, key, "None", REG_NONE, NULL, 0));
    CU_ASSERT_EQUAL(end_writing(txn), 1);
    txn = start_writing(store);
    SUCCEEDS(rs_value_set(txn, key, "Size", REG_BINARY, "\3\0\0", 4));
    CU_ASSERT_EQUAL(end_writing(txn), 2);
    rs_close(store);
}

#define LISTED 50u /* keys, of which each seventh is deleted again */

/* Names of subkeys or values; "gone" of a key that was deleted. */
static const char *list_of(rs_txn *txn, rs_key key, bool values)
{
    rs_key_info info;
    rs_cursor *cursor;
    if (rs_key_info_get(txn, key, &info) == RS_EDELETED) {
        GIVES(RS_EDELETED, values ? rs_values(txn, key, &cursor) : rs_subkeys(txn, key, &cursor));
        return "gone";
    }
    return values ? values_of(txn, key) : subkeys_of(txn, key);
}

/* Up to eight subkeys and six values a key, the default value among them. */
static void make_listed(rs_store *store, rs_key keys[LISTED])
{
    char name[16];
    rs_txn *txn = start_writing(store);
    keys[0] = add_key(txn, "HKLM\\Lists");
    for (unsigned i = 1; i < LISTED; i++) {
        snprintf(name, sizeof name, "k%u", i);
        SUCCEEDS(rs_key_create(txn, keys[i / 8], name, &keys[i]));
        for (unsigned value = 0; value < i % 7; value++) {
            snprintf(name, sizeof name, "%.*s%u", value > 0 ? 3 : 0, "val", 9 - value);
            set_number(txn, keys[i], value > 0 ? name : "", value);
        }
    }
    for (unsigned i = LISTED - 1; i >= LISTED / 2; i -= 7) {
        SUCCEEDS(rs_key_delete(txn, keys[i], 0));
    }
    end_writing(txn);
}

/* A list starts from where the one before has ended: every two after each other. */
static void a_list_does_not_depend_on_the_one_before(void)
{
    rs_store *store = open_store();
    rs_key keys[LISTED];
    const char *expected[2 * LISTED];
    struct arena arena = ARENA_INIT;
    make_listed(store, keys);
    for (unsigned i = 0; i < 2 * LISTED; i++) {
        rs_txn *txn = start_reading(store);
        const char *list = list_of(txn, keys[i / 2], i % 2);
        expected[i] = arena_copy(&arena, list, strlen(list));
        CU_ASSERT_PTR_NOT_NULL_FATAL(expected[i]);
        rs_abort(txn);
    }
    EQUAL_TEXT(expected[2 * 6 + 1], "val8,val7,val6,val5,val4");
    EQUAL_TEXT(expected[2 * (LISTED - 1)], "gone");
    rs_txn *txn = start_reading(store);
    for (unsigned i = 0; i < 4 * LISTED * LISTED; i++) {
        unsigned first = i / (2 * LISTED);
        unsigned second = i % (2 * LISTED);
        list_of(txn, keys[first / 2], first % 2);
        EQUAL_TEXT(list_of(txn, keys[second / 2], second % 2), expected[second]);
    }
    rs_abort(txn);
    arena_free(&arena);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"bytes and types are kept", bytes_and_types_are_kept},
    {"the default value has no name", the_default_value_has_no_name},
    {"values come in order of creation", values_come_in_order_of_creation},
    {"an overwritten value keeps its spelling", an_overwritten_value_keeps_its_spelling},
    {"names may hold anything", names_may_hold_anything},
    {"a name has at most 16383 units", a_name_has_at_most_16383_units},
    {"long names are told apart", long_names_are_told_apart},
    {"data has at most 16 MiB", data_has_at_most_16_mib},
    {"returned values stay in a write transaction", returned_values_stay_in_a_write_transaction},
    {"a value is copied onto others", a_value_is_copied_onto_others},
    {"a cursor shows the key as it was", a_cursor_shows_the_key_as_it_was},
    {"a cursor leaves out deleted subkeys", a_cursor_leaves_out_deleted_subkeys},
    {"equal data changes nothing", equal_data_changes_nothing},
    {"a list does not depend on the one before", a_list_does_not_depend_on_the_one_before},
    {NULL, NULL},
};
const struct test_suite suite_tree_values = {"tree_values", cases};
