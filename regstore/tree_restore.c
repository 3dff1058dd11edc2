#include <string.h>

#include "tree_node.h"
#include "tree_restore.h"

static bool same_text(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a_len == b_len && memcmp(a, b, a_len) == 0;
}

/* A write time goes back to what it was, unless something has been written since. */
static uint64_t time_back(const struct tree *tree, uint64_t present, uint64_t after,
                          uint64_t before)
{
    return present == after ? before : tree->now;
}

/* RS_ENOTFOUND if there is no such key. */
static int find_node(struct tree *tree, rs_key key, struct node *node)
{
    int status = tree_node(tree, key, node);
    return status == RS_EDELETED ? RS_ENOTFOUND : status;
}

/* ---- What a change meets ---- */

/* The name by which a value is found, as the change left it or took it. */
static const struct change_side *named_side(const struct change *change)
{
    return change->after.present ? &change->after : &change->before;
}

static bool same_value(const struct value_record *found, const struct change_side *side)
{
    const rs_value *value = &found->value;
    return value->type == side->type && value->size == side->size &&
           memcmp(value->data, side->data, side->size) == 0 &&
           same_text(value->name, value->name_len, side->name, side->name_len);
}

static int check_value(struct tree *tree, const struct change *change,
                       struct tree_conflict *conflict)
{
    const struct change_side *named = named_side(change);
    struct node node;
    struct tree_key entry;
    struct slice found;
    struct value_record value;
    int status = find_node(tree, change->key, &node);
    if (status == RS_ENOTFOUND) {
        *conflict = (struct tree_conflict){"its key was deleted since", change->before.present};
        return RS_OK;
    }
    if (status == RS_OK) {
        status = tree_find(tree, change->key, TAG_VALUE, named->name, named->name_len,
                           RS_MAX_VALUE_NAME, &entry, &found);
    }
    if (status == RS_ENOTFOUND) {
        conflict->why = change->after.present ? "the value was deleted since" : NULL;
        return RS_OK;
    }
    if (status == RS_OK) {
        status = value_decode(found, &value);
    }
    if (status == RS_OK && !change->after.present) {
        conflict->why = "the value was set since";
    } else if (status == RS_OK && !same_value(&value, &change->after)) {
        conflict->why = "the value was changed since";
    }
    return status;
}

/* Who has a name that a key is to get back? RS_NO_KEY: nobody. *entry is the table's key. */
static int find_name(struct tree *tree, rs_key parent, const struct change_side *side,
                     struct tree_key *entry, rs_key *key)
{
    struct slice found;
    struct subkey subkey = {RS_NO_KEY, 0};
    int status = tree_find(tree, parent, TAG_SUBKEY, side->name, side->name_len, RS_MAX_KEY_NAME,
                           entry, &found);
    if (status == RS_OK) {
        status = subkey_decode(found, &subkey);
    } else if (status == RS_ENOTFOUND) {
        status = RS_OK;
    }
    *key = subkey.id;
    return status;
}

static int check_created(struct tree *tree, const struct change *change,
                         struct tree_conflict *conflict)
{
    struct node node;
    int status = find_node(tree, change->key, &node);
    if (status == RS_ENOTFOUND) {
        conflict->why = "the key was deleted since";
        return RS_OK;
    }
    if (status == RS_OK &&
        !same_text(node.name, node.name_len, change->after.name, change->after.name_len)) {
        conflict->why = "the key was renamed since";
    }
    return status;
}

static int check_deleted(struct tree *tree, const struct change *change,
                         struct tree_conflict *conflict)
{
    struct node node;
    struct tree_key entry;
    rs_key taker;
    int status = find_node(tree, change->parent, &node);
    if (status == RS_ENOTFOUND) {
        *conflict = (struct tree_conflict){"the key that it was in was deleted since", true};
        return RS_OK;
    }
    if (status == RS_OK) {
        status = find_node(tree, change->key, &node);
    }
    if (status == RS_OK) {
        conflict->why = "the key is there again";
        return RS_OK;
    }
    if (status == RS_ENOTFOUND) {
        status = find_name(tree, change->parent, &change->before, &entry, &taker);
    }
    if (status == RS_OK && taker != RS_NO_KEY) {
        conflict->why = "another key has its name now";
    }
    return status;
}

