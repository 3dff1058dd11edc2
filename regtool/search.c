/* Compares names and data with a pattern; search_pattern.c reads the pattern. */
#include "search.h"

#include <endian.h>
#include <string.h>

#include "search_pattern.h"

/* ---- Text ---- */

/* The end of the characters that a run stands for at this place; NULL if others are there. */
static const char *match_here(const struct search_run *run, const char *at, const char *end)
{
    for (size_t i = 0; i < run->count; i++) {
        const struct search_part *part = &run->parts[i];
        uint32_t c;
        if (at == end) {
            return NULL;
        }
        at = search_character(at, end, &c);
        if (c != part->is && c != part->also && !part->any) {
            return NULL;
        }
    }
    return at;
}

/* The next place where a run can begin: where its first character stands, if that is ASCII. No
 * other character has such a byte in it. */
static const char *next_start(const struct search_run *run, const char *at, const char *end)
{
    const struct search_part *first = run->parts;

    if (run->count == 0 || first->any || first->is >= 0x80) {
        return at;
    }
    while (at < end && (unsigned char)*at != first->is && (unsigned char)*at != first->also) {
        at++;
    }
    return at;
}

/* The first place of a run; *stop is its end. NULL if there is none. */
static const char *find_run(const struct search_run *run, const char *at, const char *end,
                            const char **stop)
{
    for (;;) {
        uint32_t c;
        at = next_start(run, at, end);
        if ((size_t)(end - at) < run->count) {
            return NULL; /* no character is shorter than a byte */
        }
        *stop = match_here(run, at, end);
        if (*stop != NULL) {
            return at;
        }
        if (at == end) {
            return NULL;
        }
        at = search_character(at, end, &c);
    }
}

/* The place of the last run in a text that ends with it; NULL if the text does not. */
static const char *find_at_end(const struct search_run *run, const char *at, const char *end)
{
    const char *start = end;

    for (size_t i = 0; i < run->count; i++) {
        do {
            if (start == at) {
                return NULL;
            }
            start--;
        } while (((unsigned char)*start & 0xc0) == 0x80 && start > at);
    }
    return match_here(run, start, end) == end ? start : NULL;
}

/* The place of run i, from at on. */
static const char *place_run(const struct search *search, size_t i, const char *at, const char *end,
                             const char **stop)
{
    const struct search_run *run = &search->runs[i];

    if (i == 0 && !search->open_start) {
        *stop = match_here(run, at, end);
        if (*stop == NULL || (search->run_count == 1 && !search->open_end && *stop != end)) {
            return NULL;
        }
        return at;
    }
    if (i == search->run_count - 1 && !search->open_end) {
        *stop = end;
        return find_at_end(run, at, end);
    }
    return find_run(run, at, end, stop);
}

static bool match_runs(const struct search *search, const char *text, size_t len,
                       struct search_span *span)
{
    const char *at = text;
    const char *end = text + len;

    *span = (struct search_span){0, 0};
    for (size_t i = 0; i < search->run_count; i++) {
        const char *stop;
        const char *start = place_run(search, i, at, end, &stop);
        if (start == NULL) {
            return false;
        }
        if (i == 0) {
            span->start = (size_t)(start - text);
        }
        span->end = (size_t)(stop - text);
        at = stop;
    }
    return true;
}

static bool match_regex(struct search *search, const char *text, size_t len,
                        struct search_span *span)
{
    regmatch_t match = {.rm_so = 0, .rm_eo = (regoff_t)len};

    int error = regexec(&search->regex, text, 1, &match, REG_STARTEND);

    if (error != 0) {
        search->no_memory = search->no_memory || error == REG_ESPACE;
        return false;
    }
    *span = (struct search_span){(size_t)match.rm_so, (size_t)match.rm_eo};
    return true;
}

bool search_text(struct search *search, const char *text, size_t len, struct search_span *span)
{
    struct search_span ignored;

    if (span == NULL) {
        span = &ignored;
    }
    return search->compiled ? match_regex(search, text, len, span)
                            : match_runs(search, text, len, span);
}

/* ---- Data ---- */

static uint16_t load(const unsigned char *at)
{
    uint16_t unit;

    memcpy(&unit, at, sizeof(unit));
    return le16toh(unit);
}

static bool units_here(const struct search *search, const unsigned char *at)
{
    for (size_t i = 0; i < search->unit_count; i++, at += 2) {
        uint16_t unit = load(at);
        if (unit != search->units[i].is && unit != search->units[i].also) {
            return false;
        }
    }
    return true;
}

/* Whether the data holds the units that a match must hold. */
static bool holds_units(const struct search *search, const rs_value *value)
{
    const unsigned char *at = value->data;
    size_t units = value->size / 2;
    struct search_unit first;

    if (search->unit_count == 0) {
        return true;
    }
    first = search->units[0];
    for (; units >= search->unit_count; units--, at += 2) {
        uint16_t unit = load(at);
        if ((unit == first.is || unit == first.also) && units_here(search, at)) {
            return true;
        }
    }
    return false;
}

/* The character between the strings is a part of what is printed, and may be what is found. */
static bool holds_separator(const struct search *search, const char *separator)
{
    const char *at = separator != NULL ? separator : "\\0";
    const char *end = at + strlen(at);

    while (at < end) {
        uint32_t c;
        at = search_character(at, end, &c);
        for (size_t i = 0; i < search->unit_count; i++) {
            if (c == search->units[i].is || c == search->units[i].also || c > 0xffff) {
                return true;
            }
        }
    }
    return false;
}

/* False only if the data cannot match. */
static bool may_match(const struct search *search, const rs_value *value, const char *separator)
{
    if (search->compiled) {
        return true;
    }
    switch (value->type) {
    case REG_SZ:
    case REG_EXPAND_SZ:
    case REG_LINK:
        return holds_units(search, value);
    case REG_MULTI_SZ:
        return holds_units(search, value) || holds_separator(search, separator);
    default:
        return search->hexadecimal;
    }
}

int search_data(struct search *search, const rs_value *value, const char *separator, bool *found)
{
    char *text;
    size_t len;
    int status;

    *found = false;
    if (!may_match(search, value, separator)) {
        return RS_OK;
    }
    status = rs_data_print(value->type, value->data, value->size, separator, &text, &len);
    if (status == RS_OK) {
        *found = search_text(search, text, len, NULL);
        rs_free(text);
    }
    return status;
}
