/*
 * check.h - is everything in the store as the library writes it?
 *
 * Walks the three tables of one snapshot, decodes each record with the module that owns it, and
 * tells each disagreement as a damage. check.c looks at the counts and the journal, check_tree.c at
 * keys and values. LMDB trusts its pages, so on a damaged file the walk can crash: whoever wants to
 * live through that lets a child do it. Needs store.
 */
#ifndef REGSTORE_CHECK_H
#define REGSTORE_CHECK_H

#include "store.h"

/* One check at work. */
struct check {
    struct rs_txn *txn;
    struct store_state state;
    const rs_check_options *options;
    rs_check_report report; /* so far */
    struct buffer path;     /* of the key that a damage is at */
};

/* rs_check() of regstore.h. */
int check_store(struct rs_txn *txn, const rs_check_options *options, rs_check_report *report);

/* ---- Inside ---- */

/* Keys and values. */
int check_tree(struct check *check);
/* Tells a damage; key and revision say where it is, either may be 0. RS_ECANCELLED. */
int check_found(struct check *check, rs_key key, uint64_t revision, const char *format, ...)
    RS_PRINTF(4, 5);
/* Tells the caller how far it is, every so many records at least. RS_ECANCELLED. */
int check_progress(struct check *check);
#define CHECK_STEP 4096u

/* A walk through a table in the order of its keys, which must ascend: what LMDB gives from damaged
 * pages may go round in circles. */
struct check_walk {
    struct check *check;
    enum env_table table;
    struct env_cursor cursor;
    struct slice key;
    struct slice value;
    uint64_t entries; /* so far */
    unsigned char last[512];
    size_t last_size;
};
/* The next entry, of a walk that begins with its check and table alone. RS_END after the last, and
 * where the table cannot be read on, which has been told then. Other failures are the check's. */
int check_walk_next(struct check_walk *walk);
void check_walk_end(struct check_walk *walk);

#endif