static int check_renamed(struct tree *tree, const struct change *change,
                         struct tree_conflict *conflict)
{
    struct node node;
    struct tree_key entry;
    rs_key taker;
    int status = find_node(tree, change->key, &node);
    if (status == RS_ENOTFOUND) {
        *conflict = (struct tree_conflict){"the key was deleted since", true};
        return RS_OK;
    }
    if (status == RS_OK &&
        !same_text(node.name, node.name_len, change->after.name, change->after.name_len)) {
        conflict->why = "the key was renamed since";
    }
    if (status == RS_OK) {
        status = find_name(tree, change->parent, &change->before, &entry, &taker);
    }
    if (status == RS_OK && taker != RS_NO_KEY && taker != change->key) {
        conflict->why = "another key has its name now";
    }
    return status;
}

/* What set the write time alone is no conflict with who wrote since. */
static int check_class(struct tree *tree, const struct change *change,
                       struct tree_conflict *conflict)
{
    struct node node;
    int status = find_node(tree, change->key, &node);
    if (status == RS_ENOTFOUND) {
        *conflict = (struct tree_conflict){"the key was deleted since", true};
        return RS_OK;
    }
    bool of_time =
        same_text(change->before.data, change->before.size, change->after.data, change->after.size);
    if (status == RS_OK && !of_time &&
        !same_text(node.class_name, node.class_len, change->after.data, change->after.size)) {
        conflict->why = "the class name was changed since";
    }
    return status;
}

int tree_restore_check(struct tree_restore *restore, const struct change *change,
                       struct tree_conflict *conflict)
{
    *conflict = (struct tree_conflict){NULL, false};
    if (change->lost) {
        *conflict =
            (struct tree_conflict){"a full disk had no room to keep what was deleted", true};
        return RS_OK;
    }
    switch (change->kind) {
    case RS_KEY_CREATED:
        return check_created(restore->tree, change, conflict);
    case RS_KEY_DELETED:
        return check_deleted(restore->tree, change, conflict);
    case RS_KEY_RENAMED:
        return check_renamed(restore->tree, change, conflict);
    case RS_KEY_CLASS:
        return check_class(restore->tree, change, conflict);
    default:
        return check_value(restore->tree, change, conflict);
    }
}

/* ---- Values ---- */

/* A place that a value had may have been given to another one since: then it gets the next. */
static int choose_place(struct tree_restore *restore, const struct node *node, uint32_t wanted,
                        uint32_t *place)
{
    bool free;
    int status = tree_places_free(restore, node, wanted, wanted + 1, &free);
    if (status == RS_OK) {
        *place = free ? wanted : node->next_position;
    }
    return status;
}

/* Whether nobody will have a place from one on, once a change of a value is taken back. */
static int is_free_from(struct tree_restore *restore, const struct node *node,
                        const struct value_change *back, uint32_t from, bool *free)
{
    uint32_t next = node->next_position;
    bool removed = back->before != NULL && back->after == NULL;
    uint32_t left = removed ? back->before->position : next; /* the place that becomes free */
    if (left < from || left >= next) {
        return tree_places_free(restore, node, from, next, free);
    }
    int status = tree_places_free(restore, node, from, left, free);
    return status == RS_OK && *free ? tree_places_free(restore, node, left + 1, next, free)
                                    : status;
}

/* The next place that the key gives is what it was, but none that a value has. */
static int choose_next(struct tree_restore *restore, const struct node *node,
                       const struct change *change, struct value_change *back)
{
    uint32_t then = change->next_before;
    uint32_t next = node->next_position;
    bool free = next == change->next_after; /* others have had no places since */
    int status = RS_OK;
    if (free && then < next) {
        status = is_free_from(restore, node, back, then, &free);
    }
    next = free ? then : next;
    if (back->after != NULL && back->after->position >= next) {
        next = back->after->position + 1;
    }
    back->next_after = next;
    return status;
}

static struct value_record record_of(const struct change_side *side)
{
    return (struct value_record){
        .position = side->position,
        .value = {side->name, side->name_len, side->type, side->data, side->size},
    };
}

static int find_value(struct tree *tree, const struct change *change, struct tree_key *entry,
                      struct value_record *found, bool *exists)
{
    const struct change_side *named = named_side(change);
    struct slice record;
    int status = tree_find(tree, change->key, TAG_VALUE, named->name, named->name_len,
                           RS_MAX_VALUE_NAME, entry, &record);
    *exists = status == RS_OK;
    if (status == RS_ENOTFOUND) {
        return RS_OK;
    }
    return status == RS_OK ? value_decode(record, found) : status;
}

