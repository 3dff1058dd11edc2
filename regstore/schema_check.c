/*
 * schema_check.c - stored values judged by their rules, one by one.
 *
 * A value's rule is looked for first, as most values have none. What was told of a value is
 * remembered, as a transaction may have changed it in several ways. Needs schema.c.
 */
#include "schema.h"

#include <stdio.h>
#include <stdlib.h>

#define NO_ROW UINT32_MAX

/* One value that was told. */
struct judged {
    rs_key key;
    char *name;
    size_t len;
    bool warning;
    uint32_t next; /* of the same head */
};

void judge_begin(struct judge *judge, struct schema *schema, struct schema_check *check)
{
    *judge = (struct judge){.schema = schema, .check = check, .outer = schema->tree->arena};
    schema->tree->arena = &judge->arena;
}

void judge_end(struct judge *judge)
{
    judge->schema->tree->arena = judge->outer;
    for (uint32_t i = 0; i < judge->count; i++) {
        free(judge->rows[i].name);
    }
    free(judge->rows);
    free(judge->heads);
    arena_free(&judge->arena);
    arena_free(&judge->names);
    buffer_free(&judge->path);
}

/* ---- What was told ---- */

static uint32_t *head_of(const struct judge *judge, rs_key key)
{
    return &judge->heads[key * UINT64_C(0x9e3779b97f4a7c15) % judge->capacity];
}

static bool is_told(const struct judge *judge, const struct judged *wanted)
{
    if (judge->count == 0) {
        return false;
    }
    for (uint32_t i = *head_of(judge, wanted->key); i != NO_ROW; i = judge->rows[i].next) {
        const struct judged *row = &judge->rows[i];
        if (row->key == wanted->key && row->warning == wanted->warning &&
            text_compare(row->name, row->len, wanted->name, wanted->len) == 0) {
            return true;
        }
    }
    return false;
}

static void enter_row(struct judge *judge, uint32_t row)
{
    uint32_t *head = head_of(judge, judge->rows[row].key);

    judge->rows[row].next = *head;
    *head = row;
}

static int make_room(struct judge *judge)
{
    const uint32_t capacity = judge->capacity > 0 ? 2 * judge->capacity : 32;

    if (judge->count < judge->capacity) {
        return RS_OK;
    }
    if (capacity > NO_ROW / 2) {
        return RS_ENOMEM;
    }
    struct judged *rows = realloc(judge->rows, capacity * sizeof *rows);
    if (rows == NULL) {
        return RS_ENOMEM;
    }
    judge->rows = rows;
    uint32_t *heads = realloc(judge->heads, capacity * sizeof *heads);
    if (heads == NULL) {
        return RS_ENOMEM;
    }
    judge->heads = heads;
    judge->capacity = capacity;
    memset(heads, 0xff, capacity * sizeof *heads);
    for (uint32_t i = 0; i < judge->count; i++) {
        enter_row(judge, i);
    }
    return RS_OK;
}

static int remember(struct judge *judge, const struct judged *told)
{
    int status = make_room(judge);
    struct judged row = *told;

    row.name = status == RS_OK ? malloc(told->len + 1) : NULL;
    if (row.name == NULL) {
        return RS_ENOMEM;
    }
    memcpy(row.name, told->name, told->len);
    judge->rows[judge->count] = row;
    enter_row(judge, judge->count++);
    return RS_OK;
}

/* ---- Telling ---- */

/* Who is told may read in the transaction: meanwhile the tree is as it was, and what he asks for
 * does not take the rule away that he is told of. */
static int call(struct judge *judge, const rs_violation *violation)
{
    struct schema *schema = judge->schema;
    struct tree *tree = schema->tree;
    struct found_rule *found = *schema->found;

    *schema->found = NULL;
    tree->arena = judge->outer;
    tree->error = schema->error;
    int status = judge->check->each(judge->check->context, violation);
    tree->arena = &judge->arena;
    tree->error = NULL;
    schema_forget_found(*schema->found);
    free(*schema->found);
    *schema->found = found;
    return status;
}

