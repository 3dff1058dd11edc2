/* Columns of a terminal. */
#include "columns.h"

#include <langinfo.h>
#include <string.h>
#include <wchar.h>

#include "show.h"

void columns_begin(struct columns *columns)
{
    columns->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

void columns_end(struct columns *columns)
{
    if (columns->utf8 != (locale_t)0) {
        freelocale(columns->utf8);
    }
}

/* The columns of the character that a text begins with; *size is its length. Bytes that are no
 * character are one column each: a terminal shows something for them. */
static size_t measure(const char *text, size_t len, size_t *size)
{
    mbstate_t state = {0};
    wchar_t wide;
    size_t read = mbrtowc(&wide, text, len, &state);
    int width = 1;

    *size = 1;
    if (read != 0 && read <= len) {
        *size = read;
        width = wcwidth(wide);
    }
    return width < 0 ? 1 : (size_t)width;
}

static size_t width_of(const char *text, size_t len, bool escaped)
{
    size_t width = 0, size;

    while (len > 0) {
        size_t control = escaped ? show_control_size(text, len) : 0;
        if (control > 0) {
            width += control * SHOW_ESCAPE_WIDTH;
            size = control;
        } else {
            width += measure(text, len, &size);
        }
        text += size;
        len -= size;
    }
    return width;
}

size_t columns_of(const struct columns *columns, const char *text, size_t len, bool escaped)
{
    locale_t before = (locale_t)0;
    size_t width;

    if (columns->utf8 != (locale_t)0) {
        before = uselocale(columns->utf8);
    }
    width = width_of(text, len, escaped);
    if (before != (locale_t)0) {
        uselocale(before);
    }
    return width;
}

bool columns_locale_is_utf8(void)
{
    locale_t user = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    bool utf8;

    if (user == (locale_t)0) {
        return false;
    }
    utf8 = strcmp(nl_langinfo_l(CODESET, user), "UTF-8") == 0;
    freelocale(user);
    return utf8;
}