static int put_value_back(struct tree_restore *restore, const struct change *change,
                          const struct node *node, struct change *told)
{
    struct tree *tree = restore->tree;
    struct tree_key entry;
    struct value_record present;
    struct value_record wanted = record_of(&change->before);
    bool exists;
    int status = find_value(tree, change, &entry, &present, &exists);
    if (status == RS_OK && exists) {
        wanted.position = present.position;
    } else if (status == RS_OK && change->before.present) {
        status = choose_place(restore, node, change->before.position, &wanted.position);
    }
    if (status != RS_OK || (!exists && !change->before.present)) {
        return status;
    }
    struct value_change back = {
        .key = change->key,
        .before = exists ? &present : NULL,
        .after = change->before.present ? &wanted : NULL,
        .next_before = node->next_position,
        .written = time_back(tree, node->written, change->written_after, change->written_before),
    };
    status = choose_next(restore, node, change, &back);
    if (status != RS_OK) {
        return status;
    }
    uint32_t place = back.after != NULL ? wanted.position : present.position;
    tree_places_set(restore, node->id, place, back.after != NULL);
    return tree_value_change(tree, told, &back, &entry);
}

/* Path and times are looked up before the value, as that may move what was found. */
static int apply_value(struct tree_restore *restore, const struct change *change)
{
    struct tree *tree = restore->tree;
    struct node node;
    struct change told;
    int status = find_node(tree, change->key, &node);
    if (status == RS_ENOTFOUND) {
        return RS_OK;
    }
    if (status == RS_OK && change_wanted(tree, change->key)) {
        status = change_begin(tree, &node, change->kind, &told);
        if (status == RS_OK) {
            status = tree_node(tree, change->key, &node);
        }
    }
    return status == RS_OK ? put_value_back(restore, change, &node, &told) : status;
}

/* ---- Keys ---- */

static int parent_time(struct tree *tree, const struct change *change, uint64_t *written)
{
    struct node parent;
    int status = tree_node(tree, change->parent, &parent);
    if (status == RS_OK) {
        *written = time_back(tree, parent.written, change->parent_after, change->parent_before);
    }
    return status;
}

static int remove_key(struct tree *tree, rs_key key, uint64_t parent_written)
{
    struct node node;
    int status = find_node(tree, key, &node);
    if (status == RS_ENOTFOUND) {
        return RS_OK;
    }
    if (status == RS_OK) {
        status = node_keep(tree, key, &node);
    }
    return status == RS_OK ? tree_delete_at(tree, &node, parent_written) : status;
}

static int apply_created(struct tree *tree, const struct change *change)
{
    struct node node;
    uint64_t written;
    int status = find_node(tree, change->key, &node);
    if (status == RS_ENOTFOUND) {
        return RS_OK;
    }
    if (status == RS_OK) {
        status = parent_time(tree, change, &written);
    }
    return status == RS_OK ? remove_key(tree, change->key, written) : status;
}

/* A key as it was, empty: its values and subkeys come one by one. */
static int put_key(struct tree *tree, const struct change *change, const struct tree_key *entry)
{
    struct node *parent;
    const struct change_side *side = &change->before;
    struct node node = {
        .id = change->key,
        .parent = change->parent,
        .written = change->written_before,
        .flags = side->type,
        .next_position = side->position,
        .name = side->name,
        .name_len = side->name_len,
        .class_name = side->data,
        .class_len = side->size,
    };
    int status = subkey_put(tree, entry, &(struct subkey){node.id, node.flags & RS_KEY_LINK});
    if (status == RS_OK) {
        status = node_put(tree, &node);
    }
    if (status == RS_OK) {
        status = node_edit(tree, node.parent, &parent);
    }
    if (status == RS_OK) {
        parent->subkeys++;
        tree->state.keys++;
    }
    return status;
}

static int tell_key_back(struct tree *tree, rs_key key, rs_key parent_id, uint64_t parent_written)
{
    struct node node;
    struct node *parent;
    int status = node_keep(tree, key, &node);
    if (status == RS_OK) {
        status = change_tell_created(tree, &node, parent_written);
    }
    if (status == RS_OK) {
        status = node_edit(tree, parent_id, &parent);
    }
    if (status == RS_OK) {
        parent->written = parent_written;
    }
    return status;
}

/* By force what has its number or its name is deleted. */
static int apply_deleted(struct tree *tree, const struct change *change)
{
    struct tree_key entry;
    rs_key taker;
    uint64_t written;
    int status = parent_time(tree, change, &written);
    if (status == RS_OK) {
        status = remove_key(tree, change->key, written);
    }
    if (status == RS_OK) {
        status = find_name(tree, change->parent, &change->before, &entry, &taker);
    }
    if (status == RS_OK && taker != RS_NO_KEY) {
        status = remove_key(tree, taker, tree->now);
        if (status == RS_OK) {
            status = find_name(tree, change->parent, &change->before, &entry, &taker);
        }
    }
    if (status == RS_OK) {
        status = put_key(tree, change, &entry);
    }
    return status == RS_OK ? tell_key_back(tree, change->key, change->parent, written) : status;
}

