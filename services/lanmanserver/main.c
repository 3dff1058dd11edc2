/*
 * regstore-lanmanserver - the file server's settings, alive on a Samba.
 *
 * The settings are those that Microsoft's Knowledge Base names in
 * HKLM\SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters, in the spelling of real hives;
 * their rules are in hives/rules/server.xml. With --include, the service writes a file for smb.conf
 * from them and from the shares beside them, and has smbd go by it; with --handover, a helper of
 * root's does, for a system's smbd. With neither it follows its settings, that is all. Needs
 * services/common, effects, shares, render, samba, handover.
 */
#include "../common/live.h"
#include "../common/names.h"
#include "../common/service.h"
#include "../common/work.h"
#include "conf_text.h"
#include "effects.h"
#include "handover.h"
#include "render.h"
#include "samba.h"
#include "shares.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PRINTERS_KEY "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print\\Printers"

enum { OPTION_INCLUDE, OPTION_SMB_CONF, OPTION_HANDOVER };

static const struct service_option server_options[] = {
    {"include", "FILE", "the file that smb.conf includes, which the service writes"},
    {"smb-conf", "FILE", "the configuration that includes it (" SAMBA_CONF ")"},
    {"handover", "SOCKET", "where a helper of root's takes it for a system's smbd instead"},
    {NULL, NULL, NULL},
};

struct server {
    const struct site *site;
    const char *socket; /* of the helper, NULL: the service does it itself */
    struct samba samba;
    struct handover handover;
    char *handed; /* the text that the helper took last, NULL: none that is known */
    char *text;   /* that is being handed over */
    bool drives;  /* a Samba, in either way */
    char host[HOST_NAME_MAX + 1];
    bool remembers;                /* told is filled */
    struct effects_told told;      /* of the settings that were taken last */
    struct effects_told under_way; /* of those that are being taken */
    struct line notes;             /* what is to be said of these when they are */
};

/* ---- What becomes of it ---------------------------------------------------------------------- */

static void remember(struct server *server)
{
    server->told = server->under_way;
    server->remembers = true;
}

static void settled(void *owner, bool taken, const char *said)
{
    struct server *server = owner;
    struct line line = LINE_INIT;
    if (taken) {
        line_add(&line, "%s", server->notes.text);
        remember(server);
    }
    if (said[0] != '\0') {
        line_separate(&line, 0, "; ");
        line_add(&line, "%s", said);
    }
    live_settle(server->site->live, taken, line.text);
}

/* Whatever the reason of a refusal is, what the helper has is not known then. */
static void handed_over(void *owner, bool taken, const char *said)
{
    struct server *server = owner;
    free(server->handed);
    server->handed = taken ? server->text : NULL;
    if (!taken) {
        free(server->text);
    }
    server->text = NULL;
    settled(server, taken, said);
}

static enum work_outcome hand_over(struct server *server, char *text, struct line *said)
{
    if (server->handed != NULL && strcmp(server->handed, text) == 0) {
        free(text);
        return WORK_TAKEN;
    }
    if (!handover_begin(&server->handover, server->socket, text)) {
        line_add(said, "cannot reach regstore-smbd-reload at %s: %s", server->socket,
                 strerror(errno));
        free(text);
        return WORK_REFUSED;
    }
    server->text = text;
    return WORK_UNDER_WAY;
}

/* text is free()d when it is no longer needed. */
static enum work_outcome apply(struct server *server, char *text, struct line *said)
{
    return server->socket != NULL ? hand_over(server, text, said)
                                  : samba_apply(&server->samba, text, said);
}

/* ---- Taking ---------------------------------------------------------------------------------- */

/* Where the jobs of printers go, if the store has a path of Unix for it. */
static int read_spool(rs_txn *txn, const char **spool)
{
    rs_key key;
    const char *text;
    int status = rs_key_open(txn, RS_NO_KEY, PRINTERS_KEY, &key);
    if (status == RS_OK) {
        status = rs_get_string(txn, key, "DefaultSpoolDirectory", &text);
    }
    *spool = status == RS_OK && conf_path_problem(text) == NULL ? text : RENDER_SPOOL;
    return status == RS_ENOTFOUND || status == RS_ETYPE || status == RS_EDATA ? RS_OK : status;
}

