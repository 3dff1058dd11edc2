/*
 * format_xml_value.c - what a <value> of a dump means, in stored bytes.
 *
 * The data is taken from the tag, or string by string from a list's content, and told when the
 * element ends. Needs text.
 */
#include "format_xml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Ends the work because of the open value, which the line names. */
static int fail_value(struct xml_reader *reader, int status, const char *why)
{
    return xml_fail(reader, status, XML_TAG, "value \"%.80s\": %s", reader->value.name.data, why);
}

static int check_size(struct xml_reader *reader, const struct buffer *data)
{
    if (data->size > RS_MAX_DATA) {
        return xml_fail(reader, RS_ETOOBIG, XML_TAG,
                        "value \"%.80s\" has more data than the limit of %zu bytes",
                        reader->value.name.data, RS_MAX_DATA);
    }
    return RS_OK;
}

/* ---- The tag ---- */

static int take_type(struct xml_reader *reader)
{
    const struct xml_span *type = &reader->attributes[XML_TYPE];
    struct xml_value *value = &reader->value;

    value->word = type->text ? xml_word_by_name(type->text, type->len) : NULL;
    if (!type->text) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "a <value> without a type");
    }
    if (!value->word) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "unknown value type \"%.*s\"",
                        (int)(type->len > 64 ? 64 : type->len), type->text);
    }
    value->type = value->word->type;
    return RS_OK;
}

static int take_name(struct xml_reader *reader)
{
    struct buffer *name = &reader->value.name;
    bool given;
    int status =
        xml_take_name(reader, XML_KEY, XML_KEY64, name, RS_MAX_VALUE_NAME, "value name", &given);

    if (status != RS_OK) {
        return status;
    }
    if (given == (reader->attributes[XML_DEFAULT].text != NULL)) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG,
                        "a <value> needs either a key or default=\"1\"");
    }
    if (!given && !xml_attribute_is(reader, XML_DEFAULT, "1")) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "default is not \"1\"");
    }
    return RS_OK;
}

/* The value of decimal digits in a span, with a sign if lowest is below 0. */
static bool take_number(const struct xml_span *span, int64_t lowest, uint64_t highest,
                        uint64_t *number)
{
    char text[24];
    char *end;
    bool minus = span->len > 0 && span->text[0] == '-';

    if (span->len <= minus || span->len >= sizeof text || span->text[minus] < '0' ||
        span->text[minus] > '9') {
        return false;
    }
    memcpy(text, span->text, span->len);
    text[span->len] = '\0';
    errno = 0;
    unsigned long long magnitude = strtoull(text + minus, &end, 10);
    if (*end != '\0' || errno != 0) {
        return false;
    }
    if (minus) {
        if (magnitude > (uint64_t)0 - (uint64_t)lowest) {
            return false;
        }
        *number = (uint64_t)0 - magnitude;
        return true;
    }
    *number = magnitude;
    return magnitude <= highest;
}

/* The type's number, where the word does not tell it. */
static int take_regtype(struct xml_reader *reader)
{
    const struct xml_span *span = &reader->attributes[XML_REGTYPE];
    struct xml_value *value = &reader->value;
    uint64_t number;

    if (!span->text) {
        return RS_OK;
    }
    if (!take_number(span, 0, UINT32_MAX, &number)) {
        return fail_value(reader, RS_EFORMAT, "regtype is not a type's number");
    }
    value->type = (uint32_t)number;
    if (xml_word_by_type(value->type, value->word->form == XML_FORM_BASE64) != value->word) {
        return fail_value(reader, RS_EFORMAT, "type and regtype contradict each other");
    }
    return RS_OK;
}

static int decode_base64(struct xml_reader *reader, const struct xml_span *span,
                         struct buffer *data)
{
    int status = xml_base64_decode(data, span->text, span->len);

    if (status == RS_EDATA) {
        return fail_value(reader, RS_EFORMAT, "malformed base64");
    }
    if (status != RS_OK) {
        return fail_value(reader, status, rs_strerror(status));
    }
    return check_size(reader, data);
}

