/* Reads a pattern: its characters in both cases, and what every match must hold. */
#include "search_pattern.h"

#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "search.h"

/* ---- Case ---- */

/* A character of the basic plane as WTF-8. Returns its length. */
static size_t encode(uint32_t c, char text[4])
{
    if (c < 0x80) {
        text[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        text[0] = (char)(0xc0 | c >> 6);
        text[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    text[0] = (char)(0xe0 | c >> 12);
    text[1] = (char)(0x80 | (c >> 6 & 0x3f));
    text[2] = (char)(0x80 | (c & 0x3f));
    return 3;
}

/* In the order of the registry's names; 0: the same but for case. */
static int compare_characters(uint32_t a, uint32_t b)
{
    char a_text[4];
    char b_text[4];
    size_t a_len = encode(a, a_text);
    size_t b_len = encode(b, b_text);

    return rs_name_compare(a_text, a_len, b_text, b_len);
}

static int compare_parts(const void *a, const void *b)
{
    return compare_characters((*(struct search_part *const *)a)->is,
                              (*(struct search_part *const *)b)->is);
}

/* The first of the sorted parts that is not before c. */
static size_t lower_bound(struct search_part *const *sorted, size_t count, uint32_t c)
{
    size_t low = 0;

    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (compare_characters(sorted[middle]->is, c) < 0) {
            low = middle + 1;
        } else {
            count = middle;
        }
    }
    return low;
}

/* The library tells whether two characters differ in case only, not which one another has: so each
 * character of the basic plane is looked up among those of the pattern. None has more than one. */
static void pair_sorted(struct search_part **sorted, size_t count)
{
    qsort(sorted, count, sizeof(struct search_part *), compare_parts);
    for (uint32_t c = 0x80; c <= 0xffff; c++) {
        size_t i = lower_bound(sorted, count, c);
        for (; i < count && compare_characters(sorted[i]->is, c) == 0; i++) {
            if (sorted[i]->is != c) {
                sorted[i]->also = c;
            }
        }
    }
}

/* Gives each part the same character in the other case. Beyond the basic plane case counts. */
static int pair_cases(struct search_part *parts, size_t count)
{
    struct search_part **sorted = malloc((count + 1) * sizeof(struct search_part *));
    size_t wide = 0;

    if (sorted == NULL) {
        return RS_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t lower = parts[i].is | 0x20;
        if (lower >= 'a' && lower <= 'z') {
            parts[i].also = parts[i].is ^ 0x20;
        } else if (parts[i].is >= 0x80 && parts[i].is <= 0xffff) {
            sorted[wide++] = &parts[i];
        }
    }
    if (wide > 0) {
        pair_sorted(sorted, wide);
    }
    free(sorted);
    return RS_OK;
}

/* ---- What every match holds ---- */

static size_t units_of(const struct search_part *part)
{
    return part->is > 0xffff ? 2 : 1;
}

static void add_units(struct search *search, const struct search_part *part)
{
    struct search_unit *unit = &search->units[search->unit_count];

    search->unit_count += units_of(part);
    if (part->is <= 0xffff) {
        *unit = (struct search_unit){(uint16_t)part->is, (uint16_t)part->also};
        return;
    }
    unit[0].is = unit[0].also = (uint16_t)(0xd7c0 + (part->is >> 10));
    unit[1].is = unit[1].also = (uint16_t)(0xdc00 | (part->is & 0x3ff));
}

/* The longest row of letters in a run takes the place of a shorter one found before. */
static void take_letters(struct search *search, const struct search_run *run)
{
    size_t units = 0;
    size_t start = 0;

    for (size_t i = 0; i <= run->count; i++) {
        if (i < run->count && !run->parts[i].any) {
            units += units_of(&run->parts[i]);
            continue;
        }
        if (units > search->unit_count) {
            search->unit_count = 0;
            for (size_t j = start; j < i; j++) {
                add_units(search, &run->parts[j]);
            }
        }
        units = 0;
        start = i + 1;
    }
}

static bool is_hexadecimal(const struct search_part *part)
{
    return part->any || (part->is < 0x80 && part->is != 0 &&
                         strchr("0123456789abcdefABCDEFxX", (int)part->is) != NULL);
}

/* ---- The pattern ---- */

/* Ends the run of the parts from start on, unless it has none. */
static void end_run(struct search *search, size_t start, size_t end)
{
    if (end > start) {
        search->runs[search->run_count++] = (struct search_run){search->parts + start, end - start};
    }
}

/* Returns the number of parts. */
static size_t split(struct search *search, const char *pattern)
{
    const char *end = pattern + strlen(pattern);
    bool wildcards = (search->flags & SEARCH_WILDCARDS) != 0;
    size_t count = 0;
    size_t start = 0;

    search->open_start = !(search->flags & SEARCH_WHOLE);
    search->open_end = search->open_start;
    while (pattern < end) {
        uint32_t c;
        pattern = search_character(pattern, end, &c);
        if (c != '*' || !wildcards) {
            search->parts[count++] = (struct search_part){c, c, c == '?' && wildcards};
            continue;
        }
        search->open_start = search->open_start || count == 0;
        search->open_end = search->open_end || pattern == end;
        end_run(search, start, count);
        start = count;
    }
    end_run(search, start, count);
    return count;
}

/* Only an empty text matches a pattern without runs, unless a "*" is in it. */
static void close_empty(struct search *search)
{
    if (search->run_count == 0 && !search->open_start) {
        search->runs[search->run_count++] = (struct search_run){search->parts, 0};
    }
}

static int read_pattern(struct search *search, const char *pattern)
{
    size_t room = strlen(pattern) + 1;
    size_t count;

    search->parts = calloc(room, sizeof(*search->parts));
    search->runs = calloc(room, sizeof(*search->runs));
    search->units = calloc(room, sizeof(*search->units));
    if (search->parts == NULL || search->runs == NULL || search->units == NULL) {
        return RS_ENOMEM;
    }
    count = split(search, pattern);
    close_empty(search);
    if (!(search->flags & SEARCH_CASE) && pair_cases(search->parts, count) != RS_OK) {
        return RS_ENOMEM;
    }
    search->hexadecimal = true;
    for (size_t i = 0; i < search->run_count; i++) {
        take_letters(search, &search->runs[i]);
        for (size_t j = 0; j < search->runs[i].count; j++) {
            search->hexadecimal = search->hexadecimal && is_hexadecimal(&search->runs[i].parts[j]);
        }
    }
    return RS_OK;
}

/* Regular expressions are of characters, not of bytes, whatever the environment says. */
static int compile(struct search *search, const char *verb, const char *pattern)
{
    int flags = REG_EXTENDED | (search->flags & SEARCH_CASE ? 0 : REG_ICASE);
    char why[200];
    int error;

    search->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (search->locale != (locale_t)0) {
        search->before = uselocale(search->locale);
    }
    error = regcomp(&search->regex, pattern, flags);
    if (error != 0) {
        regerror(error, &search->regex, why, sizeof(why));
        return report("%s: \"%s\" is no regular expression: %s", verb, pattern, why);
    }
    search->compiled = true;
    return 0;
}

int search_begin(struct search *search, const char *verb, const char *pattern, unsigned flags)
{
    void *data;
    size_t size;
    int status;

    *search = (struct search){.flags = flags};
    status = rs_data_parse(REG_SZ, pattern, strlen(pattern), NULL, &data, &size, NULL);
    if (status == RS_OK) {
        rs_free(data);
    } else if (status != RS_ENOMEM) {
        return report("%s: the text to search for is not valid UTF-8: \"%s\"", verb, pattern);
    }
    if (status == RS_OK && (flags & SEARCH_REGEX)) {
        return compile(search, verb, pattern);
    }
    if (status == RS_OK) {
        status = read_pattern(search, pattern);
    }
    return status == RS_OK ? 0 : report_status(status, NULL, verb);
}

void search_free(struct search *search)
{
    if (search->compiled) {
        regfree(&search->regex);
    }
    if (search->locale != (locale_t)0) {
        uselocale(search->before);
        freelocale(search->locale);
    }
    free(search->parts);
    free(search->runs);
    free(search->units);
    *search = (struct search){.flags = 0};
}
