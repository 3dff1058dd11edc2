/*
 * transfer_compare.c - two keys with what is below them, side by side.
 *
 * Needs tree. Both sides are walked together in folded order, by key ids, so links are not
 * followed. A key that only one side has is told with all that is in it. A key that is a link on
 * one side and none on the other is told as two keys of one name: none of it can become the other.
 * Memory: a list of subkeys per level and side, and the values of one key of each side.
 */
#include "transfer.h"

#include <stdlib.h>
#include <string.h>

enum { LEFT, RIGHT, SIDES };

struct side {
    struct tree_list subkeys;
    rs_key_info info; /* of the key; key RS_NO_KEY: this side has none */
    struct buffer texts;
    rs_key_info next; /* the subkey that is due; key RS_NO_KEY: there are no more */
    struct buffer next_texts;
};

struct level {
    struct side sides[SIDES];
    size_t path_len;
    bool changed; /* told that the key itself differs: a value, its class or a subkey's being there
                   */
};

struct value_list {
    struct tree_list list;
    rs_value *values;
    size_t count;
    size_t capacity;
};

struct comparer {
    const rs_compare_options *options;
    struct tree *trees[SIDES];
    struct side tops[SIDES]; /* the two keys: info and texts */
    struct level *levels;
    size_t depth;
    size_t capacity;
    struct value_list values[SIDES];
    struct buffer path;
    uint64_t differences;
};

static bool wants(const struct comparer *comparer, unsigned flag)
{
    return (comparer->options->flags & flag) != 0;
}

/* ---- Telling ---- */

static const rs_key_info *info_of(const struct level *level, int side)
{
    return level->sides[side].info.key != RS_NO_KEY ? &level->sides[side].info : NULL;
}

/* A difference of the innermost key, or what is the same. */
static int tell(struct comparer *comparer, enum rs_difference_kind kind, const rs_value *left,
                const rs_value *right, bool same)
{
    struct level *level = &comparer->levels[comparer->depth - 1];
    int status = buffer_terminate(&comparer->path);
    const rs_difference difference = {
        .kind = kind,
        .path = comparer->path.data,
        .path_len = comparer->path.size,
        .left_key = info_of(level, LEFT),
        .right_key = info_of(level, RIGHT),
        .left = left,
        .right = right,
        .same = same,
    };

    comparer->differences += !same;
    level->changed = level->changed || !same;
    if (status != RS_OK || !comparer->options->each) {
        return status;
    }
    return comparer->options->each(comparer->options->context, &difference);
}

/* ---- Values ---- */

static int add_value(struct value_list *list, const rs_value *value)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        rs_value *values = realloc(list->values, capacity * sizeof *values);
        if (!values) {
            return RS_ENOMEM;
        }
        list->values = values;
        list->capacity = capacity;
    }
    list->values[list->count++] = *value;
    return RS_OK;
}

/* The values of one side of the innermost key. */
static int load_values(struct comparer *comparer, int side)
{
    struct value_list *list = &comparer->values[side];
    const struct level *level = &comparer->levels[comparer->depth - 1];
    rs_value value;

    list->count = 0;
    if (!info_of(level, side) || level->sides[side].info.values == 0) {
        return RS_OK;
    }
    int status = tree_list_values(&list->list, comparer->trees[side], level->sides[side].info.key);
    while (status == RS_OK && (status = tree_list_next_value(&list->list, &value)) == RS_OK) {
        status = add_value(list, &value);
    }
    return status == RS_END ? RS_OK : status;
}

static bool same_data(const rs_value *left, const rs_value *right)
{
    return left->type == right->type && left->size == right->size &&
           memcmp(left->data, right->data, left->size) == 0;
}

static bool same_name(const rs_value *left, const rs_value *right)
{
    return left->name_len == right->name_len &&
           memcmp(left->name, right->name, left->name_len) == 0;
}

/* Most keys are the same on both sides, to the byte; then there is nothing to sort. */
static bool all_same(const struct value_list *left, const struct value_list *right)
{
    if (left->count != right->count) {
        return false;
    }
    for (size_t i = 0; i < left->count; i++) {
        if (!same_name(&left->values[i], &right->values[i]) ||
            !same_data(&left->values[i], &right->values[i])) {
            return false;
        }
    }
    return true;
}

static int compare_values(const void *a, const void *b)
{
    const rs_value *left = a;
    const rs_value *right = b;

    return text_compare(left->name, left->name_len, right->name, right->name_len);
}

