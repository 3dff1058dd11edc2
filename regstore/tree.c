#include <string.h>

#include "tree_node.h"
#include "tree_paths.h"

/* ---- Begin and end ---- */

void tree_begin_read(struct tree *tree, struct env_txn *txn, struct arena *arena)
{
    tree->txn = txn;
    tree->arena = arena;
    tree->error = NULL;
    tree->cursor_ready = false;
}

int tree_begin_write(struct tree *tree, struct env_txn *txn, struct arena *arena,
                     const struct tree_state *state, struct change_sink *sink, uint64_t now)
{
    *tree = (struct tree){.txn = txn,
                          .arena = arena,
                          .sink = sink,
                          .state = *state,
                          .first_new_id = state->next_id,
                          .now = now,
                          .moved = sink == NULL}; /* nobody is told */
    return node_cache_new(&tree->cache);
}

int tree_flush(struct tree *tree)
{
    if (tree->failed != RS_OK) {
        return fail(tree->error, tree->failed, "an earlier change of this transaction failed: %s",
                    rs_strerror(tree->failed));
    }
    return tree_fail(tree, node_flush(tree), "cannot write");
}

void tree_end(struct tree *tree)
{
    node_cache_free(tree->cache);
    buffer_free(&tree->path);
    buffer_free(&tree->record);
    tree_paths_free(tree->paths);
    env_cursor_close(&tree->cursor);
    tree->cache = NULL;
    tree->paths = NULL;
}

int tree_create_roots(struct tree *tree)
{
    size_t count;
    const struct path_root *roots = path_roots(&count);
    for (size_t i = 0; i < count; i++) {
        if (roots[i].stored != roots[i].key) {
            continue;
        }
        struct node node = {
            .id = roots[i].key,
            .written = tree->now,
            .name = roots[i].name,
            .name_len = strlen(roots[i].name),
            .class_name = "",
        };
        int status = node_add(tree, &node);
        if (status != RS_OK) {
            return status;
        }
        if (tree->state.next_id <= node.id) {
            tree->state.next_id = node.id + 1;
        }
    }
    return RS_OK;
}

int tree_writable(struct tree *tree)
{
    if (env_forked(tree->txn->env)) {
        return fail(tree->error, RS_EFORK, "%s", rs_strerror(RS_EFORK));
    }
    if (tree->cache == NULL) {
        return fail(tree->error, RS_EREADONLY, "the transaction is read-only");
    }
    if (tree->failed != RS_OK) {
        return fail(tree->error, tree->failed, "an earlier change of this transaction failed: %s",
                    rs_strerror(tree->failed));
    }
    return RS_OK;
}

int tree_fail(struct tree *tree, int status, const char *what)
{
    if (status != RS_OK) {
        tree->failed = status;
        fail(tree->error, status, "%s: %s", what, rs_strerror(status));
    }
    return status;
}

/* ---- Paths ---- */

static int collect_ancestors(struct tree *tree, rs_key key, rs_key *ids, size_t *count)
{
    size_t n = 0;
    while (key != RS_NO_KEY) {
        struct node node;
        if (n > RS_MAX_DEPTH) {
            return RS_EDAMAGED;
        }
        int status = tree_node(tree, key, &node);
        if (status != RS_OK) {
            return n > 0 && status == RS_EDELETED ? RS_EDAMAGED : status;
        }
        ids[n++] = key;
        key = node.parent;
    }
    *count = n;
    return RS_OK;
}

/* Appends the names from the key up to its root, and gives their lengths. Each is copied as soon as
 * it is found: reading the next one may move it. */
static int climb(struct tree *tree, rs_key key, struct buffer *names, size_t *lens, size_t *count)
{
    size_t n = 0;
    while (key != RS_NO_KEY) {
        struct node node;
        if (n > RS_MAX_DEPTH) {
            return RS_EDAMAGED;
        }
        int status = tree_node(tree, key, &node);
        if (status != RS_OK) {
            return n > 0 && status == RS_EDELETED ? RS_EDAMAGED : status;
        }
        status = buffer_append(names, node.name, node.name_len);
        if (status != RS_OK) {
            return status;
        }
        lens[n++] = node.name_len;
        key = node.parent;
    }
    *count = n;
    return RS_OK;
}

