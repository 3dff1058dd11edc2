/* Words of other systems' commands; see foreign.h. */
#include "foreign.h"

#include <string.h>
#include <strings.h>

#define CREDENTIALS                                                                                \
    "--credentials FILE names a file that has user and password, see regstore-deliver(8)"

static const struct {
    const char *verb;
    const char *begin; /* of the word, in any case */
    const char *advice;
} switches[] = {
    {"net", "//", "a share has backslashes, and a shell wants it in quotes: '\\\\server\\share'"},
    {"net", "/user", "a user is not named here: " CREDENTIALS},
    {"net", "-user", "a user is not named here: " CREDENTIALS},
    {"net", "--user", "a user is not named here: " CREDENTIALS},
    {"net", "/savecred", "no password is kept here: " CREDENTIALS},
};

const char *foreign_switch(const struct command *command, const char *word)
{
    for (size_t i = 0; command != NULL && i < sizeof(switches) / sizeof(switches[0]); i++) {
        if (strcmp(command->verb, switches[i].verb) == 0 &&
            strncasecmp(word, switches[i].begin, strlen(switches[i].begin)) == 0) {
            return switches[i].advice;
        }
    }
    return NULL;
}

/* NET has a password, or "*" to be asked for one, behind the share. It is not repeated. */
const char *foreign_operand(const struct arguments *arguments)
{
    const char *what = arguments->operands[0];

    if (arguments->command == NULL || strcmp(arguments->command->verb, "net") != 0 ||
        what == NULL || strcasecmp(what, "use") != 0) {
        return NULL;
    }
    return "a password is not given here: " CREDENTIALS;
}
