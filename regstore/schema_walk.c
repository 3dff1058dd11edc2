/*
 * schema_walk.c - what is to be judged: a key with all below it, or what a transaction changed.
 *
 * A subtree and its rules are gone through side by side: below a key without rules there is nothing
 * to look at, and where no "*" stands among its rules the few names that have some are looked up.
 * So a large import costs what its rules cost. Without recursion, as keys may be 512 deep. Needs
 * schema_check.c.
 */
#include "schema.h"

#include <stdlib.h>

/* A key that is to be looked at, with its set. */
struct spot {
    rs_key key;
    bool inside;
    size_t first; /* of its rule keys */
    size_t count;
};

/* The subkeys of one key: their spots, and how many rule keys there were before. */
struct level {
    size_t first;
    size_t next;
    size_t keys;
};

struct walk {
    struct judge *judge;
    struct spot *spots;
    size_t spot_count;
    size_t spot_capacity;
    rs_key *keys; /* rule keys of the spots */
    size_t key_count;
    size_t key_capacity;
    struct schema_set set; /* of the key that is looked at */
    struct schema_set below;
    struct level *levels;
    size_t depth;
    size_t level_capacity;
};

static int grow(void **array, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity) {
        return RS_OK;
    }
    const size_t more = needed > 2 * *capacity ? needed + 16 : 2 * *capacity;
    void *larger = realloc(*array, more * size);
    if (larger == NULL) {
        return RS_ENOMEM;
    }
    *array = larger;
    *capacity = more;
    return RS_OK;
}

static int push(struct walk *walk, rs_key key, const struct schema_set *set)
{
    void *spots = walk->spots;
    void *keys = walk->keys;
    int status = grow(&spots, &walk->spot_capacity, walk->spot_count + 1, sizeof *walk->spots);
    walk->spots = spots;
    if (status == RS_OK) {
        status = grow(&keys, &walk->key_capacity, walk->key_count + set->count, sizeof *walk->keys);
        walk->keys = keys;
    }
    if (status != RS_OK) {
        return status;
    }
    walk->spots[walk->spot_count++] = (struct spot){key, set->inside, walk->key_count, set->count};
    for (size_t i = 0; i < set->count; i++) {
        walk->keys[walk->key_count++] = set->keys[i];
    }
    return RS_OK;
}

/* The set of a spot becomes walk->set. */
static int load(struct walk *walk, const struct spot *spot)
{
    struct schema_set *set = &walk->set;
    void *keys = set->keys;
    int status = grow(&keys, &set->capacity, spot->count, sizeof *set->keys);

    set->keys = keys;
    if (status != RS_OK) {
        return status;
    }
    set->count = spot->count;
    set->inside = spot->inside;
    for (size_t i = 0; i < spot->count; i++) {
        set->keys[i] = walk->keys[spot->first + i];
    }
    return RS_OK;
}

/* ---- Subkeys that may have rules ---- */

/* A link is nobody's setting, and what it leads to is looked at where it lies. */
static int add_subkey(struct walk *walk, rs_key key, const char *name, size_t len, bool link)
{
    struct schema *schema = walk->judge->schema;
    int status = RS_OK;

    if (!link) {
        status = schema_set_below(schema, &walk->set, key, name, len, &walk->below);
    }
    if (link || status != RS_OK || (walk->below.count == 0 && !walk->below.inside)) {
        return status;
    }
    return push(walk, key, &walk->below);
}

static int add_all(struct walk *walk, rs_key key)
{
    struct tree_list list = {0};
    struct node node;
    int status = tree_list_subkeys(&list, walk->judge->schema->tree, key);

    while (status == RS_OK && (status = tree_list_next_key(&list, &node)) == RS_OK) {
        status =
            add_subkey(walk, node.id, node.name, node.name_len, (node.flags & RS_KEY_LINK) != 0);
    }
    tree_list_free(&list);
    return status == RS_END ? RS_OK : status;
}

static int has_child(struct tree *tree, rs_key key, const char *name, size_t len, bool *has)
{
    rs_key child;
    int status = tree_child(tree, key, name, len, &child, NULL);

    *has = status == RS_OK;
    return status == RS_ENOTFOUND ? RS_OK : status;
}

/* Has one of the rule keys before this one a child of that name? */
static int was_met(struct walk *walk, size_t before, const struct node *node, bool *met)
{
    int status = RS_OK;

    *met = false;
    for (size_t i = 0; status == RS_OK && i < before && !*met; i++) {
        status = has_child(walk->judge->schema->tree, walk->set.keys[i], node->name, node->name_len,
                           met);
    }
    return status;
}

