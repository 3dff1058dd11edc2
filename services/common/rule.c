/* rule - the rule that a setting has: the store's, else the one that ships; see rule.h. */
#include "rule.h"

#include "shipped_rules.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- Finding --------------------------------------------------------------------------------- */

static bool is_read_by(const struct setting *row, uint32_t type)
{
    switch (row->type) {
    case SETTING_TEXT:
        return type == REG_SZ || type == REG_EXPAND_SZ;
    case SETTING_LIST:
        return type == REG_MULTI_SZ;
    default:
        return type == REG_DWORD;
    }
}

static bool same_name(const char *a, const char *b)
{
    return rs_name_compare(a, strlen(a), b, strlen(b)) == 0;
}

static int find_shipped(const struct service *service, const struct setting *row, rs_rule **shipped)
{
    for (const struct shipped_rule *at = service->rules; at->key != NULL; at++) {
        if (same_name(at->key, service->key) && same_name(at->name, row->name)) {
            return rs_rule_parse(at->name, at->data, at->size, shipped, NULL);
        }
    }
    return RS_ERULE;
}

int rule_find(rs_txn *txn, const struct service *service, const struct setting *row,
              struct rule *rule)
{
    *rule = (struct rule){.says = NULL};
    int status = rs_rule_get(txn, service->key, row->name, &rule->found);
    if (status == RS_OK && is_read_by(row, rule->found.type)) {
        rule->says = &rule->found;
        rule->stored = true;
        return RS_OK;
    }
    if (status != RS_OK && status != RS_ENOTFOUND && status != RS_ERULE) {
        return status;
    }
    status = find_shipped(service, row, &rule->shipped);
    rule->says = rule->shipped;
    return status;
}

void rule_free(struct rule *rule)
{
    rs_free(rule->shipped);
}

/* ---- In words -------------------------------------------------------------------------------- */

static void add_choices(struct line *line, const rs_rule *rule)
{
    for (size_t i = 0; i < rule->choice_count; i++) {
        line_add(line, i == 0 ? "" : ", ");
        if (rule->type == REG_DWORD) {
            line_add(line, "%s", rule->choices[i].text);
        } else {
            line_add_quoted(line, rule->choices[i].text);
        }
    }
}

static void add_range(struct line *line, const rs_rule *rule)
{
    if (rule->has_min && rule->has_max) {
        line_add(line, "%" PRIu64 "-%" PRIu64, rule->min, rule->max);
    } else if (rule->has_min) {
        line_add(line, "at least %" PRIu64, rule->min);
    } else if (rule->has_max) {
        line_add(line, "at most %" PRIu64, rule->max);
    } else {
        line_add(line, "any number");
    }
}

void rule_add_allowed(struct line *line, const rs_rule *rule)
{
    if (rule->choice_count > 0) {
        add_choices(line, rule);
    } else if (rule->type == REG_DWORD) {
        add_range(line, rule);
    } else {
        line_add(line, "%s", rs_type_name(rule->type));
    }
}

const char *rule_spelling(const rs_rule *rule, uint32_t number)
{
    for (size_t i = 0; i < rule->choice_count; i++) {
        const char *text = rule->choices[i].text;
        bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
        if (strtoull(text, NULL, hex ? 16 : 10) == number) {
            return text;
        }
    }
    return NULL;
}
