/*
 * Columns of a terminal: how wide a text is on it, and whether it can draw lines. It needs text as
 * it is printed; it gives the padding that makes columns stand below each other where letters are
 * two columns wide (CJK) or none (combining ones).
 *
 * What regtool prints is UTF-8 wherever it runs, so widths are those of C.UTF-8. The process keeps
 * the locale "C": another one would change how ASCII names compare.
 */
#ifndef REGTOOL_COLUMNS_H
#define REGTOOL_COLUMNS_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>

struct columns {
    locale_t utf8; /* 0: not to be had; then each character counts as one column */
};

void columns_begin(struct columns *columns);
void columns_end(struct columns *columns);
/* The columns that show_text(), with escapes or without, takes for a text. */
size_t columns_of(const struct columns *columns, const char *text, size_t len, bool escaped);
/* Whether the user's locale is a UTF-8 one, so that his terminal has more than ASCII. */
bool columns_locale_is_utf8(void);

#endif
