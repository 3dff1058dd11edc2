/* spooler - the work of the print spooler; see spooler.h. */
#include "spooler.h"

#include "browse.h"
#include "spoolss.h"

#include "../common/access.h"
#include "../common/activation.h"
#include "../common/names.h"
#include "../common/rule.h"
#include "../rpc/server.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIPE "spoolss"
#define CONTROL_SET "HKLM\\SYSTEM\\CurrentControlSet\\"
#define SERVER_KEY CONTROL_SET "Services\\LanmanServer\\Parameters"

const char *const spooler_beside[] = {SERVER_KEY, NAMES_COMPUTER_KEY, NULL};

/* What the server component's settings say of null sessions; the same rules, the same defaults. */
enum { NULL_RESTRICTED, NULL_PIPES, NULL_SETTINGS };

static const struct setting null_settings[NULL_SETTINGS] = {
    [NULL_RESTRICTED] = {"RestrictNullSessAccess", SETTING_NUMBER},
    [NULL_PIPES] = {"NullSessionPipes", SETTING_LIST},
};

static const struct service null_sessions = {
    .key = SERVER_KEY,
    .table = null_settings,
    .count = NULL_SETTINGS,
    .rules = shipped_rules,
};

/* What was read of the store beside the settings. */
struct reading {
    struct server_names names;
    struct printers *printers;
    struct own *own;
    struct settings *nulls;
    struct peer_addresses *peers;
};

struct spooler {
    struct spoolss spoolss; /* first: the server has one owner for calls and for admit() */
    struct browse browse;
    struct site site;
    struct rpc_server *server;
    int inherited; /* the manager's socket; -1: there is none */
    struct reading now;
    bool has_pipe;
    bool serving; /* false: nothing was taken yet, or it was halted */
};

/* ---- Reading --------------------------------------------------------------------------------- */

static void free_reading(struct reading *reading)
{
    printers_free(reading->printers);
    own_free(reading->own);
    settings_free(reading->nulls);
    free(reading->peers);
    *reading = (struct reading){0};
}

static const char *server_name(const struct reading *reading)
{
    return reading->names.list[0] != NULL ? reading->names.list[0] : "LOCALHOST";
}

/* The host's name may be cut, and then has no end. */
static int read_names(rs_txn *txn, struct reading *reading)
{
    char host[HOST_NAME_MAX + 1] = "";
    (void)gethostname(host, sizeof(host) - 1);
    return names_load(txn, host, &reading->names);
}

static int read_nulls(rs_txn *txn, struct reading *reading)
{
    struct rules *rules;
    int status = rules_load(txn, &null_sessions, &rules);
    if (status == RS_OK) {
        status = settings_load(txn, &null_sessions, rules, &reading->nulls);
        rules_free(rules);
    }
    return status;
}

/* Why printers are left out is a part of the answer, as this is no reason to refuse a change. */
static bool read_store(rs_txn *txn, struct reading *reading, struct line *said)
{
    struct line problems = LINE_INIT;
    int status = read_names(txn, reading);
    if (status == RS_OK) {
        status = printers_load(txn, SPOOLER_KEY "\\Printers", &problems, &reading->printers);
    }
    if (status == RS_OK) {
        status = read_nulls(txn, reading);
    }
    if (status == RS_OK) {
        reading->own = own_make(reading->printers, server_name(reading));
        status = reading->own != NULL ? RS_OK : RS_ENOMEM;
    }
    if (status != RS_OK) {
        line_add(said, "cannot read printers: %s", rs_strerror(status));
        return false;
    }
    line_add(said, "%s", problems.text);
    return true;
}

static bool read_peers(const struct settings *settings, struct reading *reading,
                       struct line *problem)
{
    return peers_parse(settings->values[SPOOLER_BROWSE_SERVERS].strings,
                       settings->values[SPOOLER_LISTEN_PORT].number, problem, &reading->peers);
}

