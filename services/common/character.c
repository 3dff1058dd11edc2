/* character - one character of UTF-8; see character.h. */
#include "character.h"

#include <stdint.h>
#include <string.h>

size_t character_size(const void *at, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* by size */
    const uint8_t *bytes = at;
    if (left == 0 || (bytes[0] >= 0x80 && bytes[0] < 0xc2) || bytes[0] > 0xf4) {
        return 0;
    }
    size_t size = bytes[0] < 0x80 ? 1 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
    uint32_t code = size == 1 ? bytes[0] : bytes[0] & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if (i == left || (bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (bytes[i] & 0x3fU);
    }
    bool is_surrogate = code >= 0xd800 && code < 0xe000;
    return code < least[size] || code > 0x10ffff || is_surrogate ? 0 : size;
}

bool character_is_control(const void *at, size_t size)
{
    const uint8_t *bytes = at;
    return (size == 1 && (bytes[0] < 0x20 || bytes[0] == 0x7f)) ||
           (size == 2 && bytes[0] == 0xc2 && bytes[1] < 0xa0);
}

bool character_all(const char *text)
{
    size_t left = strlen(text);
    for (size_t size; left > 0; text += size, left -= size) {
        size = character_size(text, left);
        if (size == 0) {
            return false;
        }
    }
    return true;
}

size_t character_cut(const char *text, size_t most)
{
    size_t length = strlen(text);
    if (length > most) {
        for (length = most; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;) {
            length--;
        }
    }
    return length;
}
