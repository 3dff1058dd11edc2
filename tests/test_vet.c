/*
 * test_vet - vet, which stands between a service and what root's smbd includes.
 */
#include "harness.h"

#include "../services/lanmanserver/vet.h"

#include <stdio.h>
#include <string.h>

/* "LINE: WHY" of the first problem; "" if there is none. */
static const char *problem_of(const char *text, size_t size)
{
    static char said[128];
    struct vet_problem problem;
    said[0] = '\0';
    if (!vet(text, size, &problem)) {
        snprintf(said, sizeof(said), "%u: %s", problem.line, problem.why);
    }
    return said;
}

static void expect(const char *text, const char *problem)
{
    const char *said = problem_of(text, strlen(text));
    if (strcmp(said, problem) != 0) {
        fprintf(stderr, "%s\n... is \"%s\", not \"%s\"\n", text, said, problem);
    }
    CU_ASSERT_STRING_EQUAL(said, problem);
}

/* One line of a share. */
static void expect_option(const char *option, const char *why)
{
    char text[4096];
    char problem[160] = "";
    snprintf(text, sizeof(text), "[data]\n%s\n[global]\n", option);
    if (why[0] != '\0') {
        snprintf(problem, sizeof(problem), "2: %s", why);
    }
    expect(text, problem);
}

static void what_render_writes_is_let_through(void)
{
    expect("# made\n[global]\n\tserver string =\n\tdeadtime = 15\n\toplocks = yes\n"
           "[Data$]\n\tcomment = The data\n\tpath = /srv/data\n\tread only = no\n\tguest ok = yes\n"
           "\tbrowseable = no\n\tmax connections = 10\n\tcsc policy = documents\n"
           "[PRINTER]\n\tpath = /var/tmp\n\tprintable = yes\n\tprinter name = lp0\n[global]\n",
           "");
}

static const char unknown[] = "its option is not one that the service sets";
static const char shapeless[] = "it is no line of an option";

static void no_option_that_does_more(void)
{
    const char *const options[] = {
        "\troot preexec = /bin/sh", "\tpreexec = x",
        "\tprint command = x",      "\tinclude = /etc/shadow",
        "\tforce user = root",      "\tcopy = x",
        "\tadmin users = x",        "\twide links = yes",
        "\tvfs objects = x",        "\tconfig file = x",
        "\tguest account = root",   "\tdeadtime = 1"}; /* this one is [global]'s */
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        expect_option(options[i], unknown);
    }
    expect("[global]\n\tpath = /srv\n", "2: its option is not one that the service sets");
    /* Samba knows other spellings of its options; who writes otherwise is not the service. */
    expect_option("\tPath = /srv", unknown);
    expect_option("\tpath  = /srv", unknown);
    expect_option("path = /srv", shapeless);
    expect_option(" path = /srv", shapeless);
    expect_option("\tpath=/srv", shapeless);
    expect_option("\tpath =/srv", shapeless);
    expect_option("\t", shapeless);
    expect_option("", shapeless);
    expect_option("; \tpath = /srv", shapeless);
}

static void no_value_that_is_read_as_something_else(void)
{
    expect_option("\tpath = /srv/\\", "it ends with a backslash");
    expect_option("# comment \\", "it ends with a backslash");
    expect_option("\tpath = srv", "it is no path of Unix");
    expect_option("\tpath =", "it is no path of Unix");
    expect_option("\tpath = /home/%S", "it has a percent sign");
    expect_option("\tcomment = %m", "it has a variable of Samba's");
    expect_option("\tcomment =  two", "it has blanks at its end or beside each other");
    expect_option("\tcomment = a\rb", "it has a control character");
    expect_option("\tguest ok = maybe", "it is none of the words that are allowed");
    expect_option("\tmax connections = -1", "it is no number");
    expect_option("\tmax connections =", "it is no number");
    expect_option("\tmax connections = 12345678901", "it is no number");
}

static void sections_are_the_services(void)
{
    expect("\tpath = /srv\n", "1: it stands in no section");
    expect("[homes]\n[global]\n", "1: it is a name of Samba's own");
    expect("[printers]\n[global]\n", "1: it is a name of Samba's own");
    expect("[a]b]\n[global]\n", "1: it has a character that no share's name may have");
    expect("[data\n[global]\n", "1: it is no section");
    expect("[]\n[global]\n", "1: it is empty");
    expect("[\n", "1: it is no section");
    expect("[-all]\n[global]\n", "1: it has a character that no share's name may have");
    expect("[GLOBAL]\n[global]\n", "1: it is a name of Samba's own");
    expect("[data]\n\tpath = /srv\n", "2: the text does not end in [global]");
    expect("", "0: the text does not end in [global]");
}

static void lines_are_whole(void)
{
    char text[4096] = "[data]\n\tcomment = ";
    memset(text + strlen(text), 'x', 3000);
    strcat(text, "\n[global]\n");
    expect(text, "2: it is too long");
    expect("[global]", "1: it has no end");
    static const char hidden[] = "[global]\n\tdeadtime = 1\0\troot preexec = x\n";
    CU_ASSERT_STRING_EQUAL(problem_of(hidden, sizeof(hidden) - 1), "2: it has a NUL");
}

static const struct test_case cases[] = {
    {"what render writes is let through", what_render_writes_is_let_through},
    {"no option that does more", no_option_that_does_more},
    {"no value that is read as something else", no_value_that_is_read_as_something_else},
    {"sections are the service's", sections_are_the_services},
    {"lines are whole", lines_are_whole},
    {NULL, NULL},
};

const struct test_suite suite_vet = {"vet", cases};
