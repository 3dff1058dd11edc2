/* The separator of the strings of a REG_MULTI_SZ. */
#include "separator.h"

#include <stddef.h>

#include "report.h"

/* The characters of a UTF-8 text: the bytes that begin one. */
static size_t count_characters(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

int separator_check(const char *verb, const char *separator)
{
    if (separator == NULL || count_characters(separator) == 1) {
        return 0;
    }
    return report("%s: the separator \"%s\" is not one character", verb, separator);
}
