#include <stdlib.h>
#include <string.h>

#include "tree_node.h"

/* ---- Keys of the table ---- */

bool tree_key_matches(const struct tree_key *head, struct slice found)
{
    return found.size >= head->size && memcmp(found.data, head->bytes, head->size) == 0;
}

bool tree_key_is_long(struct slice key)
{
    return key.size == TREE_KEY_MAX &&
           ((const unsigned char *)key.data)[TREE_KEY_HEAD + TREE_NAME_PREFIX] == 0xff;
}

/* FNV-1a: only spreads long names that share a prefix; the full name decides. */
static uint64_t hash_name(const unsigned char *folded, size_t len)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ folded[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static void key_append(struct tree_key *key, const void *bytes, size_t size)
{
    memcpy(key->bytes + key->size, bytes, size);
    key->size += size;
}

/* ---- Finding a name ---- */

/* The spelled name in the record of a subkey or value. */
static int name_of_entry(struct tree *tree, enum tree_tag tag, struct slice record,
                         const char **name, size_t *len)
{
    int status;
    if (tag == TAG_VALUE) {
        struct value_record value;
        status = value_decode(record, &value);
        if (status == RS_OK) {
            *name = value.value.name;
            *len = value.value.name_len;
        }
        return status;
    }
    struct subkey subkey;
    struct node node;
    status = subkey_decode(record, &subkey);
    if (status == RS_OK) {
        status = tree_node(tree, subkey.id, &node);
    }
    if (status == RS_OK) {
        *name = node.name;
        *len = node.name_len;
    }
    return status;
}

/* Long names with the same prefix and hash differ in their last byte, a counter. Gaps that deleted
 * names left are not filled; that so many names collide is made up by somebody, and refused. */
static int find_long(struct tree *tree, enum tree_tag tag, const char *name, size_t len,
                     struct tree_key *key, struct slice *found)
{
    struct tree_key group = *key;
    struct slice at;
    unsigned counter = 0;
    bool match = false;
    struct env_cursor cursor;
    int status = env_cursor_open(tree->txn, TABLE_TREE, &cursor);
    if (status != RS_OK) {
        return status;
    }
    status = env_cursor_seek(&cursor, tree_key_slice(&group), &at, found);
    while (status == RS_OK && tree_key_matches(&group, at)) {
        const char *other;
        size_t other_len;
        counter = ((const unsigned char *)at.data)[at.size - 1];
        status = name_of_entry(tree, tag, *found, &other, &other_len);
        match = status == RS_OK && text_compare(name, len, other, other_len) == 0;
        if (status != RS_OK || match) {
            break;
        }
        status = env_cursor_next(&cursor, &at, found);
        counter++;
    }
    env_cursor_close(&cursor);
    if (status != RS_OK && status != RS_END) {
        return status;
    }
    if (counter > UINT8_MAX) {
        return RS_EFULL;
    }
    key->bytes[key->size++] = (unsigned char)counter;
    /* Looking at the record may have written a cached one back, and so moved this one and its key.
     */
    return match ? env_get(tree->txn, TABLE_TREE, tree_key_slice(key), found) : RS_ENOTFOUND;
}

/* Folds a name into memory of its own. */
static int fold_name(const char *name, size_t len, size_t max_units, struct buffer *folded)
{
    size_t units;
    if (len > 3 * max_units) {
        return RS_ETOOLONG;
    }
    /* Folding makes at most three bytes of two. */
    int status = buffer_reserve(folded, len / 2 * 3 + 3);
    if (status == RS_OK) {
        status = text_fold(name, len, folded->data, folded->capacity, &folded->size, &units);
    }
    return status == RS_OK && units > max_units ? RS_ETOOLONG : status;
}

/* Behind the head that key has, a name longer than TREE_NAME_PREFIX when it is folded. */
static RS_APART int find_long_name(struct tree *tree, enum tree_tag tag, const char *name,
                                   size_t len, size_t max_units, struct tree_key *key,
                                   struct slice *found)
{
    struct buffer folded = BUFFER_INIT;
    unsigned char hash[9] = {0xff};
    int status = fold_name(name, len, max_units, &folded);
    if (status == RS_OK) {
        env_put_be64(hash + 1, hash_name((unsigned char *)folded.data, folded.size));
        key_append(key, folded.data, TREE_NAME_PREFIX);
        key_append(key, hash, sizeof hash);
        status = find_long(tree, tag, name, len, key, found);
    }
    buffer_free(&folded);
    return status;
}

int tree_find(struct tree *tree, rs_key id, enum tree_tag tag, const char *name, size_t len,
              size_t max_units, struct tree_key *key, struct slice *found)
{
    size_t size;
    size_t units;
    tree_key_head(key, id, tag);
    /* Nearly every name is folded into its place. */
    int status =
        text_fold(name, len, (char *)key->bytes + TREE_KEY_HEAD, TREE_NAME_PREFIX, &size, &units);
    if (status == RS_ETOOLONG) {
        return find_long_name(tree, tag, name, len, max_units, key, found);
    }
    if (status != RS_OK) {
        return status;
    }
    if (units > max_units) {
        return RS_ETOOLONG;
    }
    key->size += size;
    return env_get(tree->txn, TABLE_TREE, tree_key_slice(key), found);
}

/* ---- Records ---- */

int subkey_decode(struct slice record, struct subkey *subkey)
{
    struct record reader;
    record_begin(&reader, record.data, record.size);
    subkey->id = record_u64(&reader);
    subkey->flags = record_u8(&reader);
    return record_end(&reader);
}

int subkey_node(struct tree *tree, rs_key parent, rs_key id, struct node *node)
{
    int status = tree_node(tree, id, node);
    return status == RS_OK && node->parent != parent ? RS_EDAMAGED : status;
}

int subkey_put(struct tree *tree, const struct tree_key *key, const struct subkey *subkey)
{
    struct buffer *buffer = &tree->record;
    buffer->size = 0;
    if (record_put_u64(buffer, subkey->id) != RS_OK ||
        record_put_u8(buffer, (uint8_t)subkey->flags) != RS_OK) {
        return RS_ENOMEM;
    }
    return env_put(tree->txn, TABLE_TREE, tree_key_slice(key),
                   (struct slice){buffer->data, buffer->size});
}

int value_position(struct slice record, uint32_t *position)
{
    struct record reader;
    record_begin(&reader, record.data, record.size);
    *position = record_u32(&reader);
    return reader.damaged ? RS_EDAMAGED : RS_OK;
}

int value_encode_head(struct tree *tree, const struct value_record *value)
{
    struct buffer *buffer = &tree->record;
    buffer->size = 0;
    int status = record_put_u32(buffer, value->position);
    if (status == RS_OK) {
        status = record_put_u32(buffer, value->value.type);
    }
    if (status == RS_OK) {
        status = record_put_bytes(buffer, value->value.name, value->value.name_len);
    }
    return status == RS_OK ? record_put_u32(buffer, (uint32_t)value->value.size) : status;
}

int value_encode(struct tree *tree, const struct value_record *value)
{
    int status = value_encode_head(tree, value);
    if (status == RS_OK) {
        status = buffer_append(&tree->record, value->value.data, value->value.size);
    }
    return status == RS_OK ? buffer_append_byte(&tree->record, 0) : status;
}

int node_decode(rs_key id, struct slice record, struct node *node)
{
    struct record reader;
    record_begin(&reader, record.data, record.size);
    node->id = id;
    node->parent = record_u64(&reader);
    node->written = record_u64(&reader);
    node->flags = record_u32(&reader);
    node->subkeys = record_u32(&reader);
    node->values = record_u32(&reader);
    node->next_position = record_u32(&reader);
    node->name = record_bytes(&reader, &node->name_len);
    node->class_name = record_bytes(&reader, &node->class_len);
    /* A root that were somebody's child would make a circle of all that is on the way to it. */
    if (id <= RS_HKRS && node->parent != RS_NO_KEY) {
        return RS_EDAMAGED;
    }
    return record_end(&reader);
}

static int node_encode(struct buffer *buffer, const struct node *node)
{
    const uint32_t numbers[] = {node->flags, node->subkeys, node->values, node->next_position};
    int status = record_put_u64(buffer, node->parent);
    if (status == RS_OK) {
        status = record_put_u64(buffer, node->written);
    }
    for (size_t i = 0; status == RS_OK && i < sizeof numbers / sizeof *numbers; i++) {
        status = record_put_u32(buffer, numbers[i]);
    }
    if (status == RS_OK) {
        status = record_put_bytes(buffer, node->name, node->name_len);
    }
    return status == RS_OK ? record_put_bytes(buffer, node->class_name, node->class_len) : status;
}

/* ---- The cache ---- */

/* Slots, a power of two; eight times as many when a transaction has read as many keys. */
#define CACHE_SLOTS 64u
#define CACHE_MOST 4096u

struct cached_node {
    struct node node; /* id 0: the slot is empty */
    bool dirty;
    struct buffer texts; /* name, NUL, class name, NUL: what the node's texts point to */
};

struct node_cache {
    struct cached_node *slots;
    unsigned count;
    unsigned reads;      /* since there are so many slots */
    struct buffer spare; /* where the next texts are built */
    struct cached_node first[CACHE_SLOTS];
};

int node_cache_new(struct node_cache **out)
{
    struct node_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL) {
        return RS_ENOMEM;
    }
    cache->slots = cache->first;
    cache->count = CACHE_SLOTS;
    *out = cache;
    return RS_OK;
}

