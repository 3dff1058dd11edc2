/*
 * store.h - an open store and its transactions: where environment, tree, journal and bell meet.
 *
 * Gives rs_store and rs_txn. A commit is: judge by the rules, write back the tree, write the
 * journal, commit the environment, ring the bell. Read transactions are pooled: an ended one keeps
 * its reader slot and is renewed by the next. store_room.c is for the time when the disk is full.
 * Needs everything before it.
 */
#ifndef REGSTORE_STORE_H
#define REGSTORE_STORE_H

#include <stdatomic.h>

#include <time.h>

#include "bell.h"
#include "journal.h"
#include "schema.h"
#include "tree.h"

/* The directory of the open watches, see watch.h; made with the store, so that it has its group. */
#define STORE_WATCHES_DIR "watches"

#define STORE_POOL 16u /* read transactions that are kept when they have ended */
typedef _Atomic(struct rs_txn *) pool_place;

struct rs_store {
    struct env *env;
    struct env_guest guest;
    bool readonly; /* asked for, or all that the files allow */
    char *dir;     /* absolute, as the program may change its directory */
    pool_place pool[STORE_POOL];
    _Atomic(struct schema_cache *) rules; /* of the last write transaction; NULL: one has it */
};

struct rs_cursor {
    struct rs_txn *txn;
    struct tree_list list;
    bool values; /* or subkeys */
    struct rs_cursor *next_free;
};

struct rs_txn {
    struct rs_store *store;
    pool_place *place; /* of a read transaction; NULL: it is not kept */
    struct env_txn env;
    struct tree tree;
    struct journal journal; /* of a write transaction */
    struct arena arena;
    struct schema_cache *rules;     /* NULL: none was asked for yet */
    struct rs_cursor *free_cursors; /* closed ones, kept for their memory */
    uint64_t revision;              /* that it sees; of a read transaction once state is loaded */
    bool state_loaded;
    const char *program;     /* NULL: the process's */
    const char *message;     /* NULL: none */
    uint64_t journal_bytes;  /* when a write transaction began */
    unsigned revision_flags; /* RS_REVISION_..., of the revision that is being made */
    uint64_t undone_from;    /* the revisions that it takes back; else 0 */
    uint64_t undone_to;
    uint64_t undone_changes; /* told by the journal when the undo was done */
    bool mixed;              /* the revision is more than that undo */
    uint64_t pending; /* the revision that waits for confirmation when this one begins; 0: none */
    bool to_confirm;  /* this one is to wait for confirmation, so long */
    uint32_t confirm_seconds;
    bool recorded;               /* it makes a revision even if it changes nothing */
    bool forced;                 /* what the rules refuse is committed, too */
    struct schema_exempt undone; /* its changes by which the past comes back as it was */
};

/* What the store counts, from its one state record. */
struct store_state {
    uint64_t revision;
    uint64_t txn_number; /* LMDB's, of the commit that made the revision */
    struct tree_state tree;
    uint64_t journal_bytes; /* records of the journal, with their keys */
};
int store_state_read(struct env_txn *txn, struct store_state *state);
int store_state_write(struct env_txn *txn, const struct store_state *state);

int store_open(const char *dir, unsigned flags, struct rs_store **store, rs_error *error);
void store_close(struct rs_store *store);

int store_begin(struct rs_store *store, bool write, struct rs_txn **txn, rs_error *error);
int store_commit(struct rs_txn *txn, uint64_t *revision);
void store_abort(struct rs_txn *txn);
uint64_t store_revision(struct rs_txn *txn);

/* ---- What store.c and store_room.c share ---- */

/* Begins tree and journal of a write transaction whose env transaction has begun. */
int store_start_writing(struct rs_txn *txn);
/* Writes and commits what a write transaction has changed, without ringing. */
int store_try_commit(struct rs_txn *txn);
/* True for a status that tells that a transaction found no room. */
bool store_is_full(int status);
/* After store_try_commit() of a transaction that only deletes has failed with status, for want of
 * room: does its deletions again, as one transaction, with less and less of a record. */
int store_delete_briefly(struct rs_txn *txn, int status);
/* Removes the older half of the history if there is no room. False if that gained nothing. */
bool store_shorten_history(struct env *env);

/* ---- A change that waits for confirmation (store_pending.c) ---- */

#define STORE_BOOT_SIZE 80u
struct store_pending {
    uint64_t revision;
    uint32_t seconds;           /* that it was given */
    uint64_t deadline;          /* by the time of day, a FILETIME */
    uint64_t boot_deadline;     /* by CLOCK_BOOTTIME, in nanoseconds */
    char boot[STORE_BOOT_SIZE]; /* the machine's start that the latter counts from; "": unknown */
};
/* RS_ENOTFOUND: none waits. */
int store_pending_read(struct env_txn *txn, struct store_pending *pending);
int store_pending_write(struct env_txn *txn, const struct store_pending *pending);
int store_pending_forget(struct env_txn *txn);
/* How long it still waits, in milliseconds; 0: its time is over. */
uint64_t store_pending_left(const struct store_pending *pending);
/* Of the revision that is being written: begins or ends the waiting that it is for. */
int store_pending_commit(struct rs_txn *txn);

/* Judges what a write transaction has changed by the rules, before its commit. (store_rules.c) */
int store_check_rules(struct rs_txn *txn);
/* How much history is kept, as the store's settings say it; fails where they cannot be read.
 * (store_history.c) */
int store_history_limits(struct rs_txn *txn, struct journal_limits *limits);

/* The present as a FILETIME, and another moment. */
uint64_t store_now(void);
uint64_t store_filetime(struct timespec moment);

#endif