static void sort(struct value_list *list)
{
    if (list->count > 1) {
        qsort(list->values, list->count, sizeof *list->values, compare_values);
    }
}

/* Tells the first of what is left on both sides, and steps over it. */
static int tell_next(struct comparer *comparer, size_t at[SIDES])
{
    const struct value_list *lists = comparer->values;
    const rs_value *left = at[LEFT] < lists[LEFT].count ? &lists[LEFT].values[at[LEFT]] : NULL;
    const rs_value *right = at[RIGHT] < lists[RIGHT].count ? &lists[RIGHT].values[at[RIGHT]] : NULL;
    int order = !left ? 1 : !right ? -1 : compare_values(left, right);

    at[LEFT] += order <= 0;
    at[RIGHT] += order >= 0;
    if (order == 0 && same_data(left, right)) {
        return wants(comparer, RS_SAME) ? tell(comparer, RS_DIFFERS_VALUE, left, right, true)
                                        : RS_OK;
    }
    return tell(comparer, RS_DIFFERS_VALUE, order <= 0 ? left : NULL, order >= 0 ? right : NULL,
                false);
}

/* Of a key that one side has alone the values come in the order in which they were made. */
static int tell_values(struct comparer *comparer, bool both)
{
    struct value_list *lists = comparer->values;
    size_t at[SIDES] = {0, 0};
    int status = load_values(comparer, LEFT);

    if (status == RS_OK) {
        status = load_values(comparer, RIGHT);
    }
    if (status != RS_OK || (!wants(comparer, RS_SAME) && all_same(&lists[LEFT], &lists[RIGHT]))) {
        return status;
    }
    if (both) {
        sort(&lists[LEFT]);
        sort(&lists[RIGHT]);
    }
    while (status == RS_OK && (at[LEFT] < lists[LEFT].count || at[RIGHT] < lists[RIGHT].count)) {
        status = tell_next(comparer, at);
    }
    return status;
}

/* ---- Keys ---- */

/* A node's texts live until its tree is used again. */
static int keep_info(const struct node *node, struct buffer *texts, rs_key_info *info)
{
    texts->size = 0;
    int status = buffer_append(texts, node->name, node->name_len);
    if (status == RS_OK) {
        status = buffer_append_byte(texts, '\0');
    }
    if (status == RS_OK) {
        status = buffer_append(texts, node->class_name, node->class_len);
    }
    if (status == RS_OK) {
        status = buffer_terminate(texts);
    }
    if (status == RS_OK) {
        *info = (rs_key_info){
            .key = node->id,
            .parent = node->parent,
            .name = texts->data,
            .name_len = node->name_len,
            .class_name = texts->data + node->name_len + 1,
            .class_len = node->class_len,
            .written = node->written,
            .subkeys = node->subkeys,
            .values = node->values,
            .flags = node->flags,
        };
    }
    return status;
}

/* The next subkey of one side of a level. */
static int step(struct comparer *comparer, struct level *level, int side)
{
    struct side *at = &level->sides[side];
    struct node node;
    int status;

    at->next.key = RS_NO_KEY;
    if (at->info.key == RS_NO_KEY) {
        return RS_OK;
    }
    do {
        status = tree_list_next_key(&at->subkeys, &node);
    } while (status == RS_OK && (node.flags & RS_KEY_VOLATILE) && !wants(comparer, RS_VOLATILE));
    if (status != RS_OK) {
        return status == RS_END ? RS_OK : status;
    }
    return keep_info(&node, &at->next_texts, &at->next);
}

static int list_subkeys(struct comparer *comparer, struct level *level)
{
    int status = RS_OK;

    for (int side = 0; side < SIDES && status == RS_OK; side++) {
        struct side *at = &level->sides[side];
        at->subkeys.count = 0;
        at->subkeys.next = 0;
        if (at->info.key != RS_NO_KEY && wants(comparer, RS_SUBTREE)) {
            status = tree_list_subkeys(&at->subkeys, comparer->trees[side], at->info.key);
        }
        if (status == RS_OK) {
            status = step(comparer, level, side);
        }
    }
    return status;
}

