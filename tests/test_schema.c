/*
 * test_schema.c - rules read from their strings, and values judged by them.
 */
#include "stores.h"
#include "../regstore/value.h"

#include <stdio.h>
#include <stdlib.h>

static rs_rule *rule_of(const char *fields)
{
    rs_error error = RS_ERROR_INIT;
    rs_rule *rule = NULL;
    struct buffer data = multi_of(fields);
    int status = rs_rule_parse("Value", data.data, data.size, &rule, &error);
    if (status != RS_OK) {
        printf("%s: %s\n", fields, error.text);
    }
    CU_ASSERT_EQUAL_FATAL(status, RS_OK);
    buffer_free(&data);
    return rule;
}

/* ---- Reading ---- */

static void each_field_is_read(void)
{
    rs_rule *rule = rule_of("min=512|type=reg_dword|max=0x10000|enum=512|enum=0x400|required=yes|"
                            "default=1024|unit=bytes|text=How much=so much|source=Q161734|"
                            "applies=restart|warn-above=Other|warning=never sent");
    EQUAL_TEXT(rule->key, "");
    EQUAL_TEXT(rule->name, "Value");
    CU_ASSERT_EQUAL(rule->name_len, 5);
    CU_ASSERT_EQUAL(rule->type, REG_DWORD);
    CU_ASSERT(rule->has_min && rule->min == 512);
    CU_ASSERT(rule->has_max && rule->max == 65536);
    CU_ASSERT_EQUAL_FATAL(rule->choice_count, 2);
    EQUAL_TEXT(rule->choices[0].text, "512");
    EQUAL_TEXT(rule->choices[1].text, "0x400");
    CU_ASSERT_EQUAL(rule->choices[1].len, 5);
    CU_ASSERT(rule->required);
    CU_ASSERT_FATAL(rule->has_default && rule->default_value.size == 4);
    CU_ASSERT(memcmp(rule->default_value.data, "\0\4\0\0", 4) == 0);
    CU_ASSERT_EQUAL(rule->default_value.type, REG_DWORD);
    EQUAL_TEXT(rule->default_value.name, "Value");
    EQUAL_TEXT(rule->unit, "bytes");
    EQUAL_TEXT(rule->text, "How much=so much");
    EQUAL_TEXT(rule->source, "Q161734");
    CU_ASSERT_EQUAL(rule->applies, RS_APPLIES_RESTART);
    EQUAL_TEXT(rule->warn_above, "Other");
    EQUAL_TEXT(rule->warning, "never sent");
    rs_free(rule);
}

static void what_is_not_said_is_empty(void)
{
    rs_rule *rule = rule_of("type=REG_MULTI_SZ|max-length=80|max-count=3");
    CU_ASSERT(!rule->has_min && !rule->has_max && !rule->required && !rule->has_default);
    CU_ASSERT_EQUAL(rule->choice_count, 0);
    CU_ASSERT_EQUAL(rule->max_length, 80);
    CU_ASSERT_EQUAL(rule->max_count, 3);
    CU_ASSERT_EQUAL(rule->applies, RS_APPLIES_LIVE);
    EQUAL_TEXT(rule->unit, "");
    EQUAL_TEXT(rule->text, "");
    EQUAL_TEXT(rule->source, "");
    EQUAL_TEXT(rule->warn_above, "");
    EQUAL_TEXT(rule->warning, "");
    rs_free(rule);
}

static void defaults_are_data(void)
{
    static const struct {
        const char *fields;
        const char *data;
        size_t size;
    } rows[] = {
        {"type=REG_QWORD|default=0x100000000", "\0\0\0\0\1\0\0", 8},
        {"type=REG_SZ|default=ab", "a\0b\0\0", 6},
        {"type=REG_SZ|default=", "\0", 2},
        {"type=REG_EXPAND_SZ|default=%A%", "%\0A\0%\0\0", 8},
        {"type=REG_BINARY|default=00ff", "\0\377", 2},
        {"type=REG_MULTI_SZ|default=", "\0", 2},
        {"type=REG_MULTI_SZ|default=a", "a\0\0\0\0", 6},
        {"type=REG_MULTI_SZ|default=a|default=|default=b", "a\0\0\0\0\0b\0\0\0\0", 12},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rs_rule *rule = rule_of(rows[i].fields);
        CU_ASSERT_FATAL(rule->has_default);
        CU_ASSERT_EQUAL_FATAL(rule->default_value.size, rows[i].size);
        CU_ASSERT(memcmp(rule->default_value.data, rows[i].data, rows[i].size) == 0);
        rs_free(rule);
    }
}

