/*
 * live - a service's settings, kept as the store has them.
 *
 * The watch is opened first and the settings are read after it, so that no change is lost in
 * between. A change is read into new settings, in one snapshot, and they take the place of the old
 * ones only if every value is allowed. Otherwise the old ones stay. Either way there is one line in
 * the log, and the service manager is told. Only at the start there are no old ones: there the
 * default stands in for a value that is not allowed, because a server must come up.
 *
 * The watch has a name, and each revision is answered in it: taken, to be taken at the next start,
 * or refused, with the reason. So whoever made a change can wait for that, also of a key beside,
 * which has a watch without a name, and for which the name answers. Rules belong to what is
 * watched, as a default may be in them. The first change is taken at once; those that follow within
 * a short window are taken together at its end.
 *
 * An administrator restores a store by putting other files in its place. Then the store is closed,
 * and opened again as soon as there is one; until then the settings stay as they are.
 *
 * An administrator may stop the service: its work is halted, and goes on when he starts it again,
 * with the settings that the store has then, as after a restart (live_command.h).
 *
 * Needs service.h for what the service is; options, settings, settings_text, log and notify.
 */
#ifndef SERVICE_LIVE_H
#define SERVICE_LIVE_H

#include "log.h"
#include "loop.h"
#include "notify.h"
#include "options.h"
#include "service.h"
#include "work.h"

/* Why the settings have to be read, gathered until they are. */
struct live_news {
    bool any;
    bool own;          /* of what the service watches, not only of keys beside */
    bool rules;        /* that settings are judged by */
    bool keys;         /* came, went, or have other names */
    bool asked;        /* by an administrator */
    bool behind;       /* changes may have been missed */
    bool replaced;     /* the store is another one */
    uint64_t revision; /* the latest that concerns the service; 0: none does */
    uint64_t time;     /* of its commit */
    unsigned count;    /* of revisions */
};

/* Settings that were read and are neither taken nor refused yet. */
struct live_reading {
    struct settings *fresh; /* NULL: there are none */
    uint64_t seen;          /* the snapshot's revision */
    uint64_t revision;      /* the one that they are told by */
    struct live_news news;  /* why they were read */
    bool first;             /* they are the start's, and in use */
};

/* A watch without a name, of a key beside. */
struct live_beside {
    rs_watch *watch; /* NULL: its store was replaced, and there is no other yet */
    struct loop_source source;
};
#define LIVE_BESIDE_MAX 4

/* What an answer adds while the work is halted. */
#define LIVE_STOPPED_NOTE "the service is stopped"

/* What an administrator wants that has to wait for what is under way. */
enum live_wish { LIVE_NO_WISH, LIVE_TO_STOP, LIVE_TO_START };

/* Who hands over an administrator's commands. */
struct live_commander {
    /* The answer to a command that was not answered at once. */
    void (*answered)(void *owner, const char *answer);
    /* The service is that of the store in dir now. */
    void (*attached)(void *owner, const char *dir);
    void *owner;
};

struct live {
    const struct service *service;
    void *state; /* of the service's work */
    const struct log *log;
    struct notifier *notifier;
    const char *dir; /* of the store, NULL: the default */
    const char *name;
    unsigned window;     /* in ms; 0: each change is taken when it comes */
    int64_t quiet_until; /* the end of the window, on the monotonic clock, in ns */
    bool named;          /* the watch has the name */
    rs_store *store;     /* NULL, as watch: its files were replaced, and there is no other yet */
    rs_watch *watch;
    struct settings *settings; /* that the service lives by */
    struct settings *started;  /* that it was started with */
    size_t waiting;            /* settings for a restart: others than those */
    bool told;                 /* the watch knows which */
    struct rules *judging;     /* as they were last found */
    uint64_t revision;         /* that they came with */
    uint64_t seen;             /* the revision answered last */
    bool earlier;              /* they and it are of the store that was there before */
    uint64_t known;            /* changes up to this revision were in the first read */
    bool refusing;             /* the store has others, which are not allowed */
    struct live_news news;
    struct live_reading pending; /* that the work is making so */
    bool stopped;                /* the work is halted, */
    bool halting;                /* or is being halted, */
    bool starting;               /* or what is pending is its going on */
    enum live_wish wish;
    const struct live_commander *commander; /* NULL: nobody commands */
    struct loop *loop;                      /* NULL: live_follow() is called by hand */
    struct loop_source source;
    struct loop_timer timer;
    int trouble; /* what was last said about reading the store, so as not to repeat it */
    int untaken; /* the same about taking an unconfirmed change back */
    struct live_beside beside[LIVE_BESIDE_MAX]; /* in the order of the service's */
};

/* Opens the store that options name, reads the settings of service, hands them to its work, whose
 * state is given, and begins to follow them. commander, which may be NULL, hears of the store
 * before anybody is told that the service is ready. All arguments must outlive live. What fails is
 * said in the log; gives false then, and live needs no closing. */
bool live_open(struct live *live, const struct service *service, void *state, const struct log *log,
               struct notifier *notifier, const struct options *options,
               const struct live_commander *commander);
void live_close(struct live *live);
/* From here on the loop calls live_follow(). */
void live_hang_in(struct live *live, struct loop *loop);
/* Takes what has changed in the store. */
void live_follow(struct live *live);
/* Reads the settings whether or not anything changed; if the work is under way, then after that. */
void live_read_again(struct live *live);
/* The work, which was under way, has made the settings so, or refuses them; said as in work.h.
 * Never called from within its take(). */
void live_settle(struct live *live, bool taken, const char *said);

#endif
