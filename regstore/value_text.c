/*
 * value_text.c - data in reg.exe's notation, read and printed.
 *
 * Needs value. What reg.exe does is known from recorded runs; where it surprises, the function that
 * follows it says so. Text of a person is never guessed at: what does not fit the type is refused
 * with a line that names the text and what was expected.
 */
#include "value.h"

#include <stdlib.h>
#include <string.h>

static const char default_separator[] = "\\0";

struct value_quoted value_quote(const char *text, size_t len)
{
    size_t cut = VALUE_QUOTED_MAX;

    if (len <= VALUE_QUOTED_MAX) {
        return (struct value_quoted){(int)len, ""};
    }
    while (cut > VALUE_QUOTED_MAX - 4 && ((unsigned char)text[cut] & 0xc0) == 0x80) {
        cut--;
    }
    return (struct value_quoted){(int)cut, "..."};
}

static int refuse(rs_error *error, const char *text, size_t len, const char *reason)
{
    const struct value_quoted quoted = value_quote(text, len);

    return fail(error, RS_EDATA, "\"%.*s%s\" %s", quoted.len, text, quoted.dots, reason);
}

/* ---- Numbers ---- */

/* -1 for what is no digit of the base, 10 or 16. */
static int digit_value(char c, unsigned base)
{
    int value = -1;

    if (c >= '0' && c <= '9') {
        value = c - '0';
    } else if (c >= 'a' && c <= 'f') {
        value = c - 'a' + 10;
    } else if (c >= 'A' && c <= 'F') {
        value = c - 'A' + 10;
    }
    return value < (int)base ? value : -1;
}

enum number_fault { NUMBER_GOOD, NUMBER_MALFORMED, NUMBER_TOO_LARGE };

static enum number_fault parse_digits(const char *text, size_t len, unsigned base, uint64_t max,
                                      uint64_t *number)
{
    uint64_t result = 0;
    bool fits = true;

    if (len == 0) {
        return NUMBER_MALFORMED;
    }
    for (size_t i = 0; i < len; i++) {
        const int digit = digit_value(text[i], base);

        if (digit < 0) {
            return NUMBER_MALFORMED;
        }
        fits = fits && result <= (max - (uint64_t)digit) / base;
        if (fits) {
            result = result * base + (uint64_t)digit;
        }
    }
    if (!fits) {
        return NUMBER_TOO_LARGE;
    }
    *number = result;
    return NUMBER_GOOD;
}

/* Decimal, or 0x and hexadecimal; a leading 0 means nothing. */
static enum number_fault parse_unsigned(const char *text, size_t len, uint64_t max,
                                        uint64_t *number)
{
    if (len >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        return parse_digits(text + 2, len - 2, 16, max, number);
    }
    return parse_digits(text, len, 10, max, number);
}

/* reg.exe stores a REG_DWORD_BIG_ENDIAN low byte first, like a REG_DWORD. */
static int parse_dword(const char *text, size_t len, const char *type_name, struct buffer *buffer,
                       rs_error *error)
{
    const struct value_quoted quoted = value_quote(text, len);
    uint64_t number;

    switch (parse_unsigned(text, len, UINT32_MAX, &number)) {
    case NUMBER_GOOD:
        return value_from_dword(buffer, (uint32_t)number);
    case NUMBER_TOO_LARGE:
        return fail(error, RS_EDATA,
                    "\"%.*s%s\" does not fit a %s: at most 4294967295 (0xffffffff)", quoted.len,
                    text, quoted.dots, type_name);
    default:
        return fail(error, RS_EDATA,
                    "\"%.*s%s\" is not a %s: decimal digits or 0x and hexadecimal digits expected",
                    quoted.len, text, quoted.dots, type_name);
    }
}

/* Unlike for a REG_DWORD, reg.exe takes nothing as 0, and a minus sign before decimal digits. */
static int parse_qword(const char *text, size_t len, struct buffer *buffer, rs_error *error)
{
    const uint64_t lowest = UINT64_C(1) << 63;
    uint64_t number = 0;
    enum number_fault fault = NUMBER_GOOD;

    if (len && text[0] == '-') {
        fault = parse_digits(text + 1, len - 1, 10, lowest, &number);
        number = 0 - number;
    } else if (len) {
        fault = parse_unsigned(text, len, UINT64_MAX, &number);
    }
    if (fault == NUMBER_TOO_LARGE) {
        return refuse(error, text, len,
                      "does not fit a REG_QWORD: -9223372036854775808 to 18446744073709551615");
    }
    if (fault == NUMBER_MALFORMED) {
        return refuse(error, text, len,
                      "is not a REG_QWORD: decimal digits or 0x and hexadecimal digits expected");
    }
    return value_from_qword(buffer, number);
}

/* ---- Bytes ---- */

/* An odd number of digits: the first byte has one digit, as in reg.exe. */
static int parse_hex(const char *text, size_t len, struct buffer *buffer, rs_error *error)
{
    const size_t before = buffer->size;
    unsigned byte = 0;
    int status = buffer_reserve(buffer, len / 2 + 1);

    for (size_t i = 0; i < len && status == RS_OK; i++) {
        const int digit = digit_value(text[i], 16);

        if (digit < 0) {
            status = refuse(error, text, len, "is not binary data: hexadecimal digits expected");
            break;
        }
        byte = byte << 4 | (unsigned)digit;
        if ((len - i) % 2) {
            status = buffer_append_byte(buffer, (unsigned char)byte);
            byte = 0;
        }
    }
    if (status != RS_OK) {
        buffer->size = before;
    }
    return status;
}

