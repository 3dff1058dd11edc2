#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "watch.h"

/* Between two looks if nobody writes; a service that dies writes nothing. */
#define LOOK_MS 1000
/* The same where inotify's instances are used up. */
#define BLIND_LOOK_MS 20

/* ---- The list ---- */

struct listing {
    uint64_t store; /* see watch_record; 0: whatever store */
    int (*each)(void *context, const rs_service *service);
    void *context;
};

static rs_service service_of(const struct watch_seen *seen)
{
    const struct watch_record *record = &seen->record;
    return (rs_service){
        .name = seen->name,
        .pid = record->pid,
        .alive = seen->alive,
        .ended = !seen->alive && record->ended,
        .program = record->program,
        .path = record->path,
        .subtree = record->subtree,
        .rules = record->rules,
        .position = record->position != WATCH_LOST ? record->position : 0,
        .answered = record->answered,
        .answer = record->answer,
        .reason = record->reason,
        .restart_since = record->restart_since,
        .damaged = seen->damaged,
        .heard = seen->heard,
        .beside = record->beside,
    };
}

/* The numbers of a store that was there before say nothing about this one. */
static int tell_service(void *context, const struct watch_seen *seen)
{
    const struct listing *listing = context;
    rs_service service = service_of(seen);
    if (seen->record.store != listing->store) {
        service.position = 0;
        service.answered = 0;
        service.answer = RS_ANSWER_NONE;
        service.reason = "";
        service.restart_since = 0;
    }
    return listing->each(listing->context, &service);
}

int watch_services(struct rs_store *store, int (*each)(void *context, const rs_service *service),
                   void *context)
{
    struct listing listing = {env_data_inode(store->env), each, context};
    return watch_named_list(store->dir, tell_service, &listing);
}

/* ---- Who is concerned by a revision ---- */

struct concerned {
    char name[WATCH_MAX_NAME + 1];
    struct watch_process process;
    enum rs_answer answer;
    bool unknown; /* its file is damaged: it may be concerned or not */
    bool apart;   /* it was not, as has turned out */
};

struct waiting {
    struct rs_store *store;
    struct watch_news news; /* its transaction: while the services are chosen */
    struct buffer services; /* struct concerned */
    int dir_fd;             /* of the positions; -1: not open */
};

static int is_key_concerned(struct waiting *waiting, const char *key, unsigned flags, bool *found)
{
    struct slice path = {key, strlen(key)};
    int status = watch_concerns(&waiting->news, path, flags, found);
    if (status == RS_OK || status == RS_ENOMEM || status == RS_EDAMAGED) {
        return status;
    }
    *found = false; /* what the file holds is no path: no watch wrote it */
    return RS_OK;
}

static int is_concerned(struct waiting *waiting, const struct watch_record *record, bool *found)
{
    const char *key = record->beside;
    int status = is_key_concerned(waiting, record->path, watch_record_flags(record), found);
    for (; status == RS_OK && !*found && *key != '\0'; key += strlen(key) + 1) {
        status = is_key_concerned(waiting, key, WATCH_BESIDE_FLAGS, found);
    }
    return status;
}

static int choose(void *context, const struct watch_seen *seen)
{
    struct waiting *waiting = context;
    struct concerned one = {
        .process = {seen->record.pid, seen->record.started},
        .answer = RS_ANSWER_NONE,
        .unknown = seen->damaged,
    };
    bool found = seen->damaged;
    int status = RS_OK;
    if (!seen->alive) {
        return RS_OK;
    }
    if (!seen->damaged) {
        status = is_concerned(waiting, &seen->record, &found);
    }
    if (status != RS_OK || !found) {
        return status;
    }
    memcpy(one.name, seen->name, sizeof one.name);
    return buffer_append(&waiting->services, &one, sizeof one);
}

/* RS_ENOTFOUND: not made yet. RS_EBEHIND: no longer in the journal. */
static int choose_all(struct waiting *waiting)
{
    struct watch_news *news = &waiting->news;
    struct journal_head head;
    int status = store_begin(waiting->store, false, &news->txn, NULL);
    if (status != RS_OK) {
        return status;
    }
    if (news->revision == 0 || news->revision > store_revision(news->txn)) {
        status = RS_ENOTFOUND;
    } else {
        status = journal_open(&news->reader, &news->txn->env, news->revision, &head);
        status = status == RS_ENOTFOUND ? RS_EBEHIND : status;
    }
    if (status == RS_OK) {
        status = watch_named_list(waiting->store->dir, choose, waiting);
    }
    watch_news_free(news);
    store_abort(news->txn);
    return status;
}

/* ---- Waiting ---- */

/* How one waits. An answer comes within microseconds, while to end an inotify watch takes the
 * kernel some ten milliseconds: it is begun only when a wait has become a long one. */