/* The subkeys of key that one of its rule keys names. */
static int add_named(struct walk *walk, rs_key key, size_t row)
{
    struct tree *tree = walk->judge->schema->tree;
    struct tree_list list = {0};
    struct node node;
    int status = tree_list_subkeys(&list, tree, walk->set.keys[row]);

    while (status == RS_OK && (status = tree_list_next_key(&list, &node)) == RS_OK) {
        bool met;
        bool link = false;
        rs_key child;
        status = was_met(walk, row, &node, &met);
        if (status != RS_OK || met) {
            continue;
        }
        status = tree_child(tree, key, node.name, node.name_len, &child, &link);
        if (status == RS_OK) {
            status = add_subkey(walk, child, node.name, node.name_len, link);
        } else if (status == RS_ENOTFOUND) {
            status = RS_OK;
        }
    }
    tree_list_free(&list);
    return status == RS_END ? RS_OK : status;
}

/* Do rules stand for more names than their own? */
static int is_wild(struct walk *walk, bool *wild)
{
    static const rs_text wilds[] = {{"*", 1}, {"CurrentControlSet", 17}};
    struct tree *tree = walk->judge->schema->tree;
    int status = RS_OK;

    *wild = false;
    for (size_t i = 0; status == RS_OK && !*wild && i < 2 * walk->set.count; i++) {
        const rs_text *name = &wilds[i % 2];
        status = has_child(tree, walk->set.keys[i / 2], name->text, name->len, wild);
    }
    return status;
}

/* Are there no more subkeys than its rule keys have? */
static int is_small(struct walk *walk, rs_key key, bool *small)
{
    struct tree *tree = walk->judge->schema->tree;
    struct node node;
    uint64_t named = 0;
    int status = tree_node(tree, key, &node);
    const uint64_t subkeys = status == RS_OK ? node.subkeys : 0;

    for (size_t i = 0; status == RS_OK && i < walk->set.count && named < subkeys; i++) {
        status = tree_node(tree, walk->set.keys[i], &node);
        named += status == RS_OK ? node.subkeys : 0;
    }
    *small = named >= subkeys;
    return status;
}

static int add_subkeys(struct walk *walk, rs_key key)
{
    bool all = walk->set.inside || key == RS_HKRS;
    int status = RS_OK;

    if (!all) {
        status = is_small(walk, key, &all);
    }
    if (status == RS_OK && !all) {
        status = is_wild(walk, &all);
    }
    if (status == RS_OK && all) {
        return add_all(walk, key);
    }
    for (size_t i = 0; status == RS_OK && i < walk->set.count; i++) {
        status = add_named(walk, key, i);
    }
    return status;
}

/* ---- A subtree ---- */

static int visit(struct walk *walk, struct spot spot, bool subtree)
{
    void *levels = walk->levels;
    int status = load(walk, &spot);

    if (status == RS_OK) {
        status = judge_key(walk->judge, spot.key, &walk->set);
    }
    if (status != RS_OK || !subtree) {
        return status;
    }
    if (walk->depth > RS_MAX_DEPTH) {
        return RS_EDAMAGED;
    }
    status = grow(&levels, &walk->level_capacity, walk->depth + 1, sizeof *walk->levels);
    walk->levels = levels;
    if (status != RS_OK) {
        return status;
    }
    walk->levels[walk->depth++] =
        (struct level){walk->spot_count, walk->spot_count, walk->key_count};
    return add_subkeys(walk, spot.key);
}

static void leave(struct walk *walk)
{
    const struct level *level = &walk->levels[--walk->depth];

    walk->spot_count = level->first;
    walk->key_count = level->keys;
}

/* A key whose set is walk->set. */
static int walk_key(struct walk *walk, rs_key key, bool subtree)
{
    walk->depth = 0;
    walk->spot_count = 0;
    walk->key_count = 0;
    int status = push(walk, key, &walk->set);
    if (status == RS_OK) {
        status = visit(walk, walk->spots[0], subtree);
    }
    while (status == RS_OK && walk->depth > 0) {
        struct level *level = &walk->levels[walk->depth - 1];
        if (level->next < walk->spot_count) {
            status = visit(walk, walk->spots[level->next++], true);
        } else {
            leave(walk);
        }
    }
    return status;
}

static void free_walk(struct walk *walk)
{
    free(walk->spots);
    free(walk->levels);
    free(walk->keys);
    schema_set_free(&walk->set);
    schema_set_free(&walk->below);
}

