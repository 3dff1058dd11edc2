/*
 * A store that nobody else sees, for a file to be read into. It needs a directory for temporary
 * files; it gives a write transaction that is never committed. The store's own directory is removed
 * as soon as it is open, so that nothing is left behind however the process ends.
 */
#ifndef REGTOOL_SCRATCH_H
#define REGTOOL_SCRATCH_H

#include <regstore.h>

/* Starts from all zeros. */
struct scratch {
    rs_store *store;
    rs_txn *txn;
};

/* An empty store. Returns 0, or 1 after a report; then there is nothing to end. */
int scratch_begin(struct scratch *scratch);
/* The same with all that a store holds now. */
int scratch_copy(struct scratch *scratch, rs_store *store);
void scratch_end(struct scratch *scratch);
/* The directory for temporary files: $TMPDIR, or /tmp. Static. */
const char *scratch_parent(void);

#endif
