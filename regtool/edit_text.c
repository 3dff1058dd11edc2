/* A value as text for an editor, and back. */
#include "edit_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

#define BYTES_A_LINE 16

enum form { FORM_TEXT, FORM_LIST, FORM_NUMBER, FORM_BYTES };

/* ---- The form of a value ---- */

/* Whether an editor shows a text as it is and gives it back as it was. */
static bool is_plain(const rs_text *text)
{
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char)text->text[i];
        unsigned char next = i + 1 < text->len ? (unsigned char)text->text[i + 1] : 0;
        if ((c < 0x20 && c != '\t') || c == 0x7f || (c == 0xed && next >= 0xa0)) {
            return false;
        }
    }
    return true;
}

static bool all_plain(const rs_decoded *decoded)
{
    for (size_t i = 0; i < decoded->count; i++) {
        if (!is_plain(&decoded->list[i])) {
            return false;
        }
    }
    return true;
}

/* What a value of a type is edited as that is not set yet. */
static enum form form_of_type(uint32_t type)
{
    switch (type) {
    case REG_SZ:
    case REG_EXPAND_SZ:
    case REG_LINK:
        return FORM_TEXT;
    case REG_MULTI_SZ:
        return FORM_LIST;
    case REG_DWORD:
    case REG_QWORD:
        return FORM_NUMBER;
    default:
        return FORM_BYTES;
    }
}

static enum form form_of(const struct edit_subject *subject, const rs_decoded *decoded)
{
    enum form form = form_of_type(subject->value.type);
    bool exact = !subject->is_set;

    if (subject->is_set) {
        exact =
            (form == FORM_TEXT && decoded->kind == RS_DECODED_TEXT && is_plain(&decoded->text)) ||
            (form == FORM_LIST && decoded->kind == RS_DECODED_LIST && all_plain(decoded)) ||
            (form == FORM_NUMBER && decoded->kind == RS_DECODED_NUMBER);
    }
    return exact ? form : FORM_BYTES;
}

static int decode(const struct edit_subject *subject, rs_decoded **decoded)
{
    return rs_decode(subject->value.type, subject->is_set ? subject->value.data : "",
                     subject->value.size, decoded);
}

/* ---- Writing ---- */

static void put_form_help(FILE *out, enum form form, const rs_decoded *decoded)
{
    switch (form) {
    case FORM_TEXT:
        fputs("# One line.\n", out);
        break;
    case FORM_LIST:
        fputs("# One string a line. Keep the lines that are there, add new ones below them.\n",
              out);
        break;
    case FORM_NUMBER:
        if (decoded->kind == RS_DECODED_NUMBER) {
            fprintf(out, "# Now it is %" PRIu64 ", in hexadecimal digits 0x%" PRIx64 ".\n",
                    decoded->number, decoded->number);
        }
        fputs("# A decimal number, or 0x and hexadecimal digits.\n", out);
        break;
    case FORM_BYTES:
        fputs("# Bytes, two hexadecimal digits each. What stands before a ':' and after a '|' is\n"
              "# not read; lines may be of any length.\n",
              out);
        break;
    }
}

static void put_state(FILE *out, const struct edit_subject *subject, const rs_decoded *decoded)
{
    if (!subject->is_set) {
        fputs(", not set yet\n", out);
    } else if (decoded->kind == RS_DECODED_LIST) {
        fprintf(out, ", %zu string%s\n", decoded->count, decoded->count == 1 ? "" : "s");
    } else {
        fprintf(out, ", %zu byte%s\n", subject->value.size, subject->value.size == 1 ? "" : "s");
    }
}

