/*
 * tell - tells a running smbd that its configuration has changed.
 *
 * With smbcontrol(1): reload-config; close-share for each share whose sessions must not go on as
 * they are, which come back and are judged anew if their clients want; and ping, whose answer
 * comes after smbd has taken the others. In this order, as a session that comes back too early
 * would be let in. Needs program.
 */
#ifndef LANMANSERVER_TELL_H
#define LANMANSERVER_TELL_H

#include "../common/program.h"

#define TELL_MAX_CLOSED 100 /* shares; for more, all that there are */
#define TELL_REASON_SIZE 512

enum tell_result {
    TELL_TOLD,
    TELL_IDLE,   /* smbd does not run */
    TELL_SILENT, /* it was told and does not answer */
    TELL_FAILED
};

struct tell {
    struct program child;
    const char *conf;  /* smb.conf */
    const char *names; /* a share in each line; of those that are left */
    bool all;          /* they are too many */
    int step;
    void (*done)(void *owner, enum tell_result result, const char *reason);
    void *owner;
    char reason[TELL_REASON_SIZE];
    char name[TELL_REASON_SIZE]; /* of the share that is being closed */
};

/* loop and conf must outlive it. done may start it again. */
void tell_init(struct tell *tell, struct loop *loop, const char *conf,
               void (*done)(void *owner, enum tell_result result, const char *reason), void *owner);
/* names, with a line end each, must live until done is called, never from within this. Gives an
 * errno number if the program cannot be run; done is not called then. */
int tell_start(struct tell *tell, const char *names);
void tell_stop(struct tell *tell);

#endif