/* The path is put together behind the names, and then takes their place. */
int tree_path(struct tree *tree, rs_key key, struct buffer *path)
{
    size_t lens[RS_MAX_DEPTH + 1];
    size_t count = 0;
    const size_t start = path->size;
    int status = climb(tree, key, path, lens, &count);
    const size_t end = path->size;
    if (status == RS_OK) {
        status = buffer_reserve(path, end - start + count + 1);
    }
    path->size = start;
    if (status != RS_OK) {
        return status;
    }
    const char *name = path->data + end;
    char *at = path->data + end;
    while (count > 0) {
        name -= lens[--count];
        memcpy(at, name, lens[count]);
        at += lens[count];
        *at++ = count > 0 ? '\\' : '\0';
    }
    path->size += (size_t)(at - (path->data + end)) - 1;
    memmove(path->data + start, path->data + end, path->size - start + 1);
    return RS_OK;
}

/* Names between the key and its root. */
static int depth_of(struct tree *tree, rs_key key, size_t *depth)
{
    rs_key ids[RS_MAX_DEPTH + 1];
    size_t count = 0;
    int status = collect_ancestors(tree, key, ids, &count);
    *depth = count - 1;
    return status;
}

int tree_child(struct tree *tree, rs_key key, const char *name, size_t len, rs_key *child,
               bool *link)
{
    struct tree_key entry;
    struct slice found;
    struct subkey subkey;
    int status = tree_find(tree, key, TAG_SUBKEY, name, len, RS_MAX_KEY_NAME, &entry, &found);
    if (status == RS_OK) {
        status = subkey_decode(found, &subkey);
    }
    if (status != RS_OK) {
        return status;
    }
    *child = subkey.id;
    if (link != NULL) {
        *link = (subkey.flags & RS_KEY_LINK) != 0;
    }
    return RS_OK;
}

static int fail_depth(struct tree *tree)
{
    return fail(tree->error, RS_EDEPTH, "more than %d keys in each other", RS_MAX_DEPTH);
}

/* ---- Walking ---- */

struct walk {
    struct tree *tree;
    unsigned flags; /* RS_NOFOLLOW, RS_VOLATILE */
    bool create;
    bool created;        /* the last key was made */
    unsigned links_left; /* that may still be followed */
    size_t after; /* names that will follow the path being walked: it is a link's or a view's */
    uint64_t snapshot; /* of a read transaction; else 0 */
};

static int walk_rooted(struct walk *walk, const char *path, size_t len, rs_key *key);

/* The names that are left, which are well-formed then. */
static int count_names(struct path_iter names, size_t *count, rs_error *error)
{
    const char *name;
    size_t len;
    int status;
    *count = 0;
    while ((status = path_next(&names, &name, &len, error)) == RS_OK) {
        ++*count;
    }
    return status == RS_END ? RS_OK : status;
}

/* As NT does: the walk starts again with the link's target. left names come after it. */
static int follow(struct walk *walk, rs_key link, size_t left, rs_key *key)
{
    struct tree *tree = walk->tree;
    if (walk->links_left == 0) {
        return fail(tree->error, RS_ELOOP, "too many symbolic links, or a loop of them");
    }
    walk->links_left--;
    struct buffer target = BUFFER_INIT;
    int status = tree_link_target(tree, link, &target);
    if (status == RS_OK) {
        unsigned flags = walk->flags;
        walk->flags &= left > 0 ? 0 : ~RS_NOFOLLOW;
        walk->after += left;
        status = walk_rooted(walk, target.data, target.size, key);
        walk->after -= left;
        walk->flags = flags;
    }
    if (status == RS_ENOTFOUND) {
        fail(tree->error, status, "a symbolic link points to %.*s, which does not exist",
             (int)target.size, target.data);
    }
    buffer_free(&target);
    return status;
}

static int fail_missing(struct tree *tree, rs_key base, const char *name, size_t len)
{
    struct node node;
    int status = tree_node(tree, base, &node);
    if (status != RS_OK) {
        return fail(tree->error, status, "%s", rs_strerror(status));
    }
    return fail(tree->error, RS_ENOTFOUND, "no key %.*s in %.*s", (int)len, name,
                (int)node.name_len, node.name);
}

/* Keys that are gone through are remembered; a link, which has to be followed, is not. */
static int go_through(struct walk *walk, rs_key base, const char *name, size_t len, rs_key *key,
                      bool *link)
{
    struct tree *tree = walk->tree;
    struct tree_path_query query = {walk->snapshot, base, name, len, TREE_PATH_STEP, 0};
    if (tree_paths_find(tree->paths, &query, key)) {
        return RS_OK;
    }
    int status = tree_child(tree, base, name, len, key, link);
    if (status == RS_OK && !*link) {
        tree_paths_keep(&tree->paths, &query, *key);
    }
    return status;
}

