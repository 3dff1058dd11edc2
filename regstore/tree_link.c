#include "tree_node.h"

int tree_link_target(struct tree *tree, rs_key key, struct buffer *target)
{
    struct tree_key entry;
    struct slice found;
    struct value_record record;
    struct node node;
    int status = tree_node(tree, key, &node);
    if (status == RS_OK && !(node.flags & RS_KEY_LINK)) {
        return fail(tree->error, RS_ENOTFOUND, "%.*s: the key is no symbolic link",
                    (int)node.name_len, node.name);
    }
    if (status == RS_OK) {
        status = tree_find(tree, key, TAG_VALUE, TREE_LINK_VALUE, TREE_LINK_VALUE_LEN,
                           RS_MAX_VALUE_NAME, &entry, &found);
    }
    if (status == RS_OK) {
        status = value_decode(found, &record);
    }
    if (status == RS_OK) {
        status = path_from_link(target, record.value.data, record.value.size);
    }
    return status == RS_OK
               ? RS_OK
               : fail(tree->error, status, "the target of a symbolic link is no key path: %s",
                      rs_strerror(status));
}

/* The key that is to be the link: an existing one must be a link already. */
static int open_link(struct tree *tree, rs_key base, const char *path, size_t len, unsigned flags,
                     rs_key *key)
{
    bool created = false;
    struct node node;
    int status =
        tree_create(tree, base, path, len, RS_NOFOLLOW | (flags & RS_VOLATILE), key, &created);
    if (status == RS_OK && !created) {
        status = tree_node(tree, *key, &node);
        if (status == RS_OK && !(node.flags & RS_KEY_LINK)) {
            return fail(tree->error, RS_EEXIST, "%.*s: a key of this name exists and is no link",
                        (int)len, path);
        }
    }
    return status;
}

int tree_link_create(struct tree *tree, rs_key base, const char *path, size_t len,
                     const char *target, size_t target_len, unsigned flags, rs_key *key)
{
    struct buffer data = BUFFER_INIT;
    rs_key link;
    int status = path_to_link(&data, target, target_len, tree->error);
    if (status == RS_OK) {
        status = open_link(tree, base, path, len, flags, &link);
    }
    if (status == RS_OK) {
        status = tree_value_set(tree, link, TREE_LINK_VALUE, TREE_LINK_VALUE_LEN, REG_LINK,
                                data.data, data.size);
    }
    buffer_free(&data);
    if (status == RS_OK && key != NULL) {
        *key = link;
    }
    return status;
}