static int apply_renamed(struct tree *tree, const struct change *change)
{
    struct node node;
    struct tree_key entry;
    rs_key taker;
    uint64_t written;
    const struct change_side *side = &change->before;
    int status = parent_time(tree, change, &written);
    if (status == RS_OK) {
        status = find_name(tree, change->parent, side, &entry, &taker);
    }
    if (status == RS_OK && taker != RS_NO_KEY && taker != change->key) {
        status = remove_key(tree, taker, tree->now);
        if (status == RS_OK) {
            status = find_name(tree, change->parent, side, &entry, &taker);
        }
    }
    if (status == RS_OK) {
        status = node_keep(tree, change->key, &node);
    }
    if (status != RS_OK || same_text(node.name, node.name_len, side->name, side->name_len)) {
        return status;
    }
    struct rename rename = {
        .name = side->name,
        .len = side->name_len,
        .entry = &entry,
        .written = time_back(tree, node.written, change->written_after, change->written_before),
        .parent_written = written,
    };
    return tree_rename_to(tree, &node, &rename);
}

static int apply_class(struct tree *tree, const struct change *change)
{
    struct node node;
    const struct change_side *before = &change->before;
    const struct change_side *after = &change->after;
    int status = node_keep(tree, change->key, &node);
    bool of_time = same_text(before->data, before->size, after->data, after->size);
    if (status != RS_OK || (of_time && node.written != change->written_after)) {
        return status;
    }
    uint64_t written = time_back(tree, node.written, change->written_after, change->written_before);
    return of_time ? tree_set_class_at(tree, &node, node.class_name, node.class_len, written)
                   : tree_set_class_at(tree, &node, before->data, before->size, written);
}

int tree_restore_apply(struct tree_restore *restore, const struct change *change)
{
    struct tree *tree = restore->tree;
    int status;
    if (change->kind == RS_KEY_CREATED || change->kind == RS_KEY_DELETED) {
        tree_places_forget(restore); /* a key can come back with its number */
    }
    switch (change->kind) {
    case RS_KEY_CREATED:
        status = apply_created(tree, change);
        break;
    case RS_KEY_DELETED:
        status = apply_deleted(tree, change);
        break;
    case RS_KEY_RENAMED:
        status = apply_renamed(tree, change);
        break;
    case RS_KEY_CLASS:
        status = apply_class(tree, change);
        break;
    default:
        status = apply_value(restore, change);
        break;
    }
    return tree_fail(tree, status, "cannot take a change back");
}

/* ---- What was in a deleted key ---- */

static int put_inner_key(struct tree *tree, const struct change *change)
{
    struct tree_key entry;
    rs_key taker;
    int status = find_name(tree, change->parent, &change->before, &entry, &taker);
    if (status == RS_OK && taker != RS_NO_KEY) {
        status = RS_EDAMAGED;
    }
    return status == RS_OK ? put_key(tree, change, &entry) : status;
}

static int put_inner_value(struct tree *tree, const struct change *change)
{
    struct tree_key entry;
    struct slice found;
    struct node *node;
    struct value_record value = record_of(&change->before);
    int status = tree_find(tree, change->key, TAG_VALUE, value.value.name, value.value.name_len,
                           RS_MAX_VALUE_NAME, &entry, &found);
    if (status == RS_OK) {
        return RS_EDAMAGED;
    }
    status = status == RS_ENOTFOUND ? value_encode(tree, &value) : status;
    if (status == RS_OK) {
        struct slice record = {tree->record.data, tree->record.size};
        status = env_put(tree->txn, TABLE_TREE, tree_key_slice(&entry), record);
    }
    if (status == RS_OK) {
        status = node_edit(tree, change->key, &node);
    }
    if (status == RS_OK) {
        node->values++;
        tree->state.values++;
    }
    return status;
}

int tree_restore_inner(struct tree_restore *restore, const struct change *change)
{
    int status = change->kind == RS_KEY_DELETED ? put_inner_key(restore->tree, change)
                                                : put_inner_value(restore->tree, change);
    return tree_fail(restore->tree, status == RS_EDELETED ? RS_EDAMAGED : status,
                     "cannot take a deletion back");
}
