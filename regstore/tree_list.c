#include <stdlib.h>
#include <string.h>

#include "tree_node.h"

struct tree_entry {
    uint64_t number;             /* of a subkey: its id; of a value: its position */
    const unsigned char *record; /* of a value, unless it was copied */
    size_t offset;               /* of the copy */
    size_t size;
};

/* A new entry, to be filled in. */
static int add_entry(struct tree_list *list, struct tree_entry **entry)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity > 0 ? list->capacity * 2 : 16;
        struct tree_entry *entries = realloc(list->entries, capacity * sizeof *entries);
        if (entries == NULL) {
            return RS_ENOMEM;
        }
        list->entries = entries;
        list->capacity = capacity;
    }
    *entry = &list->entries[list->count++];
    return RS_OK;
}

/* ---- Subkeys ---- */

struct named_key {
    const char *name;
    size_t len;
    rs_key id;
};

static int compare_named(const void *a, const void *b)
{
    const struct named_key *x = a;
    const struct named_key *y = b;
    return text_compare(x->name, x->len, y->name, y->len);
}

/* Long names lie in the table by prefix and hash; a run of them is put in order by the names
 * themselves. */
static int sort_run(struct tree_list *list, size_t first, size_t count)
{
    struct tree *tree = list->tree;
    struct named_key *names = calloc(count, sizeof *names);
    struct arena arena = ARENA_INIT;
    int status = names != NULL ? RS_OK : RS_ENOMEM;
    for (size_t i = 0; status == RS_OK && i < count; i++) {
        struct node node;
        status = subkey_node(tree, list->key, list->entries[first + i].number, &node);
        if (status == RS_OK) {
            const char *name = arena_copy(&arena, node.name, node.name_len);
            names[i] = (struct named_key){name, node.name_len, node.id};
            status = name != NULL ? RS_OK : RS_ENOMEM;
        }
    }
    if (status == RS_OK) {
        qsort(names, count, sizeof *names, compare_named);
        for (size_t i = 0; i < count; i++) {
            list->entries[first + i].number = names[i].id;
        }
    }
    arena_free(&arena);
    free(names);
    return status;
}

/* *run counts the long names at the end of the list so far. */
static int add_subkey(struct tree_list *list, struct slice key, struct slice record, size_t *run)
{
    struct subkey subkey;
    struct tree_entry *entry;
    bool is_long = tree_key_is_long(key);
    int status = subkey_decode(record, &subkey);
    if (status == RS_OK && !is_long && *run > 1) {
        status = sort_run(list, list->count - *run, *run); /* in a write transaction key may move */
    }
    if (status == RS_OK) {
        *run = is_long ? *run + 1 : 0;
        status = add_entry(list, &entry);
    }
    if (status == RS_OK) {
        *entry = (struct tree_entry){.number = subkey.id};
    }
    return status;
}

/* ---- Values ---- */

static int add_value(struct tree_list *list, struct slice record)
{
    struct tree_entry *entry;
    uint32_t position;
    size_t offset = list->copies.size;
    bool copied = list->tree->cache != NULL;
    int status = value_position(record, &position);
    if (status == RS_OK && copied) {
        status = buffer_append(&list->copies, record.data, record.size);
    }
    if (status == RS_OK) {
        status = add_entry(list, &entry);
    }
    if (status == RS_OK) {
        *entry = (struct tree_entry){position, copied ? NULL : record.data, offset, record.size};
    }
    return status;
}

static int compare_entries(const void *a, const void *b)
{
    uint64_t x = ((const struct tree_entry *)a)->number;
    uint64_t y = ((const struct tree_entry *)b)->number;
    return (x > y) - (x < y);
}

#define FEW 16u /* most keys have fewer values, and qsort() allocates */

static void sort_few(struct tree_entry *entries, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct tree_entry entry = entries[i];
        size_t at = i;
        while (at > 0 && entries[at - 1].number > entry.number) {
            entries[at] = entries[at - 1];
            at--;
        }
        entries[at] = entry;
    }
}

static void sort_entries(struct tree_list *list)
{
    if (list->count <= FEW) {
        sort_few(list->entries, list->count);
    } else {
        qsort(list->entries, list->count, sizeof *list->entries, compare_entries);
    }
}

/* ---- Both ---- */

/* A write transaction's cursor ends with each list, as changes move what it stands on. */
static int ready_cursor(struct tree *tree)
{
    int status = RS_OK;
    if (tree->cursor.mdb != NULL && tree->cursor_ready) {
        return RS_OK;
    }
    tree->at.size = 0;
    if (tree->cursor.mdb == NULL) {
        status = env_cursor_open(tree->txn, TABLE_TREE, &tree->cursor);
    } else {
        status = env_cursor_renew(tree->txn, &tree->cursor);
    }
    tree->cursor_ready = status == RS_OK;
    return status;
}

static int step(struct tree *tree)
{
    int status = env_cursor_next(&tree->cursor, &tree->at, &tree->at_record);
    if (status != RS_OK) {
        tree->at.size = 0;
    }
    return status;
}

/* Does the cursor stand on a record of the key that head is of? */
static bool is_at_key(const struct tree *tree, const struct tree_key *head)
{
    return tree->at.size >= TREE_KEY_HEAD && memcmp(tree->at.data, head->bytes, 8) == 0;
}

/* Does the cursor stand on a record of that key and with that tag? */
static bool is_below(const struct tree *tree, const struct tree_key *head)
{
    return is_at_key(tree, head) && ((const unsigned char *)tree->at.data)[8] == head->bytes[8];
}

