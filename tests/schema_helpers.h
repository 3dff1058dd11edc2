/*
 * schema_helpers.h - what the suites of rules share: a store with rules of a service, and what is
 * told of changes and of what is stored. Needs stores.
 */
#ifndef SCHEMA_HELPERS_H
#define SCHEMA_HELPERS_H

#include "stores.h"

#define SERVICES "HKLM\\SYSTEM\\CurrentControlSet\\Services"
#define APP SERVICES "\\App"

/* A store with one control set, in which APP is empty and has rules: Size is 1 to 5, Limit is 10 by
 * default, Period should not be above it, and in each of its Ports Needed has to be "l" or "o". */
rs_store *open_app_rules(void);

/* What rs_txn_check() and rs_key_check() tell, a line each: the key's own name, ":", the value's
 * name, "-" if it is not set, and the text; "(" before a warning. */
void expect_changes(rs_txn *txn, uint64_t violations, const char *expected);
void expect_stored(rs_txn *txn, rs_key key, unsigned flags, uint64_t violations,
                   const char *expected);

/* Commits, which has to fail with that status, a line that ends so, and no revision. */
void refused(rs_txn *txn, int expected, const char *ending);

#endif
