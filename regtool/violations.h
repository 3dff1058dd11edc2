/*
 * Values that are not as their rules say, gathered as lines and told later: nothing is printed
 * while others wait for a transaction's end. It needs a transaction; it gives the lines, one a
 * value, each with key, value, what was given and what the rule says.
 */
#ifndef REGTOOL_VIOLATIONS_H
#define REGTOOL_VIOLATIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <regstore.h>

/* "KEY: value "NAME": ", and the whole line of one violation, escaped. */
void violation_place(FILE *out, const char *path, size_t path_len, const char *name,
                     size_t name_len);
void violation_line(FILE *out, const rs_violation *violation);
/* The same as a line of JSON. RS_OK or RS_ENOMEM. */
int violation_json(FILE *out, const rs_violation *violation);

/* Starts from all zeros. */
struct violations {
    uint64_t count;     /* without warnings */
    uint64_t malformed; /* of these: rules, which nothing can force */
    uint64_t warnings;
    FILE *streams[3]; /* while they are gathered */
    char *texts[3];   /* lines of violations, of warnings, and both as JSON Lines; NULL: none */
    size_t sizes[3];
};

/* Gathers what a write transaction would store against the rules. */
int violations_of_change(struct violations *found, rs_txn *txn);
/* The lines of violations, for a text; "" if there are none. */
const char *violations_lines(const struct violations *found);
/* Tells violations as failures on standard error, or as JSON Lines on standard output, and how many
 * there are; force: the switch that would store them is not given. Returns 1. */
int violations_report(const struct violations *found, bool json, bool force);
/* Tells warnings, and violations that were forced, as remarks. */
void violations_remark(const struct violations *found);
void violations_free(struct violations *found);

#endif
