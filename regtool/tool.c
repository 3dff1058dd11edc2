/* Opening the store, beginning and ending transactions. */
#include "tool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "moment.h"
#include "report.h"

/* Bytes of a path in a message. */
#define LONGEST_ABOUT 300
/* To begin on a store that others replace at the same time. */
#define MOST_TRIES 100

int tool_open(const struct tool *tool, unsigned flags, rs_store **store)
{
    rs_error error = RS_ERROR_INIT;
    int status = rs_open(tool->dir, flags, store, &error);

    if (status == RS_OK) {
        return 0;
    }
    return report_status(status, &error, tool->dir != NULL ? tool->dir : "the store");
}

/* Whoever opens the store for writing takes an unconfirmed change back when its time is over, and
 * is not kept from his work if that fails. */
static void remark_untaken(rs_store *store)
{
    rs_error error = RS_ERROR_INIT;
    int status = rs_confirm_due(store, NULL, &error);

    if (status == RS_EDISK || status == RS_EFULL) {
        remark("%s", error.text);
    }
}

static int begin(struct session *session, unsigned mode)
{
    int status = rs_begin(session->store, mode, &session->txn);

    session->error = (rs_error)RS_ERROR_INIT;
    session->writing = mode == RS_WRITE;
    if (status != RS_OK) {
        return status;
    }
    rs_txn_errors(session->txn, &session->error);
    if (session->writing && session->change.confirm > 0) {
        status = rs_txn_confirm(session->txn, session->change.confirm);
    }
    if (status != RS_OK) {
        session_drop(session);
    }
    return status;
}

/* ---- Sessions ---- */

/* While the store is opened, others may put other files in its place (compact, restore-store): then
 * those are the store. */
static int begin_now(const struct tool *tool, unsigned mode, struct session *session)
{
    int status = RS_EREPLACED;

    session->txn = NULL;
    session->committed = tool->committed;
    session->change = tool->change;
    session->json = tool->json;
    session->found = (struct violations){.count = 0};
    for (int tries = 0; status == RS_EREPLACED && tries < MOST_TRIES; tries++) {
        if (tool_open(tool, mode == RS_WRITE ? 0 : RS_READONLY, &session->store) != 0) {
            return 1;
        }
        if (mode == RS_WRITE) {
            remark_untaken(session->store);
        }
        status = begin(session, mode);
        if (status == RS_OK) {
            return 0;
        }
        if (status != RS_EREPLACED || tries + 1 == MOST_TRIES) {
            report_status(status, &session->error, rs_store_dir(session->store));
        }
        rs_close(session->store);
    }
    return 1;
}

/* Puts the store as it was into the place of the store. */
static int go_back(struct session *session, uint64_t revision)
{
    rs_error error = RS_ERROR_INIT;
    rs_store *past;
    int status;

    session_drop(session);
    status = rs_open_past(session->store, revision, &past, &error);
    if (status != RS_OK) {
        return report_status(status, &error, rs_store_dir(session->store));
    }
    rs_close(session->store);
    session->store = past;
    status = begin(session, RS_READ);
    return status == RS_OK ? 0 : report_status(status, NULL, "the past");
}

int session_begin_at(const struct tool *tool, const char *about, const char *moment,
                     struct session *session)
{
    struct moment when;
    uint64_t revision;
    int status;
    int result = 0;

    if (moment_read(about, moment, &when) != 0 || begin_now(tool, RS_READ, session) != 0) {
        return 1;
    }
    status = moment_revision(session->txn, &when, &revision);
    if (status != RS_OK) {
        result = session_report_moment(session, status, moment);
    } else if (revision != rs_revision(session->txn)) {
        result = go_back(session, revision);
    }
    if (result != 0) {
        session_end(session);
    }
    return result;
}

int session_begin(const struct tool *tool, unsigned mode, struct session *session)
{
    return mode == RS_READ && tool->at != NULL ? session_begin_at(tool, "--at", tool->at, session)
                                               : begin_now(tool, mode, session);
}

