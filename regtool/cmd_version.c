/* regtool version: the version of the library that the tool runs on, which is its own, too. */
#include <stdio.h>

#include "arguments.h"
#include "tool.h"

int cmd_version(struct tool *tool, const struct arguments *arguments)
{
    (void)tool;
    (void)arguments;
    printf("regtool %s\n", rs_version());
    return 0;
}
