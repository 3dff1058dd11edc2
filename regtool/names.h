/*
 * A list of names: copies, which may hold NUL. It needs nothing; it gives room for what a cursor
 * shows only until its next step.
 */
#ifndef REGTOOL_NAMES_H
#define REGTOOL_NAMES_H

#include <stddef.h>

struct name {
    char *text; /* NUL-terminated, too */
    size_t len;
};

/* Starts as all zeros. */
struct names {
    struct name *each;
    size_t count;
    size_t capacity;
};

/* Adds a copy. RS_ENOMEM leaves the list as it was. */
int names_add(struct names *names, const char *text, size_t len);
/* Sorts as subkeys are listed. */
void names_sort(struct names *names);
/* Releases the memory; all zeros again. */
void names_free(struct names *names);

#endif
