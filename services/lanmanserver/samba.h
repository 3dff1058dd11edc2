/*
 * samba - makes a running Samba serve what a text says, or leaves it as it was.
 *
 * The text is written beside the file that smb.conf includes, and testparm(1) judges smb.conf with
 * it. Only then it takes the file's place, and smbd is told: to read its configuration anew, and to
 * close the shares that give less than before. Each step may fail, and then the old file is there
 * again and the reason is one line. Everything is done in the loop, with time limits; whatever
 * becomes of this process, what smbd has not been told stands in FILE.close and is told later. An
 * smbd that does not run needs no telling: it reads the file when it starts. Needs include,
 * conf_include, program, tell, render's closing.
 *
 * Whoever does this can have smbd do anything, as smb.conf can name programs. Beside a system's
 * smbd that is root's helper (handover.h), not the service.
 */
#ifndef LANMANSERVER_SAMBA_H
#define LANMANSERVER_SAMBA_H

#include "../common/line.h"
#include "../common/work.h"
#include "../common/program.h"
#include "include.h"
#include "tell.h"

#define SAMBA_CONF "/etc/samba/smb.conf"

struct samba {
    struct loop *loop;
    const char *file;       /* that smb.conf includes */
    const char *conf;       /* smb.conf */
    struct include include; /* open while a change is under way */
    struct program testparm;
    struct tell tell;
    char *text;       /* that FILE is to have */
    char *closing;    /* the shares that smbd is to close */
    char *undoing;    /* those that it is to close if FILE goes back */
    char *untold;     /* those of an earlier change, which it was not told; or NULL */
    bool was_there;   /* FILE was, before */
    bool installed;   /* FILE is new, and goes back if smbd cannot be told */
    bool restoring;   /* smbd reads the old one again */
    struct line said; /* what becomes of the change */
    void (*done)(void *owner, bool taken, const char *said);
    void *owner;
};

/* loop, file and conf must outlive it. done is called once for each change that was under way,
 * never from within samba_apply(). */
void samba_init(struct samba *samba, struct loop *loop, const char *file, const char *conf,
                void (*done)(void *owner, bool taken, const char *said), void *owner);
/* Makes FILE this text, which is free()d when it is no longer needed. As work's take(). */
enum work_outcome samba_apply(struct samba *samba, char *text, struct line *said);
/* Ends what is under way, wherever it is. */
void samba_end(struct samba *samba);

#endif
