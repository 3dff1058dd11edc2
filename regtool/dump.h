/*
 * A key and everything below it, written to a file. It needs the store; it asks before a file is
 * replaced, shows how far the work is, and reports its failures.
 */
#ifndef REGTOOL_DUMP_H
#define REGTOOL_DUMP_H

#include <stdbool.h>

#include "tool.h"

struct dump {
    const char *path;   /* of the key */
    const char *file;   /* "-": standard output */
    const char *format; /* NULL: by the file's name */
    bool overwrite;     /* do not ask */
};

/* Returns 0 and says so (unless the file is standard output), or 1 after a report. */
int dump_write(const struct tool *tool, struct dump *dump);

#endif
