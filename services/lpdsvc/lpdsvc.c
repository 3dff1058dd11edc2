/* lpdsvc - the work of the LPD service; see lpdsvc.h. */
#include "lpdsvc.h"

#include "answers.h"
#include "dispatch.h"
#include "lpd_server.h"
#include "queues.h"
#include "spool.h"

#include "../printing/ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPOOL_AGAIN_MS 5000 /* between two tries to open the spool */

const char *const lpdsvc_beside[] = {PORTS_PRINT_KEY, NULL};

struct lpdsvc {
    struct site site;
    struct queues queues;
    struct answers answers;
    struct dispatch *dispatch;
    struct spool *spool; /* NULL: it could not be opened yet */
    struct loop_timer again;
    struct lpd_server *server;
    int inherited; /* the manager's socket; -1: there is none */
    bool serving;  /* false: nothing was taken yet, or it was halted */
};

/* ---- The spool ------------------------------------------------------------------------------- */

static void add_job(void *owner, const char *name, const struct job_facts *facts)
{
    struct lpdsvc *lpdsvc = owner;
    if (queues_add_job(&lpdsvc->queues, name, facts) == NULL) {
        log_line(lpdsvc->site.log, LOG_LINE_ERROR,
                 "out of memory: job %s stays in the spool until the next start", name);
    }
}

static const char *spool_place(const struct lpdsvc *lpdsvc)
{
    const char *path = lpdsvc->site.options->own[LPDSVC_OPTION_SPOOL];
    return path != NULL ? path : LPDSVC_SPOOL;
}

/* With the jobs that wait in it. */
static bool open_spool(struct lpdsvc *lpdsvc, struct line *problem)
{
    struct spool *spool;
    if (lpdsvc->spool != NULL) {
        return true;
    }
    if (!spool_open(spool_place(lpdsvc), lpdsvc->site.loop, lpdsvc->site.log, &spool, problem)) {
        return false;
    }
    int error = spool_each(spool, add_job, lpdsvc);
    if (error != 0) {
        line_add(problem, "cannot list the jobs of the spool: %s", strerror(error));
        spool_close(spool);
        return false;
    }
    lpdsvc->spool = spool;
    dispatch_spool(lpdsvc->dispatch, spool);
    return true;
}

static void try_spool(void *owner)
{
    struct lpdsvc *lpdsvc = owner;
    struct line problem = LINE_INIT;
    if (!open_spool(lpdsvc, &problem)) {
        loop_set(lpdsvc->site.loop, &lpdsvc->again, SPOOL_AGAIN_MS);
        return;
    }
    log_line(lpdsvc->site.log, LOG_LINE_INFO, "the spool can be used: jobs are taken");
    lpd_server_spool(lpdsvc->server, lpdsvc->spool);
    dispatch_look(lpdsvc->dispatch);
}

static void take_spool(struct lpdsvc *lpdsvc, struct line *said)
{
    struct line problem = LINE_INIT;
    loop_unset(lpdsvc->site.loop, &lpdsvc->again);
    if (!open_spool(lpdsvc, &problem)) {
        line_separate(said, 0, "; ");
        line_add(said, "no jobs are taken: %s", problem.text);
        loop_set(lpdsvc->site.loop, &lpdsvc->again, SPOOL_AGAIN_MS);
    }
    lpd_server_spool(lpdsvc->server, lpdsvc->spool);
}

/* ---- Listening ------------------------------------------------------------------------------- */

static int take_socket(void *server, int fd)
{
    return lpd_server_inherit(server, fd);
}

static bool inherit(struct lpdsvc *lpdsvc, struct line *problem)
{
    return lpdsvc->inherited < 0 ||
           activation_lend(lpdsvc->inherited, take_socket, lpdsvc->server, problem);
}

static bool open_server(struct lpdsvc *lpdsvc, struct line *problem)
{
    const struct lpd_server_options options = {
        .loop = lpdsvc->site.loop,
        .log = lpdsvc->site.log,
        .calls = &answers_calls,
        .owner = &lpdsvc->answers,
    };
    if (lpdsvc->server != NULL) {
        return true;
    }
    int error = lpd_server_open(&options, &lpdsvc->server);
    if (error != 0) {
        lpdsvc->server = NULL;
        line_add(problem, "cannot serve: %s", strerror(error));
        return false;
    }
    return inherit(lpdsvc, problem);
}

static bool listen_tcp(struct lpdsvc *lpdsvc, const struct settings *settings, struct line *problem)
{
    return lpd_server_listen(lpdsvc->server, settings->values[LPDSVC_LISTEN_ADDRESS].text,
                             settings->values[LPDSVC_LISTEN_PORT].number, problem);
}

static void close_server(struct lpdsvc *lpdsvc)
{
    lpd_server_close(lpdsvc->server);
    lpdsvc->server = NULL;
}

/* ---- Taking ---------------------------------------------------------------------------------- */

