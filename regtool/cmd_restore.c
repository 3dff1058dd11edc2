/*
 * regtool restore: gives a key the content of a hive or a dump; what is not in the file goes. It
 * does not ask, as reg.exe does not.
 */
#include <stdio.h>

#include "arguments.h"
#include "keypath.h"
#include "later.h"
#include "losses.h"
#include "progress.h"
#include "report.h"
#include "spool.h"
#include "tool.h"

struct restoring {
    struct session session;
    struct progress progress;
    struct losses losses;
    rs_spool *spool;
};

static int on_progress(void *context, const rs_progress *numbers)
{
    struct restoring *restoring = context;

    progress_show(&restoring->progress, numbers);
    return 0;
}

static void on_loss(void *context, enum rs_loss_kind kind, const char *path, const char *value)
{
    struct restoring *restoring = context;

    losses_note(&restoring->losses, kind, path, value);
}

/* Neither a root nor a link gets another content; a key that is not there is made. */
static int check_key(struct restoring *restoring, const char *path)
{
    rs_txn *txn = restoring->session.txn;
    rs_key_info info;
    rs_key key;
    int status;

    if (keypath_is_root(path)) {
        session_drop(&restoring->session);
        return report("%s: a root key cannot be restored", path);
    }
    status = rs_key_open_n(txn, RS_NO_KEY, path, RS_NTS, RS_NOFOLLOW, &key);
    if (status == RS_ENOTFOUND) {
        session_forget(&restoring->session);
        return 0;
    }
    if (status == RS_OK) {
        status = rs_key_info_get(txn, key, &info);
    }
    if (status != RS_OK) {
        return session_report(&restoring->session, status, path);
    }
    if (info.flags & RS_KEY_LINK) {
        session_drop(&restoring->session);
        return report("%s: the key is a symbolic link: name the key that it points to", path);
    }
    return 0;
}

static int read_file(struct restoring *restoring, const char *path, const char *file)
{
    rs_import_options options = {.key = path,
                                 .flags = RS_REPLACE,
                                 .progress = on_progress,
                                 .loss = on_loss,
                                 .context = restoring,
                                 .spool = restoring->spool};
    rs_error error = RS_ERROR_INIT;
    int status;

    progress_begin(&restoring->progress, "restoring");
    status = rs_import(restoring->session.txn, file, &options, NULL, &error);
    progress_end(&restoring->progress);
    if (status == RS_OK) {
        return 0;
    }
    session_drop(&restoring->session);
    return report_status(status, &error, file);
}

/* All that needs the writer's lock; nothing is printed. */
static int change_store(struct restoring *restoring, const struct tool *tool, const char *path,
                        const char *file)
{
    int result;

    if (session_begin(tool, RS_WRITE, &restoring->session) != 0) {
        return 1;
    }
    result = check_key(restoring, path);
    if (result == 0) {
        result = read_file(restoring, path, file);
    }
    if (result == 0) {
        result = session_commit(&restoring->session, NULL);
    }
    session_end(&restoring->session);
    return result;
}

int cmd_restore(struct tool *tool, const struct arguments *arguments)
{
    struct restoring restoring = {.spool = NULL};
    const char *file = arguments->operands[1];
    int result;

    if (has_switch(arguments, SWITCH_VERBOSE) && (restoring.losses.list = later_open()) == NULL) {
        return 1;
    }
    result = spool_open(file, &restoring.spool);
    if (result == 0) {
        result = change_store(&restoring, tool, arguments->operands[0], file);
        rs_spool_close(restoring.spool);
    }
    if (later_print(restoring.losses.list) != 0) {
        result = 1;
    }
    if (result == 0) {
        puts("The operation completed successfully.");
        losses_print(&restoring.losses);
    }
    losses_free(&restoring.losses);
    return result;
}
