/*
 * Output that is printed later: nobody may have to wait for the reader of our output, so nothing is
 * printed while a transaction keeps other writers out. It needs a directory for temporary files; it
 * gives a stream, whose file has no name and vanishes with the process.
 */
#ifndef REGTOOL_LATER_H
#define REGTOOL_LATER_H

#include <stdio.h>

/* NULL after a report. */
FILE *later_open(void);
/* Prints on standard output what was written to the stream, and closes it; NULL is allowed. Returns
 * 0, or 1 after a report. */
int later_print(FILE *later);

#endif
