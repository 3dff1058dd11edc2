/* Lines on standard error. */
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "show.h"

/* A key path can be half a megabyte long; no one reads more of a line than this. */
#define LONGEST_LINE 4096

static bool stderr_has_colours(void)
{
    const char *no = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return (no == NULL || no[0] == '\0') && (term == NULL || strcmp(term, "dumb") != 0) &&
           isatty(STDERR_FILENO);
}

const char *program_name(void)
{
    return strcmp(program_invocation_short_name, "reg") == 0 ? "reg" : "regtool";
}

static void put_line(bool red, const char *format, va_list arguments)
{
    char line[LONGEST_LINE];

    vsnprintf(line, sizeof(line), format, arguments);
    fprintf(stderr, red ? "\033[31m%s:\033[0m " : "%s: ", program_name());
    show_text(stderr, line, strlen(line), true);
    putc('\n', stderr);
}

int report(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    put_line(stderr_has_colours(), format, arguments);
    va_end(arguments);
    return EXIT_FAILURE;
}

int report_status(int status, const rs_error *error, const char *about)
{
    if (error != NULL && error->text[0] != '\0') {
        return report("%s", error->text);
    }
    return report("%s: %s", about, rs_strerror(status));
}

void remark(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    put_line(false, format, arguments);
    va_end(arguments);
}
