/* regtool import: reads a dump into the store, all of it or nothing, and says what came of it. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "later.h"
#include "losses.h"
#include "plan.h"
#include "progress.h"
#include "report.h"
#include "show.h"
#include "spool.h"
#include "tool.h"

struct import {
    struct session session;
    struct progress progress;
    struct losses losses;
    rs_import_report report;
    rs_spool *spool;
    FILE *later; /* what is told of each loss and change; NULL: nothing is */
    const char *file;
    char *key; /* where it went, NULL for a patch; outlives the transaction */
    unsigned flags;
    bool plan;
    struct violations found; /* by the plan */
    bool list;               /* every loss */
    bool changed;            /* the import made a revision */
    uint64_t revision;
};

static int on_progress(void *context, const rs_progress *numbers)
{
    struct import *import = context;

    progress_show(&import->progress, numbers);
    return 0;
}

static void on_loss(void *context, enum rs_loss_kind kind, const char *path, const char *value)
{
    struct import *import = context;

    losses_note(&import->losses, kind, path, value);
}

static int read_dump(struct import *import, const char *key)
{
    rs_import_options options = {.key = key,
                                 .flags = import->flags,
                                 .progress = on_progress,
                                 .loss = on_loss,
                                 .context = import,
                                 .spool = import->spool};
    rs_error error = RS_ERROR_INIT;
    int status;

    progress_begin(&import->progress, "importing");
    status = rs_import(import->session.txn, import->file, &options, &import->report, &error);
    progress_end(&import->progress);
    if (status == RS_OK && import->report.key != NULL) {
        import->key = strdup(import->report.key);
        status = import->key != NULL ? RS_OK : RS_ENOMEM;
    }
    if (status == RS_OK) {
        return 0;
    }
    session_drop(&import->session);
    return report_status(status, &error, import->file);
}

static int commit(struct import *import)
{
    uint64_t before = rs_revision(import->session.txn);

    if (session_commit(&import->session, &import->revision) != 0) {
        return 1;
    }
    import->changed = import->revision != before;
    return 0;
}

static void print_loss_count(const struct import *import)
{
    uint64_t losses = losses_count(&import->losses);

    if (losses > 0) {
        printf(", %" PRIu64 " %s", losses, losses == 1 ? "loss" : "losses");
    }
}

static void print_outcome(const struct import *import)
{
    if (import->plan) {
        puts("; this is a plan, nothing was changed");
    } else if (import->changed) {
        printf("; revision %" PRIu64 "\n", import->revision);
    } else {
        printf("; nothing changed at revision %" PRIu64 "\n", import->revision);
    }
}

static void print_summary(const struct import *import)
{
    const rs_import_report *report = &import->report;
    bool is_stdin = strcmp(import->file, "-") == 0;

    fputs(import->plan ? "import of " : "imported ", stdout);
    show_safely(stdout, is_stdin ? "standard input" : import->file);
    printf(" (%s)", report->format);
    if (import->key != NULL) {
        fputs(" into ", stdout);
        show_safely(stdout, import->key);
    }
    printf(": %" PRIu64 " keys added, %" PRIu64 " found, %" PRIu64 " deleted; %" PRIu64
           " values added, %" PRIu64 " changed, %" PRIu64 " deleted, %" PRIu64 " unchanged",
           report->keys_added, report->keys_found, report->keys_deleted, report->values_added,
           report->values_changed, report->values_deleted, report->values_same);
    if ((import->flags & RS_KEEP) || report->values_kept > 0) { /* some edits only add */
        printf(", %" PRIu64 " kept", report->values_kept);
    }
    print_loss_count(import);
    print_outcome(import);
    losses_print(&import->losses);
    if (report->foreign) {
        puts("the dump is not of regstore's making: class names and exact times are not in it");
    }
}

static void print_json(const struct import *import)
{
    const rs_import_report *report = &import->report;
    struct json json = {.out = stdout};

    json_open(&json, '{');
    json_member_text(&json, "file", import->file);
    json_member_text(&json, "format", report->format);
    if (import->key != NULL) {
        json_member_text(&json, "key", import->key);
    }
    if (!import->plan) {
        json_member_number(&json, "revision", import->revision);
    }
    json_member_number(&json, "keys_added", report->keys_added);
    json_member_number(&json, "keys_found", report->keys_found);
    json_member_number(&json, "keys_deleted", report->keys_deleted);
    json_member_number(&json, "values_added", report->values_added);
    json_member_number(&json, "values_changed", report->values_changed);
    json_member_number(&json, "values_deleted", report->values_deleted);
    json_member_number(&json, "values_unchanged", report->values_same);
    json_member_number(&json, "values_kept", report->values_kept);
    json_member(&json, "losses");
    losses_json(&import->losses, &json);
    json_close(&json, '}');
    json_line(&json);
}

/* All that needs the writer's lock; nothing is printed. */
static int change_store(struct import *import, struct tool *tool, const char *key)
{
    int result = import->plan ? plan_begin(tool, &import->session)
                              : session_begin(tool, RS_WRITE, &import->session);

    if (result != 0) {
        return 1;
    }
    result = read_dump(import, key);
    if (result == 0) {
        result = import->plan ? plan_write(tool, &import->session, import->later) : commit(import);
    }
    import->found = import->session.found; /* outlives the session */
    import->session.found = (struct violations){.count = 0};
    session_end(&import->session);
    return result;
}

static int run(struct import *import, struct tool *tool, const char *key)
{
    int result = 1;

    if ((import->list || import->plan) && (import->later = later_open()) == NULL) {
        return 1;
    }
    if (import->list) {
        import->losses.list = import->later;
    }
    if (spool_open(import->file, &import->spool) == 0) {
        result = change_store(import, tool, key);
        rs_spool_close(import->spool);
    }
    return later_print(import->later) == 0 ? result : 1;
}

/* What the import itself would say and answer. */
static int judge_plan(const struct import *import, struct tool *tool, int result)
{
    const struct violations *found = &import->found;

    if (found->count == 0 || (tool->change.force && found->malformed == 0)) {
        violations_remark(found);
        return result;
    }
    fflush(stdout);
    return violations_report(found, tool->json, !tool->change.force);
}

int cmd_import(struct tool *tool, const struct arguments *arguments)
{
    struct import import = {.file = arguments->operands[0]};
    int result;

    import.flags = has_switch(arguments, SWITCH_KEEP) ? RS_KEEP : 0;
    import.flags |= has_switch(arguments, SWITCH_VIEW_32) ? RS_VIEW_32 : 0;
    import.plan = has_switch(arguments, SWITCH_PLAN);
    import.list = has_switch(arguments, SWITCH_VERBOSE);
    import.losses.json = tool->json;
    result = run(&import, tool, arguments->operands[1]);
    if (result != 1 && tool->json) {
        print_json(&import);
    } else if (result != 1) {
        print_summary(&import);
    }
    if (result != 1 && import.plan) {
        result = judge_plan(&import, tool, result);
    }
    violations_free(&import.found);
    losses_free(&import.losses);
    free(import.key);
    return result;
}
