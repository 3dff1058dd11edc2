/* live - a service's settings, kept as the store has them; see live.h. */
#include "live.h"

#include "live_command.h"
#include "live_take.h"

#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>

#define WITHOUT_STORE_MS 1000 /* until the next look whether there is one */

/* ---- Following ------------------------------------------------------------------------------- */

static void note(const struct live *live, struct live_news *news, uint64_t revision, uint64_t time)
{
    /* What was committed between the opening of the watch and the first read is known. */
    if (revision > live->known && revision > news->revision) {
        news->revision = revision;
        news->time = time;
    }
}

static void note_batch(const struct live *live, struct live_news *news, const rs_batch *batch)
{
    bool own = false;
    for (size_t i = 0; i < batch->count; i++) {
        const rs_change *change = &batch->changes[i];
        own |= !change->rule;
        news->rules |= change->rule && batch->revision > live->known;
        /* Where a path leads, or to nothing, decides which rules fit. */
        news->keys |=
            !change->rule && change->kind != RS_VALUE_SET && change->kind != RS_VALUE_DELETED;
    }
    if (own && batch->revision > live->known) {
        news->any = true;
        news->own = true;
        news->count++;
    }
    note(live, news, batch->revision, batch->time);
}

/* What the work reads elsewhere is read whenever any of it changes, its rules included. A revision
 * that the service's own watch told is not counted twice. */
static void note_beside(const struct live *live, struct live_news *news, const rs_batch *batch)
{
    if (batch->revision > live->known) {
        news->any = true;
        news->count += batch->revision > news->revision;
    }
    note(live, news, batch->revision, batch->time);
}

/*
 * Takes all that a watch has. What a snapshot of revision seen shows is noted for now, what came
 * after it for the next look, so that no line names one revision for the change of another.
 */
static int drain_watch(struct live *live, rs_watch *watch, uint64_t seen, struct live_news *later)
{
    for (;;) {
        const rs_batch *batch;
        int status = rs_watch_next(watch, &batch);
        if (status == RS_OK) {
            struct live_news *news = batch->revision <= seen ? &live->news : later;
            (watch == live->watch ? note_batch : note_beside)(live, news, batch);
        } else if (status == RS_EBEHIND) {
            uint64_t position = rs_watch_position(watch);
            struct live_news *news = position <= seen ? &live->news : later;
            note(live, news, position, 0);
            news->count += position > live->known;
            news->any = true;
            news->behind = true;
        } else {
            return status == RS_END ? RS_OK : status;
        }
    }
}

static int drain_all(struct live *live, uint64_t seen, struct live_news *later)
{
    int status = drain_watch(live, live->watch, seen, later);
    for (size_t i = 0; i < LIVE_BESIDE_MAX && status == RS_OK; i++) {
        if (live->beside[i].watch != NULL) {
            status = drain_watch(live, live->beside[i].watch, seen, later);
        }
    }
    return status;
}

static bool has_news(const struct live_news *news)
{
    return news->any || news->rules;
}

static int read_news(struct live *live, rs_txn *txn, struct live_news *later)
{
    int status = drain_all(live, rs_revision(txn), later);
    if (status == RS_OK && has_news(&live->news)) {
        status = live_take_news(live, txn);
    }
    if (status == RS_OK) {
        live->news = *later;
    } else if (has_news(later)) {
        live->news.any |= later->any;
        live->news.own |= later->own;
        live->news.rules |= later->rules;
        live->news.keys |= later->keys;
        live->news.revision = later->revision;
        live->news.time = later->time;
        live->news.count += later->count;
        live->news.behind |= later->behind;
    }
    return status;
}

/* One look at the store. *more tells whether there is news that came too late for it. */
static int look(struct live *live, bool *more)
{
    struct live_news later = {0};
    rs_txn *txn;
    *more = false;
    int status = rs_begin(live->store, RS_READ, &txn);
    if (status != RS_OK) {
        /* The watch is emptied all the same, or its descriptor would give the service no rest. */
        (void)drain_all(live, UINT64_MAX, &later);
        return status;
    }
    status = read_news(live, txn, &later);
    rs_abort(txn);
    *more = status == RS_OK && has_news(&later);
    return status;
}

/* While the work makes the last change so, no other one is looked for. */
static bool is_quiet(const struct live *live)
{
    return live_is_busy(live) || live_monotonic_ns() < live->quiet_until;
}

/* What comes while it is quiet waits until the end of that. */
static int look_until_the_end(struct live *live)
{
    bool more;
    int status;
    do {
        status = look(live, &more);
    } while (more && !is_quiet(live));
    return status;
}

/* ---- Another store in its place ---------------------------------------------------------------
 */

