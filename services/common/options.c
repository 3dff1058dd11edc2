/* options - a service's command line; see options.h. */
#include "options.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Below the first character, so that getopt_long()'s optopt tells them from one; a service's own
 * come last. */
enum {
    OPTION_STORE = 1,
    OPTION_NAME,
    OPTION_WINDOW,
    OPTION_CHECK,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_OWN
};

static const struct option common[] = {
    {"store", required_argument, NULL, OPTION_STORE},
    {"name", required_argument, NULL, OPTION_NAME},
    {"window", required_argument, NULL, OPTION_WINDOW},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
};
#define COMMON_COUNT (sizeof(common) / sizeof(common[0]))

void options_print_help(const struct service_option *own)
{
    fputs("  --store DIR  the store's directory; else $REGSTORE, else the system's or the user's\n"
          "  --name NAME  the name under which it answers changes; else the program's\n"
          "  --window MS  changes that come within so many milliseconds after one that was\n"
          "               taken are taken together (20)\n"
          "  --check      print every setting, its value and where it comes from, and exit:\n"
          "               1 if a value would be refused\n"
          "  --help       print this text\n"
          "  --version    print the version\n",
          stdout);
    for (const struct service_option *each = own; each != NULL && each->name != NULL; each++) {
        printf("  --%s %s  %s\n", each->name, each->argument, each->help);
    }
}

/* table has room for all of them and for the end. */
static void make_table(const struct service_option *own, struct option *table)
{
    int next = OPTION_OWN;
    memcpy(table, common, sizeof(common));
    table += COMMON_COUNT;
    for (const struct service_option *each = own; each != NULL && each->name != NULL; each++) {
        *table++ = (struct option){each->name, required_argument, NULL, next++};
    }
    *table = (struct option){0};
}

static bool take_window(struct options *options)
{
    char *end;
    unsigned long window = strtoul(optarg, &end, 10);
    if (optarg[0] < '0' || optarg[0] > '9' || *end != '\0' || window > OPTIONS_MAX_WINDOW) {
        return false;
    }
    options->window = (unsigned)window;
    return true;
}

/* Gives false when the option is none of ours, or its argument is no good. */
static bool take_option(int option, struct options *options)
{
    switch (option) {
    case OPTION_STORE:
        options->store = optarg;
        return true;
    case OPTION_NAME:
        options->name = optarg;
        return true;
    case OPTION_WINDOW:
        return take_window(options);
    case OPTION_CHECK:
        options->action = SERVICE_CHECK;
        return true;
    case OPTION_HELP:
        options->action = SERVICE_HELP;
        return true;
    case OPTION_VERSION:
        options->action = SERVICE_VERSION;
        return true;
    default:
        if (option < OPTION_OWN || option >= OPTION_OWN + OPTIONS_OWN_MAX) {
            return false;
        }
        options->own[option - OPTION_OWN] = optarg;
        return true;
    }
}

/* Says what getopt_long() did not take. Its ways of telling are several: optopt is the character of
 * a short option (we have none), the number of a long one, or 0 for a long one that is not known.
 */
static void add_problem(struct line *problem, int option, char **argv)
{
    const char *argument = argv[optind - 1];
    if (option == OPTION_WINDOW) {
        line_add(problem, "--window takes 0 to %d milliseconds, not ", OPTIONS_MAX_WINDOW);
        line_add_quoted(problem, optarg);
    } else if (option == ':') {
        line_add(problem, "option %s needs an argument", argument);
    } else if (optopt == 0) {
        line_add(problem, "unknown option ");
        line_add_quoted(problem, argument);
    } else if (optopt < OPTION_OWN + OPTIONS_OWN_MAX) {
        line_add(problem, "option takes no argument: ");
        line_add_quoted(problem, argument);
    } else {
        const char text[] = {'-', (char)optopt, '\0'};
        line_add(problem, "unknown option ");
        line_add_quoted(problem, text);
    }
}

bool options_parse(int argc, char **argv, const struct service_option *own, struct options *options,
                   struct line *problem)
{
    struct option table[COMMON_COUNT + OPTIONS_OWN_MAX + 1];
    struct options parsed = {.action = SERVICE_RUN, .window = OPTIONS_WINDOW};
    int option;
    make_table(own, table);
    optind = 0; /* glibc: begin anew, also after an earlier parse in this process */
    /* '+' takes the options in order; ':' keeps getopt from printing. */
    while ((option = getopt_long(argc, argv, "+:", table, NULL)) != -1) {
        if (!take_option(option, &parsed)) {
            add_problem(problem, option, argv);
            return false;
        }
    }
    if (optind < argc) {
        line_add(problem, "unexpected argument ");
        line_add_quoted(problem, argv[optind]);
        return false;
    }
    *options = parsed;
    return true;
}
