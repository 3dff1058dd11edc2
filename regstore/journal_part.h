/*
 * journal_part.h - what the files of the journal share: keys of the table, changes as bytes.
 *
 * Needs journal. A part of journal.
 */
#ifndef REGSTORE_JOURNAL_PART_H
#define REGSTORE_JOURNAL_PART_H

#include "journal.h"

struct journal_key {
    unsigned char bytes[12];
};

static inline struct slice journal_key(struct journal_key *key, uint64_t revision, uint32_t chunk)
{
    env_put_be64(key->bytes, revision);
    for (int i = 0; i < 4; i++) {
        key->bytes[8 + i] = (unsigned char)(chunk >> (24 - 8 * i));
    }
    return (struct slice){key->bytes, sizeof key->bytes};
}

/* Appends a change, without its length. */
int journal_put_change(struct buffer *buffer, const struct change *change);

#endif
