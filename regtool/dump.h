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
    size_t hidden;      /* of the path, see keypath_spell() */
    const char *file;   /* "-": standard output */
    const char *format; /* NULL: by the file's name */
    bool overwrite;     /* do not ask */
    bool list;          /* all that the file does not hold, not only the first places */
};

/* Returns 0 and says so (unless the file is standard output) and what the file does not hold, or 1
 * after a report. */
int dump_write(const struct tool *tool, struct dump *dump);

#endif
