/*
 * format_xml_write.c - our dialect of XML hive dumps.
 *
 * What hivexml would write, one element a line so that a version control system shows changes well,
 * and the attributes that make it lossless (format_xml.c tells them). The file is well-formed XML
 * whatever the names and data are. The same events give the same bytes. Needs value and text.
 */
#include "format_out.h"
#include "format_xml.h"

#include <stdlib.h>
#include <string.h>

#define INDENT_MAX 64u /* a deeper key's lines are indented no further */

struct writer {
    struct format_sink sink; /* the first member: the events come with a pointer to it */
    struct format_out out;
    struct buffer text; /* UTF-8 of what is being written */
    unsigned depth;     /* keys open */
};

/* ---- Pieces: each does nothing after a failure ---- */

static void begin_line(struct writer *writer, unsigned depth)
{
    static const char spaces[INDENT_MAX + 1] =
        "                                                                ";

    format_out_bytes(&writer->out, spaces, depth < INDENT_MAX ? depth : INDENT_MAX);
}

static void end_line(struct writer *writer)
{
    format_out_put(&writer->out, "\n");
    if (writer->out.bytes.size >= FORMAT_OUT_FULL) {
        format_out_flush(&writer->out);
    }
}

/* What stands for a character that has a meaning in XML or that reading would change; NULL: itself.
 */