static struct cached_node *slot_of(struct node_cache *cache, rs_key id)
{
    return &cache->slots[id & (cache->count - 1)];
}

static void free_slots(struct node_cache *cache)
{
    if (cache->slots != cache->first) {
        free(cache->slots);
    }
}

/* Without the memory for it there are as many slots as before. Two nodes that had slots of their
 * own have them in a multiple of the number, too. */
static void grow_cache(struct node_cache *cache)
{
    unsigned count = 8 * cache->count;
    struct cached_node *slots = calloc(count, sizeof *slots);
    cache->reads = 0;
    if (slots == NULL) {
        return;
    }
    for (unsigned i = 0; i < cache->count; i++) {
        struct cached_node *slot = &cache->slots[i];
        if (slot->node.id != 0) {
            slots[slot->node.id & (count - 1)] = *slot;
        } else {
            buffer_free(&slot->texts);
        }
    }
    free_slots(cache);
    cache->slots = slots;
    cache->count = count;
}

/* The slot that a node is to be read into. */
static struct cached_node *slot_to_fill(struct node_cache *cache, rs_key id)
{
    if (cache->count < CACHE_MOST && ++cache->reads > cache->count) {
        grow_cache(cache);
    }
    return slot_of(cache, id);
}

void node_cache_free(struct node_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    for (unsigned i = 0; i < cache->count; i++) {
        buffer_free(&cache->slots[i].texts);
    }
    free_slots(cache);
    buffer_free(&cache->spare);
    free(cache);
}

