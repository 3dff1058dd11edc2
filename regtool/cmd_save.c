/* regtool save: writes a key and everything below it to a hive, as Windows keeps them. */
#include "arguments.h"
#include "dump.h"

int cmd_save(struct tool *tool, const struct arguments *arguments)
{
    struct dump dump = {.path = arguments->operands[0],
                        .file = arguments->operands[1],
                        .format = "regf",
                        .overwrite = has_switch(arguments, SWITCH_YES)};

    return dump_write(tool, &dump);
}
