/*
 * watch.h - telling a process what has changed below a key.
 *
 * A watch reads the journal from its position on and gives the changes that concern its key, a
 * revision at a time; the bell tells it when to look. The parts: watch.c reads revisions into
 * batches; watch_match.c finds out where the watched key is and whether a change concerns it;
 * watch_register.c lists the open watches of all processes; watch_record.c is the form in which a
 * named watch keeps its position, watch_named.c its file; watch_concern.c says whom a change
 * concerns, and watch_answer.c lists these files and waits for what services answer in them. Needs
 * store.
 */
#ifndef REGSTORE_WATCH_H
#define REGSTORE_WATCH_H

#include <sys/types.h>

#include "journal_digest.h"
#include "store.h"

/* ---- Where the watched key is (watch_match.c) ---- */

/* Folded canonical paths. A change at one of the links, or above it, moves the target. */
struct watch_target {
    struct buffer path;  /* of the watched key, whether it exists or not */
    struct buffer links; /* those on the way to it, each ended by 0xff */
    struct buffer rules; /* of the rule key for just this key; others mean it, too */
    size_t components;   /* of path */
};
int watch_resolve(struct watch_target *target, struct tree *tree, struct slice path);
void watch_target_free(struct watch_target *target);
/* Appends the path with its stored root: what is a view to this user may be none to others. NUL
 * follows it. */
int watch_stored_path(struct slice path, struct buffer *stored, rs_error *error);

enum watch_match {
    WATCH_NOTHING, /* does not concern the watch */
    WATCH_RULE,    /* concerns it as a rule does */
    WATCH_ENTRY,   /* concerns it */
    WATCH_MOVED    /* concerns it, and the target has to be looked up again */
};
/* Whether a change concerns the watch, which has these RS_... flags; scratch is memory for folding.
 * *relative points into the change's path. */
int watch_match(const struct watch_target *target, unsigned flags, const struct change *change,
                struct buffer *scratch, enum watch_match *match, const char **relative);
/* Adds what a digest of the journal has if one of its revisions has a change that concerns the
 * target. */
int watch_want(const struct watch_target *target, struct journal_wanted *wanted);

/* ---- The list of watches (watch_register.c) ---- */

/* A file in the directory "watches" that is locked as long as the watch is open. A child that was
 * forked inherits the lock, so a watch counts only while the process named in the file lives. */
struct watch_entry {
    int fd;          /* -1: could not be made; the watch works without */
    const char *dir; /* the store's, which lives longer */
    unsigned number; /* in its name, after the process's */
};
/* path is shown up to its first NUL. */
void watch_register(struct watch_entry *entry, const char *dir, const char *path);
/* forked: in a child; the entry stays, as it is the parent's. */
void watch_unregister(struct watch_entry *entry, bool forked);
/* rs_watchers() of regstore.h; removes the files of watches whose process died. */
int watch_list(const char *dir, int (*each)(void *context, const rs_watcher *watcher),
               void *context);

/* ---- What the files in "watches" share (watch_register.c) ---- */

/* The directory. Never through a symbolic link: who owns the store could lead root to a directory
 * of his choice, to make files there or remove them. -1 with errno. */
int watch_open_dir(const char *dir, int flags);
/* An OFD lock on all that the file has; 0 or -1 with errno. */
int watch_lock(int fd);
bool watch_is_locked(int fd);
/* Behind it, a lock of the process's own: no child inherits it, and it tells whose it is, so that
 * one call finds out that the process lives. It is lost when the process closes the file anywhere,
 * so that nothing follows from its not being there. */
void watch_mark(int fd);
pid_t watch_marked_by(int fd); /* 0: no process */
/* When a process was started, in ticks since boot; 0 if it is not there or cannot be seen. */
unsigned long long watch_process_started(pid_t pid);
bool watch_process_alive(pid_t pid, unsigned long long started);

/* ---- What a named watch keeps (watch_record.c) ---- */

/* A file has two slots of this many bytes, written by turns: while one is written the other is
 * whole. */
#define WATCH_SLOT 8192u
#define WATCH_MAX_NAME 64u
#define WATCH_MAX_PROGRAM 255u
#define WATCH_MAX_PATH 4096u
#define WATCH_MAX_REASON 1023u
#define WATCH_MAX_BESIDE 1024u
#define WATCH_ROWS 16u
/* A position where none is known, as the file was damaged or of another store: beyond all others,
 * so that the watch says RS_EBEHIND, after a crash once more. */
#define WATCH_LOST UINT64_MAX

struct watch_row {
    uint64_t from;
    uint64_t to;
};

