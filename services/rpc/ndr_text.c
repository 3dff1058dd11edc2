/* ndr - UTF-16 on the wire, UTF-8 here; see ndr.h. */
#include "ndr.h"

static bool is_high(uint32_t unit)
{
    return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(uint32_t unit)
{
    return unit >= 0xdc00 && unit < 0xe000;
}

/* ---- To UTF-8 -------------------------------------------------------------------------------- */

static uint32_t unit_at(struct ndr_text text, size_t i)
{
    return i < text.units ? (uint32_t)text.data[2 * i] | (uint32_t)text.data[2 * i + 1] << 8 : 0;
}

/* The character at *i, which moves behind it. */
static uint32_t next_character(struct ndr_text text, size_t *i)
{
    uint32_t unit = unit_at(text, (*i)++);
    uint32_t next = unit_at(text, *i);
    if (is_high(unit) && is_low(next)) {
        ++*i;
        return 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00);
    }
    return unit;
}

/* Writes a character in UTF-8's form and gives the number of its bytes. */
static size_t put_utf8(uint32_t character, uint8_t bytes[4])
{
    static const uint8_t heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t length = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        bytes[i] = (uint8_t)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    bytes[0] = (uint8_t)(heads[length] | character);
    return length;
}

bool ndr_text_utf8(struct ndr_text text, char *buffer, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < text.units;) {
        uint8_t bytes[4];
        size_t length = put_utf8(next_character(text, &i), bytes);
        if (used + length >= size) {
            if (size > 0) {
                buffer[0] = '\0';
            }
            return false;
        }
        for (size_t k = 0; k < length; k++) {
            buffer[used++] = (char)bytes[k];
        }
    }
    if (size > 0) {
        buffer[used] = '\0';
    }
    return size > 0;
}

/* ---- From UTF-8 ------------------------------------------------------------------------------ */

#define NO_CHARACTER UINT32_MAX

/* How many bytes a character has whose first is this; 0 if none begins with it. */
static size_t length_of(uint8_t first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2 || first > 0xf4) {
        return 0;
    }
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* The character at *at, which moves behind it; NO_CHARACTER if it is none. The text's NUL is no
 * byte that a character goes on with, so nothing is read beyond it. */
static uint32_t take_utf8(const uint8_t **at)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *bytes = *at;
    size_t length = length_of(bytes[0]);
    if (length == 0) {
        return NO_CHARACTER;
    }
    uint32_t character = length == 1 ? bytes[0] : bytes[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return NO_CHARACTER;
        }
        character = character << 6 | (bytes[i] & 0x3fu);
    }
    *at += length;
    return character >= least[length] && character <= 0x10ffff ? character : NO_CHARACTER;
}

size_t ndr_utf16_units(const char *text)
{
    size_t units = 0;
    const uint8_t *at = (const uint8_t *)text;
    while (*at != 0) {
        uint32_t character = take_utf8(&at);
        if (character == NO_CHARACTER) {
            return SIZE_MAX;
        }
        units += character < 0x10000 ? 1 : 2;
    }
    return units;
}

static uint8_t *put_unit(uint8_t *to, uint32_t unit)
{
    to[0] = (uint8_t)(unit & 0xff);
    to[1] = (uint8_t)(unit >> 8);
    return to + 2;
}

void ndr_utf16_write(uint8_t *to, const char *text)
{
    const uint8_t *at = (const uint8_t *)text;
    while (*at != 0) {
        uint32_t character = take_utf8(&at);
        if (character == NO_CHARACTER) {
            break; /* ndr_utf16_units() said so before */
        }
        if (character >= 0x10000) {
            to = put_unit(to, 0xd800 + ((character - 0x10000) >> 10));
            character = 0xdc00 + (character & 0x3ff);
        }
        to = put_unit(to, character);
    }
    (void)put_unit(to, 0);
}