/* left names come after this one. */
static int step(struct walk *walk, rs_key base, const char *name, size_t len, size_t left,
                rs_key *key)
{
    struct tree *tree = walk->tree;
    bool last = left == 0;
    bool link = false;
    int status = last || walk->snapshot == 0 ? tree_child(tree, base, name, len, key, &link)
                                             : go_through(walk, base, name, len, key, &link);
    if (status == RS_ENOTFOUND && walk->create) {
        unsigned flags = last ? walk->flags & RS_VOLATILE : 0;
        return tree_create_child(tree, base, name, len, flags, key, &walk->created);
    }
    walk->created = false;
    if (status == RS_ENOTFOUND) {
        return fail_missing(tree, base, name, len);
    }
    if (status != RS_OK) {
        return fail(tree->error, status, "%.*s: %s", (int)len, name, rs_strerror(status));
    }
    if (link && !(last && (walk->flags & RS_NOFOLLOW))) {
        return follow(walk, *key, left, key);
    }
    return RS_OK;
}

/* Before the first key of a path is made: is there room for all that will be made below base? */
static int check_depth(struct walk *walk, rs_key base, size_t names)
{
    size_t depth;
    int status = depth_of(walk->tree, base, &depth);
    if (status == RS_OK && depth + names + walk->after > RS_MAX_DEPTH) {
        status = fail_depth(walk->tree);
    }
    return status;
}

/* left names are to be walked. */
static int walk_from(struct walk *walk, rs_key base, struct path_iter *names, size_t left,
                     rs_key *key)
{
    rs_error *error = walk->tree->error;
    const char *name;
    size_t len;
    bool making = false;
    int status = RS_OK;
    *key = base;
    while (status == RS_OK && (status = path_next(names, &name, &len, error)) == RS_OK) {
        if (walk->create && !making &&
            tree_child(walk->tree, *key, name, len, &(rs_key){0}, NULL) == RS_ENOTFOUND) {
            making = true;
            status = check_depth(walk, *key, left);
        }
        left--;
        if (status == RS_OK) {
            status = step(walk, *key, name, len, left, key);
        }
    }
    return status == RS_END ? RS_OK : status;
}

/* A root key: where a view lies is walked first. left names come after it. */
static int walk_root(struct walk *walk, const struct path_root *root, size_t left, rs_key *key)
{
    if (root->stored == root->key) {
        *key = root->key;
        return RS_OK;
    }
    struct buffer view = BUFFER_INIT;
    struct path_iter names;
    size_t count = 0;
    int status = path_view(root, &view);
    if (status == RS_OK) {
        path_begin(&names, view.data, view.size);
        status = count_names(names, &count, walk->tree->error);
    }
    if (status == RS_OK) {
        unsigned flags = walk->flags;
        walk->flags = 0;
        walk->after += left;
        status = walk_from(walk, root->stored, &names, count, key);
        walk->after -= left;
        walk->flags = flags;
    }
    buffer_free(&view);
    return status;
}

static int walk_rooted(struct walk *walk, const char *path, size_t len, rs_key *key)
{
    const struct path_root *root;
    struct path_iter names;
    size_t left = 0;
    int status = path_begin_rooted(&names, path, len, &root, walk->tree->error);
    if (status == RS_OK) {
        status = count_names(names, &left, walk->tree->error);
    }
    if (status == RS_OK) {
        status = walk_root(walk, root, left, key);
    }
    return status == RS_OK ? walk_from(walk, *key, &names, left, key) : status;
}

static int walk_path(struct walk *walk, rs_key base, const char *path, size_t len, rs_key *key)
{
    if (base == RS_NO_KEY) {
        return walk_rooted(walk, path, len, key);
    }
    const struct path_root *root = path_root_by_key(base);
    struct path_iter names;
    size_t left;
    path_begin(&names, path, len);
    int status = count_names(names, &left, walk->tree->error);
    if (status == RS_OK && root != NULL) {
        status = walk_root(walk, root, left, &base);
    }
    if (status == RS_OK) {
        status = walk_from(walk, base, &names, left, key);
    }
    if (status == RS_OK && *key == base) {
        struct node node; /* nobody has looked yet whether it exists */
        status = tree_node(walk->tree, base, &node);
    }
    return status;
}

