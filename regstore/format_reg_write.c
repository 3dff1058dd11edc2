/*
 * format_reg_write.c - a dump's or a patch's events become a .reg file.
 *
 * Layout is regedit's: the header, an empty line before each key, values in the order they come,
 * bytes in lines of 80 columns. One form is regedit's to the byte: UTF-16LE, CR LF; what regedit
 * cuts off a text is cut, and told as a loss. The other one is for those who keep the file: UTF-8,
 * LF, and reading it gives the same bytes again. Where keys are nested or side by side, each is
 * written with its whole path, parents first. The path of a key below a symbolic link would lead to
 * another key when it is read: such keys are left out, and told as losses. Needs text.
 */
#include "format_out.h"
#include "format_reg.h"

#include <stdlib.h>

#define HEX_COLUMNS 77u /* a line is continued in the next one from here on */
#define HEX_INDENT 2u

struct writer {
    struct format_sink sink; /* the first member: the events come with a pointer to it */
    bool utf8;
    bool exact; /* nothing is cut off */
    const char *line_end;
    struct format_out out;            /* lines to be written, in WTF-8 */
    struct buffer encoded;            /* the same in UTF-16LE */
    struct buffer path;               /* of the innermost open key */
    struct buffer text;               /* of the value that is being written */
    size_t lengths[RS_MAX_DEPTH + 2]; /* of the path, before each open key */
    size_t depth;
    bool link;    /* the innermost open key is a symbolic link */
    size_t below; /* open keys below one; nothing of them is written */
};

/* ---- Pieces: each does nothing after a failure ---- */

static void flush(struct writer *writer)
{
    if (writer->utf8) {
        format_out_flush(&writer->out);
        return;
    }
    writer->encoded.size = 0;
    if (writer->out.status == RS_OK) {
        format_out_keep(&writer->out, text_to_utf16(&writer->encoded, writer->out.bytes.data,
                                                    writer->out.bytes.size));
    }
    format_out_flush_as(&writer->out, &writer->encoded);
}

static int end_line(struct writer *writer)
{
    format_out_put(&writer->out, writer->line_end);
    if (writer->out.bytes.size >= FORMAT_OUT_FULL) {
        flush(writer);
    }
    return writer->out.status;
}

/* ---- Keys ---- */

/* Whether a path has what no line can hold. */
static bool needs_code(const struct buffer *path)
{
    return memchr(path->data, '\0', path->size) || memchr(path->data, '\n', path->size) ||
           memchr(path->data, '\r', path->size);
}

static void put_coded(struct writer *writer, const struct buffer *path)
{
    format_out_put(&writer->out, "*");
    for (size_t i = 0; i < path->size; i++) {
        unsigned char byte = (unsigned char)path->data[i];
        if (byte >= ' ' && byte != '%') {
            format_out_bytes(&writer->out, &byte, 1);
        } else if (writer->out.status == RS_OK) {
            format_out_keep(&writer->out, buffer_printf(&writer->out.bytes, "%%%02X", byte));
        }
    }
}

static int put_key(struct writer *writer, const char *before)
{
    format_out_put(&writer->out, writer->line_end);
    format_out_put(&writer->out, before);
    if (writer->out.status == RS_OK && needs_code(&writer->path)) {
        put_coded(writer, &writer->path);
    } else if (writer->out.status == RS_OK) {
        format_out_bytes(&writer->out, writer->path.data, writer->path.size);
    }
    format_out_put(&writer->out, "]");
    return end_line(writer);
}

/* The path of a key that comes; the innermost one before it is kept by its length. */
static void step_into(struct writer *writer, const struct format_key *key)
{
    if (key->absolute) {
        writer->path.size = 0;
    } else if (writer->path.size > 0 && key->name_len > 0) {
        format_out_keep(&writer->out, buffer_append_byte(&writer->path, '\\'));
    }
    if (writer->out.status == RS_OK) {
        format_out_keep(&writer->out, buffer_append(&writer->path, key->name, key->name_len));
    }
}

/* A key below a link is told, and with it all that is below it. */
static int leave_out(struct writer *writer, const struct format_key *key)
{
    struct format_output *output = writer->out.output;
    size_t before = writer->path.size;

    writer->below++;
    if (writer->below == 1 && output->loss) {
        step_into(writer, key);
        output->loss(output, RS_LOSS_BELOW_LINK, writer->path.data, writer->path.size, NULL, 0);
        writer->path.size = before;
    }
    return writer->out.status;
}

static int key_begin(struct format_sink *sink, const struct format_key *key)
{
    struct writer *writer = (struct writer *)sink;

    if (writer->below > 0 || writer->link) {
        return leave_out(writer, key);
    }
    writer->link = (key->flags & RS_KEY_LINK) != 0;
    if (writer->depth == sizeof writer->lengths / sizeof writer->lengths[0]) {
        format_out_keep(&writer->out, RS_EDEPTH);
        return writer->out.status;
    }
    writer->lengths[writer->depth++] = writer->path.size;
    step_into(writer, key);
    return put_key(writer, "[");
}

