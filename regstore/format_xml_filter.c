/*
 * format_xml_filter.c - what XML forbids, made harmless without loss.
 *
 * hivexml writes names and strings as they are, control characters, U+FFFE and U+FFFF included, and
 * then its dump is not well-formed: libxml2 refuses it, or in recovery mode loses data silently. So
 * the bytes pass this filter before the parser and the texts after it. An escape is U+10FFFD and
 *
 *     '@' + c     the control character c
 *     'e', 'f'    U+FFFE, U+FFFF
 *     'u' xxx     the lone surrogate U+Dxxx (three hexadecimal digits)
 *     U+10FFFD    that character itself
 *
 * A raw U+0000 is no text in any dump and is refused. Needs text.
 */
#include "format_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char mark[4] = {'\xf4', '\x8f', '\xbf', '\xbd'}; /* U+10FFFD */
#define MARK_NUMBER 0x10fffdu
/* "&#x0010FFFD;": a longer reference is malformed or padded with zeros to no purpose. */
#define MAX_REFERENCE 32

/* Bytes at which a run of harmless ones ends. */
static bool is_special(unsigned char byte)
{
    if (byte > '&' && byte < 0xed) { /* nearly all */
        return false;
    }
    if (byte < 0x20) {
        return byte != '\t' && byte != '\n';
    }
    return byte == '&' || byte == 0xed || byte == 0xef || byte == 0xf4;
}

#define BLOCK ((size_t)32)

/* True if a block has no special byte, nor another one that is rare. Without a branch on the bytes,
 * so that a compiler looks at many of them at once. */
static bool is_plain(const unsigned char *block)
{
    unsigned char found = 0;

    for (size_t i = 0; i < BLOCK; i++) {
        unsigned char byte = block[i];
        found |= (unsigned char)((byte < 0x20 && byte != '\n') | (byte == '&') | (byte >= 0xed));
    }
    return found == 0;
}

/* How many bytes from here on are not special. */
static size_t plain_run(const unsigned char *bytes, size_t size)
{
    size_t run = 0;

    while (size - run >= BLOCK && is_plain(bytes + run)) {
        run += BLOCK;
    }
    while (run < size && !is_special(bytes[run])) {
        run++;
    }
    return run;
}

/* What begins at a special byte: how long it is, and what it becomes. */
struct token {
    size_t len; /* 0: more input is needed to tell */
    char escape[8];
    size_t escape_len; /* 0: it stays */
};

static void set_escape(struct token *token, const char *letters, size_t len)
{
    memcpy(token->escape, mark, sizeof mark);
    memcpy(token->escape + sizeof mark, letters, len);
    token->escape_len = sizeof mark + len;
}

/* A reference: one to U+10FFFD must not look like the beginning of an escape. */
static void take_reference(const unsigned char *in, size_t size, bool last, struct token *token)
{
    size_t most = size < MAX_REFERENCE ? size : MAX_REFERENCE;
    const unsigned char *end = memchr(in, ';', most);
    char digits[MAX_REFERENCE];

    token->len = 1;
    if (most > 1 && in[1] != '#') {
        return;
    }
    if (!end) {
        if (size < MAX_REFERENCE && !last) {
            token->len = 0;
        }
        return;
    }
    size_t len = (size_t)(end - in);
    if (len < 3) {
        return;
    }
    memcpy(digits, in + 2, len - 2);
    digits[len - 2] = '\0';
    char *stop;
    unsigned long number =
        digits[0] == 'x' ? strtoul(digits + 1, &stop, 16) : strtoul(digits, &stop, 10);
    if (number == MARK_NUMBER && *stop == '\0') {
        token->len = len + 1;
        set_escape(token, mark, sizeof mark);
    }
}

/* A sequence of three or four bytes that begins like a character that needs an escape. */
static void take_sequence(const unsigned char *in, size_t size, bool last, struct token *token)
{
    size_t len = in[0] == 0xf4 ? 4 : 3;

    token->len = 1;
    if (size < len) {
        if (!last) {
            token->len = 0;
        }
        return;
    }
    if (in[0] == 0xf4) {
        if (memcmp(in, mark, sizeof mark) == 0) {
            token->len = 4;
            set_escape(token, mark, sizeof mark);
        }
    } else if (in[0] == 0xef) {
        if (in[1] == 0xbf && in[2] >= 0xbe && in[2] <= 0xbf) {
            token->len = 3;
            set_escape(token, in[2] == 0xbe ? "e" : "f", 1);
        }
    } else if (in[1] >= 0xa0 && in[1] <= 0xbf && (in[2] & 0xc0) == 0x80) {
        char unit[5];
        snprintf(unit, sizeof unit, "u%03x", (in[1] & 0x3fu) << 6 | (in[2] & 0x3fu));
        token->len = 3;
        set_escape(token, unit, 4);
    }
}

