/* regtool show: what a revision changed, as regtool diff would print it. */
#include <stdio.h>

#include "arguments.h"
#include "differ_print.h"
#include "history_print.h"
#include "moment.h"
#include "tool.h"
#include "watch_print.h"

struct showing {
    struct session session;
    struct history_print print;
    struct differ_print differ;
    const rs_revision_info *revision; /* the one at hand */
    const char *asked;
    bool found;
};

static int put_json_change(struct showing *showing, const rs_change *change)
{
    struct json json = {.out = stdout};
    int status;

    json_open(&json, '{');
    history_print_json(&showing->print, &json, showing->revision);
    status = watch_print_json_change(&json, change);
    json_close(&json, '}');
    json_line(&json);
    return status;
}

static int on_change(void *context, const rs_change *change)
{
    struct showing *showing = context;
    struct tool *tool = showing->print.tool;
    int status = tool->json ? put_json_change(showing, change)
                            : history_print_change(&showing->differ, change);

    return status == RS_OK && output_lost(tool) ? RS_ECANCELLED : status;
}

static int on_revision(void *context, const rs_revision_info *revision)
{
    struct showing *showing = context;

    showing->found = true;
    showing->revision = revision;
    if (!showing->print.tool->json) {
        history_print_heading(&showing->print, revision);
    }
    return rs_history_changes(showing->session.txn, revision->revision, on_change, showing);
}

static int run(struct showing *showing, const struct moment *moment)
{
    rs_txn *txn = showing->session.txn;
    uint64_t revision;
    int status = moment_revision(txn, moment, &revision);

    if (status == RS_OK && revision == 0) { /* nobody made the empty store */
        status = RS_ENOTFOUND;
    }
    if (status == RS_OK) {
        status = rs_history(txn, revision, revision, on_revision, showing);
    }
    if (status == RS_OK && !showing->found) {
        status = RS_EBEHIND;
    }
    if (status == RS_OK) {
        return 0;
    }
    return showing->print.tool->output_lost != 0
               ? 1
               : session_report_moment(&showing->session, status, showing->asked);
}

int cmd_show(struct tool *tool, const struct arguments *arguments)
{
    const char *asked = arguments->operands[0] != NULL ? arguments->operands[0] : "-1";
    struct showing showing = {
        .print = {.tool = tool}, .differ = {.tool = tool, .out = stdout}, .asked = asked};
    struct moment moment;
    int result;

    if (moment_read("show", asked, &moment) != 0 ||
        session_begin(tool, RS_READ, &showing.session) != 0) {
        return 1;
    }
    result = run(&showing, &moment);
    differ_print_end(&showing.differ);
    session_end(&showing.session);
    return result;
}
