/*
 * What an import would change. It needs a session whose write transaction holds the import, not
 * committed; it gives the differences from the store as it is.
 */
#ifndef REGTOOL_PLAN_H
#define REGTOOL_PLAN_H

#include <stdio.h>

#include "tool.h"

/* Begins the session, as session_begin() does: in the store, or in a copy of one that may not be
 * written, so that who may read a store may ask. Ended by session_end(). */
int plan_begin(struct tool *tool, struct session *session);
/* Writes each difference to a stream for which nobody has to wait, and what they would lead to.
 * session->found has what the rules do not allow. Returns 0 if there is no difference, 2 if there
 * is one, 1 after a report. */
int plan_write(struct tool *tool, struct session *session, FILE *out);

#endif
