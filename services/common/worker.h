/*
 * worker - a program of our own that runs for as long as it likes, and tells how it goes.
 *
 * What it says on standard output comes line by line while it runs, and the beginning of what it
 * says on standard error is kept for a person. On standard input it has what it is told, or
 * nothing. It has no descriptor beside these three, no signal that is blocked or ignored, and a
 * group of its own. The kernel
 * sends it SIGTERM when we end, in whatever way; what that means to it is its own affair, and
 * worker_leave() leaves it to that. A program that is somebody else's, and is killed when it takes
 * too long, is program.h's. Needs loop.
 */
#ifndef SERVICE_WORKER_H
#define SERVICE_WORKER_H

#include "loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define WORKER_LINE                                                                                \
    1024 /* bytes of a line, its end included; of a longer one the rest is left out */

/* Starts as worker_init() makes it; all but the first five is its own. */
struct worker {
    struct loop *loop; /* outlives it */
    bool listens;      /* it is told something while it runs: false, unless the owner says so */
    void (*line)(void *owner, const char *line);
    void (*ended)(void *owner); /* may start it again */
    void *owner;
    pid_t pid;  /* 0: none runs */
    int status; /* that it ended with; -1: it was killed */
    struct loop_source exit;
    struct loop_source output;
    struct loop_source errors;
    int input; /* our end of its standard input; -1: there is none, or it was closed */
    size_t line_length;
    size_t said_length;
    char text[WORKER_LINE]; /* the line that is not complete yet */
    char said[WORKER_LINE]; /* on standard error, NUL-terminated */
};

void worker_init(struct worker *worker, struct loop *loop,
                 void (*line)(void *owner, const char *line), void (*ended)(void *owner),
                 void *owner);
/* Runs the program at path; arguments begin with its name and end with NULL. Gives 0, then ended is
 * called once, never from within this, and after all of its lines; or an errno number. A program
 * that cannot be run is one that ends with WORKER_NOT_RUN and says why. */
#define WORKER_NOT_RUN 127
int worker_start(struct worker *worker, const char *path, const char *const *arguments);
/* Tells one that listens a line, without its end; false if it does not take it. What it said on
 * standard error before that is forgotten, as it was about something else. It never waits: for one
 * that reads what it is told, a pipe has room. SIGPIPE is ignored. */
bool worker_tell(struct worker *worker, const char *line);
/* It will be told nothing more: its standard input ends. */
void worker_close_input(struct worker *worker);
/* Sends it a signal, if it runs. */
void worker_signal(const struct worker *worker, int number);
/* Hears no more of it; neither line nor ended is called. It goes on. */
void worker_leave(struct worker *worker);

#endif
