/*
 * live_take - what a service has read of the store is taken or refused: handed to its work, told in
 * the log and to the service manager, and answered to whoever waits for it.
 *
 * A part of live, which decides when to read. Needs live.h, rule and settings_text.
 */
#ifndef SERVICE_LIVE_TAKE_H
#define SERVICE_LIVE_TAKE_H

#include "live.h"

#define NS_PER_MS 1000000

/* The settings of a start, the first one or one after the work was halted, as txn sees them; there
 * are none to fall back to. A work that is under way is settled later. *outcome is the work's,
 * *said what it said. Fails when the store cannot be read. */
int live_take_first(struct live *live, rs_txn *txn, enum work_outcome *outcome, struct line *said);
/* The work is halted, or goes on: answered with what was answered last. */
void live_answer_again(struct live *live, const char *reason);
/* The settings as txn sees them, because of the news there is. Fails when the store cannot be read.
 */
int live_take_news(struct live *live, rs_txn *txn);
/* What the work, which was under way, has made of the settings. */
void live_end_pending(struct live *live, bool taken, const char *said);
/* "; keeping revision 12's settings" */
void live_add_kept(struct line *line, const struct live *live);
/* Lets go of all settings. */
void live_take_nothing(struct live *live);
int64_t live_monotonic_ns(void);

#endif