/* Each with a part of what it is told. */
static const struct {
    const char *fields;
    const char *told;
} broken_rules[] = {
    {"", "no type="},
    {"type=REG_SZ||text=a", "\"\" is no field of a rule"},
    {"min=1", "no type="},
    {"type=REG_NUMBER", "type=REG_NUMBER: no type"},
    {"type=REG_DWORD|type=REG_DWORD", "type= is in it twice"},
    {"type=REG_DWORD|colour=red", "\"colour=red\" is no field"},
    {"type=REG_DWORD|Min=1", "\"Min=1\" is no field"},
    {"type=REG_DWORD|min", "\"min\" is no field"},
    {"type=REG_DWORD|=1", "\"=1\" is no field"},
    {"type=REG_DWORD|min=1|min=2", "min= is in it twice"},
    {"type=REG_DWORD|text=a|text=b", "text= is in it twice"},
    {"type=REG_DWORD|min=", "min=: no number"},
    {"type=REG_DWORD|min=-1", "min=-1: no number"},
    {"type=REG_DWORD|min= 1", "min= 1: no number"},
    {"type=REG_DWORD|max=0x", "max=0x: no number"},
    {"type=REG_DWORD|max=4294967296", "max=4294967296: no number that the type holds"},
    {"type=REG_QWORD|max=18446744073709551616", "no number that the type holds"},
    {"type=REG_DWORD|min=2|max=1", "min=2 is above max=1"},
    {"type=REG_SZ|min=1", "min does not fit a REG_SZ"},
    {"type=77|max=1", "max does not fit a type without a name"},
    {"type=REG_DWORD|enum=red", "enum=red: no number"},
    {"type=REG_DWORD|min=3|enum=2", "enum=2: not between"},
    {"type=REG_DWORD|max=3|enum=4", "enum=4: not between"},
    {"type=REG_SZ|max-length=2|enum=abc", "enum=abc: longer"},
    {"type=REG_BINARY|enum=00", "enum does not fit a REG_BINARY"},
    {"type=REG_DWORD|max-length=4", "max-length does not fit a REG_DWORD"},
    {"type=REG_SZ|max-length=0", "max-length=0: no number above 0"},
    {"type=REG_SZ|max-count=2", "max-count does not fit a REG_SZ"},
    {"type=REG_MULTI_SZ|max-count=x", "max-count=x: no number above 0"},
    {"type=REG_DWORD|required=no", "required=no: yes is all"},
    {"type=REG_DWORD|default=1|default=2", "more than one default"},
    {"type=REG_DWORD|default=", "default=: no number"},
    {"type=REG_QWORD|default=-1", "default=-1: no number"},
    {"type=REG_BINARY|default=0g", "default=0g: no data of that type"},
    {"type=REG_DWORD|max=3|default=4", "its own default: 4 is given, the rule says at most 3"},
    {"type=REG_SZ|enum=a|default=b", "its own default: \"b\" is given, the rule says \"a\""},
    {"type=REG_MULTI_SZ|max-count=1|default=a|default=b", "its own default: 2 strings"},
    {"type=REG_DWORD|applies=soon", "applies=soon"},
    {"type=REG_DWORD|warning=why", "warning= without warn-above="},
    {"type=REG_SZ|warn-above=Other", "warn-above does not fit a REG_SZ"},
    {"type=REG_DWORD|warn-above=", "warn-above=: names no other value"},
    {"type=REG_DWORD|warn-above=VALUE", "warn-above=VALUE: names no other value"},
    {"Type=REG_DWORD", "\"Type=REG_DWORD\" is no field of a rule"},
    {"type=REG_DWORD||max=3", "\"\" is no field of a rule"},
};

