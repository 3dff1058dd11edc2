/*
 * schema.h - rules: what is known about a value, and whether a value is as its rule says.
 *
 * Gives the rule that a REG_MULTI_SZ means, and a value's judgement by it. regstore.h says what the
 * fields are. Needs value.
 */
#ifndef REGSTORE_SCHEMA_H
#define REGSTORE_SCHEMA_H

#include "value.h"

/* Strings that a rule has at most: what a hostile one costs is bounded so. */
#define SCHEMA_MAX_FIELDS ((size_t)1024)

/* The rule of a value by that name, with its memory from the arena and key "". RS_ERULE, described.
 */
int schema_parse(struct arena *arena, const char *name, size_t len, const void *data, size_t size,
                 rs_rule *rule, rs_error *error);
/* A copy of a rule in one block, to be released with free(). */
int schema_pack(const rs_rule *rule, rs_rule **packed);

/* RS_EREFUSED, with what was given and what the rule says in *why. value is NULL for one that is
 * not set. */
int schema_judge(const rs_rule *rule, const rs_value *value, rs_error *why);
/* The number that data of a number type means; false for other types and wrong sizes. */
bool schema_number(uint32_t type, const void *data, size_t size, uint64_t *number);
/* Decimal, or 0x and hexadecimal; up to max. */
bool schema_parse_number(const char *text, uint64_t max, uint64_t *number);
/* The most that a number of a type can be; 0 for a type that is none. */
uint64_t schema_highest(uint32_t type);

#endif
