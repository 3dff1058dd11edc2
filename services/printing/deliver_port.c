/* deliver_port - what a port's name leads to, by the store; see deliver_port.h. */
#include "deliver_port.h"
#include "ports.h"

#include "../common/rule.h"
#include "../common/service.h"
#include "../common/settings.h"

#include <regstore.h>

#include <stdio.h>
#include <string.h>

/* Where the LPD service listens; the same rules, the same defaults. */
enum { LPD_ADDRESS, LPD_PORT, LPD_SETTINGS };

static const struct setting lpd_settings[LPD_SETTINGS] = {
    [LPD_ADDRESS] = {"ListenAddress", SETTING_TEXT},
    [LPD_PORT] = {"ListenPort", SETTING_NUMBER},
};

static const struct service lpd_service = {
    .key = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\LPDSVC\\Parameters",
    .table = lpd_settings,
    .count = LPD_SETTINGS,
    .rules = shipped_rules,
};

/* One that listens everywhere is reached here, and one that listens nowhere of its own has its port
 * from the service manager, at the usual number. */
static void name_lpd(const struct settings *settings, struct ports_lpd *lpd)
{
    const char *address = settings->values[LPD_ADDRESS].text;
    unsigned port = settings->values[LPD_PORT].number;
    bool anywhere = address[0] == '\0' || strcmp(address, "0.0.0.0") == 0 || port == 0;
    snprintf(lpd->host, sizeof(lpd->host), "%s",
             anywhere                     ? "127.0.0.1"
             : strcmp(address, "::") == 0 ? "::1"
                                          : address);
    lpd->port = port != 0 ? port : TARGET_LPD_PORT;
}

static int load_lpd(rs_txn *txn, struct ports_lpd *lpd)
{
    struct rules *rules;
    struct settings *settings;
    int status = rules_load(txn, &lpd_service, &rules);
    if (status != RS_OK) {
        return status;
    }
    status = settings_load(txn, &lpd_service, rules, &settings);
    rules_free(rules);
    if (status == RS_OK) {
        name_lpd(settings, lpd);
        settings_free(settings);
    }
    return status;
}

static int load(rs_txn *txn, struct ports **ports, struct printers **printers)
{
    /* Why a printer is left out belongs to its service's log. */
    struct line ignored = LINE_INIT;
    int status = ports_load(txn, ports);
    if (status != RS_OK) {
        return status;
    }
    status = printers_load(txn, PORTS_PRINTERS_KEY, &ignored, printers);
    if (status != RS_OK) {
        ports_free(*ports);
    }
    return status;
}

static bool resolve(rs_store *store, const char *port, struct target *target, struct line *why)
{
    rs_txn *txn;
    struct ports *ports;
    struct printers *printers;
    struct ports_lpd lpd;
    int status = rs_begin(store, RS_READ, &txn);
    if (status == RS_OK) {
        status = load_lpd(txn, &lpd);
        if (status == RS_OK) {
            status = load(txn, &ports, &printers);
        }
        rs_abort(txn);
    }
    if (status != RS_OK) {
        line_add(why, "cannot read the store: %s", rs_strerror(status));
        return false;
    }
    bool good = ports_resolve_to_queue(ports, printers, &lpd, port, target, why);
    printers_free(printers);
    ports_free(ports);
    return good;
}

bool deliver_port(const char *directory, const char *port, struct target *target, struct line *why)
{
    rs_store *store;
    rs_error error = RS_ERROR_INIT;
    int status = rs_open(directory, RS_READONLY, &store, &error);
    if (status != RS_OK) {
        line_add(why, "cannot open the store: %s", error.text);
        return false;
    }
    bool good = resolve(store, port, target, why);
    rs_close(store);
    return good;
}