struct patience {
    int64_t began;    /* all in ns on the monotonic clock */
    int64_t deadline; /* -1: there is none */
    bool long_wait;
    int inotify; /* -1: there is none */
};
#define YIELD_NS INT64_C(300000)
#define NAP_UNTIL_NS INT64_C(30000000)
#define MOST_NAP_NS INT64_C(1000000)

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int open_inotify(const char *dir)
{
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/%s", dir, STORE_WATCHES_DIR);
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd >= 0 && (len < 0 || (size_t)len >= sizeof path ||
                    inotify_add_watch(fd, path, IN_MODIFY | IN_MOVED_TO) < 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void nap(int64_t ns)
{
    const struct timespec time = {.tv_nsec = ns < MOST_NAP_NS ? ns : MOST_NAP_NS};
    nanosleep(&time, NULL);
}

static void poll_inotify(const struct patience *patience, int64_t left)
{
    _Alignas(struct inotify_event) char events[4096];
    int64_t most = patience->inotify >= 0 ? LOOK_MS : BLIND_LOOK_MS;
    struct pollfd ready = {.fd = patience->inotify, .events = POLLIN};
    int64_t ms = (left + 999999) / 1000000;
    (void)poll(&ready, 1, (int)(ms < most ? ms : most));
    while (patience->inotify >= 0 && read(patience->inotify, events, sizeof events) > 0) {
        ;
    }
}

/* Sleeps until somebody may have answered. False at the deadline. */
static bool sleep_a_while(struct patience *patience, const char *dir)
{
    int64_t now = now_ns();
    int64_t passed = now - patience->began;
    int64_t left = patience->deadline >= 0 ? patience->deadline - now : INT64_MAX / 2;
    if (left <= 0) {
        return false;
    }
    if (passed < YIELD_NS) {
        sched_yield();
    } else if (passed < NAP_UNTIL_NS) {
        nap(passed / 4 < left ? passed / 4 : left);
    } else if (!patience->long_wait) {
        patience->long_wait = true; /* what came before it was begun is to be looked for */
        patience->inotify = open_inotify(dir);
    } else {
        poll_inotify(patience, left);
    }
    return true;
}

/* The service has written into its file again, so that it can be read what it watches. */
static int ask_whether_concerned(struct waiting *waiting, const struct watch_record *record,
                                 struct concerned *one)
{
    bool found;
    int status = store_begin(waiting->store, false, &waiting->news.txn, NULL);
    if (status != RS_OK) {
        return status;
    }
    status = is_concerned(waiting, record, &found);
    watch_news_free(&waiting->news);
    store_abort(waiting->news.txn);
    if (status == RS_OK) {
        one->unknown = false;
        one->apart = !found;
    }
    return status;
}

/* Tells what a service answers to the revision. Answers of a process that lives no more do not
 * count: what it has taken is gone with it. */
static int ask(struct waiting *waiting, struct concerned *one, bool last,
               const struct listing *listing)
{
    struct watch_seen seen;
    const char *reason = "";
    int status = waiting->dir_fd >= 0
                     ? watch_named_look(waiting->dir_fd, one->name, one->process, &seen)
                     : RS_ENOTFOUND;
    if (status == RS_ENOTFOUND) {
        seen = (struct watch_seen){.alive = false};
        memcpy(seen.name, one->name, sizeof seen.name);
    } else if (status != RS_OK) {
        return status;
    }
    if (one->unknown && seen.alive && !seen.damaged) {
        status = ask_whether_concerned(waiting, &seen.record, one);
        if (status != RS_OK || one->apart) {
            return status;
        }
    }
    if (seen.alive && seen.record.store == listing->store) {
        one->answer = watch_record_judge(&seen.record, waiting->news.revision, &reason);
    }
    if ((one->answer == RS_ANSWER_NONE && !last) || listing->each == NULL) {
        return RS_OK;
    }
    rs_service service = service_of(&seen);
    service.answer = one->answer;
    service.reason = reason;
    return listing->each(listing->context, &service);
}

/* Asks all who have not answered. *open receives how many still have not. */
static int ask_all(struct waiting *waiting, bool last, const struct listing *listing, size_t *open)
{
    struct concerned *services = (struct concerned *)(void *)waiting->services.data;
    size_t count = waiting->services.size / sizeof *services;
    int result = 0;
    if (waiting->dir_fd < 0) {
        waiting->dir_fd = watch_open_dir(waiting->store->dir, O_PATH);
        result = waiting->dir_fd < 0 && errno == ENOMEM ? RS_ENOMEM : 0;
    }
    *open = 0;
    for (size_t i = 0; result == 0 && i < count; i++) {
        if (services[i].answer == RS_ANSWER_NONE && !services[i].apart) {
            result = ask(waiting, &services[i], last, listing);
            *open += services[i].answer == RS_ANSWER_NONE && !services[i].apart;
        }
    }
    return result;
}

/* One who rejects it is the answer, however many are silent. */
static int outcome(const struct waiting *waiting, size_t open)
{
    const struct concerned *services =
        (const struct concerned *)(const void *)waiting->services.data;
    for (size_t i = 0; i < waiting->services.size / sizeof *services; i++) {
        if (services[i].answer == RS_ANSWER_REJECTED) {
            return RS_EREJECTED;
        }
    }
    return open > 0 ? RS_ETIMEOUT : RS_OK;
}

static int wait_for_all(struct waiting *waiting, struct patience *patience,
                        const struct listing *listing)
{
    size_t open;
    bool last = false;
    for (;;) {
        int result = ask_all(waiting, last, listing, &open);
        if (result != 0) {
            return result;
        }
        if (open == 0 || last) {
            return outcome(waiting, open);
        }
        last = !sleep_a_while(patience, waiting->store->dir);
    }
}

int watch_wait(struct rs_store *store, uint64_t revision, int timeout,
               int (*each)(void *context, const rs_service *service), void *context)
{
    struct waiting waiting = {.store = store, .news.revision = revision, .dir_fd = -1};
    struct listing listing = {env_data_inode(store->env), each, context};
    struct patience patience = {.began = now_ns(), .deadline = -1, .inotify = -1};
    if (timeout >= 0) {
        patience.deadline = patience.began + (int64_t)timeout * 1000000;
    }
    int status = choose_all(&waiting);
    if (status == RS_OK) {
        status = wait_for_all(&waiting, &patience, &listing);
    }
    if (patience.inotify >= 0) {
        close(patience.inotify);
    }
    if (waiting.dir_fd >= 0) {
        close(waiting.dir_fd);
    }
    buffer_free(&waiting.services);
    return status;
}
