/*
 * verbs.h - every verb of the public interface, once, for the programs that make the system fail
 * under each of them in turn.
 *
 * A place is a directory with a store of known content ("store"), with dumps to import and a file
 * to write over ("files"), and an empty directory for $TMPDIR ("tmp"). A verb is a row of
 * verb_reads or one of the other tables below: verb_run() begins the transaction that it wants,
 * opens its key, lets it act once, looks at what it got, and ends the transaction. The renderings
 * turn what is stored into a string, so that "as before or as after, never between" is a comparison
 * of strings. To add a verb, write its function and its row in verbs_read.c, verbs_write.c,
 * verbs_rules.c or verbs_history.c. Needs regstore.h.
 */
#ifndef VERBS_H
#define VERBS_H

#include <limits.h>
#include <stdbool.h>
#include <regstore.h>

struct verb_place {
    char top[PATH_MAX / 2];
    char dir[PATH_MAX]; /* of the store */
    /* Of an open place. */
    rs_store *store;
    rs_watch *watch; /* one that stands open */
    /* Of a running verb. */
    rs_txn *txn;
    rs_key key;
    rs_error error;
    char file[PATH_MAX]; /* the path that verb_file() gave last */
};

enum {
    VERB_READS = 1,    /* acts in a read transaction */
    VERB_WRITES = 2,   /* acts in a write transaction and changes the store */
    VERB_OPENS = 4,    /* opens the store itself: the place must not be open */
    VERB_FILES = 8,    /* changes what lies in "files" */
    VERB_NEW = 16,     /* makes another store, "new" in the place */
    VERB_MANY = 32,    /* makes many calls, so after a failure it must be aborted */
    VERB_WAITS = 64,   /* wants a change that waits for confirmation */
    VERB_DUE = 128,    /* the same, and its time is over */
    VERB_UNDONE = 256, /* wants the last revision to be taken back, by revision VERB_UNDO */
    VERB_STEPS = 512   /* several commits, or what memory was missing for is left to the next one */
};

#define VERB_LAST 5 /* revision of a place */
#define VERB_UNDO 6

struct verb {
    const char *name;
    unsigned flags;
    const char *key; /* that it acts on, opened before; NULL: none */
    int (*act)(struct verb_place *place);
};

/* The tables; each ends with a row without a name. */
extern const struct verb verb_reads[];
extern const struct verb verb_history[];
extern const struct verb verb_services[];
extern const struct verb verb_writes[];
extern const struct verb verb_rules[];
/* Stores the rules that those of verb_rules look at, and a key that has them. */
int verb_add_rules(rs_txn *txn);
/* The verbs of all, counted from 0; NULL after the last. */
const struct verb *verb_at(size_t number);

/* A verb's answer when it succeeded and what it gave is wrong. */
#define VERB_WRONG 1

/* How verb_run() ends a write transaction in which the verb failed. */
enum verb_ending { VERB_ABORTS, VERB_COMMITS };

/* Makes the store and the files below top, an empty directory. The place is not open after it. */
int verb_prepare(struct verb_place *place, const char *top);
/* Makes another place below top, an empty directory, with what a place that is not open holds. */
int verb_copy(const struct verb_place *from, struct verb_place *to, const char *top);
/* Makes what the verb wants to find there, in a place that is not open. */
int verb_arrange(const struct verb *verb, struct verb_place *place);
int verb_open(struct verb_place *place);
void verb_close(struct verb_place *place);
/* Removes the files and the directories below top. */
void verb_remove(const char *top);

/*
 * Runs a verb once; gives its status or VERB_WRONG. place->error says what failed, or has status
 * RS_OK. With VERB_COMMITS a write transaction is committed after a failed verb, too: that must
 * store nothing, unless the verb is one of many calls.
 */
int verb_run(const struct verb *verb, struct verb_place *place, enum verb_ending ending);

/* A file of the place's "files"; lives until the next call. */
const char *verb_file(struct verb_place *place, const char *name);

/* All that a store holds, with its revision and without times. *text is the caller's (free). The
 * second form opens the store in dir, read-only, and closes it. */
int verb_render(rs_store *store, char **text);
int verb_render_dir(const char *dir, char **text);
/* False if something was left in the place's "tmp". */
bool verb_left_nothing(const struct verb_place *place);
/* The names, sizes and contents of the place's files. NULL if they cannot be read. */
char *verb_render_files(const struct verb_place *place);

#endif
