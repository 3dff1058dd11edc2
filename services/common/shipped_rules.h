/*
 * shipped_rules - the rules of hives/rules/, for stores that have none.
 *
 * rules_generate.py writes the table when the services are built, from the files that an
 * administrator imports. Needs nothing.
 */
#ifndef SERVICE_SHIPPED_RULES_H
#define SERVICE_SHIPPED_RULES_H

#include <stddef.h>

/* A rule as a store has it, and what it is the rule of. */
struct shipped_rule {
    const char *key; /* with the root's short name; NULL ends a table */
    const char *name;
    const unsigned char *data; /* of the REG_MULTI_SZ */
    size_t size;
};

extern const struct shipped_rule shipped_rules[];

#endif
