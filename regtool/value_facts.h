/*
 * All that is known about one value: what is set, by whom, and what its rule says. It needs an open
 * session; what it gives lives as long as the transaction, but for what value_facts_free() frees.
 */
#ifndef REGTOOL_VALUE_FACTS_H
#define REGTOOL_VALUE_FACTS_H

#include <stdbool.h>

#include <regstore.h>

#include "json.h"
#include "setter.h"
#include "tool.h"

struct value_facts {
    const char *name; /* as the rule spells it, else as it is stored, else as it was asked for */
    size_t name_len;
    bool is_set;
    rs_value value; /* if it is set */
    bool has_rule;
    rs_rule rule; /* if there is one */
    struct setter setter;
    rs_error wrong; /* why the rule does not allow what is there; no text: it does */
};

/* path is the key's, from the root; key may be RS_NO_KEY where there is none. Who set it comes from
 * value_facts_history(). */
int value_facts_read(struct session *session, const char *path, rs_key key, const char *name,
                     size_t len, struct value_facts *facts);
/* Completes all of them in one go; key is theirs, not RS_NO_KEY. */
int value_facts_history(struct session *session, rs_key key, struct value_facts *facts,
                        size_t count);
void value_facts_free(struct value_facts *facts);

/* What is set or the rule's default; NULL if there is neither. */
const rs_value *value_facts_effective(const struct value_facts *facts);
/* Where it comes from: "set in revision 12 by ...", "default of the rule ...", "not set". */
void value_facts_origin(FILE *out, const struct value_facts *facts);
/* The members that tell all of it, without "key". RS_OK or RS_ENOMEM. */
int value_facts_json(struct json *json, const struct value_facts *facts);

#endif
