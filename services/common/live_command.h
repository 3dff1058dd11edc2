/*
 * live_command - an administrator stops the service's work, and starts it again.
 *
 * A stopped service lives on: it follows its settings and answers changes, so that whoever makes
 * one hears about it, but nothing is handed to its work. Its start is like that of the process: the
 * settings are read anew, and those that wait for a restart are taken. A command that comes while
 * the work is under way waits for that; of several the last one counts, and each gets its answer.
 *
 * A part of live. Needs live_take.
 */
#ifndef SERVICE_LIVE_COMMAND_H
#define SERVICE_LIVE_COMMAND_H

#include "live.h"

/* "running", "stopped", "starting" or "stopping". */
const char *live_condition(const struct live *live);
/* Add the answer, "ok stopped", "already stopped" or "error " and the reason, or give false: then
 * it comes later. "ok running: REASON" is a service that runs with less than its settings say, as
 * it may at the start of its process, too. */
bool live_stop(struct live *live, struct line *answer);
bool live_start(struct live *live, struct line *answer);

/* For live: whether the work is at something, so that no change can be handed over. */
bool live_is_busy(const struct live *live);
/* For live: what the work was at is over. */
void live_end_busy(struct live *live, bool taken, const char *said);

#endif
