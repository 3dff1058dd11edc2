/*
 * handover - the service's side of a helper that is root's, for a system's smbd.
 *
 * A system's smbd hears only root, and whoever writes what it includes can have it do anything as
 * root. So beside one the service writes nothing that smbd reads. It hands its text to
 * regstore-smbd-reload, through a socket that systemd listens on. That takes no arguments, looks at
 * each line (vet.h), puts the text in the place of HANDOVER_COPY, which smb.conf includes, has smbd
 * read it, and closes the shares that give less than before (render_closing()).
 *
 * The service sends the text and closes its side; the answer is one line: "ok", "ok NOTE" or
 * "error REASON". With an error the copy is as it was before. Needs loop; one call at a time.
 */
#ifndef LANMANSERVER_HANDOVER_H
#define LANMANSERVER_HANDOVER_H

#include "../common/loop.h"

#include <stddef.h>

#define HANDOVER_SOCKET "/run/regstore-smbd/socket"
#define HANDOVER_COPY "/var/lib/regstore-smbd/shares.conf"
#define HANDOVER_MAX (1024 * 1024)  /* bytes of a text */
#define HANDOVER_ANSWER 512         /* of the answer */
#define HANDOVER_PATIENCE_MS 120000 /* longer than they take unless several hang */

struct handover {
    struct loop *loop;
    /* taken: "ok"; said: the note, "" if there is none, or the reason. */
    void (*done)(void *owner, bool taken, const char *said);
    void *owner;
    struct loop_source source; /* fd -1: no call is under way */
    struct loop_timer patience;
    const char *text; /* what is left to be sent */
    size_t left;
    size_t heard;
    char answer[HANDOVER_ANSWER];
};

void handover_open(struct handover *handover, struct loop *loop,
                   void (*done)(void *owner, bool taken, const char *said), void *owner);
/* Begins to hand text, which must outlive the call, to who listens at path. done() is called once,
 * never before this has returned true. Gives false with errno when nobody listens. */
bool handover_begin(struct handover *handover, const char *path, const char *text);
/* Ends a call that is under way, without done(). */
void handover_close(struct handover *handover);

#endif
