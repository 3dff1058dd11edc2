/* live - a service's settings, kept as the store has them; see live.h. */
#include "live.h"

#include "rule.h"
#include "settings_text.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define NS_PER_MS 1000000
#define WITHOUT_STORE_MS 1000 /* until the next look whether there is one */

/* Whether the settings may have other rules than when they were last found. */
static bool needs_rules(const struct live *live)
{
    const struct live_news *news = &live->news;
    return live->judging == NULL || news->rules || news->keys || news->asked || news->behind ||
           news->replaced;
}

static int load(struct live *live, rs_txn *txn, struct settings **settings)
{
    if (needs_rules(live)) {
        struct rules *rules;
        int status = rules_load(txn, live->service, &rules);
        if (status != RS_OK) {
            return status;
        }
        rules_free(live->judging);
        live->judging = rules;
    }
    return settings_load(txn, live->service, live->judging, settings);
}

/* ---- Taking a change ------------------------------------------------------------------------- */

/* In FILETIMEs, as a revision's time is. */
static uint64_t current_time(void)
{
    static const uint64_t unix_epoch = 116444736000000000u;
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return unix_epoch + (uint64_t)now.tv_sec * 10000000 + (uint64_t)now.tv_nsec / 100;
}

static int64_t monotonic_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

static void add_occasion(struct line *line, const struct live *live, uint64_t now)
{
    const struct live_news *news = &live->news;
    line_add(line, "applied revision %" PRIu64, live->revision);
    /* A clock that was set back in between tells nothing. */
    if (news->time != 0 && now >= news->time) {
        line_add(line, ", %" PRIu64 " us after its commit", (now - news->time) / 10);
    }
    if (news->count > 1) {
        line_add(line, ", with %u before it", news->count - 1);
    }
    if (news->asked) {
        line_add(line, ", read again on request");
    }
    if (news->replaced) {
        line_add(line, ", read again because the store was replaced");
    } else if (news->behind) {
        line_add(line, ", read again because the journal no longer reaches back");
    }
    line_add(line, ": ");
}

static void add_difference(struct line *line, const struct live *live, const struct settings *fresh)
{
    const struct settings *old = live->settings;
    if (live->refusing) {
        line_add(line, "all values are allowed again, ");
    }
    if (old->key_exists != fresh->key_exists) {
        line_add(line, "the key %s, ", old->key_exists ? "is gone" : "exists now");
    }
    if (settings_add_changes(line, old, fresh) == 0) {
        line_add(line, "no setting changed");
    }
}

/* Whoever waits for the answer gets it before anything is written down. */
static void answer(const struct live *live, uint64_t seen, enum rs_answer what, const char *reason)
{
    if (live->named) {
        int status = rs_watch_answer(live->watch, seen, what, reason);
        if (status != RS_OK) {
            log_line(live->log, LOG_LINE_WARNING, "cannot answer revision %" PRIu64 ": %s", seen,
                     rs_strerror(status));
        }
    }
}

/* A watch that was opened since has to be told of all that waits for a restart. */
static void answer_accepted(struct live *live, uint64_t seen, const struct settings *old,
                            const struct settings *fresh)
{
    struct line reason = LINE_INIT;
    enum rs_answer what = RS_ANSWER_RESTART;
    live->waiting =
        settings_add_waiting(&reason, live->started, live->told ? old : live->started, fresh);
    if (reason.length == 0) {
        what = live->waiting == 0 ? RS_ANSWER_SETTLED : RS_ANSWER_APPLIED;
    }
    if (fresh->warned > 0) {
        line_separate(&reason, 0, "; ");
        line_add(&reason, "warning: ");
        settings_add_warnings(&reason, fresh);
    }
    answer(live, seen, what, reason.text);
    live->told = true;
}

/* Those that were not there before. */
static void tell_warnings(const struct live *live, const struct settings *old,
                          const struct settings *fresh)
{
    for (size_t i = 0; i < fresh->count; i++) {
        const char *warning = fresh->values[i].warning;
        const char *before = old != NULL ? old->values[i].warning : NULL;
        struct line line = LINE_INIT;
        if (warning != NULL && (before == NULL || strcmp(warning, before) != 0)) {
            settings_add_warning(&line, &fresh->table[i], &fresh->values[i]);
            log_line(live->log, LOG_LINE_WARNING, "%s", line.text);
        }
    }
}

/* Those of the start are kept, to be compared with. */
static void replace_settings(struct live *live, struct settings *fresh)
{
    if (live->settings != live->started) {
        settings_free(live->settings);
    }
    live->settings = fresh;
}

