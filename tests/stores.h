/*
 * stores.h - what the suites of the core share: a store in the scratch directory, shorter calls,
 * children to fork, and the changes of a revision as the journal holds them.
 *
 * Helpers that cannot do their work end the running test, so a test reads as a row of steps. A
 * child may not use them: CUnit's way out of a test leads into the parent's. Needs store.
 */
#ifndef STORES_H
#define STORES_H

#include "harness.h"
#include "../regstore/store.h"

#include <string.h>

#define SUCCEEDS(call) CU_ASSERT_EQUAL_FATAL((call), RS_OK)
#define GIVES(status, call) CU_ASSERT_EQUAL((call), (status))
#define EQUAL_TEXT(actual, expected) CU_ASSERT_STRING_EQUAL_FATAL((actual), (expected))

/* The store in the test's scratch directory, made when it is not there. */
rs_store *open_store(void);
rs_txn *start_reading(rs_store *store);
rs_txn *start_writing(rs_store *store);
/* Commits; gives the revision that was made or is current. */
uint64_t end_writing(rs_txn *txn);

/* A key with its root's name; add_key() makes it. */
rs_key find_key(rs_txn *txn, const char *path);
rs_key add_key(rs_txn *txn, const char *path);
/* The same for a link itself. */
rs_key find_link(rs_txn *txn, const char *path);
rs_key_info info_of(rs_txn *txn, rs_key key);
const char *path_of(rs_txn *txn, rs_key key);
void set_number(rs_txn *txn, rs_key key, const char *name, uint32_t number);
uint32_t number_of(rs_txn *txn, rs_key key, const char *name);
/* Names of subkeys or values in the order of listing, joined by ",". Belongs to the transaction. */
const char *subkeys_of(rs_txn *txn, rs_key key);
const char *values_of(rs_txn *txn, rs_key key);
rs_stat stat_of(rs_txn *txn);

/* The bytes of a REG_MULTI_SZ whose strings are joined by "|". The caller frees. */
struct buffer multi_of(const char *joined);
/* Stores the rule of a value, its fields joined by "|", at a path below HKRS\Rules; NULL for fields
 * takes it away. */
void set_rule(rs_txn *txn, const char *path, const char *name, const char *fields);

/* A name of count times the same text; lives until the second call after this one. */
const char *repeated(const char *text, size_t count);

/* Runs body in a forked child; gives what it returned, or 1000 and the signal that ended it. A
 * child that takes longer than a minute is ended by SIGALRM. */
int in_child(int (*body)(void *context), void *context);

/* Removes the oldest revisions as a commit does, but at once; a very large one only in part. */
void trim_history(rs_store *store, uint64_t keep);

/* Every record of the tree as it is stored: key numbers, names, places, times, bytes. The caller
 * frees the buffer. */
struct buffer records_of(rs_store *store);
/* Prints the first record that differs. */
bool same_records(const struct buffer *a, const struct buffer *b);
/* Checks the whole store; ends the test on the first damage, which it prints. */
void must_be_whole(rs_store *store);

/* The changes of one revision, copied. */
struct history {
    struct journal_head head;
    struct change *changes;
    size_t count;
    size_t capacity;
    struct arena arena;
};
struct history history_of(rs_store *store, uint64_t revision);
void history_free(struct history *history);

#endif
