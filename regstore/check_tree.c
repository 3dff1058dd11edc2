#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "tree_node.h"

/*
 * The records of one key stand side by side: its own, its subkeys', its values'. Each subkey's
 * record must lead to a key that names this one as its parent, and each key must be found in its
 * parent under its name. Both together say that each key is there once; that a root is at the end
 * of the way up says that there are no circles.
 */
struct group {
    rs_key id; /* RS_NO_KEY before the first */
    bool self; /* its own record is there, and is in node */
    struct node node;
    uint32_t subkeys; /* records of them */
    uint32_t values;
    bool link;               /* has the value that makes a link */
    struct buffer positions; /* of the values, uint32_t each */
};

/* ---- A key's own record ---- */

static bool is_root(rs_key key)
{
    const struct path_root *root = path_root_by_key(key);
    return root != NULL && root->stored == key;
}

static int check_texts(struct check *check, const struct node *node)
{
    size_t units = 0;
    if (!is_root(node->id) && path_check_name(node->name, node->name_len, NULL) != RS_OK) {
        return check_found(check, node->id, 0, "its name is none that a key can have");
    }
    if (text_units(node->class_name, node->class_len, &units) != RS_OK || units > RS_MAX_CLASS) {
        return check_found(check, node->id, 0, "its class name is damaged");
    }
    if ((node->flags & ~(RS_KEY_LINK | RS_KEY_VOLATILE)) != 0) {
        return check_found(check, node->id, 0, "its flags are 0x%x", node->flags);
    }
    return RS_OK;
}

static int check_root(struct check *check, const struct node *node)
{
    const struct path_root *root = path_root_by_key(node->id);
    bool good = node->parent == RS_NO_KEY && node->name_len == strlen(root->name) &&
                memcmp(node->name, root->name, node->name_len) == 0;
    return good ? RS_OK : check_found(check, node->id, 0, "this root has another name or a parent");
}

/* Its parent must have it, under its name. */
static int check_place(struct check *check, const struct node *node)
{
    struct tree *tree = &check->txn->tree;
    struct tree_key entry;
    struct slice found;
    struct subkey subkey;
    struct buffer path = BUFFER_INIT;
    int status = tree_find(tree, node->parent, TAG_SUBKEY, node->name, node->name_len,
                           RS_MAX_KEY_NAME, &entry, &found);
    if (status == RS_OK) {
        status = subkey_decode(found, &subkey);
    }
    if (status == RS_ENOMEM) {
        return status;
    }
    if (status != RS_OK || subkey.id != node->id) {
        return check_found(check, node->id, 0, "its parent, key %llu, does not have it",
                           (unsigned long long)node->parent);
    }
    if (subkey.flags != (node->flags & RS_KEY_LINK)) {
        return check_found(check, node->id, 0, "whether it is a link is told in two ways");
    }
    status = tree_path(tree, node->id, &path);
    buffer_free(&path);
    return status == RS_OK || status == RS_ENOMEM
               ? status
               : check_found(check, node->id, 0, "no root is above it");
}

static int check_self(struct check *check, struct group *group, struct slice key)
{
    if (key.size != TREE_KEY_HEAD) {
        return check_found(check, group->id, 0, "a record of it has a name that does not belong");
    }
    int status = tree_node(&check->txn->tree, group->id, &group->node);
    if (status != RS_OK) {
        return check_found(check, group->id, 0, "its record cannot be read: %s",
                           rs_strerror(status));
    }
    group->self = true;
    const struct node *node = &group->node;
    if (node->id >= check->state.tree.next_id) {
        status = check_found(check, node->id, 0, "the number %llu was never given",
                             (unsigned long long)node->id);
    }
    if (status == RS_OK) {
        status = check_texts(check, node);
    }
    if (status == RS_OK) {
        status = is_root(node->id) ? check_root(check, node) : check_place(check, node);
    }
    check->report.keys += is_root(node->id) ? 0 : 1;
    return status;
}

/* ---- The records of its subkeys and values ---- */

static bool same_key(const struct tree_key *key, struct slice found)
{
    return key->size == found.size && memcmp(key->bytes, found.data, key->size) == 0;
}

static int check_subkey(struct check *check, struct group *group, struct slice key,
                        struct slice record)
{
    struct tree *tree = &check->txn->tree;
    struct subkey subkey;
    struct node child;
    struct tree_key entry;
    struct slice found;
    group->subkeys++;
    if (subkey_decode(record, &subkey) != RS_OK) {
        return check_found(check, group->id, 0, "the record of a subkey cannot be read");
    }
    int status = tree_node(tree, subkey.id, &child);
    if (status != RS_OK) {
        return check_found(check, group->id, 0, "its subkey, key %llu, is not there: %s",
                           (unsigned long long)subkey.id, rs_strerror(status));
    }
    if (child.parent != group->id) {
        return check_found(check, group->id, 0, "its subkey, key %llu, says that it is key %llu's",
                           (unsigned long long)subkey.id, (unsigned long long)child.parent);
    }
    status = tree_find(tree, group->id, TAG_SUBKEY, child.name, child.name_len, RS_MAX_KEY_NAME,
                       &entry, &found);
    if (status == RS_ENOMEM || (status == RS_OK && same_key(&entry, key))) {
        return status;
    }
    return check_found(check, group->id, 0, "its subkey \"%.*s\" stands under another name",
                       (int)child.name_len, child.name);
}

