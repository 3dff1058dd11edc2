#include <stdlib.h>
#include <string.h>

#include "tree_paths.h"

/* A path has its place in one of SETS sets, and is found in any of its WAYS entries: of a few dozen
 * paths hardly one is driven out by others. */
#define SETS 64u
#define WAYS 4u
/* With the rest of an entry 192 bytes. Longer paths are walked each time. */
#define PATH_KEPT 160u
/* Paths that were walked once are remembered by so many numbers. */
#define SEEN 512u

struct entry {
    uint64_t snapshot;
    rs_key base;
    rs_key key;
    uint32_t len;
    uint32_t flags;
    char path[PATH_KEPT];
};

struct tree_paths {
    uint64_t sums[SETS][WAYS]; /* of the entries: most paths that are not kept differ in them */
    uint32_t seen[SEEN];
    struct entry entries[SETS][WAYS];
};

/* A program that changes its user finds another HKCU in the same snapshot. */
static bool depends_on_user(const struct tree_path_query *query)
{
    struct path_iter names;
    const struct path_root *root = path_root_by_key(query->base);
    if (query->base == RS_NO_KEY &&
        path_begin_rooted(&names, query->path, query->len, &root, NULL) != RS_OK) {
        return true;
    }
    return root != NULL && root->key == RS_HKCU;
}

/* Eight bytes at a time. Spreads entries and no more: a collision costs a walk. The snapshot is not
 * in it, so that a path keeps its entry from one to the next. */
static uint64_t hash(const struct tree_path_query *query)
{
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t sum = (query->base ^ (uint64_t)query->flags << 32) * factor ^ query->len;
    uint64_t word;
    size_t at = 0;
    for (; query->len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, query->path + at, sizeof word);
        sum = (sum ^ word) * factor;
        sum ^= sum >> 32;
    }
    sum = (sum ^ text_word(query->path + at, query->len - at)) * factor;
    return sum ^ sum >> 32;
}

static bool answers(const struct entry *entry, const struct tree_path_query *query)
{
    return entry->snapshot == query->snapshot && entry->base == query->base &&
           entry->flags == query->flags && entry->len == query->len &&
           memcmp(entry->path, query->path, query->len) == 0;
}

bool tree_paths_find(const struct tree_paths *paths, struct tree_path_query *query, rs_key *key)
{
    if (query->len > PATH_KEPT) {
        return false;
    }
    query->sum = hash(query);
    if (paths == NULL) {
        return false;
    }
    size_t set = query->sum % SETS;
    for (size_t i = 0; i < WAYS; i++) {
        if (paths->sums[set][i] == query->sum && answers(&paths->entries[set][i], query)) {
            *key = paths->entries[set][i].key;
            return true;
        }
    }
    return false;
}

/* The path's own entry, of another snapshot; else, if it was seen before, another of such a
 * snapshot, which nobody will ask for, or any. WAYS: none. */
static size_t choose(struct tree_paths *paths, const struct tree_path_query *query)
{
    size_t set = query->sum % SETS;
    uint32_t *seen = &paths->seen[query->sum / SETS % SEEN];
    uint32_t mark = (uint32_t)(query->sum >> 32);
    for (size_t i = 0; i < WAYS; i++) {
        if (paths->sums[set][i] == query->sum) {
            return i;
        }
    }
    if (*seen != mark) {
        *seen = mark;
        return WAYS;
    }
    for (size_t i = 0; i < WAYS; i++) {
        if (paths->entries[set][i].snapshot != query->snapshot) {
            return i;
        }
    }
    return query->sum / SETS / SEEN % WAYS;
}

void tree_paths_keep(struct tree_paths **paths, const struct tree_path_query *query, rs_key key)
{
    if (query->len > PATH_KEPT) {
        return;
    }
    if (*paths == NULL) {
        *paths = calloc(1, sizeof **paths);
        if (*paths == NULL) {
            return;
        }
    }
    size_t way = choose(*paths, query);
    if (way == WAYS || depends_on_user(query)) {
        return;
    }
    size_t set = query->sum % SETS;
    struct entry *entry = &(*paths)->entries[set][way];
    (*paths)->sums[set][way] = query->sum;
    entry->snapshot = query->snapshot;
    entry->base = query->base;
    entry->key = key;
    entry->len = (uint32_t)query->len;
    entry->flags = query->flags;
    memcpy(entry->path, query->path, query->len);
}

void tree_paths_free(struct tree_paths *paths)
{
    free(paths);
}
