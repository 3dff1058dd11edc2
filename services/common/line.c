/* line - one line of text for a person, put together piece by piece; see line.h. */
#include "line.h"

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

/* How many bytes from here on must not reach a terminal or a journal as they are: C0 controls, DEL
 * and the quote that ends the text (1), C1 controls (2), and lone surrogates (3), which would make
 * the line invalid UTF-8. */
static size_t to_escape(const unsigned char *at)
{
    if (at[0] < 0x20 || at[0] == 0x7f || at[0] == '"') {
        return 1;
    }
    if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) {
        return 2;
    }
    if (at[0] == 0xed && at[1] >= 0xa0 && at[2] != 0) {
        return 3;
    }
    return 0;
}

static bool continues_character(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

void line_add_quoted(struct line *line, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + LINE_QUOTED_MAX;
    line_add(line, "\"");
    while (*at != '\0' && (at < end || continues_character(*at))) {
        size_t escaped = to_escape(at);
        if (escaped == 0) {
            line_add(line, "%c", *at++);
        }
        for (; escaped > 0; escaped--) {
            line_add(line, "\\x%02x", *at++);
        }
    }
    line_add(line, *at == '\0' ? "\"" : "...\"");
}

void line_separate(struct line *line, size_t start, const char *separator)
{
    if (line->length != start) {
        line_add(line, "%s", separator);
    }
}