static int check_value(struct check *check, struct group *group, struct slice key,
                       struct slice record)
{
    struct value_record value;
    struct tree_key entry;
    struct slice found;
    group->values++;
    check->report.values++;
    if (value_decode(record, &value) != RS_OK) {
        return check_found(check, group->id, 0, "the record of a value cannot be read");
    }
    const rs_value *stored = &value.value;
    int status = tree_find(&check->txn->tree, group->id, TAG_VALUE, stored->name, stored->name_len,
                           RS_MAX_VALUE_NAME, &entry, &found);
    if (status == RS_ENOMEM) {
        return status;
    }
    if (status != RS_OK || !same_key(&entry, key)) {
        return check_found(check, group->id, 0, "its value \"%.*s\" stands under another name",
                           (int)stored->name_len, stored->name);
    }
    if (stored->size > RS_MAX_DATA) {
        return check_found(check, group->id, 0, "its value \"%.*s\" has %zu bytes",
                           (int)stored->name_len, stored->name, stored->size);
    }
    group->link = group->link || (stored->type == REG_LINK &&
                                  text_compare(stored->name, stored->name_len, TREE_LINK_VALUE,
                                               TREE_LINK_VALUE_LEN) == 0);
    return buffer_append(&group->positions, &value.position, sizeof value.position);
}

/* ---- A key as a whole ---- */

static int compare_positions(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Each value has a place of its own, below the next one to be given. */
static int check_positions(struct check *check, struct group *group)
{
    uint32_t *positions = (uint32_t *)(void *)group->positions.data;
    size_t count = group->positions.size / sizeof *positions;
    if (count == 0) {
        return RS_OK;
    }
    qsort(positions, count, sizeof *positions, compare_positions);
    for (size_t i = 1; i < count; i++) {
        if (positions[i] == positions[i - 1]) {
            return check_found(check, group->id, 0, "two of its values have the place %u",
                               positions[i]);
        }
    }
    return positions[count - 1] < group->node.next_position
               ? RS_OK
               : check_found(check, group->id, 0, "a value has the place %u, the next one is %u",
                             positions[count - 1], group->node.next_position);
}

static int check_counts(struct check *check, const struct group *group)
{
    const struct node *node = &group->node;
    int status = RS_OK;
    if (group->subkeys != node->subkeys) {
        status = check_found(check, group->id, 0, "it has %u subkeys, its record says %u",
                             group->subkeys, node->subkeys);
    }
    if (status == RS_OK && group->values != node->values) {
        status = check_found(check, group->id, 0, "it has %u values, its record says %u",
                             group->values, node->values);
    }
    bool marked = (node->flags & RS_KEY_LINK) != 0;
    if (status == RS_OK && !is_root(group->id) && marked != group->link) {
        status = check_found(check, group->id, 0, "it is %s, but %s", marked ? "a link" : "no link",
                             marked ? "has no target" : "has a target");
    }
    return status;
}

static int finish_group(struct check *check, struct group *group)
{
    int status;
    if (group->id == RS_NO_KEY) {
        return RS_OK;
    }
    if (!group->self) {
        return check_found(check, group->id, 0,
                           "%u subkeys and %u values are of this key, which "
                           "has no record",
                           group->subkeys, group->values);
    }
    status = check_counts(check, group);
    if (status == RS_OK) {
        status = check_positions(check, group);
    }
    return status == RS_OK ? check_progress(check) : status;
}

static int begin_group(struct check *check, struct group *group, rs_key id)
{
    int status = finish_group(check, group);
    struct buffer positions = group->positions;
    positions.size = 0;
    *group = (struct group){.id = id, .positions = positions};
    check->report.key = id;
    return status;
}

/* ---- The table ---- */

static int check_record(struct check *check, struct group *group, const struct check_walk *walk)
{
    if (walk->key.size < TREE_KEY_HEAD) {
        return check_found(check, check->report.key, 0, "a record after it has no number");
    }
    rs_key id = env_get_be64(walk->key.data);
    int status = id != group->id ? begin_group(check, group, id) : RS_OK;
    if (status != RS_OK) {
        return status;
    }
    switch (((const unsigned char *)walk->key.data)[TREE_KEY_HEAD - 1]) {
    case TAG_SELF:
        return check_self(check, group, walk->key);
    case TAG_SUBKEY:
        return check_subkey(check, group, walk->key, walk->value);
    case TAG_VALUE:
        return check_value(check, group, walk->key, walk->value);
    default:
        return check_found(check, id, 0, "a record of it is of no known kind");
    }
}

static int check_roots(struct check *check)
{
    size_t count;
    const struct path_root *roots = path_roots(&count);
    int status = RS_OK;
    for (size_t i = 0; status == RS_OK && i < count; i++) {
        struct node node;
        if (roots[i].stored == roots[i].key &&
            tree_node(&check->txn->tree, roots[i].key, &node) != RS_OK) {
            status = check_found(check, RS_NO_KEY, 0, "%s is missing", roots[i].name);
        }
    }
    return status;
}

static int check_totals(struct check *check)
{
    const struct tree_state *state = &check->state.tree;
    const rs_check_report *report = &check->report;
    if (report->keys == state->keys && report->values == state->values) {
        return RS_OK;
    }
    return check_found(check, RS_NO_KEY, 0,
                       "it has %llu keys and %llu values, its state says %llu and %llu",
                       (unsigned long long)report->keys, (unsigned long long)report->values,
                       (unsigned long long)state->keys, (unsigned long long)state->values);
}

int check_tree(struct check *check)
{
    struct check_walk walk = {.check = check, .table = TABLE_TREE};
    struct group group = {.id = RS_NO_KEY};
    int status;
    while ((status = check_walk_next(&walk)) == RS_OK) {
        status = check_record(check, &group, &walk);
        if (status != RS_OK) {
            break;
        }
    }
    if (status == RS_END) {
        status = finish_group(check, &group);
    }
    if (status == RS_OK) {
        status = check_roots(check);
    }
    buffer_free(&group.positions);
    check_walk_end(&walk);
    return status == RS_OK ? check_totals(check) : status;
}
