/*
 * schema_judge.c - is a value as its rule says?
 *
 * The answer is for a person: what was given, and what the rule says. Texts are judged as programs
 * read them, up to their first NUL; the first thing that is wrong is told, the type before all.
 */
#include "schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Numbers ---- */

uint64_t schema_highest(uint32_t type)
{
    return type == REG_DWORD ? UINT32_MAX : type == REG_QWORD ? UINT64_MAX : 0;
}

bool schema_number(uint32_t type, const void *data, size_t size, uint64_t *number)
{
    uint32_t dword;

    if (type == REG_DWORD && value_to_dword(type, data, size, &dword) == RS_OK) {
        *number = dword;
        return true;
    }
    return value_to_qword(type, data, size, number) == RS_OK;
}

bool schema_parse_number(const char *text, uint64_t max, uint64_t *number)
{
    const bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hex ? text + 2 : text;
    const char *end = digits + strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
    unsigned long long parsed;

    if (end == digits || *end != '\0') {
        return false;
    }
    errno = 0;
    parsed = strtoull(digits, NULL, hex ? 16 : 10);
    if (errno == ERANGE || parsed > max) {
        return false;
    }
    *number = parsed;
    return true;
}

/* "512 to 65536 bytes" */
static void print_range(const rs_rule *rule, char *text, size_t size)
{
    const unsigned long long min = rule->min;
    const unsigned long long max = rule->max;
    const struct value_quoted unit = value_quote(rule->unit, strlen(rule->unit));
    const char *space = unit.len > 0 ? " " : "";

    if (rule->has_min && rule->has_max) {
        snprintf(text, size, "%llu to %llu%s%.*s%s", min, max, space, unit.len, rule->unit,
                 unit.dots);
    } else {
        snprintf(text, size, "%s %llu%s%.*s%s", rule->has_min ? "at least" : "at most",
                 rule->has_min ? min : max, space, unit.len, rule->unit, unit.dots);
    }
}

/* ---- Choices ---- */

/* "0", "1" or "7"; fail() cuts what is too long. */
static int print_choices(const rs_rule *rule, struct buffer *list)
{
    const char *quote = schema_highest(rule->type) > 0 ? "" : "\"";
    int status = RS_OK;

    for (size_t i = 0; status == RS_OK && i < rule->choice_count && list->size < RS_ERROR_TEXT_MAX;
         i++) {
        const char *joint = i == 0 ? "" : i + 1 == rule->choice_count ? " or " : ", ";
        status = buffer_printf(list, "%s%s%s%s", joint, quote, rule->choices[i].text, quote);
    }
    return status == RS_OK ? buffer_terminate(list) : status;
}

static int refuse_choice(const rs_rule *rule, const char *given, rs_error *why)
{
    struct buffer list = BUFFER_INIT;
    int status = print_choices(rule, &list);

    if (status == RS_OK) {
        status = fail(why, RS_EREFUSED, "%s is given, the rule says %s", given, list.data);
    }
    buffer_free(&list);
    return status;
}

static int refuse_number(const rs_rule *rule, uint64_t number, rs_error *why)
{
    char given[24];

    snprintf(given, sizeof given, "%llu", (unsigned long long)number);
    return refuse_choice(rule, given, why);
}

static int refuse_range(const rs_rule *rule, uint64_t number, rs_error *why)
{
    char range[160];

    print_range(rule, range, sizeof range);
    return fail(why, RS_EREFUSED, "%llu is given, the rule says %s", (unsigned long long)number,
                range);
}

/* ---- Each kind of data ---- */

static int judge_number(const rs_rule *rule, const rs_value *value, rs_error *why)
{
    uint64_t number;
    bool chosen = rule->choice_count == 0;

    if (!schema_number(value->type, value->data, value->size, &number)) {
        return fail(why, RS_EREFUSED, "%zu bytes are given, a %s has %d", value->size,
                    rs_type_name(rule->type), rule->type == REG_DWORD ? 4 : 8);
    }
    if ((rule->has_min && number < rule->min) || (rule->has_max && number > rule->max)) {
        return refuse_range(rule, number, why);
    }
    for (size_t i = 0; !chosen && i < rule->choice_count; i++) {
        uint64_t choice = 0;
        chosen =
            schema_parse_number(rule->choices[i].text, UINT64_MAX, &choice) && choice == number;
    }
    return chosen ? RS_OK : refuse_number(rule, number, why);
}

