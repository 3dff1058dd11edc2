/* Runs one command line. */
#include "invoke.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answers.h"
#include "arguments.h"
#include "help.h"
#include "report.h"

static bool wants_colours(void)
{
    const char *no = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return (no == NULL || no[0] == '\0') && (term == NULL || strcmp(term, "dumb") != 0);
}

/* Whether all output has arrived; a reader that left has what it wanted, and needs no message,
 * unless it could take the exit status for a sign that nothing was stored. */
static int finish_output(struct tool *tool)
{
    if (!output_flush_lost(tool)) {
        return 0;
    }
    if (*tool->committed != 0) {
        report("committed as revision %" PRIu64 ", but not all of it was told: standard output: %s",
               *tool->committed, strerror(tool->output_lost));
    } else if (tool->output_lost != EPIPE) {
        report("standard output: %s", strerror(tool->output_lost));
    }
    return 1;
}

static int run(struct tool *tool, const struct arguments *arguments)
{
    if (has_switch(arguments, SWITCH_HELP)) {
        if (arguments->command != NULL) {
            help_command(stdout, arguments->command);
        } else {
            help_commands(stdout);
        }
        return 0;
    }
    if (has_switch(arguments, SWITCH_VERSION)) {
        return cmd_version(tool, arguments);
    }
    return arguments->command->run(tool, arguments);
}

int invoke(char *const words[], const char *base, const struct tool *defaults)
{
    struct arguments arguments = {.command = NULL};
    struct answers answers;
    struct tool tool = *defaults;
    uint64_t committed = 0;
    int result;

    tool.committed = &committed;
    if (arguments_read(words, base, &arguments) != 0 || answers_read(&arguments, &answers) != 0) {
        arguments_free(&arguments);
        return EXIT_FAILURE;
    }
    if (has_switch(&arguments, SWITCH_STORE)) {
        tool.dir = arguments.switches[SWITCH_STORE];
    }
    tool.json = has_switch(&arguments, SWITCH_JSON);
    tool.terminal = isatty(STDOUT_FILENO) != 0;
    tool.at = arguments.switches[SWITCH_PAST];
    tool.change.message = arguments.switches[SWITCH_MESSAGE];
    tool.change.force = has_switch(&arguments, SWITCH_FORCE_RULES);
    tool.colours = tool.terminal && wants_colours();
    result = run(&tool, &arguments);
    if (result == 0 && answers.awaited && committed != 0) {
        result = answers_await(&tool, &answers, committed);
    }
    arguments_free(&arguments);
    return finish_output(&tool) == 0 ? result : EXIT_FAILURE;
}

pid_t invoke_fork(void)
{
    fflush(stdout);
    return fork();
}
