/* regtool confirm: keeps a change that was made with --confirm, and would be taken back. */
#include <inttypes.h>
#include <stdio.h>

#include "arguments.h"
#include "json.h"
#include "report.h"
#include "tool.h"

static int copy_info(void *context, const rs_revision_info *revision)
{
    rs_revision_info *latest = context;

    *latest = *revision;
    return 0;
}

/* Opening the store for writing may have taken it back just now. */
static int report_none(const struct tool *tool, int status, const rs_error *error)
{
    rs_revision_info latest = {.flags = 0};
    struct session session;

    if (status != RS_ENOTFOUND || session_begin(tool, RS_READ, &session) != 0) {
        return report_status(status, error, "confirm");
    }
    status = rs_history(session.txn, RS_NOW, rs_revision(session.txn), copy_info, &latest);
    session_end(&session);
    if (status == RS_OK && (latest.flags & RS_REVISION_ROLLBACK) != 0) {
        return report("too late: revision %" PRIu64 " has taken back revision %" PRIu64,
                      latest.revision, latest.to);
    }
    return report_status(RS_ENOTFOUND, error, "confirm");
}

int cmd_confirm(struct tool *tool, const struct arguments *arguments)
{
    struct json json = {.out = stdout};
    rs_error error = RS_ERROR_INIT;
    rs_store *store;
    uint64_t revision;
    int status;

    (void)arguments;
    if (tool_open(tool, 0, &store) != 0) {
        return 1;
    }
    status = rs_confirm(store, &revision, &error);
    rs_close(store);
    if (status != RS_OK) {
        return report_none(tool, status, &error);
    }
    if (!tool->json) {
        printf("Revision %" PRIu64 " stays.\n", revision);
        return 0;
    }
    json_open(&json, '{');
    json_member_number(&json, "revision", revision);
    json_close(&json, '}');
    json_line(&json);
    return 0;
}
