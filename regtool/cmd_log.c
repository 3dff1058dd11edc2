/*
 * regtool log: lists the revisions, the newest first. With a key those that concern it, or what is
 * below it; what the line of a revision tells is then what it did there.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "history_print.h"
#include "keypath.h"
#include "moment.h"
#include "report.h"
#include "tool.h"

struct log {
    struct session session;
    struct history_print print;
    const char *asked;   /* the key; NULL: all of them */
    struct keypath path; /* its canonical path; empty: none is known */
    const char *value;   /* the name of a value; NULL: all of them */
    bool by_user;
    uint32_t uid;
    uint64_t oldest;    /* the first revision that is listed */
    uint64_t since;     /* and its time, at least */
    FILE *summary;      /* of the revision at hand */
    char *summary_text; /* the same */
    size_t summary_size;
    uint64_t count; /* of its changes */
};

/* ---- Changes that count ---- */

/* Whether a change of a key, or of one above it, can have changed a value of it. What a deletion
 * took away is told value by value, if it is known. */
static bool moves_value(const rs_change *change)
{
    return change->kind == RS_KEY_CREATED || change->kind == RS_KEY_RENAMED ||
           change->kind == RS_KEY_RELINKED || (change->kind == RS_KEY_DELETED && change->lost);
}

static bool concerns_value(const struct log *log, const rs_change *change,
                           enum keypath_relation relation)
{
    if (change->kind == RS_VALUE_SET || change->kind == RS_VALUE_DELETED) {
        return relation == KEYPATH_SAME &&
               rs_name_compare(change->name, change->name_len, log->value, strlen(log->value)) == 0;
    }
    return (relation == KEYPATH_SAME || relation == KEYPATH_ABOVE) && moves_value(change);
}

/* How the key of a change stands to the one that was asked for; a renamed one by its new name, if
 * not by its old one. */
static int relate(const struct log *log, const rs_change *change, enum keypath_relation *relation)
{
    const struct keypath *asked = &log->path;
    struct keypath renamed = {.text = NULL};
    const char *last = memrchr(change->path, '\\', change->path_len);
    int status = RS_OK;

    *relation = keypath_relate(change->path, change->path_len, asked->text, asked->len);
    if (*relation != KEYPATH_APART || change->kind != RS_KEY_RENAMED || last == NULL) {
        return RS_OK;
    }
    status = keypath_add(&renamed, change->path, (size_t)(last - change->path));
    if (status == RS_OK) {
        status = keypath_add(&renamed, change->name, change->name_len);
    }
    if (status == RS_OK) {
        *relation = keypath_relate(renamed.text, renamed.len, asked->text, asked->len);
    }
    keypath_free(&renamed);
    return status;
}

static bool concerns_key(const rs_change *change, enum keypath_relation relation)
{
    if (change->kind == RS_VALUE_SET || change->kind == RS_VALUE_DELETED) {
        return !change->inner && (relation == KEYPATH_SAME || relation == KEYPATH_BELOW);
    }
    return relation != KEYPATH_APART && (!change->inner || relation == KEYPATH_SAME);
}

static int concerns(const struct log *log, const rs_change *change, bool *answer)
{
    enum keypath_relation relation;
    int status;

    if (log->path.len == 0) {
        *answer = !change->inner;
        return RS_OK;
    }
    status = relate(log, change, &relation);
    if (status == RS_OK) {
        *answer = log->value != NULL ? concerns_value(log, change, relation)
                                     : concerns_key(change, relation);
    }
    return status;
}

static int note_change(void *context, const rs_change *change)
{
    struct log *log = context;
    bool counts = false;
    int status = concerns(log, change, &counts);

    if (status == RS_OK && counts && log->count++ == 0) {
        status = history_print_short(log->summary, change);
    }
    return status;
}

/* ---- Revisions ---- */

static bool is_wanted(const struct log *log, const rs_revision_info *revision)
{
    return revision->time >= log->since && (!log->by_user || revision->uid == log->uid);
}

static void put_json(struct log *log, const rs_revision_info *revision)
{
    struct json json = {.out = stdout};

    json_open(&json, '{');
    history_print_json(&log->print, &json, revision);
    json_member_number(&json, "changes", log->count);
    json_close(&json, '}');
    json_line(&json);
}