static int reserve_level(struct comparer *comparer)
{
    if (comparer->depth < comparer->capacity) {
        return RS_OK;
    }
    size_t capacity = comparer->capacity ? comparer->capacity * 2 : 16;
    struct level *levels = realloc(comparer->levels, capacity * sizeof *levels);
    if (!levels) {
        return RS_ENOMEM;
    }
    memset(levels + comparer->capacity, 0, (capacity - comparer->capacity) * sizeof *levels);
    comparer->levels = levels;
    comparer->capacity = capacity;
    return RS_OK;
}

static bool same_class(const rs_key_info *left, const rs_key_info *right)
{
    return left->class_len == right->class_len &&
           memcmp(left->class_name, right->class_name, left->class_len) == 0;
}

/* Tells of the innermost key itself. */
static int tell_key(struct comparer *comparer)
{
    struct level *level = &comparer->levels[comparer->depth - 1];
    const rs_key_info *left = info_of(level, LEFT);
    const rs_key_info *right = info_of(level, RIGHT);
    int status = RS_OK;

    if (!left || !right) {
        status = tell(comparer, RS_DIFFERS_KEY, NULL, NULL, false);
    } else if (wants(comparer, RS_SAME)) {
        status = tell(comparer, RS_DIFFERS_KEY, NULL, NULL, true);
    }
    if (status == RS_OK && left && right && !same_class(left, right)) {
        status = tell(comparer, RS_DIFFERS_CLASS, NULL, NULL, false);
    }
    return status == RS_OK ? tell_values(comparer, left && right) : status;
}

/* Opens a level for a key of one side or of both; NULL: not there. The path has its name. */
static int enter(struct comparer *comparer, const struct node *left, const struct node *right,
                 size_t path_len)
{
    const struct node *nodes[SIDES] = {left, right};
    int status = reserve_level(comparer);

    if (status != RS_OK) {
        return status;
    }
    struct level *level = &comparer->levels[comparer->depth++];
    level->path_len = path_len;
    level->changed = false;
    for (int side = 0; side < SIDES && status == RS_OK; side++) {
        level->sides[side].info.key = RS_NO_KEY;
        if (nodes[side]) {
            status = keep_info(nodes[side], &level->sides[side].texts, &level->sides[side].info);
        }
    }
    if (status == RS_OK) {
        status = tell_key(comparer);
    }
    return status == RS_OK ? list_subkeys(comparer, level) : status;
}

/* Nothing of the key but its write time differs. */
static bool only_time(const struct comparer *comparer, const struct level *level)
{
    const rs_key_info *left = info_of(level, LEFT);
    const rs_key_info *right = info_of(level, RIGHT);

    return wants(comparer, RS_TIMES) && left && right && !level->changed &&
           left->written != right->written;
}

static int leave(struct comparer *comparer)
{
    const struct level *level = &comparer->levels[comparer->depth - 1];
    int status = RS_OK;

    if (only_time(comparer, level)) {
        status = tell(comparer, RS_DIFFERS_TIME, NULL, NULL, false);
    }
    comparer->path.size = level->path_len;
    comparer->depth--;
    return status;
}

/* Which side's subkey comes first: below 0, 0 for both, above 0. */
static int order_of(const rs_key_info *left, const rs_key_info *right)
{
    if (left->key == RS_NO_KEY || right->key == RS_NO_KEY) {
        return left->key == RS_NO_KEY ? 1 : -1;
    }
    int order = text_compare(left->name, left->name_len, right->name, right->name_len);
    return order == 0 && ((left->flags ^ right->flags) & RS_KEY_LINK) ? -1 : order;
}

static int append_name(struct buffer *path, const rs_key_info *info)
{
    int status = path->size > 0 ? buffer_append_byte(path, '\\') : RS_OK;

    return status == RS_OK ? buffer_append(path, info->name, info->name_len) : status;
}

static struct node node_of(const rs_key_info *info)
{
    return (struct node){
        .id = info->key,
        .parent = info->parent,
        .written = info->written,
        .flags = info->flags,
        .subkeys = info->subkeys,
        .values = info->values,
        .name = info->name,
        .name_len = info->name_len,
        .class_name = info->class_name,
        .class_len = info->class_len,
    };
}

