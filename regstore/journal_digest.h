/*
 * journal_digest.h - what whole blocks of revisions touched, in few bytes.
 *
 * Who looks for the revisions of one key among very many need not read each: the journal has, for
 * every JOURNAL_BLOCK revisions, a digest that says of a path "not in these" or "maybe". It is
 * written by the commit that completes the block, goes with the block's last revision, and is no
 * more than a help: a block without one is read. Gives the digests, and the way past the blocks
 * that they rule out. Needs journal.
 *
 * A digest is the record (0, block) of the journal's table, where no revision is; the block is the
 * revision divided by JOURNAL_BLOCK. It holds a bit for each revision that was too long to be
 * looked through, or could not be, and so has to be read in any case; then a Bloom filter of a
 * power of two of bytes. The filter has each path of a change and all above it, folded, and once
 * more the paths themselves of all changes that are not of a value: those matter to the keys below.
 */
#ifndef REGSTORE_JOURNAL_DIGEST_H
#define REGSTORE_JOURNAL_DIGEST_H

#include "journal.h"

#define JOURNAL_BLOCK 256u

/* ---- Writing ---- */

/* After the last record of a revision: writes the digest of the block that it completes, if it
 * does; what is stored is added to *bytes. */
int journal_digest_write(struct env_txn *txn, uint64_t revision, uint64_t *bytes);
/* After a revision was removed: removes the digest if it was the last of a block. What is removed
 * is added to *removed. */
int journal_digest_trim(struct env_txn *txn, uint64_t revision, uint64_t *removed);
/* Removes those that tell of revisions after one. */
int journal_digest_cut(struct env_txn *txn, uint64_t last, uint64_t *removed);

/* Looks whether a record (0, block) is as it would be written. RS_EDAMAGED with what is wrong in
 * *why. */
int journal_digest_check(struct env_txn *txn, uint64_t block, struct slice record, rs_error *why);

/* ---- Asking ---- */

/* What is looked for: any of what was added. {BUFFER_INIT} at first; paths are folded. */
struct journal_wanted {
    struct buffer hashes; /* uint64_t each */
};
/* Changes at a path or below it. */
int journal_want_below(struct journal_wanted *wanted, struct slice path);
/* Changes at a path or above it, but for those of values. */
int journal_want_above(struct journal_wanted *wanted, struct slice path);
void journal_wanted_free(struct journal_wanted *wanted);

struct journal_sieve {
    struct env_cursor cursor;
    const struct journal_wanted *wanted; /* lives longer */
    bool loaded;
    uint64_t block; /* that was looked at last */
    bool maybe;     /* all of its revisions may be wanted, else the marked ones */
    bool some;      /* are marked */
    unsigned char marked[JOURNAL_BLOCK / 8];
};
int journal_sieve_begin(struct journal_sieve *sieve, struct env_txn *txn,
                        const struct journal_wanted *wanted);
/* Moves *revision back to the newest one that may be wanted, itself or one before it. RS_END if
 * none is, down to oldest. */
int journal_sieve_next(struct journal_sieve *sieve, uint64_t oldest, uint64_t *revision);
void journal_sieve_end(struct journal_sieve *sieve);

#endif
