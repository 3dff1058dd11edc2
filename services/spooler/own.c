/* own - what this computer tells others of its shared printers; see own.h. */
#include "own.h"

#include "../common/character.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    const struct announcement *left = a;
    const struct announcement *right = b;
    return rs_name_compare(left->name, RS_NTS, right->name, RS_NTS);
}

/* A description that is too long is cut, but never within a character. */
static void cut(char *text)
{
    text[character_cut(text, CACHE_TEXT_MAX)] = '\0';
}

static bool fill(struct announcement *row, const struct printer *printer, const char *server)
{
    char *name, *description, *comment;
    if (asprintf(&name, "\\\\%s\\%s", server, printer->texts[PRINTER_SHARE]) < 0) {
        return false;
    }
    if (asprintf(&description, "%s,%s,%s", name, printer->texts[PRINTER_DRIVER],
                 printer->texts[PRINTER_LOCATION]) < 0) {
        free(name);
        return false;
    }
    comment = strdup(printer->texts[PRINTER_COMMENT]);
    if (comment == NULL) {
        free(name);
        free(description);
        return false;
    }
    cut(description);
    *row = (struct announcement){name, description, comment};
    return true;
}

/* The texts of a row are own's, which lends them as constant ones. */
static void release(struct announcement *row)
{
    free((char *)(uintptr_t)row->name);
    free((char *)(uintptr_t)row->description);
    free((char *)(uintptr_t)row->comment);
}

/* Of two printers with one share name the first is announced. */
static void drop_doubles(struct own *own)
{
    size_t kept = 0;
    for (size_t i = 0; i < own->count; i++) {
        if (kept > 0 && by_name(&own->rows[kept - 1], &own->rows[i]) == 0) {
            release(&own->rows[i]);
        } else {
            own->rows[kept++] = own->rows[i];
        }
    }
    own->count = kept;
}

struct own *own_make(const struct printers *printers, const char *server)
{
    struct own *own = calloc(1, sizeof(*own));
    if (own == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < printers->count; i++) {
        if (!printers->rows[i]->shared) {
            continue;
        }
        if (!fill(&own->rows[own->count], printers->rows[i], server)) {
            own_free(own);
            return NULL;
        }
        own->count++;
    }
    qsort(own->rows, own->count, sizeof(own->rows[0]), by_name);
    drop_doubles(own);
    return own;
}

void own_free(struct own *own)
{
    if (own != NULL) {
        for (size_t i = 0; i < own->count; i++) {
            release(&own->rows[i]);
        }
        free(own);
    }
}

size_t own_listed(const struct own *own)
{
    size_t listed = 0;
    for (size_t i = 0; i < own->count; i++) {
        listed += announcement_listed(&own->rows[i]);
    }
    return listed;
}

bool own_has(const struct own *own, const char *name)
{
    struct announcement sought = {.name = name};
    return bsearch(&sought, own->rows, own->count, sizeof(own->rows[0]), by_name) != NULL;
}

bool own_has_more(const struct own *a, const struct own *b)
{
    for (size_t i = 0; i < a->count; i++) {
        if (b == NULL || !own_has(b, a->rows[i].name)) {
            return true;
        }
    }
    return false;
}

bool own_same(const struct own *a, const struct own *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        const struct announcement *left = &a->rows[i];
        const struct announcement *right = &b->rows[i];
        if (strcmp(left->name, right->name) != 0 ||
            strcmp(left->description, right->description) != 0 ||
            strcmp(left->comment, right->comment) != 0) {
            return false;
        }
    }
    return true;
}
