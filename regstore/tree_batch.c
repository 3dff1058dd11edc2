/*
 * tree_batch.c - the values of a new key, stored together.
 *
 * Values come in any order, and a page of the table that is split in its middle stays half empty
 * for good. A new key is the last one of the table: when its values are stored in the table's own
 * order, pages are filled one after the other, and nothing has to be looked for. So they wait here,
 * sorted, in a bounded piece of memory. What is not plain goes the ordinary way at once:
 * large data, long names, a link's target, keys whose changes are told. Needs env, record.
 */
#include <string.h>

#include "tree_batch.h"
#include "tree_node.h"

static int compare_keys(struct slice a, struct slice b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = memcmp(a.data, b.data, shorter);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static struct slice key_at(const struct tree_batch *batch, size_t i)
{
    return (struct slice){batch->bytes.data + batch->entries[i].at, batch->entries[i].key_size};
}

static struct slice record_at(const struct tree_batch *batch, size_t i)
{
    const struct batch_entry *entry = &batch->entries[i];
    return (struct slice){batch->bytes.data + entry->at + entry->key_size, entry->record_size};
}

/* Where a key is, or belongs. */
static size_t place_of(const struct tree_batch *batch, struct slice key, bool *found)
{
    size_t low = 0;
    size_t high = batch->count;
    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = compare_keys(key, key_at(batch, middle));
        *found = order == 0;
        if (order > 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return high;
}

/* The table's key of a value. RS_ETOOLONG: its name is not plain. */
static int make_key(struct tree_key *key, rs_key id, const rs_value *value)
{
    size_t size;
    size_t units;
    tree_key_head(key, id, TAG_VALUE);
    int status = text_fold(value->name, value->name_len, (char *)key->bytes + TREE_KEY_HEAD,
                           TREE_NAME_PREFIX, &size, &units);
    if (status == RS_OK) {
        key->size += size;
    }
    return status;
}

static int begin_batch(struct tree_batch *batch, struct tree *tree, rs_key key)
{
    struct node node;
    int status = tree_node(tree, key, &node);
    if (status != RS_OK) {
        return fail(tree->error, status, "%s", rs_strerror(status));
    }
    batch->key = key;
    batch->position = node.next_position;
    batch->others = node.values > 0;
    return RS_OK;
}

/* Has the key a value under this table's key already? */
static int is_taken(struct tree_batch *batch, struct tree *tree, const struct tree_key *key,
                    size_t *place, bool *taken)
{
    struct slice found;
    *place = place_of(batch, tree_key_slice(key), taken);
    if (*taken || !batch->others) {
        return RS_OK;
    }
    int status = env_get(tree->txn, TABLE_TREE, tree_key_slice(key), &found);
    *taken = status == RS_OK;
    return status == RS_ENOTFOUND ? RS_OK : status;
}

static int insert(struct tree_batch *batch, struct tree *tree, const struct tree_key *key,
                  size_t place, const rs_value *value)
{
    struct value_record record = {batch->position + (uint32_t)batch->count, *value};
    size_t at = batch->bytes.size;
    int status = value_encode(tree, &record);
    if (status == RS_OK) {
        status = buffer_append(&batch->bytes, key->bytes, key->size);
    }
    if (status == RS_OK) {
        status = buffer_append(&batch->bytes, tree->record.data, tree->record.size);
    }
    if (status != RS_OK) {
        return status;
    }
    struct batch_entry *entry = &batch->entries[place];
    memmove(entry + 1, entry, (batch->count - place) * sizeof *entry);
    *entry = (struct batch_entry){at, key->size, tree->record.size};
    batch->count++;
    return RS_OK;
}

static bool is_plain(const struct tree *tree, rs_key key, const rs_value *value)
{
    return value->size <= TREE_BATCH_DATA && value->type != REG_LINK && !change_wanted(tree, key);
}

static int add_ordinary(struct tree_batch *batch, struct tree *tree, rs_key key,
                        const rs_value *value)
{
    int status = tree_batch_write(batch, tree);
    return status == RS_OK ? tree_value_add(tree, key, value) : status;
}

int tree_batch_add(struct tree_batch *batch, struct tree *tree, rs_key key, const rs_value *value)
{
    struct tree_key entry;
    size_t place;
    bool taken;
    int status = tree_writable(tree);
    if (status != RS_OK) {
        return status;
    }
    if (!is_plain(tree, key, value) || make_key(&entry, key, value) != RS_OK) {
        return add_ordinary(batch, tree, key, value);
    }
    if (batch->key != key || batch->count == TREE_BATCH_VALUES ||
        batch->bytes.size > TREE_BATCH_DATA) {
        status = tree_batch_write(batch, tree);
    }
    if (status == RS_OK && batch->key == RS_NO_KEY) {
        status = begin_batch(batch, tree, key);
    }
    if (status != RS_OK) {
        return status;
    }
    status = is_taken(batch, tree, &entry, &place, &taken);
    if (status == RS_OK && taken) {
        return RS_EEXIST;
    }
    if (status == RS_OK) {
        status = insert(batch, tree, &entry, place, value);
    }
    return tree_fail(tree, status, "cannot change a value");
}

int tree_batch_write(struct tree_batch *batch, struct tree *tree)
{
    struct node *node;
    int status = RS_OK;
    for (size_t i = 0; status == RS_OK && i < batch->count; i++) {
        status = env_put_last(tree->txn, TABLE_TREE, key_at(batch, i), record_at(batch, i));
    }
    if (status == RS_OK && batch->count > 0) {
        status = node_edit(tree, batch->key, &node);
    }
    if (status == RS_OK && batch->count > 0) {
        node->written = tree->now;
        node->values += (uint32_t)batch->count;
        node->next_position += (uint32_t)batch->count;
        tree->state.values += batch->count;
    }
    batch->key = RS_NO_KEY;
    batch->count = 0;
    batch->bytes.size = 0;
    return tree_fail(tree, status, "cannot change a value");
}

void tree_batch_free(struct tree_batch *batch)
{
    buffer_free(&batch->bytes);
}
