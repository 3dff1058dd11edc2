/*
 * format_reg_lines.c - the lines of a .reg file as UTF-8, whatever its encoding.
 *
 * A byte order mark tells UTF-16LE or UTF-8. A file without one is windows-1252 if its header is
 * REGEDIT4 or REGEDIT, as in the Windows versions that wrote them, else UTF-8, as hivexregedit
 * writes it; a line of the latter that cannot be UTF-8 is windows-1252, too. Lines end with LF, CR
 * LF or CR. A NUL ends what a line means. Memory is that of the longest line, which is limited.
 * Needs text.
 */
#include "format_reg.h"

#include <stdio.h>

#define BLOCK ((size_t)64 << 10)
#define HEAD ((size_t)4 << 10) /* bytes that the encoding is known by */

int reg_fail(struct reg_lines *lines, int status, const char *format, ...)
{
    char text[RS_ERROR_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (lines->error && lines->error->status == RS_OK) {
        fail(lines->error, status, "%s:%llu: %s", lines->input->name,
             (unsigned long long)lines->number, text);
        lines->error->line = lines->number;
    }
    return status;
}

/* ---- Decoding ---- */

/* One more block of bytes after those that are there. */
static int read_more(struct reg_lines *lines, struct buffer *buffer)
{
    size_t got;
    int status = buffer_reserve(buffer, BLOCK);

    if (status == RS_OK) {
        status = lines->input->read(lines->input, buffer->data + buffer->size, BLOCK, &got);
    }
    if (status != RS_OK) {
        return reg_fail(lines, status, "%s", rs_strerror(status));
    }
    buffer->size += got;
    lines->ended = got == 0;
    return RS_OK;
}

uint16_t reg_ansi_unit(unsigned char byte)
{
    static const uint16_t special[32] = {
        0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
    };

    return byte >= 0x80 && byte < 0xa0 ? special[byte - 0x80] : byte;
}

/* Appends windows-1252 as UTF-8. */
static int decode_ansi(struct buffer *text, const char *bytes, size_t size)
{
    int status = buffer_reserve(text, size * 3 + 1);

    if (status != RS_OK) {
        return status;
    }
    char *out = text->data + text->size;
    for (size_t i = 0; i < size; i++) {
        uint16_t unit = reg_ansi_unit((unsigned char)bytes[i]);
        if (unit < 0x80) {
            *out++ = (char)unit;
        } else if (unit < 0x800) {
            *out++ = (char)(0xc0 | unit >> 6);
            *out++ = (char)(0x80 | (unit & 0x3f));
        } else {
            *out++ = (char)(0xe0 | unit >> 12);
            *out++ = (char)(0x80 | (unit >> 6 & 0x3f));
            *out++ = (char)(0x80 | (unit & 0x3f));
        }
    }
    text->size = (size_t)(out - text->data);
    return RS_OK;
}

/* Whole units only, and a high surrogate together with what follows it. Half a unit at the end is a
 * character that nothing can be made of. */
static int decode_utf16(struct reg_lines *lines)
{
    struct buffer *raw = &lines->raw;
    size_t size = raw->size & ~(size_t)1;

    if (lines->ended && raw->size > size) {
        raw->size = size;
        if (buffer_append(raw, "\xfd\xff", 2) != RS_OK) {
            return RS_ENOMEM;
        }
        size += 2;
    }
    if (size >= 2 && !lines->ended && ((unsigned char)raw->data[size - 1] & 0xfc) == 0xd8) {
        size -= 2;
    }
    int status = text_from_utf16(&lines->text, raw->data, size);
    if (status == RS_OK) {
        memmove(raw->data, raw->data + size, raw->size - size);
        raw->size -= size;
    }
    return status;
}

/* One more block of text after what is left of it. */
static int more_text(struct reg_lines *lines)
{
    struct buffer *text = &lines->text;
    int status = RS_OK;

    if (lines->at > 0) {
        memmove(text->data, text->data + lines->at, text->size - lines->at);
        text->size -= lines->at;
        lines->at = 0;
    }
    if (text->size > REG_LINE_MAX) {
        lines->number++;
        return reg_fail(lines, RS_ETOOBIG, "a line is longer than %zu bytes", REG_LINE_MAX);
    }
    if (lines->encoding == REG_ENCODING_UTF8 && lines->raw.size == 0) {
        return read_more(lines, text);
    }
    if (!lines->ended) {
        status = read_more(lines, &lines->raw);
    }
    if (status != RS_OK) {
        return status;
    }
    if (lines->encoding == REG_ENCODING_UTF16) {
        status = decode_utf16(lines);
    } else if (lines->encoding == REG_ENCODING_ANSI) {
        status = decode_ansi(text, lines->raw.data, lines->raw.size);
        lines->raw.size = 0;
    } else { /* the head, which was read to find out */
        status = buffer_append(text, lines->raw.data, lines->raw.size);
        lines->raw.size = 0;
    }
    return status == RS_OK ? RS_OK : reg_fail(lines, status, "%s", rs_strerror(status));
}

/* ---- The encoding ---- */

static bool raw_begins(const struct reg_lines *lines, const char *bytes, size_t len)
{
    return lines->raw.size >= len && memcmp(lines->raw.data, bytes, len) == 0;
}

/* Takes a byte order mark away. */
static void drop_mark(struct reg_lines *lines, size_t len)
{
    memmove(lines->raw.data, lines->raw.data + len, lines->raw.size - len);
    lines->raw.size -= len;
}

static int find_encoding(struct reg_lines *lines)
{
    size_t blanks = 0;

    lines->marked = raw_begins(lines, "\xff\xfe", 2) || raw_begins(lines, "\xef\xbb\xbf", 3);
    if (raw_begins(lines, "\xff\xfe", 2)) {
        lines->encoding = REG_ENCODING_UTF16;
        drop_mark(lines, 2);
        return RS_OK;
    }
    if (lines->marked) {
        drop_mark(lines, 3);
        return RS_OK;
    }
    while (blanks < lines->raw.size && strchr(" \t", lines->raw.data[blanks]) &&
           lines->raw.data[blanks] != '\0') {
        blanks++;
    }
    const char *word = lines->raw.data + blanks;
    size_t left = lines->raw.size - blanks;
    if ((left >= 2 && (word[0] == '\0' || word[1] == '\0')) || raw_begins(lines, "\xfe\xff", 2)) {
        lines->number = 1;
        return reg_fail(lines, RS_EFORMAT,
                        "UTF-16 without a little-endian byte order mark, which Windows does not "
                        "read either");
    }
    if (left >= 7 && memcmp(word, "REGEDIT", 7) == 0) {
        lines->encoding = REG_ENCODING_ANSI;
    }
    return RS_OK;
}

int reg_lines_begin(struct reg_lines *lines, struct format_input *input, rs_error *error)
{
    int status = RS_OK;

    *lines = (struct reg_lines){.input = input, .error = error};
    while (status == RS_OK && !lines->ended && lines->raw.size < HEAD) {
        status = read_more(lines, &lines->raw);
    }
    return status == RS_OK ? find_encoding(lines) : status;
}

void reg_lines_free(struct reg_lines *lines)
{
    buffer_free(&lines->raw);
    buffer_free(&lines->text);
    buffer_free(&lines->line);
}

/* ---- Lines ---- */

/* The first CR or LF from a place on; NULL if there is none. In steps, so that neither is looked
 * for far behind the other. */
static char *find_end(const struct buffer *text, size_t from)
{
    while (from < text->size) {
        size_t step = text->size - from < 256 ? text->size - from : 256;
        char *lf = memchr(text->data + from, '\n', step);
        char *cr = memchr(text->data + from, '\r', lf ? (size_t)(lf - text->data) - from : step);
        if (cr || lf) {
            return cr ? cr : lf;
        }
        from += step;
    }
    return NULL;
}

static bool has_high_byte(const char *text, size_t len)
{
    uint64_t all = 0;
    size_t i = 0;

    for (; i + sizeof all <= len; i += sizeof all) {
        uint64_t word;
        memcpy(&word, text + i, sizeof word);
        all |= word;
    }
    for (; i < len; i++) {
        all |= (unsigned char)text[i];
    }
    return (all & 0x8080808080808080u) != 0;
}

/* A line that cannot be UTF-8, in a file that does not say that it is, comes from a program that
 * writes what Windows reads: windows-1252. */
static int mend_encoding(struct reg_lines *lines, char **line, size_t *len)
{
    size_t units;

    if (lines->encoding != REG_ENCODING_UTF8 || lines->marked || !has_high_byte(*line, *len) ||
        text_units(*line, *len, &units) == RS_OK) {
        return RS_OK;
    }
    lines->line.size = 0;
    int status = decode_ansi(&lines->line, *line, *len);
    if (status != RS_OK) {
        return status;
    }
    *line = lines->line.data;
    *len = lines->line.size;
    (*line)[*len] = '\0';
    return RS_OK;
}

/* Gives what lies between at and end, up to a NUL. */
static int give(struct reg_lines *lines, size_t end, char **line, size_t *len)
{
    char *begin = lines->text.data + lines->at;
    size_t size = end - lines->at;
    const char *nul = memchr(begin, '\0', size);

    lines->number++;
    lines->cut = false;
    if (nul) {
        for (const char *at = nul; at < begin + size; at++) {
            lines->cut = lines->cut || (*at != '\0' && *at != ' ' && *at != '\t');
        }
        size = (size_t)(nul - begin);
    }
    begin[size] = '\0';
    *line = begin;
    *len = size;
    return mend_encoding(lines, line, len);
}

/* An LF after the CR that ended the last line. */
static void skip_rest_of_end(struct reg_lines *lines)
{
    if (lines->after_cr && lines->at < lines->text.size) {
        lines->at += lines->text.data[lines->at] == '\n';
        lines->after_cr = false;
    }
}

int reg_lines_next(struct reg_lines *lines, char **line, size_t *len)
{
    size_t looked = 0; /* bytes after at that have no end */
    int status = RS_OK;

    while (status == RS_OK) {
        skip_rest_of_end(lines);
        const char *end = find_end(&lines->text, lines->at + looked);
        if (end) {
            size_t place = (size_t)(end - lines->text.data);
            lines->after_cr = *end == '\r';
            status = give(lines, place, line, len);
            lines->at = place + 1;
            return status;
        }
        looked = lines->text.size - lines->at;
        if (lines->ended && lines->raw.size == 0) {
            break;
        }
        status = more_text(lines);
    }
    if (status != RS_OK || looked == 0) {
        return status == RS_OK ? RS_END : status;
    }
    status = buffer_terminate(&lines->text);
    if (status == RS_OK) {
        status = give(lines, lines->text.size, line, len);
        lines->at = lines->text.size;
    }
    return status;
}
