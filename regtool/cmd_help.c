/* regtool help: what commands there are, or how one is used. */
#include <stdio.h>

#include "arguments.h"
#include "help.h"
#include "report.h"

int cmd_help(struct tool *tool, const struct arguments *arguments)
{
    const char *verb = arguments->operands[0];
    const struct command *command;
    const char *nearest;

    (void)tool;
    if (verb == NULL) {
        help_commands(stdout);
        return 0;
    }
    command = command_find(verb);
    if (command != NULL) {
        help_command(stdout, command);
        return 0;
    }
    nearest = command_nearest(verb);
    if (nearest != NULL) {
        return report("unknown command \"%s\", did you mean \"%s\"?", verb, nearest);
    }
    return report("unknown command \"%s\" (regtool help lists the commands)", verb);
}