static void put_explanation(FILE *out, const struct edit_subject *subject, enum form form,
                            const rs_decoded *decoded)
{
    char type[SHOW_TYPE_SIZE], written[SHOW_TIME_SIZE];

    show_type(subject->value.type, type);
    fputs("# Key:   ", out);
    show_text(out, subject->path, subject->path_len, true);
    fputs("\n# Value: ", out);
    show_value_name(out, subject->value.name, subject->value.name_len, true);
    fprintf(out, "\n# Type:  %s", type);
    put_state(out, subject, decoded);
    if (subject->written != 0) {
        show_time(subject->written, written);
        fprintf(out, "# The key was last written %s.\n", written);
    }
    fputs("#\n", out);
    if (subject->about != NULL) {
        fprintf(out, "# What is known about it:\n#\n%s#\n", subject->about);
    }
    put_form_help(out, form, decoded);
    fputs("# Nothing is written if the text is unchanged or empty when the editor ends.\n", out);
    fputs(EDIT_TEXT_MARK "\n", out);
}

static void put_row(FILE *out, const unsigned char *data, size_t size, size_t offset)
{
    fprintf(out, "%08zx: ", offset);
    for (size_t i = 0; i < BYTES_A_LINE; i++) {
        fputs(i == BYTES_A_LINE / 2 ? " " : "", out);
        if (i < size) {
            fprintf(out, " %02x", data[i]);
        } else {
            fputs("   ", out);
        }
    }
    fputs("  |", out);
    for (size_t i = 0; i < size; i++) {
        putc(data[i] >= 0x20 && data[i] < 0x7f ? data[i] : '.', out);
    }
    fputs("|\n", out);
}

static void put_bytes(FILE *out, const rs_value *value)
{
    const unsigned char *data = value->data;

    for (size_t at = 0; at < value->size; at += BYTES_A_LINE) {
        size_t left = value->size - at;
        put_row(out, data + at, left < BYTES_A_LINE ? left : BYTES_A_LINE, at);
    }
}

static void put_value(FILE *out, const struct edit_subject *subject, enum form form,
                      const rs_decoded *decoded)
{
    if (!subject->is_set) {
        return;
    }
    if (form == FORM_BYTES) {
        put_bytes(out, &subject->value);
    } else if (form == FORM_NUMBER) {
        fprintf(out, "%" PRIu64 "\n", decoded->number);
    } else if (form == FORM_TEXT) {
        fprintf(out, "%s\n", decoded->text.text);
    }
    for (size_t i = 0; form == FORM_LIST && i < decoded->count; i++) {
        fprintf(out, "%s\n", decoded->list[i].text);
    }
}

int edit_text_write(FILE *out, const struct edit_subject *subject)
{
    rs_decoded *decoded;
    enum form form;
    int status = decode(subject, &decoded);

    if (status != RS_OK) {
        return status;
    }
    form = form_of(subject, decoded);
    put_explanation(out, subject, form, decoded);
    put_value(out, subject, form, decoded);
    rs_free(decoded);
    return RS_OK;
}

/* ---- Reading ---- */

struct line {
    const char *text;
    size_t len;
    size_t number; /* from 1 */
};

struct reader {
    const char *at;
    const char *end;
    size_t number; /* of the line last read */
    rs_error *error;
    unsigned char *data; /* the bytes read so far */
    size_t size;
    size_t capacity;
};

/* The next line without its end, which may be CR and LF; false after the last. */
static bool next_line(struct reader *reader, struct line *line)
{
    const char *stop;

    if (reader->at == reader->end) {
        return false;
    }
    stop = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
    line->text = reader->at;
    line->len = (size_t)((stop != NULL ? stop : reader->end) - reader->at);
    line->number = ++reader->number;
    reader->at = stop != NULL ? stop + 1 : reader->end;
    if (line->len > 0 && line->text[line->len - 1] == '\r') {
        line->len--;
    }
    return true;
}

static int bad(struct reader *reader, const struct line *line, const char *format, ...)
    RS_PRINTF(3, 4);
