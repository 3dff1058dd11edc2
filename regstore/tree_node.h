/*
 * tree_node.h - the records of the tree table, inside the tree.
 *
 * Gives the keys and records of the table, finding an entry by its name, and key records that can
 * be edited: in a write transaction they are kept in a small write-back cache. Needs env, record. A
 * part of tree.
 */
#ifndef REGSTORE_TREE_NODE_H
#define REGSTORE_TREE_NODE_H

#include "tree.h"

enum tree_tag { TAG_SELF = 0, TAG_SUBKEY = 1, TAG_VALUE = 2 };

/* Bytes of a folded name that are kept as they are; longer ones get 0xff, hash and counter after so
 * many. */
#define TREE_NAME_PREFIX 480u
#define TREE_KEY_HEAD 9u /* id, tag */
#define TREE_KEY_MAX (TREE_KEY_HEAD + TREE_NAME_PREFIX + 1 + 8 + 1)

struct tree_key {
    unsigned char bytes[TREE_KEY_MAX];
    size_t size;
};

static inline struct slice tree_key_slice(const struct tree_key *key)
{
    return (struct slice){key->bytes, key->size};
}

/* A key of id and tag alone: of a key's own record, and what the keys of its subkeys or values
 * begin with. */
static inline void tree_key_head(struct tree_key *key, rs_key id, enum tree_tag tag)
{
    env_put_be64(key->bytes, id);
    key->bytes[8] = (unsigned char)tag;
    key->size = TREE_KEY_HEAD;
}
/* Does a key found begin with head? */
bool tree_key_matches(const struct tree_key *head, struct slice found);
/* Is this the table's key of a name longer than TREE_NAME_PREFIX? */
bool tree_key_is_long(struct slice key);

/*
 * Finds the subkey or value of a name. RS_OK: *key is its key in the table, *found its record.
 * RS_ENOTFOUND: *key is a free key to store it under. RS_ETEXT, RS_ETOOLONG (more than max_units).
 */
int tree_find(struct tree *tree, rs_key id, enum tree_tag tag, const char *name, size_t len,
              size_t max_units, struct tree_key *key, struct slice *found);

/* The record of a key; texts point into it. */
int node_decode(rs_key id, struct slice record, struct node *node);

/* The record of a subkey: id and flags. */
struct subkey {
    rs_key id;
    unsigned flags; /* RS_KEY_LINK */
};
int subkey_decode(struct slice record, struct subkey *subkey);
/* The node of a key's subkey. RS_EDAMAGED if it is another key's: whoever goes down the tree must
 * come to an end, whatever the records say. */
int subkey_node(struct tree *tree, rs_key parent, rs_key id, struct node *node);
int subkey_put(struct tree *tree, const struct tree_key *key, const struct subkey *subkey);

/* The record of a value. */
struct value_record {
    uint32_t position;
    rs_value value;
};
#define VALUE_RECORD_HEAD 12u                              /* position, type, length of the name */
#define VALUE_RECORD_FRAME (VALUE_RECORD_HEAD + 1 + 4 + 1) /* all but name and data */
/* Inline, as for each value that is read or listed its fields then go where they are wanted without
 * being stored and loaded on the way. For the same reason it is not read piece by piece: name and
 * data have to fill the record exactly, so two comparisons check all lengths. */
static inline int value_decode(struct slice record, struct value_record *value)
{
    if (record.size < VALUE_RECORD_FRAME) {
        return RS_EDAMAGED;
    }
    const unsigned char *head = record.data;
    const unsigned char *name = head + VALUE_RECORD_HEAD;
    size_t texts = record.size - VALUE_RECORD_FRAME;
    size_t name_len = record_load_u32(head + 8);
    if (name_len > texts) {
        return RS_EDAMAGED;
    }
    const unsigned char *data = name + name_len + 1 + 4;
    size_t size = record_load_u32(data - 4);
    if (size != texts - name_len || name[name_len] != 0 || data[size] != 0) {
        return RS_EDAMAGED;
    }
    value->position = record_load_u32(head);
    value->value = (rs_value){.name = (const char *)name,
                              .name_len = name_len,
                              .type = record_load_u32(head + 4),
                              .data = data,
                              .size = size};
    return RS_OK;
}
/* The position alone; the rest is not looked at. */
int value_position(struct slice record, uint32_t *position);
/* Builds the record in tree->record. */
int value_encode(struct tree *tree, const struct value_record *value);
/* What of the record comes before the data; after the data comes a NUL. */
int value_encode_head(struct tree *tree, const struct value_record *value);

/* The cache: made for a write transaction. */
int node_cache_new(struct node_cache **cache);
void node_cache_free(struct node_cache *cache);
int node_flush(struct tree *tree);
/* A key's record to be changed in place; it is written back later. The pointer lives until the next
 * node_edit() or tree_node(): never hold two. Texts have calls of their own. */
int node_edit(struct tree *tree, rs_key key, struct node **node);
int node_set_name(struct tree *tree, rs_key key, const char *name, size_t len);
int node_set_class(struct tree *tree, rs_key key, const char *name, size_t len);
/* A new record. */
int node_add(struct tree *tree, const struct node *node);
/* Removes a record. */
int node_remove(struct tree *tree, rs_key key);

/* A copy of a node in the arena, which later changes do not move; a failure is described. */
int node_keep(struct tree *tree, rs_key key, struct node *node);

/* Marks the transaction as unusable when status says that a change was cut off in the middle; gives
 * status back. */
int tree_fail(struct tree *tree, int status, const char *what);

/* ---- Telling changes (tree_change.c) ---- */

/* Would a change of this key, in this parent, be told? What happens inside a key that this
 * transaction made is not. */
bool change_wanted(const struct tree *tree, rs_key key);
/* Fills key, parent, path and times of a change from the node; the path is built in tree->path. */
int change_begin(struct tree *tree, const struct node *node, enum rs_change_kind kind,
                 struct change *change);
int change_tell(struct tree *tree, const struct change *change);
/* Tells that a key was made, whose parent has this write time now. */
int change_tell_created(struct tree *tree, const struct node *node, uint64_t parent_written);
struct change_side change_side_of_value(const struct value_record *value);
struct change_side change_side_of_node(const struct node *node);

/* ---- Changes with the times that they leave behind, for tree and tree_restore ---- */

/* A change of one value: both sides, NULL where there is none. */
struct value_change {
    rs_key key;
    const struct value_record *before;
    const struct value_record *after;
    uint32_t next_before; /* the next place that the key gives */
    uint32_t next_after;
    uint64_t written; /* of the key, after it */
};
/* Tells and stores it; entry is the table's key of the value. begun is a change of the key whose
 * path and times are there already, as change_begin() leaves it. */
int tree_value_change(struct tree *tree, struct change *begun, const struct value_change *change,
                      const struct tree_key *entry);
/* These take a node from node_keep(). */
int tree_delete_at(struct tree *tree, const struct node *node, uint64_t parent_written);
struct rename {
    const char *name;
    size_t len;
    const struct tree_key *entry; /* of the new name, which is free */
    uint64_t written;
    uint64_t parent_written;
};
int tree_rename_to(struct tree *tree, const struct node *node, const struct rename *rename);
int tree_set_class_at(struct tree *tree, const struct node *node, const char *class_name,
                      size_t len, uint64_t written);
/* A record among those of other keys, where node_add() expects to be at the end. */
int node_put(struct tree *tree, const struct node *node);

#endif
