/*
 * deliver_credentials - the file that names a user and a password for print shares.
 *
 * It has the lines of smbclient's -A: "username = ", "password = ", "domain = ". It is read only if
 * nobody but root or this user owns it, and nobody else can read it. Under systemd, a file of
 * /etc/regstore/printing is read from $CREDENTIALS_DIRECTORY instead, where the service manager has
 * put it for this service alone. Needs line.
 */
#ifndef PRINTING_DELIVER_CREDENTIALS_H
#define PRINTING_DELIVER_CREDENTIALS_H

#include "../common/line.h"

#include <stdbool.h>

#define CREDENTIALS_TEXT 256 /* bytes of each, its end included */
#define CREDENTIALS_HOME "/etc/regstore/printing/"

struct credentials {
    char user[CREDENTIALS_TEXT];
    char password[CREDENTIALS_TEXT];
    char domain[CREDENTIALS_TEXT]; /* "": not named */
};

/* Gives false with the reason. */
bool deliver_credentials(const char *path, struct credentials *credentials, struct line *why);

#endif
