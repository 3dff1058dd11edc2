#include <string.h>

#include "tree_node.h"

static RS_APART int fail_name(struct tree *tree, int status, const char *name, size_t len)
{
    if (status == RS_ETOOLONG) {
        return fail(tree->error, status, "a value's name of more than %d UTF-16 units",
                    RS_MAX_VALUE_NAME);
    }
    if (status == RS_ENOTFOUND && len == 0) {
        return fail(tree->error, status, "the default value is not set");
    }
    if (status == RS_ENOTFOUND) {
        return fail(tree->error, status, "no value \"%.*s\"", (int)len, name);
    }
    return fail(tree->error, status, "value \"%.*s\": %s", (int)len, name, rs_strerror(status));
}

/* A value that is not there, or whose key is gone? */
static RS_APART int missing(struct tree *tree, rs_key key, const char *name, size_t len)
{
    struct node node;
    int status = tree_node(tree, key, &node);
    return fail_name(tree, status == RS_OK ? RS_ENOTFOUND : status, name, len);
}

/* What was read in a write transaction would move with the next change. */
static int keep_value(struct tree *tree, rs_value found, rs_value *value)
{
    found.name = arena_copy(tree->arena, found.name, found.name_len);
    found.data = arena_copy(tree->arena, found.data, found.size);
    if (found.name == NULL || found.data == NULL) {
        return RS_ENOMEM;
    }
    *value = found;
    return RS_OK;
}

int tree_value_get(struct tree *tree, rs_key key, const char *name, size_t len, rs_value *value)
{
    struct tree_key entry;
    struct slice found;
    struct value_record record;
    int status = tree_find(tree, key, TAG_VALUE, name, len, RS_MAX_VALUE_NAME, &entry, &found);
    if (status == RS_ENOTFOUND) {
        return missing(tree, key, name, len);
    }
    if (status == RS_OK) {
        status = value_decode(found, &record);
    }
    if (status == RS_OK && tree->cache == NULL) {
        *value = record.value;
        return RS_OK;
    }
    if (status == RS_OK) {
        status = keep_value(tree, record.value, value);
    }
    return status == RS_OK ? RS_OK : fail_name(tree, status, name, len);
}

/* ---- Links ---- */

static bool is_link_name(const char *name, size_t len)
{
    return text_compare(name, len, TREE_LINK_VALUE, TREE_LINK_VALUE_LEN) == 0;
}

/* A key is a link as long as it has a REG_LINK value of that name. Its own record and its parent's
 * entry repeat it, so that a walk sees it without looking for the value. */
static int mark_link(struct tree *tree, rs_key key, bool link)
{
    struct node *edited;
    int status = node_edit(tree, key, &edited);
    if (status != RS_OK || link == ((edited->flags & RS_KEY_LINK) != 0)) {
        return status;
    }
    if (edited->parent == RS_NO_KEY) {
        return RS_OK; /* a root is found without a walk, and cannot lead elsewhere */
    }
    edited->flags ^= RS_KEY_LINK;
    struct node node = *edited;
    struct tree_key entry;
    struct slice found;
    struct subkey subkey;
    char name[3 * RS_MAX_KEY_NAME];
    memcpy(name, node.name, node.name_len);
    status = tree_find(tree, node.parent, TAG_SUBKEY, name, node.name_len, RS_MAX_KEY_NAME, &entry,
                       &found);
    if (status == RS_OK) {
        status = subkey_decode(found, &subkey);
    }
    if (status == RS_OK) {
        subkey.flags = link ? RS_KEY_LINK : 0;
        status = subkey_put(tree, &entry, &subkey);
    }
    return status;
}

/* ---- Changing ---- */

static bool is_link_record(const struct value_record *record)
{
    return record != NULL && record->value.type == REG_LINK &&
           is_link_name(record->value.name, record->value.name_len);
}

/* begun is a change of the key whose path and times are there already. */
static int tell_value(struct tree *tree, struct change *begun, const struct value_change *change)
{
    if (is_link_record(change->before) || is_link_record(change->after)) {
        begun->kind = RS_KEY_RELINKED;
    } else {
        begun->kind = change->after != NULL ? RS_VALUE_SET : RS_VALUE_DELETED;
    }
    if (change->before != NULL) {
        begun->before = change_side_of_value(change->before);
    }
    if (change->after != NULL) {
        begun->after = change_side_of_value(change->after);
    }
    begun->next_before = change->next_before;
    begun->next_after = change->next_after;
    begun->written_after = change->written;
    return change_tell(tree, begun);
}

/* Path and times are looked up first: that may write a cached record back, which would move the
 * value found. */
static int begin_change(struct tree *tree, rs_key key, struct node *node, struct change *change)
{
    int status = tree_writable(tree);
    if (status != RS_OK) {
        return status;
    }
    status = tree_node(tree, key, node);
    if (status == RS_OK && change_wanted(tree, key)) {
        status = change_begin(tree, node, RS_VALUE_SET, change);
        if (status == RS_OK) {
            status = tree_node(tree, key, node);
        }
    }
    return status == RS_OK ? RS_OK : fail(tree->error, status, "%s", rs_strerror(status));
}

