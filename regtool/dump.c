/* Writes a key and everything below it to a file. */
#include "dump.h"

#include <stdio.h>
#include <string.h>

#include "confirm.h"
#include "progress.h"
#include "report.h"

static int on_progress(void *context, const rs_progress *numbers)
{
    progress_show(context, numbers);
    return 0;
}

/* Writes the file from one snapshot. */
static int write_key(const struct dump *dump, rs_txn *txn, rs_key key, rs_error *error)
{
    struct progress progress;
    rs_export_options options = {.format = dump->format,
                                 .flags = dump->overwrite ? RS_OVERWRITE : 0,
                                 .progress = on_progress,
                                 .context = &progress};
    int status;

    progress_begin(&progress, "exporting");
    status = rs_export(txn, key, dump->file, &options, error);
    progress_end(&progress);
    return status;
}

/* Returns 0 or 1; *exists is set, and nothing reported, where a file is in the way. */
static int attempt(const struct tool *tool, const struct dump *dump, bool *exists)
{
    rs_error error = RS_ERROR_INIT;
    struct session session;
    rs_key key;
    int status;
    int result = 0;

    *exists = false;
    if (session_begin(tool, RS_READ, &session) != 0) {
        return 1;
    }
    status = rs_key_open(session.txn, RS_NO_KEY, dump->path, &key);
    if (status != RS_OK) {
        result = session_report(&session, status, dump->path);
    } else {
        status = write_key(dump, session.txn, key, &error);
        *exists = status == RS_EEXIST && !dump->overwrite;
        if (status != RS_OK && !*exists) {
            result = report_status(status, &error, dump->file);
        }
    }
    session_end(&session);
    return result;
}

int dump_write(const struct tool *tool, struct dump *dump)
{
    bool exists;
    int result = attempt(tool, dump, &exists);

    if (exists) {
        if (!confirm("y", "replace %s", dump->file)) {
            return 1;
        }
        dump->overwrite = true;
        result = attempt(tool, dump, &exists);
    }
    if (result == 0 && strcmp(dump->file, "-") != 0) {
        puts("The operation completed successfully.");
    }
    return result;
}
