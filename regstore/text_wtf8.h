/*
 * text_wtf8.h - one character of WTF-8 at a time; for the files of the text module only.
 *
 * Needs text. Inline, because conversions and folding spend their time here.
 */
#ifndef REGSTORE_TEXT_WTF8_H
#define REGSTORE_TEXT_WTF8_H

#include <stdint.h>
#include "text.h"

#define HIGH_SURROGATE_FIRST 0xd800u
#define LOW_SURROGATE_FIRST 0xdc00u
#define SUPPLEMENTARY_FIRST 0x10000u
#define CODE_LAST 0x10ffffu

static inline bool is_high_surrogate(uint32_t unit)
{
    return (unit & ~0x3ffu) == HIGH_SURROGATE_FIRST;
}

static inline bool is_low_surrogate(uint32_t unit)
{
    return (unit & ~0x3ffu) == LOW_SURROGATE_FIRST;
}

/* The two units of a character above the basic plane. */
static inline uint32_t high_surrogate(uint32_t code)
{
    return HIGH_SURROGATE_FIRST + ((code - SUPPLEMENTARY_FIRST) >> 10);
}

static inline uint32_t low_surrogate(uint32_t code)
{
    return LOW_SURROGATE_FIRST + (code & 0x3ffu);
}

/* Text to compute with: NULL, which has no bytes, is not. */
static inline const unsigned char *wtf8_bytes(const char *text)
{
    return (const unsigned char *)(text ? text : "");
}

/* Is there a low surrogate's three-byte sequence at this place? */
static inline bool low_surrogate_at(const unsigned char *at, const unsigned char *end)
{
    return end - at >= 2 && at[0] == 0xed && at[1] >= 0xb0;
}

/* The bits of length - 1 following bytes added to those of the first; CODE_LAST + 1 if one of them
 * is no following byte. */
static inline uint32_t following_bits(const unsigned char *at, unsigned length, uint32_t code)
{
    for (unsigned i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return CODE_LAST + 1;
        }
        code = code << 6 | (at[i] & 0x3fu);
    }
    return code;
}

/*
 * Decodes the character at *at, which is before end, and moves *at behind it. Lone surrogates are
 * characters; a high one directly before a low one is not valid, or one text could be written in
 * two ways. RS_ETEXT leaves *at alone.
 */
static inline int wtf8_next(const unsigned char **at, const unsigned char *end, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, SUPPLEMENTARY_FIRST};
    const unsigned char first = **at;
    unsigned length;
    uint32_t result;

    if (first < 0x80) {
        *code = first;
        ++*at;
        return RS_OK;
    }
    if (first < 0xc2 || first > 0xf4) {
        return RS_ETEXT;
    }
    length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if ((size_t)(end - *at) < length) {
        return RS_ETEXT;
    }
    result = following_bits(*at, length, first & (0x7fu >> length));
    if (result < smallest[length] || result > CODE_LAST) {
        return RS_ETEXT;
    }
    if (is_high_surrogate(result) && low_surrogate_at(*at + length, end)) {
        return RS_ETEXT;
    }
    *at += length;
    *code = result;
    return RS_OK;
}

/* Writes a code as UTF-8 does, surrogates included; the bytes written, at most 4. */
static inline size_t wtf8_put(unsigned char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (unsigned char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (unsigned char)(0xc0 | code >> 6);
        out[1] = (unsigned char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < SUPPLEMENTARY_FIRST) {
        out[0] = (unsigned char)(0xe0 | code >> 12);
        out[1] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (unsigned char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (unsigned char)(0xf0 | code >> 18);
    out[1] = (unsigned char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (unsigned char)(0x80 | (code & 0x3f));
    return 4;
}

#endif