static void detach(struct live *live)
{
    if (live->loop != NULL) {
        loop_remove(live->loop, &live->source);
    }
    for (size_t i = 0; i < LIVE_BESIDE_MAX; i++) {
        struct live_beside *beside = &live->beside[i];
        if (live->loop != NULL) {
            loop_remove(live->loop, &beside->source);
        }
        rs_watch_close(beside->watch);
        beside->watch = NULL;
    }
    rs_watch_close(live->watch);
    rs_close(live->store);
    live->watch = NULL;
    live->store = NULL;
}

/* What came while the service was away is in the settings that it is going to read. */
static void skip_backlog(rs_watch *watch)
{
    const rs_batch *batch;
    int status;
    do {
        status = rs_watch_next(watch, &batch);
    } while (status == RS_OK || status == RS_EBEHIND);
}

static const char *watched_key(const struct live *live)
{
    const struct service *service = live->service;
    return service->watched != NULL ? service->watched : service->key;
}

/* Who may only read the store follows it, too, without a name. One name for two would let one
 * answer for the other. */
static int watch(struct live *live, rs_error *error)
{
    unsigned flags = RS_WATCH_RULES | (live->service->subtree ? RS_SUBTREE : 0u);
    rs_error unnamed = RS_ERROR_INIT;
    int status = rs_watch_open_named(live->store, live->name, watched_key(live), flags,
                                     &live->watch, &unnamed);
    live->named = status == RS_OK;
    live->told = false;
    if (live->named) {
        skip_backlog(live->watch);
        return RS_OK;
    }
    if (status != RS_EACCESS && status != RS_EREADONLY && status != RS_EIO && status != RS_EDISK) {
        if (error != NULL) {
            *error = unnamed;
        }
        return status;
    }
    log_line(live->log, LOG_LINE_WARNING, "cannot answer changes: %s", unnamed.text);
    return rs_watch_open(live->store, watched_key(live), flags, RS_NOW, &live->watch, error);
}

/* What reads the key is the whole of the service, so that its one answer is for the key, too. */
static void answer_for(const struct live *live, const char *key)
{
    rs_error error = RS_ERROR_INIT;
    if (live->named && rs_watch_answer_for(live->watch, key, &error) != RS_OK) {
        log_line(live->log, LOG_LINE_WARNING, "%s", error.text);
    }
}

static int watch_beside(struct live *live, rs_error *error)
{
    const char *const *key = live->service->beside;
    for (size_t i = 0; key != NULL && key[i] != NULL; i++) {
        int status = i < LIVE_BESIDE_MAX
                         ? rs_watch_open(live->store, key[i], RS_SUBTREE | RS_WATCH_RULES, RS_NOW,
                                         &live->beside[i].watch, error)
                         : RS_EINVAL;
        if (status != RS_OK) {
            return status;
        }
        answer_for(live, key[i]);
    }
    return RS_OK;
}

static int attach(struct live *live, rs_error *error)
{
    int status = rs_open(live->dir, RS_READONLY, &live->store, error);
    if (status == RS_OK) {
        status = watch(live, error);
    }
    if (status == RS_OK) {
        status = watch_beside(live, error);
    }
    if (status != RS_OK) {
        detach(live);
    } else if (live->commander != NULL) {
        live->commander->attached(live->commander->owner, rs_store_dir(live->store));
    }
    return status;
}

/* Nothing is known of another store, whatever its revisions are called. The old one is closed
 * first: the new files may be in the same directory. */
static int reattach(struct live *live)
{
    detach(live);
    live->earlier = true;
    int status = attach(live, NULL);
    if (status == RS_OK) {
        live->known = 0;
        live->news = (struct live_news){.any = true, .asked = live->news.asked, .replaced = true};
        status = look_until_the_end(live);
    }
    return status;
}

/* The next try comes with the next wake-up; each reason is said once. */
static void tell_trouble(const struct live *live, int status)
{
    struct line line = LINE_INIT;
    const char *place = live->dir != NULL ? live->dir : "the store";
    line_add(&line, "cannot read %s: %s", live->store != NULL ? rs_store_dir(live->store) : place,
             rs_strerror(status));
    live_add_kept(&line, live);
    log_line(live->log, LOG_LINE_ERROR, "%s", line.text);
    notify_status(live->notifier, line.text);
}

/* Whoever comes by takes an unconfirmed change back when its time is over, if he may write. */
static int try_to_take_back(const struct live *live, rs_error *error)
{
    rs_store *writable;
    int status = live->store != NULL ? rs_confirm_due(live->store, NULL, error) : RS_OK;
    if (status == RS_EREADONLY && rs_open(rs_store_dir(live->store), 0, &writable, NULL) == RS_OK) {
        *error = (rs_error)RS_ERROR_INIT;
        status = rs_confirm_due(writable, NULL, error);
        rs_close(writable);
    }
    return status;
}

