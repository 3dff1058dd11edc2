/*
 * Runs one command line. It needs the words; it gives what the process would end with. main() runs
 * the words it was given, the shell those of each line.
 */
#ifndef REGTOOL_INVOKE_H
#define REGTOOL_INVOKE_H

#include <sys/types.h>

#include "tool.h"

/* Reads the words, which end with NULL, runs the command and makes sure that what it printed has
 * arrived. defaults holds what the words do not say; base is as for arguments_read(). Returns the
 * exit status. */
int invoke(char *const words[], const char *base, const struct tool *defaults);
/* A copy of the process to run a command line in, with nothing printed that comes twice; as
 * fork(2).
 */
pid_t invoke_fork(void);

#endif
