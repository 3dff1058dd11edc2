/*
 * ports_parts - what ports_load.c has read, and ports.c follows. Needs ports.
 */
#ifndef PRINTING_PORTS_PARTS_H
#define PRINTING_PORTS_PARTS_H

#include "ports.h"

#define PORTS_DEVICES 9 /* LPT1 to LPT9, COM1 to COM9 */
#define PORTS_NAME 768  /* bytes of a port's name, its end included */

/* A value that is not as it should be, for who uses it. */
struct wrong {
    const char *name; /* NULL: all are */
    const char *why;
};

/* DeviceMap\LPTn, as far as it holds in this boot; "" where nothing is set. */
struct mapping {
    char target[TARGET_TEXT];
    char credentials[TARGET_TEXT];
    struct wrong wrong;
};

/* DeviceMap\COMn. */
struct serial {
    char device[TARGET_TEXT];
    char mode[TARGET_LINE];
    struct wrong wrong;
};

/* A port of a print monitor, as a target in words. */
struct monitor_port {
    char name[PORTS_NAME];
    char target[TARGET_TEXT];
    char format; /* 0: none is set */
    struct wrong wrong;
};

struct ports {
    struct mapping lpt[PORTS_DEVICES];
    struct serial com[PORTS_DEVICES];
    struct monitor_port *rows; /* the LPR monitor's, then the other's; each sorted by name */
    size_t lpr;                /* of these are the LPR monitor's */
    size_t count;
    size_t room;
};

#endif
