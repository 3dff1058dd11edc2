/*
 * regtool, the administrator's tool of a regstore: it runs the command that its arguments name.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "complete.h"
#include "invoke.h"

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

int main(int argc, char *argv[])
{
    const struct tool defaults = {.dir = NULL};

    (void)argc;
    fill_standard_descriptors();
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* lines are written at once, and not letter by letter */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error of the write, too */
    if (argv[0] != NULL && argv[1] != NULL && strcmp(argv[1], COMPLETE_VERB) == 0) {
        complete(argv + 2);
        return EXIT_SUCCESS;
    }
    return argv[0] != NULL ? invoke(argv + 1, NULL, &defaults) : EXIT_FAILURE;
}