int session_again(struct session *session, unsigned mode)
{
    session_drop(session);
    int status = begin(session, mode);
    return status == RS_OK ? 0
                           : report_status(status, &session->error, rs_store_dir(session->store));
}

/* Tells the transaction what its revision is to carry. */
static int prepare(struct session *session)
{
    const char *message = session->change.message;

    return message != NULL ? rs_txn_message(session->txn, message) : RS_OK;
}

/* Whether the rules allow the change. All that is against them is told, not only the first that
 * the commit would tell; nobody has to wait while it is printed. */
static int check_rules(struct session *session)
{
    struct violations *found = &session->found;
    int status = violations_of_change(found, session->txn);

    if (status == RS_OK && session->change.force) {
        status = rs_txn_force(session->txn);
    }
    if (status != RS_OK) {
        return session_report(session, status, rs_store_dir(session->store));
    }
    if (found->count == 0 || (session->change.force && found->malformed == 0)) {
        return 0;
    }
    session_drop(session);
    return violations_report(found, session->json, !session->change.force);
}

int session_commit(struct session *session, uint64_t *revision)
{
    uint64_t before = rs_revision(session->txn);
    uint64_t made;
    int status = prepare(session);

    if (status != RS_OK) {
        return session_report(session, status, "--message");
    }
    if (check_rules(session) != 0) {
        return 1;
    }
    status = rs_commit(session->txn, &made);
    session->txn = NULL;
    if (status == RS_OK && made != before && session->committed != NULL) {
        *session->committed = made;
    }
    if (status == RS_OK && revision != NULL) {
        *revision = made;
    }
    if (status == RS_OK) {
        violations_remark(&session->found);
    }
    return status == RS_OK ? 0 : session_report(session, status, rs_store_dir(session->store));
}

void session_drop(struct session *session)
{
    rs_abort(session->txn);
    session->txn = NULL;
}

void session_end(struct session *session)
{
    rs_abort(session->txn);
    rs_close(session->store);
    violations_free(&session->found);
}

void session_forget(struct session *session)
{
    session->error.status = RS_OK;
    session->error.text[0] = '\0';
}

/* The start of a text, as long as a person reads it: a path can be half a megabyte. */
static int readable(const char *text)
{
    size_t len = strlen(text);

    if (len <= LONGEST_ABOUT) {
        return (int)len;
    }
    for (len = LONGEST_ABOUT; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;) {
        len--;
    }
    return (int)len;
}

int session_report(struct session *session, int status, const char *about)
{
    char line[LONGEST_ABOUT + RS_ERROR_TEXT_MAX + 8];
    int len = readable(about);
    const char *why = session->error.text;
    size_t place = strlen(about);

    if (strncmp(why, about, place) == 0 && why[place] == ':') {
        snprintf(line, sizeof(line), "%s", why); /* it names the place itself */
    } else {
        snprintf(line, sizeof(line), "%.*s%s: %s", len, about, about[len] != '\0' ? "..." : "",
                 why[0] != '\0' ? why : rs_strerror(status));
    }
    if (session->writing) { /* what about points to may go with it */
        session_drop(session);
    }
    return report("%s", line);
}

int session_report_moment(struct session *session, int status, const char *moment)
{
    uint64_t latest = rs_revision(session->txn);

    if (session->writing) {
        session_drop(session);
    }
    if (status == RS_ENOTFOUND) {
        return report("%s: there is no such revision, the latest is %" PRIu64, moment, latest);
    }
    return report("%s: %s", moment, rs_strerror(status));
}

bool output_lost(struct tool *tool)
{
    if (!ferror(stdout)) {
        return false;
    }
    if (tool->output_lost == 0) {
        tool->output_lost = errno != 0 ? errno : EIO;
    }
    return true;
}

bool output_flush_lost(struct tool *tool)
{
    errno = 0;
    fflush(stdout);
    return output_lost(tool);
}
