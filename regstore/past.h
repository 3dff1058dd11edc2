/*
 * past.h - a store as it was: rs_open_past() of regstore.h.
 *
 * Needs history and store.
 */
#ifndef REGSTORE_PAST_H
#define REGSTORE_PAST_H

#include "store.h"

int past_open(struct rs_store *store, uint64_t revision, struct rs_store **past, rs_error *error);

#endif