/* ---- Listening ------------------------------------------------------------------------------- */

/* Of named pipes smbd tells who the client is. Over TCP nobody tells, so who may connect is up to
 * the address that it listens at. */
static bool admit(void *owner, const struct rpc_caller *caller)
{
    const struct spooler *spooler = owner;
    const struct settings *nulls = spooler->now.nulls;
    if (!spooler->serving) {
        return false;
    }
    if (caller->transport == RPC_OVER_TCP || !caller->anonymous) {
        return true;
    }
    struct null_sessions allowed = {.restricted = true};
    if (nulls == NULL) {
        return false;
    }
    /* A rule without a default opens nothing. */
    allowed.restricted =
        !nulls->values[NULL_RESTRICTED].known || nulls->values[NULL_RESTRICTED].number != 0;
    allowed.entries = nulls->values[NULL_PIPES].strings;
    return access_pipe(&allowed, spooler->now.names.list, PIPE);
}

static int take_pipe(void *server, int fd)
{
    return rpc_server_take_pipe(server, fd);
}

/* At the socket that the service manager has made, else at one of its own. Neither is an error. */
static bool listen_pipe(struct spooler *spooler, struct line *problem)
{
    const char *path = spooler->site.options->own[SPOOLER_OPTION_PIPE];
    if (spooler->inherited < 0) {
        return path == NULL || rpc_server_listen_pipe(spooler->server, path, problem);
    }
    return activation_lend(spooler->inherited, take_pipe, spooler->server, problem);
}

static bool open_server(struct spooler *spooler, struct line *problem)
{
    const struct rpc_server_options options = {
        .loop = spooler->site.loop,
        .log = spooler->site.log,
        .interfaces = &spoolss_interface,
        .interface_count = 1,
        .owner = spooler,
        .admit = admit,
    };
    if (spooler->server != NULL) {
        return true;
    }
    int error = rpc_server_open(&options, &spooler->server);
    if (error != 0) {
        spooler->server = NULL;
        line_add(problem, "cannot serve: %s", strerror(error));
        return false;
    }
    return true;
}

/* No setting moves the pipe, so none is refused because of it once the service is at work: then it
 * is tried again, and in vain is a part of the answer. */
static bool open_pipe(struct spooler *spooler, struct line *problem, struct line *said)
{
    struct line why = LINE_INIT;
    spooler->has_pipe = spooler->has_pipe || listen_pipe(spooler, &why);
    if (spooler->has_pipe) {
        return true;
    }
    struct line *told = spooler->serving ? said : problem;
    line_separate(told, 0, "; ");
    line_add(told, "%s", why.text);
    return spooler->serving;
}

static bool listen_tcp(struct spooler *spooler, const struct settings *settings,
                       struct line *problem)
{
    return rpc_server_listen(spooler->server, settings->values[SPOOLER_LISTEN_ADDRESS].text,
                             settings->values[SPOOLER_LISTEN_PORT].number, problem);
}

/* ---- Taking ---------------------------------------------------------------------------------- */

/* Conversations under way go on if what they tell, and whom, is the same. */
static bool take_browsing(struct spooler *spooler, struct reading *fresh)
{
    const struct own *old = spooler->browse.own;
    if (old != NULL && own_same(old, fresh->own) &&
        browse_has_peers(&spooler->browse, fresh->peers)) {
        own_free(fresh->own);
        fresh->own = spooler->now.own;
        spooler->now.own = NULL;
        return true;
    }
    return browse_take(&spooler->browse, fresh->own, fresh->peers);
}

static void take_times(struct spooler *spooler, const struct settings *settings)
{
    const struct setting_value *values = settings->values;
    const struct browse_times times = {
        .timeout = values[SPOOLER_SERVER_THREAD_TIMEOUT].number,
        .decay = values[SPOOLER_DECAY_PERIOD].number,
        .refresh = values[SPOOLER_REFRESH_TIMES].number,
    };
    browse_time(&spooler->browse, values[SPOOLER_DISABLE_SERVER_THREAD].number == 0, &times);
    spoolss_limits(&spooler->spoolss, times.decay, values[SPOOLER_MOST_NETWORK_PRINTERS].number);
}

