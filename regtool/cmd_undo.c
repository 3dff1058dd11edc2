/*
 * regtool undo and redo: take revisions back, as a new revision. What was changed since is a
 * conflict; all of them are listed, on standard error, once nobody waits for the writer's lock.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "moment.h"
#include "report.h"
#include "show.h"
#include "taken_back.h"
#include "tool.h"

struct undo {
    struct tool *tool;
    struct session session;
    const char *verb;
    const char *asked; /* the revisions; NULL: what the history says */
    uint64_t from;
    uint64_t to;
    unsigned flags;
    rs_undo_report told;
    uint64_t lasting; /* conflicts that --force does not settle */
    uint64_t revision;
    uint64_t before; /* the latest revision when it began */
    FILE *conflicts; /* a line for each */
    char *text;      /* the same */
    size_t size;
};

/* ---- Conflicts ---- */

static int put_json_conflict(const struct undo *undo, const rs_conflict *conflict)
{
    const rs_change *change = conflict->change;
    struct json json = {.out = undo->conflicts};

    json_open(&json, '{');
    json_member_text(&json, "conflict", conflict->text);
    json_member_number(&json, "revision", conflict->revision);
    json_member(&json, "key");
    json_text(&json, change->path, change->path_len);
    if (change->kind == RS_VALUE_SET || change->kind == RS_VALUE_DELETED) {
        json_member(&json, "name");
        json_text(&json, change->name, change->name_len);
    }
    json_member_number(&json, "lasting", conflict->lasting != 0);
    json_close(&json, '}');
    json_line(&json);
    return 0;
}

static int on_conflict(void *context, const rs_conflict *conflict)
{
    struct undo *undo = context;
    const rs_change *change = conflict->change;
    FILE *out = undo->conflicts;

    undo->lasting += conflict->lasting != 0;
    if (undo->tool->json) {
        return put_json_conflict(undo, conflict);
    }
    fprintf(out, "revision %" PRIu64 ": ", conflict->revision);
    show_text(out, change->path, change->path_len, true);
    if (change->kind == RS_VALUE_SET || change->kind == RS_VALUE_DELETED) {
        fputs(": ", out);
        show_value_name(out, change->name, change->name_len, true);
    }
    fprintf(out, ": %s\n", conflict->text);
    return 0;
}

/* Conflicts are part of what --json gives; for a person they are remarks. */
static void put_conflicts(struct undo *undo)
{
    if (undo->conflicts == NULL) { /* they are printed */
        return;
    }
    fclose(undo->conflicts);
    undo->conflicts = NULL;
    fwrite(undo->text, 1, undo->size, undo->tool->json ? stdout : stderr);
    free(undo->text);
}

/* ---- The revisions ---- */

static int find_asked(struct undo *undo)
{
    struct moment range[2];
    int status = RS_OK;

    if (moment_read_range(undo->verb, undo->asked, range) != 0) {
        return 1;
    }
    if (range[0].kind == MOMENT_TIME || range[1].kind == MOMENT_TIME) {
        session_drop(&undo->session);
        return report("%s: name the revision, not the time: log lists them", undo->verb);
    }
    status = moment_revision(undo->session.txn, &range[0], &undo->from);
    if (status == RS_OK) {
        status = moment_revision(undo->session.txn, &range[1], &undo->to);
    }
    if (status == RS_OK && (undo->from == 0 || undo->from > undo->to)) {
        session_drop(&undo->session);
        return report("%s: %s: %s", undo->verb, undo->asked,
                      undo->from == 0 ? "revisions are numbered from 1"
                                      : "the older revision comes first");
    }
    return status == RS_OK ? 0 : session_report_moment(&undo->session, status, undo->asked);
}

static int find_newest(struct undo *undo)
{
    bool redo = strcmp(undo->verb, "redo") == 0;
    int status = taken_back_newest(undo->session.txn, redo, &undo->from);

    undo->to = undo->from;
    if (status == RS_ENOTFOUND) {
        session_drop(&undo->session);
        return report("%s: there is nothing to be %s", undo->verb,
                      redo ? "done again" : "taken back");
    }
    return status == RS_OK ? 0 : session_report(&undo->session, status, undo->verb);
}

