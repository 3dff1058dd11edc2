/* regtool export: writes a key and everything below it to a file. */
#include "arguments.h"
#include "dump.h"

int cmd_export(struct tool *tool, const struct arguments *arguments)
{
    struct dump dump = {.path = arguments->operands[0],
                        .file = arguments->operands[1],
                        .format = arguments->switches[SWITCH_FORMAT],
                        .overwrite = has_switch(arguments, SWITCH_YES)};

    return dump_write(tool, &dump);
}
