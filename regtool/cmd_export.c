/* regtool export: writes a key and everything below it to a file. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "confirm.h"
#include "progress.h"
#include "report.h"
#include "tool.h"

struct export
{
    const char *path;
    const char *file;
    const char *format; /* NULL: by the file's name */
    bool overwrite;
    rs_error error;
};

static int on_progress(void *context, const rs_progress *numbers)
{
    progress_show(context, numbers);
    return 0;
}

/* Writes the file from one snapshot. */
static int write_dump(struct export *export, rs_txn *txn, rs_key key)
{
    struct progress progress;
    rs_export_options options = {.format = export->format,
                                 .flags = export->overwrite ? RS_OVERWRITE : 0,
                                 .progress = on_progress,
                                 .context = &progress};
    int status;

    progress_begin(&progress, "exporting");
    status = rs_export(txn, key, export->file, &options, &export->error);
    progress_end(&progress);
    return status;
}

/* Returns 0 or 1; *exists is set, and nothing reported, where a file is in the way. */
static int attempt(const struct tool *tool, struct export *export, bool *exists)
{
    struct session session;
    rs_key key;
    int status;
    int result = 0;

    *exists = false;
    export->error = (rs_error)RS_ERROR_INIT;
    if (session_begin(tool, RS_READ, &session) != 0) {
        return 1;
    }
    status = rs_key_open(session.txn, RS_NO_KEY, export->path, &key);
    if (status != RS_OK) {
        result = session_report(&session, status, export->path);
    } else {
        status = write_dump(export, session.txn, key);
        *exists = status == RS_EEXIST && !export->overwrite;
        if (status != RS_OK && !*exists) {
            result = report_status(status, &export->error, export->file);
        }
    }
    session_end(&session);
    return result;
}

int cmd_export(struct tool *tool, const struct arguments *arguments)
{
    struct export export = {.path = arguments->operands[0],
                            .file = arguments->operands[1],
                            .format = arguments->switches[SWITCH_FORMAT],
                            .overwrite = has_switch(arguments, SWITCH_YES)};
    bool exists;
    int result = attempt(tool, &export, &exists);

    if (exists) {
        if (!confirm("y", "replace %s", export.file)) {
            return 1;
        }
        export.overwrite = true;
        result = attempt(tool, &export, &exists);
    }
    if (result == 0 && strcmp(export.file, "-") != 0) {
        puts("The operation completed successfully.");
    }
    return result;
}
