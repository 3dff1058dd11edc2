/*
 * rule - the rules that a service's settings have: the store's, else those that ship.
 *
 * To find and read them takes far longer than to judge the settings by them, and they hardly ever
 * change, so a service has them once and again when they may be others. Needs service.h for what
 * the settings are, and shipped_rules.
 */
#ifndef SERVICE_RULE_H
#define SERVICE_RULE_H

#include "line.h"
#include "service.h"

struct rule {
    rs_rule *says;
    bool stored; /* in the store */
};

/* One for each row of the service's table, in its order. */
struct rules {
    size_t count;
    struct rule rows[];
};

/* Finds them. A rule in the store that is malformed or of a type that the service does not read
 * gives way to the one that ships. *rules is the caller's, to be released with rules_free().
 * RS_ERULE: none ships; fails when the store cannot be read; RS_ENOMEM. */
int rules_load(rs_txn *txn, const struct service *service, struct rules **rules);
/* NULL is allowed. */
void rules_free(struct rules *rules);

/* What it allows: `1-5`, `0, 1, 0xffffffff`, `at least 1`, `any number`, `REG_SZ`. */
void rule_add_allowed(struct line *line, const rs_rule *rule);
/* A number as the rule writes it, where it is one of those that it names; else NULL. */
const char *rule_spelling(const rs_rule *rule, uint32_t number);

#endif