typedef int (*put_record)(struct env_txn *txn, enum env_table table, struct slice key,
                          struct slice value);

static int write_node(struct tree *tree, struct cached_node *slot, put_record put)
{
    struct tree_key key;
    tree_key_head(&key, slot->node.id, TAG_SELF);
    struct buffer *buffer = &tree->record;
    buffer->size = 0;
    int status = node_encode(buffer, &slot->node);
    if (status == RS_OK) {
        status = put(tree->txn, TABLE_TREE, tree_key_slice(&key),
                     (struct slice){buffer->data, buffer->size});
    }
    if (status == RS_OK) {
        slot->dirty = false;
    }
    return status;
}

static int write_back(struct tree *tree, struct cached_node *slot)
{
    return slot->dirty ? write_node(tree, slot, env_put) : RS_OK;
}

int node_flush(struct tree *tree)
{
    int status = RS_OK;
    for (unsigned i = 0; status == RS_OK && i < tree->cache->count; i++) {
        status = write_back(tree, &tree->cache->slots[i]);
    }
    return status;
}

/* The texts given may be those that the slot has: the new ones are built elsewhere, and the two
 * pieces of memory change places. */
static int set_texts(struct node_cache *cache, struct cached_node *slot, const char *name,
                     size_t name_len, const char *class_name, size_t class_len)
{
    cache->spare.size = 0;
    int status = buffer_reserve(&cache->spare, name_len + 1 + class_len + 1);
    if (status != RS_OK) {
        return status;
    }
    struct buffer texts = cache->spare;
    memcpy(texts.data, name, name_len);
    texts.data[name_len] = '\0';
    memcpy(texts.data + name_len + 1, class_name, class_len);
    texts.data[name_len + 1 + class_len] = '\0';
    cache->spare = slot->texts;
    slot->texts = texts;
    slot->node.name = texts.data;
    slot->node.name_len = name_len;
    slot->node.class_name = texts.data + name_len + 1;
    slot->node.class_len = class_len;
    return RS_OK;
}

