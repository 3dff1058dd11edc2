/*
 * own - what this computer tells others of its shared printers.
 *
 * A shared printer is announced as \\SERVER\Share, with the description that NT's spooler makes,
 * "\\SERVER\Share,driver,location", and with its comment. Pure. Needs printers and cache.
 */
#ifndef SPOOLER_OWN_H
#define SPOOLER_OWN_H

#include "cache.h"
#include "../printing/printers.h"

struct own {
    size_t count;
    struct announcement rows[PRINTERS_MAX]; /* by name, each name once */
};

/* NULL: no memory. Released with own_free(). */
struct own *own_make(const struct printers *printers, const char *server);
/* NULL is allowed. */
void own_free(struct own *own);

/* The bytes that they take in a list at most. */
size_t own_listed(const struct own *own);
bool own_has(const struct own *own, const char *name);
/* Whether a has a name that b has not; NULL for b is none at all. */
bool own_has_more(const struct own *a, const struct own *b);
/* Whether both tell the same. */
bool own_same(const struct own *a, const struct own *b);

#endif
