/*
 * A moment of the store's history, as people write it. It needs a word; it gives the revision that
 * is meant.
 *
 *     12                    revision 12
 *     -1                    the latest revision, -2 the one before it, and so on
 *     2026-11-21            midnight, in the user's time zone
 *     2026-11-21 10:00      that minute; a T may part the two, and seconds may follow (10:00:07.5)
 *     2026-11-21T10:00:00Z  the same in UTC, and with +01:00 at the end in that zone (RFC 3339)
 *     -90s -10m -2h -7d     so long ago
 *
 * Not read: "12a", "-1w", "10:00", "yesterday".
 */
#ifndef REGTOOL_MOMENT_H
#define REGTOOL_MOMENT_H

#include <regstore.h>

enum moment_kind { MOMENT_REVISION, MOMENT_BACK, MOMENT_TIME };

struct moment {
    enum moment_kind kind;
    uint64_t number; /* the revision; how many back, from 1; a FILETIME */
};

/* Reads a word. Returns 0, or 1 after a report that begins with about. */
int moment_read(const char *about, const char *word, struct moment *moment);
/* Reads "A..B", "A.." (to the latest) or "A" (both). */
int moment_read_range(const char *about, const char *word, struct moment range[2]);
/* The revision that is meant; of a time, the last one made until then, 0 for that before the first.
 * RS_ENOTFOUND: there is none; RS_EBEHIND: the journal does not reach back to that time. */
int moment_revision(rs_txn *txn, const struct moment *moment, uint64_t *revision);

#endif