struct watch_record {
    uint64_t counter; /* of the writes; the higher one counts */
    uint32_t pid;
    uint64_t started; /* of the process */
    uint64_t store;   /* the data file's inode: the numbers below mean its revisions */
    bool subtree;
    bool rules; /* RS_WATCH_RULES */
    bool ended; /* closed, not killed */
    uint64_t position;
    uint64_t answered; /* all revisions up to this one; 0: none */
    enum rs_answer answer;
    /* The last rows of revisions that were rejected, by turns; {0, 0} is none. */
    struct watch_row rejected[WATCH_ROWS];
    uint64_t rows;          /* that there were; the last one is at (rows - 1) % WATCH_ROWS */
    uint64_t forgotten;     /* where the last row ended that is not kept */
    uint64_t restart_since; /* the first and the last answer that a restart is needed; 0: none */
    uint64_t restart_to;
    char program[WATCH_MAX_PROGRAM + 1];
    char path[WATCH_MAX_PATH + 1];
    char reason[WATCH_MAX_REASON + 1];  /* of the last answer */
    char refusal[WATCH_MAX_REASON + 1]; /* of the last rejection */
    /* Further keys that are answered for: each path with its NUL, and "" as the end. */
    char beside[WATCH_MAX_BESIDE + 1];
    size_t beside_size; /* without the end */
};
#define WATCH_BESIDE_FLAGS (RS_SUBTREE | RS_WATCH_RULES)
/* Those of the watch. */
static inline unsigned watch_record_flags(const struct watch_record *record)
{
    return (record->subtree ? RS_SUBTREE : 0u) | (record->rules ? RS_WATCH_RULES : 0u);
}
/* Fills a slot; gives the bytes of it that count. */
int watch_record_put(struct buffer *slot, struct watch_record *record);
/* The newest record of a file's bytes. RS_EDAMAGED if no slot is whole; *record counts for nothing
 * then. */
int watch_record_get(const void *file, size_t size, struct watch_record *record);
/* Takes one more key into a record; a path that it has is not taken twice. RS_ETOOLONG: there is no
 * room. */
int watch_record_add_beside(struct watch_record *record, struct slice path);
/* What a slot begins with, and the sum of its fields that it holds. */
#define WATCH_RECORD_MAGIC 0x31575352u /* "RSW1" */
uint64_t watch_record_sum(const void *bytes, size_t size);
/* Takes an answer up to a revision into a record; it never holds RS_ANSWER_SETTLED. */
void watch_record_answer(struct watch_record *record, uint64_t revision, enum rs_answer answer,
                         const char *reason);
/* What the record says about one revision; RS_ANSWER_NONE: nothing yet. *reason is of the record.
 */
enum rs_answer watch_record_judge(const struct watch_record *record, uint64_t revision,
                                  const char **reason);

/* ---- The file of a named watch (watch_named.c) ---- */

struct watch_named {
    int fd;
    struct watch_record record;
    struct buffer slot; /* memory */
};
bool watch_name_is_good(const char *name);
/* Makes the name's file, for its path and process, with the position that it had or, if it had
 * none, with this one. RS_EBUSY: another process, or another watch of this one, has it. */
int watch_named_open(const char *dir, const char *name, const struct watch_record *fresh,
                     struct watch_named **named, rs_error *error);
/* Writes the record. */
int watch_named_save(struct watch_named *named);
/* Notes that all up to a revision has been dealt with. Failing costs no more than hearing of it
 * twice. */
void watch_named_reach(struct watch_named *named, uint64_t position);
/* Lets others see, about once a minute, that the process lives; nobody is woken. */
void watch_named_touch(const struct watch_named *named);
/* Removes the file of a watch that is not open. RS_EBUSY: it is; RS_ENOTFOUND. */
int watch_named_forget(const char *dir, const char *name, rs_error *error);
/* forked: in a child; the file stays as it is. NULL is allowed. */
void watch_named_close(struct watch_named *named, bool forked);

/* A file as others see it. */
struct watch_seen {
    char name[WATCH_MAX_NAME + 1];
    bool alive;     /* the process has it open */
    bool damaged;   /* nothing can be read from it: of the record only pid counts, 0 if not known */
    uint64_t heard; /* when its process last wrote into it or touched it */
    struct watch_record record;
};
/* A process that was found alive before: to look for it again costs a tenth. */
struct watch_process {
    uint32_t pid; /* 0: none */
    uint64_t started;
};
/* RS_ENOTFOUND: there is none. dir_fd is of "watches". */
int watch_named_look(int dir_fd, const char *name, struct watch_process known,
                     struct watch_seen *seen);
/* Calls each for every file, by name. Gives each's answer, or a status. */
int watch_named_list(const char *dir, int (*each)(void *context, const struct watch_seen *seen),
                     void *context);

/* ---- Whom a change concerns (watch_concern.c) ---- */

/* What has changed. Starts as {.txn, .revision}. */
struct watch_news {
    struct rs_txn *txn;
    uint64_t revision; /* 0: what the write transaction has changed so far */
    struct journal_reader reader;
    struct buffer scratch;
};
/* Whether a watch on the key would be told of some of it. */
int watch_concerns(struct watch_news *news, struct slice path, unsigned flags, bool *concerned);
void watch_news_free(struct watch_news *news);

/* ---- What services answer (watch_answer.c) ---- */

/* The calls of regstore.h. */
int watch_services(struct rs_store *store, int (*each)(void *context, const rs_service *service),
                   void *context);
int watch_wait(struct rs_store *store, uint64_t revision, int timeout,
               int (*each)(void *context, const rs_service *service), void *context);

/* ---- The watch (watch.c) ---- */

int watch_open(struct rs_store *store, struct slice path, unsigned flags, uint64_t since,
               struct rs_watch **watch, rs_error *error);
int watch_open_named(struct rs_store *store, const char *name, struct slice path, unsigned flags,
                     struct rs_watch **watch, rs_error *error);
int watch_answer_for(struct rs_watch *watch, struct slice path, rs_error *error);
int watch_answer(struct rs_watch *watch, uint64_t revision, enum rs_answer answer,
                 const char *reason);
int watch_fd(const struct rs_watch *watch);
int watch_next(struct rs_watch *watch, const rs_batch **batch);
uint64_t watch_position(const struct rs_watch *watch);
void watch_close(struct rs_watch *watch);

#endif
