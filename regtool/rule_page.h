/*
 * What a rule says, for a person and in JSON. It needs a rule; it gives lines, which may stand in
 * an editor's text, too, as comments.
 */
#ifndef REGTOOL_RULE_PAGE_H
#define REGTOOL_RULE_PAGE_H

#include <stdio.h>

#include <regstore.h>

#include "json.h"

/* The column at which what a page says begins. */
#define RULE_PAGE_INDENT 9

/* Data as people write it: numbers in decimal digits, with the rule's unit if there is a rule,
 * which may be NULL. RS_OK or RS_ENOMEM. */
int rule_page_data(FILE *out, const rs_value *value, const rs_rule *rule);
/* "512 to 65536 bytes", or "anything". */
void rule_page_allowed(FILE *out, const rs_rule *rule);
/* Type, what is allowed, default, when it applies, text, source and where the rule lies: a line or
 * more each, with prefix in front. RS_OK or RS_ENOMEM. */
int rule_page_write(FILE *out, const char *prefix, const rs_rule *rule);
/* The page in memory, to be free()d. RS_OK or RS_ENOMEM. */
int rule_page_make(const char *prefix, const rs_rule *rule, char **page);
/* The rule in short, with the value's name: one line, and its text below it. */
int rule_page_short(FILE *out, const char *prefix, const rs_rule *rule);
/* A text in lines that are not longer than a terminal's, behind prefix and label. */
void rule_page_text(FILE *out, const char *prefix, const char *label, const char *text);
/* The rule as an object. RS_OK or RS_ENOMEM. */
int rule_page_json(struct json *json, const rs_rule *rule);

#endif
