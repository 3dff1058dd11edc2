/*
 * regtool, the administrator's tool of a regstore. It reads the command line, runs one command of
 * the table in commands.c, and makes sure that what was printed has arrived.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
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
    if (fd >= 0)
        close(fd);
}

static bool wants_colours(void)
{
    const char *no = getenv("NO_COLOR");
    return (no == NULL || no[0] == '\0') && isatty(STDOUT_FILENO);
}

/* Whether all output has arrived; a reader that left has what it wanted, and needs no message. */
static int finish_output(void)
{
    bool failed = ferror(stdout) != 0;

    errno = 0;
    if (fclose(stdout) != 0)
        failed = true;
    if (!failed)
        return 0;
    if (errno != EPIPE)
        report("standard output: %s", errno != 0 ? strerror(errno) : "cannot be written");
    return EXIT_FAILURE;
}

static int run(const struct arguments *arguments)
{
    struct tool tool = {.dir = arguments->switches[SWITCH_STORE],
                        .json = has_switch(arguments, SWITCH_JSON),
                        .colours = wants_colours()};

    if (has_switch(arguments, SWITCH_HELP)) {
        if (arguments->command != NULL)
            help_command(stdout, arguments->command);
        else
            help_commands(stdout);
        return 0;
    }
    if (has_switch(arguments, SWITCH_VERSION))
        return cmd_version(&tool, arguments);
    return arguments->command->run(&tool, arguments);
}

int main(int argc, char *argv[])
{
    struct arguments arguments;
    int result;

    (void)argc;
    fill_standard_descriptors();
    signal(SIGPIPE, SIG_IGN);
    if (argv[0] == NULL || arguments_read(argv + 1, &arguments) != 0)
        return EXIT_FAILURE;
    result = run(&arguments);
    return finish_output() == 0 ? result : EXIT_FAILURE;
}
