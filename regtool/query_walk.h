/*
 * The walk of regtool query and regtool find: through a key, its values and its subkeys. It needs
 * what is looked for; it gives each that is wanted to query_print, and counts what a search found.
 *
 * Recursion takes links as the keys that they are and never goes through them; the path that was
 * asked for does.
 */
#ifndef REGTOOL_QUERY_WALK_H
#define REGTOOL_QUERY_WALK_H

#include <stdbool.h>

#include <regstore.h>

#include "keypath.h"
#include "query_print.h"
#include "search.h"
#include "tool.h"

/* Where a text is looked for. */
#define IN_KEYS 1u
#define IN_NAMES 2u
#define IN_DATA 4u

struct query {
    struct session session;
    struct query_print print;
    struct keypath path;  /* of the key that the walk is at */
    const char *asked;    /* the key */
    size_t hidden;        /* where a name in it is that is not printed; 0: none */
    uint64_t written;     /* its write time */
    const char *name;     /* only the value of this name; NULL: any */
    struct search *names; /* only values whose names match; NULL: any */
    bool typed;           /* only values of this type */
    uint32_t type;
    struct search *text; /* only what matches; NULL: anything */
    unsigned in;         /* IN_...: where text is looked for */
    bool recursive;
    unsigned depth; /* of the walk */
    bool search;    /* only what matches is shown, and counted */
    uint64_t matches;
};

/* Shows the key that was asked for; path must be empty. RS_ECANCELLED: nobody reads it. */
int query_walk(struct query *query);

#endif
