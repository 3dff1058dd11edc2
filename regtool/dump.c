/* Writes a key and everything below it to a file. */
#include "dump.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "confirm.h"
#include "hives.h"
#include "keypath.h"
#include "losses.h"
#include "progress.h"
#include "report.h"
#include "terminal_filter.h"

struct writing {
    const struct dump *dump;
    struct progress progress;
    struct losses losses;
};

static int on_progress(void *context, const rs_progress *numbers)
{
    struct writing *writing = context;

    progress_show(&writing->progress, numbers);
    return 0;
}

static void on_loss(void *context, enum rs_loss_kind kind, const char *path, const char *value)
{
    struct writing *writing = context;

    losses_note(&writing->losses, kind, path, value);
}

/* Writes the file from one snapshot. A .reg file calls the key as it was asked for. */
static int write_key(struct writing *writing, rs_txn *txn, rs_key key, rs_error *error)
{
    const struct dump *dump = writing->dump;
    struct keypath name = {.text = NULL};
    rs_export_options options = {.format = dump->format,
                                 .flags = dump->overwrite ? RS_OVERWRITE : 0,
                                 .progress = on_progress,
                                 .loss = on_loss,
                                 .context = writing};
    int status = keypath_spell(txn, dump->path, dump->hidden, &name);

    if (status == RS_OK) {
        options.name = name.text;
        options.name_len = name.len;
        progress_begin(&writing->progress, "exporting");
        status = rs_export(txn, key, dump->file, &options, error);
        progress_end(&writing->progress);
    }
    keypath_free(&name);
    return status;
}

/* The file of a loaded hive belongs to its key: "unload --write" would replace what is written
 * there. */
static int refuse_hive(const struct dump *dump, struct session *session)
{
    char *path;
    int status = hives_find_file(session, dump->file, &path);

    if (status != RS_OK) {
        return session_report(session, status, dump->file);
    }
    if (path == NULL) {
        return 0;
    }
    report("%s: this is the file of the hive that is loaded as %s", dump->file, path);
    free(path);
    return 1;
}

/* Returns 0 or 1; *exists is set, and nothing reported, where a file is in the way. */
static int attempt(const struct tool *tool, struct writing *writing, bool *exists)
{
    const struct dump *dump = writing->dump;
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
    } else if (refuse_hive(dump, &session) != 0) {
        result = 1;
    } else {
        status = write_key(writing, session.txn, key, &error);
        *exists = status == RS_EEXIST && !dump->overwrite;
        if (status != RS_OK && !*exists) {
            result = report_status(status, &error, dump->file);
        }
    }
    session_end(&session);
    return result;
}

/* Standard output has the dump, so that one line must do elsewhere. */
static void tell_losses(const struct writing *writing)
{
    uint64_t count = losses_count(&writing->losses);

    if (strcmp(writing->dump->file, "-") != 0) {
        puts("The operation completed successfully.");
        losses_print_written(&writing->losses);
    } else if (count > 0) {
        report("keys and values that this format does not hold whole: %" PRIu64, count);
    }
}

static int write_dump(const struct tool *tool, struct dump *dump)
{
    struct writing writing = {.dump = dump};
    bool exists;
    int result;

    writing.losses.list = dump->list && strcmp(dump->file, "-") != 0 ? stdout : NULL;
    result = attempt(tool, &writing, &exists);
    if (exists) {
        if (!confirm("y", "replace %s", dump->file)) {
            return 1;
        }
        dump->overwrite = true;
        result = attempt(tool, &writing, &exists);
    }
    if (result == 0) {
        tell_losses(&writing);
    }
    losses_free(&writing.losses);
    return result;
}

struct shown {
    const struct tool *tool;
    struct dump *dump;
};

static int write_shown(void *context)
{
    const struct shown *shown = context;

    return write_dump(shown->tool, shown->dump);
}

int dump_write(const struct tool *tool, struct dump *dump)
{
    struct shown shown = {tool, dump};

    return tool->terminal && strcmp(dump->file, "-") == 0 ? terminal_filter(write_shown, &shown)
                                                          : write_dump(tool, dump);
}
