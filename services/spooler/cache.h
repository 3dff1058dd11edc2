/*
 * cache - the printers of other print servers, as long as they are announced.
 *
 * An entry is one announcement: \\SERVER\Printer, a description and a comment. Repeated it is
 * fresh again; not repeated for a period it is dropped. The period is not kept here but given with
 * each question, so that another one works at once on what is here already. Bounded by the caller
 * in number and in what a list of all takes, as a list that fits into no answer is none. Pure: no
 * clock, no sockets. Needs regstore.h, to compare names as the registry does.
 */
#ifndef SPOOLER_CACHE_H
#define SPOOLER_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_TEXT_MAX 255 /* bytes of each text */

/* A printer as it is announced and listed; the texts are UTF-8. */
struct announcement {
    const char *name; /* \\SERVER\Printer */
    const char *description;
    const char *comment;
};

struct network_printer {
    struct network_printer *older;
    struct network_printer *newer;
    int64_t refreshed; /* ms */
    struct announcement says;
    char kept[];
};

struct cache {
    struct network_printer **sorted; /* by name */
    size_t count;
    size_t capacity;
    size_t listed; /* bytes, as announcement_listed() counts them */
    struct network_printer *oldest;
    struct network_printer *newest;
    uint64_t generation; /* another one whenever what would be listed is another */
};

/* What the entries may be, all together. */
struct cache_bounds {
    size_t printers;
    size_t listed; /* bytes */
};

enum cache_answer { CACHE_ADDED, CACHE_REFRESHED, CACHE_FULL, CACHE_NO_MEMORY };

/* Whether it is a name of a printer of a server: \\SERVER\Printer, no longer than a text may be. */
bool cache_is_name(const char *name);
/* The bytes that it takes in a list at most: a structure of level 1, and a unit for each byte. */
size_t announcement_listed(const struct announcement *announcement);
/* Starts as all zero. An announcement whose name is new is taken while there is room; one whose
 * name is known replaces the old one. The texts are copied, the name as it was first spelt. */
enum cache_answer cache_put(struct cache *cache, const struct announcement *announcement,
                            int64_t now, const struct cache_bounds *most);
/* Drops what was not refreshed for period ms. Gives the number. */
size_t cache_expire(struct cache *cache, int64_t now, int64_t period);
/* Drops those that were refreshed longest ago until no bound is exceeded. Gives the number. */
size_t cache_limit(struct cache *cache, const struct cache_bounds *most);
/* In how many ms cache_expire() has something to drop; -1: there is nothing. */
int64_t cache_patience(const struct cache *cache, int64_t now, int64_t period);
void cache_clear(struct cache *cache);

#endif
