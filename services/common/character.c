/* character - one character of UTF-8; see character.h. */
#include "character.h"

#include <stdint.h>
#include <string.h>

#define MOST_CODE 0x10ffff

/* The code that so many bytes say, which are there; more than MOST_CODE: they say none. */
static uint32_t code_of(const uint8_t *bytes, size_t size)
{
    uint32_t code = size == 1 ? bytes[0] : bytes[0] & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return UINT32_MAX;
        }
        code = code << 6 | (bytes[i] & 0x3fU);
    }
    return code;
}

size_t character_size(const void *at, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* by size */
    const uint8_t *bytes = at;
    if (left == 0 || (bytes[0] >= 0x80 && bytes[0] < 0xc2) || bytes[0] > 0xf4) {
        return 0;
    }
    size_t size = bytes[0] < 0x80 ? 1 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
    uint32_t code = size <= left ? code_of(bytes, size) : UINT32_MAX;
    bool is_surrogate = code >= 0xd800 && code < 0xe000;
    return code < least[size] || code > MOST_CODE || is_surrogate ? 0 : size;
}

bool character_is_control(const void *at, size_t size)
{
    uint32_t code = size > 0 ? code_of(at, size) : UINT32_MAX;
    return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

bool character_is_unseen(const void *at, size_t size)
{
    /* Unicode's categories Cc, Cf, Zl and Zp, of its version 14. */
    static const struct {
        uint32_t first;
        uint32_t last;
    } ranges[] = {
        {0x0, 0x1f},        {0x7f, 0x9f},       {0xad, 0xad},       {0x600, 0x605},
        {0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},
        {0x8e2, 0x8e2},     {0x180e, 0x180e},   {0x200b, 0x200f},   {0x2028, 0x202e},
        {0x2060, 0x2064},   {0x2066, 0x206f},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},
        {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x13438}, {0x1bca0, 0x1bca3},
        {0x1d173, 0x1d17a}, {0xe0001, 0xe0001}, {0xe0020, 0xe007f},
    };
    uint32_t code = size > 0 ? code_of(at, size) : UINT32_MAX;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]) && ranges[i].first <= code; i++) {
        if (code <= ranges[i].last) {
            return true;
        }
    }
    return false;
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