static int bad(struct reader *reader, const struct line *line, const char *format, ...)
{
    rs_error *error = reader->error;
    va_list arguments;
    int len = snprintf(error->text, sizeof(error->text), "line %zu: ", line->number);

    va_start(arguments, format);
    vsnprintf(error->text + len, sizeof(error->text) - (size_t)len, format, arguments);
    va_end(arguments);
    error->status = RS_EDATA;
    error->line = line->number;
    return RS_EDATA;
}

static bool is_blank(const struct line *line)
{
    size_t i = 0;

    while (i < line->len && (line->text[i] == ' ' || line->text[i] == '\t')) {
        i++;
    }
    return i == line->len;
}

/* Steps over the explanation, if there is one. */
static int skip_explanation(struct reader *reader)
{
    struct line line = {.number = 1};

    if (reader->at == reader->end || *reader->at != '#') {
        return RS_OK;
    }
    while (next_line(reader, &line) && line.len > 0 && line.text[0] == '#') {
        if (line.len == strlen(EDIT_TEXT_MARK) &&
            memcmp(line.text, EDIT_TEXT_MARK, line.len) == 0) {
            return RS_OK;
        }
    }
    return bad(reader, &line, "the line \"%s\" is missing above the value", EDIT_TEXT_MARK);
}

/* Cuts blank lines from the end of what is left. */
static void cut_blank_end(struct reader *reader)
{
    const char *end = reader->end;

    while (end > reader->at && strchr(" \t\r\n", end[-1]) != NULL && end[-1] != '\0') {
        if (end[-1] == '\n') {
            reader->end = end;
        }
        end--;
    }
    if (end == reader->at) {
        reader->end = end;
    }
}

static int append(struct reader *reader, const void *data, size_t size)
{
    if (reader->data == NULL || reader->capacity - reader->size < size) {
        size_t capacity = (reader->size + size) * 2 + 64;
        unsigned char *grown = realloc(reader->data, capacity);
        if (grown == NULL) {
            return RS_ENOMEM;
        }
        reader->data = grown;
        reader->capacity = capacity;
    }
    memcpy(reader->data + reader->size, data, size);
    reader->size += size;
    return RS_OK;
}

/* Appends what a text means for a type in reg.exe's notation. */
static int append_parsed(struct reader *reader, const struct line *line, uint32_t type)
{
    rs_error error = RS_ERROR_INIT;
    void *data;
    size_t size;
    int status;

    if (memchr(line->text, '\0', line->len) != NULL) {
        return bad(reader, line, "a NUL cannot be edited as text");
    }
    status = rs_data_parse(type, line->text, line->len, NULL, &data, &size, &error);
    if (status == RS_ENOMEM) {
        return status;
    }
    if (status != RS_OK) {
        return bad(reader, line, "%s", error.text);
    }
    status = append(reader, data, size);
    rs_free(data);
    return status;
}

/* The first line alone holds something; those below it are blank, and cut already. */
static int read_one(struct reader *reader, uint32_t type)
{
    struct line line, more;

    if (!next_line(reader, &line)) {
        return RS_END;
    }
    if (next_line(reader, &more)) {
        return bad(reader, &more, "%s is one line", rs_type_name(type));
    }
    return append_parsed(reader, &line, type);
}

static void trim(struct line *line)
{
    while (line->len > 0 && (line->text[0] == ' ' || line->text[0] == '\t')) {
        line->text++;
        line->len--;
    }
    while (line->len > 0 && strchr(" \t", line->text[line->len - 1]) != NULL) {
        line->len--;
    }
}

static int read_number(struct reader *reader, uint32_t type)
{
    struct line line = {.len = 0}, more;

    while (next_line(reader, &line) && is_blank(&line)) {
    }
    if (next_line(reader, &more)) {
        return bad(reader, &more, "%s is one number", rs_type_name(type));
    }
    trim(&line);
    return append_parsed(reader, &line, type);
}

/* A blank line would be an empty string, at which most programs take the list to end: it is a
 * slip, unless the list had empty strings before. */
