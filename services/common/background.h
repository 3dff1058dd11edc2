/*
 * background - work that takes its time, done in threads while the loop goes on.
 *
 * What waits for a disk or a name server blocks whoever calls it. So it is handed over here: run is
 * called in a thread, and when it is over, done in the loop. A thread sees only what it is given,
 * and takes no signals, which are the service's. Each user has a pool of its own with its own
 * limit, so that lookups that hang never keep a job from the disk. A thread that has nothing to do
 * ends after a while. Needs loop.
 */
#ifndef SERVICE_BACKGROUND_H
#define SERVICE_BACKGROUND_H

#include "loop.h"

struct background;

/* At most so many threads work at a time; what is more waits its turn. 0 or an errno number. */
int background_open(struct loop *loop, unsigned most, struct background **background);
/* Calls run in a thread, and then done in the loop, never from within this. Gives 0, or an errno
 * number, and neither is called. Work begins in the order of these calls. */
int background_start(struct background *background, void (*run)(void *owner),
                     void (*done)(void *owner), void *owner);
/* Waits until all has run that was started, and calls done for all of it. May be called by a done,
 * but not by one that this calls. NULL is allowed. */
void background_close(struct background *background);
/* Waits for nothing: no done is called any more. Instead release is called once for each owner
 * whose done was not, when his run is over or will never begin; that may be in his thread. It may
 * be called by a done. NULL is allowed. */
void background_let_go(struct background *background, void (*release)(void *owner));

#endif
