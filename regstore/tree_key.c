#include <string.h>

#include "tree_node.h"

static int move_entry(struct tree *tree, const struct node *node, const struct tree_key *to)
{
    struct tree_key from;
    struct slice found;
    struct subkey subkey;
    int status = tree_find(tree, node->parent, TAG_SUBKEY, node->name, node->name_len,
                           RS_MAX_KEY_NAME, &from, &found);
    if (status == RS_OK) {
        status = subkey_decode(found, &subkey);
    }
    if (status == RS_OK) {
        status = env_delete(tree->txn, TABLE_TREE, tree_key_slice(&from));
    }
    return status == RS_OK ? subkey_put(tree, to, &subkey) : status;
}

static int tell_renamed(struct tree *tree, const struct node *node, const struct rename *rename)
{
    if (!change_wanted(tree, node->parent)) {
        return RS_OK;
    }
    struct change change;
    int status = change_begin(tree, node, RS_KEY_RENAMED, &change);
    if (status != RS_OK) {
        return status;
    }
    change.before =
        (struct change_side){.present = true, .name = node->name, .name_len = node->name_len};
    change.after =
        (struct change_side){.present = true, .name = rename->name, .name_len = rename->len};
    change.written_after = rename->written;
    change.parent_after = rename->parent_written;
    return change_tell(tree, &change);
}

int tree_rename_to(struct tree *tree, const struct node *node, const struct rename *rename)
{
    struct node *edited;
    int status = tell_renamed(tree, node, rename);
    if (status == RS_OK) {
        status = move_entry(tree, node, rename->entry);
    }
    if (status == RS_OK) {
        status = node_set_name(tree, node->id, rename->name, rename->len);
    }
    if (status == RS_OK) {
        status = node_edit(tree, node->id, &edited);
    }
    if (status == RS_OK) {
        edited->written = rename->written;
        status = node_edit(tree, node->parent, &edited);
    }
    if (status == RS_OK) {
        edited->written = rename->parent_written;
    }
    return tree_fail(tree, status, "cannot rename");
}

int node_keep(struct tree *tree, rs_key key, struct node *node)
{
    int status = tree_node(tree, key, node);
    if (status != RS_OK) {
        return fail(tree->error, status, "%s", rs_strerror(status));
    }
    node->name = arena_copy(tree->arena, node->name, node->name_len);
    node->class_name = arena_copy(tree->arena, node->class_name, node->class_len);
    return node->name != NULL && node->class_name != NULL
               ? RS_OK
               : fail(tree->error, RS_ENOMEM, "out of memory");
}

int tree_rename(struct tree *tree, rs_key key, const char *name, size_t len)
{
    struct node node;
    struct tree_key entry;
    struct slice found;
    struct subkey other;
    int status = tree_writable(tree);
    if (status == RS_OK) {
        status = path_check_name(name, len, tree->error);
    }
    if (status == RS_OK) {
        status = node_keep(tree, key, &node);
    }
    if (status != RS_OK) {
        return status;
    }
    if (node.parent == RS_NO_KEY) {
        return fail(tree->error, RS_EROOT, "a root key cannot be renamed");
    }
    if (node.name_len == len && memcmp(node.name, name, len) == 0) {
        return RS_OK;
    }
    status = tree_find(tree, node.parent, TAG_SUBKEY, name, len, RS_MAX_KEY_NAME, &entry, &found);
    if (status == RS_OK) {
        status = subkey_decode(found, &other);
        if (status == RS_OK && other.id != key) {
            return fail(tree->error, RS_EEXIST, "%.*s: a key of this name exists", (int)len, name);
        }
    } else if (status == RS_ENOTFOUND) {
        status = RS_OK;
    }
    if (status != RS_OK) {
        return fail(tree->error, status, "%s", rs_strerror(status));
    }
    struct rename rename = {name, len, &entry, tree->now, tree->now};
    return tree_rename_to(tree, &node, &rename);
}

/* Class name and write time change alike: what becomes of the node is told, then stored. */
int tree_set_class_at(struct tree *tree, const struct node *node, const char *class_name,
                      size_t len, uint64_t written)
{
    struct node *edited;
    int status = RS_OK;
    if (change_wanted(tree, node->id)) {
        struct change change;
        status = change_begin(tree, node, RS_KEY_CLASS, &change);
        if (status == RS_OK) {
            change.before = change_side_of_node(node);
            change.after = change.before;
            change.after.data = class_name;
            change.after.size = len;
            change.written_after = written;
            status = change_tell(tree, &change);
        }
    }
    if (status == RS_OK) {
        status = node_set_class(tree, node->id, class_name, len);
    }
    if (status == RS_OK) {
        status = node_edit(tree, node->id, &edited);
    }
    if (status == RS_OK) {
        edited->written = written;
    }
    return tree_fail(tree, status, "cannot change a key");
}

int tree_set_class(struct tree *tree, rs_key key, const char *name, size_t len)
{
    struct node node;
    size_t units;
    int status = tree_writable(tree);
    if (status == RS_OK) {
        status = text_units(name, len, &units);
        if (status == RS_OK && units > RS_MAX_CLASS) {
            status = RS_ETOOLONG;
        }
        if (status != RS_OK) {
            return fail(tree->error, status, "class name: %s", rs_strerror(status));
        }
        status = node_keep(tree, key, &node);
    }
    if (status != RS_OK || (node.class_len == len && memcmp(node.class_name, name, len) == 0)) {
        return status;
    }
    return tree_set_class_at(tree, &node, name, len, tree->now);
}

int tree_set_written(struct tree *tree, rs_key key, uint64_t written)
{
    struct node node;
    struct node *edited;
    int status = tree_writable(tree);
    if (status != RS_OK) {
        return status;
    }
    if (change_wanted(tree, key)) {
        status = node_keep(tree, key, &node);
        if (status != RS_OK || node.written == written) {
            return status;
        }
        return tree_set_class_at(tree, &node, node.class_name, node.class_len, written);
    }
    status = node_edit(tree, key, &edited);
    if (status != RS_OK) {
        return fail(tree->error, status, "%s", rs_strerror(status));
    }
    edited->written = written;
    return RS_OK;
}
