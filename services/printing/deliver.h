/*
 * deliver - one document on its way to one target.
 *
 * A transport knows one kind of target. It tells four outcomes apart, because what may be done next
 * depends on them: a target that is away or refuses has seen nothing, so the document can be sent
 * again without being printed twice; where that is not known, who sends it again has to say so.
 * What may be printed begins at a point that only the transport knows: it calls deliver_sending()
 * just before. Memory does not depend on the document's size. Needs target and line.
 */
#ifndef PRINTING_DELIVER_H
#define PRINTING_DELIVER_H

#include "../common/line.h"
#include "target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DELIVER_BLOCK (1024 * 1024) /* bytes, at most, of each write */
#define DELIVER_CONNECT_MS 10000    /* for a host to answer */

enum outcome {
    DELIVER_DONE,    /* the target has all of it */
    DELIVER_AWAY,    /* it does not answer, and has seen nothing */
    DELIVER_REFUSED, /* it answers, and has taken nothing */
    DELIVER_UNKNOWN, /* a part may have come out, or all of it */
    DELIVER_DAMAGED  /* the document cannot be read; the reason says if a part may have come out */
};

/* Texts are "" where nobody has said. */
struct delivery {
    const struct target *target;
    const char *name; /* the document's, for a person */
    const char *user;
    const char *host; /* that it came from */
    const char *title;
    const char *queue;
    const char *job; /* what only this document of this spool is called */
    unsigned number; /* the job's, 0 to 999 */
    uint64_t time;   /* s since 1970, of its receipt */
    int input;       /* read to its end */
    bool sized;      /* whether its size is known, */
    uint64_t size;   /* in bytes */
    bool patient;    /* waits where another job keeps the target busy, rather than be refused */
    /* From here on something may come out. false with the reason: then nothing may. NULL: nobody
     * wants to know. */
    bool (*sending)(void *owner, struct line *why);
    void *owner;
    bool begun; /* it was called, and allows it */
};

struct transport {
    bool sized; /* needs the size before the first byte */
    /* Reaches the target. *state is to be handed to one of end and abort; only if this is
     * DELIVER_DONE. The reason of all that fails is put into *why, without the target's name. */
    enum outcome (*begin)(struct delivery *delivery, void **state, struct line *why);
    bool (*write)(void *state, const char *bytes, size_t size, struct line *why);
    enum outcome (*end)(void *state, struct line *why);
    /* Nothing more will come; takes back what can be taken back. Never DELIVER_DONE. */
    enum outcome (*abort)(void *state);
};

extern const struct transport deliver_file;
extern const struct transport deliver_directory;
extern const struct transport deliver_command;
extern const struct transport deliver_socket;
extern const struct transport deliver_lpd;
/* NULL in the program that does not link an SMB client. */
extern const struct transport *const deliver_share;

/* NULL for a share where this program has no transport for it. */
const struct transport *deliver_transport(enum target_kind kind);
/* Sends the document, which belongs to a job or stands on standard input. */
enum outcome deliver_document(struct delivery *delivery, const struct transport *transport,
                              struct line *why);

/* For transports: comes before the first thing that may be printed. Says it once. */
bool deliver_sending(struct delivery *delivery, struct line *why);
/* Adds what an errno number means, in small letters: "no space left on device". */
void deliver_add_error(struct line *why, int error);
/* What a name may become a part of another one by: all but ASCII letters, digits and -._ become
 * '_', and it neither begins with '.' nor is empty. size counts the end. */
void deliver_plain_name(const char *text, char *name, size_t size);
/* Writes all to a descriptor that blocks. */
bool deliver_write_all(int fd, const char *bytes, size_t size, struct line *why);
/* Copies a document of unknown size to a file without a name, which then is its input. */
enum outcome deliver_measure(struct delivery *delivery, struct line *why);

/* A TCP connection, or AWAY with the reason; *fd is closed on exec. With reserved, from one of the
 * ports that RFC 1179 asks for, if this process may have them. */
enum outcome deliver_connect(const char *host, unsigned port, bool reserved, int *fd,
                             struct line *why);

#endif
