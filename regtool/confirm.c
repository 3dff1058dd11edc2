/* Asks before something is lost. */
#include "confirm.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "report.h"
#include "show.h"

static bool is_yes(char *answer)
{
    answer[strcspn(answer, "\n")] = '\0';
    return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

static bool ask(const char *what)
{
    char answer[16];

    show_safely(stderr, what);
    fputs(" (yes/no)? ", stderr);
    fflush(stderr);
    if (fgets(answer, sizeof(answer), stdin) != NULL && is_yes(answer)) {
        return true;
    }
    report("nothing was changed");
    return false;
}

bool confirm(const char *letter, const char *format, ...)
{
    char *what = NULL;
    bool yes = false;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&what, format, arguments) < 0) {
        what = NULL;
    }
    va_end(arguments);
    if (what == NULL) {
        report_status(RS_ENOMEM, NULL, "asking");
    } else if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) {
        yes = ask(what);
    } else {
        report("will not %s without /%s where nobody can be asked", what, letter);
    }
    free(what);
    return yes;
}