static int key_end(struct format_sink *sink)
{
    struct writer *writer = (struct writer *)sink;

    if (writer->below > 0) {
        writer->below--;
        return writer->out.status;
    }
    writer->link = false; /* the one around it is none, or it would not be here */
    writer->path.size = writer->lengths[--writer->depth];
    return writer->out.status;
}

static int key_delete(struct format_sink *sink, const struct format_key *key)
{
    struct writer *writer = (struct writer *)sink;
    size_t before = writer->path.size;

    step_into(writer, key);
    put_key(writer, "[-");
    writer->path.size = before;
    return writer->out.status;
}

/* ---- Names and texts ---- */

static const char *escape_of(char c)
{
    switch (c) {
    case '\\':
        return "\\\\";
    case '"':
        return "\\\"";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\0':
        return "\\0";
    default:
        return NULL;
    }
}

static void put_quoted(struct writer *writer, const char *text, size_t len)
{
    size_t begin = 0;

    format_out_put(&writer->out, "\"");
    for (size_t i = 0; i < len; i++) {
        const char *instead = escape_of(text[i]);
        if (instead) {
            format_out_bytes(&writer->out, text + begin, i - begin);
            format_out_put(&writer->out, instead);
            begin = i + 1;
        }
    }
    format_out_bytes(&writer->out, text + begin, len - begin);
    format_out_put(&writer->out, "\"");
}

/* A value's name and "="; the line's columns so far. */
static void put_name(struct writer *writer, const char *name, size_t len)
{
    if (len == 0) {
        format_out_put(&writer->out, "@");
    } else {
        put_quoted(writer, name, len);
    }
    format_out_put(&writer->out, "=");
}

/* The end of a value's line. A name with a NUL is one that only our own files have. */
static int end_value(struct writer *writer, const char *name, size_t len, bool exact)
{
    if (exact || memchr(name, '\0', len)) {
        format_out_put(&writer->out, ";" REG_EXACT);
    }
    return end_line(writer);
}

/* ---- Data ---- */

static char *put_digits(char *out, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";

    out[0] = digits[byte >> 4];
    out[1] = digits[byte & 0xf];
    return out + 2;
}

/* Bytes in digits, from a column of the line on. */
static void put_hex(struct writer *writer, size_t column, const unsigned char *data, size_t size)
{
    size_t end_len = strlen(writer->line_end);

    if (writer->out.status == RS_OK) { /* three columns a byte, and what continues a line */
        format_out_keep(&writer->out, buffer_reserve(&writer->out.bytes,
                                                     size * 3 + (size / 25 + 2) * (end_len + 3)));
    }
    if (writer->out.status != RS_OK) {
        return;
    }
    char *out = writer->out.bytes.data + writer->out.bytes.size;
    for (size_t i = 0; i < size; i++) {
        out = put_digits(out, data[i]);
        if (i + 1 == size) {
            break;
        }
        *out++ = ',';
        column += 3;
        if (column >= HEX_COLUMNS) {
            *out++ = '\\';
            memcpy(out, writer->line_end, end_len);
            out += end_len;
            memset(out, ' ', HEX_INDENT);
            out += HEX_INDENT;
            column = HEX_INDENT;
        }
    }
    writer->out.bytes.size = (size_t)(out - writer->out.bytes.data);
}

static bool ends_with_nul(const rs_value *value)
{
    const char *data = value->data;
    size_t whole = value->size & ~(size_t)1;

    return whole > 0 && data[whole - 1] == '\0' && data[whole - 2] == '\0';
}

/* Whether reading gives a value of bytes a terminator that it does not have. */
static bool gains_end(const rs_value *value)
{
    bool string =
        value->type == REG_SZ || value->type == REG_EXPAND_SZ || value->type == REG_MULTI_SZ;

    return string && value->size > 0 && !ends_with_nul(value);
}

static int put_raw(struct writer *writer, const rs_value *value, size_t line)
{
    size_t units = 0;

    if (value->type == REG_BINARY) {
        format_out_put(&writer->out, "hex:");
    } else if (writer->out.status == RS_OK) {
        format_out_keep(&writer->out,
                        buffer_printf(&writer->out.bytes, "hex(%lx):", (unsigned long)value->type));
    }
    if (writer->out.status == RS_OK) {
        format_out_keep(&writer->out, text_units(writer->out.bytes.data + line,
                                                 writer->out.bytes.size - line, &units));
    }
    put_hex(writer, units, value->data, value->size);
    return end_value(writer, value->name, value->name_len, writer->exact && gains_end(value));
}

