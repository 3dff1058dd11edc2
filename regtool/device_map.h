/*
 * The device map: where LPT1 to LPT9 are rerouted to, and which lines COM1 to COM9 are. Its keys
 * are those of services/printing/ports.h; who prints reads them there. It needs a session; it gives
 * what a device's key says, and writes it.
 */
#ifndef REGTOOL_DEVICE_MAP_H
#define REGTOOL_DEVICE_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "tool.h"

enum device_kind { DEVICE_LPT, DEVICE_COM };

#define DEVICE_KINDS 2
#define DEVICE_LAST 9       /* LPT9, COM9 */
#define DEVICE_NAME_SIZE 12 /* bytes of "LPT1", its end included */
#define DEVICE_LONGEST_TARGET 1023

struct device {
    enum device_kind kind;
    unsigned number;
};

/* The values of a device's key. */
enum device_text {
    DEVICE_TARGET,      /* of an LPT port: a target, the name of a COM port or of a printer */
    DEVICE_CREDENTIALS, /* for a share: a file; without it, it is a null session */
    DEVICE_BOOT,        /* the mapping ends with this boot */
    DEVICE_LINE,        /* of a COM port: /dev/ttyS0, */
    DEVICE_MODE,        /* and its parameters */
    DEVICE_TEXTS
};

struct device_entry {
    struct device device;
    char *texts[DEVICE_TEXTS]; /* NULL: not set; the entry's own */
};

/* "LPT1", "lpt1:" and the like; false: it is none of them. */
bool device_parse(const char *text, size_t len, struct device *device);
/* "LPT1" */
void device_name(const struct device *device, char name[DEVICE_NAME_SIZE]);
/* Reports that a word is no LPT port, and no COM port either, and returns 1. */
int device_report(const char *verb, const char *word, bool com);

/* Fills *entry, to be released with device_entry_free() whatever is returned; nothing is set of a
 * device without a key. Values that are no text are as if they were not set. A status. */
int device_map_read(struct session *session, const struct device *device,
                    struct device_entry *entry);
/* Makes the key hold what the entry says; a key in which nothing is left is deleted. A status. */
int device_map_write(struct session *session, const struct device_entry *entry);

/* Gives a value another text; NULL: none. RS_OK or RS_ENOMEM. */
int device_entry_set(struct device_entry *entry, enum device_text text, const char *value);
/* Ends the rerouting of an LPT port, and gives it another target; NULL: none. The same. */
int device_entry_reroute(struct device_entry *entry, const char *target);
/* Where an LPT port is rerouted to; NULL: nowhere, or it was in another boot. */
const char *device_entry_target(const struct device_entry *entry);
/* Binds a mapping to the boot that this is. A status. */
int device_entry_bind_to_boot(struct device_entry *entry);
void device_entry_free(struct device_entry *entry);

/* Whether a target is meant as a share, and whether it is \\SERVER\SHARE. */
bool device_is_unc(const char *target);
bool device_is_share(const char *target);
/* Bytes below 0x20, and 0x7f: in no target. */
bool device_has_control(const char *text);

#endif