static int put_revision(struct log *log, const rs_revision_info *revision)
{
    int status;

    rewind(log->summary);
    log->count = 0;
    status = rs_history_changes(log->session.txn, revision->revision, note_change, log);
    if (status == RS_OK && fflush(log->summary) != 0) {
        status = RS_ENOMEM;
    }
    if (status != RS_OK || (log->count == 0 && log->value != NULL)) {
        return status;
    }
    log->summary_text[log->count > 0 ? log->summary_size : 0] = '\0';
    if (log->print.tool->json) {
        put_json(log, revision);
    } else {
        history_print_line(&log->print, revision, log->summary_text, log->count);
    }
    return output_lost(log->print.tool) ? RS_ECANCELLED : RS_OK;
}

static int on_revision(void *context, const rs_revision_info *revision)
{
    struct log *log = context;

    return is_wanted(log, revision) ? put_revision(log, revision) : 0;
}

static int list(struct log *log)
{
    rs_txn *txn = log->session.txn;
    int status;

    if (log->asked == NULL) {
        return rs_history(txn, RS_NOW, log->oldest, on_revision, log);
    }
    status = keypath_canonical(txn, log->asked, &log->path);
    if (status == RS_OK || status == RS_ENOTFOUND) { /* a view of what is not there */
        session_forget(&log->session);
        status = rs_history_key(txn, log->asked, log->value == NULL ? RS_SUBTREE : 0, RS_NOW,
                                log->oldest, on_revision, log);
    }
    return status;
}

static int copy_time(void *context, const rs_revision_info *revision)
{
    uint64_t *time = context;

    *time = revision->time;
    return 0;
}

/* Where the list ends because the journal does. */
static void tell_end(struct log *log)
{
    rs_txn *txn = log->session.txn;
    uint64_t time = 0;
    rs_stat stat;

    if (log->print.tool->json || rs_stat_get(txn, &stat) != RS_OK || stat.first_revision <= 1 ||
        rs_history(txn, stat.first_revision, stat.first_revision, copy_time, &time) != RS_OK) {
        return;
    }
    if (log->oldest < stat.first_revision && log->since < time) {
        remark("the journal reaches back to revision %" PRIu64, stat.first_revision);
    }
}

static int run(struct log *log)
{
    int status;

    log->summary = open_memstream(&log->summary_text, &log->summary_size);
    if (log->summary == NULL) {
        return report_status(RS_ENOMEM, NULL, "log");
    }
    status = list(log);
    fclose(log->summary);
    free(log->summary_text);
    if (status == RS_OK) {
        tell_end(log);
        return 0;
    }
    return log->print.tool->output_lost != 0
               ? 1
               : session_report(&log->session, status, log->asked != NULL ? log->asked : "log");
}

/* ---- The command line ---- */

/* A revision means what came after it, as for watch. */
static int read_since(struct log *log, const char *word)
{
    struct moment moment;
    int status;

    if (word == NULL) {
        return 0;
    }
    if (moment_read("--since", word, &moment) != 0) {
        return 1;
    }
    if (moment.kind == MOMENT_TIME) {
        log->since = moment.number;
        return 0;
    }
    status = moment_revision(log->session.txn, &moment, &log->oldest);
    log->oldest++;
    return status == RS_OK ? 0 : session_report_moment(&log->session, status, word);
}

static int read_switches(struct log *log, const struct arguments *arguments)
{
    const char *user = arguments->switches[SWITCH_BY];

    log->asked = arguments->operands[0];
    log->value = arguments->switches[SWITCH_VALUE];
    log->by_user = user != NULL;
    if (log->value != NULL && log->asked == NULL) {
        return report("log: --value needs KEY");
    }
    return log->by_user ? who_number("log", user, &log->uid) : 0;
}

int cmd_log(struct tool *tool, const struct arguments *arguments)
{
    struct log log = {.print = {.tool = tool}};
    int result;

    if (read_switches(&log, arguments) != 0 || session_begin(tool, RS_READ, &log.session) != 0) {
        return 1;
    }
    result = read_since(&log, arguments->switches[SWITCH_SINCE]);
    if (result == 0) {
        result = run(&log);
    }
    keypath_free(&log.path);
    session_end(&log.session);
    return result;
}
