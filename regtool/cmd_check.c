/*
 * regtool check: judges what is stored by the rules; with --store it reads the whole store and
 * reports what is damaged.
 */
#include "arguments.h"
#include "report.h"
#include "rules_check.h"
#include "store_check.h"

static int check_store(struct tool *tool, const char *named)
{
    char *chosen = NULL;
    int result;

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

int cmd_check(struct tool *tool, const struct arguments *arguments)
{
    if (has_switch(arguments, SWITCH_CHECK_STORE)) {
        return check_store(tool, arguments->asked[0]);
    }
    return rules_check(tool, arguments->operands[0], has_switch(arguments, SWITCH_UNKNOWN));
}
