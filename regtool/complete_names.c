/* Candidates, and how they stand in the line. */
#include "complete_names.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <regstore.h>

#include "show.h"

#define NO_PREFIX ((size_t)-1)

static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The bytes of name that are the same letters as partial, in any case; NO_PREFIX if it does not
 * begin with them. */
static size_t prefix_of(const char *name, size_t len, const char *partial)
{
    size_t partial_len = strlen(partial), at = 0;

    for (size_t i = 0; i < partial_len; i++) {
        if (continues(partial[i])) {
            continue;
        }
        if (at == len) {
            return NO_PREFIX;
        }
        do {
            at++;
        } while (at < len && continues(name[at]));
    }
    return rs_name_compare(name, at, partial, partial_len) == 0 ? at : NO_PREFIX;
}

/* A name goes into a line of text, and into the user's command line. */
static bool can_be_shown(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (show_control_size(name + i, len - i) > 0) {
            return false;
        }
    }
    return true;
}

void candidates_begin(struct candidates *candidates, const struct shell_words *words,
                      const char *line, const char *tail, size_t kept)
{
    size_t line_len = strlen(line), tail_len = strlen(tail);
    bool ends = tail_len <= line_len && strcmp(line + line_len - tail_len, tail) == 0;

    *candidates = (struct candidates){.words = words,
                                      .line = line,
                                      .kept = kept,
                                      .partial = words->words[words->count - 1] + kept,
                                      .replaced_from = line_len - (ends ? tail_len : 0)};
}

int candidates_offer(struct candidates *candidates, const char *name, size_t len)
{
    if (prefix_of(name, len, candidates->partial) == NO_PREFIX || !can_be_shown(name, len)) {
        return RS_OK;
    }
    return names_add(&candidates->names, name, len);
}

int candidates_offer_text(struct candidates *candidates, const char *text)
{
    return candidates_offer(candidates, text, strlen(text));
}

int candidates_offer_words(struct candidates *candidates, const char *const *words)
{
    int status = RS_OK;

    for (; status == RS_OK && *words != NULL; words++) {
        status = candidates_offer_text(candidates, *words);
    }
    return status;
}

int candidates_offer_noted(struct candidates *candidates, const char *text, const char *note)
{
    size_t count = candidates->names.count;
    int status = candidates_offer_text(candidates, text);

    return status == RS_OK && candidates->names.count > count
               ? names_add(&candidates->notes, note, strlen(note))
               : status;
}

/* The bytes that all names have in common. */
static size_t common_length(const struct names *names)
{
    size_t len = names->each[0].len;

    for (size_t i = 1; i < names->count; i++) {
        const struct name *name = &names->each[i];
        size_t same = 0;
        while (same < len && same < name->len && name->text[same] == names->each[0].text[same]) {
            same++;
        }
        len = same;
    }
    return len;
}

/* Whether the names may replace what was typed of them. A shell puts in what they have in common:
 * where they are spelled differently at once, that would take letters away. */
static bool can_respell(const struct candidates *candidates)
{
    const struct names *names = &candidates->names;

    if (candidates->words->places[candidates->kept].at < candidates->replaced_from) {
        return false;
    }
    return names->count == 1 || common_length(names) >= strlen(candidates->partial);
}

/* What stands in front of a candidate, and the part of its name that follows. */
static void put_candidate(const struct candidates *candidates, const struct name *name,
                          bool respell)
{
    size_t typed = strlen(candidates->partial);
    size_t done = respell ? 0 : prefix_of(name->text, name->len, candidates->partial);
    bool at_end = !respell || typed == 0;
    struct shell_place place = candidates->words->places[candidates->kept + (at_end ? typed : 0)];

    fwrite(candidates->line + candidates->replaced_from, 1, place.at - candidates->replaced_from,
           stdout);
    if (at_end && candidates->words->dangling) {
        putchar('\\');
    }
    shell_words_put(stdout, name->text + done, name->len - done, place.quote);
}

void candidates_put(const struct candidates *candidates)
{
    bool respell;

    if (candidates->names.count == 0) {
        return;
    }
    respell = can_respell(candidates);
    for (size_t i = 0; i < candidates->names.count; i++) {
        put_candidate(candidates, &candidates->names.each[i], respell);
        if (candidates->names.count > 1 && candidates->notes.count == candidates->names.count) {
            putchar('\t');
            show_text(stdout, candidates->notes.each[i].text, candidates->notes.each[i].len, true);
        }
        putchar('\n');
    }
}

void candidates_free(struct candidates *candidates)
{
    names_free(&candidates->names);
    names_free(&candidates->notes);
}
