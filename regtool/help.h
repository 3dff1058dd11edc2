/*
 * Help, written from the table of commands alone. It needs a stream; it gives the list of commands
 * or the usage of one.
 */
#ifndef REGTOOL_HELP_H
#define REGTOOL_HELP_H

#include <stdio.h>

#include "commands.h"

void help_commands(FILE *out);
void help_command(FILE *out, const struct command *command);

#endif
