/*
 * text_convert.c - WTF-8 to UTF-16LE and back.
 *
 * Needs text. The two are one to one: every sequence of UTF-16 units has exactly one WTF-8 form, so
 * what was read from a store can be written back bit by bit. Data is not aligned; units are taken
 * and put byte by byte.
 */
#include "text_wtf8.h"

static inline uint32_t unit_at(const unsigned char *data)
{
    return (uint32_t)data[0] | (uint32_t)data[1] << 8;
}

static inline unsigned char *put_unit(unsigned char *out, uint32_t unit)
{
    out[0] = (unsigned char)(unit & 0xff);
    out[1] = (unsigned char)(unit >> 8);
    return out + 2;
}

int text_units(const char *text, size_t len, size_t *units)
{
    const unsigned char *at = wtf8_bytes(text);
    const unsigned char *end = at + len;
    size_t count = 0;
    uint32_t code;

    while (at < end) {
        if (wtf8_next(&at, end, &code) != RS_OK) {
            return RS_ETEXT;
        }
        count += code < SUPPLEMENTARY_FIRST ? 1 : 2;
    }
    *units = count;
    return RS_OK;
}

int text_to_utf16(struct buffer *buffer, const char *text, size_t len)
{
    const unsigned char *at = wtf8_bytes(text);
    const unsigned char *end = at + len;
    unsigned char *out;
    uint32_t code;

    if (len > SIZE_MAX / 2 || buffer_reserve(buffer, len * 2) != RS_OK) {
        return RS_ENOMEM; /* no byte becomes more than one unit */
    }
    out = (unsigned char *)buffer->data + buffer->size;
    while (at < end) {
        if (wtf8_next(&at, end, &code) != RS_OK) {
            return RS_ETEXT;
        }
        if (code < SUPPLEMENTARY_FIRST) {
            out = put_unit(out, code);
        } else {
            out = put_unit(out, high_surrogate(code));
            out = put_unit(out, low_surrogate(code));
        }
    }
    buffer->size = (size_t)(out - (unsigned char *)buffer->data);
    return RS_OK;
}

int text_from_utf16(struct buffer *buffer, const void *data, size_t size)
{
    const unsigned char *at = data;
    size_t left = size / 2;
    unsigned char *out;

    if (left > SIZE_MAX / 3 || buffer_reserve(buffer, left * 3) != RS_OK) {
        return RS_ENOMEM; /* no unit becomes more than three bytes */
    }
    out = (unsigned char *)buffer->data + buffer->size;
    while (left) {
        uint32_t code = unit_at(at);

        at += 2;
        left--;
        if (is_high_surrogate(code) && left && is_low_surrogate(unit_at(at))) {
            code = SUPPLEMENTARY_FIRST + ((code & 0x3ffu) << 10) + (unit_at(at) & 0x3ffu);
            at += 2;
            left--;
        }
        out += wtf8_put(out, code);
    }
    buffer->size = (size_t)(out - (unsigned char *)buffer->data);
    return RS_OK;
}

size_t text_utf16_end(const void *data, size_t size)
{
    const unsigned char *at = data;
    size_t end = size & ~(size_t)1;

    for (size_t i = 0; i < end; i += 2) {
        if ((at[i] | at[i + 1]) == 0) {
            return i;
        }
    }
    return end;
}
