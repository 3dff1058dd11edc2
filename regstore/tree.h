/*
 * tree.h - keys, values and links on a transaction.
 *
 * Gives the registry's semantics over one table of records, and hands every change to a sink. Needs
 * env, path, value, record; knows nothing of journals, bells and revisions.
 *
 * The table is keyed by (key id, tag, folded name): a key's own record, its subkeys (name -> id)
 * and its values stand side by side. Ids are given in order of creation and never again. LMDB's
 * keys end at 511 bytes, so a folded name longer than TREE_NAME_PREFIX is stored as that prefix, a
 * byte 0xff that no folded name holds, a hash and a counter; the full name, which is in the record,
 * decides.
 *
 * Write transactions keep the key records they change in a small write-back cache (tree_node.c),
 * because each value that is set changes its key's record, too.
 */
#ifndef REGSTORE_TREE_H
#define REGSTORE_TREE_H

#include "change.h"
#include "env.h"
#include "path.h"
#include "record.h"

struct node_cache;
struct tree_paths;

/* What the tree counts and numbers; part of the store's state record. */
struct tree_state {
    uint64_t next_id;
    uint64_t keys; /* without roots */
    uint64_t values;
};

/* One transaction's view of the tree. Embedded in its owner, who keeps txn, arena and sink alive.
 */
struct tree {
    struct env_txn *txn;
    struct arena *arena;      /* what is handed out lives here, if not in the map */
    rs_error *error;          /* where failures are described; may be NULL */
    struct change_sink *sink; /* NULL: changes go nowhere */
    struct tree_state state;  /* of write transactions only */
    uint64_t first_new_id;    /* keys from here on were created by this transaction */
    uint64_t now;             /* FILETIME given to what this transaction changes */
    struct node_cache *cache; /* of write transactions, NULL in others */
    /* Of read transactions, kept from one to the next. */
    struct tree_paths *paths;
    struct env_cursor cursor; /* of lists: neighbours are found without a descent */
    bool cursor_ready;        /* it is in this snapshot */
    struct slice at;          /* the key and the record it stands on; size 0 if on none */
    struct slice at_record;
    struct buffer path; /* scratch of one change */
    struct buffer record;
    int failed; /* the status of the failure that left the transaction unusable, else RS_OK */
    bool moved; /* the transaction changed a key, or something in HKRS; not only others' values */
};

/* Starts a view on a read transaction, in a tree that is zero or was used for one; tree_end()
 * releases its memory. */
void tree_begin_read(struct tree *tree, struct env_txn *txn, struct arena *arena);
/* Starts a view on a write transaction, which state belongs to; tree_end() releases its memory. */
int tree_begin_write(struct tree *tree, struct env_txn *txn, struct arena *arena,
                     const struct tree_state *state, struct change_sink *sink, uint64_t now);
/* Writes back what is cached. To be called before the commit. */
int tree_flush(struct tree *tree);
void tree_end(struct tree *tree);
/* RS_OK if the transaction can change things; else described. */
int tree_writable(struct tree *tree);
/* Makes the root keys in a new store. */
int tree_create_roots(struct tree *tree);

/* A key's own record, decoded. Texts point into the map or the cache: they live until the next
 * change. */
struct node {
    rs_key id;
    rs_key parent;
    uint64_t written;
    uint32_t flags;
    uint32_t subkeys;
    uint32_t values;
    uint32_t next_position;
    const char *name;
    size_t name_len;
    const char *class_name;
    size_t class_len;
};

/* The node of a key. RS_EDELETED if there is none. */
int tree_node(struct tree *tree, rs_key key, struct node *node);

/* Paths: base may be RS_NO_KEY, a view or any key; flags RS_NOFOLLOW. len is real, not RS_NTS, in
 * all of this header. */
int tree_open(struct tree *tree, rs_key base, const char *path, size_t len, unsigned flags,
              rs_key *key);
/* The subkey of that name, links not followed. RS_ENOTFOUND. *link (may be NULL) tells whether it
 * is a link. */
int tree_child(struct tree *tree, rs_key key, const char *name, size_t len, rs_key *child,
               bool *link);
/* flags RS_NOFOLLOW, RS_VOLATILE. */
int tree_create(struct tree *tree, rs_key base, const char *path, size_t len, unsigned flags,
                rs_key *key, bool *created);
/* One subkey with that name, made if it is not there; a link is given itself. */
int tree_create_child(struct tree *tree, rs_key key, const char *name, size_t len, unsigned flags,
                      rs_key *child, bool *created);
int tree_delete(struct tree *tree, rs_key key, bool recursive);
int tree_rename(struct tree *tree, rs_key key, const char *name, size_t len);
int tree_set_class(struct tree *tree, rs_key key, const char *name, size_t len);
/* Sets the last write time; for imports. */
int tree_set_written(struct tree *tree, rs_key key, uint64_t written);
/* The canonical path appended to a buffer. */
int tree_path(struct tree *tree, rs_key key, struct buffer *path);

int tree_value_get(struct tree *tree, rs_key key, const char *name, size_t len, rs_value *value);
int tree_value_set(struct tree *tree, rs_key key, const char *name, size_t len, uint32_t type,
                   const void *data, size_t size);
/* Sets a value that is not there; RS_EEXIST, not described, if there is one of that name. */
int tree_value_add(struct tree *tree, rs_key key, const rs_value *value);
int tree_value_delete(struct tree *tree, rs_key key, const char *name, size_t len);

/* Links. The target is a rooted path. */
int tree_link_create(struct tree *tree, rs_key base, const char *path, size_t len,
                     const char *target, size_t target_len, unsigned flags, rs_key *key);
/* The target appended to a buffer as a rooted path. RS_ENOTFOUND if the key is no link. */
int tree_link_target(struct tree *tree, rs_key key, struct buffer *target);
#define TREE_LINK_VALUE "SymbolicLinkValue"
#define TREE_LINK_VALUE_LEN (sizeof TREE_LINK_VALUE - 1)
#define TREE_MAX_LINKS 32 /* followed in one path */

/* A list of a key's subkeys (by folded name) or values (by position), taken when it is begun; it
 * may be begun again and reuses its memory. In a write transaction the values' data is copied.
 * Start with {0}. */
struct tree_list {
    struct tree *tree;
    rs_key key;
    struct tree_entry *entries;
    size_t count;
    size_t capacity;
    size_t next;
    struct buffer copies; /* of records, in a write transaction */
};
int tree_list_subkeys(struct tree_list *list, struct tree *tree, rs_key key);
int tree_list_values(struct tree_list *list, struct tree *tree, rs_key key);
/* RS_END after the last. The node's texts live until the next change or step. */
int tree_list_next_key(struct tree_list *list, struct node *node);
int tree_list_next_value(struct tree_list *list, rs_value *value);
void tree_list_free(struct tree_list *list);

#endif
