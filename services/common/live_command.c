/* live_command - an administrator stops the service's work, and starts it again; see
 * live_command.h. */
#include "live_command.h"

#include "live_take.h"
#include "rule.h"

bool live_is_busy(const struct live *live)
{
    return live->halting || live->pending.fresh != NULL;
}

const char *live_condition(const struct live *live)
{
    if (live->halting) {
        return "stopping";
    }
    if (live->starting) {
        return "starting";
    }
    return live->stopped ? "stopped" : "running";
}

/* ---- Stopping -------------------------------------------------------------------------------- */

static void tell_condition(const struct live *live, const char *said)
{
    struct line line = LINE_INIT;
    line_add(&line, "%s", said);
    log_line(live->log, LOG_LINE_INFO, "%s", line.text);
    notify_status(live->notifier, line.text);
}

/* The work has done what it could. */
static void end_halting(struct live *live, bool taken, const char *said, struct line *answer)
{
    live->halting = false;
    live->stopped = taken;
    if (!taken) {
        line_add(answer, "error %s", said);
        log_line(live->log, LOG_LINE_WARNING, "cannot stop: %s", said);
        return;
    }
    live_answer_again(live, LIVE_STOPPED_NOTE);
    struct line condition = LINE_INIT;
    line_add(&condition, "stopped on request%s%s", said[0] != '\0' ? ": " : "", said);
    tell_condition(live, condition.text);
    line_add(answer, "ok stopped%s%s", said[0] != '\0' ? ": " : "", said);
}

static bool halt(struct live *live, struct line *answer)
{
    const struct work *work = live->service->work;
    struct line said = LINE_INIT;
    enum work_outcome outcome =
        work != NULL && work->halt != NULL ? work->halt(live->state, &said) : WORK_TAKEN;
    if (outcome == WORK_UNDER_WAY) {
        live->halting = true;
        return false;
    }
    end_halting(live, outcome == WORK_TAKEN, said.text, answer);
    return true;
}

bool live_stop(struct live *live, struct line *answer)
{
    if (live_is_busy(live)) {
        live->wish = LIVE_TO_STOP;
        return false;
    }
    if (live->stopped) {
        line_add(answer, "already stopped");
        return true;
    }
    return halt(live, answer);
}

/* ---- Starting -------------------------------------------------------------------------------- */

/* What the work cannot take, it does without, as at the start of the process. */
static void end_starting(struct live *live, bool taken, const char *said, struct line *answer)
{
    live->starting = false;
    line_add(answer, "ok running");
    if (!taken) {
        line_add(answer, ": %s", said);
    }
}

/* Whatever rules there were, others may have come that the watch has not told yet. */
static int take_anew(struct live *live, enum work_outcome *outcome, struct line *said)
{
    rs_txn *txn;
    int status = live->store != NULL ? rs_begin(live->store, RS_READ, &txn) : RS_EREPLACED;
    if (status != RS_OK) {
        return status;
    }
    rules_free(live->judging);
    live->judging = NULL;
    live->stopped = false;
    status = live_take_first(live, txn, outcome, said);
    rs_abort(txn);
    if (status == RS_OK) {
        live->news = (struct live_news){0};
    } else {
        live->stopped = true;
    }
    return status;
}

static bool go_on(struct live *live, struct line *answer)
{
    struct line said = LINE_INIT;
    enum work_outcome outcome = WORK_REFUSED;
    int status = take_anew(live, &outcome, &said);
    if (status != RS_OK) {
        line_add(answer, "error cannot read the settings: %s", rs_strerror(status));
        return true;
    }
    if (outcome == WORK_UNDER_WAY) {
        live->starting = true;
        return false;
    }
    end_starting(live, outcome == WORK_TAKEN, said.text, answer);
    return true;
}

bool live_start(struct live *live, struct line *answer)
{
    if (live_is_busy(live)) {
        live->wish = LIVE_TO_START;
        return false;
    }
    if (!live->stopped) {
        line_add(answer, "already running");
        return true;
    }
    return go_on(live, answer);
}

/* ---- What was under way ---------------------------------------------------------------------- */

static void tell_commander(const struct live *live, const struct line *answer)
{
    if (live->commander != NULL && answer->length > 0) {
        live->commander->answered(live->commander->owner, answer->text);
    }
}

/* A wish for what has come about meanwhile is fulfilled. */
static void fulfil_wish(struct live *live, struct line *answer)
{
    enum live_wish wish = live->wish;
    bool stop = wish == LIVE_TO_STOP;
    live->wish = LIVE_NO_WISH;
    if (wish == LIVE_NO_WISH || (stop == live->stopped && answer->length > 0)) {
        tell_commander(live, answer);
        return;
    }
    struct line other = LINE_INIT;
    if (stop ? live_stop(live, &other) : live_start(live, &other)) {
        tell_commander(live, &other);
    }
}

void live_end_busy(struct live *live, bool taken, const char *said)
{
    struct line answer = LINE_INIT;
    if (live->halting) {
        end_halting(live, taken, said, &answer);
    } else {
        bool starting = live->starting;
        live_end_pending(live, taken, said);
        if (starting) {
            end_starting(live, taken, said, &answer);
        }
    }
    fulfil_wish(live, &answer);
}
