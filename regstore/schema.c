/*
 * schema.c - which rules a key has.
 *
 * Beside the way from a root to a key there are ways through HKRS\Rules: at each step a rule key
 * has a child of the same name, one CurrentControlSet, one "*", or none. The rule keys at the end
 * of these ways are the key's set. It follows from the set of its parent, so that below a key
 * without any there is nothing to look for, and some are remembered. A transaction that changes
 * keys or what is in HKRS may change rules and names, so it remembers them only from begin to end.
 * One that changes nothing but values elsewhere hands what it remembers on to the next.
 */
#include "schema.h"

#include <stdlib.h>
#include <strings.h>

/* Places, a power of two; eight times as many when so many have been filled. */
#define PLACES 64u
#define MOST_PLACES 4096u
#define PLACE_KEYS 6u /* a larger set is not remembered */
#define BRANCHES 128u
#define BRANCH_NAME 28u /* a longer one is not remembered */

/* The set of a key. */
struct place {
    rs_key key;
    uint32_t age;
    uint16_t count;
    bool inside;
    rs_key keys[PLACE_KEYS];
};

/* The child of a rule key, or that it has none of that name: keys are many, rules are few, and the
 * same few are asked for each time. */
struct branch {
    rs_key above;
    rs_key child; /* RS_NO_KEY: none */
    uint32_t age;
    uint32_t len;
    char name[BRANCH_NAME];
};

/* What was remembered at another age than this does not count any more. */
struct schema_cache {
    uint64_t snapshot; /* 0: none yet */
    uint32_t age;
    rs_key rules;
    struct place *places;
    unsigned place_count;
    unsigned filled; /* since there are so many places */
    struct found_rule *found;
    struct branch branches[BRANCHES];
    struct place first[PLACES];
};

static struct schema_cache *new_cache(void)
{
    struct schema_cache *cache = calloc(1, sizeof *cache);

    if (cache != NULL) {
        cache->places = cache->first;
        cache->place_count = PLACES;
    }
    return cache;
}

static void free_places(struct schema_cache *cache)
{
    if (cache->places != cache->first) {
        free(cache->places);
    }
}

void schema_cache_free(struct schema_cache *cache)
{
    if (cache != NULL) {
        free_places(cache);
        schema_forget_found(cache->found);
        free(cache->found);
        free(cache);
    }
}

/* ---- Begin and end ---- */

static void forget_all(struct schema_cache *cache)
{
    cache->snapshot = 0;
    schema_forget_found(cache->found);
    if (++cache->age == 0) {
        memset(cache->places, 0, cache->place_count * sizeof *cache->places);
        memset(cache->branches, 0, sizeof cache->branches);
        cache->age = 1;
    }
}

/* The commit whose rules a transaction sees; 0: none's, as it may have changed them. */
static uint64_t rules_of(const struct tree *tree)
{
    const uint64_t number = env_txn_number(tree->txn);

    if (!tree->txn->write) {
        return number;
    }
    return tree->moved ? 0 : number - 1;
}

void schema_cache_carry(struct schema_cache *cache, const struct tree *tree, uint64_t committed)
{
    if (cache != NULL) {
        cache->snapshot = !tree->moved && cache->snapshot == committed - 1 ? committed : 0;
    }
}

static int find_rules(struct schema *schema)
{
    static const char name[] = "Rules";
    struct schema_cache *cache = schema->cache;
    int status = tree_child(schema->tree, RS_HKRS, name, sizeof name - 1, &cache->rules, NULL);

    if (status == RS_ENOTFOUND) {
        cache->rules = RS_NO_KEY;
        status = RS_OK;
    }
    if (status == RS_OK) {
        cache->snapshot = rules_of(schema->tree);
    }
    return status;
}

int schema_begin(struct schema *schema, struct tree *tree, struct schema_cache **cache)
{
    int status = RS_OK;

    if (*cache == NULL) {
        *cache = new_cache();
    }
    *schema = (struct schema){.tree = tree, .error = tree->error, .cache = *cache};
    tree->error = NULL;
    if (*cache == NULL) {
        return RS_ENOMEM;
    }
    schema->found = &(*cache)->found;
    if ((*cache)->snapshot == 0 || (*cache)->snapshot != rules_of(tree)) {
        forget_all(*cache);
        status = find_rules(schema);
    }
    schema->rules = (*cache)->rules;
    return status;
}

void schema_end(struct schema *schema)
{
    schema->tree->error = schema->error;
}

/* ---- Sets ---- */

void schema_set_free(struct schema_set *set)
{
    free(set->keys);
    *set = (struct schema_set){0};
}

static int add_key(struct schema_set *set, rs_key key)
{
    if (set->count == set->capacity) {
        const size_t capacity = set->capacity > 0 ? 2 * set->capacity : PLACE_KEYS;
        rs_key *keys = realloc(set->keys, capacity * sizeof *keys);
        if (keys == NULL) {
            return RS_ENOMEM;
        }
        set->keys = keys;
        set->capacity = capacity;
    }
    set->keys[set->count++] = key;
    return RS_OK;
}

