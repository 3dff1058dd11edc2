/* What a rule says. */
#include "rule_page.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

#define WIDTH 78u

/* ---- What is allowed ---- */

static bool is_number(const rs_rule *rule)
{
    return rule->type == REG_DWORD || rule->type == REG_QWORD;
}

static void put_range(FILE *out, const rs_rule *rule)
{
    if (rule->has_min && rule->has_max) {
        fprintf(out, "%" PRIu64 " to %" PRIu64, rule->min, rule->max);
    } else if (rule->has_min) {
        fprintf(out, "at least %" PRIu64, rule->min);
    } else {
        fprintf(out, "at most %" PRIu64, rule->max);
    }
}

static void put_choices(FILE *out, const rs_rule *rule)
{
    const char *quote = is_number(rule) ? "" : "\"";

    for (size_t i = 0; i < rule->choice_count; i++) {
        const rs_text *choice = &rule->choices[i];
        fputs(i == 0 ? "" : i + 1 == rule->choice_count ? " or " : ", ", out);
        fputs(quote, out);
        show_text(out, choice->text, choice->len, true);
        fputs(quote, out);
    }
}

static void put_length(FILE *out, const rs_rule *rule)
{
    bool text = rule->type == REG_SZ || rule->type == REG_EXPAND_SZ || rule->type == REG_MULTI_SZ;

    fprintf(out, "at most %" PRIu64 " %s%s", rule->max_length, text ? "UTF-16 units" : "bytes",
            rule->type == REG_MULTI_SZ ? " a string" : "");
}

static void put_any(FILE *out, const rs_rule *rule)
{
    switch (rule->type) {
    case REG_DWORD:
    case REG_QWORD:
        fputs("any number", out);
        break;
    case REG_SZ:
    case REG_EXPAND_SZ:
        fputs("any text", out);
        break;
    case REG_MULTI_SZ:
        fputs("any list of texts", out);
        break;
    default:
        fputs("any data", out);
    }
}

static void put_unit(FILE *out, const char *joint, const rs_rule *rule)
{
    if (rule->unit[0] != '\0') {
        fputs(joint, out);
        show_safely(out, rule->unit);
    }
}

void rule_page_allowed(FILE *out, const rs_rule *rule)
{
    const char *joint = "";

    if (rule->has_min || rule->has_max) {
        put_range(out, rule);
        joint = "; ";
    }
    if (rule->choice_count > 0) {
        fputs(joint, out);
        put_choices(out, rule);
        joint = "; ";
    }
    if (rule->max_length > 0) {
        fputs(joint, out);
        put_length(out, rule);
        joint = "; ";
    }
    if (rule->max_count > 0) {
        fprintf(out, "%sat most %" PRIu64 " strings", joint, rule->max_count);
        joint = "; ";
    }
    if (joint[0] == '\0') {
        put_any(out, rule);
        put_unit(out, ", in ", rule);
    } else if (is_number(rule)) {
        put_unit(out, " ", rule);
    }
}

/* ---- Data ---- */

static bool is_empty(const rs_decoded *decoded)
{
    return (decoded->kind == RS_DECODED_TEXT && decoded->text.len == 0) ||
           (decoded->kind == RS_DECODED_LIST && decoded->count == 0);
}

int rule_page_data(FILE *out, const rs_value *value, const rs_rule *rule)
{
    rs_decoded *decoded;
    int status = rs_decode(value->type, value->data, value->size, &decoded);

    if (status != RS_OK) {
        return status;
    }
    if (decoded->kind == RS_DECODED_NUMBER) {
        fprintf(out, "%" PRIu64, decoded->number);
        if (rule != NULL && rule->unit[0] != '\0') {
            putc(' ', out);
            show_safely(out, rule->unit);
        }
    } else if (value->size == 0 || is_empty(decoded)) {
        fputs("empty", out);
    } else {
        status = show_data(out, value, NULL, true);
    }
    rs_free(decoded);
    return status;
}

/* ---- A page ---- */

static void put_label(FILE *out, const char *prefix, const char *label)
{
    fprintf(out, "%s%-*s", prefix, RULE_PAGE_INDENT, label);
}

void rule_page_text(FILE *out, const char *prefix, const char *label, const char *text)
{
    size_t column = RULE_PAGE_INDENT;
    bool first = true;

    put_label(out, prefix, label);
    while (text[strspn(text, " \t\r\n")] != '\0') {
        size_t len;
        text += strspn(text, " \t\r\n");
        len = strcspn(text, " \t\r\n");
        if (!first && column + 1 + len > WIDTH) {
            fprintf(out, "\n%s%*s", prefix, RULE_PAGE_INDENT, "");
            column = RULE_PAGE_INDENT;
        } else if (!first) {
            putc(' ', out);
            column++;
        }
        show_text(out, text, len, true);
        column += len;
        text += len;
        first = false;
    }
    putc('\n', out);
}

