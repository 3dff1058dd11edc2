/* rule - the rules that a service's settings have: the store's, else those that ship; see rule.h.
 */
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

/* What rs_rule_get() gives ends with the transaction. */
static int copy_stored(rs_txn *txn, const rs_rule *found, rs_rule **copy)
{
    rs_key key;
    rs_value value;
    int status = rs_key_open(txn, RS_NO_KEY, found->key, &key);
    if (status == RS_OK) {
        status = rs_value_get_n(txn, key, found->name, found->name_len, &value);
    }
    return status == RS_OK ? rs_rule_parse(found->name, value.data, value.size, copy, NULL)
                           : status;
}

static int find_rule(rs_txn *txn, const struct service *service, const struct setting *row,
                     struct rule *rule)
{
    rs_rule found;
    int status = rs_rule_get(txn, service->key, row->name, &found);
    if (status == RS_OK && is_read_by(row, found.type)) {
        rule->stored = true;
        return copy_stored(txn, &found, &rule->says);
    }
    if (status != RS_OK && status != RS_ENOTFOUND && status != RS_ERULE) {
        return status;
    }
    return find_shipped(service, row, &rule->says);
}

int rules_load(rs_txn *txn, const struct service *service, struct rules **rules)
{
    struct rules *loaded = calloc(1, sizeof(*loaded) + service->count * sizeof(loaded->rows[0]));
    int status = loaded != NULL ? RS_OK : RS_ENOMEM;
    while (status == RS_OK && loaded->count < service->count) {
        status =
            find_rule(txn, service, &service->table[loaded->count], &loaded->rows[loaded->count]);
        loaded->count += status == RS_OK;
    }
    if (status != RS_OK) {
        rules_free(loaded);
        return status;
    }
    *rules = loaded;
    return RS_OK;
}

void rules_free(struct rules *rules)
{
    for (size_t i = 0; rules != NULL && i < rules->count; i++) {
        rs_free(rules->rows[i].says);
    }
    free(rules);
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
