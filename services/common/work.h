/*
 * work - what a service does beside following its settings: its listeners, its rounds, the programs
 * that it drives.
 *
 * live reads and judges the settings; the work makes them so. It prepares all that a change needs,
 * and only then lets go of what it had, so that a change which cannot be made leaves everything as
 * it was and is answered with the reason. Needs settings, line and loop.
 */
#ifndef SERVICE_WORK_H
#define SERVICE_WORK_H

#include "activation.h"
#include "line.h"
#include "log.h"
#include "loop.h"
#include "options.h"
#include "settings.h"

struct live;

/* Where a service works. All of it outlives the work. */
struct site {
    struct loop *loop;
    const struct log *log;
    const struct options *options;
    struct live *live;             /* for live_settle() and live_read_again() */
    struct activation *activation; /* the service manager's sockets, for begin() to take */
};

enum work_outcome {
    WORK_TAKEN,    /* all is as the settings say; what is said is added to the answer */
    WORK_REFUSED,  /* all is as it was before; what is said is the reason, one line */
    WORK_UNDER_WAY /* live_settle() will say; until then no other change is handed over */
};

struct work {
    /* Makes *state, which is handed to the others. Takes nothing yet. Gives false when the service
     * cannot run; the log has been told why. */
    bool (*begin)(const struct site *site, void **state);
    /* The service's settings are now these. Called at the start, and after each change of what the
     * service watches that leaves all settings allowed, whether or not a setting changed: what else
     * the work needs of the store it reads in txn, which ends when this returns. settings stay
     * until a later call or live_settle() has taken others, or the service ends. At the start there
     * is nothing to fall back to, so there a refusal is told and the service runs on. */
    enum work_outcome (*take)(void *state, rs_txn *txn, const struct settings *settings,
                              struct line *said);
    /* An administrator has stopped the service: it serves nobody until take() is called, as at the
     * start. It lives on and follows its settings, without take(); those that were taken may be
     * gone when this, or live_settle() after it, is over. What is said when it is refused is the
     * reason. */
    enum work_outcome (*halt)(void *state, struct line *said);
    /* The settings that were taken are gone already. */
    void (*end)(void *state);
};

#endif
