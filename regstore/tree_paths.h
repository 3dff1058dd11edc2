/*
 * tree_paths.h - what the paths of one snapshot lead to.
 *
 * Gives a small table of (base key, path) -> key. An entry counts only in the snapshot in which the
 * path was walked: whatever a rename, a delete or a link changes, it changes in another snapshot,
 * so nothing is ever invalidated and nobody has to tell. Services ask for the same few paths at
 * every reload. The table belongs to one read transaction, which one thread uses at a time; it
 * needs no lock. Needs path. A part of tree.
 *
 * The steps of a walk are kept like paths: who asks for many paths, each of them once, goes by the
 * same few keys near the root. Only what is asked for a second time is kept, so that these many
 * paths cost little and drive nothing out.
 */
#ifndef REGSTORE_TREE_PATHS_H
#define REGSTORE_TREE_PATHS_H

#include "path.h"

struct tree_paths;

#define TREE_PATH_STEP (1u << 31) /* in the query of a subkey that is no link, by its name */

struct tree_path_query {
    uint64_t snapshot; /* LMDB's number of it, never 0 */
    rs_key base;       /* RS_NO_KEY for a rooted path */
    const char *path;
    size_t len;
    unsigned flags; /* RS_NOFOLLOW, TREE_PATH_STEP */
    uint64_t sum;   /* filled in by tree_paths_find() */
};

/* True and *key if the path was walked in that snapshot, and kept. paths may be NULL. */
bool tree_paths_find(const struct tree_paths *paths, struct tree_path_query *query, rs_key *key);
/* What a path led to that was not found; from the second time on it is kept, perhaps in place of
 * another. Makes *paths when it is first needed; keeps nothing if there is no memory, if the path
 * is long, or if it leads elsewhere for another user. */
void tree_paths_keep(struct tree_paths **paths, const struct tree_path_query *query, rs_key key);
void tree_paths_free(struct tree_paths *paths);

#endif