static const char *reference(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

static void put_escaped(struct writer *writer, const char *text, size_t len)
{
    size_t begin = 0;

    for (size_t i = 0; i < len; i++) {
        const char *instead = reference(text[i]);
        if (!instead) {
            continue;
        }
        format_out_bytes(&writer->out, text + begin, i - begin);
        format_out_put(&writer->out, instead);
        begin = i + 1;
    }
    format_out_bytes(&writer->out, text + begin, len - begin);
}

static void put_attribute(struct writer *writer, const char *name, const char *text, size_t len)
{
    format_out_put(&writer->out, " ");
    format_out_put(&writer->out, name);
    format_out_put(&writer->out, "=\"");
    put_escaped(writer, text, len);
    format_out_put(&writer->out, "\"");
}

static void put_base64(struct writer *writer, const char *name, const void *data, size_t size)
{
    format_out_put(&writer->out, " ");
    format_out_put(&writer->out, name);
    format_out_put(&writer->out, "=\"");
    if (writer->out.status == RS_OK) {
        format_out_keep(&writer->out, xml_base64_encode(&writer->out.bytes, data, size));
    }
    format_out_put(&writer->out, "\"");
}

/* A name, or where XML cannot hold it its UTF-16 under the other attribute. */
static void put_name(struct writer *writer, const char *plain, const char *coded, const char *name,
                     size_t len)
{
    if (xml_can_hold(name, len)) {
        put_attribute(writer, plain, name, len);
        return;
    }
    writer->text.size = 0;
    format_out_keep(&writer->out, text_to_utf16(&writer->text, name, len));
    put_base64(writer, coded, writer->text.data, writer->text.size);
}

static void put_time(struct writer *writer, uint64_t time, bool fraction)
{
    if (writer->out.status == RS_OK) {
        format_out_keep(&writer->out, xml_time_print(&writer->out.bytes, time, fraction));
    }
}

/* ---- Keys ---- */

static int key_begin(struct format_sink *sink, const struct format_key *key)
{
    struct writer *writer = (struct writer *)sink;

    begin_line(writer, writer->depth);
    format_out_put(&writer->out, "<node");
    put_name(writer, "name", "name64", key->name, key->name_len);
    if (writer->depth == 0) {
        format_out_put(&writer->out, " root=\"1\"");
    }
    if (key->class_len > 0) {
        put_name(writer, "class", "class64", key->class_name, key->class_len);
    }
    if (key->written % 10000000 != 0) {
        format_out_put(&writer->out, " written=\"");
        put_time(writer, key->written, true);
        format_out_put(&writer->out, "\"");
    }
    format_out_put(&writer->out, ">");
    if (key->written != 0) {
        format_out_put(&writer->out, "<mtime>");
        put_time(writer, key->written, false);
        format_out_put(&writer->out, "</mtime>");
    }
    end_line(writer);
    writer->depth++;
    return writer->out.status;
}

static int key_end(struct format_sink *sink)
{
    struct writer *writer = (struct writer *)sink;

    writer->depth--;
    begin_line(writer, writer->depth);
    format_out_put(&writer->out, "</node>");
    end_line(writer);
    return writer->out.status;
}

/* ---- Values ---- */

/* What XML can say of UTF-16 data as text. */
enum fitness {
    FIT,
    NOT_XML,  /* it has characters that XML forbids */
    NOT_UTF16 /* it has lone surrogates */
};

static enum fitness fitness_of(const unsigned char *data, size_t size)
{
    enum fitness fitness = FIT;

    for (size_t i = 0; i + 1 < size; i += 2) {
        unsigned unit = data[i] | (unsigned)data[i + 1] << 8;
        if (unit >= 0xd800 && unit <= 0xdfff) {
            unsigned next = i + 3 < size ? data[i + 2] | (unsigned)data[i + 3] << 8 : 0;
            if (unit > 0xdbff || next < 0xdc00 || next > 0xdfff) {
                return NOT_UTF16;
            }
            i += 2;
        } else if ((unit < 0x20 && unit != 0 && unit != '\t' && unit != '\n' && unit != '\r') ||
                   unit >= 0xfffe) {
            fitness = NOT_XML;
        }
    }
    return fitness;
}

/* The part of string data that the text form shows. */
static size_t shown_size(const rs_value *value)
{
    return value->type == REG_MULTI_SZ ? value->size / 2 * 2
                                       : text_utf16_end(value->data, value->size);
}

/* True if the text form of string data reads back as the same bytes. */
static bool is_exact(const rs_value *value)
{
    const unsigned char *data = value->data;
    size_t size = value->size;
    bool ends = size >= 2 && data[size - 2] == 0 && data[size - 1] == 0;

    if (value->type == REG_MULTI_SZ) {
        return size == 0 || (size % 2 == 0 && ends);
    }
    if (value->type == REG_LINK) {
        return shown_size(value) == size;
    }
    return ends && shown_size(value) + 2 == size;
}

static void begin_value(struct writer *writer, const rs_value *value, const struct xml_word *word)
{
    begin_line(writer, writer->depth);
    format_out_put(&writer->out, "<value");
    put_attribute(writer, "type", word->word, strlen(word->word));
    if (word->form == XML_FORM_BASE64) {
        format_out_put(&writer->out, " encoding=\"base64\"");
    }
    if (value->name_len == 0) {
        format_out_put(&writer->out, " default=\"1\"");
    } else {
        put_name(writer, "key", "key64", value->name, value->name_len);
    }
}

/* Whatever the word does not tell, and the tag's end. */
static void end_tag(struct writer *writer, const rs_value *value, const struct xml_word *word,
                    bool exact, const char *end)
{
    if (word->type != value->type || word->type == XML_UNKNOWN_TYPE) {
        format_out_put(&writer->out, " regtype=\"");
        if (writer->out.status == RS_OK) {
            format_out_keep(&writer->out,
                            buffer_printf(&writer->out.bytes, "%lu", (unsigned long)value->type));
        }
        format_out_put(&writer->out, "\"");
    }
    if (exact) {
        put_base64(writer, "exact", value->data, value->size);
    }
    format_out_put(&writer->out, end);
}

static void put_raw(struct writer *writer, const rs_value *value, const struct xml_word *word)
{
    begin_value(writer, value, word);
    if (value->size > 0 || value->type != REG_NONE) {
        put_base64(writer, "value", value->data, value->size);
    }
    end_tag(writer, value, word, false, "/>");
}

static void put_number(struct writer *writer, const rs_value *value, const struct xml_word *word)
{
    const unsigned char *data = value->data;
    size_t size = value->type == REG_QWORD ? 8 : 4;
    bool right = value->size == size;
    uint64_t number = 0;

    for (size_t i = 0; right && i < size; i++) {
        number |= (uint64_t)data[value->type == REG_DWORD_BIG_ENDIAN ? size - 1 - i : i] << 8 * i;
    }
    begin_value(writer, value, word);
    if (right && writer->out.status == RS_OK) {
        format_out_keep(&writer->out,
                        buffer_printf(&writer->out.bytes, " value=\"%lld\"",
                                      size == 8 ? (long long)number : (long long)(int32_t)number));
    }
    end_tag(writer, value, word, !right, "/>");
}

/* Writes the strings of a list, each in a line. */
static void put_strings(struct writer *writer, const rs_value *value)
{
    const char *data = value->data;

    for (size_t at = 0; at < value->size;) {
        size_t len = text_utf16_end(data + at, value->size - at);
        writer->text.size = 0;
        format_out_keep(&writer->out, text_from_utf16(&writer->text, data + at, len));
        begin_line(writer, writer->depth + 1);
        format_out_put(&writer->out, "<string>");
        put_escaped(writer, writer->text.data, writer->text.size);
        format_out_put(&writer->out, "</string>\n");
        at += len + 2;
    }
}

static void put_text(struct writer *writer, const rs_value *value, const struct xml_word *word,
                     bool shown)
{
    bool exact = !shown || !is_exact(value);

    begin_value(writer, value, word);
    if (word->form == XML_FORM_LIST) {
        if (!shown || value->size == 0) {
            end_tag(writer, value, word, exact, "/>");
            return;
        }
        end_tag(writer, value, word, exact, ">\n");
        put_strings(writer, value);
        begin_line(writer, writer->depth);
        format_out_put(&writer->out, "</value>");
        return;
    }
    if (shown) {
        writer->text.size = 0;
        format_out_keep(&writer->out,
                        text_from_utf16(&writer->text, value->data, shown_size(value)));
        put_attribute(writer, "value", writer->text.data, writer->text.size);
    }
    end_tag(writer, value, word, exact, "/>");
}

static void put_string_value(struct writer *writer, const rs_value *value)
{
    enum fitness fitness = fitness_of(value->data, shown_size(value));

    if (fitness == NOT_UTF16) {
        put_raw(writer, value, xml_word_by_type(value->type, true));
    } else {
        put_text(writer, value, xml_word_by_type(value->type, false),
                 fitness == FIT && value->size <= XML_MAX_TEXT);
    }
}

static int value_event(struct format_sink *sink, const rs_value *value)
{
    struct writer *writer = (struct writer *)sink;
    const struct xml_word *word = xml_word_by_type(value->type, false);

    switch (word->form) {
    case XML_FORM_NUMBER:
        put_number(writer, value, word);
        break;
    case XML_FORM_TEXT:
    case XML_FORM_LIST:
        put_string_value(writer, value);
        break;
    default:
        put_raw(writer, value, word);
        break;
    }
    end_line(writer);
    return writer->out.status;
}

/* ---- The file ---- */

int xml_write_begin(struct format_output *output, struct format_sink **sink)
{
    struct writer *writer = calloc(1, sizeof *writer);

    if (!writer) {
        return RS_ENOMEM;
    }
    writer->sink =
        (struct format_sink){.key_begin = key_begin, .value = value_event, .key_end = key_end};
    writer->out.output = output;
    format_out_put(&writer->out,
                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<hive regstore=\"" XML_DIALECT
                   "\">\n");
    *sink = &writer->sink;
    return RS_OK;
}

int xml_write_end(struct format_sink *sink, bool ok)
{
    struct writer *writer = (struct writer *)sink;

    if (ok) {
        format_out_put(&writer->out, "</hive>\n");
        format_out_flush(&writer->out);
    }
    int status = writer->out.status;
    buffer_free(&writer->out.bytes);
    buffer_free(&writer->text);
    free(writer);
    return status;
}
