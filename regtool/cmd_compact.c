/* regtool compact: makes the store's file as small as what is in it. */
#include <inttypes.h>
#include <stdio.h>

#include "arguments.h"
#include "report.h"
#include "show.h"
#include "tool.h"

/* Before the store is opened to be written, for which its file gets room. Returns 0, or 1 after a
 * report. */
static int measure(const struct tool *tool, uint64_t *bytes)
{
    struct session session;
    rs_stat stat;
    int status;

    if (session_begin(tool, RS_READ, &session) != 0) {
        return 1;
    }
    status = rs_stat_get(session.txn, &stat);
    if (status == RS_OK) {
        *bytes = stat.file_size;
    } else {
        status = session_report(&session, status, rs_store_dir(session.store));
    }
    session_end(&session);
    return status;
}

int cmd_compact(struct tool *tool, const struct arguments *arguments)
{
    char before[SHOW_BYTES_SIZE], after[SHOW_BYTES_SIZE];
    rs_backup_report made;
    rs_error error = RS_ERROR_INIT;
    rs_store *store;
    uint64_t bytes = 0;
    int status;

    (void)arguments;
    if (measure(tool, &bytes) != 0 || tool_open(tool, 0, &store) != 0) {
        return 1;
    }
    status = rs_compact(store, &made, &error);
    if (status != RS_OK) {
        status = report_status(status, &error, rs_store_dir(store));
    } else {
        show_bytes(bytes, before);
        show_bytes(made.bytes, after);
        fputs("compacted ", stdout);
        show_safely(stdout, rs_store_dir(store));
        printf(": %s before, %s now; revision %" PRIu64 "\n", before, after, made.revision);
    }
    rs_close(store);
    return status;
}
