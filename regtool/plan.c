/*
 * What an import would change: its transaction, which is never committed, beside a snapshot of the
 * same store. No one else can commit in between, because the transaction keeps writers out.
 */
#include "plan.h"

#include "differ_print.h"
#include "report.h"

static int on_difference(void *context, const rs_difference *difference)
{
    struct differ_print *print = context;
    int status =
        print->tool->json ? differ_print_json(print, difference) : differ_print(print, difference);

    return status == RS_OK && output_lost(print->tool) ? RS_ECANCELLED : status;
}

int plan_show(struct tool *tool, struct session *session)
{
    struct differ_print print = {.tool = tool};
    const rs_compare_options options = {
        .flags = RS_SUBTREE | RS_VOLATILE | RS_TIMES, .each = on_difference, .context = &print};
    uint64_t differences = 0;
    rs_txn *before;
    int status = rs_begin(session->store, RS_READ, &before);

    if (status != RS_OK) {
        return report_status(status, NULL, rs_store_dir(session->store));
    }
    status = rs_compare(before, RS_NO_KEY, session->txn, RS_NO_KEY, &options, &differences);
    rs_abort(before);
    differ_print_end(&print);
    if (status != RS_OK) {
        return tool->output_lost != 0 ? 1 : session_report(session, status, "comparing");
    }
    return differences > 0 ? 2 : 0;
}
