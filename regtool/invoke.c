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
#include "timer.h"

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

#define LONGEST_WAIT (366u * 24 * 60 * 60) /* seconds */

static int read_seconds(const char *word, uint32_t *seconds)
{
    char *end;
    unsigned long number;

    errno = 0;
    number = strtoul(word, &end, 10);
    if (word[0] < '0' || word[0] > '9' || *end != '\0' || errno != 0 || number == 0 ||
        number > LONGEST_WAIT) {
        return report("--confirm: \"%s\" is not a number of seconds from 1 to %u", word,
                      LONGEST_WAIT);
    }
    *seconds = (uint32_t)number;
    return 0;
}

/* After a command that has made a revision which is to be confirmed. */
static void watch_over(const struct tool *tool)
{
    remark("revision %" PRIu64 " is taken back in %u s, unless \"%s confirm\" comes first",
           *tool->committed, tool->change.confirm, program_name());
    timer_start(tool->dir, *tool->committed);
}

static int read_change(struct tool *tool, const struct arguments *arguments)
{
    const char *seconds = arguments->switches[SWITCH_CONFIRM];

    tool->change.message = arguments->switches[SWITCH_MESSAGE];
    tool->change.force = has_switch(arguments, SWITCH_FORCE_RULES);
    return seconds != NULL ? read_seconds(seconds, &tool->change.confirm) : 0;
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
    tool.colours = tool.terminal && wants_colours();
    result = read_change(&tool, &arguments);
    result = result == 0 ? answers_note(&tool, &answers) : result;
    result = result == 0 ? run(&tool, &arguments) : result;
    if (tool.change.confirm > 0 && committed > 0) {
        watch_over(&tool);
        tool.change.confirm = 0; /* nor does taking it back at once have to be confirmed */
    }
    if (result == 0 && answers.awaited && committed != 0) {
        result = answers_await(&tool, &answers, committed);
    }
    answers_free(&answers);
    arguments_free(&arguments);
    return finish_output(&tool) == 0 ? result : EXIT_FAILURE;
}

pid_t invoke_fork(void)
{
    fflush(stdout);
    return fork();
}
