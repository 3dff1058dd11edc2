/*
 * fuzz_vet.c - fuzz target: a text that a service hands to root's helper, for smb.conf to include.
 *
 * What is let through must have nothing in it but lines that can do no harm, which is judged here
 * once more and in a simpler way; and what is to be closed for it must be names that smbcontrol may
 * be given. Needs vet, render's closing and conf_text.
 */
#include "fuzz.h"
#include "../../services/lanmanserver/conf_text.h"
#include "../../services/lanmanserver/render.h"
#include "../../services/lanmanserver/vet.h"

#include <stdlib.h>
#include <string.h>

/* Words that are in the names of all options that run programs, read files or choose users. */
static const char *const harmful[] = {"exec", "command", "include", "config", "copy", "script",
                                      "user", "group",   "vfs",     "admin",  "link", "account"};

static void check_option(const char *line, size_t size)
{
    char name[64];
    const char *equals = memchr(line, '=', size);
    FUZZ_CHECK(equals != NULL && (size_t)(equals - line) < sizeof(name));
    size_t length = (size_t)(equals - line);
    memcpy(name, line, length);
    name[length] = '\0';
    for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++) {
        FUZZ_CHECK(strstr(name, harmful[i]) == NULL);
    }
}

static void check_line(const char *line, size_t size)
{
    FUZZ_CHECK(size > 0 && line[size - 1] != '\\');
    FUZZ_CHECK(memchr(line, '\0', size) == NULL);
    if (line[0] == '\t') {
        check_option(line, size);
    } else {
        FUZZ_CHECK(line[0] == '#' || (line[0] == '[' && line[size - 1] == ']'));
    }
}

static void check_closing(const char *text)
{
    char *closing = render_closing(text, "[global]\n");
    FUZZ_CHECK(closing != NULL);
    char *rest = closing;
    for (char *name = strsep(&rest, "\n"); name != NULL; name = strsep(&rest, "\n")) {
        FUZZ_CHECK(name[0] == '\0' || conf_name_problem(name) == NULL);
    }
    free(closing);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vet_problem problem;
    char *text = malloc(size + 1);
    FUZZ_CHECK(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    if (vet(text, size, &problem)) {
        for (const char *line = text; *line != '\0';) {
            size_t length = strcspn(line, "\n");
            check_line(line, length);
            line += length + 1;
        }
        check_closing(text);
    } else {
        FUZZ_CHECK(problem.why != NULL);
    }
    free(text);
    return 0;
}