/* Why printers are left out is a part of the answer, as this is no reason to refuse a change. */
static bool read_store(struct lpdsvc *lpdsvc, rs_txn *txn, struct queue_shapes **shapes,
                       struct line *said, struct line *problem)
{
    int status = queue_shapes_load(txn, said, shapes);
    if (status == RS_OK) {
        status = queues_prepare(&lpdsvc->queues, *shapes);
    }
    if (status != RS_OK) {
        line_add(problem, "cannot read printers: %s", rs_strerror(status));
    }
    return status == RS_OK;
}

/* Nothing of this fails. */
static void adopt(struct lpdsvc *lpdsvc, const struct settings *settings,
                  struct queue_shapes *shapes, struct line *said)
{
    const struct setting_value *values = settings->values;
    queues_take(&lpdsvc->queues, shapes);
    lpdsvc->answers.may_remove = values[LPDSVC_ALLOW_JOB_REMOVAL].number != 0;
    lpdsvc->answers.may_resume = values[LPDSVC_ALLOW_PRINTER_RESUME].number != 0;
    if (lpdsvc->server != NULL) {
        lpd_server_limits(lpdsvc->server, values[LPDSVC_MAX_CONCURRENT_USERS].number,
                          values[LPDSVC_RESTRICT_SOURCE_PORTS].number != 0);
        take_spool(lpdsvc, said);
    }
    dispatch_pause(lpdsvc->dispatch, values[LPDSVC_RETRY_PERIOD].number);
    dispatch_run(lpdsvc->dispatch, true);
    dispatch_look(lpdsvc->dispatch);
    lpdsvc->serving = true;
}

/* At a start there is nothing to fall back to, so there what can be done is done, and what cannot
 * is told all the same. */
static enum work_outcome take(void *state, rs_txn *txn, const struct settings *settings,
                              struct line *said)
{
    struct lpdsvc *lpdsvc = state;
    struct queue_shapes *shapes = NULL;
    struct line problem = LINE_INIT;
    bool first = !lpdsvc->serving;
    bool readable = read_store(lpdsvc, txn, &shapes, said, &problem);
    bool good = readable && open_server(lpdsvc, &problem) && listen_tcp(lpdsvc, settings, &problem);
    if (readable && (good || first)) {
        adopt(lpdsvc, settings, shapes, said);
    }
    queue_shapes_free(shapes);
    if (!good) {
        if (first && said->length > 0) {
            line_add(&problem, "; %s", said->text);
        }
        *said = problem;
    }
    return good ? WORK_TAKEN : WORK_REFUSED;
}

/* ---- Beginning and end ----------------------------------------------------------------------- */

static bool begin(const struct site *site, void **state)
{
    struct lpdsvc *lpdsvc = calloc(1, sizeof(*lpdsvc));
    int error = ENOMEM;
    if (lpdsvc != NULL) {
        const struct dispatch_options options = {
            .loop = site->loop, .log = site->log, .queues = &lpdsvc->queues};
        error = dispatch_open(&options, &lpdsvc->dispatch);
    }
    if (error != 0) {
        log_line(site->log, LOG_LINE_ERROR, "cannot begin: %s", strerror(error));
        free(lpdsvc);
        return false;
    }
    lpdsvc->site = *site;
    lpdsvc->again = (struct loop_timer){.expired = try_spool, .owner = lpdsvc};
    lpdsvc->answers =
        (struct answers){.log = site->log, .queues = &lpdsvc->queues, .dispatch = lpdsvc->dispatch};
    lpdsvc->inherited =
        site->activation != NULL ? activation_take(site->activation, LPDSVC_SOCKET) : -1;
    *state = lpdsvc;
    return true;
}

/* A document on its way gets there. The service manager's socket takes connections all the same,
 * and whoever is not turned away would wait there. */
static enum work_outcome halt(void *state, struct line *said)
{
    struct lpdsvc *lpdsvc = state;
    close_server(lpdsvc);
    loop_unset(lpdsvc->site.loop, &lpdsvc->again);
    dispatch_run(lpdsvc->dispatch, false);
    dispatch_look(lpdsvc->dispatch);
    lpdsvc->serving = false;
    if (lpdsvc->inherited >= 0 && open_server(lpdsvc, said)) {
        lpd_server_limits(lpdsvc->server, 0, false);
    }
    return WORK_TAKEN;
}

static void end(void *state)
{
    struct lpdsvc *lpdsvc = state;
    close_server(lpdsvc);
    loop_unset(lpdsvc->site.loop, &lpdsvc->again);
    dispatch_close(lpdsvc->dispatch);
    spool_close(lpdsvc->spool);
    queues_free(&lpdsvc->queues);
    if (lpdsvc->inherited >= 0) {
        close(lpdsvc->inherited);
    }
    free(lpdsvc);
}

const struct work lpdsvc_work = {begin, take, halt, end};
