/*
 * line - one line of text for a person, put together piece by piece.
 *
 * Log lines and refusals name values that anyone who may edit the store has chosen, so a value may
 * not end the line, colour the terminal or fill the journal: quoted text is escaped and cut, and
 * the line has a fixed size. Needs character; gives the text that log and settings_text speak in.
 */
#ifndef SERVICE_LINE_H
#define SERVICE_LINE_H

#include <stdarg.h>
#include <stddef.h>

#define LINE_SIZE 8192
#define LINE_QUOTED_MAX 96 /* bytes of a quoted text before it is cut */

/* Starts as LINE_INIT. The text is always NUL-terminated; what does not fit is replaced by "...".
 */
struct line {
    size_t length;
    char text[LINE_SIZE];
};
#define LINE_INIT                                                                                  \
    {                                                                                              \
        0,                                                                                         \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

/* Adds formatted text, as it is. */
void line_add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
void line_add_list(struct line *line, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
/* Adds text in double quotes, with quotes, unseen characters and bytes that are no UTF-8 as
 * \xNN. */
void line_add_quoted(struct line *line, const char *text);
/* Adds so many bytes of text without quotes, "?" for each character that would be escaped in them
 * but the quote itself. */
void line_add_clean(struct line *line, const char *text, size_t size);
/* Adds separator unless the line is as long as it was at start. */
void line_separate(struct line *line, size_t start, const char *separator);

#endif
