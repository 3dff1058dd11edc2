/*
 * What an import would change: its transaction, which is never committed, beside a snapshot of the
 * same store. No one else can commit in between, because the transaction keeps writers out. Where
 * the store may not be written, all of this happens in a copy of it.
 */
#include "plan.h"

#include "differ_print.h"
#include "plan_effects.h"
#include "report.h"
#include "scratch.h"

static int begin_in_copy(struct session *session)
{
    struct scratch scratch;

    if (scratch_copy(&scratch, session->store) != 0) {
        return 1;
    }
    rs_close(session->store);
    session->store = scratch.store;
    session->txn = scratch.txn;
    return 0;
}

static int begin(struct session *session)
{
    int status = rs_begin(session->store, RS_WRITE, &session->txn);

    if (status == RS_EREADONLY) {
        return begin_in_copy(session);
    }
    return status == RS_OK ? 0 : report_status(status, NULL, rs_store_dir(session->store));
}

int plan_begin(struct tool *tool, struct session *session)
{
    session->txn = NULL;
    session->committed = NULL;
    if (tool_open(tool, 0, &session->store) != 0) {
        return 1;
    }
    if (begin(session) != 0) {
        rs_close(session->store);
        return 1;
    }
    session->writing = true;
    session->error = (rs_error)RS_ERROR_INIT;
    rs_txn_errors(session->txn, &session->error);
    return 0;
}

struct planned {
    struct differ_print print;
    struct plan_effects effects;
};

static int on_difference(void *context, const rs_difference *difference)
{
    struct planned *planned = context;
    struct differ_print *print = &planned->print;
    int status =
        print->tool->json ? differ_print_json(print, difference) : differ_print(print, difference);

    if (status == RS_OK) {
        status = plan_effects_note(&planned->effects, difference);
    }
    return status == RS_OK && ferror(print->out) ? RS_ECANCELLED : status;
}

/* The services of the store itself: those of a copy are none. */
static int tell_services(struct session *session, struct planned *planned)
{
    rs_store *store;
    int status = rs_open(planned->print.tool->dir, RS_READONLY, &store, NULL);

    if (status == RS_OK) {
        status = plan_effects_services(&planned->effects, store);
        rs_close(store);
    }
    session_forget(session);
    return status;
}

static int compare(struct session *session, struct planned *planned, uint64_t *differences)
{
    const rs_compare_options options = {
        .flags = RS_SUBTREE | RS_VOLATILE | RS_TIMES, .each = on_difference, .context = planned};
    rs_txn *before;
    int status = rs_begin(session->store, RS_READ, &before);
    int ended;

    if (status != RS_OK) {
        return status;
    }
    status = plan_effects_begin(&planned->effects, session);
    if (status == RS_OK) {
        status = rs_compare(before, RS_NO_KEY, session->txn, RS_NO_KEY, &options, differences);
    }
    rs_abort(before);
    differ_print_end(&planned->print);
    if (status == RS_OK) {
        status = tell_services(session, planned);
    }
    ended = plan_effects_end(&planned->effects);
    return status == RS_OK ? ended : status;
}

int plan_write(struct tool *tool, struct session *session, FILE *out)
{
    struct planned planned = {.print = {.tool = tool, .out = out},
                              .effects = {.out = out, .json = tool->json}};
    uint64_t differences = 0;
    int status = compare(session, &planned, &differences);

    if (status == RS_OK) {
        status = violations_of_change(&session->found, session->txn);
    }
    if (status != RS_OK) {
        return ferror(out) ? 1 : session_report(session, status, "comparing");
    }
    return differences > 0 ? 2 : 0;
}
