/* Opening the store, beginning and ending transactions. */
#include "tool.h"

#include "report.h"

int tool_open(const struct tool *tool, unsigned flags, rs_store **store)
{
    rs_error error = RS_ERROR_INIT;
    int status = rs_open(tool->dir, flags, store, &error);

    if (status == RS_OK)
        return 0;
    return report_status(status, &error, tool->dir != NULL ? tool->dir : "the store");
}

static int begin(struct session *session, unsigned mode)
{
    int status = rs_begin(session->store, mode, &session->txn);

    if (status != RS_OK)
        return report_status(status, NULL, rs_store_dir(session->store));
    session->error = (rs_error)RS_ERROR_INIT;
    rs_txn_errors(session->txn, &session->error);
    return 0;
}

int session_begin(const struct tool *tool, unsigned mode, struct session *session)
{
    session->txn = NULL;
    if (tool_open(tool, mode == RS_WRITE ? 0 : RS_READONLY, &session->store) != 0)
        return 1;
    if (begin(session, mode) == 0)
        return 0;
    rs_close(session->store);
    return 1;
}

int session_again(struct session *session, unsigned mode)
{
    rs_abort(session->txn);
    session->txn = NULL;
    return begin(session, mode);
}

int session_commit(struct session *session, uint64_t *revision)
{
    int status = rs_commit(session->txn, revision);

    session->txn = NULL;
    return status == RS_OK ? 0 : session_report(session, status, rs_store_dir(session->store));
}

void session_end(struct session *session)
{
    rs_abort(session->txn);
    rs_close(session->store);
}

void session_forget(struct session *session)
{
    session->error.status = RS_OK;
    session->error.text[0] = '\0';
}

int session_report(const struct session *session, int status, const char *about)
{
    return report_status(status, &session->error, about);
}
