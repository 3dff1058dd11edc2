/*
 * lpd_request - the bytes of a client of RFC 1179, taken apart: commands, sub-commands and files.
 *
 * Bytes are pushed in as they come, and each call tells of one event. What a client can make it
 * hold is one line of LPD_LINE_MAX bytes. Pure; needs nothing.
 *
 * The size of a data file is a decimal number of at most 2^63. These say that the client does not
 * know it, and the file then ends with the connection:
 *
 *     0                        RFC 1179 6.3, unless the byte that ends a file follows at once and
 *                              nothing or a sub-command comes with it: then the file is empty
 *     4294967295,              clients that cannot count, CUPS when it prints while it converts,
 *     999999999999,            Windows without "LPR byte counting": no disk has that much
 *     2^46 and more
 *
 * Nobody can tell such a client that has finished from one that has died, so none should use it.
 */
#ifndef LPDSVC_LPD_REQUEST_H
#define LPDSVC_LPD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LPD_LINE_MAX 1024 /* bytes of a command, without its line feed */
#define LPD_ITEMS_MAX (LPD_LINE_MAX / 2)
#define LPD_FILE_NAME 256 /* bytes of a file's name, its end included */

enum lpd_event_kind {
    LPD_NOTHING,      /* all bytes are taken, and there is nothing to tell */
    LPD_RESUME,       /* 01 queue */
    LPD_RECEIVE,      /* 02 queue; sub-commands follow */
    LPD_STATE,        /* 03, 04 queue, items, */
    LPD_REMOVE,       /* 05 queue, agent, items: lpd_request_split() tells them apart */
    LPD_ABORT,        /* sub-command 01 */
    LPD_CONTROL_FILE, /* sub-command 02 with name and size; its bytes follow */
    LPD_DATA_FILE,    /* sub-command 03, the same */
    LPD_BYTES,        /* of the file */
    LPD_FILE_END,     /* all of it is there */
    LPD_ENDED,        /* the connection, where it may end */
    LPD_BROKEN        /* not the protocol; nothing that follows means anything */
};

/* What an event points to lives until the next call. */
struct lpd_event {
    enum lpd_event_kind kind;
    const char *queue; /* all of the operand; this and the other texts hold no NUL, but anything */
    const char *agent;
    const char *const *items; /* end with NULL; NULL: not split yet */
    bool is_long;             /* 04 */
    const char *name;         /* of a file, as lpd_name_problem() allows it */
    uint64_t size;            /* that was announced; 0 if it is */
    bool open_ended;          /* not known */
    const uint8_t *bytes;     /* of LPD_BYTES */
    size_t count;
    const char *why; /* of LPD_BROKEN */
};

enum lpd_state {
    LPD_AT_COMMAND,
    LPD_AT_SUBCOMMAND,
    LPD_IN_FILE,
    LPD_AT_FILE_END, /* the byte that ends a file is to come */
    LPD_AT_OPEN_FILE,
    LPD_IN_OPEN_FILE,
    LPD_IS_OVER
};

struct lpd_request {
    enum lpd_state state;
    uint64_t left; /* bytes of the file that are to come */
    size_t length; /* of the line so far */
    char line[LPD_LINE_MAX + 1];
    const char *items[LPD_ITEMS_MAX + 1];
};

void lpd_request_begin(struct lpd_request *request);
/* Takes bytes up to the next event; gives how many. */
size_t lpd_request_feed(struct lpd_request *request, const uint8_t *bytes, size_t size,
                        struct lpd_event *event);
/* Takes the operand of an LPD_STATE or LPD_REMOVE apart, before the next call. A queue's name may
 * have blanks, so who knows the queues says how many bytes it has, up to a blank or to the end; 0:
 * it is the first word. */
void lpd_request_split(struct lpd_request *request, struct lpd_event *event, size_t size);
/* Nothing more will come. Again until it gives LPD_ENDED or LPD_BROKEN. */
void lpd_request_finish(struct lpd_request *request, struct lpd_event *event);
/* The file that the latest event announced is refused: its bytes will not come. */
void lpd_request_refuse(struct lpd_request *request);
/* How many of the next bytes are sure to be taken, whatever they are; 0: that depends on them. */
uint64_t lpd_request_room(const struct lpd_request *request);

/* Why this is no file's name: "cf" for a control file or "df", a letter, 1 to 6 digits, the name of
 * a host without "/" and ".."; NULL: it is one. */
const char *lpd_name_problem(const char *name);
/* The job's number in a name: its first three digits. */
unsigned lpd_name_number(const char *name);

#endif
