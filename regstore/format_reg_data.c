/*
 * format_reg_data.c - what stands for data in a .reg file.
 *
 * Numbers, texts in quotes and bytes in hexadecimal digits become data, by the rules that the
 * recorded behaviour of Windows tells. Lines end with a NUL. Needs text.
 */
#include "format_reg.h"

/* The value of a hexadecimal digit; 16 for any other byte. */
static inline unsigned digit(char c)
{
    unsigned decimal = (unsigned char)c - (unsigned)'0';
    unsigned letter = ((unsigned char)c | 0x20u) - (unsigned)'a';

    return decimal < 10 ? decimal : letter < 6 ? letter + 10 : 16;
}

static bool ends_line(char c)
{
    return c == '\0' || c == ';';
}

/* ---- Numbers ---- */

char *reg_number(char *at, uint32_t *number)
{
    const char *begin = at;
    uint32_t value = 0;

    while (digit(*at) < 16 && at - begin < 8) {
        value = value << 4 | digit(*at++);
    }
    if (at == begin || digit(*at) < 16) {
        return NULL;
    }
    *number = value;
    return at;
}

char *reg_hex_type(char *at, uint32_t *type)
{
    at = reg_number(at, type);
    return at && at[0] == ')' && at[1] == ':' ? at + 2 : NULL;
}

/* ---- Bytes ---- */

/* A line's last backslash, after which there may be blanks and a comment. */
static enum reg_hex goes_on(char *backslash, char **end)
{
    *end = reg_skip_blanks(backslash + 1);
    return ends_line(**end) ? REG_HEX_GOES_ON : REG_HEX_BAD;
}

/* One byte in any number of digits; what follows, or NULL. */
static char *take_byte(char *at, unsigned char *byte)
{
    unsigned value = 0;

    while (digit(*at) < 16 && value < 0x100) {
        value = value << 4 | digit(*at++);
    }
    *byte = (unsigned char)value;
    return value < 0x100 ? at : NULL;
}

/* Bytes as every program writes them: two digits and a comma. */
static char *take_plain_bytes(char *at, unsigned char **out)
{
    for (;;) {
        unsigned high = digit(at[0]);
        unsigned low = high < 16 ? digit(at[1]) : 16;
        if (low == 16 || at[2] != ',') {
            return at;
        }
        *(*out)++ = (unsigned char)(high << 4 | low);
        at += 3;
    }
}

/* Takes bytes as long as there are; there is room for them. */
static enum reg_hex take_bytes(unsigned char **out, char *at, char **end)
{
    for (;;) {
        at = reg_skip_blanks(take_plain_bytes(at, out));
        *end = at;
        if (*at == '\\') {
            return goes_on(at, end);
        }
        if (ends_line(*at)) {
            return REG_HEX_ENDS;
        }
        at = digit(*at) < 16 ? take_byte(at, *out) : NULL;
        if (!at) {
            return REG_HEX_BAD;
        }
        ++*out;
        if (*at != ',') {
            *end = reg_skip_blanks(at);
            return ends_line(**end) ? REG_HEX_ENDS : REG_HEX_BAD;
        }
        at++;
    }
}

int reg_hex_line(struct buffer *data, char *at, size_t len, enum reg_hex *ending, char **end)
{
    int status = buffer_reserve(data, len / 2 + 1); /* a digit and a comma each, at least */

    if (status != RS_OK) {
        return status;
    }
    unsigned char *out = (unsigned char *)data->data + data->size;
    *ending = take_bytes(&out, at, end);
    data->size = (size_t)(out - (unsigned char *)data->data);
    return RS_OK;
}

/* ---- Texts ---- */

/* What an escape stands for: "\n" and "\r" a control character, any other character itself. */
static char escaped(char c, bool *nul)
{
    *nul = *nul || c == '0';
    return c == 'n' ? '\n' : c == 'r' ? '\r' : c == '0' ? '\0' : c;
}

char *reg_unescape(char *text, size_t *len, bool *nul)
{
    char *at = text + strcspn(text, "\\\"");
    char *out = at;

    *nul = false;
    while (*at == '\\' && at[1] != '\0') {
        *out++ = escaped(at[1], nul);
        at += 2;
        size_t plain = strcspn(at, "\\\"");
        memmove(out, at, plain);
        out += plain;
        at += plain;
    }
    *len = (size_t)(out - text);
    return *at == '"' ? at + 1 : NULL;
}

int reg_from_ansi(struct buffer *data)
{
    size_t size = data->size;
    int status = buffer_reserve(data, size);

    if (status != RS_OK) {
        return status;
    }
    unsigned char *bytes = (unsigned char *)data->data;
    for (size_t i = size; i-- > 0;) {
        uint16_t unit = reg_ansi_unit(bytes[i]);
        bytes[2 * i] = (unsigned char)(unit & 0xff);
        bytes[2 * i + 1] = (unsigned char)(unit >> 8);
    }
    data->size = size * 2;
    return RS_OK;
}

int reg_terminate(struct buffer *data)
{
    size_t whole = data->size & ~(size_t)1;
    int status = RS_OK;

    if (data->size == 0 ||
        (whole > 0 && data->data[whole - 1] == '\0' && data->data[whole - 2] == '\0')) {
        return RS_OK;
    }
    bool half = data->size > whole;
    bool zero = half && data->data[whole] == '\0';
    if (half) {
        status = buffer_append_byte(data, 0);
    }
    return status == RS_OK && !zero ? buffer_append(data, "\0", 2) : status;
}