int tree_open(struct tree *tree, rs_key base, const char *path, size_t len, unsigned flags,
              rs_key *key)
{
    struct walk walk = {.tree = tree, .flags = flags, .links_left = TREE_MAX_LINKS};
    struct tree_path_query query = {0, base, path, len, flags, 0};
    bool reading = !tree->txn->write;
    rs_key found;
    if (reading) {
        query.snapshot = env_txn_number(tree->txn);
        walk.snapshot = query.snapshot;
        if (tree_paths_find(tree->paths, &query, key)) {
            return RS_OK;
        }
    }
    int status = walk_path(&walk, base, path, len, &found);
    if (status != RS_OK) {
        return fail(tree->error, status, "%s", rs_strerror(status));
    }
    if (reading) {
        tree_paths_keep(&tree->paths, &query, found);
    }
    *key = found;
    return RS_OK;
}

/* ---- Creating ---- */

/* All names of a path, before the first of them is made. */
static int check_names(struct tree *tree, struct path_iter *names)
{
    const char *name;
    size_t len;
    int status;
    while ((status = path_next(names, &name, &len, tree->error)) == RS_OK) {
        status = path_check_name(name, len, tree->error);
        if (status != RS_OK) {
            return status;
        }
    }
    return status == RS_END ? RS_OK : status;
}

static int check_path(struct tree *tree, rs_key base, const char *path, size_t len)
{
    struct path_iter names;
    const struct path_root *root;
    int status = RS_OK;
    if (base == RS_NO_KEY) {
        status = path_begin_rooted(&names, path, len, &root, tree->error);
    } else {
        path_begin(&names, path, len);
    }
    return status == RS_OK ? check_names(tree, &names) : status;
}

int tree_create(struct tree *tree, rs_key base, const char *path, size_t len, unsigned flags,
                rs_key *key, bool *created)
{
    int status = tree_writable(tree);
    if (status == RS_OK) {
        status = check_path(tree, base, path, len);
    }
    if (status != RS_OK) {
        return status;
    }
    struct walk walk = {.tree = tree, .flags = flags, .create = true, .links_left = TREE_MAX_LINKS};
    rs_key found;
    status = walk_path(&walk, base, path, len, &found);
    if (status != RS_OK) {
        return fail(tree->error, status, "%s", rs_strerror(status));
    }
    *key = found;
    if (created != NULL) {
        *created = walk.created;
    }
    return RS_OK;
}

static int add_child(struct tree *tree, rs_key parent_id, const struct tree_key *entry,
                     struct node *node)
{
    struct node *parent;
    int status = node_edit(tree, parent_id, &parent);
    if (status == RS_OK) {
        parent->subkeys++;
        status = subkey_put(tree, entry, &(struct subkey){node->id, 0});
    }
    if (status == RS_OK) {
        status = node_add(tree, node);
    }
    if (status == RS_OK) {
        tree->state.next_id++;
        tree->state.keys++;
        status = change_tell_created(tree, node, tree->now);
    }
    if (status == RS_OK) {
        status = node_edit(tree, parent_id, &parent);
    }
    if (status == RS_OK) {
        parent->written = tree->now;
    }
    return tree_fail(tree, status, "cannot make a key");
}

int tree_create_child(struct tree *tree, rs_key key, const char *name, size_t len, unsigned flags,
                      rs_key *child, bool *created)
{
    struct tree_key entry;
    struct slice found;
    struct subkey subkey;
    size_t depth = 0;
    int status = tree_writable(tree);
    if (status == RS_OK) {
        status = path_check_name(name, len, tree->error);
    }
    if (status == RS_OK) {
        status = depth_of(tree, key, &depth);
    }
    if (status == RS_OK) {
        status = tree_find(tree, key, TAG_SUBKEY, name, len, RS_MAX_KEY_NAME, &entry, &found);
    }
    if (status == RS_OK) {
        status = subkey_decode(found, &subkey);
        *child = subkey.id;
        *created = false;
        return status;
    }
    if (status != RS_ENOTFOUND) {
        return fail(tree->error, status, "%.*s: %s", (int)len, name, rs_strerror(status));
    }
    if (depth >= RS_MAX_DEPTH) {
        return fail_depth(tree);
    }
    struct node node = {
        .id = tree->state.next_id,
        .parent = key,
        .written = tree->now,
        .flags = flags & RS_VOLATILE ? RS_KEY_VOLATILE : 0,
        .name = name,
        .name_len = len,
        .class_name = "",
    };
    status = add_child(tree, key, &entry, &node);
    if (status == RS_OK) {
        *child = node.id;
        *created = true;
    }
    return status;
}
