/*
 * printers - the printers of this computer, as the registry describes them.
 *
 * Each key below Control\Print\Printers is one printer; its values have the names that NT's
 * spooler gives them. A printer is shared if it has a share name, and its Attributes, where they
 * are set, have the bit PRINTER_ATTRIBUTE_SHARED: so one without a share name never is. A printer
 * that is described wrongly is left out, and the others are not; so is one whose key has a name
 * that cannot stand in a line or is too long for a queue's. Needs regstore.h, line, character.
 */
#ifndef PRINTING_PRINTERS_H
#define PRINTING_PRINTERS_H

#include "../common/line.h"

#include <regstore.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRINTERS_MAX 1000
#define PRINTER_TEXT_MAX 255 /* bytes of each of its texts */
#define PRINTER_SHARE_MAX 80
#define PRINTER_ATTRIBUTE_SHARED 0x8u
#define PRINTER_STATUS_PAUSED 0x1u

enum printer_text {
    PRINTER_NAME,
    PRINTER_SHARE,
    PRINTER_PORT,
    PRINTER_DRIVER,
    PRINTER_COMMENT,
    PRINTER_LOCATION,
    PRINTER_SEPARATOR,
    PRINTER_PROCESSOR,
    PRINTER_DATATYPE,
    PRINTER_PARAMETERS,
    PRINTER_CREDENTIALS, /* CredentialsFile */
    PRINTER_TEXTS
};

enum printer_number {
    PRINTER_ATTRIBUTES,
    PRINTER_PRIORITY,
    PRINTER_DEFAULT_PRIORITY,
    PRINTER_START_TIME,
    PRINTER_UNTIL_TIME,
    PRINTER_STATUS,
    PRINTER_NULL_SESSION, /* NullSession */
    PRINTER_NUMBERS
};

struct printer {
    const char *key;                  /* its name in the registry, by which its jobs know it */
    const char *texts[PRINTER_TEXTS]; /* "" where nothing is set */
    uint32_t numbers[PRINTER_NUMBERS];
    bool shared;       /* the attribute says so, too */
    bool paused;       /* its status says so: jobs wait */
    bool null_session; /* its jobs go to a share without a name and password */
    char kept[];
};

struct printers {
    size_t count;
    struct printer *rows[PRINTERS_MAX]; /* in the order of their keys */
};

/* Reads the printers below the key at path, which need not exist. Why some are left out is added to
 * *problems, in one line. *printers is the caller's, to be released with printers_free(). Fails
 * when the store cannot be read; RS_ENOMEM. */
int printers_load(rs_txn *txn, const char *path, struct line *problems, struct printers **printers);
/* NULL is allowed. */
void printers_free(struct printers *printers);
/* The printer whose key has this name, else whose Name or else whose share name it is, whatever the
 * case; NULL: there is none. */
const struct printer *printers_find(const struct printers *printers, const char *name);

#endif