static int read_list(struct reader *reader, bool empty_allowed)
{
    struct line line;
    int status = RS_OK;

    while (status == RS_OK && next_line(reader, &line)) {
        if (line.len == 0 && !empty_allowed) {
            return bad(reader, &line, "an empty string would end the list");
        }
        status = append_parsed(reader, &line, REG_SZ);
    }
    return status == RS_OK ? append(reader, "\0", 2) : status;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The digits of a line: behind its offset, before its text. */
static void cut_decoration(struct line *line)
{
    const char *bar = memchr(line->text, '|', line->len);
    const char *colon;

    if (bar != NULL) {
        line->len = (size_t)(bar - line->text);
    }
    colon = memchr(line->text, ':', line->len);
    if (colon != NULL) {
        line->len -= (size_t)(colon + 1 - line->text);
        line->text = colon + 1;
    }
}

static int read_row(struct reader *reader, struct line *line)
{
    cut_decoration(line);
    for (size_t i = 0; i < line->len; i++) {
        int high, low;
        unsigned char byte;

        if (line->text[i] == ' ' || line->text[i] == '\t') {
            continue;
        }
        high = digit(line->text[i]);
        low = i + 1 < line->len ? digit(line->text[i + 1]) : -1;
        if (high < 0) {
            return bad(reader, line, "\"%c\" is not a hexadecimal digit", line->text[i]);
        }
        if (low < 0) {
            return bad(reader, line, "a byte is two hexadecimal digits, \"%c\" is one",
                       line->text[i]);
        }
        byte = (unsigned char)(high << 4 | low);
        if (append(reader, &byte, 1) != RS_OK) {
            return RS_ENOMEM;
        }
        i++;
    }
    return RS_OK;
}

static int read_bytes(struct reader *reader)
{
    struct line line;
    int status = RS_OK;

    while (status == RS_OK && next_line(reader, &line)) {
        status = read_row(reader, &line);
    }
    return status;
}

static bool has_empty_string(const rs_decoded *decoded)
{
    for (size_t i = 0; i < decoded->count; i++) {
        if (decoded->list[i].len == 0) {
            return true;
        }
    }
    return false;
}

static int read_form(struct reader *reader, const struct edit_subject *subject, enum form form,
                     const rs_decoded *decoded)
{
    struct reader blank = *reader;
    bool empty_allowed = form == FORM_LIST && has_empty_string(decoded);

    cut_blank_end(&blank);
    if (blank.at == blank.end) {
        return RS_END;
    }
    if (!empty_allowed) {
        reader->end = blank.end;
    }
    switch (form) {
    case FORM_TEXT:
        return read_one(reader, subject->value.type);
    case FORM_LIST:
        return read_list(reader, empty_allowed);
    case FORM_NUMBER:
        return read_number(reader, subject->value.type);
    default:
        return read_bytes(reader);
    }
}

/* Some editors put a byte order mark in front of a text in UTF-8. */
static void skip_mark(struct reader *reader)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t len = sizeof(mark) - 1;

    if ((size_t)(reader->end - reader->at) >= len && memcmp(reader->at, mark, len) == 0) {
        reader->at += len;
    }
}

int edit_text_read(const struct edit_subject *subject, const char *text, size_t len, void **data,
                   size_t *size, rs_error *error)
{
    struct reader reader = {.at = text, .end = text + len, .error = error};
    rs_decoded *decoded;
    int status = decode(subject, &decoded);

    if (status != RS_OK) {
        return status;
    }
    skip_mark(&reader);
    status = skip_explanation(&reader);
    if (status == RS_OK) {
        status = append(&reader, "", 0); /* no bytes are no NULL either */
    }
    if (status == RS_OK) {
        status = read_form(&reader, subject, form_of(subject, decoded), decoded);
    }
    rs_free(decoded);
    if (status != RS_OK) {
        free(reader.data);
        return status;
    }
    *data = reader.data;
    *size = reader.size;
    return RS_OK;
}
