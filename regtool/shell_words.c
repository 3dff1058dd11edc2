/* The words of a command line. */
#include "shell_words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct shell_words *words;
    const char *line;
    size_t at;
    char quote;
    char *word; /* what was read of the current one */
    size_t len;
    bool in_word;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* Takes a byte into the current word; it stands at a place of the line. */
static void take(struct reader *reader, char c, size_t at)
{
    reader->words->places[reader->len] = (struct shell_place){at, reader->quote};
    reader->word[reader->len++] = c;
    reader->in_word = true;
}

static int end_word(struct reader *reader)
{
    char *copy = malloc(reader->len + 1);

    if (copy == NULL) {
        return -1;
    }
    memcpy(copy, reader->word, reader->len);
    copy[reader->len] = '\0';
    reader->words->words[reader->words->count++] = copy;
    reader->words->places[reader->len] = (struct shell_place){reader->at, reader->quote};
    reader->len = 0;
    reader->in_word = false;
    return 0;
}

/* Whether a backslash quotes the character after it. */
static bool escapes(const struct reader *reader, char next)
{
    return reader->quote == 0 || (reader->quote == '"' && next != '\0' && strchr("$`\"\\", next));
}

static void read_backslash(struct reader *reader)
{
    char next = reader->line[reader->at + 1];

    if (next == '\0') {
        reader->words->dangling = true;
        take(reader, '\\', reader->at++);
    } else if (escapes(reader, next)) {
        take(reader, next, reader->at);
        reader->at += 2;
    } else {
        take(reader, '\\', reader->at++);
    }
}

static int read_character(struct reader *reader)
{
    char c = reader->line[reader->at];

    if (c == '\\' && reader->quote != '\'') {
        read_backslash(reader);
    } else if (reader->quote != 0 ? c == reader->quote : c == '\'' || c == '"') {
        reader->quote = reader->quote != 0 ? 0 : c;
        reader->in_word = true;
        reader->at++;
    } else if (reader->quote == 0 && is_blank(c)) {
        if (reader->in_word && end_word(reader) != 0) {
            return -1;
        }
        reader->at++;
    } else {
        take(reader, c, reader->at++);
    }
    return 0;
}

int shell_words_read(const char *line, struct shell_words *words)
{
    size_t room = strlen(line) + 2;
    struct reader reader = {.words = words, .line = line, .word = malloc(room)};
    int result = 0;

    *words = (struct shell_words){.words = calloc(room, sizeof(char *)),
                                  .places = calloc(room, sizeof(struct shell_place))};
    if (reader.word == NULL || words->words == NULL || words->places == NULL) {
        result = -1;
    }
    while (result == 0 && line[reader.at] != '\0') {
        result = read_character(&reader);
    }
    if (result == 0) {
        result = end_word(&reader);
    }
    free(reader.word);
    if (result != 0) {
        shell_words_free(words);
    }
    return result;
}

void shell_words_free(struct shell_words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        free(words->words[i]);
    }
    free(words->words);
    free(words->places);
    *words = (struct shell_words){.words = NULL};
}

static bool is_plain(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || strchr("_-./:,+%", c) != NULL;
}

static void put_character(FILE *out, char c, char quote)
{
    if (quote == '"' && c == '!') {
        fputs("\"\\!\"", out); /* in double quotes nothing keeps it from the shell's history */
        return;
    }
    if (quote == '\'') {
        fputs(c == '\'' ? "'\\'" : "", out);
    } else if (quote == '"' ? strchr("$`\"\\", c) != NULL : !is_plain(c)) {
        putc('\\', out);
    }
    putc(c, out);
}

void shell_words_put(FILE *out, const char *text, size_t len, char quote)
{
    for (size_t i = 0; i < len; i++) {
        put_character(out, text[i], quote);
    }
}