/* From here on nothing fails but for memory, and then all is as it was. */
static bool adopt(struct spooler *spooler, const struct settings *settings, struct reading *fresh)
{
    if (!take_browsing(spooler, fresh)) {
        return false;
    }
    struct reading old = spooler->now;
    spooler->now = *fresh;
    *fresh = (struct reading){0};
    spoolss_take(&spooler->spoolss, spooler->now.printers, spooler->now.own,
                 server_name(&spooler->now));
    take_times(spooler, settings);
    free_reading(&old);
    spooler->serving = true;
    return true;
}

/* At a start there is nothing to fall back to, so there what can be done is done, and what cannot
 * is told all the same. */
static enum work_outcome take(void *state, rs_txn *txn, const struct settings *settings,
                              struct line *said)
{
    struct spooler *spooler = state;
    struct reading fresh = {0};
    struct line problem = LINE_INIT;
    bool good = read_store(txn, &fresh, said);
    bool readable = good;
    good = good && read_peers(settings, &fresh, &problem);
    if (readable && (good || !spooler->serving)) {
        good = open_server(spooler, &problem) && good;
        good = spooler->server != NULL && listen_tcp(spooler, settings, &problem) && good;
        good = spooler->server != NULL && open_pipe(spooler, &problem, said) && good;
    }
    if (readable && !good && !spooler->serving && fresh.peers == NULL) {
        fresh.peers = calloc(1, sizeof(*fresh.peers));
    }
    if (readable && fresh.peers != NULL && (good || !spooler->serving) &&
        !adopt(spooler, settings, &fresh)) {
        line_add(&problem, "out of memory");
        good = false;
    }
    free_reading(&fresh);
    if (!good && readable) {
        *said = problem;
    }
    return good ? WORK_TAKEN : WORK_REFUSED;
}

/* ---- Beginning and end ----------------------------------------------------------------------- */

static bool begin(const struct site *site, void **state)
{
    struct spooler *spooler = calloc(1, sizeof(*spooler));
    if (spooler == NULL) {
        log_line(site->log, LOG_LINE_ERROR, "out of memory");
        return false;
    }
    spooler->site = *site;
    spooler->inherited =
        site->activation != NULL ? activation_take(site->activation, SPOOLER_SOCKET) : -1;
    spoolss_open(&spooler->spoolss, site->loop, site->log);
    browse_open(&spooler->browse, site->loop, site->log);
    *state = spooler;
    return true;
}

static void stop(struct spooler *spooler)
{
    rpc_server_close(spooler->server);
    spooler->server = NULL;
    spooler->has_pipe = false;
    browse_close(&spooler->browse);
    spoolss_close(&spooler->spoolss);
    free_reading(&spooler->now);
    spooler->serving = false;
}

/* The service manager's socket takes connections all the same, and whoever is not refused would
 * wait there. */
static enum work_outcome halt(void *state, struct line *said)
{
    struct spooler *spooler = state;
    stop(spooler);
    spoolss_open(&spooler->spoolss, spooler->site.loop, spooler->site.log);
    browse_open(&spooler->browse, spooler->site.loop, spooler->site.log);
    if (spooler->inherited >= 0 &&
        !(open_server(spooler, said) && open_pipe(spooler, said, said))) {
        line_add(said, "; clients of the pipe have to wait");
    }
    return WORK_TAKEN;
}

static void end(void *state)
{
    struct spooler *spooler = state;
    stop(spooler);
    if (spooler->inherited >= 0) {
        close(spooler->inherited);
    }
    free(spooler);
}

const struct work spooler_work = {begin, take, halt, end};