/* How many keys were made between the one that the cursor stands at and that of head. */
static uint64_t distance(const struct tree *tree, const struct tree_key *head)
{
    uint64_t here;
    uint64_t there;
    memcpy(&here, tree->at.data, sizeof here);
    memcpy(&there, head->bytes, sizeof there);
    return be64toh(there) - be64toh(here);
}

/* Before the head, at a record of the same key or of the one that was made before it. */
static bool is_near(const struct tree *tree, const struct tree_key *head)
{
    if (tree->at.size < TREE_KEY_HEAD) {
        return false;
    }
    const uint64_t keys = distance(tree, head);
    return keys == 1 || (keys == 0 && ((const unsigned char *)tree->at.data)[8] < head->bytes[8]);
}

static bool is_at(const struct tree *tree, const struct tree_key *head)
{
    return tree->at.size == head->size && memcmp(tree->at.data, head->bytes, TREE_KEY_HEAD) == 0;
}

#define NEAR 4u /* steps that are cheaper than a search */

/* Moves the cursor to the first record whose key is not below head. One list ends where the records
 * of the next key in the table begin, which is often listed next, as keys are looked at in the
 * order in which they were made: then a few steps lead there. */
static int move_to(struct tree *tree, const struct tree_key *head)
{
    int status = RS_OK;
    unsigned steps = 0;
    bool near = is_near(tree, head);
    if (is_at(tree, head)) {
        return RS_OK;
    }
    while (near && status == RS_OK && steps++ < NEAR) {
        status = step(tree);
        if (status != RS_OK || !is_near(tree, head)) {
            return status;
        }
    }
    status = env_cursor_seek(&tree->cursor, tree_key_slice(head), &tree->at, &tree->at_record);
    if (status != RS_OK) {
        tree->at.size = 0;
    }
    return status;
}

/* A key's own record, found with the cursor: its subkeys and values stand behind it, and what is
 * listed next is often on the same page. In a write transaction it may only be in the cache. */
static int find_node(struct tree *tree, rs_key key, struct node *node)
{
    struct tree_key self;
    if (tree->cache != NULL || key == RS_NO_KEY) {
        return tree_node(tree, key, node);
    }
    tree_key_head(&self, key, TAG_SELF);
    int status = move_to(tree, &self);
    if (status == RS_OK && is_at(tree, &self)) {
        return node_decode(key, tree->at_record, node);
    }
    return status == RS_OK || status == RS_END ? RS_EDELETED : status;
}

/* *known if a record of the key was seen on the way, so that it is there. */
static int collect(struct tree_list *list, rs_key key, enum tree_tag tag, bool *known)
{
    struct tree *tree = list->tree;
    struct tree_key head;
    size_t run = 0;
    tree_key_head(&head, key, tag);
    *known = is_at_key(tree, &head);
    int status = move_to(tree, &head);
    while (status == RS_OK && is_below(tree, &head)) {
        *known = true;
        status = tag == TAG_SUBKEY ? add_subkey(list, tree->at, tree->at_record, &run)
                                   : add_value(list, tree->at_record);
        if (status == RS_OK) {
            status = step(tree);
        }
    }
    if (status != RS_OK && status != RS_END) {
        return status;
    }
    return run > 1 ? sort_run(list, list->count - run, run) : RS_OK;
}

static int begin_list(struct tree_list *list, struct tree *tree, rs_key key, enum tree_tag tag)
{
    struct node node;
    bool known = false;
    list->tree = tree;
    list->key = key;
    list->count = 0;
    list->next = 0;
    list->copies.size = 0;
    int status = ready_cursor(tree);
    if (status == RS_OK && tree->txn->write) {
        status = tree_node(tree, key, &node);
    }
    if (status == RS_OK) {
        status = collect(list, key, tag, &known);
    }
    if (status == RS_OK && !known && !tree->txn->write) {
        status = find_node(tree, key, &node);
    }
    if (tree->txn->write) {
        env_cursor_close(&tree->cursor);
    }
    return status == RS_OK ? RS_OK : fail(tree->error, status, "%s", rs_strerror(status));
}

int tree_list_subkeys(struct tree_list *list, struct tree *tree, rs_key key)
{
    return begin_list(list, tree, key, TAG_SUBKEY);
}

int tree_list_values(struct tree_list *list, struct tree *tree, rs_key key)
{
    int status = begin_list(list, tree, key, TAG_VALUE);
    if (status == RS_OK) {
        sort_entries(list);
    }
    return status;
}

int tree_list_next_key(struct tree_list *list, struct node *node)
{
    while (list->next < list->count) {
        int status = find_node(list->tree, list->entries[list->next++].number, node);
        if (status == RS_OK && node->parent != list->key) {
            return RS_EDAMAGED; /* see subkey_node() */
        }
        if (status != RS_EDELETED) {
            return status;
        }
    }
    return RS_END;
}

int tree_list_next_value(struct tree_list *list, rs_value *value)
{
    if (list->next == list->count) {
        return RS_END;
    }
    const struct tree_entry *entry = &list->entries[list->next++];
    const void *data =
        entry->record != NULL ? (const void *)entry->record : list->copies.data + entry->offset;
    struct value_record record;
    int status = value_decode((struct slice){data, entry->size}, &record);
    if (status == RS_OK) {
        *value = record.value;
    }
    return status;
}

void tree_list_free(struct tree_list *list)
{
    free(list->entries);
    buffer_free(&list->copies);
    *list = (struct tree_list){0};
}
