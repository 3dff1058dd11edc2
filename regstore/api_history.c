/*
 * api_history.c - the public calls about revisions that were made: see api.c.
 */
#include "api.h"
#include "confirm.h"
#include "history.h"
#include "past.h"

int rs_history(rs_txn *txn, uint64_t newest, uint64_t oldest,
               int (*each)(void *context, const rs_revision_info *revision), void *context)
{
    int status = api_check(txn, each != NULL);
    return status == RS_OK ? history_list(txn, newest, oldest, each, context) : status;
}

int rs_history_changes(rs_txn *txn, uint64_t revision,
                       int (*each)(void *context, const rs_change *change), void *context)
{
    int status = api_check(txn, each != NULL);
    return status == RS_OK ? history_changes(txn, revision, each, context) : status;
}

int rs_history_key_n(rs_txn *txn, const char *path, size_t len, unsigned flags, uint64_t newest,
                     uint64_t oldest, int (*each)(void *context, const rs_revision_info *revision),
                     void *context)
{
    int status = api_check(txn, each != NULL && path != NULL && (flags & ~RS_SUBTREE) == 0);
    struct slice asked = {path, text_length(path, len)};
    return status == RS_OK ? history_key(txn, asked, flags, newest, oldest, each, context) : status;
}

int rs_undo(rs_txn *txn, uint64_t from, uint64_t to, const rs_undo_options *options,
            rs_undo_report *report)
{
    unsigned flags = options != NULL ? options->flags : 0;
    int status = api_check(txn, flags <= RS_UNDO_SKIP);
    return status == RS_OK ? history_undo(txn, from, to, options, report) : status;
}

int rs_open_past(rs_store *store, uint64_t revision, rs_store **past, rs_error *error)
{
    if (store == NULL || past == NULL) {
        return fail(error, RS_EINVAL, "invalid argument");
    }
    return env_forked(store->env) ? fail(error, RS_EFORK, "%s", rs_strerror(RS_EFORK))
                                  : past_open(store, revision, past, error);
}

/* ---- Confirmation ---- */

int rs_confirm_pending(rs_txn *txn, rs_pending *pending)
{
    int status = api_check(txn, pending != NULL);
    return status == RS_OK ? confirm_waiting(txn, pending) : status;
}

static int check_store_call(const rs_store *store, rs_error *error)
{
    if (store == NULL) {
        return fail(error, RS_EINVAL, "invalid argument");
    }
    return env_forked(store->env) ? fail(error, RS_EFORK, "%s", rs_strerror(RS_EFORK)) : RS_OK;
}

int rs_confirm(rs_store *store, uint64_t *revision, rs_error *error)
{
    int status = check_store_call(store, error);
    return status == RS_OK ? confirm_keep(store, revision, error) : status;
}

int rs_confirm_due(rs_store *store, uint64_t *revision, rs_error *error)
{
    int status = check_store_call(store, error);
    return status == RS_OK ? confirm_due(store, revision, error) : status;
}
