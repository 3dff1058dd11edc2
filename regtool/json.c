/* Writes JSON. */
#include "json.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "show.h"

static void separate(struct json *json)
{
    if (json->comma) {
        putc(',', json->out);
    }
    json->comma = 1;
}

void json_open(struct json *json, char bracket)
{
    separate(json);
    putc(bracket, json->out);
    json->comma = 0;
}

void json_close(struct json *json, char bracket)
{
    putc(bracket, json->out);
    json->comma = 1;
}

void json_member(struct json *json, const char *name)
{
    separate(json);
    fprintf(json->out, "\"%s\":", name);
    json->comma = 0;
}

static bool continues(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* The length of the UTF-8 sequence at text, lone surrogates allowed; 0 if it is not valid. */
static size_t sequence(const unsigned char *text, size_t len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = text[0];
    size_t size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    uint32_t point = size == 0 ? 0 : lead & (0x7fu >> size);

    if (size == 0 || size > len) {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        if (!continues(text[i])) {
            return 0;
        }
        point = point << 6 | (text[i] & 0x3fu);
    }
    return point >= least[size] && point <= 0x10ffff ? size : 0;
}

static size_t put_wide(FILE *out, const unsigned char *text, size_t len)
{
    size_t size = sequence(text, len);

    if (size == 0) {
        fputs("\\ufffd", out);
        return 1;
    }
    if (show_control_size((const char *)text, size) > 0) { /* a terminal would obey it */
        fprintf(out, "\\u%04x",
                size == 2 ? text[1] : 0x2000u | (text[1] & 0x3fu) << 6 | (text[2] & 0x3fu));
    } else if (text[0] == 0xed && text[1] >= 0xa0) { /* U+D800 to U+DFFF */
        fprintf(out, "\\ud%x%02x", (text[1] & 0x3cu) >> 2,
                (text[1] & 0x03u) << 6 | (text[2] & 0x3fu));
    } else {
        fwrite(text, 1, size, out);
    }
    return size;
}

static void put_ascii(FILE *out, unsigned char c)
{
    static const char escaped[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *at = c != '\0' ? strchr(escaped, c) : NULL;

    if (at != NULL) {
        fprintf(out, "\\%c", letters[at - escaped]);
    } else if (c < 0x20 || c == 0x7f) {
        fprintf(out, "\\u%04x", c);
    } else {
        putc(c, out);
    }
}

void json_text(struct json *json, const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + len;

    separate(json);
    putc('"', json->out);
    while (at < end) {
        if (*at < 0x80) {
            put_ascii(json->out, *at++);
        } else {
            at += put_wide(json->out, at, (size_t)(end - at));
        }
    }
    putc('"', json->out);
}

void json_number(struct json *json, uint64_t number)
{
    separate(json);
    fprintf(json->out, "%" PRIu64, number);
}

void json_null(struct json *json)
{
    separate(json);
    fputs("null", json->out);
}

void json_truth(struct json *json, bool truth)
{
    separate(json);
    fputs(truth ? "true" : "false", json->out);
}

void json_hex(struct json *json, const void *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = data;

    separate(json);
    putc('"', json->out);
    for (size_t i = 0; i < size; i++) {
        putc(digits[bytes[i] >> 4], json->out);
        putc(digits[bytes[i] & 15], json->out);
    }
    putc('"', json->out);
}

void json_member_text(struct json *json, const char *name, const char *text)
{
    json_member(json, name);
    json_text(json, text, strlen(text));
}

void json_member_number(struct json *json, const char *name, uint64_t number)
{
    json_member(json, name);
    json_number(json, number);
}

void json_line(struct json *json)
{
    putc('\n', json->out);
    json->comma = 0;
}
