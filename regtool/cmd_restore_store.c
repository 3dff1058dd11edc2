/*
 * regtool restore-store: puts a backup in the place of the store. Both are read by a child first:
 * the backup, as nothing damaged may become the store, and the store, as one that is damaged must
 * not be opened here.
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

/* Sets *unread where the store is damaged; returns 1, after a report, where there is none to be
 * replaced. */
static int look_at_store(const char *dir, bool *unread)
{
    rs_error why;
    int status = store_check_quietly(dir, &why);

    *unread = status == RS_EDAMAGED || status == RS_EVERSION;
    if (status != RS_OK && !*unread) {
        return report_status(status, &why, dir);
    }
    if (*unread) {
        remark("the store that is replaced is not read, as it is damaged: %s", why.text);
    }
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

static int restore(const char *dir, const char *file, bool unread)
{
    struct progress progress;
    rs_restore_options options = {.flags = unread ? RS_UNREAD : 0,
                                  .progress = on_progress,
                                  .check = on_check,
                                  .context = &progress};
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
    bool unread;

    if (look_at_store(dir, &unread) != 0) {
        return 1;
    }
    if (!has_switch(arguments, SWITCH_YES) &&
        !confirm("y", "replace all of the store %s by %s", dir, file)) {
        return 1;
    }
    return restore(dir, file, unread);
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