static int give(struct judge *judge, rs_key key, rs_violation *violation)
{
    struct tree *tree = judge->schema->tree;
    judge->path.size = 0;
    int status = tree_path(tree, key, &judge->path);
    if (status == RS_OK) {
        status = buffer_terminate(&judge->path);
    }
    if (status == RS_OK) {
        violation->path = judge->path.data;
        violation->path_len = judge->path.size;
        status = call(judge, violation);
    }
    return status;
}

/* Fills the path in; once for a value. */
static int tell(struct judge *judge, rs_key key, rs_violation *violation)
{
    const struct judged row = {.key = key,
                               .name = (char *)(uintptr_t)violation->name,
                               .len = violation->name_len,
                               .warning = violation->warning != 0};
    if (is_told(judge, &row)) {
        return RS_OK;
    }
    int status = remember(judge, &row);
    if (status == RS_OK) {
        judge->check->violations += !row.warning;
        status = judge->check->each != NULL ? give(judge, key, violation) : RS_OK;
    }
    return status;
}

/* value is NULL for one that is not set. */
static int tell_ruled(struct judge *judge, rs_key key, const rs_value *value, rs_rule *rule,
                      rs_key at, const char *text, bool warning)
{
    int status = schema_place(judge->schema, at, rule);
    rs_violation violation = {.name = value != NULL ? value->name : rule->name,
                              .name_len = value != NULL ? value->name_len : rule->name_len,
                              .value = value,
                              .rule = rule,
                              .warning = warning,
                              .text = text};

    return status == RS_OK ? tell(judge, key, &violation) : status;
}

/* ---- One value ---- */

/* *value is where the value is put, and NULL becomes of it if it is not set. RS_EDELETED: the key
 * is gone. */
static int get_value(struct judge *judge, rs_key key, const char *name, size_t len,
                     rs_value **value)
{
    int status = tree_value_get(judge->schema->tree, key, name, len, *value);

    if (status == RS_ENOTFOUND) {
        *value = NULL;
        return RS_OK;
    }
    return status;
}

/* Where the rules belong that lie below a name which is none of a stored root. */
static const char *right_place(const struct path_root *root)
{
    switch (root != NULL ? root->key : RS_NO_KEY) {
    case RS_HKCU: /* of whoever asks: a rule cannot be of one user */
        return "HKU\\*";
    case RS_HKCR:
        return "HKLM\\SOFTWARE\\Classes";
    case RS_HKCC:
        return "HKLM\\SYSTEM\\CurrentControlSet\\Hardware Profiles\\Current";
    default:
        return root != NULL ? root->alias : "HKLM, HKU or HKRS";
    }
}

/* The name of the root whose values go by the rules in a key: the one behind "Rules". RS_END if
 * there is none. It lives in judge->path. */
static int find_root_name(struct judge *judge, rs_key key, const char **name, size_t *len)
{
    struct buffer *path = &judge->path;
    const struct path_root *root;
    struct path_iter iter;

    path->size = 0;
    int status = tree_path(judge->schema->tree, key, path);
    if (status == RS_OK) {
        status = path_begin_rooted(&iter, path->data, path->size, &root, NULL);
    }
    for (int i = 0; status == RS_OK && i < 2; i++) {
        status = path_next(&iter, name, len, NULL);
    }
    return status;
}

/* A rule that no value of any key would go by is refused: who stored it would rely on it. */
static int check_place(struct judge *judge, rs_key key, const rs_value *value, rs_error *why)
{
    const struct value_quoted quoted = value_quote(value->name, value->name_len);
    const char *name = NULL;
    size_t len = 0;
    int status = find_root_name(judge, key, &name, &len);

    if (status == RS_END) {
        return fail(why, RS_ERULE,
                    "the rule of \"%.*s%s\": nothing goes by a rule in HKRS\\Rules itself, it "
                    "belongs below HKRS\\Rules\\%s",
                    quoted.len, value->name, quoted.dots, right_place(NULL));
    }
    if (status != RS_OK) {
        return status;
    }
    const struct path_root *root = path_root_by_name(name, len);
    if (root != NULL && root->stored == root->key &&
        text_compare(name, len, root->alias, strlen(root->alias)) == 0) {
        return RS_OK;
    }
    const struct value_quoted below = value_quote(name, len);
    return fail(why, RS_ERULE,
                "the rule of \"%.*s%s\": nothing goes by a rule below \"%.*s%s\", it belongs below "
                "HKRS\\Rules\\%s",
                quoted.len, value->name, quoted.dots, below.len, name, below.dots,
                right_place(root));
}

