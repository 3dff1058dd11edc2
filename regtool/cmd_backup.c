/* regtool backup: copies the store to a file while everybody goes on using it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "confirm.h"
#include "progress.h"
#include "report.h"
#include "show.h"
#include "tool.h"

static int on_progress(void *context, const rs_progress *numbers)
{
    progress_show(context, numbers);
    return 0;
}

static int write_backup(rs_store *store, const char *file, bool overwrite, rs_backup_report *made,
                        rs_error *error)
{
    struct progress progress;
    rs_backup_options options = {
        .flags = overwrite ? RS_OVERWRITE : 0, .progress = on_progress, .context = &progress};
    int status;

    progress_begin(&progress, "writing the backup");
    status = rs_backup(store, file, &options, made, error);
    progress_end(&progress);
    return status;
}

static void tell(const char *file, const rs_backup_report *made)
{
    char size[SHOW_BYTES_SIZE];

    show_bytes(made->bytes, size);
    printf("backed up revision %" PRIu64 " to ", made->revision);
    show_text(stdout, file, strlen(file), true);
    printf(", %s\n", size);
}

static int backup(rs_store *store, const char *file, bool overwrite)
{
    rs_backup_report made;
    rs_error error = RS_ERROR_INIT;
    int status = write_backup(store, file, overwrite, &made, &error);

    if (status == RS_EEXIST && !overwrite) {
        if (!confirm("y", "replace %s", file)) {
            return 1;
        }
        error = (rs_error)RS_ERROR_INIT;
        status = write_backup(store, file, true, &made, &error);
    }
    if (status != RS_OK) {
        return report_status(status, &error, file);
    }
    if (strcmp(file, "-") != 0) {
        tell(file, &made);
    }
    return 0;
}

int cmd_backup(struct tool *tool, const struct arguments *arguments)
{
    rs_store *store;
    int result;

    if (tool->terminal && strcmp(arguments->operands[0], "-") == 0) {
        return report("backup: the file is not for a terminal");
    }
    result = tool_open(tool, RS_READONLY, &store);
    if (result == 0) {
        result = backup(store, arguments->operands[0], has_switch(arguments, SWITCH_YES));
        rs_close(store);
    }
    return result;
}