/* Gives NULL with the reason in *said. */
static char *make_text(struct server *server, rs_txn *txn, const struct settings *settings,
                       struct line *said)
{
    struct server_names names;
    struct shares shares = {NULL, 0};
    struct render_source source = {.settings = settings, .shares = &shares, .names = names.list};
    char *text = NULL;
    int status = names_load(txn, server->host, &names);
    if (status == RS_OK) {
        status = read_spool(txn, &source.spool);
    }
    if (status == RS_OK) {
        status = shares_load(txn, &shares);
    }
    if (status == RS_OK) {
        text = render(&source, &server->notes);
        status = text != NULL ? RS_OK : RS_ENOMEM;
    }
    if (status != RS_OK) {
        line_add(said, "cannot read the shares: %s", rs_strerror(status));
    }
    shares_free(&shares);
    return text;
}

static void tell_idleness(struct server *server)
{
    if (!server->remembers) {
        log_line(server->site->log, LOG_LINE_INFO,
                 "without --include no Samba goes by the settings");
        server->remembers = true;
    }
}

static enum work_outcome take(void *state, rs_txn *txn, const struct settings *settings,
                              struct line *said)
{
    struct server *server = state;
    if (!server->drives) {
        tell_idleness(server);
        return WORK_TAKEN;
    }
    server->notes = (struct line)LINE_INIT;
    char *text = make_text(server, txn, settings, said);
    if (text == NULL) {
        return WORK_REFUSED;
    }
    effects_remember(settings, &server->under_way);
    if (server->remembers) {
        effects_add_changes(&server->notes, settings, &server->told);
    }
    enum work_outcome outcome = apply(server, text, said);
    if (outcome == WORK_TAKEN) {
        line_add(said, "%s", server->notes.text);
        remember(server);
    }
    return outcome;
}

/* The server stays, as its shares go. */
static enum work_outcome halt(void *state, struct line *said)
{
    struct server *server = state;
    if (!server->drives) {
        return WORK_TAKEN;
    }
    server->notes = (struct line)LINE_INIT;
    server->under_way = server->told; /* no other settings are taken */
    char *text = render_nothing();
    if (text == NULL) {
        line_add(said, "no memory");
        return WORK_REFUSED;
    }
    return apply(server, text, said);
}

/* ---- Life ------------------------------------------------------------------------------------ */

static bool check_options(const struct log *log, const char *const *own)
{
    const char *file = own[OPTION_INCLUDE];
    const char *conf = own[OPTION_SMB_CONF];
    const char *problem = file != NULL ? conf_path_problem(file) : NULL;
    if (problem == NULL && file != NULL && conf != NULL && strcmp(file, conf) == 0) {
        problem = "it is smb.conf itself";
    }
    if (problem == NULL && file != NULL && own[OPTION_HANDOVER] != NULL) {
        problem = "--handover has another one write it";
    }
    if (problem != NULL) {
        log_line(log, LOG_LINE_ERROR, "cannot use --include %s: %s", file, problem);
    }
    return problem == NULL;
}

static void prepare(struct server *server, const struct site *site)
{
    const char *const *own = site->options->own;
    const char *conf = own[OPTION_SMB_CONF] != NULL ? own[OPTION_SMB_CONF] : SAMBA_CONF;
    server->site = site;
    server->socket = own[OPTION_HANDOVER];
    server->drives = own[OPTION_INCLUDE] != NULL || server->socket != NULL;
    (void)gethostname(server->host, sizeof(server->host) - 1);
    samba_init(&server->samba, site->loop, own[OPTION_INCLUDE], conf, settled, server);
    handover_open(&server->handover, site->loop, handed_over, server);
}

static bool begin(const struct site *site, void **state)
{
    struct server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        log_line(site->log, LOG_LINE_ERROR, "no memory");
        return false;
    }
    if (!check_options(site->log, site->options->own)) {
        free(server);
        return false;
    }
    prepare(server, site);
    *state = server;
    return true;
}

static void end(void *state)
{
    struct server *server = state;
    samba_end(&server->samba);
    handover_close(&server->handover);
    free(server->handed);
    free(server->text);
    free(server);
}

static const struct work server_work = {.begin = begin, .take = take, .halt = halt, .end = end};

/* An entry of a list may name a server, which is this one or is not; and where jobs are spooled. */
static const char *const server_beside[] = {NAMES_COMPUTER_KEY, NAMES_DOMAIN_KEY, PRINTERS_KEY,
                                            NULL};

static const struct service lanmanserver = {
    .program = "regstore-lanmanserver",
    .summary = "makes a Samba file server what the store says",
    .key = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters",
    .watched = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer",
    .subtree = true,
    .beside = server_beside,
    .table = server_parameters,
    .count = SERVER_PARAMETER_COUNT,
    .rules = shipped_rules,
    .options = server_options,
    .work = &server_work,
};

int main(int argc, char **argv)
{
    return service_main(&lanmanserver, argc, argv);
}
