/* regtool export: writes a key and everything below it to a file. */
#include "arguments.h"
#include "dump.h"
#include "keypath.h"

int cmd_export(struct tool *tool, const struct arguments *arguments)
{
    struct dump dump = {.path = arguments->operands[0],
                        .hidden = keypath_hidden(arguments->asked[0], arguments->operands[0]),
                        .file = arguments->operands[1],
                        .format = arguments->switches[SWITCH_FORMAT],
                        .overwrite = has_switch(arguments, SWITCH_YES),
                        .list = has_switch(arguments, SWITCH_VERBOSE)};

    if (has_switch(arguments, SWITCH_UTF8)) {
        dump.format = "reg-utf8";
    }
    return dump_write(tool, &dump);
}
