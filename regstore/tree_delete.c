#include <string.h>

#include "tree_node.h"

/* The first subkey or value of a key. RS_END if there is none. */
static int first_entry(struct tree *tree, rs_key id, enum tree_tag tag, struct tree_key *entry,
                       struct slice *record)
{
    struct tree_key head;
    struct env_cursor cursor;
    struct slice at;
    tree_key_head(&head, id, tag);
    int status = env_cursor_open(tree->txn, TABLE_TREE, &cursor);
    if (status != RS_OK) {
        return status;
    }
    status = env_cursor_seek(&cursor, tree_key_slice(&head), &at, record);
    if (status == RS_OK && !tree_key_matches(&head, at)) {
        status = RS_END;
    }
    if (status == RS_OK && at.size > sizeof entry->bytes) {
        status = RS_EDAMAGED;
    }
    if (status == RS_OK) {
        entry->size = at.size;
        memcpy(entry->bytes, at.data, at.size);
    }
    env_cursor_close(&cursor);
    return status;
}

static int drop_values(struct tree *tree, const struct node *node, bool tell)
{
    struct tree_key entry;
    struct slice found;
    struct value_record value;
    int status;
    while ((status = first_entry(tree, node->id, TAG_VALUE, &entry, &found)) == RS_OK) {
        status = value_decode(found, &value);
        if (status == RS_OK && tell) {
            struct change change = {.kind = RS_VALUE_DELETED,
                                    .inner = true,
                                    .key = node->id,
                                    .parent = node->parent,
                                    .path = ""};
            change.before = change_side_of_value(&value);
            status = change_tell(tree, &change);
        }
        if (status == RS_OK) {
            status = env_delete(tree->txn, TABLE_TREE, tree_key_slice(&entry));
        }
        if (status != RS_OK) {
            return status;
        }
        tree->state.values--;
    }
    return status == RS_END ? RS_OK : status;
}

static int tell_inner_key(struct tree *tree, const struct node *node)
{
    struct change change = {.kind = RS_KEY_DELETED,
                            .inner = true,
                            .key = node->id,
                            .parent = node->parent,
                            .path = "",
                            .written_before = node->written};
    change.before = change_side_of_node(node);
    return change_tell(tree, &change);
}

/* An entry of a key that is not there, or is another one's child, would lead to no end. */
static int enter_child(struct tree *tree, struct slice record, bool tell, rs_key *current)
{
    struct subkey subkey;
    struct node node;
    int status = subkey_decode(record, &subkey);
    if (status == RS_OK) {
        status = subkey_node(tree, *current, subkey.id, &node);
    }
    if (status == RS_OK && tell) {
        status = tell_inner_key(tree, &node);
    }
    if (status == RS_OK) {
        status = drop_values(tree, &node, tell);
        *current = subkey.id;
    }
    return status == RS_EDELETED ? RS_EDAMAGED : status;
}

/* Leaves a key that has neither values nor subkeys any more, for its parent, whose first subkey it
 * is. */
static int leave_child(struct tree *tree, rs_key *current)
{
    struct node node;
    struct tree_key entry;
    struct slice record;
    int status = tree_node(tree, *current, &node);
    rs_key parent = node.parent;
    if (status == RS_OK) {
        status = node_remove(tree, *current);
    }
    if (status == RS_OK) {
        status = first_entry(tree, parent, TAG_SUBKEY, &entry, &record);
    }
    if (status == RS_OK) {
        status = env_delete(tree->txn, TABLE_TREE, tree_key_slice(&entry));
        tree->state.keys--;
        *current = parent;
    }
    return status;
}

/* All below top and its values; depth first, and without recursion, as a hive may be 512 keys deep.
 * Deeper is a circle of damaged records. Links are keys like any other here. */
static int drop_contents(struct tree *tree, const struct node *top, bool tell)
{
    struct tree_key entry;
    struct slice record;
    rs_key current = top->id;
    unsigned depth = 0;
    int status = drop_values(tree, top, tell);
    while (status == RS_OK) {
        status = first_entry(tree, current, TAG_SUBKEY, &entry, &record);
        if (status == RS_OK) {
            status =
                ++depth <= RS_MAX_DEPTH ? enter_child(tree, record, tell, &current) : RS_EDAMAGED;
        } else if (status == RS_END && depth > 0) {
            depth--;
            status = leave_child(tree, &current);
        } else {
            break;
        }
    }
    return status == RS_END ? RS_OK : status;
}

static int tell_deleted(struct tree *tree, const struct node *node, uint64_t parent_written)
{
    struct change change;
    int status = change_begin(tree, node, RS_KEY_DELETED, &change);
    if (status == RS_OK) {
        change.before = change_side_of_node(node);
        change.passing = !change_wanted(tree, node->id);
        change.written_after = 0;
        change.parent_after = parent_written;
        status = change_tell(tree, &change);
    }
    return status;
}

/* The key itself, its contents being gone. */
static int drop_key(struct tree *tree, const struct node *node, uint64_t parent_written)
{
    struct tree_key entry;
    struct slice found;
    struct node *parent;
    int status = tree_find(tree, node->parent, TAG_SUBKEY, node->name, node->name_len,
                           RS_MAX_KEY_NAME, &entry, &found);
    if (status == RS_OK) {
        status = env_delete(tree->txn, TABLE_TREE, tree_key_slice(&entry));
    }
    if (status == RS_OK) {
        status = node_remove(tree, node->id);
    }
    if (status == RS_OK) {
        status = node_edit(tree, node->parent, &parent);
    }
    if (status == RS_OK) {
        parent->subkeys--;
        parent->written = parent_written;
        tree->state.keys--;
    }
    return status;
}

int tree_delete_at(struct tree *tree, const struct node *node, uint64_t parent_written)
{
    bool tell = change_wanted(tree, node->parent);
    int status = tell ? tell_deleted(tree, node, parent_written) : RS_OK;
    if (status == RS_OK) {
        /* Of a key that this transaction made, nobody wants to know what was in it. */
        status = drop_contents(tree, node, tell && change_wanted(tree, node->id));
    }
    if (status == RS_OK) {
        status = drop_key(tree, node, parent_written);
    }
    return tree_fail(tree, status, "cannot delete a key");
}

int tree_delete(struct tree *tree, rs_key key, bool recursive)
{
    struct node node;
    int status = tree_writable(tree);
    if (status == RS_OK) {
        status = node_keep(tree, key, &node);
    }
    if (status != RS_OK) {
        return status;
    }
    if (node.parent == RS_NO_KEY) {
        return fail(tree->error, RS_EROOT, "a root key cannot be deleted");
    }
    if (node.subkeys > 0 && !recursive) {
        return fail(tree->error, RS_ENOTEMPTY, "%.*s: the key has subkeys", (int)node.name_len,
                    node.name);
    }
    return tree_delete_at(tree, &node, tree->now);
}
