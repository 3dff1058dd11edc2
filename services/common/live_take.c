/* live_take - what a service has read is taken or refused; see live_take.h. */
#include "live_take.h"

#include "rule.h"
#include "settings_text.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

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

int64_t live_monotonic_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

static void add_occasion(struct line *line, const struct live *live, const struct live_news *news,
                         uint64_t now)
{
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
static void answer(struct live *live, uint64_t seen, enum rs_answer what, const char *reason)
{
    live->seen = seen;
    if (live->named) {
        int status = rs_watch_answer(live->watch, seen, what, reason);
        if (status != RS_OK) {
            log_line(live->log, LOG_LINE_WARNING, "cannot answer revision %" PRIu64 ": %s", seen,
                     rs_strerror(status));
        }
    }
}

void live_answer_again(struct live *live, const char *reason)
{
    answer(live, live->seen, live->refusing ? RS_ANSWER_REJECTED : RS_ANSWER_APPLIED, reason);
}

/* A watch that was opened since has to be told of all that waits for a restart. said is what the
 * work has to add. */
static void answer_accepted(struct live *live, const struct live_reading *reading, const char *said)
{
    struct line reason = LINE_INIT;
    enum rs_answer what = RS_ANSWER_RESTART;
    live->waiting = settings_add_waiting(
        &reason, live->started, live->told ? live->settings : live->started, reading->fresh);
    if (reason.length == 0) {
        what = live->waiting == 0 ? RS_ANSWER_SETTLED : RS_ANSWER_APPLIED;
    }
    if (reading->fresh->warned > 0) {
        line_separate(&reason, 0, "; ");
        line_add(&reason, "warning: ");
        settings_add_warnings(&reason, reading->fresh);
    }
    if (said[0] != '\0') {
        line_separate(&reason, 0, "; ");
        line_add(&reason, "%s", said);
    }
    answer(live, reading->seen, what, reason.text);
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

static void add_said(struct line *line, const char *said)
{
    if (said[0] != '\0') {
        line_add(line, "; %s", said);
    }
}

/* What changed beside the service's own key, and makes no difference to it, fills no log. */
static bool is_worth_a_line(const struct live *live, const struct live_reading *reading,
                            const char *said)
{
    const struct live_news *news = &reading->news;
    struct line changes = LINE_INIT;
    return news->own || news->asked || news->behind || news->replaced || live->refusing ||
           said[0] != '\0' || live->settings->key_exists != reading->fresh->key_exists ||
           settings_add_changes(&changes, live->settings, reading->fresh) > 0;
}

static void accept_settings(struct live *live, const struct live_reading *reading, const char *said,
                            struct line *line)
{
    uint64_t now = current_time();
    bool waited = live->waiting > 0;
    bool told = is_worth_a_line(live, reading, said);
    live->revision = reading->revision;
    answer_accepted(live, reading, said);
    add_occasion(line, live, &reading->news, now);
    add_difference(line, live, reading->fresh);
    if (waited && live->waiting == 0) {
        line_add(line, ", no restart is needed any more");
    }
    add_said(line, said);
    live->refusing = false;
    live->earlier = false;
    tell_warnings(live, live->settings, reading->fresh);
    replace_settings(live, reading->fresh);
    if (told) {
        log_line(live->log, LOG_LINE_INFO, "%s", line->text);
    }
}

void live_add_kept(struct line *line, const struct live *live)
{
    line_add(line, "; keeping revision %" PRIu64 "'s settings%s", live->revision,
             live->earlier ? " of the store that was there before" : "");
}

static void refuse_settings(struct live *live, const struct live_reading *reading,
                            const char *reason, struct line *line)
{
    answer(live, reading->seen, RS_ANSWER_REJECTED, reason);
    line_add(line, "refused revision %" PRIu64 ": %s", reading->revision, reason);
    live_add_kept(line, live);
    live->refusing = true;
    settings_free(reading->fresh);
    log_line(live->log, LOG_LINE_WARNING, "%s", line->text);
}

/* Whatever becomes of it, the manager hears that the reload is over. */
static void end_reading(struct live *live, const struct live_reading *reading, bool taken,
                        const char *said)
{
    struct line line = LINE_INIT;
    if (taken) {
        accept_settings(live, reading, said, &line);
    } else {
        refuse_settings(live, reading, said, &line);
    }
    notify_ready(live->notifier, line.text);
    live->quiet_until = live_monotonic_ns() + (int64_t)live->window * NS_PER_MS;
}

/* Other rules that mean the same to the service are nothing to write down. */
static bool take_quietly(struct live *live, const struct live_reading *reading)
{
    const struct settings *fresh = reading->fresh;
    struct line changes = LINE_INIT;
    if (reading->news.any || live->refusing || fresh->refused > 0 ||
        fresh->key_exists != live->settings->key_exists ||
        settings_add_changes(&changes, live->settings, fresh) > 0) {
        return false;
    }
    answer_accepted(live, reading, live->stopped ? LIVE_STOPPED_NOTE : "");
    tell_warnings(live, live->settings, fresh);
    replace_settings(live, reading->fresh);
    return true;
}

static enum work_outcome hand_over(struct live *live, rs_txn *txn, const struct settings *settings,
                                   struct line *said)
{
    const struct work *work = live->service->work;
    if (live->stopped) {
        line_add(said, LIVE_STOPPED_NOTE);
        return WORK_TAKEN;
    }
    return work != NULL ? work->take(live->state, txn, settings, said) : WORK_TAKEN;
}

static void take(struct live *live, rs_txn *txn, const struct live_reading *reading)
{
    struct line said = LINE_INIT;
    notify_reloading(live->notifier);
    if (reading->fresh->refused > 0) {
        settings_add_refusals(&said, reading->fresh);
        end_reading(live, reading, false, said.text);
        return;
    }
    enum work_outcome outcome = hand_over(live, txn, reading->fresh, &said);
    if (outcome == WORK_UNDER_WAY) {
        live->pending = *reading;
    } else {
        end_reading(live, reading, outcome == WORK_TAKEN, said.text);
    }
}

static void tell_unread(struct live *live, int status)
{
    struct line line = LINE_INIT;
    notify_reloading(live->notifier);
    line_add(&line, "cannot read the settings: %s", rs_strerror(status));
    notify_ready(live->notifier, line.text);
    live->quiet_until = live_monotonic_ns() + (int64_t)live->window * NS_PER_MS;
}

int live_take_news(struct live *live, rs_txn *txn)
{
    struct live_reading reading = {.seen = rs_revision(txn), .news = live->news};
    reading.revision = live->news.revision != 0 ? live->news.revision : reading.seen;
    int status = load(live, txn, &reading.fresh);
    if (status != RS_OK) {
        tell_unread(live, status);
    } else if (!take_quietly(live, &reading)) {
        take(live, txn, &reading);
    }
    return status;
}

/* ---- The first settings ---------------------------------------------------------------------- */

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

static void tell_start(const struct live *live, const char *said)
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
    add_said(&line, said);
    log_line(live->log, LOG_LINE_INFO, "%s", line.text);
    notify_ready(live->notifier, line.text);
}

/* The settings that stand in for refused ones are not what the store has, whatever the work makes
 * of them. */
static void answer_first(struct live *live, bool taken, const char *said)
{
    const struct live_reading reading = {.fresh = live->settings, .seen = live->settings->revision};
    struct line refusals = LINE_INIT;
    settings_add_refusals(&refusals, live->settings);
    if (!taken) {
        line_separate(&refusals, 0, "; ");
        line_add(&refusals, "%s", said);
    }
    live->refusing = live->settings->refused > 0 || !taken;
    if (live->refusing) {
        answer(live, reading.seen, RS_ANSWER_REJECTED, refusals.text);
    } else {
        answer_accepted(live, &reading, said);
    }
    if (!taken) {
        log_line(live->log, LOG_LINE_WARNING, "cannot take revision %" PRIu64 "'s settings: %s",
                 live->revision, said);
    }
}

static void let_go(struct live *live)
{
    replace_settings(live, NULL);
    settings_free(live->started);
}

int live_take_first(struct live *live, rs_txn *txn, enum work_outcome *outcome, struct line *said)
{
    struct settings *fresh;
    int status = load(live, txn, &fresh);
    if (status != RS_OK) {
        return status;
    }
    let_go(live);
    live->settings = fresh;
    live->started = fresh;
    live->revision = fresh->revision;
    live->known = fresh->revision;
    live->earlier = false;
    live->told = false;
    *outcome = hand_over(live, txn, fresh, said);
    tell_start(live, *outcome == WORK_TAKEN ? said->text : "");
    if (*outcome == WORK_UNDER_WAY) {
        live->pending = (struct live_reading){.fresh = fresh, .first = true};
    } else {
        answer_first(live, *outcome == WORK_TAKEN, said->text);
    }
    return RS_OK;
}

void live_end_pending(struct live *live, bool taken, const char *said)
{
    const struct live_reading reading = live->pending;
    live->pending = (struct live_reading){0};
    if (!reading.first) {
        end_reading(live, &reading, taken, said);
        return;
    }
    answer_first(live, taken, said);
    if (taken && said[0] != '\0') {
        log_line(live->log, LOG_LINE_INFO, "%s", said);
    }
}

void live_take_nothing(struct live *live)
{
    if (!live->pending.first) {
        settings_free(live->pending.fresh);
    }
    let_go(live);
    rules_free(live->judging);
}