static void take_token(const unsigned char *in, size_t size, bool last, struct token *token)
{
    token->escape_len = 0;
    if (in[0] == '&') {
        take_reference(in, size, last, token);
    } else if (in[0] == '\r') {
        /* Kept from the end of a chunk: the parser would put it off and so shift our places. */
        token->len = size > 1 || last ? 1 : 0;
    } else if (in[0] < 0x20) {
        char letter = (char)('@' + in[0]);
        token->len = 1;
        set_escape(token, &letter, 1);
    } else {
        take_sequence(in, size, last, token);
    }
}

int xml_filter(const void *in, size_t size, bool last, struct buffer *out, size_t *used)
{
    const unsigned char *bytes = in;
    size_t at = 0;
    int status = RS_OK;

    while (at < size && status == RS_OK) {
        size_t run = plain_run(bytes + at, size - at);
        status = buffer_append(out, bytes + at, run);
        at += run;
        if (at == size || status != RS_OK) {
            break;
        }
        if (bytes[at] == '\0') {
            status = RS_EFORMAT;
            break;
        }
        struct token token;
        take_token(bytes + at, size - at, last, &token);
        if (token.len == 0) {
            break;
        }
        if (token.escape_len > 0) {
            status = buffer_append(out, token.escape, token.escape_len);
        } else {
            status = buffer_append(out, bytes + at, token.len);
        }
        at += token.len;
    }
    *used = at;
    return status;
}

/* The value of a hexadecimal digit that the filter wrote. */
static unsigned digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

static bool is_hex(const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f'))) {
            return false;
        }
    }
    return true;
}

/* What an escape's letters (after the mark) stand for, as UTF-8 of *out_len bytes. Gives how many
 * letters there are, 0 if this is no escape. */
static size_t undo(const char *letters, size_t len, char *out, size_t *out_len)
{
    if (len >= sizeof mark && memcmp(letters, mark, sizeof mark) == 0) {
        memcpy(out, mark, sizeof mark);
        *out_len = sizeof mark;
        return sizeof mark;
    }
    if (len >= 1 && letters[0] >= '@' && letters[0] < '@' + 0x20) {
        out[0] = (char)(letters[0] - '@');
        *out_len = 1;
        return 1;
    }
    if (len >= 1 && (letters[0] == 'e' || letters[0] == 'f')) {
        memcpy(out, letters[0] == 'e' ? "\xef\xbf\xbe" : "\xef\xbf\xbf", 3);
        *out_len = 3;
        return 1;
    }
    if (len >= 4 && letters[0] == 'u' && is_hex(letters + 1, 3)) {
        unsigned unit = digit(letters[1]) << 8 | digit(letters[2]) << 4 | digit(letters[3]);
        out[0] = '\xed';
        out[1] = (char)(0x80 | (unit >> 6));
        out[2] = (char)(0x80 | (unit & 0x3f));
        *out_len = 3;
        return 4;
    }
    return 0;
}

size_t xml_unfilter(char *text, size_t len, bool attribute)
{
    size_t to = 0;

    if (!memchr(text, mark[0], len) && !(attribute && memchr(text, '&', len))) {
        return len;
    }
    for (size_t at = 0; at < len;) {
        size_t letters = 0;
        size_t out_len = 0;
        if (len - at > sizeof mark && memcmp(text + at, mark, sizeof mark) == 0) {
            char out[4];
            letters = undo(text + at + sizeof mark, len - at - sizeof mark, out, &out_len);
            memcpy(text + to, out, out_len);
        }
        if (letters > 0) {
            at += sizeof mark + letters;
            to += out_len;
        } else if (attribute && len - at >= 5 && memcmp(text + at, "&#38;", 5) == 0) {
            text[to++] = '&';
            at += 5;
        } else {
            text[to++] = text[at++];
        }
    }
    return to;
}

uint64_t xml_original_size(const void *filtered, size_t size)
{
    const char *at = filtered;
    const char *end = at + size;
    uint64_t original = size;

    while ((at = memmem(at, (size_t)(end - at), mark, sizeof mark)) != NULL) {
        char out[4];
        size_t out_len;
        at += sizeof mark;
        size_t letters = undo(at, (size_t)(end - at), out, &out_len);
        if (letters > 0) {
            original -= sizeof mark + letters - out_len;
        }
        at += letters;
    }
    return original;
}

bool xml_can_hold(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') {
            return false;
        }
        if (byte == 0xed && len - i >= 2 && (unsigned char)text[i + 1] >= 0xa0) {
            return false;
        }
        if (byte == 0xef && len - i >= 3 && (unsigned char)text[i + 1] == 0xbf &&
            (unsigned char)text[i + 2] >= 0xbe) {
            return false;
        }
    }
    return true;
}
