/*
 * watch.h - telling a process what has changed below a key.
 *
 * A watch reads the journal from its position on and gives the changes that concern its key, a
 * revision at a time; the bell tells it when to look. Three parts: watch.c reads revisions into
 * batches; watch_match.c finds out where the watched key is and whether a change concerns it;
 * watch_register.c lists the open watches of all processes. Needs store.
 */
#ifndef REGSTORE_WATCH_H
#define REGSTORE_WATCH_H

#include "store.h"

/* ---- Where the watched key is (watch_match.c) ---- */

/* Folded canonical paths. A change at one of the links, or above it, moves the target. */
struct watch_target {
    struct buffer path;  /* of the watched key, whether it exists or not */
    struct buffer links; /* those on the way to it, each ended by 0xff */
    size_t components;   /* of path */
};
int watch_resolve(struct watch_target *target, struct tree *tree, struct slice path);
void watch_target_free(struct watch_target *target);

enum watch_match {
    WATCH_NOTHING, /* does not concern the watch */
    WATCH_ENTRY,   /* concerns it */
    WATCH_MOVED    /* concerns it, and the target has to be looked up again */
};
/* Whether a change concerns the watch; scratch is memory for folding. *relative points into the
 * change's path. */
int watch_match(const struct watch_target *target, bool subtree, const struct change *change,
                struct buffer *scratch, enum watch_match *match, const char **relative);

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

/* ---- The watch (watch.c) ---- */

int watch_open(struct rs_store *store, struct slice path, unsigned flags, uint64_t since,
               struct rs_watch **watch, rs_error *error);
int watch_fd(const struct rs_watch *watch);
int watch_next(struct rs_watch *watch, const rs_batch **batch);
uint64_t watch_position(const struct rs_watch *watch);
void watch_close(struct rs_watch *watch);

#endif
