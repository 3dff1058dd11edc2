/*
 * names - by what names this computer is known, for UNC names and announcements.
 *
 * The name that Windows computers see is Control\ComputerName\ComputerName's value ComputerName,
 * else the host's name without its domain, in upper case and cut to 15 characters as a NetBIOS name
 * is. The other names are the host's, without its domain and with it; the domain is the host's own,
 * else Tcpip\Parameters' value Domain. Nobody else is asked, so nothing waits. Needs regstore.h.
 */
#ifndef SERVICE_NAMES_H
#define SERVICE_NAMES_H

#include <regstore.h>

/* Where they stand in the store, for who has to hear of a change. */
#define NAMES_COMPUTER_KEY "HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName"
#define NAMES_DOMAIN_KEY "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters"

#define NAMES_MAX 3
#define NAMES_SIZE 256 /* of one name; a longer one is left out */

struct server_names {
    const char *list[NAMES_MAX + 1]; /* ends with NULL; the first is the computer's name */
    char texts[NAMES_MAX][NAMES_SIZE];
};

/* host is gethostname(2)'s. Fails with the library's statuses when the store cannot be read. */
int names_load(rs_txn *txn, const char *host, struct server_names *names);

#endif
