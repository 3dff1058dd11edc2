/*
 * schema_find.c - the rules in the rule keys of a set.
 *
 * The first key of the set that has a value of a name has its rule, be it malformed or not. Who
 * judges many values reads each rule once. Needs schema.c.
 */
#include "schema.h"

#include <stdlib.h>

int schema_read(struct schema *schema, const rs_value *stored, rs_rule *rule, rs_error *why)
{
    if (stored->type != REG_MULTI_SZ) {
        const struct value_quoted name = value_quote(stored->name, stored->name_len);
        return fail(why, RS_ERULE, "the rule of \"%.*s%s\": %s", name.len, stored->name, name.dots,
                    stored->type == REG_LINK ? "no rule is found by a symbolic link"
                                             : "it is no REG_MULTI_SZ");
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

/* ---- Rules that were read already ---- */

#define FOUND 64u
#define FOUND_NAME 40u   /* a longer one is not remembered */
#define FOUND_SIZE 4096u /* nor a larger rule: what all of them take stays small */

/* What a rule key says of a name. */
struct found_rule {
    rs_key at; /* RS_NO_KEY: empty */
    size_t len;
    char name[FOUND_NAME];
    rs_rule *rule; /* NULL: nothing */
};

static struct found_rule *found_place(const struct schema *schema, rs_key at, const char *name,
                                      size_t len)
{
    uint64_t hash = at;

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
    }
    return &(*schema->found)[(hash ^ hash >> 32) % FOUND];
}

static bool is_found(const struct found_rule *found, rs_key at, const char *name, size_t len)
{
    return found->at == at && found->len == len && memcmp(found->name, name, len) == 0;
}

/* rule is NULL if there is none. */
static int keep_found(struct found_rule *found, rs_key at, const char *name, size_t len,
                      const rs_rule *rule)
{
    free(found->rule);
    *found = (struct found_rule){.at = RS_NO_KEY};
    int status = rule != NULL ? schema_pack(rule, &found->rule) : RS_OK;
    if (status == RS_OK) {
        found->at = at;
        found->len = len;
        memcpy(found->name, name, len);
    }
    return status;
}

/* What one rule key says. */
static int find_in(struct schema *schema, rs_key at, const char *name, size_t len, rs_rule *rule)
{
    struct found_rule *found = found_place(schema, at, name, len);
    rs_value stored = {.size = 0};

    if (is_found(found, at, name, len)) {
        if (found->rule != NULL) {
            *rule = *found->rule;
        }
        return found->rule != NULL ? RS_OK : RS_ENOTFOUND;
    }
    int status = tree_value_get(schema->tree, at, name, len, &stored);
    const bool none = status == RS_ENOTFOUND;
    if (status == RS_OK) {
        status = schema_read(schema, &stored, rule, NULL);
    }
    if ((none || status == RS_OK) && len <= sizeof found->name && stored.size <= FOUND_SIZE) {
        int kept = keep_found(found, at, name, len, none ? NULL : rule);
        status = kept != RS_OK ? kept : status;
    }
    return status;
}

int schema_find_again(struct schema *schema, const struct schema_set *set, const char *name,
                      size_t len, rs_rule *rule, rs_key *at)
{
    int status = RS_ENOTFOUND;

    if (*schema->found == NULL) {
        *schema->found = calloc(FOUND, sizeof **schema->found);
    }
    if (*schema->found == NULL) {
        return RS_ENOMEM;
    }
    for (size_t i = 0; status == RS_ENOTFOUND && i < set->count; i++) {
        *at = set->keys[i];
        status = find_in(schema, *at, name, len, rule);
    }
    return status;
}

void schema_forget_found(struct found_rule *found)
{
    for (size_t i = 0; found != NULL && i < FOUND; i++) {
        free(found[i].rule);
        found[i] = (struct found_rule){.at = RS_NO_KEY};
    }
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
