/* regtool init: makes a store where there is none. */
#include <inttypes.h>
#include <stdio.h>

#include "arguments.h"
#include "report.h"
#include "show.h"
#include "tool.h"

static int say_exists(const rs_store *store, uint64_t revision)
{
    fputs("a store exists in ", stdout);
    show_safely(stdout, rs_store_dir(store));
    printf(", at revision %" PRIu64 "; it is left as it is\n", revision);
    return 0;
}

static int look_at(rs_store *store)
{
    rs_txn *txn;
    uint64_t revision;
    int status = rs_begin(store, RS_READ, &txn);

    if (status != RS_OK) {
        return report_status(status, NULL, rs_store_dir(store));
    }
    revision = rs_revision(txn);
    rs_abort(txn);
    return say_exists(store, revision);
}

/* Of processes that make it at once, one does, and says so. */
static int make(struct tool *tool, rs_error *error)
{
    rs_store *store;
    int status = rs_open(tool->dir, RS_CREATE | RS_NEW, &store, error);

    if (status == RS_OK) {
        fputs("made a store in ", stdout);
        show_safely(stdout, rs_store_dir(store));
        putchar('\n');
        rs_close(store);
    }
    return status;
}

int cmd_init(struct tool *tool, const struct arguments *arguments)
{
    rs_store *store;
    rs_error error = RS_ERROR_INIT;
    int result;
    int status = rs_open(tool->dir, RS_READONLY, &store, &error);

    (void)arguments;
    if (status == RS_ENOSTORE) {
        error = (rs_error)RS_ERROR_INIT;
        status = make(tool, &error);
        if (status == RS_OK) {
            return 0;
        }
    }
    if (status == RS_EEXIST) {
        error = (rs_error)RS_ERROR_INIT;
        status = rs_open(tool->dir, RS_READONLY, &store, &error);
    }
    if (status != RS_OK) {
        return report_status(status, &error, "the store");
    }
    result = look_at(store);
    rs_close(store);
    return result;
}