static bool is_chosen(const rs_rule *rule, const char *text, size_t len)
{
    bool chosen = rule->choice_count == 0;

    for (size_t i = 0; !chosen && i < rule->choice_count; i++) {
        chosen = rule->choices[i].len == len && memcmp(rule->choices[i].text, text, len) == 0;
    }
    return chosen;
}

static int judge_text(const rs_rule *rule, const char *text, size_t len, rs_error *why)
{
    const struct value_quoted quoted = value_quote(text, len);
    char given[VALUE_QUOTED_MAX + 8];
    size_t units = 0;

    /* What came out of UTF-16 is valid, so that this cannot fail. */
    if (text_units(text, len, &units) == RS_OK && rule->max_length > 0 &&
        units > rule->max_length) {
        return fail(why, RS_EREFUSED,
                    "a text of %zu UTF-16 units is given, the rule says at most %llu: \"%.*s%s\"",
                    units, (unsigned long long)rule->max_length, quoted.len, text, quoted.dots);
    }
    snprintf(given, sizeof given, "\"%.*s%s\"", quoted.len, text, quoted.dots);
    return is_chosen(rule, text, len) ? RS_OK : refuse_choice(rule, given, why);
}

static int judge_string(const rs_rule *rule, const rs_value *value, rs_error *why)
{
    struct buffer text = BUFFER_INIT;
    int status = text_from_utf16(&text, value->data, text_utf16_end(value->data, value->size));

    if (status == RS_OK) {
        status = buffer_terminate(&text);
    }
    if (status == RS_OK) {
        status = judge_text(rule, text.data, text.size, why);
    }
    buffer_free(&text);
    return status;
}

static int judge_list(const rs_rule *rule, const rs_value *value, rs_error *why)
{
    struct arena arena = ARENA_INIT;
    const char *const *strings;
    size_t count = 0;
    int status = value_to_list(&arena, value->type, value->data, value->size, &strings, &count);

    if (status == RS_OK && rule->max_count > 0 && count > rule->max_count) {
        status = fail(why, RS_EREFUSED, "%zu strings are given, the rule says at most %llu", count,
                      (unsigned long long)rule->max_count);
    }
    for (size_t i = 0; status == RS_OK && i < count; i++) {
        status = judge_text(rule, strings[i], strlen(strings[i]), why);
    }
    arena_free(&arena);
    return status;
}

static int judge_bytes(const rs_rule *rule, const rs_value *value, rs_error *why)
{
    return rule->max_length > 0 && value->size > rule->max_length
               ? fail(why, RS_EREFUSED, "%zu bytes are given, the rule says at most %llu",
                      value->size, (unsigned long long)rule->max_length)
               : RS_OK;
}

/* ---- All ---- */

static int refuse_type(const rs_rule *rule, const rs_value *value, rs_error *why)
{
    char given[24];
    char said[24];
    const char *given_name = rs_type_name(value->type);
    const char *said_name = rs_type_name(rule->type);

    snprintf(given, sizeof given, "REG_0x%x", value->type);
    snprintf(said, sizeof said, "REG_0x%x", rule->type);
    return fail(why, RS_EREFUSED, "a %s is given, the rule says %s",
                given_name != NULL ? given_name : given, said_name != NULL ? said_name : said);
}

static int judge_data(const rs_rule *rule, const rs_value *value, rs_error *why)
{
    if (schema_highest(rule->type) > 0) {
        return judge_number(rule, value, why);
    }
    if (value_is_string(rule->type)) {
        return judge_string(rule, value, why);
    }
    return rule->type == REG_MULTI_SZ ? judge_list(rule, value, why)
                                      : judge_bytes(rule, value, why);
}

int schema_judge(const rs_rule *rule, const rs_value *value, rs_error *why)
{
    if (value == NULL) {
        return rule->required
                   ? fail(why, RS_EREFUSED, "nothing is set, the rule says that it has to be")
                   : RS_OK;
    }
    if (value->type != rule->type) {
        return refuse_type(rule, value, why);
    }
    int status = judge_data(rule, value, why);
    return status == RS_OK ? RS_OK : fail(why, status, "%s", rs_strerror(status));
}