static const char *applies_text(enum rs_applies applies)
{
    switch (applies) {
    case RS_APPLIES_RELOAD:
        return "when the service reloads";
    case RS_APPLIES_RESTART:
        return "when the service restarts";
    default:
        return "at once";
    }
}

static int put_default(FILE *out, const char *prefix, const rs_rule *rule)
{
    int status;

    if (!rule->has_default) {
        return RS_OK;
    }
    put_label(out, prefix, "Default");
    status = rule_page_data(out, &rule->default_value, rule);
    putc('\n', out);
    return status;
}

static void put_optional(FILE *out, const char *prefix, const char *label, const char *text)
{
    if (text[0] != '\0') {
        rule_page_text(out, prefix, label, text);
    }
}

static void put_warning(FILE *out, const char *prefix, const rs_rule *rule)
{
    if (rule->warn_above[0] == '\0') {
        return;
    }
    put_label(out, prefix, "Advice");
    fputs("not above that of \"", out);
    show_safely(out, rule->warn_above);
    fputs("\"\n", out);
    put_optional(out, prefix, "", rule->warning);
}

int rule_page_write(FILE *out, const char *prefix, const rs_rule *rule)
{
    char type[SHOW_TYPE_SIZE];
    int status;

    show_type(rule->type, type);
    put_label(out, prefix, "Type");
    fprintf(out, "%s%s\n", type, rule->required ? ", has to be set" : "");
    put_label(out, prefix, "Allowed");
    rule_page_allowed(out, rule);
    putc('\n', out);
    status = put_default(out, prefix, rule);
    put_label(out, prefix, "Applies");
    fprintf(out, "%s\n", applies_text(rule->applies));
    put_warning(out, prefix, rule);
    put_optional(out, prefix, "About", rule->text);
    put_optional(out, prefix, "Source", rule->source);
    put_optional(out, prefix, "Rule", rule->key);
    return status;
}

int rule_page_make(const char *prefix, const rs_rule *rule, char **page)
{
    size_t size;
    FILE *out = open_memstream(page, &size);
    int status = out != NULL ? rule_page_write(out, prefix, rule) : RS_ENOMEM;

    if (out == NULL || fclose(out) != 0) {
        return RS_ENOMEM;
    }
    if (status != RS_OK) {
        free(*page);
    }
    return status;
}

int rule_page_short(FILE *out, const char *prefix, const rs_rule *rule)
{
    char type[SHOW_TYPE_SIZE];
    int status = RS_OK;

    show_type(rule->type, type);
    fputs(prefix, out);
    show_value_name(out, rule->name, rule->name_len, true);
    fprintf(out, ": %s, ", type);
    rule_page_allowed(out, rule);
    if (rule->has_default) {
        fputs("; else ", out);
        status = rule_page_data(out, &rule->default_value, rule);
    }
    putc('\n', out);
    put_optional(out, prefix, "", rule->text);
    return status;
}

/* ---- JSON ---- */

static void put_choices_json(struct json *json, const rs_rule *rule)
{
    json_member(json, "choices");
    json_open(json, '[');
    for (size_t i = 0; i < rule->choice_count; i++) {
        json_text(json, rule->choices[i].text, rule->choices[i].len);
    }
    json_close(json, ']');
}

static void put_limits_json(struct json *json, const rs_rule *rule)
{
    if (rule->has_min) {
        json_member_number(json, "min", rule->min);
    }
    if (rule->has_max) {
        json_member_number(json, "max", rule->max);
    }
    if (rule->choice_count > 0) {
        put_choices_json(json, rule);
    }
    if (rule->max_length > 0) {
        json_member_number(json, "max_length", rule->max_length);
    }
    if (rule->max_count > 0) {
        json_member_number(json, "max_count", rule->max_count);
    }
}

static void put_texts_json(struct json *json, const rs_rule *rule)
{
    const struct {
        const char *member;
        const char *text;
    } rows[] = {{"unit", rule->unit},
                {"text", rule->text},
                {"source", rule->source},
                {"warn_above", rule->warn_above},
                {"warning", rule->warning}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].text[0] != '\0') {
            json_member_text(json, rows[i].member, rows[i].text);
        }
    }
}

int rule_page_json(struct json *json, const rs_rule *rule)
{
    static const char *const applies[] = {"live", "reload", "restart"};
    const char *type = rs_type_name(rule->type);
    int status;

    json_open(json, '{');
    json_member_text(json, "key", rule->key);
    json_member_number(json, "type", rule->type);
    json_member(json, "type_name");
    if (type != NULL) {
        json_text(json, type, strlen(type));
    } else {
        json_null(json);
    }
    put_limits_json(json, rule);
    json_member_number(json, "required", rule->required != 0);
    status = show_json_side(json, "default", rule->has_default ? &rule->default_value : NULL);
    json_member_text(json, "applies", applies[rule->applies - RS_APPLIES_LIVE]);
    put_texts_json(json, rule);
    json_close(json, '}');
    return status;
}