/* What fails is tried again with the next wake-up; each reason is said once. */
static void take_back_due(struct live *live)
{
    rs_error error = RS_ERROR_INIT;
    int status = try_to_take_back(live, &error);
    if (status != RS_OK && status != RS_EREADONLY && status != live->untaken) {
        log_line(live->log, LOG_LINE_ERROR, "%s", error.text);
    }
    live->untaken = status;
}

static void follow(struct live *live)
{
    take_back_due(live);
    int status = live->store != NULL ? look_until_the_end(live) : RS_EREPLACED;
    if (status == RS_EREPLACED) {
        status = reattach(live);
    }
    if (status != RS_OK && status != live->trouble) {
        tell_trouble(live, status);
    }
    live->trouble = status;
}

/* In how many milliseconds, at most, the store should be looked at even if nothing comes; -1:
 * never. */
static int patience(const struct live *live)
{
    int64_t left = live->quiet_until - live_monotonic_ns();
    if (live_is_busy(live)) {
        return -1;
    }
    if (left > 0) {
        return (int)((left + NS_PER_MS - 1) / NS_PER_MS);
    }
    return live->watch != NULL && live->source.watched ? -1 : WITHOUT_STORE_MS;
}

static void follow_watch(void *owner, uint32_t events)
{
    (void)events;
    live_follow(owner);
}

/* A watch that is not listened to, while it is quiet, keeps what it has. */
static void listen_to(struct live *live, rs_watch *watch, struct loop_source *source)
{
    if (watch == NULL || is_quiet(live)) {
        loop_remove(live->loop, source);
    } else if (!source->watched) {
        *source = (struct loop_source){rs_watch_fd(watch), follow_watch, live, false};
        (void)loop_add(live->loop, source, EPOLLIN);
    }
}

/* Has itself called when there is something to do. */
static void wait_for_more(struct live *live)
{
    if (live->loop == NULL) {
        return;
    }
    listen_to(live, live->watch, &live->source);
    for (size_t i = 0; i < LIVE_BESIDE_MAX; i++) {
        listen_to(live, live->beside[i].watch, &live->beside[i].source);
    }
    int wait = patience(live);
    if (wait >= 0) {
        loop_set(live->loop, &live->timer, wait);
    } else {
        loop_unset(live->loop, &live->timer);
    }
}

void live_follow(struct live *live)
{
    if (!is_quiet(live)) {
        follow(live);
    }
    wait_for_more(live);
}

void live_read_again(struct live *live)
{
    live->news.any = true;
    live->news.asked = true;
    if (!live_is_busy(live)) {
        follow(live);
    }
    wait_for_more(live);
}

void live_settle(struct live *live, bool taken, const char *said)
{
    live_end_busy(live, taken, said);
    live_follow(live);
}

static void follow_late(void *owner)
{
    live_follow(owner);
}

void live_hang_in(struct live *live, struct loop *loop)
{
    live->loop = loop;
    live->timer = (struct loop_timer){.expired = follow_late, .owner = live};
    wait_for_more(live);
}

/* ---- Beginning and end ----------------------------------------------------------------------- */

static int take_first(struct live *live)
{
    rs_txn *txn;
    struct line said = LINE_INIT;
    enum work_outcome outcome;
    int status = rs_begin(live->store, RS_READ, &txn);
    if (status != RS_OK) {
        return status;
    }
    status = live_take_first(live, txn, &outcome, &said);
    rs_abort(txn);
    return status;
}

bool live_open(struct live *live, const struct service *service, void *state, const struct log *log,
               struct notifier *notifier, const struct options *options,
               const struct live_commander *commander)
{
    rs_error error = RS_ERROR_INIT;
    *live = (struct live){
        .service = service,
        .state = state,
        .log = log,
        .notifier = notifier,
        .dir = options->store,
        .name = options->name != NULL ? options->name : service->program,
        .window = options->window,
        .commander = commander,
    };
    if (attach(live, &error) != RS_OK) {
        log_line(log, LOG_LINE_ERROR, "%s", error.text);
        return false;
    }
    int status = take_first(live);
    if (status != RS_OK) {
        log_line(log, LOG_LINE_ERROR, "cannot read %s: %s", service->key, rs_strerror(status));
        detach(live);
        live_take_nothing(live);
        return false;
    }
    return true;
}

void live_close(struct live *live)
{
    if (live->loop != NULL) {
        loop_unset(live->loop, &live->timer);
    }
    detach(live);
    live_take_nothing(live);
}