static void accept_settings(struct live *live, struct settings *fresh, uint64_t seen,
                            uint64_t revision, struct line *line)
{
    uint64_t now = current_time();
    bool waited = live->waiting > 0;
    live->revision = revision;
    answer_accepted(live, seen, live->settings, fresh);
    add_occasion(line, live, now);
    add_difference(line, live, fresh);
    if (waited && live->waiting == 0) {
        line_add(line, ", no restart is needed any more");
    }
    live->refusing = false;
    live->earlier = false;
    tell_warnings(live, live->settings, fresh);
    replace_settings(live, fresh);
    log_line(live->log, LOG_LINE_INFO, "%s", line->text);
}

static void add_kept(struct line *line, const struct live *live)
{
    line_add(line, "; keeping revision %" PRIu64 "'s settings%s", live->revision,
             live->earlier ? " of the store that was there before" : "");
}

static void answer_refused(const struct live *live, uint64_t seen, const struct settings *fresh)
{
    struct line refusals = LINE_INIT;
    settings_add_refusals(&refusals, fresh);
    answer(live, seen, RS_ANSWER_REJECTED, refusals.text);
}

static void refuse_settings(struct live *live, struct settings *fresh, uint64_t seen,
                            uint64_t revision, struct line *line)
{
    answer_refused(live, seen, fresh);
    line_add(line, "refused revision %" PRIu64 ": ", revision);
    settings_add_refusals(line, fresh);
    add_kept(line, live);
    live->refusing = true;
    settings_free(fresh);
    log_line(live->log, LOG_LINE_WARNING, "%s", line->text);
}

/* Other rules that mean the same to the service are nothing to write down. */
static bool take_quietly(struct live *live, struct settings *fresh, uint64_t seen)
{
    struct line changes = LINE_INIT;
    if (live->news.any || live->refusing || fresh->refused > 0 ||
        fresh->key_exists != live->settings->key_exists ||
        settings_add_changes(&changes, live->settings, fresh) > 0) {
        return false;
    }
    answer_accepted(live, seen, live->settings, fresh);
    tell_warnings(live, live->settings, fresh);
    replace_settings(live, fresh);
    return true;
}

/* Reads the settings as txn sees them and takes or refuses them. Whatever becomes of it, the
 * manager hears that the reload is over. */
static int reload(struct live *live, rs_txn *txn)
{
    struct line line = LINE_INIT;
    struct settings *fresh;
    uint64_t seen = rs_revision(txn);
    uint64_t revision = live->news.revision != 0 ? live->news.revision : seen;
    int status = load(live, txn, &fresh);
    if (status == RS_OK && take_quietly(live, fresh, seen)) {
        return RS_OK;
    }
    notify_reloading(live->notifier);
    if (status != RS_OK) {
        line_add(&line, "cannot read the settings: %s", rs_strerror(status));
    } else if (fresh->refused == 0) {
        accept_settings(live, fresh, seen, revision, &line);
    } else {
        refuse_settings(live, fresh, seen, revision, &line);
    }
    notify_ready(live->notifier, line.text);
    live->quiet_until = monotonic_ns() + (int64_t)live->window * NS_PER_MS;
    return status;
}

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
        news->count++;
    }
    note(live, news, batch->revision, batch->time);
}

/*
 * Takes all that the watch has. What a snapshot of revision seen shows is noted for now, what came
 * after it for the next look, so that no line names one revision for the change of another.
 */
