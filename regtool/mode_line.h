/*
 * The parameters of a serial line as MODE takes them: "9600,n,8,1", or baud=9600 parity=n data=8
 * stop=1. It needs words; it gives one text in the first form. Who prints judges it again
 * (services/printing/target.h).
 */
#ifndef REGTOOL_MODE_LINE_H
#define REGTOOL_MODE_LINE_H

#include <stdbool.h>

#define MODE_LINE_SIZE 32

struct mode_line {
    const char *baud; /* "9600"; static */
    char parity;      /* n e o m s */
    unsigned data;
    const char *stop; /* "1", "1.5", "2"; static; NULL: not said */
    bool retry;       /* p: goes on trying; n: does not */
};

/* What a stored text says; what it leaves out is as MODE documents it, e,7,1. False: it is none, as
 * is NULL, and *line is 9600,e,7,1. */
bool mode_line_read(const char *text, struct mode_line *line);
/* Takes what a word says into *line; what it leaves out stays. Returns 0, or 1 after a report. */
int mode_line_take(struct mode_line *line, const char *word);
void mode_line_put(const struct mode_line *line, char text[MODE_LINE_SIZE]);
/* "1"; of 110 bits a second "2" unless it was said. */
const char *mode_line_stop(const struct mode_line *line);
/* "None" */
const char *mode_line_parity(const struct mode_line *line);

#endif