/* Puts a node into its slot; whatever was there is written back first. */
static int fill_slot(struct tree *tree, struct cached_node *slot, const struct node *node)
{
    int status = write_back(tree, slot);
    if (status == RS_OK) {
        slot->node.id = 0;
        status = set_texts(tree->cache, slot, node->name, node->name_len, node->class_name,
                           node->class_len);
    }
    if (status == RS_OK) {
        struct node texts = slot->node;
        slot->node = *node;
        slot->node.name = texts.name;
        slot->node.class_name = texts.class_name;
    }
    return status;
}

static int read_node(struct tree *tree, rs_key id, struct node *node)
{
    struct tree_key key;
    struct slice record;
    tree_key_head(&key, id, TAG_SELF);
    int status = env_get(tree->txn, TABLE_TREE, tree_key_slice(&key), &record);
    if (status != RS_OK) {
        return status == RS_ENOTFOUND ? RS_EDELETED : status;
    }
    return node_decode(id, record, node);
}

static int load_slot(struct tree *tree, rs_key id, struct cached_node **out)
{
    struct cached_node *slot = slot_of(tree->cache, id);
    if (slot->node.id != id) {
        struct node node;
        slot = slot_to_fill(tree->cache, id);
        /* First write back, then read: writing moves what reading found. */
        int status = write_back(tree, slot);
        if (status == RS_OK) {
            status = read_node(tree, id, &node);
        }
        if (status == RS_OK) {
            status = fill_slot(tree, slot, &node);
        }
        if (status != RS_OK) {
            return status;
        }
    }
    *out = slot;
    return RS_OK;
}

int tree_node(struct tree *tree, rs_key key, struct node *node)
{
    if (key == RS_NO_KEY) {
        return RS_EINVAL;
    }
    if (tree->cache == NULL) {
        return read_node(tree, key, node);
    }
    struct cached_node *slot;
    int status = load_slot(tree, key, &slot);
    if (status == RS_OK) {
        *node = slot->node;
    }
    return status;
}

int node_edit(struct tree *tree, rs_key key, struct node **node)
{
    struct cached_node *slot;
    int status = load_slot(tree, key, &slot);
    if (status == RS_OK) {
        slot->dirty = true;
        *node = &slot->node;
    }
    return status;
}

int node_set_name(struct tree *tree, rs_key key, const char *name, size_t len)
{
    struct cached_node *slot;
    int status = load_slot(tree, key, &slot);
    if (status == RS_OK) {
        slot->dirty = true;
        status =
            set_texts(tree->cache, slot, name, len, slot->node.class_name, slot->node.class_len);
    }
    return status;
}

int node_set_class(struct tree *tree, rs_key key, const char *name, size_t len)
{
    struct cached_node *slot;
    int status = load_slot(tree, key, &slot);
    if (status == RS_OK) {
        slot->dirty = true;
        status = set_texts(tree->cache, slot, slot->node.name, slot->node.name_len, name, len);
    }
    return status;
}

int node_add(struct tree *tree, const struct node *node)
{
    struct cached_node *slot = slot_of(tree->cache, node->id);
    int status = fill_slot(tree, slot, node);
    if (status != RS_OK) {
        return status;
    }
    slot->dirty = true; /* until it is written */
    /* A new key is the last one of the table. If its record came later it would split the page that
     * its values filled in the meantime; the same record again only takes its own place. */
    return write_node(tree, slot, env_put_last);
}

int node_put(struct tree *tree, const struct node *node)
{
    struct cached_node *slot = slot_of(tree->cache, node->id);
    int status = fill_slot(tree, slot, node);
    if (status == RS_OK) {
        slot->dirty = true;
        status = write_back(tree, slot);
    }
    return status;
}

int node_remove(struct tree *tree, rs_key id)
{
    struct cached_node *slot = slot_of(tree->cache, id);
    if (slot->node.id == id) {
        slot->node.id = 0;
        slot->dirty = false;
    }
    struct tree_key key;
    tree_key_head(&key, id, TAG_SELF);
    return env_delete(tree->txn, TABLE_TREE, tree_key_slice(&key));
}
