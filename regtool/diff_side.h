/*
 * One side of regtool diff: a key of the store, or a file. It needs the word that names it; it
 * gives a transaction in which the key to be compared can be opened, whatever it is.
 */
#ifndef REGTOOL_DIFF_SIDE_H
#define REGTOOL_DIFF_SIDE_H

#include <stdbool.h>

#include <regstore.h>

#include "keypath.h"
#include "scratch.h"

/* Starts from all zeros, asked, is_file and flags. */
struct diff_side {
    const char *asked;
    bool is_file;
    unsigned flags;         /* of the import of a file */
    struct scratch scratch; /* of a file */
    rs_txn *txn;            /* of a key: its owner's; of a file: that of scratch */
    bool imported;
    bool patch; /* the file's keys say themselves where they belong */
    rs_key key; /* RS_NO_KEY: all roots */
    struct keypath path;
};

/* Whether a word names a key: it begins with a root. Else it is a file. */
bool diff_side_is_key(const char *word);

/* Imports a file into a store of its own. With mount NULL it must say itself where it belongs: if
 * it does not, imported stays false and nothing is reported. Else it is put at mount, unless it
 * says so itself. Returns 0, or 1 after a report. */
int diff_side_import(struct diff_side *side, const char *mount);
/* Takes a key by its path; ENOTFOUND and others are reported, too. hidden as for keypath_spell().
 */
int diff_side_open(struct diff_side *side, const char *path, size_t hidden);
/* Where a listing was put, or where a key is: its canonical path, which belongs to the transaction.
 * NULL after a report. */
const char *diff_side_place(const struct diff_side *side);
void diff_side_end(struct diff_side *side);

#endif
