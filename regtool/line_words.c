/* The words of a line of the shell. */
#include "line_words.h"

#include <stdlib.h>
#include <string.h>

#include <regstore.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int make_room(struct line_words *words)
{
    if (words->count + 2 > words->capacity) {
        size_t capacity = words->capacity * 2 + 16;
        char **grown = reallocarray(words->words, capacity, sizeof(*grown));
        if (grown == NULL) {
            return RS_ENOMEM;
        }
        words->words = grown;
        words->capacity = capacity;
    }
    return RS_OK;
}

int line_words_insert(struct line_words *words, size_t index, const char *word)
{
    char *copy = strdup(word);

    if (copy == NULL || make_room(words) != RS_OK) {
        free(copy);
        return RS_ENOMEM;
    }
    memmove(words->words + index + 1, words->words + index,
            (words->count - index) * sizeof(*words->words));
    words->words[index] = copy;
    words->words[++words->count] = NULL;
    return RS_OK;
}

/* Reads one word at *at, without its quotes, into text, which has room for it. */
static void read_word(struct line_words *words, const char **at, const char *end, char *text)
{
    words->quote = '\0';
    for (; *at < end; ++*at) {
        char c = **at;
        if (words->quote != '\0' ? c == words->quote : c == '"' || c == '\'') {
            words->quote = words->quote != '\0' ? '\0' : c;
        } else if (words->quote == '\0' && is_space(c)) {
            break;
        } else {
            *text++ = c;
        }
    }
    *text = '\0';
}

static int add_word(struct line_words *words, const char *line, const char **at, const char *end)
{
    char *text = malloc((size_t)(end - *at) + 1);
    int status;

    if (text == NULL) {
        return RS_ENOMEM;
    }
    words->last = (size_t)(*at - line);
    read_word(words, at, end, text);
    status = line_words_insert(words, words->count, text);
    free(text);
    return status;
}

int line_words_split(struct line_words *words, const char *line, size_t len, bool to_complete)
{
    const char *at = line, *end = line + len;
    int status = RS_OK;

    *words = (struct line_words){.words = NULL};
    status = make_room(words);
    if (status == RS_OK) {
        words->words[0] = NULL;
    }
    while (status == RS_OK) {
        while (at < end && is_space(*at)) {
            at++;
        }
        words->comment = at < end && *at == '#';
        if (words->comment || (at == end && !to_complete)) {
            break;
        }
        status = add_word(words, line, &at, end);
        if (at == end) {
            break;
        }
    }
    return status;
}

void line_words_free(struct line_words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        free(words->words[i]);
    }
    free(words->words);
}
