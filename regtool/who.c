/* Names of users. */
#include "who.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "report.h"

const char *who_name(struct who *who, uint32_t uid)
{
    const struct passwd *user;

    if (who->known && who->uid == uid) {
        return who->name;
    }
    user = getpwuid(uid);
    if (user != NULL) {
        snprintf(who->name, sizeof(who->name), "%s", user->pw_name);
    } else {
        snprintf(who->name, sizeof(who->name), "uid %" PRIu32, uid);
    }
    who->known = true;
    who->uid = uid;
    return who->name;
}

int who_number(const char *verb, const char *name, uint32_t *uid)
{
    const struct passwd *user = getpwnam(name);
    unsigned long long number;
    char *end;

    if (user != NULL) {
        *uid = user->pw_uid;
        return 0;
    }
    errno = 0;
    number = strtoull(name, &end, 10);
    if (name[0] < '0' || name[0] > '9' || *end != '\0' || errno != 0 || number > UINT32_MAX) {
        return report("%s: there is no user \"%s\"", verb, name);
    }
    *uid = (uint32_t)number;
    return 0;
}