static int put_dword(struct writer *writer, const rs_value *value)
{
    uint32_t number;

    memcpy(&number, value->data, sizeof number);
    if (writer->out.status == RS_OK) {
        format_out_keep(&writer->out, buffer_printf(&writer->out.bytes, "dword:%08lx",
                                                    (unsigned long)le32toh(number)));
    }
    return end_value(writer, value->name, value->name_len, false);
}

/* Whether a text that goes up to its first NUL can stand in quotes. Lines are no part of it:
 * Windows may write them so, and many readers do not. In UTF-8 there are no lone surrogates. */
static bool can_quote(const struct writer *writer)
{
    const char *text = writer->text.data;
    size_t len = writer->text.size;

    if (len == 0) {
        return true;
    }
    if (memchr(text, '\n', len) || memchr(text, '\r', len)) {
        return false;
    }
    for (const char *at = text; writer->utf8 && (at = memchr(at, 0xed, len - (size_t)(at - text)));
         at++) {
        if ((unsigned char)at[1] >= 0xa0) {
            return false;
        }
    }
    return true;
}

/* Tells that regedit's form has not all of a value. */
static void tell_cut(struct writer *writer, const rs_value *value, size_t end)
{
    const char *data = value->data;

    for (size_t i = end; i < value->size; i++) {
        if (data[i] != '\0') {
            writer->out.output->loss(writer->out.output, RS_LOSS_CUT, writer->path.data,
                                     writer->path.size, value->name, value->name_len);
            return;
        }
    }
}

/* A REG_SZ: in quotes, or where that would lose something in bytes. */
static int put_text(struct writer *writer, const rs_value *value, size_t line)
{
    size_t end = text_utf16_end(value->data, value->size);
    bool whole = end + 2 == value->size;
    bool bare = end == value->size; /* not terminated, and no half unit at its end */

    writer->text.size = 0;
    if (writer->out.status == RS_OK) {
        format_out_keep(&writer->out, text_from_utf16(&writer->text, value->data, end));
    }
    if (writer->out.status != RS_OK) {
        return writer->out.status;
    }
    if (!can_quote(writer) || (writer->exact && !whole && !bare)) {
        return put_raw(writer, value, line);
    }
    if (!writer->exact && writer->out.output->loss) {
        tell_cut(writer, value, end);
    }
    put_quoted(writer, writer->text.data, writer->text.size);
    return end_value(writer, value->name, value->name_len, writer->exact && bare);
}

static int value_event(struct format_sink *sink, const rs_value *value)
{
    struct writer *writer = (struct writer *)sink;
    size_t line = writer->out.bytes.size;

    if (writer->below > 0) {
        return RS_OK;
    }
    put_name(writer, value->name, value->name_len);
    if (value->type == REG_SZ) {
        return put_text(writer, value, line);
    }
    if (value->type == REG_DWORD && value->size == sizeof(uint32_t)) {
        return put_dword(writer, value);
    }
    return put_raw(writer, value, line);
}

static int value_delete(struct format_sink *sink, const char *name, size_t len)
{
    struct writer *writer = (struct writer *)sink;

    put_name(writer, name, len);
    format_out_put(&writer->out, "-");
    return end_value(writer, name, len, false);
}

/* ---- The file ---- */

static int begin(struct format_output *output, bool utf8, struct format_sink **sink)
{
    struct writer *writer = calloc(1, sizeof *writer);

    if (!writer) {
        return RS_ENOMEM;
    }
    writer->sink = (struct format_sink){.key_begin = key_begin,
                                        .value = value_event,
                                        .key_end = key_end,
                                        .value_delete = value_delete,
                                        .key_delete = key_delete};
    writer->out.output = output;
    writer->utf8 = utf8;
    writer->exact = utf8 || output->exact;
    writer->line_end = utf8 ? "\n" : "\r\n";
    format_out_put(&writer->out, utf8 ? REG_HEADER : "\xef\xbb\xbf" REG_HEADER);
    format_out_put(&writer->out, writer->line_end);
    *sink = &writer->sink;
    return RS_OK;
}

int reg_write_begin(struct format_output *output, struct format_sink **sink)
{
    return begin(output, false, sink);
}

int reg_write_utf8_begin(struct format_output *output, struct format_sink **sink)
{
    return begin(output, true, sink);
}

int reg_write_end(struct format_sink *sink, bool ok)
{
    struct writer *writer = (struct writer *)sink;

    if (ok) {
        format_out_put(&writer->out, writer->utf8 ? "" : writer->line_end);
        flush(writer);
    }
    int status = writer->out.status;
    buffer_free(&writer->out.bytes);
    buffer_free(&writer->encoded);
    buffer_free(&writer->path);
    buffer_free(&writer->text);
    free(writer);
    return status;
}