static int finish_change(struct tree *tree, const struct value_change *change, bool was_link,
                         bool is_link)
{
    struct node *node;
    int status = was_link || is_link ? mark_link(tree, change->key, is_link) : RS_OK;
    if (status == RS_OK) {
        status = node_edit(tree, change->key, &node);
    }
    if (status != RS_OK) {
        return status;
    }
    node->written = change->written;
    node->next_position = change->next_after;
    if (change->before == NULL) {
        node->values++;
        tree->state.values++;
    } else if (change->after == NULL) {
        node->values--;
        tree->state.values--;
    }
    return RS_OK;
}

/* The data, which may be large, goes from the caller's memory into the table at once. */
static int put_record(struct tree *tree, const struct tree_key *entry, const rs_value *value)
{
    const struct slice parts[] = {
        {tree->record.data, tree->record.size}, {value->data, value->size}, {"", 1}};
    return env_put_parts(tree->txn, TABLE_TREE, tree_key_slice(entry), parts, 3);
}

/* The record's head, which holds the name, is built first: when the change has been told, what was
 * read of the old one may have moved. */
int tree_value_change(struct tree *tree, struct change *begun, const struct value_change *change,
                      const struct tree_key *entry)
{
    bool was_link = is_link_record(change->before);
    bool is_link = is_link_record(change->after);
    int status = change->after != NULL ? value_encode_head(tree, change->after) : RS_OK;
    if (status == RS_OK && change_wanted(tree, change->key)) {
        status = tell_value(tree, begun, change);
    }
    if (status == RS_OK && change->after != NULL) {
        status = put_record(tree, entry, &change->after->value);
    } else if (status == RS_OK) {
        status = env_delete(tree->txn, TABLE_TREE, tree_key_slice(entry));
    }
    if (status == RS_OK) {
        status = finish_change(tree, change, was_link, is_link);
    }
    return tree_fail(tree, status, "cannot change a value");
}

static bool same_value(const rs_value *stored, uint32_t type, const void *data, size_t size)
{
    return stored->type == type && stored->size == size && memcmp(stored->data, data, size) == 0;
}

/* What a value becomes: one that exists keeps place and spelling. */
static struct value_record next_record(const struct node *node, const struct value_record *before,
                                       const rs_value *wanted)
{
    struct value_record after = {.position = node->next_position, .value = *wanted};
    if (before != NULL) {
        after.position = before->position;
        after.value.name = before->value.name;
        after.value.name_len = before->value.name_len;
    }
    return after;
}

static int set_value(struct tree *tree, const struct node *node, struct change *begun,
                     const rs_value *wanted, bool replace)
{
    struct tree_key entry;
    struct slice found;
    struct value_record before;
    int status = tree_find(tree, node->id, TAG_VALUE, wanted->name, wanted->name_len,
                           RS_MAX_VALUE_NAME, &entry, &found);
    bool exists = status == RS_OK;
    if (exists) {
        status = value_decode(found, &before);
    } else if (status == RS_ENOTFOUND) {
        status = RS_OK;
    }
    if (status != RS_OK) {
        return fail_name(tree, status, wanted->name, wanted->name_len);
    }
    if (exists && !replace) {
        return RS_EEXIST;
    }
    if (exists && same_value(&before.value, wanted->type, wanted->data, wanted->size)) {
        return RS_OK;
    }
    struct value_record after = next_record(node, exists ? &before : NULL, wanted);
    struct value_change change = {
        .key = node->id,
        .before = exists ? &before : NULL,
        .after = &after,
        .next_before = node->next_position,
        .next_after = node->next_position + !exists,
        .written = tree->now,
    };
    return tree_value_change(tree, begun, &change, &entry);
}

static int check_and_set(struct tree *tree, rs_key key, const rs_value *value, bool replace)
{
    rs_value wanted = *value;
    struct node node;
    struct change change;
    if (wanted.size > RS_MAX_DATA) {
        return fail(tree->error, RS_ETOOBIG,
                    "value \"%.*s\": %zu bytes of data, at most %zu are possible",
                    (int)wanted.name_len, wanted.name, wanted.size, RS_MAX_DATA);
    }
    if (wanted.size == 0) {
        wanted.data = ""; /* not NULL */
    }
    int status = begin_change(tree, key, &node, &change);
    return status == RS_OK ? set_value(tree, &node, &change, &wanted, replace) : status;
}

int tree_value_set(struct tree *tree, rs_key key, const char *name, size_t len, uint32_t type,
                   const void *data, size_t size)
{
    rs_value wanted = {name, len, type, data, size};
    return check_and_set(tree, key, &wanted, true);
}

int tree_value_add(struct tree *tree, rs_key key, const rs_value *value)
{
    return check_and_set(tree, key, value, false);
}

int tree_value_delete(struct tree *tree, rs_key key, const char *name, size_t len)
{
    struct node node;
    struct change change;
    struct tree_key entry;
    struct slice found;
    struct value_record before;
    int status = begin_change(tree, key, &node, &change);
    if (status != RS_OK) {
        return status;
    }
    status = tree_find(tree, key, TAG_VALUE, name, len, RS_MAX_VALUE_NAME, &entry, &found);
    if (status == RS_OK) {
        status = value_decode(found, &before);
    }
    if (status != RS_OK) {
        return fail_name(tree, status, name, len);
    }
    struct value_change deletion = {
        .key = key,
        .before = &before,
        .next_before = node.next_position,
        .next_after = node.next_position,
        .written = tree->now,
    };
    return tree_value_change(tree, &change, &deletion, &entry);
}