/* Appends text as stored, with its NUL if terminated. */
static int append_text(struct xml_reader *reader, const char *text, size_t len, bool terminated)
{
    static const char nul[2] = {0, 0};
    struct buffer *data = &reader->value.data;
    int status = text_to_utf16(data, text, len);

    if (status == RS_OK && terminated) {
        status = buffer_append(data, nul, sizeof nul);
    }
    if (status == RS_ETEXT) {
        return fail_value(reader, RS_EFORMAT, "text is not valid UTF-8");
    }
    if (status != RS_OK) {
        return fail_value(reader, status, rs_strerror(status));
    }
    return check_size(reader, data);
}

static int decode_text(struct xml_reader *reader, const struct xml_span *span)
{
    bool terminated = reader->value.type != REG_LINK;

    /* Only a "&" and what the filter escaped read otherwise than they stand there. */
    if (!memchr(span->text, '&', span->len) && !memchr(span->text, 0xf4, span->len)) {
        return append_text(reader, span->text, span->len, terminated);
    }
    reader->scratch.size = 0;
    int status = buffer_append(&reader->scratch, span->text, span->len);
    if (status != RS_OK) {
        return fail_value(reader, status, rs_strerror(status));
    }
    return append_text(reader, reader->scratch.data,
                       xml_unfilter(reader->scratch.data, span->len, true), terminated);
}

static int decode_number(struct xml_reader *reader, const struct xml_span *span)
{
    bool wide = reader->value.type == REG_QWORD;
    size_t size = wide ? 8 : 4;
    char bytes[8];
    uint64_t number;

    if (!take_number(span, wide ? INT64_MIN : INT32_MIN, wide ? UINT64_MAX : UINT32_MAX, &number)) {
        return fail_value(reader, RS_EFORMAT, "malformed or too large number");
    }
    for (size_t i = 0; i < size; i++) {
        size_t place = reader->value.type == REG_DWORD_BIG_ENDIAN ? size - 1 - i : i;
        bytes[i] = (char)(number >> (8 * place));
    }
    int status = buffer_append(&reader->value.data, bytes, size);
    return status == RS_OK ? RS_OK : fail_value(reader, status, rs_strerror(status));
}

/* The tag's value="...", if there is one. */
static int take_data(struct xml_reader *reader)
{
    const struct xml_span *span = &reader->attributes[XML_VALUE];
    struct xml_value *value = &reader->value;
    enum xml_form form = value->word->form;

    if ((form == XML_FORM_BASE64) != (reader->attributes[XML_ENCODING].text != NULL) ||
        (form == XML_FORM_BASE64 && !xml_attribute_is(reader, XML_ENCODING, "base64"))) {
        return fail_value(reader, RS_EFORMAT, "type and encoding do not go together");
    }
    value->has_data = span->text != NULL;
    if (!span->text) {
        return RS_OK;
    }
    switch (form) {
    case XML_FORM_BASE64:
        return decode_base64(reader, span, &value->data);
    case XML_FORM_TEXT:
        return decode_text(reader, span);
    case XML_FORM_NUMBER:
        return decode_number(reader, span);
    default:
        return fail_value(reader, RS_EFORMAT, "a string-list's text belongs into <string>");
    }
}

int xml_value_start(struct xml_reader *reader)
{
    const struct xml_span *exact = &reader->attributes[XML_EXACT];
    struct xml_value *value = &reader->value;
    int status;

    value->data.size = 0;
    value->exact.size = 0;
    value->ended = true;
    value->runs = 0;
    value->run_length = 0;
    value->has_exact = exact->text != NULL;
    if ((status = take_type(reader)) != RS_OK || (status = take_name(reader)) != RS_OK ||
        (status = take_regtype(reader)) != RS_OK || (status = take_data(reader)) != RS_OK) {
        return status;
    }
    return exact->text ? decode_base64(reader, exact, &value->exact) : RS_OK;
}

/* ---- The content ---- */

