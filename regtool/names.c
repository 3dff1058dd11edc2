/* A list of names. */
#include "names.h"

#include <stdlib.h>
#include <string.h>

#include <regstore.h>

static int make_room(struct names *names)
{
    size_t capacity = names->capacity * 2 + 16;
    struct name *each;

    if (names->count < names->capacity) {
        return RS_OK;
    }
    each = realloc(names->each, capacity * sizeof(*each));
    if (each == NULL) {
        return RS_ENOMEM;
    }
    names->each = each;
    names->capacity = capacity;
    return RS_OK;
}

int names_add(struct names *names, const char *text, size_t len)
{
    char *copy;

    if (make_room(names) != RS_OK) {
        return RS_ENOMEM;
    }
    copy = malloc(len + 1);
    if (copy == NULL) {
        return RS_ENOMEM;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    names->each[names->count++] = (struct name){copy, len};
    return RS_OK;
}

static int compare(const void *a, const void *b)
{
    const struct name *x = a, *y = b;

    return rs_name_compare(x->text, x->len, y->text, y->len);
}

void names_sort(struct names *names)
{
    if (names->count > 1) {
        qsort(names->each, names->count, sizeof(names->each[0]), compare);
    }
}

void names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->each[i].text);
    }
    free(names->each);
    *names = (struct names){.each = NULL};
}
