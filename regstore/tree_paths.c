#include <stdlib.h>
#include <string.h>

#include "tree_paths.h"

/* A path has its place in one of SETS sets, and is found in any of its WAYS entries: of a few dozen
 * paths hardly one is driven out by others. */
#define SETS 32u
#define WAYS 4u
/* With the rest of an entry 192 bytes. Longer paths are walked each time. */
#define PATH_KEPT 152u

struct entry {
    uint64_t snapshot;
    uint64_t hash;
    rs_key base;
    rs_key key;
    uint32_t len;
    uint32_t flags;
    char path[PATH_KEPT];
};

struct tree_paths {
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

/* Eight bytes at a time. Spreads entries and no more: a collision costs a walk. */
static uint64_t hash(const struct tree_path_query *query)
{
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t sum = (query->base + query->flags) * factor ^ query->len;
    size_t at = 0;
    while (at < query->len) {
        uint64_t word = 0;
        size_t count = query->len - at < sizeof word ? query->len - at : sizeof word;
        memcpy(&word, query->path + at, count);
        sum = (sum ^ word) * factor;
        sum ^= sum >> 32;
        at += count;
    }
    return sum;
}

static bool answers(const struct entry *entry, const struct tree_path_query *query, uint64_t sum)
{
    return entry->hash == sum && entry->snapshot == query->snapshot && entry->base == query->base &&
           entry->flags == query->flags && entry->len == query->len &&
           memcmp(entry->path, query->path, query->len) == 0;
}

bool tree_paths_find(const struct tree_paths *paths, const struct tree_path_query *query,
                     rs_key *key)
{
    if (paths == NULL || query->len > PATH_KEPT) {
        return false;
    }
    uint64_t sum = hash(query);
    const struct entry *entries = paths->entries[sum % SETS];
    for (size_t i = 0; i < WAYS; i++) {
        if (answers(&entries[i], query, sum)) {
            *key = entries[i].key;
            return true;
        }
    }
    return false;
}

/* One of another snapshot, which nobody will ask for; else any. */
static struct entry *choose(struct entry *entries, uint64_t snapshot, uint64_t sum)
{
    for (size_t i = 0; i < WAYS; i++) {
        if (entries[i].snapshot != snapshot) {
            return &entries[i];
        }
    }
    return &entries[sum / SETS % WAYS];
}

void tree_paths_keep(struct tree_paths **paths, const struct tree_path_query *query, rs_key key)
{
    if (query->len > PATH_KEPT || depends_on_user(query)) {
        return;
    }
    if (*paths == NULL) {
        *paths = calloc(1, sizeof **paths);
        if (*paths == NULL) {
            return;
        }
    }
    uint64_t sum = hash(query);
    struct entry *entry = choose((*paths)->entries[sum % SETS], query->snapshot, sum);
    entry->snapshot = query->snapshot;
    entry->hash = sum;
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