/* A value that is a rule. */
static int judge_rule(struct judge *judge, rs_key key, const rs_value *value)
{
    rs_error why = RS_ERROR_INIT;
    rs_rule rule;
    int status = schema_read(judge->schema, value, &rule, &why);

    if (status == RS_OK) {
        status = check_place(judge, key, value, &why);
    }
    if (status != RS_ERULE) {
        return status;
    }
    rs_violation violation = {
        .name = value->name, .name_len = value->name_len, .value = value, .text = why.text};
    return tell(judge, key, &violation);
}

/* The number of a value that is set or has a default; *known if there is one. */
static int effective_number(struct judge *judge, rs_key key, const struct schema_set *set,
                            const char *name, size_t len, uint64_t *number, bool *known)
{
    rs_value stored;
    rs_value *value = &stored;
    rs_rule rule;
    rs_key at;
    int status = get_value(judge, key, name, len, &value);

    if (status == RS_OK && value == NULL) {
        status = schema_find(judge->schema, set, name, len, &rule, &at, NULL);
        value = status == RS_OK && rule.has_default ? &rule.default_value : NULL;
        status = status == RS_ENOTFOUND || status == RS_ERULE ? RS_OK : status;
    }
    *known = status == RS_OK && value != NULL &&
             schema_number(value->type, value->data, value->size, number);
    return status;
}

/* As warn-above= says. value is NULL for one that is not set. */
static int judge_warning(struct judge *judge, rs_key key, const struct schema_set *set,
                         const rs_value *value, rs_rule *rule, rs_key at)
{
    const char *limit = rule->warn_above;
    uint64_t number = 0;
    uint64_t most = 0;
    bool known = false;
    bool limited = false;
    char text[RS_ERROR_TEXT_MAX];

    int status = effective_number(judge, key, set, rule->name, rule->name_len, &number, &known);
    if (status == RS_OK) {
        status = effective_number(judge, key, set, limit, strlen(limit), &most, &limited);
    }
    if (status != RS_OK || !known || !limited || number <= most) {
        return status;
    }
    const struct value_quoted quoted = value_quote(limit, strlen(limit));
    snprintf(text, sizeof text, "%llu is above \"%.*s%s\", which is %llu%s%s",
             (unsigned long long)number, quoted.len, limit, quoted.dots, (unsigned long long)most,
             *rule->warning != '\0' ? ": " : "", rule->warning);
    return tell_ruled(judge, key, value, rule, at, text, true);
}

/* By its rule, as it is set or not. *rule and *at are given, too. RS_ENOTFOUND: it has no rule that
 * can be read; RS_EDELETED: its key is gone. */
static int judge_stored(struct judge *judge, rs_key key, const struct schema_set *set,
                        const char *name, size_t len, bool own_warning)
{
    rs_error why = RS_ERROR_INIT;
    rs_value stored;
    rs_value *value = &stored;
    rs_rule rule;
    rs_key at;
    int status = schema_find_again(judge->schema, set, name, len, &rule, &at);

    if (status == RS_ENOTFOUND || status == RS_ERULE) {
        return RS_OK; /* a malformed rule is told where it lies */
    }
    if (status == RS_OK) {
        status = get_value(judge, key, name, len, &value);
    }
    if (status == RS_OK) {
        status = schema_judge(&rule, value, &why);
    }
    if (status == RS_EREFUSED) {
        status = tell_ruled(judge, key, value, &rule, at, why.text, false);
    }
    if (status == RS_OK && own_warning && *rule.warn_above != '\0') {
        status = judge_warning(judge, key, set, value, &rule, at);
    }
    return status == RS_EDELETED ? RS_OK : status;
}

