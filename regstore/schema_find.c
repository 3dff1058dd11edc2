/*
 * schema_find.c - the rules in the rule keys of a set.
 *
 * The first key of the set that has a value of a name has its rule, be it malformed or not. Needs
 * schema.c.
 */
#include "schema.h"

#include <stdlib.h>

int schema_read(struct schema *schema, const rs_value *stored, rs_rule *rule, rs_error *why)
{
    if (stored->type != REG_MULTI_SZ) {
        const struct value_quoted name = value_quote(stored->name, stored->name_len);
        return fail(why, RS_ERULE, "the rule of \"%.*s%s\": it is no REG_MULTI_SZ", name.len,
                    stored->name, name.dots);
    }
    return schema_parse(schema->tree->arena, stored->name, stored->name_len, stored->data,
                        stored->size, rule, why);
}

int schema_find(struct schema *schema, const struct schema_set *set, const char *name, size_t len,
                rs_rule *rule, rs_key *at, rs_error *why)
{
    for (size_t i = 0; i < set->count; i++) {
        rs_value stored;
        int status = tree_value_get(schema->tree, set->keys[i], name, len, &stored);
        if (status == RS_OK) {
            *at = set->keys[i];
            return schema_read(schema, &stored, rule, why);
        }
        if (status != RS_ENOTFOUND) {
            return status;
        }
    }
    return RS_ENOTFOUND;
}

int schema_place(struct schema *schema, rs_key at, rs_rule *rule)
{
    struct buffer path = BUFFER_INIT;
    int status = tree_path(schema->tree, at, &path);

    if (status == RS_OK) {
        const char *copy = arena_copy(schema->tree->arena, path.data, path.size);
        if (copy != NULL) {
            rule->key = copy;
        } else {
            status = RS_ENOMEM;
        }
    }
    buffer_free(&path);
    return status;
}

int schema_default(struct schema *schema, rs_key key, const char *name, size_t len, rs_value *value)
{
    struct schema_set set = {0};
    rs_rule rule;
    rs_key at;
    int status = schema_set_of(schema, key, &set);

    if (status == RS_OK) {
        status = schema_find(schema, &set, name, len, &rule, &at, NULL);
    }
    schema_set_free(&set);
    /* A malformed rule, which only a store of before the rules can have, gives no default. */
    if (status == RS_ERULE || (status == RS_OK && !rule.has_default)) {
        return RS_ENOTFOUND;
    }
    if (status == RS_OK) {
        *value = rule.default_value;
    }
    return status;
}

/* ---- All of a key ---- */

struct names {
    rs_text *rows;
    size_t count;
    size_t capacity;
};

static int add_name(struct names *names, const char *text, size_t len)
{
    if (text == NULL) {
        return RS_ENOMEM;
    }
    if (names->count == names->capacity) {
        const size_t capacity = names->capacity > 0 ? 2 * names->capacity : 32;
        rs_text *rows = realloc(names->rows, capacity * sizeof *rows);
        if (rows == NULL) {
            return RS_ENOMEM;
        }
        names->rows = rows;
        names->capacity = capacity;
    }
    names->rows[names->count++] = (rs_text){text, len};
    return RS_OK;
}

static int add_names(struct tree *tree, rs_key key, struct names *names)
{
    struct tree_list list = {0};
    rs_value value;
    int status = tree_list_values(&list, tree, key);

    while (status == RS_OK && (status = tree_list_next_value(&list, &value)) == RS_OK) {
        status =
            add_name(names, arena_copy(tree->arena, value.name, value.name_len), value.name_len);
    }
    tree_list_free(&list);
    return status == RS_END ? RS_OK : status;
}

static int compare_names(const void *a, const void *b)
{
    const rs_text *left = a;
    const rs_text *right = b;

    return text_compare(left->text, left->len, right->text, right->len);
}

/* In order, and each once. */
static void sort_names(struct names *names)
{
    size_t kept = 0;

    if (names->count == 0) {
        return;
    }
    qsort(names->rows, names->count, sizeof *names->rows, compare_names);
    for (size_t i = 1; i < names->count; i++) {
        if (compare_names(&names->rows[kept], &names->rows[i]) != 0) {
            names->rows[++kept] = names->rows[i];
        }
    }
    names->count = kept + 1;
}

int schema_names(struct schema *schema, const struct schema_set *set, const rs_text **rows,
                 size_t *count)
{
    struct tree *tree = schema->tree;
    struct names names = {NULL, 0, 0};
    int status = RS_OK;

    for (size_t i = 0; status == RS_OK && i < set->count; i++) {
        status = add_names(tree, set->keys[i], &names);
    }
    if (status == RS_OK) {
        sort_names(&names);
        rs_text *copy = arena_alloc(tree->arena, (names.count + 1) * sizeof *copy);
        if (copy == NULL) {
            status = RS_ENOMEM;
        } else {
            for (size_t i = 0; i < names.count; i++) {
                copy[i] = names.rows[i];
            }
            *rows = copy;
            *count = names.count;
        }
    }
    free(names.rows);
    return status;
}
