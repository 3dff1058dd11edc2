/*
 * change.h - one change of a tree, as the tree tells it, the journal keeps it and a watch reads it.
 *
 * Gives structs and nothing else. Everything that is needed to show a change, to undo it exactly
 * and to do it again is in it.
 */
#ifndef REGSTORE_CHANGE_H
#define REGSTORE_CHANGE_H

#include <stdbool.h>
#include "regstore.h"

/* A key or a value on one side of a change. */
struct change_side {
    bool present;
    const char *name; /* as spelled */
    size_t name_len;
    uint32_t position; /* of a value: its place in the order of creation; of a key: the next place
                          to be given */
    uint32_t type;     /* of a value; of a key: its RS_KEY_... flags */
    const void *data;  /* of a value; of a key: its class name */
    size_t size;
};

struct change {
    enum rs_change_kind kind;
    /* Part of what a recursive delete removed: it comes after the RS_KEY_DELETED of its parent and
     * stands for the key or value as it was. Path is empty. */
    bool inner;
    /* A deletion that found no room to keep what it deleted: there are no inner changes, and before
     * has a name, but no data. It cannot be undone. */
    bool lost;
    /* The deletion of a key that the same revision made: what was in it is told nowhere. */
    bool passing;
    rs_key key;       /* whose change it is; of a value: its key */
    rs_key parent;    /* of the key */
    const char *path; /* canonical path of the key, before the change if it was there */
    size_t path_len;
    struct change_side before;
    struct change_side after;
    uint64_t written_before; /* of the key */
    uint64_t written_after;
    uint64_t
        parent_before; /* the parent's write time; the same twice if the change leaves it alone */
    uint64_t parent_after;
    uint32_t next_before; /* of a value's change: the next place that its key gives */
    uint32_t next_after;
};

/* Where a tree tells its changes; the pointers in a change live during the call. */
struct change_sink {
    int (*change)(struct change_sink *sink, const struct change *change);
};

#endif
