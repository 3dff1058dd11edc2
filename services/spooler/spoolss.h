/*
 * spoolss - the interface of the print system, as far as print browsing needs it: [MS-RPRN].
 *
 *     opnum 0   RpcEnumPrinters, levels 1 and 2: LOCAL, NAME, SHARED; at level 1 NETWORK, REMOTE
 *     opnum 5   RpcAddPrinter, level 1: another print server announces a printer
 *     opnum 29  RpcClosePrinter, for which there never is a handle
 *
 * Any other opnum is refused by a fault. The printers of the network are kept here, in the cache,
 * with a timer that drops what is not announced any more; those of this computer are given. Calls
 * come from strangers: arguments in, an answer out, no sockets. Needs ndr, association, loop, log,
 * printers, own, cache and listing.
 */
#ifndef SPOOLER_SPOOLSS_H
#define SPOOLER_SPOOLSS_H

#include "listing.h"
#include "own.h"

#include "../common/log.h"
#include "../common/loop.h"
#include "../rpc/association.h"

enum spoolss_error {
    SPOOLSS_OK = 0,
    SPOOLSS_ACCESS_DENIED = 5,
    SPOOLSS_INVALID_HANDLE = 6,
    SPOOLSS_OUT_OF_MEMORY = 14,
    SPOOLSS_INVALID_PARAMETER = 87,
    SPOOLSS_INSUFFICIENT_BUFFER = 122,
    SPOOLSS_INVALID_NAME = 123,
    SPOOLSS_INVALID_LEVEL = 124,
    SPOOLSS_INVALID_FLAGS = 1004,
    SPOOLSS_INVALID_USER_BUFFER = 1784,
    SPOOLSS_INVALID_PRINTER_NAME = 1801,
    SPOOLSS_PRINTER_ALREADY_EXISTS = 1802
};

#define PRINTER_ENUM_DEFAULT 0x1u
#define PRINTER_ENUM_LOCAL 0x2u
#define PRINTER_ENUM_CONNECTIONS 0x4u
#define PRINTER_ENUM_NAME 0x8u
#define PRINTER_ENUM_REMOTE 0x10u
#define PRINTER_ENUM_SHARED 0x20u
#define PRINTER_ENUM_NETWORK 0x40u
#define PRINTER_ENUM_EXPAND 0x4000u
#define PRINTER_ENUM_CONTAINER 0x8000u
#define PRINTER_ENUM_ICON8 0x800000u
#define PRINTER_ENUM_ALL 0x01ffc07fu /* [MS-RPRN] 2.2.3.7 */

#define PRINTER_ATTRIBUTE_NETWORK 0x10u

enum spoolss_opnum {
    SPOOLSS_ENUM_PRINTERS = 0,
    SPOOLSS_ADD_PRINTER = 5,
    SPOOLSS_CLOSE_PRINTER = 29
};

/* Bytes of a list of the network's printers. Its buffer crosses the wire both ways, beside some
 * arguments, and what does not fit there nobody could ask for: so no more printers are taken. */
#define SPOOLSS_MOST_LISTING (RPC_MOST_ANSWER - 4096)

/* A listing is kept for the next caller who asks for the same, up to this size. */
#define SPOOLSS_KEPT_LISTING ((size_t)1 << 20)

struct spoolss_listing {
    struct listing listing;
    unsigned flags; /* what it lists */
    uint64_t generation;
};

struct spoolss {
    struct loop *loop;
    const struct log *log;
    const struct printers *printers; /* of this computer; */
    const struct own *own;           /* those of them that it announces; */
    const char *server;              /* and its name. None is NULL. */
    int64_t period;                  /* that a network printer stays, in ms */
    struct cache_bounds most;        /* of them */
    struct cache cache;
    uint64_t generation; /* of what is given */
    struct loop_timer decay;
    int64_t told_full; /* when it was last said that the cache is full; */
    bool has_told_full;
    struct spoolss_listing network; /* the latest listing of each kind */
    struct spoolss_listing local;
};

extern const struct rpc_interface spoolss_interface; /* its owner is a struct spoolss */

/* loop and log outlive it; the log may be NULL. */
void spoolss_open(struct spoolss *spoolss, struct loop *loop, const struct log *log);
/* What is given from now on, all of which outlives the next call of this. */
void spoolss_take(struct spoolss *spoolss, const struct printers *printers, const struct own *own,
                  const char *server);
/* Works at once on what is in the cache. */
void spoolss_limits(struct spoolss *spoolss, int64_t period, size_t most);
void spoolss_close(struct spoolss *spoolss);

/* ---- The other end --------------------------------------------------------------------------- */

/* The arguments of RpcAddPrinter that announce a printer. */
void spoolss_push_announcement(struct ndr_push *arguments, const char *server,
                               const struct announcement *announcement);
/* Its answer. false: it is none. A printer server that browses does not give a handle. */
bool spoolss_pull_announced(const uint8_t *answer, size_t size, struct ndr_handle *handle,
                            uint32_t *error);

#endif
