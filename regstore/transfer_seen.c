/*
 * transfer_seen.c - sets of names and of keys, to find what a dump holds twice.
 *
 * Open addressing with linear steps, at most half full. Needs text.
 */
#include "transfer.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY ((size_t)64)
#define KEPT_CAPACITY ((size_t)1024) /* a larger table is given back when the set is emptied */
#define FOLDED_MAX ((size_t)3 * RS_MAX_VALUE_NAME + 32) /* with a key's number before it */

struct seen_slot {
    uint64_t hash; /* 0: free */
    size_t offset; /* of the folded name */
    size_t len;
};

/* FNV-1a; never 0. */
static uint64_t hash_of(const char *text, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    }
    return hash ? hash : 1;
}

/* Where a number belongs in a table: the high bits of a product are the well mixed ones. */
static size_t place_of(uint64_t hash, size_t capacity)
{
    return (size_t)(hash * 0x9e3779b97f4a7c15u >> 32) & (capacity - 1);
}

/* ---- Names ---- */

static int grow_names(struct seen_names *names)
{
    size_t capacity = names->capacity ? names->capacity * 2 : FIRST_CAPACITY;
    struct seen_slot *slots = calloc(capacity, sizeof *slots);

    if (!slots) {
        return RS_ENOMEM;
    }
    for (size_t i = 0; i < names->capacity; i++) {
        size_t at = place_of(names->slots[i].hash, capacity);
        if (names->slots[i].hash == 0) {
            continue;
        }
        while (slots[at].hash != 0) {
            at = (at + 1) & (capacity - 1);
        }
        slots[at] = names->slots[i];
    }
    free(names->slots);
    names->slots = slots;
    names->capacity = capacity;
    return RS_OK;
}

/* Folds a name behind those that are kept. */
static int fold_behind(struct seen_names *names, const char *name, size_t len, size_t *folded_len)
{
    size_t units;
    size_t most = len < FOLDED_MAX ? len * 3 : FOLDED_MAX;
    int status = buffer_reserve(&names->folded, most + 1);

    if (status != RS_OK) {
        return status;
    }
    return text_fold(name, len, names->folded.data + names->folded.size, most + 1, folded_len,
                     &units);
}

/* Folds a name and finds where it is, or would be; the table has room. */
static int find_name(struct seen_names *names, const char *name, size_t len,
                     struct seen_slot *wanted, struct seen_slot **slot)
{
    size_t folded_len;
    int status = fold_behind(names, name, len, &folded_len);

    if (status != RS_OK) {
        return status;
    }
    const char *folded = names->folded.data + names->folded.size;
    *wanted = (struct seen_slot){hash_of(folded, folded_len), names->folded.size, folded_len};
    size_t at = place_of(wanted->hash, names->capacity);
    for (; names->slots[at].hash != 0; at = (at + 1) & (names->capacity - 1)) {
        const struct seen_slot *other = &names->slots[at];
        if (other->hash == wanted->hash && other->len == folded_len &&
            memcmp(names->folded.data + other->offset, folded, folded_len) == 0) {
            break;
        }
    }
    *slot = &names->slots[at];
    return RS_OK;
}

int seen_names_find(struct seen_names *names, const char *name, size_t len, bool *seen)
{
    struct seen_slot wanted;
    struct seen_slot *slot;

    if (names->count == 0) {
        *seen = false;
        return RS_OK;
    }
    int status = find_name(names, name, len, &wanted, &slot);
    if (status == RS_OK) {
        *seen = slot->hash != 0;
    }
    return status;
}

int seen_names_add(struct seen_names *names, const char *name, size_t len, bool *seen)
{
    struct seen_slot wanted;
    struct seen_slot *slot;
    int status = names->count * 2 >= names->capacity ? grow_names(names) : RS_OK;

    if (status == RS_OK) {
        status = find_name(names, name, len, &wanted, &slot);
    }
    if (status != RS_OK) {
        return status;
    }
    *seen = slot->hash != 0;
    if (!*seen) {
        *slot = wanted;
        names->folded.size += wanted.len;
        names->count++;
    }
    return RS_OK;
}

void seen_names_reset(struct seen_names *names)
{
    if (names->count == 0) {
        return;
    }
    if (names->capacity > KEPT_CAPACITY) {
        seen_names_free(names);
    } else {
        memset(names->slots, 0, names->capacity * sizeof *names->slots);
    }
    names->folded.size = 0;
    names->count = 0;
}

void seen_names_free(struct seen_names *names)
{
    buffer_free(&names->folded);
    free(names->slots);
    *names = (struct seen_names){0};
}

/* ---- Keys ---- */

static int grow_keys(struct seen_keys *keys)
{
    size_t capacity = keys->capacity ? keys->capacity * 2 : FIRST_CAPACITY;
    rs_key *slots = calloc(capacity, sizeof *slots);

    if (!slots) {
        return RS_ENOMEM;
    }
    for (size_t i = 0; i < keys->capacity; i++) {
        size_t at = place_of(keys->slots[i], capacity);
        if (keys->slots[i] == RS_NO_KEY) {
            continue;
        }
        while (slots[at] != RS_NO_KEY) {
            at = (at + 1) & (capacity - 1);
        }
        slots[at] = keys->slots[i];
    }
    free(keys->slots);
    keys->slots = slots;
    keys->capacity = capacity;
    return RS_OK;
}

int seen_keys_add(struct seen_keys *keys, rs_key key, bool *seen)
{
    int status = keys->count * 2 >= keys->capacity ? grow_keys(keys) : RS_OK;

    if (status != RS_OK) {
        return status;
    }
    size_t at = place_of(key, keys->capacity);
    while (keys->slots[at] != RS_NO_KEY && keys->slots[at] != key) {
        at = (at + 1) & (keys->capacity - 1);
    }
    *seen = keys->slots[at] == key;
    if (!*seen) {
        keys->slots[at] = key;
        keys->count++;
    }
    return RS_OK;
}

void seen_keys_free(struct seen_keys *keys)
{
    free(keys->slots);
    *keys = (struct seen_keys){0};
}
