/*
 * How far a long command is. It needs numbers now and then; it gives one line on standard error
 * that is written over, when that is a terminal, and nothing otherwise. A terminal that takes
 * nothing, because somebody stopped it, gets no line: other writers may be waiting for the end of
 * the work, and must not wait for a terminal.
 */
#ifndef REGTOOL_PROGRESS_H
#define REGTOOL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include <regstore.h>

struct progress {
    const char *doing; /* "importing" */
    int terminal;      /* a descriptor that never blocks; -1: there is none */
    bool dirty;        /* the line is on it */
    uint64_t started;  /* in ms */
    uint64_t drawn;    /* in ms; 0: not yet */
};

void progress_begin(struct progress *progress, const char *doing);
void progress_show(struct progress *progress, const rs_progress *numbers);
/* Takes the line away. */
void progress_end(struct progress *progress);

#endif
