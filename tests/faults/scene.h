/*
 * scene.h - what a tortured store holds: content that tells by itself whether it is whole.
 *
 * Each verb changes a corner of HKLM\T in one transaction and stamps all that it touches with the
 * number of the revision that it is going to be. So half a revision shows as stamps that differ,
 * and a revision without its changes as a number that is higher than every stamp. A revision's
 * message is its verb's name, so that a watch's batch can be checked against what the verb does.
 * Needs rig.
 */
#ifndef SCENE_H
#define SCENE_H

#include "rig.h"

enum scene_verb {
    SCENE_NOTE,   /* one value: the smallest revision */
    SCENE_SET,    /* eight values of a key */
    SCENE_IMPORT, /* a dump of many small keys, over what is there */
    SCENE_RENAME, /* a key with others below it */
    SCENE_TREE,   /* makes a subtree, or deletes it recursively */
    SCENE_BIG,    /* a value that needs pages of its own and several chunks of the journal */
    SCENE_VERBS
};

#define SCENE_ROOT "HKLM\\T"

/* Makes the store with all corners, and revisions of small verbs until the journal is trimmed. */
void scene_prepare(rs_store *store, unsigned revisions, struct rig_random *random);

/* One verb as one revision, whose number is returned; file is where a dump may be written. */
uint64_t scene_do(rs_store *store, enum scene_verb verb, const char *file);
enum scene_verb scene_any(struct rig_random *random);

/* Ends the program unless the snapshot is whole. */
void scene_check(rs_txn *txn);
/* The same for the changes of one revision, as a watch of SCENE_ROOT with RS_SUBTREE tells them. */
void scene_check_batch(const rs_batch *batch);
/* Walks all of the store and compares with what it counts. */
void scene_count(rs_txn *txn);

#endif