/* Enters the subkey that is due. The level may move while the next one is opened. */
static int enter_next(struct comparer *comparer)
{
    size_t depth = comparer->depth - 1;
    struct level *level = &comparer->levels[depth];
    int order = order_of(&level->sides[LEFT].next, &level->sides[RIGHT].next);
    const rs_key_info *named = &level->sides[order <= 0 ? LEFT : RIGHT].next;
    struct node nodes[SIDES] = {node_of(&level->sides[LEFT].next),
                                node_of(&level->sides[RIGHT].next)};
    size_t path_len = comparer->path.size;
    int status = append_name(&comparer->path, named);

    level->changed = level->changed || order != 0;
    if (status == RS_OK) {
        status = enter(comparer, order <= 0 ? &nodes[LEFT] : NULL,
                       order >= 0 ? &nodes[RIGHT] : NULL, path_len);
    }
    if (status == RS_OK && order <= 0) {
        status = step(comparer, &comparer->levels[depth], LEFT);
    }
    if (status == RS_OK && order >= 0) {
        status = step(comparer, &comparer->levels[depth], RIGHT);
    }
    return status;
}

static int walk(struct comparer *comparer)
{
    int status = RS_OK;

    while (status == RS_OK && comparer->depth > 0) {
        const struct level *level = &comparer->levels[comparer->depth - 1];
        bool more =
            level->sides[LEFT].next.key != RS_NO_KEY || level->sides[RIGHT].next.key != RS_NO_KEY;
        status = more ? enter_next(comparer) : leave(comparer);
    }
    return status;
}

/* ---- The whole ---- */

/* The outermost keys, path being that of both. */
static int compare_tops(struct comparer *comparer, const struct node *left,
                        const struct node *right)
{
    bool both = ((left->flags ^ right->flags) & RS_KEY_LINK) == 0;
    int status = enter(comparer, left, both ? right : NULL, 0);

    if (status == RS_OK) {
        status = walk(comparer);
    }
    if (status == RS_OK && !both) {
        status = enter(comparer, NULL, right, 0);
    }
    return status == RS_OK && !both ? walk(comparer) : status;
}

static int find_top(struct comparer *comparer, int side, rs_key key)
{
    struct side *top = &comparer->tops[side];
    struct node node;
    int status = tree_node(comparer->trees[side], key, &node);

    if (status == RS_OK) {
        status = keep_info(&node, &top->texts, &top->info);
    }
    return status == RS_OK ? RS_OK
                           : fail(comparer->trees[side]->error, status, "%s", rs_strerror(status));
}

static int compare_pair(struct comparer *comparer, rs_key left_key, rs_key right_key)
{
    int status = find_top(comparer, LEFT, left_key);

    if (status == RS_OK) {
        status = find_top(comparer, RIGHT, right_key);
    }
    if (status != RS_OK) {
        return status;
    }
    struct node left = node_of(&comparer->tops[LEFT].info);
    struct node right = node_of(&comparer->tops[RIGHT].info);
    return compare_tops(comparer, &left, &right);
}

/* Each root, whose path is its name. */
static int compare_roots(struct comparer *comparer)
{
    static const rs_key keys[] = {RS_HKLM, RS_HKU, RS_HKRS};
    int status = RS_OK;

    for (size_t i = 0; i < sizeof keys / sizeof *keys && status == RS_OK; i++) {
        comparer->path.size = 0;
        status = buffer_append_text(&comparer->path, path_root_by_key(keys[i])->name);
        if (status == RS_OK) {
            status = compare_pair(comparer, keys[i], keys[i]);
        }
    }
    return status;
}

static void release(struct comparer *comparer)
{
    for (size_t i = 0; i < comparer->capacity; i++) {
        for (int side = 0; side < SIDES; side++) {
            tree_list_free(&comparer->levels[i].sides[side].subkeys);
            buffer_free(&comparer->levels[i].sides[side].texts);
            buffer_free(&comparer->levels[i].sides[side].next_texts);
        }
    }
    free(comparer->levels);
    for (int side = 0; side < SIDES; side++) {
        buffer_free(&comparer->tops[side].texts);
        tree_list_free(&comparer->values[side].list);
        free(comparer->values[side].values);
    }
    buffer_free(&comparer->path);
}

int transfer_compare(const struct transfer_pair *pair, const rs_compare_options *options,
                     uint64_t *differences)
{
    static const rs_compare_options no_options;
    struct comparer comparer = {
        .options = options ? options : &no_options,
        .trees = {pair->left, pair->right},
    };
    int status = pair->left_key == RS_NO_KEY
                     ? compare_roots(&comparer)
                     : compare_pair(&comparer, pair->left_key, pair->right_key);

    if (status == RS_OK && differences) {
        *differences = comparer.differences;
    }
    release(&comparer);
    return status;
}
