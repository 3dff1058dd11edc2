/* regtool check --store: reads the whole store and reports what is damaged. */
#include "arguments.h"
#include "report.h"
#include "store_check.h"

int cmd_check(struct tool *tool, const struct arguments *arguments)
{
    const char *named = arguments->operands[0];
    char *chosen = NULL;
    int result;

    if (!has_switch(arguments, SWITCH_CHECK_STORE)) {
        return report("check: --store is missing: what can be checked is the store");
    }
    if (named != NULL && tool->dir != NULL) {
        return report("check: the store is named twice, %s and %s", tool->dir, named);
    }
    if (named == NULL) {
        named = tool->dir;
    }
    if (named == NULL && rs_default_dir(&chosen) != RS_OK) {
        return report("check: no store is named and the environment has no home");
    }
    result = store_check(tool, named != NULL ? named : chosen);
    rs_free(chosen);
    return result;
}
