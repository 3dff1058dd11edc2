/*
 * api_rules.c - the public calls for rules.
 *
 * Arguments are checked and handed over, nothing else. Needs everything, as api.c does.
 */
#include "api.h"

int rs_rule_parse(const char *name, const void *data, size_t size, rs_rule **rule, rs_error *error)
{
    struct arena arena = ARENA_INIT;
    rs_rule parsed;
    if (name == NULL || (data == NULL && size > 0) || rule == NULL) {
        return fail(error, RS_EINVAL, "invalid argument");
    }
    int status = schema_parse(&arena, name, strlen(name), data, size, &parsed, error);
    if (status == RS_OK) {
        status = schema_pack(&parsed, rule);
    }
    arena_free(&arena);
    return status == RS_OK ? RS_OK : fail(error, status, "%s", rs_strerror(status));
}

int rs_rule_check(const rs_rule *rule, const rs_value *value, rs_error *why)
{
    if (rule == NULL || (value != NULL && value->data == NULL && value->size > 0)) {
        return fail(why, RS_EINVAL, "invalid argument");
    }
    return schema_judge(rule, value, why);
}

/* ---- In a store ---- */

/* What a path's values are judged by, from begin_at() to end_at(). */
struct place {
    struct schema schema;
    struct schema_set set;
};

static int begin_at(rs_txn *txn, struct place *place, const char *path, size_t len)
{
    *place = (struct place){0};
    int status = schema_begin(&place->schema, &txn->tree, &txn->rules);
    return status == RS_OK
               ? schema_set_at(&place->schema, path, text_length(path, len), &place->set)
               : status;
}

/* Describes a failure, and gives its status. */
static int end_at(rs_txn *txn, struct place *place, int status)
{
    schema_set_free(&place->set);
    schema_end(&place->schema);
    return status == RS_OK ? RS_OK : fail(txn->tree.error, status, "%s", rs_strerror(status));
}

int rs_rule_get_n(rs_txn *txn, const char *path, size_t len, const char *name, size_t name_len,
                  rs_rule *rule)
{
    struct place place;
    rs_rule found;
    rs_key at;
    int status = api_check(txn, path != NULL && rule != NULL);
    if (status != RS_OK) {
        return status;
    }
    status = begin_at(txn, &place, path, len);
    if (status == RS_OK) {
        status = schema_find(&place.schema, &place.set, name, text_length(name, name_len), &found,
                             &at, place.schema.error);
        if (status == RS_ENOTFOUND) {
            fail(place.schema.error, status, "no rule for value \"%.*s\"",
                 (int)text_length(name, name_len), name);
        }
    }
    if (status == RS_OK) {
        status = schema_place(&place.schema, at, &found);
    }
    if (status == RS_OK) {
        *rule = found;
    }
    return end_at(txn, &place, status);
}

/* *answer is what each gives. */
static int give_rule(struct schema *schema, const struct schema_set *set, const rs_text *name,
                     int (*each)(void *context, const rs_rule *rule), void *context, int *answer)
{
    rs_rule rule;
    rs_key at;
    int status = schema_find(schema, set, name->text, name->len, &rule, &at, NULL);
    if (status == RS_ERULE) {
        return RS_OK;
    }
    if (status == RS_OK) {
        status = schema_place(schema, at, &rule);
    }
    if (status == RS_OK) {
        schema->tree->error = schema->error;
        *answer = each(context, &rule);
        schema->tree->error = NULL;
    }
    return status;
}

int rs_rules(rs_txn *txn, const char *path, size_t len,
             int (*each)(void *context, const rs_rule *rule), void *context)
{
    struct place place;
    const rs_text *names = NULL;
    size_t count = 0;
    int answer = 0;
    int status = api_check(txn, path != NULL && each != NULL);
    if (status != RS_OK) {
        return status;
    }
    status = begin_at(txn, &place, path, len);
    if (status == RS_OK) {
        status = schema_names(&place.schema, &place.set, &names, &count);
    }
    for (size_t i = 0; status == RS_OK && answer == 0 && i < count; i++) {
        status = give_rule(&place.schema, &place.set, &names[i], each, context, &answer);
    }
    status = end_at(txn, &place, status);
    return status == RS_OK ? answer : status;
}

/* ---- Judging ---- */

int rs_txn_check(rs_txn *txn, int (*each)(void *context, const rs_violation *violation),
                 void *context, uint64_t *violations)
{
    struct schema_check check = {.each = each, .context = context, .warnings = true};
    struct schema schema;
    int status = api_check(txn, true);
    if (status == RS_OK) {
        status = tree_writable(&txn->tree);
    }
    if (status != RS_OK) {
        return status;
    }
    status = schema_begin(&schema, &txn->tree, &txn->rules);
    if (status == RS_OK) {
        status = schema_check_changes(&schema, &txn->journal, &txn->undone, &check);
    }
    schema_end(&schema);
    if (status == RS_OK && violations != NULL) {
        *violations = check.violations;
    }
    return status;
}

int rs_txn_force(rs_txn *txn)
{
    int status = api_check(txn, true);
    if (status == RS_OK) {
        status = tree_writable(&txn->tree);
    }
    if (status == RS_OK) {
        txn->forced = true;
    }
    return status;
}

int rs_key_check(rs_txn *txn, rs_key key, unsigned flags,
                 int (*each)(void *context, const rs_violation *violation), void *context,
                 uint64_t *violations)
{
    struct schema_check check = {.each = each, .context = context, .warnings = true};
    struct schema schema;
    int status = api_stored_key(txn, &key, (flags & ~RS_SUBTREE) == 0);
    if (status != RS_OK) {
        return status;
    }
    status = schema_begin(&schema, &txn->tree, &txn->rules);
    if (status == RS_OK) {
        status = schema_check_key(&schema, key, (flags & RS_SUBTREE) != 0, &check);
    }
    schema_end(&schema);
    if (status == RS_OK && violations != NULL) {
        *violations = check.violations;
    }
    return status;
}
