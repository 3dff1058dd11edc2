/*
 * tools.h - other programs at work: regtool, and those that it is measured against.
 *
 * Needs bench.
 */
#ifndef BENCH_TOOLS_H
#define BENCH_TOOLS_H

#include "bench.h"

struct tool_time {
    double ns;
    double cpu; /* of the program alone */
};

/* Whether a program is on PATH. */
bool tool_exists(const char *program);
/* Runs a program (a name on PATH, or a path) with arguments that end with NULL, its output going to
 * a file (NULL: to nowhere). Dies unless it ends with that exit status. */
struct tool_time tool_run(const char *output, int exit_status, const char *program,
                          const char *const *arguments);
/* A packed file's content; false if there is no xz, or it fails. */
bool unpack(const char *packed, const char *to);
/* How often a text stands in a file. */
size_t count_in_file(const char *path, const char *text, size_t len);
#define COUNT_IN_FILE(path, literal) count_in_file(path, literal, sizeof(literal) - 1)

#endif