static int print_hex(struct buffer *buffer, const unsigned char *data, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";

    if (size > SIZE_MAX / 2 || buffer_reserve(buffer, size * 2) != RS_OK) {
        return RS_ENOMEM;
    }
    for (size_t i = 0; i < size; i++) {
        buffer->data[buffer->size++] = digits[data[i] >> 4];
        buffer->data[buffer->size++] = digits[data[i] & 15];
    }
    return RS_OK;
}

/* ---- Lists ---- */

/* One character; the default is the two characters \0. Its length in bytes, 0 if it is neither. */
static size_t separator_length(const char *separator)
{
    const size_t len = strlen(separator);
    size_t units;

    if (strcmp(separator, default_separator) == 0) {
        return len;
    }
    if (text_units(separator, len, &units) != RS_OK) {
        return 0;
    }
    /* one character: one unit, or the two of a character beyond the basic plane, four bytes */
    return units == 1 || (units == 2 && len == 4) ? len : 0;
}

/* The strings of a list. One separator at the end ends the last string; so "#" is one empty string,
 * and no text at all an empty list. Elsewhere reg.exe refuses empty strings. */
static int parse_list(const char *text, size_t len, const char *separator, struct buffer *buffer,
                      rs_error *error)
{
    const size_t sep_len = separator_length(separator);
    const char *at = text;
    const char *end = text + len;
    int status = RS_OK;

    if (sep_len == 0) {
        return fail(error, RS_EDATA, "\"%s\" is not a separator: one character expected",
                    separator);
    }
    while (status == RS_OK && at < end) {
        const char *found = memmem(at, (size_t)(end - at), separator, sep_len);
        const char *stop = found ? found : end;

        if (stop == at && len > sep_len) {
            return refuse(error, text, len, "has an empty string between separators");
        }
        status = value_from_text(buffer, at, (size_t)(stop - at));
        at = found ? found + sep_len : end;
    }
    return status == RS_OK ? buffer_append(buffer, "\0", 2) : status;
}

static int print_list(struct buffer *buffer, const void *data, size_t size, const char *separator)
{
    struct arena arena = ARENA_INIT;
    const char *const *strings;
    size_t count;
    int status = value_to_list(&arena, REG_MULTI_SZ, data, size, &strings, &count);

    for (size_t i = 0; status == RS_OK && i < count; i++) {
        if (i > 0) {
            status = buffer_append_text(buffer, separator);
        }
        if (status == RS_OK) {
            status = buffer_append_text(buffer, strings[i]);
        }
    }
    arena_free(&arena);
    return status;
}

/* ---- The two calls ---- */

static int parse_data(uint32_t type, const char *text, size_t len, const char *separator,
                      struct buffer *buffer, rs_error *error)
{
    switch (type) {
    case REG_NONE: /* reg.exe takes it as a string */
    case REG_SZ:
    case REG_EXPAND_SZ:
        return value_from_text(buffer, text, len);
    case REG_LINK: /* kept without a terminator */
        return text_to_utf16(buffer, text, len);
    case REG_DWORD:
    case REG_DWORD_BIG_ENDIAN:
        return parse_dword(text, len, rs_type_name(type), buffer, error);
    case REG_QWORD:
        return parse_qword(text, len, buffer, error);
    case REG_MULTI_SZ:
        return parse_list(text, len, separator, buffer, error);
    default:
        return parse_hex(text, len, buffer, error);
    }
}

int rs_data_parse(uint32_t type, const char *text, size_t len, const char *separator, void **data,
                  size_t *size, rs_error *error)
{
    struct buffer buffer = BUFFER_INIT;
    int status;

    if (!data || !size) {
        return fail(error, RS_EINVAL, "no place given for the data");
    }
    len = text_length(text, len);
    status = parse_data(type, text ? text : "", len, separator ? separator : default_separator,
                        &buffer, error);
    if (status == RS_OK) {
        status = buffer_terminate(&buffer); /* data of no bytes is not NULL either */
    }
    if (status != RS_OK) {
        buffer_free(&buffer);
        /* what parse_data() has described already stays as it is */
        return fail(error, status, "%s", rs_strerror(status));
    }
    *data = buffer.data;
    *size = buffer.size;
    return RS_OK;
}

static int print_data(uint32_t type, const unsigned char *data, size_t size, const char *separator,
                      struct buffer *buffer)
{
    uint64_t qword;

    if (value_is_string(type)) {
        return text_from_utf16(buffer, data, text_utf16_end(data, size));
    }
    if (type == REG_MULTI_SZ) {
        return print_list(buffer, data, size, separator);
    }
    if ((type == REG_DWORD || type == REG_DWORD_BIG_ENDIAN) && size == 4) {
        return buffer_printf(buffer, "0x%x", /* low byte first for both, as parsed */
                             data[0] | (unsigned)data[1] << 8 | (unsigned)data[2] << 16 |
                                 (unsigned)data[3] << 24);
    }
    if (value_to_qword(type, data, size, &qword) == RS_OK) {
        return buffer_printf(buffer, "0x%llx", (unsigned long long)qword);
    }
    return print_hex(buffer, data, size);
}

int rs_data_print(uint32_t type, const void *data, size_t size, const char *separator, char **text,
                  size_t *len)
{
    struct buffer buffer = BUFFER_INIT;
    int status;

    if (!text || !len || (!data && size)) {
        return RS_EINVAL;
    }
    status = print_data(type, data, size, separator ? separator : default_separator, &buffer);
    if (status == RS_OK) {
        status = buffer_terminate(&buffer);
    }
    if (status != RS_OK) {
        buffer_free(&buffer);
        return status;
    }
    *text = buffer.data;
    *len = buffer.size;
    return RS_OK;
}