static void broken_rules_are_refused(void)
{
    for (size_t i = 0; i < sizeof broken_rules / sizeof *broken_rules; i++) {
        rs_error error = RS_ERROR_INIT;
        rs_rule *rule = NULL;
        struct buffer data = multi_of(broken_rules[i].fields);
        GIVES(RS_ERULE, rs_rule_parse("Value", data.data, data.size, &rule, &error));
        CU_ASSERT_PTR_NULL(rule);
        CU_ASSERT_EQUAL(error.status, RS_ERULE);
        CU_ASSERT(strncmp(error.text, "the rule of \"Value\": ", 21) == 0);
        if (strstr(error.text, broken_rules[i].told) == NULL) {
            printf("\"%s\" instead of \"%s\"\n", error.text, broken_rules[i].told);
            CU_FAIL("told otherwise");
        }
        buffer_free(&data);
    }
}

static void rules_have_an_end(void)
{
    struct buffer data = BUFFER_INIT;
    rs_rule *rule = NULL;
    SUCCEEDS(value_from_text(&data, "type=REG_SZ", 11));
    for (int i = 0; i < 1023; i++) {
        SUCCEEDS(value_from_text(&data, "enum=x", 6));
    }
    SUCCEEDS(rs_rule_parse("Value", data.data, data.size, &rule, NULL));
    CU_ASSERT_EQUAL(rule->choice_count, 1023);
    rs_free(rule);
    rule = NULL;
    SUCCEEDS(value_from_text(&data, "enum=x", 6));
    GIVES(RS_ERULE, rs_rule_parse("Value", data.data, data.size, &rule, NULL));
    CU_ASSERT_PTR_NULL(rule);
    buffer_free(&data);
}

static void calls_without_arguments_are_refused(void)
{
    rs_rule *rule = NULL;
    GIVES(RS_EINVAL, rs_rule_parse(NULL, "", 0, &rule, NULL));
    GIVES(RS_EINVAL, rs_rule_parse("Value", NULL, 2, &rule, NULL));
    GIVES(RS_EINVAL, rs_rule_parse("Value", "", 0, NULL, NULL));
    GIVES(RS_ERULE, rs_rule_parse("Value", NULL, 0, &rule, NULL));
    GIVES(RS_EINVAL, rs_rule_check(NULL, NULL, NULL));
}

/* ---- Judging ---- */

