/*
 * target - where a job goes in the end: the words for it, and what they mean.
 *
 * One grammar for a printer's Port, for what an LPT port is rerouted to, and for the command line
 * of regstore-deliver:
 *
 *     \\SERVER2\Printer          a print share; \\SERVER2@4450\Printer at another port than SMB's
 *     /dev/usb/lp0 /srv/out.prn  a device, a terminal line or a file, which a job is appended to
 *     /srv/jobs/                 a directory, in which each document becomes a file of its own
 *     |lpr -Pq                   the standard input of a command, which sh runs
 *     socket://HOST              a raw TCP port, 9100; socket://HOST:9101 another one
 *     lpd://HOST/QUEUE           the queue of another LPD; lpd://HOST:5150/QUEUE at another port
 *
 * A host is a name, an address, or an IPv6 address in []. What begins otherwise is no target, but
 * may be the name of a port that leads to one: ports.h. Counter-examples:
 *
 *     \\SERVER2  \\SERVER2\  \\SERVER2\a\b  //SERVER2/Printer     a share is \\SERVER\SHARE
 *     socket://h:0  socket://h/  socket://::1  lpd://h  lpd://h/    as it stands there
 *     ipp://h/q  LPT1  out.prn  ""                                  none of these
 *
 * Pure; needs line, character.
 */
#ifndef PRINTING_TARGET_H
#define PRINTING_TARGET_H

#include "../common/line.h"

#include <stdbool.h>

enum target_kind {
    TARGET_SHARE,
    TARGET_FILE,
    TARGET_DIRECTORY,
    TARGET_COMMAND,
    TARGET_SOCKET,
    TARGET_LPD
};

#define TARGET_TEXT 1024 /* bytes of the whole, its end included */
#define TARGET_HOST 256
#define TARGET_LINE 32
#define TARGET_SOCKET_PORT 9100
#define TARGET_LPD_PORT 515

struct target {
    enum target_kind kind;
    char text[TARGET_TEXT]; /* as it was given, for a person and for regstore-deliver */
    char host[TARGET_HOST]; /* of a share, a raw port, an LPD, without []; else "" */
    unsigned port;          /* the same; 0: the protocol's own, of SMB */
    char name[TARGET_TEXT]; /* share, path, command, queue; "" of a raw port */
    /* What the text does not say; target_parse() leaves it empty. */
    char line[TARGET_LINE];        /* of a terminal line: "9600,n,8,1"; "": as it is */
    char format;                   /* of another LPD: its control character; 0 stands for 'l' */
    char credentials[TARGET_TEXT]; /* of a share: a file with a user and a password; "": none, */
    bool null_session;             /* and whether it may go without */
};

/* Gives false with the reason in *problem for a text that is no target. */
bool target_parse(const char *text, struct target *target, struct line *problem);
/* Whether a text is meant as a target, right or wrong, and not as a port's name. */
bool target_is_meant(const char *text);

/* A terminal line's parameters. */
struct target_line {
    unsigned baud;
    char parity;         /* n e o m s */
    unsigned data_bits;  /* 5 to 8 */
    unsigned half_stops; /* halves of a stop bit: 2 3 4 */
    bool retries;        /* p: goes on where the printer is busy, which a line does anyway */
};

/* "9600,n,8,1" and the like, as MODE has it: baud, parity n e o m s, data bits 5 to 8, stop bits 1
 * 1.5 2, and perhaps p for retries. What is left out is MODE's: even parity, 7 data bits, 1 stop
 * bit, 2 at 110 baud. NULL, or why it is not. */
const char *target_read_line(const char *text, struct target_line *line);
const char *target_line_problem(const char *text);

#endif
