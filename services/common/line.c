/* line - one line of text for a person, put together piece by piece; see line.h. */
#include "line.h"

#include "character.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void line_add_list(struct line *line, const char *format, va_list arguments)
{
    static const char cut[] = "...";
    size_t room = sizeof(line->text) - line->length;
    int wanted = vsnprintf(line->text + line->length, room, format, arguments);
    if (wanted < 0) {
        line->text[line->length] = '\0';
    } else if ((size_t)wanted < room) {
        line->length += (size_t)wanted;
    } else {
        line->length = sizeof(line->text) - 1;
        memcpy(line->text + sizeof(line->text) - sizeof(cut), cut, sizeof(cut));
    }
}

void line_add(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    line_add_list(line, format, arguments);
    va_end(arguments);
}

/* Whether what is here, a character of this size or none, must not reach a terminal or a journal as
 * it is: unseen characters, the quote that ends the text, and what would make the line invalid
 * UTF-8. */
static bool is_escaped(const char *at, size_t size)
{
    return size == 0 || *at == '"' || character_is_unseen(at, size);
}

void line_add_quoted(struct line *line, const char *text)
{
    size_t left = strlen(text);
    const char *end = text + LINE_QUOTED_MAX;
    line_add(line, "\"");
    while (left > 0 && text < end) {
        size_t size = character_size(text, left);
        bool escaped = is_escaped(text, size);
        size_t taken = size > 0 ? size : 1;
        for (size_t i = 0; i < taken; i++) {
            line_add(line, escaped ? "\\x%02x" : "%c", (unsigned char)text[i]);
        }
        text += taken;
        left -= taken;
    }
    line_add(line, left == 0 ? "\"" : "...\"");
}

void line_add_clean(struct line *line, const char *text, size_t size)
{
    while (size > 0) {
        size_t valid = character_size(text, size);
        size_t taken = valid > 0 ? valid : 1;
        bool clean = valid > 0 && !character_is_unseen(text, valid);
        line_add(line, "%.*s", clean ? (int)valid : 1, clean ? text : "?");
        text += taken;
        size -= taken;
    }
}

void line_separate(struct line *line, size_t start, const char *separator)
{
    if (line->length != start) {
        line_add(line, "%s", separator);
    }
}
