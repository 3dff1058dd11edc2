/*
 * shares - the file server's shares, as NT keeps them in LanmanServer\Shares.
 *
 * A value of that key is a share: its name is the share's, its strings are KEY=VALUE in any order.
 *
 *     Path=/srv/data       the directory; a path of Unix, as no drive is known here.
 *                          Of a printer: its name, which may be followed by ",LocalsplOnly"
 *     Remark=The data      what clients show beside the name
 *     Type=0               0 a directory, 1 a printer; others are Samba's own business
 *     MaxUses=10           how many may be connected; 4294967295 any number, 0 none
 *     Permissions=127      may anybody write: bit 2 says so, and without it clients only read.
 *                          Rights of files and of users are Unix's and smb.conf's
 *     CSCFlags=48          bits 4 and 5: what clients may keep copies of
 *     ShareName=Data       the share's name again
 *
 * What else there is, is kept for whoever knows it. A value that is no share that Samba could have
 * is left out, with the reason. Descriptors in Shares\Security have no effect, which is told too,
 * as who could not connect on NT may connect here. Needs regstore.h, conf_text.
 */
#ifndef LANMANSERVER_SHARES_H
#define LANMANSERVER_SHARES_H

#include <regstore.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHARES_KEY "HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Shares"
#define SHARES_UNLIMITED UINT32_MAX

struct share {
    const char *name;
    const char *path;    /* of a directory, as Unix has it; NULL: of a printer's jobs, anywhere */
    const char *printer; /* its name, NULL: it is a directory */
    size_t printer_size;
    const char *remark;
    uint32_t max_uses;
    bool writable;
    unsigned caching;    /* 0 to 3: manual, documents, programs, none */
    bool guarded;        /* has a descriptor in Shares\Security */
    const char *problem; /* why it cannot be one of Samba's; NULL: it can */
    const char *where;   /* the problem is: "Path" */
    char *kept;          /* the name, if it has to be released */
};

/* The texts belong to the transaction, but for the names. */
struct shares {
    struct share *list; /* in the order of their names */
    size_t count;
};

/* Reads one from its strings, which are never changed and must outlive it. */
void share_read(const char *name, const char *const *strings, struct share *share);
/* *shares is the caller's, to be released with shares_free(). A key that does not exist gives none.
 * Fails with the library's statuses when the store cannot be read; RS_ENOMEM. */
int shares_load(rs_txn *txn, struct shares *shares);
void shares_free(struct shares *shares);

#endif
