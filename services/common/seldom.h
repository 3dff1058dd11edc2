/*
 * seldom - a line in the log that strangers can cause, and so one that is written seldom.
 *
 * After a line of a kind there is none of that kind for a while; the next one says how many were
 * left out. A kind's place is a struct inside its owner's, zeroed. Needs log, line and loop.
 */
#ifndef SERVICE_SELDOM_H
#define SERVICE_SELDOM_H

#include "line.h"
#include "log.h"
#include "loop.h"

#include <stdbool.h>
#include <stdint.h>

#define SELDOM_MS (60 * 1000)

struct seldom {
    bool told;
    int64_t when; /* loop_now() of the latest line */
    unsigned untold;
};

/* Whether a line of this kind may be written now; if not, it is counted. */
bool seldom_may(struct seldom *kind, const struct loop *loop);
/* Writes the line, a warning, with the number of those that were left out. */
void seldom_write(struct seldom *kind, const struct log *log, struct line *line);

#endif
