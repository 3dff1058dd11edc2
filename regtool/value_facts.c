/* What is known about one value. */
#include "value_facts.h"

#include <stdlib.h>
#include <string.h>

#include "rule_page.h"
#include "show.h"

/* ---- Reading ---- */

static int read_value(struct session *session, rs_key key, struct value_facts *facts)
{
    int status = rs_value_get_n(session->txn, key, facts->name, facts->name_len, &facts->value);

    facts->is_set = status == RS_OK;
    if (status == RS_ENOTFOUND) {
        session_forget(session);
        return RS_OK;
    }
    if (status == RS_OK) {
        facts->name = facts->value.name;
        facts->name_len = facts->value.name_len;
    }
    return status;
}

/* A malformed rule, which only an old store can have, says nothing. */
static int read_rule(struct session *session, const char *path, struct value_facts *facts)
{
    int status =
        rs_rule_get_n(session->txn, path, RS_NTS, facts->name, facts->name_len, &facts->rule);

    facts->has_rule = status == RS_OK;
    if (status == RS_ENOTFOUND || status == RS_ERULE) {
        session_forget(session);
        return RS_OK;
    }
    if (status == RS_OK) {
        facts->name = facts->rule.name;
        facts->name_len = facts->rule.name_len;
    }
    return status;
}

/* Nothing can be missing in a key that is not there. */
static int judge(rs_key key, struct value_facts *facts)
{
    int status = RS_OK;

    facts->wrong = (rs_error)RS_ERROR_INIT;
    if (facts->has_rule && key != RS_NO_KEY) {
        status = rs_rule_check(&facts->rule, facts->is_set ? &facts->value : NULL, &facts->wrong);
    }
    return status == RS_EREFUSED ? RS_OK : status;
}

int value_facts_read(struct session *session, const char *path, rs_key key, const char *name,
                     size_t len, struct value_facts *facts)
{
    int status = RS_OK;

    *facts = (struct value_facts){.name = name, .name_len = len == RS_NTS ? strlen(name) : len};
    if (key != RS_NO_KEY) {
        status = read_value(session, key, facts);
    }
    if (status == RS_OK) {
        status = read_rule(session, path, facts);
    }
    return status == RS_OK ? judge(key, facts) : status;
}

/* Of a value that is not set, who made its key says nothing. */
static void take_setter(struct value_facts *facts, struct setter *setter)
{
    if (facts->is_set || setter->kind == RS_VALUE_DELETED) {
        facts->setter = *setter;
    } else {
        setter_free(setter);
    }
}

int value_facts_history(struct session *session, rs_key key, struct value_facts *facts,
                        size_t count)
{
    struct setter *rows = calloc(count + 1, sizeof(*rows));
    const char *path;
    size_t len;
    int status = rows != NULL ? rs_key_path(session->txn, key, &path, &len) : RS_ENOMEM;

    if (status == RS_OK) {
        for (size_t i = 0; i < count; i++) {
            rows[i].name = facts[i].name;
            rows[i].name_len = facts[i].name_len;
        }
        status = setters_find(session->txn, path, len, rows, count);
        for (size_t i = 0; i < count; i++) {
            take_setter(&facts[i], &rows[i]);
        }
    }
    free(rows);
    return status;
}

void value_facts_free(struct value_facts *facts)
{
    setter_free(&facts->setter);
}

/* ---- Telling ---- */

const rs_value *value_facts_effective(const struct value_facts *facts)
{
    if (facts->is_set) {
        return &facts->value;
    }
    return facts->has_rule && facts->rule.has_default ? &facts->rule.default_value : NULL;
}

static void put_set(FILE *out, const struct setter *setter)
{
    if (setter->revision == 0) {
        fputs("set before what the journal still holds", out);
        return;
    }
    fputs(setter->kind == RS_KEY_RENAMED ? "came with its key, renamed in " : "set in ", out);
    setter_show(out, setter);
}

void value_facts_origin(FILE *out, const struct value_facts *facts)
{
    const struct setter *setter = &facts->setter;

    if (facts->is_set) {
        put_set(out, setter);
        return;
    }
    if (facts->has_rule && facts->rule.has_default) {
        fputs("default of the rule ", out);
        show_safely(out, facts->rule.key);
    } else {
        fputs("not set", out);
    }
    if (setter->revision != 0) {
        fputs(", deleted in ", out);
        setter_show(out, setter);
    }
}

static const char *origin_name(const struct value_facts *facts)
{
    if (facts->is_set) {
        return "set";
    }
    return value_facts_effective(facts) != NULL ? "default" : "none";
}

int value_facts_json(struct json *json, const struct value_facts *facts)
{
    const rs_value *effective = value_facts_effective(facts);
    int status = RS_OK;

    json_member(json, "name");
    json_text(json, facts->name, facts->name_len);
    if (effective != NULL) {
        status = show_json_data(json, effective);
    }
    json_member_text(json, "origin", origin_name(facts));
    setter_json(json, &facts->setter);
    if (facts->wrong.text[0] != '\0') {
        json_member_text(json, "violation", facts->wrong.text);
    }
    json_member(json, "rule");
    if (!facts->has_rule) {
        json_null(json);
        return status;
    }
    return status == RS_OK ? rule_page_json(json, &facts->rule) : status;
}
