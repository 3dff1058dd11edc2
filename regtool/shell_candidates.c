/* What a word can be completed to. */
#include "shell_candidates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <regstore.h>

#include "columns.h"
#include "show.h"

#define MOST_SHOWN 200
#define GAP 2

struct tab_entry {
    char *name;
    size_t len;
    char end;
};

/* Control characters, NUL and lone surrogates cannot be typed. */
static bool can_be_typed(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c < 0x20 || c == 0x7f ||
            (c == 0xed && i + 1 < len && (unsigned char)name[i + 1] >= 0xa0)) {
            return false;
        }
    }
    return memchr(name, '"', len) == NULL || memchr(name, '\'', len) == NULL;
}

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* The bytes of as many characters of name as text has; more than len if it has not so many. */
static size_t same_characters(const char *name, size_t len, const char *text, size_t text_len)
{
    size_t at = 0;

    for (size_t i = 0; i < text_len; i++) {
        if (!begins_character(text[i])) {
            continue;
        }
        if (at >= len) {
            return len + 1;
        }
        do {
            at++;
        } while (at < len && !begins_character(name[at]));
    }
    return at;
}

static bool fits(const struct tab_list *candidates, const char *name, size_t len)
{
    size_t part = same_characters(name, len, candidates->typed, candidates->typed_len);

    return part <= len &&
           rs_name_compare(name, part, candidates->typed, candidates->typed_len) == 0;
}

void tab_list_offer(struct tab_list *candidates, const char *name, size_t len, char end)
{
    if (!fits(candidates, name, len) || !can_be_typed(name, len)) {
        return;
    }
    if (candidates->count == candidates->capacity) {
        size_t capacity = candidates->capacity * 2 + 32;
        struct tab_entry *grown = reallocarray(candidates->list, capacity, sizeof(*grown));
        if (grown == NULL) {
            candidates->failed = true;
            return;
        }
        candidates->list = grown;
        candidates->capacity = capacity;
    }
    struct tab_entry *added = &candidates->list[candidates->count];
    *added = (struct tab_entry){strndup(name, len), len, end};
    if (added->name == NULL) {
        candidates->failed = true;
        return;
    }
    candidates->count++;
}

static int compare(const void *a, const void *b)
{
    const struct tab_entry *left = a, *right = b;

    return rs_name_compare(left->name, left->len, right->name, right->len);
}

/* How long the common beginning of two names is: ASCII in any case, all else as it is. */
static size_t common_length(const struct tab_entry *a, const struct tab_entry *b, size_t most)
{
    size_t i = 0;

    while (i < most && i < b->len && strncasecmp(a->name + i, b->name + i, 1) == 0) {
        i++;
    }
    while (i > 0 && i < a->len && !begins_character(a->name[i])) {
        i--;
    }
    return i;
}

char *tab_list_common(struct tab_list *candidates, char *end)
{
    size_t len;

    *end = '\0';
    if (candidates->failed || candidates->count == 0) {
        return NULL;
    }
    qsort(candidates->list, candidates->count, sizeof(*candidates->list), compare);
    len = candidates->list[0].len;
    for (size_t i = 1; i < candidates->count; i++) {
        len = common_length(&candidates->list[0], &candidates->list[i], len);
    }
    if (candidates->count == 1) {
        *end = candidates->list[0].end;
    } else if (len <= candidates->typed_len) {
        return strndup(candidates->typed, candidates->typed_len);
    }
    return strndup(candidates->list[0].name, len);
}

static size_t width_of(const struct columns *columns, const struct tab_entry *candidate)
{
    return columns_of(columns, candidate->name, candidate->len, true) + (candidate->end != ' ');
}

static void put_rows(FILE *out, const struct tab_list *candidates, const struct columns *columns,
                     size_t count, size_t width)
{
    size_t widest = 1, across;

    for (size_t i = 0; i < count; i++) {
        size_t each = width_of(columns, &candidates->list[i]);
        widest = each > widest ? each : widest;
    }
    across = (width + GAP) / (widest + GAP);
    across = across > 0 ? across : 1;
    for (size_t i = 0; i < count; i++) {
        const struct tab_entry *each = &candidates->list[i];
        bool last = (i + 1) % across == 0 || i + 1 == count;
        size_t pad = last ? 0 : widest + GAP - width_of(columns, each);
        show_text(out, each->name, each->len, true);
        fprintf(out, "%.*s%*s%s", each->end != ' ', &each->end, (int)pad, "", last ? "\n" : "");
    }
}

char *tab_list_show(const struct tab_list *candidates, size_t width)
{
    size_t count = candidates->count < MOST_SHOWN ? candidates->count : MOST_SHOWN;
    struct columns columns;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL) {
        return NULL;
    }
    columns_begin(&columns);
    put_rows(out, candidates, &columns, count, width);
    columns_end(&columns);
    if (count < candidates->count) {
        fprintf(out, "and %zu more\n", candidates->count - count);
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

void tab_list_free(struct tab_list *candidates)
{
    for (size_t i = 0; i < candidates->count; i++) {
        free(candidates->list[i].name);
    }
    free(candidates->list);
}
