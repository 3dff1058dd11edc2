/* cache - the printers of other print servers, as long as they are announced; see cache.h. */
#include "cache.h"

#include <regstore.h>

#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 64
#define STRUCTURE 16 /* bytes of PRINTER_INFO_1 */

bool cache_is_name(const char *name)
{
    if (strncmp(name, "\\\\", 2) != 0 || strlen(name) > CACHE_TEXT_MAX) {
        return false;
    }
    const char *server = name + 2;
    const char *separator = strchr(server, '\\');
    if (separator == NULL || separator == server || separator[1] == '\0') {
        return false;
    }
    for (const char *at = server; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == '/' || (*at == '\\' && at != separator)) {
            return false;
        }
    }
    return true;
}

size_t announcement_listed(const struct announcement *announcement)
{
    return STRUCTURE + 2 * (strlen(announcement->name) + strlen(announcement->description) +
                            strlen(announcement->comment) + 3);
}

/* ---- By name --------------------------------------------------------------------------------- */

/* Where the name is, or belongs. */
static size_t find(const struct cache *cache, const char *name, bool *found)
{
    size_t low = 0;
    size_t high = cache->count;
    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = rs_name_compare(name, RS_NTS, cache->sorted[middle]->says.name, RS_NTS);
        if (order <= 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
        if (order == 0) {
            low = middle;
            *found = true;
        }
    }
    return low;
}

static bool make_room(struct cache *cache)
{
    if (cache->count < cache->capacity) {
        return true;
    }
    size_t capacity = cache->capacity == 0 ? CAPACITY_FIRST : cache->capacity * 2;
    struct network_printer **sorted = realloc(cache->sorted, capacity * sizeof(*sorted));
    if (sorted == NULL) {
        return false;
    }
    cache->sorted = sorted;
    cache->capacity = capacity;
    return true;
}

static void insert(struct cache *cache, size_t at, struct network_printer *entry)
{
    cache->listed += announcement_listed(&entry->says);
    memmove(cache->sorted + at + 1, cache->sorted + at,
            (cache->count - at) * sizeof(cache->sorted[0]));
    cache->sorted[at] = entry;
    cache->count++;
}

/* ---- By age ---------------------------------------------------------------------------------- */

static void link_newest(struct cache *cache, struct network_printer *entry, int64_t now)
{
    entry->refreshed = now;
    entry->newer = NULL;
    entry->older = cache->newest;
    if (cache->newest != NULL) {
        cache->newest->newer = entry;
    } else {
        cache->oldest = entry;
    }
    cache->newest = entry;
}

static void unlink_entry(struct cache *cache, struct network_printer *entry)
{
    if (entry->older != NULL) {
        entry->older->newer = entry->newer;
    } else {
        cache->oldest = entry->newer;
    }
    if (entry->newer != NULL) {
        entry->newer->older = entry->older;
    } else {
        cache->newest = entry->older;
    }
}

/* ---- Entries --------------------------------------------------------------------------------- */

static const char *keep(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *kept = *at;
    memcpy(kept, text, size);
    *at += size;
    return kept;
}

static struct network_printer *make(const struct announcement *says, const char *name)
{
    size_t size = strlen(name) + strlen(says->description) + strlen(says->comment) + 3;
    struct network_printer *entry = calloc(1, sizeof(*entry) + size);
    if (entry != NULL) {
        char *at = entry->kept;
        entry->says.name = keep(&at, name);
        entry->says.description = keep(&at, says->description);
        entry->says.comment = keep(&at, says->comment);
    }
    return entry;
}

/* The same printer with other words. */
static enum cache_answer replace(struct cache *cache, size_t at, const struct announcement *says,
                                 int64_t now, size_t most_listed)
{
    struct network_printer *entry = cache->sorted[at];
    size_t others = cache->listed - announcement_listed(&entry->says);
    if (others + announcement_listed(says) > most_listed) {
        return CACHE_FULL;
    }
    struct network_printer *other = make(says, entry->says.name);
    if (other == NULL) {
        return CACHE_NO_MEMORY;
    }
    cache->sorted[at] = other;
    cache->listed = others + announcement_listed(&other->says);
    cache->generation++;
    unlink_entry(cache, entry);
    free(entry);
    link_newest(cache, other, now);
    return CACHE_REFRESHED;
}

static enum cache_answer refresh(struct cache *cache, size_t at, const struct announcement *says,
                                 int64_t now, size_t most_listed)
{
    struct network_printer *entry = cache->sorted[at];
    if (strcmp(entry->says.description, says->description) != 0 ||
        strcmp(entry->says.comment, says->comment) != 0) {
        return replace(cache, at, says, now, most_listed);
    }
    unlink_entry(cache, entry);
    link_newest(cache, entry, now);
    return CACHE_REFRESHED;
}

enum cache_answer cache_put(struct cache *cache, const struct announcement *announcement,
                            int64_t now, const struct cache_bounds *most)
{
    bool found;
    size_t at = find(cache, announcement->name, &found);
    if (found) {
        return refresh(cache, at, announcement, now, most->listed);
    }
    if (cache->count >= most->printers ||
        cache->listed + announcement_listed(announcement) > most->listed) {
        return CACHE_FULL;
    }
    struct network_printer *entry = make(announcement, announcement->name);
    if (entry == NULL || !make_room(cache)) {
        free(entry);
        return CACHE_NO_MEMORY;
    }
    insert(cache, at, entry);
    link_newest(cache, entry, now);
    cache->generation++;
    return CACHE_ADDED;
}

/* Takes those whose refresh time is marked as none out of the sorted array, which they all leave
 * in one pass: thousands may go at once. */
static void sweep(struct cache *cache)
{
    size_t kept = 0;
    for (size_t i = 0; i < cache->count; i++) {
        if (cache->sorted[i]->refreshed == INT64_MIN) {
            free(cache->sorted[i]);
        } else {
            cache->sorted[kept++] = cache->sorted[i];
        }
    }
    cache->count = kept;
    cache->generation++;
}

static void mark_oldest(struct cache *cache)
{
    struct network_printer *entry = cache->oldest;
    unlink_entry(cache, entry);
    cache->listed -= announcement_listed(&entry->says);
    entry->refreshed = INT64_MIN;
}

size_t cache_expire(struct cache *cache, int64_t now, int64_t period)
{
    size_t dropped = 0;
    while (cache->oldest != NULL && now - cache->oldest->refreshed >= period) {
        mark_oldest(cache);
        dropped++;
    }
    if (dropped > 0) {
        sweep(cache);
    }
    return dropped;
}

size_t cache_limit(struct cache *cache, const struct cache_bounds *most)
{
    size_t dropped = 0;
    while (cache->count - dropped > most->printers || cache->listed > most->listed) {
        mark_oldest(cache);
        dropped++;
    }
    if (dropped > 0) {
        sweep(cache);
    }
    return dropped;
}

int64_t cache_patience(const struct cache *cache, int64_t now, int64_t period)
{
    if (cache->oldest == NULL) {
        return -1;
    }
    int64_t left = cache->oldest->refreshed + period - now;
    return left > 0 ? left : 0;
}

void cache_clear(struct cache *cache)
{
    for (size_t i = 0; i < cache->count; i++) {
        free(cache->sorted[i]);
    }
    free(cache->sorted);
    *cache = (struct cache){.generation = cache->generation + 1};
}
