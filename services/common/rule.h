/*
 * rule - the rule that a setting has: the store's, else the one that ships.
 *
 * Needs service.h for where the setting is, and shipped_rules.
 */
#ifndef SERVICE_RULE_H
#define SERVICE_RULE_H

#include "line.h"
#include "service.h"

struct rule {
    const rs_rule *says;
    bool stored;      /* in the store */
    rs_rule found;    /* where it says so, if it is; of the transaction */
    rs_rule *shipped; /* if it is not */
};

/* Finds the rule of a row of the service's table. A rule in the store that is malformed or of a
 * type that the service does not read gives way to the one that ships. RS_ERULE: none ships; fails
 * when the store cannot be read; RS_ENOMEM. */
int rule_find(rs_txn *txn, const struct service *service, const struct setting *row,
              struct rule *rule);
void rule_free(struct rule *rule);

/* What it allows: `1-5`, `0, 1, 0xffffffff`, `at least 1`, `any number`, `REG_SZ`. */
void rule_add_allowed(struct line *line, const rs_rule *rule);
/* A number as the rule writes it, where it is one of those that it names; else NULL. */
const char *rule_spelling(const rs_rule *rule, uint32_t number);

#endif