static const struct {
    const char *fields;
    uint32_t type;
    const char *data;
    size_t size;
    const char *told; /* NULL: allowed */
} judgements[] = {
    {"type=REG_DWORD", REG_DWORD, "\377\377\377\377", 4, NULL},
    {"type=REG_DWORD", REG_SZ, "\0", 2, "a REG_SZ is given, the rule says REG_DWORD"},
    {"type=REG_DWORD", 0x77, "\0", 2, "a REG_0x77 is given, the rule says REG_DWORD"},
    {"type=0x77", REG_DWORD, "\0\0\0", 4, "a REG_DWORD is given, the rule says REG_0x77"},
    {"type=REG_DWORD", REG_DWORD, "\1\0", 3, "3 bytes are given, a REG_DWORD has 4"},
    {"type=REG_QWORD", REG_QWORD, "\1\0\0", 4, "4 bytes are given, a REG_QWORD has 8"},
    {"type=REG_DWORD|min=2", REG_DWORD, "\2\0\0", 4, NULL},
    {"type=REG_DWORD|min=2", REG_DWORD, "\1\0\0", 4, "1 is given, the rule says at least 2"},
    {"type=REG_DWORD|max=2", REG_DWORD, "\2\0\0", 4, NULL},
    {"type=REG_DWORD|max=2|unit=s", REG_DWORD, "\3\0\0", 4,
     "3 is given, the rule says at most 2 s"},
    {"type=REG_DWORD|min=1|max=5|unit=per day", REG_DWORD, "\0\0\0", 4,
     "0 is given, the rule says 1 to 5 per day"},
    {"type=REG_QWORD|min=1|max=5", REG_QWORD, "\1\0\0\0\1\0\0", 8,
     "4294967297 is given, the rule says 1 to 5"},
    {"type=REG_DWORD|enum=1|enum=0x4", REG_DWORD, "\4\0\0", 4, NULL},
    {"type=REG_DWORD|enum=1|enum=0x4|enum=7", REG_DWORD, "\2\0\0", 4,
     "2 is given, the rule says 1, 0x4 or 7"},
    {"type=REG_SZ|enum=l|enum=o", REG_SZ, "o\0\0", 4, NULL},
    {"type=REG_SZ|enum=l|enum=o", REG_SZ, "o\0\0\0x\0", 6, NULL},
    {"type=REG_SZ|enum=l|enum=o", REG_SZ, "L\0\0", 4,
     "\"L\" is given, the rule says \"l\" or \"o\""},
    {"type=REG_SZ|enum=l", REG_SZ, "", 0, "\"\" is given, the rule says \"l\""},
    {"type=REG_SZ|max-length=2", REG_SZ, "a\0b\0\0", 6, NULL},
    {"type=REG_SZ|max-length=2", REG_SZ, "a\0b\0c\0", 6,
     "a text of 3 UTF-16 units is given, the rule says at most 2: \"abc\""},
    {"type=REG_MULTI_SZ|max-count=2", REG_MULTI_SZ, "a\0\0\0b\0\0\0\0", 10, NULL},
    {"type=REG_MULTI_SZ|max-count=1", REG_MULTI_SZ, "a\0\0\0b\0\0\0\0", 10,
     "2 strings are given, the rule says at most 1"},
    {"type=REG_MULTI_SZ|enum=a", REG_MULTI_SZ, "a\0\0\0b\0\0\0\0", 10,
     "\"b\" is given, the rule says \"a\""},
    {"type=REG_MULTI_SZ|max-length=1", REG_MULTI_SZ, "a\0\0\0b\0b\0\0\0\0", 12,
     "a text of 2 UTF-16 units is given, the rule says at most 1: \"bb\""},
    {"type=REG_BINARY|max-length=3", REG_BINARY, "abc", 3, NULL},
    {"type=REG_BINARY|max-length=3", REG_BINARY, "abcd", 4,
     "4 bytes are given, the rule says at most 3"},
    {"type=REG_NONE", REG_NONE, "", 0, NULL},
    {"type=REG_DWORD", 0, NULL, 0, NULL},
    {"type=REG_DWORD|required=yes", 0, NULL, 0, "nothing is set, the rule says that it has to be"},
};

static void values_are_judged(void)
{
    for (size_t i = 0; i < sizeof judgements / sizeof *judgements; i++) {
        rs_error why = RS_ERROR_INIT;
        rs_rule *rule = rule_of(judgements[i].fields);
        rs_value value = {"Value", 5, judgements[i].type, judgements[i].data, judgements[i].size};
        int status = rs_rule_check(rule, judgements[i].data != NULL ? &value : NULL, &why);
        CU_ASSERT_EQUAL(status, judgements[i].told != NULL ? RS_EREFUSED : RS_OK);
        CU_ASSERT_EQUAL(why.status, status);
        EQUAL_TEXT(why.text, judgements[i].told != NULL ? judgements[i].told : "");
        rs_free(rule);
    }
}

static const struct test_case cases[] = {
    {"each field is read", each_field_is_read},
    {"what is not said is empty", what_is_not_said_is_empty},
    {"defaults are data", defaults_are_data},
    {"broken rules are refused", broken_rules_are_refused},
    {"rules have an end", rules_have_an_end},
    {"calls without arguments are refused", calls_without_arguments_are_refused},
    {"values are judged", values_are_judged},
    {NULL, NULL},
};

const struct test_suite suite_schema = {"schema", cases};
