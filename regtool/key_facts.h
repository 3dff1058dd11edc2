/*
 * All that is known about the values of a key, be it there or not: each value that a rule knows,
 * and the names of the others that are set. It needs an open session; what it gives lives as long
 * as the transaction, but for what key_facts_free() frees.
 */
#ifndef REGTOOL_KEY_FACTS_H
#define REGTOOL_KEY_FACTS_H

#include "names.h"
#include "value_facts.h"

struct key_facts {
    rs_key key; /* RS_NO_KEY: there is none */
    struct value_facts *facts;
    size_t count;
    struct names others; /* values that are set and that no rule knows */
};

/* Of the value of that name alone, or, if name is NULL, of all. path is the key's, from the root.
 * Whatever is returned, key_facts_free() ends it. */
int key_facts_read(struct session *session, const char *path, rs_key key, const char *name,
                   struct key_facts *known);
void key_facts_free(struct key_facts *known);

#endif
