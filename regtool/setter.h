/*
 * Who set a value, and when. It needs the journal of an open transaction; it gives the newest
 * revision that each of some values of one key comes from, as far back as the journal reaches.
 */
#ifndef REGTOOL_SETTER_H
#define REGTOOL_SETTER_H

#include <stdbool.h>
#include <stdio.h>

#include <regstore.h>

#include "json.h"

struct setter {
    const char *name; /* of the value; not owned */
    size_t name_len;
    enum rs_change_kind kind; /* what the revision did: to the value, or to a key with all in it */
    uint64_t revision;        /* 0: none that the journal still holds */
    uint64_t time;
    uint32_t uid;
    char *program; /* setter_free() */
    char *message;
};

/* Completes the rows, of which names are filled in; path is the key's canonical one. */
int setters_find(rs_txn *txn, const char *path, size_t len, struct setter *rows, size_t count);
void setter_free(struct setter *setter);

/* "revision 12 by root on 2026-11-21 10:00:03 (regtool): message" */
void setter_show(FILE *out, const struct setter *setter);
/* Members "revision", "time", "uid", "user", "program", "message"; none without a revision. */
void setter_json(struct json *json, const struct setter *setter);

#endif
