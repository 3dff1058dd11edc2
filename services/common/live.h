/*
 * live - a service's settings, kept as the store has them.
 *
 * The watch is opened first and the settings are read after it, so that no change is lost in
 * between. A change is read into new settings, in one snapshot, and they take the place of the old
 * ones only if every value is allowed. Otherwise the old ones stay. Either way there is one line in
 * the log, and the service manager is told. Only at the start there are no old ones: there the
 * default stands in for a value that is not allowed, because a server must come up.
 *
 * Needs service.h for what the service is; settings, settings_text, log and notify.
 */
#ifndef SERVICE_LIVE_H
#define SERVICE_LIVE_H

#include "log.h"
#include "notify.h"
#include "service.h"

/* Why the settings have to be read, gathered until they are. */
struct live_news {
    bool any;
    bool asked;        /* by an administrator */
    bool behind;       /* changes may have been missed */
    uint64_t revision; /* the latest that concerns the service; 0: none does */
    uint64_t time;     /* of its commit */
};

struct live {
    const struct service *service;
    const struct log *log;
    struct notifier *notifier;
    rs_store *store;
    rs_watch *watch;
    struct settings *settings; /* that the service lives by */
    uint64_t revision;         /* that they came with */
    bool refusing;             /* the store has others, which are not allowed */
    struct live_news news;
    int trouble; /* what was last said about reading the store, so as not to repeat it */
};

/* Reads the settings of service and begins to follow them. All arguments must outlive live. What
 * fails is said in the log; gives false then, and live needs no closing. */
bool live_open(struct live *live, const struct service *service, const struct log *log,
               struct notifier *notifier, rs_store *store);
void live_close(struct live *live);
/* A descriptor that polls readable when live_follow() should be called, at least once a second. */
int live_fd(const struct live *live);
/* Takes what has changed in the store. */
void live_follow(struct live *live);
/* Reads the settings whether or not anything changed. */
void live_read_again(struct live *live);

#endif
