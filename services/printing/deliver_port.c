/* deliver_port - what a port's name leads to, by the store; see deliver_port.h. */
#include "deliver_port.h"
#include "ports.h"

#include <regstore.h>

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
    int status = rs_begin(store, RS_READ, &txn);
    if (status == RS_OK) {
        status = load(txn, &ports, &printers);
        rs_abort(txn);
    }
    if (status != RS_OK) {
        line_add(why, "cannot read the store: %s", rs_strerror(status));
        return false;
    }
    bool good = ports_resolve(ports, printers, port, target, why);
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
