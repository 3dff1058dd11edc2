/*
 * render - the text of the file that smb.conf includes, and what two such texts differ in.
 *
 * Pure and the same for the same input: nothing of it changes unless something is meant to. It
 * begins and ends in the section [global], so that lines behind the include in smb.conf stay where
 * they were. What cannot be written so that Samba reads it as meant is left out and told. Needs
 * settings, effects, shares, access, conf_text.
 */
#ifndef LANMANSERVER_RENDER_H
#define LANMANSERVER_RENDER_H

#include "../common/line.h"
#include "../common/settings.h"
#include "shares.h"

#define RENDER_SPOOL "/var/tmp" /* for the jobs of a printer, if nothing else is said */

struct render_source {
    const struct settings *settings; /* by the table of effects.h */
    const struct shares *shares;
    const char *const *names; /* of the server; end with NULL */
    const char *spool;        /* the directory for printers' jobs */
};

/* Gives the text, to be released with free(), or NULL where there is no memory. What was left out
 * is added to said. */
char *render(const struct render_source *source, struct line *said);
/* The text of a server that shares nothing. */
char *render_nothing(void);
/* The shares of one text of render()'s that have to be closed so that no open session keeps more
 * than the other text gives: one that is gone, that null sessions may no longer reach, that is no
 * longer written to, or that is now something else. Each name with a line end; free(), or NULL
 * where there is no memory. */
char *render_closing(const char *before, const char *after);

#endif
