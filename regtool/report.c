/* Lines on standard error. */
#include "report.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A key path can be half a megabyte long; no one reads more of a line than this. */
#define LONGEST_LINE 4096

/* Control characters could redraw a terminal or fake a second line. */
static void put_line(const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f)
            fprintf(stderr, "\\x%02x", c);
        else
            putc(c, stderr);
    }
    putc('\n', stderr);
}

static bool stderr_has_colours(void)
{
    const char *no = getenv("NO_COLOR");
    return (no == NULL || no[0] == '\0') && isatty(STDERR_FILENO);
}

int report(const char *format, ...)
{
    char line[LONGEST_LINE];
    bool colours = stderr_has_colours();
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    fputs(colours ? "\033[31mregtool:\033[0m " : "regtool: ", stderr);
    put_line(line);
    return EXIT_FAILURE;
}

int report_status(int status, const rs_error *error, const char *about)
{
    if (error != NULL && error->text[0] != '\0')
        return report("%s", error->text);
    return report("%s: %s", about, rs_strerror(status));
}

void remark(const char *format, ...)
{
    char line[LONGEST_LINE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    fputs("regtool: ", stderr);
    put_line(line);
}