static int drain_watch(struct live *live, uint64_t seen, struct live_news *later)
{
    for (;;) {
        const rs_batch *batch;
        int status = rs_watch_next(live->watch, &batch);
        if (status == RS_OK) {
            note_batch(live, batch->revision <= seen ? &live->news : later, batch);
        } else if (status == RS_EBEHIND) {
            uint64_t position = rs_watch_position(live->watch);
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

static bool has_news(const struct live_news *news)
{
    return news->any || news->rules;
}

static int read_news(struct live *live, rs_txn *txn, struct live_news *later)
{
    int status = drain_watch(live, rs_revision(txn), later);
    if (status == RS_OK && has_news(&live->news)) {
        status = reload(live, txn);
    }
    if (status == RS_OK) {
        live->news = *later;
    } else if (has_news(later)) {
        live->news.any |= later->any;
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
        (void)drain_watch(live, UINT64_MAX, &later);
        return status;
    }
    status = read_news(live, txn, &later);
    rs_abort(txn);
    *more = status == RS_OK && has_news(&later);
    return status;
}

static bool is_quiet(const struct live *live)
{
    return monotonic_ns() < live->quiet_until;
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

/* Who may only read the store follows it, too, without a name. One name for two would let one
 * answer for the other. */
static int watch(struct live *live, rs_error *error)
{
    unsigned flags = RS_WATCH_RULES | (live->service->subtree ? RS_SUBTREE : 0u);
    rs_error unnamed = RS_ERROR_INIT;
    int status = rs_watch_open_named(live->store, live->name, live->service->key, flags,
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
    return rs_watch_open(live->store, live->service->key, flags, RS_NOW, &live->watch, error);
}

static int attach(struct live *live, rs_error *error)
{
    int status = rs_open(live->dir, RS_READONLY, &live->store, error);
    if (status == RS_OK) {
        status = watch(live, error);
    }
    if (status != RS_OK) {
        detach(live);
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
    add_kept(&line, live);
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

void live_follow(struct live *live)
{
    if (!is_quiet(live)) {
        follow(live);
    }
}

void live_read_again(struct live *live)
{
    live->news.any = true;
    live->news.asked = true;
    follow(live);
}

/* ---- Beginning and end ----------------------------------------------------------------------- */

static void tell_stand_ins(const struct live *live)
{
    for (size_t i = 0; i < live->settings->count; i++) {
        const struct setting *row = &live->settings->table[i];
        const struct setting_value *value = &live->settings->values[i];
        struct line line = LINE_INIT;
        if (value->origin == SETTING_REFUSED) {
            settings_add_refusal(&line, row, value);
            line_add(&line, "; starting with the default instead: ");
            settings_add_value(&line, row, value);
            log_line(live->log, LOG_LINE_WARNING, "%s", line.text);
        }
    }
}

static void tell_start(const struct live *live)
{
    const struct settings *settings = live->settings;
    struct line line = LINE_INIT;
    tell_stand_ins(live);
    tell_warnings(live, NULL, settings);
    line_add(&line, "started with revision %" PRIu64 "'s settings: ", live->revision);
    if (settings->key_exists) {
        line_add(&line, "%zu set, %zu refused, %zu default", settings->set, settings->refused,
                 settings->count - settings->set - settings->refused);
    } else {
        line_add(&line, "all default, there is no key %s yet", live->service->key);
    }
    log_line(live->log, LOG_LINE_INFO, "%s", line.text);
    notify_ready(live->notifier, line.text);
}

static int load_first(struct live *live)
{
    rs_txn *txn;
    int status = rs_begin(live->store, RS_READ, &txn);
    if (status != RS_OK) {
        return status;
    }
    status = load(live, txn, &live->settings);
    rs_abort(txn);
    return status;
}

bool live_open(struct live *live, const struct service *service, const struct log *log,
               struct notifier *notifier, const struct options *options)
{
    rs_error error = RS_ERROR_INIT;
    *live = (struct live){
        .service = service,
        .log = log,
        .notifier = notifier,
        .dir = options->store,
        .name = options->name != NULL ? options->name : service->program,
        .window = options->window,
    };
    if (attach(live, &error) != RS_OK) {
        log_line(log, LOG_LINE_ERROR, "%s", error.text);
        return false;
    }
    int status = load_first(live);
    if (status != RS_OK) {
        log_line(log, LOG_LINE_ERROR, "cannot read %s: %s", service->key, rs_strerror(status));
        detach(live);
        rules_free(live->judging);
        return false;
    }
    live->revision = live->settings->revision;
    live->known = live->revision;
    live->started = live->settings;
    live->refusing = live->settings->refused > 0;
    if (live->refusing) {
        answer_refused(live, live->revision, live->settings);
    } else {
        answer_accepted(live, live->revision, live->settings, live->settings);
    }
    tell_start(live);
    return true;
}

void live_close(struct live *live)
{
    detach(live);
    replace_settings(live, NULL);
    settings_free(live->started);
    rules_free(live->judging);
}

int live_fd(const struct live *live)
{
    return live->watch != NULL && !is_quiet(live) ? rs_watch_fd(live->watch) : -1;
}

int live_patience(const struct live *live)
{
    int64_t left = live->quiet_until - monotonic_ns();
    if (left > 0) {
        return (int)((left + NS_PER_MS - 1) / NS_PER_MS);
    }
    return live->watch != NULL ? -1 : WITHOUT_STORE_MS;
}
