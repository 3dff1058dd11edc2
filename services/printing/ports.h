/*
 * ports - what the names of ports lead to: the device map, and the ports of NT's print monitors.
 *
 * A port's name is what a printer's Port says, or a program that prints to LPT1. It leads to a
 * target (target.h) by these keys below HKLM\SYSTEM\CurrentControlSet\Control\Print:
 *
 *     DeviceMap\LPT1    Target          a target, the name of a COM port, or the name of one of our
 *                                       printers
 *                       CredentialsFile for a share: the file that names user and password;
 *                                       without it, it is a null session
 *                       BootId          the mapping ends with this boot (net use /persistent:no);
 *                                       without it, it stays
 *     DeviceMap\COM1    Device          the terminal line, /dev/ttyS0
 *                       Mode            its parameters, "9600,n,8,1"; without it the line is used
 *                                       as it is
 *     Monitors\LPR Port\Ports\NAME              Server Name, Printer Name, PrintSwitch (Q121786)
 *     Monitors\Standard TCP/IP Port\Ports\NAME  HostName or IPAddress, PortNumber, Protocol 1 raw
 *                                               or 2 LPR, Queue
 *
 * "LPT1", "lpt1:" and "LPT1:" are the same. A name is looked for in this order: as LPT or COM, as a
 * monitor's port, as a printer. A chain of names that comes back to itself is an error, and so is a
 * port that leads nowhere: LPT1 without a mapping has no printer behind it here.
 *
 * Where a printer is on the way, who has a spool goes on to its Port (ports_resolve), and who has
 * none puts the job into its queue (ports_resolve_to_queue), so that the queue keeps its order and
 * its patience.
 *
 * How a share is reached, the first printer of the chain says that has NullSession or
 * CredentialsFile, and NullSession goes before; else what names the share: the mapping, or a
 * printer with neither, or the caller, who says nothing: then both stay empty, and who prints has
 * to refuse. Needs regstore.h, printers, target, line.
 */
#ifndef PRINTING_PORTS_H
#define PRINTING_PORTS_H

#include "printers.h"
#include "target.h"

#include <regstore.h>

#define PORTS_PRINT_KEY "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print"
#define PORTS_MAP_KEY PORTS_PRINT_KEY "\\DeviceMap"
#define PORTS_PRINTERS_KEY PORTS_PRINT_KEY "\\Printers"

struct ports;

#define PORTS_MAX 1000 /* of each monitor; more are not read */

/* Reads all of them. What is described wrongly is told by ports_resolve() to who uses it. *ports is
 * the caller's, to be released with ports_free(). Fails when the store cannot be read; RS_ENOMEM.
 */
int ports_load(rs_txn *txn, struct ports **ports);
/* The same in the boot of this id, which is /proc/sys/kernel/random/boot_id; "": it is not known,
 * and mappings of one boot do not hold. */
int ports_load_in_boot(rs_txn *txn, const char *boot, struct ports **ports);
/* NULL is allowed. */
void ports_free(struct ports *ports);
/* Where jobs for a port go: name is a port's name or a target. Gives false with the reason in
 * *problem, one line, "LPT1: is not rerouted". */
bool ports_resolve(const struct ports *ports, const struct printers *printers, const char *name,
                   struct target *target, struct line *problem);
/* The LPD service of this computer. */
struct ports_lpd {
    char host[TARGET_HOST];
    unsigned port;
};

/* The same for a job that nobody has spooled yet: a printer is a queue of the LPD there. */
bool ports_resolve_to_queue(const struct ports *ports, const struct printers *printers,
                            const struct ports_lpd *lpd, const char *name, struct target *target,
                            struct line *problem);
/* Where a printer's jobs go: its port's target, with its own null session or credentials if it has
 * one of them. */
bool ports_resolve_printer(const struct ports *ports, const struct printers *printers,
                           const struct printer *printer, struct target *target,
                           struct line *problem);

#endif
