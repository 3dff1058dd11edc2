/*
 * A dump to be imported, taken before the store is touched, with a line on the terminal that says
 * how far that is. It needs a file's name; it gives what rs_import() reads without waiting.
 */
#ifndef REGTOOL_SPOOL_H
#define REGTOOL_SPOOL_H

#include <regstore.h>

/* Returns 0, or 1 after a report. Closed by rs_spool_close(). */
int spool_open(const char *file, rs_spool **spool);

#endif
