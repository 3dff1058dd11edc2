/*
 * regtool, the administrator's tool of a regstore. It reads the command line, runs one command of
 * the table in commands.c, and makes sure that what was printed has arrived.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "complete.h"
#include "help.h"
#include "report.h"
#include "tool.h"

/* A descriptor 0, 1 or 2 that the caller closed would be given to the store's own file, and then be
 * written to. /dev/null takes its place, open the wrong way round for standard output, so that a
 * loss of output is still noticed. */
static void fill_standard_descriptors(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        close(fd);
    }
}

static bool wants_colours(void)
{
    const char *no = getenv("NO_COLOR");
    return no == NULL || no[0] == '\0';
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

int main(int argc, char *argv[])
{
    struct arguments arguments = {.command = NULL};
    uint64_t committed = 0;
    struct tool tool = {.committed = &committed, .terminal = isatty(STDOUT_FILENO) != 0};
    int result;

    (void)argc;
    fill_standard_descriptors();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error of the write, too */
    if (argv[0] != NULL && argv[1] != NULL && strcmp(argv[1], COMPLETE_VERB) == 0) {
        complete(argv + 2);
        return EXIT_SUCCESS;
    }
    if (argv[0] == NULL || arguments_read(argv + 1, &arguments) != 0) {
        arguments_free(&arguments);
        return EXIT_FAILURE;
    }
    tool.dir = arguments.switches[SWITCH_STORE];
    tool.json = has_switch(&arguments, SWITCH_JSON);
    tool.colours = tool.terminal && wants_colours();
    result = run(&tool, &arguments);
    arguments_free(&arguments);
    return finish_output(&tool) == 0 ? result : EXIT_FAILURE;
}