static struct branch *branch_of(struct schema *schema, rs_key above, const char *name, size_t len)
{
    uint64_t hash = above;

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
    }
    return &schema->cache->branches[(hash ^ hash >> 32) % BRANCHES];
}

/* RS_NO_KEY if there is none of that name. */
static int find_branch(struct schema *schema, rs_key above, const char *name, size_t len,
                       rs_key *child)
{
    struct branch *branch = branch_of(schema, above, name, len);

    if (branch->age == schema->cache->age && branch->above == above && branch->len == len &&
        memcmp(branch->name, name, len) == 0) {
        *child = branch->child;
        return RS_OK;
    }
    int status = tree_child(schema->tree, above, name, len, child, NULL);
    if (status == RS_ENOTFOUND) {
        *child = RS_NO_KEY;
        status = RS_OK;
    }
    if (status == RS_OK && len <= sizeof branch->name) {
        *branch = (struct branch){above, *child, schema->cache->age, (uint32_t)len, {0}};
        memcpy(branch->name, name, len);
    }
    return status;
}

static int add_child(struct schema *schema, struct schema_set *set, rs_key above, const char *name,
                     size_t len)
{
    rs_key child = RS_NO_KEY;
    int status = find_branch(schema, above, name, len, &child);

    return status == RS_OK && child != RS_NO_KEY ? add_key(set, child) : status;
}

/* ControlSet001 and the like, for which CurrentControlSet may stand. */
static bool is_control_set(const char *name, size_t len)
{
    static const char head[] = "ControlSet";
    size_t at = sizeof head - 1;

    if (len != at + 3 || strncasecmp(name, head, at) != 0) {
        return false;
    }
    while (at < len && name[at] >= '0' && name[at] <= '9') {
        at++;
    }
    return at == len;
}

static int add_children(struct schema *schema, struct schema_set *set, rs_key above,
                        const char *name, size_t len)
{
    static const char current[] = "CurrentControlSet";
    int status = add_child(schema, set, above, name, len);

    if (status == RS_OK && is_control_set(name, len)) {
        status = add_child(schema, set, above, current, sizeof current - 1);
    }
    if (status == RS_OK && !(len == 1 && *name == '*')) {
        status = add_child(schema, set, above, "*", 1);
    }
    return status;
}

int schema_set_below(struct schema *schema, const struct schema_set *above, rs_key key,
                     const char *name, size_t len, struct schema_set *set)
{
    int status = RS_OK;

    set->count = 0;
    set->inside = above->inside || (key != RS_NO_KEY && key == schema->rules);
    for (size_t i = 0; status == RS_OK && i < above->count; i++) {
        status = add_children(schema, set, above->keys[i], name, len);
    }
    return status;
}

/* ---- Remembered sets ---- */

static struct place *place_of(struct schema *schema, rs_key key)
{
    return &schema->cache->places[key & (schema->cache->place_count - 1)];
}

static bool is_known(struct schema *schema, rs_key key)
{
    const struct place *place = place_of(schema, key);

    return place->key == key && place->age == schema->cache->age;
}

/* Without the memory for it there are as many places as before. Two keys that had places of their
 * own have them in a multiple of the number, too. */
static void grow_places(struct schema_cache *cache)
{
    const unsigned count = 8 * cache->place_count;
    struct place *places = calloc(count, sizeof *places);

    cache->filled = 0;
    if (places == NULL) {
        return;
    }
    for (unsigned i = 0; i < cache->place_count; i++) {
        if (cache->places[i].age == cache->age) {
            places[cache->places[i].key & (count - 1)] = cache->places[i];
        }
    }
    free_places(cache);
    cache->places = places;
    cache->place_count = count;
}

static struct place *place_to_fill(struct schema *schema, rs_key key)
{
    struct schema_cache *cache = schema->cache;

    if (cache->place_count < MOST_PLACES && ++cache->filled > cache->place_count) {
        grow_places(cache);
    }
    return place_of(schema, key);
}

static void remember(struct schema *schema, rs_key key, const struct schema_set *set)
{
    if (set->count > PLACE_KEYS) {
        return;
    }
    struct place *place = place_to_fill(schema, key);
    place->key = key;
    place->age = schema->cache->age;
    place->count = (uint16_t)set->count;
    place->inside = set->inside;
    if (set->count > 0) {
        memcpy(place->keys, set->keys, set->count * sizeof *set->keys);
    }
}

static int recall(const struct place *place, struct schema_set *set)
{
    int status = RS_OK;

    set->count = 0;
    set->inside = place->inside;
    for (unsigned i = 0; status == RS_OK && i < place->count; i++) {
        status = add_key(set, place->keys[i]);
    }
    return status;
}

