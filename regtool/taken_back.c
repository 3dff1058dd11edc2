/* Finds the newest revision that stands. */
#include "taken_back.h"

#include <stdlib.h>

struct range {
    uint64_t from;
    uint64_t to;
};

/* The walk goes from the newest to the oldest, so that it is known of each undo whether it stands
 * before what it takes back is reached. */
struct walk {
    bool undo;
    struct range *ranges; /* that are taken back */
    size_t count;
    size_t capacity;
    uint64_t found; /* 0: not yet */
};

#define TAKES_BACK (RS_REVISION_UNDO | RS_REVISION_REDO | RS_REVISION_ROLLBACK)

static int add_range(struct walk *walk, uint64_t from, uint64_t to)
{
    if (walk->count == walk->capacity) {
        size_t capacity = walk->capacity > 0 ? walk->capacity * 2 : 16;
        struct range *ranges = realloc(walk->ranges, capacity * sizeof(*ranges));
        if (ranges == NULL) {
            return RS_ENOMEM;
        }
        walk->ranges = ranges;
        walk->capacity = capacity;
    }
    walk->ranges[walk->count++] = (struct range){from, to};
    return RS_OK;
}

static bool is_taken_back(const struct walk *walk, uint64_t revision)
{
    for (size_t i = 0; i < walk->count; i++) {
        if (revision >= walk->ranges[i].from && revision <= walk->ranges[i].to) {
            return true;
        }
    }
    return false;
}

static bool is_wanted(const struct walk *walk, unsigned flags)
{
    return walk->undo ? (flags & TAKES_BACK) == RS_REVISION_UNDO : (flags & TAKES_BACK) == 0;
}

static int on_revision(void *context, const rs_revision_info *revision)
{
    struct walk *walk = context;

    if (is_taken_back(walk, revision->revision)) {
        return 0;
    }
    if (is_wanted(walk, revision->flags)) {
        walk->found = revision->revision;
        return RS_ECANCELLED;
    }
    return (revision->flags & TAKES_BACK) != 0 ? add_range(walk, revision->from, revision->to) : 0;
}

int taken_back_newest(rs_txn *txn, bool undo, uint64_t *revision)
{
    struct walk walk = {.undo = undo};
    int status = rs_history(txn, RS_NOW, 0, on_revision, &walk);

    free(walk.ranges);
    if (status == RS_OK) {
        return RS_ENOTFOUND;
    }
    if (status == RS_ECANCELLED && walk.found != 0) {
        *revision = walk.found;
        return RS_OK;
    }
    return status;
}