/* "revision 5" or "revisions 3 to 5". */
static const char *revisions(const struct undo *undo, char text[64])
{
    if (undo->from == undo->to) {
        snprintf(text, 64, "revision %" PRIu64, undo->from);
    } else {
        snprintf(text, 64, "revisions %" PRIu64 " to %" PRIu64, undo->from, undo->to);
    }
    return text;
}

/* ---- Doing it ---- */

static int report_failure(struct undo *undo, int status)
{
    uint64_t count = undo->told.conflicts;

    if (status != RS_ECONFLICT) {
        return session_report(&undo->session, status, undo->verb);
    }
    session_drop(&undo->session);
    put_conflicts(undo);
    if (undo->lasting > 0 && undo->flags == RS_UNDO_FORCE) {
        return report("%s: %" PRIu64 " of %" PRIu64 " conflicts cannot be settled by force, so "
                      "nothing is changed (--skip leaves them out)",
                      undo->verb, undo->lasting, count);
    }
    return report("%s: %" PRIu64 " conflict%s, so nothing is changed (--skip leaves out what is in "
                  "conflict, --force overrules it)",
                  undo->verb, count, count == 1 ? "" : "s");
}

/* All that needs the writer's lock. */
static int take_back(struct undo *undo)
{
    rs_undo_options options = {.flags = undo->flags, .conflict = on_conflict, .context = undo};
    int status;

    if ((undo->asked != NULL ? find_asked(undo) : find_newest(undo)) != 0) {
        return 1;
    }
    undo->before = rs_revision(undo->session.txn);
    status = rs_undo(undo->session.txn, undo->from, undo->to, &options, &undo->told);
    if (status != RS_OK) {
        return report_failure(undo, status);
    }
    return session_commit(&undo->session, &undo->revision);
}

static void put_json(const struct undo *undo)
{
    struct json json = {.out = stdout};

    json_open(&json, '{');
    json_member_number(&json, "revision", undo->revision);
    json_member_number(&json, "undone_from", undo->from);
    json_member_number(&json, "undone_to", undo->to);
    json_member_number(&json, "changes", undo->told.changes);
    json_member_number(&json, "conflicts", undo->told.conflicts);
    json_close(&json, '}');
    json_line(&json);
}

static void put_result(const struct undo *undo)
{
    char text[64];

    if (undo->tool->json) {
        put_json(undo);
    } else if (undo->revision == undo->before) {
        puts("Nothing is left to be taken back.");
    } else {
        printf("Took back %s as revision %" PRIu64 ": %" PRIu64 " change%s", revisions(undo, text),
               undo->revision, undo->told.changes, undo->told.changes == 1 ? "" : "s");
        if (undo->told.conflicts > 0) {
            printf(", %" PRIu64 " in conflict %s", undo->told.conflicts,
                   undo->flags == RS_UNDO_SKIP ? "left out" : "overruled");
        }
        puts(".");
    }
}

static int run(struct undo *undo)
{
    int result;

    undo->conflicts = open_memstream(&undo->text, &undo->size);
    if (undo->conflicts == NULL) {
        return report_status(RS_ENOMEM, NULL, undo->verb);
    }
    result = session_begin(undo->tool, RS_WRITE, &undo->session);
    if (result == 0) {
        result = take_back(undo);
        session_end(&undo->session);
    }
    put_conflicts(undo);
    if (result == 0) {
        put_result(undo);
    }
    return result;
}

static unsigned read_flags(const struct arguments *arguments)
{
    return has_switch(arguments, SWITCH_FORCE)  ? RS_UNDO_FORCE
           : has_switch(arguments, SWITCH_SKIP) ? RS_UNDO_SKIP
                                                : 0;
}

int cmd_undo(struct tool *tool, const struct arguments *arguments)
{
    struct undo undo = {.tool = tool, .verb = "undo", .asked = arguments->operands[0]};

    if ((undo.asked != NULL) == has_switch(arguments, SWITCH_LAST)) {
        return report(undo.asked != NULL ? "undo: --last takes no REV"
                                         : "undo: REV or --last is missing");
    }
    undo.flags = read_flags(arguments);
    return run(&undo);
}

int cmd_redo(struct tool *tool, const struct arguments *arguments)
{
    struct undo undo = {.tool = tool, .verb = "redo", .flags = read_flags(arguments)};

    return run(&undo);
}