/* The set of a root: its rules lie below its short name. */
static int set_of_root(struct schema *schema, rs_key root, struct schema_set *set)
{
    const struct path_root *row = path_root_by_key(root);

    set->count = 0;
    set->inside = false;
    return row != NULL ? add_child(schema, set, schema->rules, row->alias, strlen(row->alias))
                       : RS_EDAMAGED;
}

/* The key and those above it, up to one whose set is known, which is *set then. */
static int climb(struct schema *schema, rs_key key, rs_key *path, size_t *count,
                 struct schema_set *set)
{
    struct node node;
    size_t n = 0;

    while (!is_known(schema, key)) {
        if (n > RS_MAX_DEPTH) {
            return RS_EDAMAGED;
        }
        int status = tree_node(schema->tree, key, &node);
        if (status != RS_OK) {
            return n > 0 && status == RS_EDELETED ? RS_EDAMAGED : status;
        }
        if (node.parent == RS_NO_KEY) {
            *count = n;
            return set_of_root(schema, key, set);
        }
        path[n++] = key;
        key = node.parent;
    }
    *count = n;
    return recall(place_of(schema, key), set);
}

/* From the set of a key above down the path. */
static int descend(struct schema *schema, const rs_key *path, size_t count, struct schema_set *set)
{
    struct schema_set below = {0};
    int status = RS_OK;

    while (status == RS_OK && count > 0) {
        struct node node;
        const rs_key key = path[--count];
        status = tree_node(schema->tree, key, &node);
        if (status == RS_OK) {
            status = schema_set_below(schema, set, key, node.name, node.name_len, &below);
        }
        if (status == RS_OK) {
            struct schema_set above = *set;
            *set = below;
            below = above;
            remember(schema, key, set);
        }
    }
    schema_set_free(&below);
    return status;
}

int schema_set_of(struct schema *schema, rs_key key, struct schema_set *set)
{
    rs_key path[RS_MAX_DEPTH + 1];
    size_t count = 0;

    if (schema->rules == RS_NO_KEY) {
        set->count = 0;
        set->inside = false;
        return RS_OK;
    }
    int status = climb(schema, key, path, &count, set);
    return status == RS_OK ? descend(schema, path, count, set) : status;
}

/* ---- Paths ---- */

/* The path below its stored root, with "\" between names. */
static int spell_out(struct schema *schema, const char *path, size_t len, rs_key *root,
                     struct buffer *names)
{
    const struct path_root *row;
    struct path_iter iter;
    const char *name;
    size_t name_len;
    int status = path_begin_rooted(&iter, path, len, &row, schema->error);

    if (status == RS_OK) {
        *root = row->stored;
        status = path_view(row, names);
    }
    while (status == RS_OK &&
           (status = path_next(&iter, &name, &name_len, schema->error)) == RS_OK) {
        status = path_check_name(name, name_len, schema->error);
        if (status == RS_OK && names->size > 0) {
            status = buffer_append_byte(names, '\\');
        }
        if (status == RS_OK) {
            status = buffer_append(names, name, name_len);
        }
    }
    return status == RS_END ? RS_OK : status;
}

/* The subkey of that name, or where it leads if it is a link. RS_ENOTFOUND. */
static int step(struct tree *tree, rs_key *key, const char *name, size_t len)
{
    bool link = false;
    rs_key child;
    int status = tree_child(tree, *key, name, len, &child, &link);

    if (status == RS_OK && link) {
        status = tree_open(tree, *key, name, len, 0, &child);
        /* One that leads nowhere is gone by its name. */
        status = status == RS_ELOOP || status == RS_EDATA ? RS_ENOTFOUND : status;
    }
    if (status == RS_OK) {
        *key = child;
    }
    return status;
}

/* As far as keys exist they tell where a path leads; behind that its names do. */
static int walk(struct schema *schema, rs_key key, const struct buffer *names,
                struct schema_set *set)
{
    struct schema_set below = {0};
    struct path_iter iter;
    const char *name;
    size_t len;
    bool exists = true;
    int status = schema_set_of(schema, key, set);

    path_begin(&iter, names->data, names->size);
    while (status == RS_OK && (status = path_next(&iter, &name, &len, NULL)) == RS_OK) {
        status = exists ? step(schema->tree, &key, name, len) : RS_ENOTFOUND;
        exists = status == RS_OK;
        if (exists) {
            status = schema_set_of(schema, key, set);
        } else if (status == RS_ENOTFOUND) {
            status = schema_set_below(schema, set, RS_NO_KEY, name, len, &below);
            struct schema_set above = *set;
            *set = below;
            below = above;
        }
    }
    schema_set_free(&below);
    return status == RS_END ? RS_OK : status;
}

int schema_set_at(struct schema *schema, const char *path, size_t len, struct schema_set *set)
{
    struct buffer names = BUFFER_INIT;
    rs_key root = RS_NO_KEY;
    int status = spell_out(schema, path, len, &root, &names);

    if (status == RS_OK) {
        status = walk(schema, root, &names, set);
    }
    buffer_free(&names);
    return status;
}
