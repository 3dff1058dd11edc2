/*
 * tree_restore.h - changes taken back: one side of a change as it was, to the last detail.
 *
 * Gives what a change meets when it is to be taken back, and taking it back: key numbers, spelling,
 * places, flags and write times become what they were before. What has been changed since by others
 * gets the present time instead. All of it is told like any other change. Needs tree. A part of
 * tree.
 */
#ifndef REGSTORE_TREE_RESTORE_H
#define REGSTORE_TREE_RESTORE_H

#include "tree.h"

/* Start with {.tree = tree}. */
struct tree_restore {
    struct tree *tree;
    rs_key placed;        /* the key whose values' places are in the bitmap; RS_NO_KEY: none's */
    struct buffer places; /* a bit each */
};
void tree_restore_free(struct tree_restore *restore);

/* ---- Inside: the places of a key's values (tree_restore_places.c) ---- */

struct node;
/* Whether no value of the key has a place from one to before another. */
int tree_places_free(struct tree_restore *restore, const struct node *node, uint32_t from,
                     uint32_t end, bool *free);
/* A value of the key gets a place, or has lost it. */
void tree_places_set(struct tree_restore *restore, rs_key key, uint32_t place, bool taken);
void tree_places_forget(struct tree_restore *restore);

/* ---- Changes ---- */

/* Why a change cannot be taken back without a loss. */
struct tree_conflict {
    const char *why; /* for a person; NULL: what is there is what the change left */
    bool lasting;    /* not even by force */
};
int tree_restore_check(struct tree_restore *restore, const struct change *change,
                       struct tree_conflict *conflict);
/* Takes a change back whatever is there now; for one without lasting conflict. The inner changes of
 * a deletion follow it, in their order. */
int tree_restore_apply(struct tree_restore *restore, const struct change *change);
int tree_restore_inner(struct tree_restore *restore, const struct change *change);

#endif
