/*
 * transfer_walk.c - a key and what is below it become a listing's events.
 *
 * Needs tree and format. Volatile keys are left out. Links are told as links: their target is one
 * of their values, and the walk goes by key ids, which do not follow. The walk keeps a list of
 * subkeys per level, in memory of its own. The events may change the tree that is walked: what is
 * told of a key is copied before, and a key's lists are taken when it is entered.
 */
#include "transfer.h"

#include <stdlib.h>
#include <string.h>

struct walker {
    struct tree *tree;
    struct format_sink *sink;
    struct transfer_progress *progress;
    bool subtree;
    struct tree_list *levels; /* the subkeys of each open key */
    size_t depth;
    size_t capacity;
    struct tree_list values;
    struct buffer texts; /* of the key that is told */
};

static int put_values(struct walker *walker, rs_key key)
{
    rs_value value;
    int status = tree_list_values(&walker->values, walker->tree, key);

    while (status == RS_OK) {
        status = tree_list_next_value(&walker->values, &value);
        if (status == RS_OK) {
            walker->progress->now.values++;
            status = walker->sink->value(walker->sink, &value);
        }
    }
    return status == RS_END ? RS_OK : status;
}

/* Room for one more level. */
static int reserve_level(struct walker *walker)
{
    if (walker->depth < walker->capacity) {
        return RS_OK;
    }
    size_t capacity = walker->capacity ? walker->capacity * 2 : 16;
    struct tree_list *levels = realloc(walker->levels, capacity * sizeof *levels);
    if (!levels) {
        return RS_ENOMEM;
    }
    memset(levels + walker->capacity, 0, (capacity - walker->capacity) * sizeof *levels);
    walker->levels = levels;
    walker->capacity = capacity;
    return RS_OK;
}

/* In a write transaction a node's texts live until the next change. */
static int keep_texts(struct walker *walker, struct format_key *key)
{
    if (!walker->tree->cache) {
        return RS_OK;
    }
    walker->texts.size = 0;
    int status = buffer_append(&walker->texts, key->name, key->name_len);
    if (status == RS_OK) {
        status = buffer_append(&walker->texts, key->class_name, key->class_len);
    }
    if (status == RS_OK) {
        status = buffer_terminate(&walker->texts);
    }
    if (status == RS_OK) {
        key->name = walker->texts.data;
        key->class_name = walker->texts.data + key->name_len;
    }
    return status;
}

/* Tells a key's beginning and values and opens its list of subkeys. path: of the outermost key,
 * else NULL. */
static int enter(struct walker *walker, const struct node *node, const struct buffer *path)
{
    struct format_key key = {
        .name = path ? path->data : node->name,
        .name_len = path ? path->size : node->name_len,
        .absolute = path != NULL,
        .root = path != NULL,
        .class_name = node->class_name,
        .class_len = node->class_len,
        .written = node->written,
        .flags = node->flags,
    };
    rs_key id = node->id;
    int status = keep_texts(walker, &key);

    if (status == RS_OK) {
        status = reserve_level(walker);
    }
    if (status == RS_OK && walker->subtree) {
        status = tree_list_subkeys(&walker->levels[walker->depth], walker->tree, id);
    }
    if (status == RS_OK) {
        status = walker->sink->key_begin(walker->sink, &key);
    }
    walker->progress->now.keys++;
    if (status == RS_OK) {
        status = put_values(walker, id);
    }
    if (status == RS_OK) {
        walker->depth++;
    }
    return status;
}

static int walk(struct walker *walker)
{
    int status = RS_OK;

    while (status == RS_OK && walker->depth > 0) {
        struct node node;
        status = tree_list_next_key(&walker->levels[walker->depth - 1], &node);
        if (status == RS_END) {
            status = walker->sink->key_end(walker->sink);
            walker->depth--;
        } else if (status == RS_OK && !(node.flags & RS_KEY_VOLATILE)) {
            status = enter(walker, &node, NULL);
        }
    }
    return status;
}

int transfer_walk(struct tree *tree, const struct node *node, const struct buffer *path,
                  bool subtree, struct format_sink *sink, struct transfer_progress *progress)
{
    struct walker walker = {.tree = tree, .sink = sink, .progress = progress, .subtree = subtree};
    int status = enter(&walker, node, path);

    if (status == RS_OK) {
        status = walk(&walker);
    }
    for (size_t i = 0; i < walker.capacity; i++) {
        tree_list_free(&walker.levels[i]);
    }
    free(walker.levels);
    tree_list_free(&walker.values);
    buffer_free(&walker.texts);
    return status;
}
