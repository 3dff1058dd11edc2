/*
 * journal.h - the record of every revision: who, when, and each change with what was before.
 *
 * Gives a sink that writes a transaction's changes as they happen, a reader that gives them back,
 * and the retention. History, undo and watches stand on it. Needs env, record, change.
 *
 * The table is keyed by (revision, chunk), both big-endian. Chunk 0 holds the revision's head and
 * the end of its stream of changes; a longer stream begins in the chunks 1, 2, ... A chunk is at
 * most JOURNAL_CHUNK bytes. Each change in the stream has its length before it. Before the first
 * revision, with the number 0, are the digests (journal_digest.h).
 */
#ifndef REGSTORE_JOURNAL_H
#define REGSTORE_JOURNAL_H

#include "change.h"
#include "env.h"
#include "record.h"

/* Four pages with LMDB's own head: it wants them side by side, and finds that among free pages only
 * if it is not much. */
#define JOURNAL_CHUNK 16368u
#define JOURNAL_KEY_SIZE 12u
#define JOURNAL_MAX_NOTE 4096u /* bytes of a message or a program's name */

/* What is known of a revision as a whole. Texts read from the journal live as long as the read
 * transaction. */
struct journal_head {
    uint64_t revision;
    uint64_t time; /* FILETIME */
    uint32_t uid;
    uint32_t pid;
    unsigned flags; /* RS_REVISION_... */
    uint64_t from;  /* the revisions that an undo took back; else 0 */
    uint64_t to;
    const char *program;
    const char *message;
};

/* ---- Writing ---- */

/* As long as a revision only deletes, its whole stream is kept in memory until journal_finish(), so
 * that its deletions can be done again where there was no room to record them. */
struct journal {
    struct change_sink sink; /* for the tree */
    struct env_txn *txn;
    uint64_t revision; /* that is being made */
    uint32_t chunk;    /* the last one written */
    uint64_t changes;  /* told so far */
    bool adds;         /* not all of them delete */
    bool brief;        /* what was deleted is not recorded, only that it was */
    struct buffer pending;
    size_t written; /* bytes of it */
    uint64_t bytes; /* stored, with the keys of the table */
};
void journal_begin(struct journal *journal, struct env_txn *txn, uint64_t revision);
/* Writes what is left, and the head, whose revision is the journal's own. */
int journal_finish(struct journal *journal, const struct journal_head *head);
/* The change at *at in a journal that only deletes; RS_END behind the last. Begin with 0. */
int journal_told(const struct journal *journal, size_t *at, struct change *change);
void journal_free(struct journal *journal);

/* What of the history is kept. */
struct journal_limits {
    uint64_t revisions;
    uint64_t bytes;  /* 0: any number */
    uint64_t oldest; /* FILETIME: what was made before it goes; 0: nothing goes for its age */
    uint64_t needed; /* this revision and those after it stay; 0: none is needed */
    unsigned steps;  /* revisions that are removed in one call, at most */
    unsigned chunks; /* the same beyond a bounded number that is always possible */
};
/* Removes the oldest revisions that are beyond the limits, and at most so many in one call that it
 * costs a commit a bounded amount of work. bytes may be NULL; what is removed is taken off. */
int journal_trim(struct env_txn *txn, uint64_t latest, const struct journal_limits *limits,
                 uint64_t *bytes);
/* Removes the revisions after one, in a store that nobody else uses, and what is left of that one
 * if it is no longer whole. */
int journal_cut(struct env_txn *txn, uint64_t last, uint64_t *bytes);
/* Removes all of them, in a store that nobody else uses. */
int journal_clear(struct env_txn *txn);
#define JOURNAL_TRIM_STEP 4u
/* What is left of a large revision goes with this one of so many, if nothing else is to go. */
#define JOURNAL_LOOK 16u

/* ---- Reading ---- */

struct journal_reader {
    struct env_txn *txn;
    uint64_t revision;
    uint32_t chunk;       /* the next one to read; 0: the end of the stream in the head */
    uint32_t chunks;      /* numbered ones */
    struct slice tail;    /* of the stream, in chunk 0 */
    bool unwritten;       /* the tail is in memory: the revision is being made */
    bool ended;           /* the tail is in the buffer */
    struct buffer buffer; /* of the stream */
    uint64_t offset;      /* of the buffer in the stream */
    size_t at;            /* in the buffer */
};
/* The oldest revision kept; 0 if there is none. */
int journal_first(struct env_txn *txn, uint64_t *revision);
/* When a revision was made. */
int journal_time(struct env_txn *txn, uint64_t revision, uint64_t *time);
/* Starts reading a revision in a read transaction. RS_ENOTFOUND if the journal does not hold it.
 * reader starts as {0} and may be opened again, which reuses its memory. */
int journal_open(struct journal_reader *reader, struct env_txn *txn, uint64_t revision,
                 struct journal_head *head);
/* The next change, in the order they were made; RS_END after the last. Pointers live until the next
 * call. */
int journal_next(struct journal_reader *reader, struct change *change);
/* Where in the stream the next change is, and going back there. */
uint64_t journal_at(const struct journal_reader *reader);
int journal_seek(struct journal_reader *reader, uint64_t at);
void journal_close(struct journal_reader *reader);
/* The next change of a revision that is being made, as long as nothing more is told; RS_END after
 * the last. reader starts as {0}; close it afterwards. */
int journal_review(const struct journal *journal, struct journal_reader *reader,
                   struct change *change);

/* ---- Reading the heads of many revisions, newest first ---- */

struct journal_scan {
    struct env_txn *txn;
    struct env_cursor cursor;
    uint64_t newest;
    uint64_t revision; /* that it stands on; 0 before the first */
    bool away;         /* the next one is looked for */
    struct slice tail; /* the stream of its changes, or the end of a longer one */
    bool longer;
};
/* Begins with newest, or the one before it that there is. */
int journal_scan_begin(struct journal_scan *scan, struct env_txn *txn, uint64_t newest);
/* RS_END after the oldest. */
int journal_scan_next(struct journal_scan *scan, struct journal_head *head);
/* Leaves out those between the one that it stands on and the next one that is wanted. */
void journal_scan_skip(struct journal_scan *scan, uint64_t next);
void journal_scan_end(struct journal_scan *scan);

/* What of a change can be told without decoding it. */
struct journal_glance {
    enum rs_change_kind kind;
    bool inner;
    const char *path;
    size_t path_len;
    struct slice stored; /* for journal_get_change() */
};
/* Takes the next change off a stream that is whole. RS_END after the last. */
int journal_glance(struct slice *stream, struct journal_glance *glance);
int journal_get_change(struct slice stored, struct change *change);

/* ---- Where inner changes are ---- */

/* A key that a recursive delete removed, on the way down to the one being told. */
struct journal_level {
    rs_key key;
    size_t path_len; /* the caller's */
};
/* Brings levels, struct journal_level each, to those above a change: none for one that is not
 * inner, else those that lead to the key it is in. RS_EDAMAGED if none does. */
int journal_find_level(struct buffer *levels, const struct change *change);
/* After a change at a path of that length: a deleted key is a level. */
int journal_add_level(struct buffer *levels, const struct change *change, size_t path_len);

#endif
