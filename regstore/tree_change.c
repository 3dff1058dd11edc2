#include "tree_node.h"

bool change_wanted(const struct tree *tree, rs_key key)
{
    return tree->sink != NULL && key < tree->first_new_id;
}

int change_begin(struct tree *tree, const struct node *node, enum rs_change_kind kind,
                 struct change *change)
{
    *change = (struct change){
        .kind = kind,
        .key = node->id,
        .parent = node->parent,
        .written_before = node->written,
        .written_after = tree->now,
    };
    tree->path.size = 0;
    int status = tree_path(tree, change->key, &tree->path);
    if (status != RS_OK) {
        return status;
    }
    change->path = tree->path.data;
    change->path_len = tree->path.size;
    if (change->parent != RS_NO_KEY) {
        struct node parent;
        status = tree_node(tree, change->parent, &parent);
        if (status == RS_OK) {
            change->parent_before = parent.written;
            change->parent_after = parent.written;
        }
    }
    return status;
}

/* A value outside of HKRS neither is a rule or a setting of the store, nor tells whose rules a key
 * has. */
static bool is_mere_value(const struct change *change)
{
    const struct path_root *root = path_root_by_key(RS_HKRS);
    size_t len = strlen(root->name);

    return (change->kind == RS_VALUE_SET || change->kind == RS_VALUE_DELETED) &&
           !(change->path_len >= len && memcmp(change->path, root->name, len) == 0);
}

int change_tell(struct tree *tree, const struct change *change)
{
    tree->moved = tree->moved || !is_mere_value(change);
    return tree->sink->change(tree->sink, change);
}

int change_tell_created(struct tree *tree, const struct node *node, uint64_t parent_written)
{
    struct change change;
    if (!change_wanted(tree, node->parent)) {
        return RS_OK;
    }
    int status = change_begin(tree, node, RS_KEY_CREATED, &change);
    if (status != RS_OK) {
        return status;
    }
    change.after = change_side_of_node(node);
    change.written_before = 0;
    change.written_after = node->written;
    change.parent_after = parent_written;
    return change_tell(tree, &change);
}

struct change_side change_side_of_value(const struct value_record *value)
{
    return (struct change_side){
        .present = true,
        .name = value->value.name,
        .name_len = value->value.name_len,
        .position = value->position,
        .type = value->value.type,
        .data = value->value.data,
        .size = value->value.size,
    };
}

struct change_side change_side_of_node(const struct node *node)
{
    return (struct change_side){
        .present = true,
        .name = node->name,
        .name_len = node->name_len,
        .position = node->next_position,
        .type = node->flags,
        .data = node->class_name,
        .size = node->class_len,
    };
}
