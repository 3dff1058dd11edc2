/*
 * Who made a revision. It needs the machine's list of users; it gives the name of a number, and the
 * number of a name.
 */
#ifndef REGTOOL_WHO_H
#define REGTOOL_WHO_H

#include <stdbool.h>
#include <stdint.h>

/* The user that was looked up last: one after the other is mostly the same. Starts as all zeros. */
struct who {
    bool known;
    uint32_t uid;
    char name[256];
};

/* "root", or "uid 12345" for a number without a name; lives until the next call. */
const char *who_name(struct who *who, uint32_t uid);
/* The number of a user by his name, or by the number itself. Returns 0, or 1 after a report that
 * begins with verb. */
int who_number(const char *verb, const char *name, uint32_t *uid);

#endif
