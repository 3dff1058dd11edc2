/*
 * digest_steps.h - what the suites of the journal's digests share: a store, its digests, and
 * searches.
 *
 * Calls that fail end the running test. Needs stores.h.
 */
#ifndef DIGEST_STEPS_H
#define DIGEST_STEPS_H

#include "stores.h"

#include "../regstore/watch.h"

/* Of the running test, which closes it. */
extern rs_store *digest_store;
/* Opens it. Nobody needs its commits on the disk. */
void digest_begin(void);
uint64_t digest_latest(rs_store *of);

unsigned digest_count(rs_store *of);
void digest_remove_all(void);

/* A callback that appends the revision's number to a buffer. */
int digest_add_number(void *context, const rs_revision_info *info);
/* Appends the revisions that concern a key, uint64_t each, and a 0. */
void digest_find(struct buffer *found, const char *path, unsigned flags, uint64_t newest,
                 uint64_t oldest);
/* The revisions of whole blocks that need not be read for a key. */
unsigned digest_unread_for(const char *path);

#endif
