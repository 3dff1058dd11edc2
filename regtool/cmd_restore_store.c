/*
 * regtool restore-store: puts a backup in the place of the store. Both are read by a child first:
 * the backup, as nothing damaged may become the store, and the store, as one that is damaged must
 * not be opened here. Where there is none, whose disk died perhaps, one is made.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "confirm.h"
#include "progress.h"
#include "report.h"
#include "show.h"
#include "store_check.h"
#include "tool.h"

static int on_progress(void *context, const rs_progress *numbers)
{
    progress_show(context, numbers);
    return 0;
}

static int on_check(void *context, const char *dir, rs_error *error)
{
    progress_end(context);
    return store_check_quietly(dir, error);
}

/* Finds how the store that is there has to be treated; returns 1, after a report, where it cannot
 * be replaced. */
static int look_at_store(const char *dir, unsigned *flags)
{
    rs_error why;
    int status = store_check_quietly(dir, &why);

    switch (status) {
    case RS_OK:
        *flags = 0;
        return 0;
    case RS_ENOSTORE:
        *flags = RS_ANEW;
        return 0;
    case RS_EDAMAGED:
        remark("the store that is replaced is not read, as it is damaged: %s", why.text);
        break;
    case RS_EVERSION:
        remark("the store that is replaced is not read: %s", why.text);
        break;
    default:
        return report_status(status, &why, dir);
    }
    *flags = RS_UNREAD;
    return 0;
}

static void tell(const char *dir, const char *file, const rs_backup_report *made)
{
    char size[SHOW_BYTES_SIZE];

    show_bytes(made->bytes, size);
    fputs("restored ", stdout);
    show_text(stdout, file, strlen(file), true);
    fputs(" to ", stdout);
    show_text(stdout, dir, strlen(dir), true);
    printf(", %s; revision %" PRIu64 "\n", size, made->revision);
}

static int restore(const char *dir, const char *file, unsigned flags)
{
    struct progress progress;
    rs_restore_options options = {
        .flags = flags, .progress = on_progress, .check = on_check, .context = &progress};
    rs_backup_report made;
    rs_error error = RS_ERROR_INIT;
    int status;

    progress_begin(&progress, "copying the backup");
    status = rs_restore(dir, file, &options, &made, &error);
    progress_end(&progress);
    if (status != RS_OK) {
        return report_status(status, &error, file);
    }
    tell(dir, file, &made);
    return 0;
}

static int ask_and_restore(const char *dir, const struct arguments *arguments)
{
    const char *file = arguments->operands[0];
    unsigned flags;

    if (look_at_store(dir, &flags) != 0) {
        return 1;
    }
    if (flags != RS_ANEW && !has_switch(arguments, SWITCH_YES) &&
        !confirm("y", "replace all of the store %s by %s", dir, file)) {
        return 1;
    }
    return restore(dir, file, flags);
}

int cmd_restore_store(struct tool *tool, const struct arguments *arguments)
{
    const char *dir = tool->dir;
    char *chosen = NULL;
    int result;

    if (dir == NULL && rs_default_dir(&chosen) != RS_OK) {
        return report("restore-store: no store is named and the environment has no home");
    }
    result = ask_and_restore(dir != NULL ? dir : chosen, arguments);
    rs_free(chosen);
    return result;
}
