/*
 * fuzz_rule.c - fuzz target: the bytes of a rule, and of a value that it judges.
 *
 * The input is a byte for how the rule is written (bytes as they are stored, or text whose bytes
 * are widened to UTF-16), one for the value's type, two for the rule's length, the rule, and the
 * value's data. A rule that is read holds together: its own default and choices pass it, and a
 * judgement is one of two answers with a line that says why. Needs schema.
 */
#include "fuzz.h"
#include "../../regstore/schema.h"

#include <stdlib.h>

static const uint32_t types[] = {REG_DWORD,     REG_SZ,     REG_MULTI_SZ, REG_QWORD,
                                 REG_EXPAND_SZ, REG_BINARY, REG_NONE,     0x12345};

/* The rule's bytes; the caller frees. */
static char *take_rule(struct fuzz_input *input, bool wide, size_t length, size_t *size)
{
    char *bytes = fuzz_bytes(input, length, size);
    if (wide) {
        return bytes;
    }
    char *data = calloc(*size > 0 ? *size : 1, 2);
    FUZZ_CHECK(data != NULL);
    for (size_t i = 0; i < *size; i++) {
        data[2 * i] = bytes[i];
    }
    free(bytes);
    *size *= 2;
    return data;
}

static void check_default(const rs_rule *rule)
{
    if (rule->has_default) {
        FUZZ_CHECK(rule->default_value.type == rule->type);
        FUZZ_CHECK(rs_rule_check(rule, &rule->default_value, NULL) == RS_OK);
    }
}

/* Each choice of a number type is one that the rule allows. */
static void check_choices(const rs_rule *rule)
{
    for (size_t i = 0; i < rule->choice_count; i++) {
        struct buffer data = BUFFER_INIT;
        uint64_t number = 0;
        FUZZ_CHECK(strlen(rule->choices[i].text) == rule->choices[i].len);
        if (schema_highest(rule->type) == 0) {
            continue;
        }
        FUZZ_CHECK(schema_parse_number(rule->choices[i].text, schema_highest(rule->type), &number));
        FUZZ_CHECK((rule->type == REG_DWORD ? value_from_dword(&data, (uint32_t)number)
                                            : value_from_qword(&data, number)) == RS_OK);
        rs_value value = {rule->name, rule->name_len, rule->type, data.data, data.size};
        FUZZ_CHECK(rs_rule_check(rule, &value, NULL) == RS_OK);
        buffer_free(&data);
    }
}

static void check_whole(const rs_rule *rule)
{
    FUZZ_CHECK(strcmp(rule->name, "Value") == 0 && rule->name_len == 5 && *rule->key == '\0');
    FUZZ_CHECK(!rule->has_min || !rule->has_max || rule->min <= rule->max);
    FUZZ_CHECK(rule->applies >= RS_APPLIES_LIVE && rule->applies <= RS_APPLIES_RESTART);
    FUZZ_CHECK(strlen(rule->unit) + strlen(rule->text) + strlen(rule->source) < RS_MAX_DATA);
    FUZZ_CHECK(*rule->warning == '\0' || *rule->warn_above != '\0');
    check_default(rule);
    check_choices(rule);
}

static void judge(const rs_rule *rule, const rs_value *value)
{
    rs_error why = RS_ERROR_INIT;
    int status = rs_rule_check(rule, value, &why);
    FUZZ_CHECK(status == RS_OK || status == RS_EREFUSED);
    FUZZ_CHECK(why.status == status && (status == RS_OK) == (*why.text == '\0'));
    FUZZ_CHECK(status == RS_EREFUSED || value == NULL || value->type == rule->type);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    bool wide = (fuzz_u8(&input) & 1) != 0;
    uint32_t type = types[fuzz_u8(&input) % (sizeof types / sizeof *types)];
    size_t length = fuzz_u16(&input);
    size_t rule_size, value_size;
    char *bytes = take_rule(&input, wide, length, &rule_size);
    char *value_data = fuzz_bytes(&input, size, &value_size);
    rs_value value = {"Value", 5, type, value_data, value_size};
    rs_error error = RS_ERROR_INIT;
    rs_rule *rule = NULL;
    int status = rs_rule_parse("Value", bytes, rule_size, &rule, &error);
    FUZZ_CHECK(status == RS_OK || status == RS_ERULE);
    FUZZ_CHECK(error.status == status && (rule != NULL) == (status == RS_OK));
    if (status == RS_OK) {
        check_whole(rule);
        judge(rule, &value);
        judge(rule, NULL);
        value.type = rule->type;
        judge(rule, &value);
    }
    rs_free(rule);
    free(bytes);
    free(value_data);
    return 0;
}
