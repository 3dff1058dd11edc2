/* regtool compact: makes the store's file as small as what is in it. */
#include <inttypes.h>
#include <stdio.h>

#include "arguments.h"
#include "report.h"
#include "show.h"
#include "tool.h"

int cmd_compact(struct tool *tool, const struct arguments *arguments)
{
    char before[SHOW_BYTES_SIZE], after[SHOW_BYTES_SIZE];
    rs_backup_report made;
    rs_error error = RS_ERROR_INIT;
    rs_store *store;
    int status;

    (void)arguments;
    if (tool_open(tool, 0, &store) != 0) {
        return 1;
    }
    status = rs_compact(store, &made, &error);
    if (status != RS_OK) {
        status = report_status(status, &error, rs_store_dir(store));
    } else {
        show_bytes(made.bytes_before, before);
        show_bytes(made.bytes, after);
        fputs("compacted ", stdout);
        show_safely(stdout, rs_store_dir(store));
        printf(": %s before, %s now; revision %" PRIu64 "\n", before, after, made.revision);
    }
    rs_close(store);
    return status;
}