/* A warning of another value's rule, whose limit this one is. */
static int judge_as_limit(struct judge *judge, rs_key key, const struct schema_set *set,
                          const rs_text *other, const char *name, size_t len)
{
    rs_value stored;
    rs_value *value = &stored;
    rs_rule rule;
    rs_key at;
    int status = schema_find(judge->schema, set, other->text, other->len, &rule, &at, NULL);

    if (status == RS_ERULE ||
        (status == RS_OK &&
         text_compare(rule.warn_above, strlen(rule.warn_above), name, len) != 0)) {
        return RS_OK;
    }
    if (status == RS_OK) {
        status = get_value(judge, key, other->text, other->len, &value);
    }
    if (status == RS_OK) {
        status = judge_warning(judge, key, set, value, &rule, at);
    }
    return status == RS_EDELETED ? RS_OK : status;
}

/* The names of the key's rules; they live until the next call. */
static int list_names(struct judge *judge, const struct schema_set *set, const rs_text **names,
                      size_t *count)
{
    arena_reset(&judge->names);
    judge->schema->tree->arena = &judge->names;
    int status = schema_names(judge->schema, set, names, count);
    judge->schema->tree->arena = &judge->arena;
    return status;
}

static int judge_limited(struct judge *judge, rs_key key, const struct schema_set *set,
                         const char *name, size_t len)
{
    const rs_text *names = NULL;
    size_t count = 0;
    int status = list_names(judge, set, &names, &count);

    for (size_t i = 0; status == RS_OK && i < count; i++) {
        arena_reset(&judge->arena);
        status = judge_as_limit(judge, key, set, &names[i], name, len);
    }
    return status;
}

int judge_value(struct judge *judge, rs_key key, const struct schema_set *set, const char *name,
                size_t len)
{
    rs_value stored;
    int status = RS_OK;

    arena_reset(&judge->arena);
    if (set->inside) {
        status = tree_value_get(judge->schema->tree, key, name, len, &stored);
        if (status == RS_OK) {
            status = judge_rule(judge, key, &stored);
        } else if (status == RS_ENOTFOUND || status == RS_EDELETED) {
            status = RS_OK;
        }
    }
    if (status == RS_OK && set->count > 0) {
        status = judge_stored(judge, key, set, name, len, judge->check->warnings);
    }
    if (status == RS_OK && set->count > 0 && judge->check->warnings) {
        status = judge_limited(judge, key, set, name, len);
    }
    return status;
}

int judge_set(struct judge *judge, rs_key key, const struct schema_set *set,
              const struct change_side *after)
{
    const rs_value value = {after->name, after->name_len, after->type, after->data, after->size};
    rs_error why = RS_ERROR_INIT;
    rs_rule rule;
    rs_key at;
    int status = RS_EREFUSED;

    arena_reset(&judge->arena);
    if (!set->inside && !judge->check->warnings) {
        status = schema_find_again(judge->schema, set, value.name, value.name_len, &rule, &at);
        status = status == RS_OK ? schema_judge(&rule, &value, &why) : status;
    }
    if (status == RS_EREFUSED) {
        return judge_value(judge, key, set, value.name, value.name_len);
    }
    return status == RS_ENOTFOUND || status == RS_ERULE ? RS_OK : status;
}

/* ---- One key ---- */

static int judge_rules(struct judge *judge, rs_key key)
{
    struct tree *tree = judge->schema->tree;
    struct tree_list list = {0};
    rs_value value;
    int status = tree_list_values(&list, tree, key);

    while (status == RS_OK && (status = tree_list_next_value(&list, &value)) == RS_OK) {
        arena_reset(&judge->arena);
        status = judge_rule(judge, key, &value);
    }
    tree_list_free(&list);
    return status == RS_END ? RS_OK : status;
}

int judge_key(struct judge *judge, rs_key key, const struct schema_set *set)
{
    const rs_text *names = NULL;
    size_t count = 0;
    int status = set->inside ? judge_rules(judge, key) : RS_OK;

    if (status == RS_OK && set->count > 0) {
        status = list_names(judge, set, &names, &count);
    }
    for (size_t i = 0; status == RS_OK && i < count; i++) {
        arena_reset(&judge->arena);
        status = judge_stored(judge, key, set, names[i].text, names[i].len, judge->check->warnings);
    }
    return status;
}