int schema_check_key(struct schema *schema, rs_key key, bool subtree, struct schema_check *check)
{
    struct judge judge;
    struct walk walk = {.judge = &judge};
    struct node node;
    int status = tree_node(schema->tree, key, &node);

    judge_begin(&judge, schema, check);
    if (status == RS_OK) {
        status = schema_set_of(schema, key, &walk.set);
    }
    if (status == RS_OK && schema->rules != RS_NO_KEY && !(node.flags & RS_KEY_LINK)) {
        status = walk_key(&walk, key, subtree);
    }
    judge_end(&judge);
    free_walk(&walk);
    return status;
}

/* ---- Changes ---- */

int schema_exempt_add(struct schema_exempt *exempt, uint64_t first, uint64_t end)
{
    struct schema_span *last = exempt->count > 0 ? &exempt->spans[exempt->count - 1] : NULL;

    if (last != NULL && last->end == first) {
        last->end = end;
        return RS_OK;
    }
    struct schema_span *spans = realloc(exempt->spans, (exempt->count + 1) * sizeof *spans);
    if (spans == NULL) {
        return RS_ENOMEM;
    }
    exempt->spans = spans;
    spans[exempt->count++] = (struct schema_span){first, end};
    return RS_OK;
}

void schema_exempt_free(struct schema_exempt *exempt)
{
    free(exempt->spans);
    *exempt = (struct schema_exempt){0};
}

/* A key that was made or renamed, with all that is below it now. A link is nobody's setting, but no
 * place of rules either. */
static int check_subtree(struct walk *walk, rs_key key)
{
    struct schema *schema = walk->judge->schema;
    struct node node;
    int status = tree_node(schema->tree, key, &node);

    if (status != RS_OK) {
        return status == RS_EDELETED ? RS_OK : status;
    }
    status = schema_set_of(schema, key, &walk->set);
    const bool link = (node.flags & RS_KEY_LINK) != 0;
    if (status == RS_OK && ((walk->set.count > 0 && !link) || walk->set.inside)) {
        status = walk_key(walk, key, !link);
    }
    return status;
}

static int check_value(struct walk *walk, const struct change *change)
{
    const struct schema_set *set = &walk->set;
    const struct change_side *before = &change->before;
    int status = schema_set_of(walk->judge->schema, change->key, &walk->set);

    if (status == RS_OK && (set->count > 0 || set->inside)) {
        status = change->after.present
                     ? judge_set(walk->judge, change->key, set, &change->after)
                     : judge_value(walk->judge, change->key, set, before->name, before->name_len);
    }
    return status == RS_EDELETED ? RS_OK : status;
}

/* What was a link may be a key now, and what was a rule key a link. */
static int check_relinked(struct walk *walk, const struct change *change)
{
    int status = check_value(walk, change);

    return status == RS_OK ? check_subtree(walk, change->key) : status;
}

static int check_change(struct walk *walk, const struct change *change)
{
    if (change->inner) {
        return RS_OK;
    }
    switch (change->kind) {
    case RS_KEY_CREATED:
    case RS_KEY_RENAMED:
        return check_subtree(walk, change->key);
    case RS_VALUE_SET:
    case RS_VALUE_DELETED:
        return check_value(walk, change);
    case RS_KEY_RELINKED:
        return check_relinked(walk, change);
    default:
        return RS_OK;
    }
}

static bool is_exempt(const struct schema_exempt *exempt, uint64_t number)
{
    for (size_t i = 0; i < exempt->count; i++) {
        if (number >= exempt->spans[i].first && number < exempt->spans[i].end) {
            return true;
        }
    }
    return false;
}

static int check_changes(struct walk *walk, const struct journal *journal,
                         const struct schema_exempt *exempt)
{
    struct journal_reader reader = {0};
    struct change change;
    int status;

    for (uint64_t i = 0; (status = journal_review(journal, &reader, &change)) == RS_OK; i++) {
        status = is_exempt(exempt, i) ? RS_OK : check_change(walk, &change);
        if (status != RS_OK) {
            break;
        }
    }
    journal_close(&reader);
    return status == RS_END ? RS_OK : status;
}

int schema_check_changes(struct schema *schema, const struct journal *journal,
                         const struct schema_exempt *exempt, struct schema_check *check)
{
    struct judge judge;
    struct walk walk = {.judge = &judge};

    if (schema->rules == RS_NO_KEY) {
        return RS_OK;
    }
    judge_begin(&judge, schema, check);
    int status = check_changes(&walk, journal, exempt);
    judge_end(&judge);
    free_walk(&walk);
    return status;
}