int xml_value_string(struct xml_reader *reader)
{
    struct xml_value *value = &reader->value;

    value->has_data = true;
    value->ended = reader->text.size == 0;
    return append_text(reader, reader->text.data, reader->text.size, true);
}

int xml_value_run(struct xml_reader *reader)
{
    const struct xml_span *span = &reader->attributes[XML_LEN];
    struct xml_value *value = &reader->value;
    uint64_t number;

    if (!value->word) {
        return RS_OK;
    }
    if (!span->text || !take_number(span, 0, UINT32_MAX, &number)) {
        return fail_value(reader, RS_EFORMAT, "a <byte_run> without a length");
    }
    if (++value->runs == 2) {
        value->run_length = number;
    }
    return RS_OK;
}

/* ---- The end ---- */

/*
 * True if the dump shows that a number's data was not of the number's length. A value's first run
 * is its own cell, the second the data's: four bytes and the data. Up to four bytes of data have no
 * cell.
 */
static bool is_other_number(const struct xml_value *value)
{
    uint64_t cell = value->type == REG_QWORD ? 12 : 8;

    if (value->word->form != XML_FORM_NUMBER || value->runs == 0) {
        return false;
    }
    return value->runs == 1 ? value->type == REG_QWORD : value->run_length != cell;
}

static int tell_losses(struct xml_reader *reader)
{
    struct xml_value *value = &reader->value;
    enum rs_loss_kind kind;

    if (reader->own) {
        return RS_OK;
    }
    if (value->type == XML_UNKNOWN_TYPE) {
        kind = RS_LOSS_TYPE;
    } else if (value->word->form == XML_FORM_LIST && !value->ended) {
        kind = RS_LOSS_LIST_END;
    } else if (is_other_number(value)) {
        kind = RS_LOSS_NUMBER;
    } else {
        return RS_OK;
    }
    return format_tell_loss(reader->sink, kind, value->name.data, value->name.size);
}

/* The text is there for people and other programs; if it was edited alone, neither can be trusted.
 */
static int check_agreement(struct xml_reader *reader)
{
    struct xml_value *value = &reader->value;
    struct buffer *text = &reader->scratch;

    text->size = 0;
    int status = xml_reread(text, value->type, value->exact.data, value->exact.size);
    if (status != RS_OK) {
        return fail_value(reader, status, rs_strerror(status));
    }
    if (text->size != value->data.size ||
        (text->size > 0 && memcmp(text->data, value->data.data, text->size) != 0)) {
        return fail_value(reader, RS_EFORMAT,
                          "its text and \"exact\" contradict each other; remove one");
    }
    return RS_OK;
}

static int check_complete(struct xml_reader *reader)
{
    struct xml_value *value = &reader->value;
    enum xml_form form = value->word->form;

    if (value->has_data && value->has_exact) {
        return check_agreement(reader);
    }
    if (!value->has_data && !value->has_exact &&
        (form == XML_FORM_TEXT || form == XML_FORM_NUMBER)) {
        return fail_value(reader, RS_EFORMAT, "no data");
    }
    return RS_OK;
}

int xml_value_end(struct xml_reader *reader)
{
    struct xml_value *value = &reader->value;
    const struct buffer *bytes = value->has_exact ? &value->exact : &value->data;
    int status = check_complete(reader);

    if (status != RS_OK) {
        return status;
    }
    rs_value told = {
        .name = value->name.data,
        .name_len = value->name.size,
        .type = value->type,
        .data = bytes->size > 0 ? bytes->data : "",
        .size = bytes->size,
    };
    status = reader->sink->value(reader->sink, &told);
    if (status == RS_OK) {
        status = tell_losses(reader);
    }
    if (status != RS_OK) {
        return fail_value(reader, status, rs_strerror(status));
    }
    value->word = NULL;
    return RS_OK;
}

void xml_value_free(struct xml_value *value)
{
    buffer_free(&value->name);
    buffer_free(&value->data);
    buffer_free(&value->exact);
}
