/*
 * format_xml_elements.c - the grammar of XML hive dumps.
 *
 * One row per element says where it may stand, which attributes it may have and what its start and
 * end do; hives/hive.rng says the same for other tools. Nothing is guessed: an element, attribute
 * or text that is not in the grammar ends the work. No recursion: where an element may stand is
 * known from the innermost open one, and all that is kept of the nodes around is how many there
 * are.
 *
 *     hive      = mtime?, node
 *     node      = mtime?, byte_runs?, value*, node*
 *     value     = string*, byte_runs?
 *     byte_runs = byte_run*
 */
#include "format_xml.h"

#include <string.h>

/* ---- The tables ---- */

static const struct {
    char name[12];
    bool own;
} attributes[XML_ATTRIBUTES] = {
#define XML_ATTRIBUTE_ROW(name, text, own) {text, own},
    XML_ATTRIBUTE_LIST(XML_ATTRIBUTE_ROW)
#undef XML_ATTRIBUTE_ROW
};

struct element {
    const char *name;
    unsigned parents; /* ELEMENT(...) of each */
    unsigned takes;   /* ATTRIBUTE(...) of each */
    bool text;
    int (*start)(struct xml_reader *reader);
    int (*end)(struct xml_reader *reader);
};
#define ELEMENT(which) (1u << (which))
#define ATTRIBUTE(which) (1u << (which))
#define OWN_ATTRIBUTE(name, text, own) | ((own) ? ATTRIBUTE(XML_##name) : 0u)
#define OWN_ATTRIBUTES (0u XML_ATTRIBUTE_LIST(OWN_ATTRIBUTE))

static int hive_start(struct xml_reader *reader);
static int hive_end(struct xml_reader *reader);
static int mtime_start(struct xml_reader *reader);
static int mtime_end(struct xml_reader *reader);
static int node_start(struct xml_reader *reader);
static int node_end(struct xml_reader *reader);
static int runs_start(struct xml_reader *reader);
static int value_start(struct xml_reader *reader);
static int string_start(struct xml_reader *reader);
static int nothing(struct xml_reader *reader);

static const struct element elements[XML_ELEMENTS] = {
    [XML_HIVE] = {"hive", ELEMENT(XML_DOCUMENT), ATTRIBUTE(XML_REGSTORE), false, hive_start,
                  hive_end},
    [XML_MTIME] = {"mtime", ELEMENT(XML_HIVE) | ELEMENT(XML_NODE), 0, true, mtime_start, mtime_end},
    [XML_NODE] = {"node", ELEMENT(XML_HIVE) | ELEMENT(XML_NODE),
                  ATTRIBUTE(XML_NAME) | ATTRIBUTE(XML_NAME64) | ATTRIBUTE(XML_ROOT) |
                      ATTRIBUTE(XML_CLASS) | ATTRIBUTE(XML_CLASS64) | ATTRIBUTE(XML_WRITTEN),
                  false, node_start, node_end},
    [XML_BYTE_RUNS] = {"byte_runs", ELEMENT(XML_NODE) | ELEMENT(XML_VALUE_ELEMENT), 0, false,
                       runs_start, nothing},
    [XML_BYTE_RUN] = {"byte_run", ELEMENT(XML_BYTE_RUNS),
                      ATTRIBUTE(XML_FILE_OFFSET) | ATTRIBUTE(XML_LEN), false, xml_value_run,
                      nothing},
    [XML_VALUE_ELEMENT] = {"value", ELEMENT(XML_NODE),
                           ATTRIBUTE(XML_TYPE) | ATTRIBUTE(XML_ENCODING) | ATTRIBUTE(XML_KEY) |
                               ATTRIBUTE(XML_KEY64) | ATTRIBUTE(XML_DEFAULT) |
                               ATTRIBUTE(XML_VALUE) | ATTRIBUTE(XML_REGTYPE) | ATTRIBUTE(XML_EXACT),
                           false, value_start, xml_value_end},
    [XML_STRING] = {"string", ELEMENT(XML_VALUE_ELEMENT), 0, true, string_start, xml_value_string},
};

static int nothing(struct xml_reader *reader)
{
    (void)reader;
    return RS_OK;
}

static unsigned find_attribute(const char *name)
{
    unsigned i = 0;

    while (i < XML_ATTRIBUTES &&
           (attributes[i].name[0] != name[0] || strcmp(attributes[i].name, name) != 0)) {
        i++;
    }
    return i;
}

bool xml_attribute_is(const struct xml_reader *reader, unsigned which, const char *text)
{
    const struct xml_span *span = &reader->attributes[which];

    return span->text && span->len == strlen(text) && memcmp(span->text, text, span->len) == 0;
}

/* ---- Names ---- */

/* A span's text as the dump means it. */
static int plain_text(const struct xml_span *span, struct buffer *buffer)
{
    int status = buffer_append(buffer, span->text, span->len);

    if (status == RS_OK && buffer->size > 0) {
        buffer->size = xml_unfilter(buffer->data, buffer->size, true);
    }
    return status;
}

static int coded_text(struct xml_reader *reader, const struct xml_span *span, struct buffer *buffer)
{
    reader->scratch.size = 0;
    int status = xml_base64_decode(&reader->scratch, span->text, span->len);
    if (status == RS_OK && reader->scratch.size % 2 != 0) {
        status = RS_EDATA;
    }
    return status == RS_OK ? text_from_utf16(buffer, reader->scratch.data, reader->scratch.size)
                           : status;
}

int xml_take_name(struct xml_reader *reader, unsigned plain, unsigned coded, struct buffer *buffer,
                  size_t max_units, const char *what, bool *given)
{
    const struct xml_span *text = &reader->attributes[plain];
    const struct xml_span *code = &reader->attributes[coded];
    size_t units = 0;
    int status = RS_OK;

    buffer->size = 0;
    if (text->text && code->text) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "\"%s\" and \"%s\" in one tag",
                        attributes[plain].name, attributes[coded].name);
    }
    if (text->text) {
        status = plain_text(text, buffer);
    } else if (code->text) {
        status = coded_text(reader, code, buffer);
    }
    if (status == RS_EDATA) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "\"%s\" is not base64 of UTF-16",
                        attributes[coded].name);
    }
    if (status == RS_OK) {
        status = buffer_terminate(buffer);
    }
    if (status == RS_OK) {
        status = text_units(buffer->data, buffer->size, &units);
    }
    if (status == RS_ETEXT) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "%s is not valid UTF-8", what);
    }
    if (status != RS_OK) {
        return xml_fail(reader, status, XML_TAG, "%s", rs_strerror(status));
    }
    if (units > max_units) {
        return xml_fail(reader, RS_ETOOLONG, XML_TAG, "%s of %zu UTF-16 units: the limit is %zu",
                        what, units, max_units);
    }
    *given = text->text || code->text;
    return RS_OK;
}

/* ---- Keys ---- */

/* Tells the key whose tag and time were read. */
static int tell_key(struct xml_reader *reader)
{
    if (!reader->key_pending) {
        return RS_OK;
    }
    struct format_key key = {
        .name = reader->key_name.data,
        .name_len = reader->key_name.size,
        .absolute = reader->key_absolute,
        .root = reader->depth == 1,
        .class_name = reader->key_has_class ? reader->key_class.data : NULL,
        .class_len = reader->key_has_class ? reader->key_class.size : 0,
        .written = reader->key_written,
    };
    reader->key_pending = false;
    int status = reader->sink->key_begin(reader->sink, &key);
    if (status == RS_OK && key.written == 0 && !reader->own) {
        status = format_tell_loss(reader->sink, RS_LOSS_TIME, NULL, 0);
    }
    return status == RS_OK ? RS_OK : xml_fail(reader, status, XML_TAG, "%s", rs_strerror(status));
}

/* Key names hold no backslash, so a root node's name that does is the key's full path. */
static bool is_absolute(const struct buffer *name)
{
    return memchr(name->data, '\\', name->size) ||
           (name->size > 5 && memcmp(name->data, "HKEY_", 5) == 0);
}

static int check_name(struct xml_reader *reader, bool given)
{
    const struct buffer *name = &reader->key_name;

    reader->key_absolute = reader->depth == 1 && is_absolute(name);
    if (!given || name->size == 0) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "a <node> without a name");
    }
    if (reader->depth > 1 && memchr(name->data, '\\', name->size)) {
        return xml_fail(reader, RS_ENAME, XML_TAG, "key name \"%s\" holds a backslash", name->data);
    }
    return RS_OK;
}

static int take_written(struct xml_reader *reader)
{
    const struct xml_span *span = &reader->attributes[XML_WRITTEN];

    reader->key_written = 0;
    if (span->text && xml_time_parse(span->text, span->len, &reader->key_written) != RS_OK) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "\"%.*s\" is not a time",
                        (int)(span->len > 64 ? 64 : span->len), span->text);
    }
    return RS_OK;
}

static int check_root(struct xml_reader *reader)
{
    bool outermost = reader->depth == 1;

    if (outermost != xml_attribute_is(reader, XML_ROOT, "1") ||
        (!outermost && reader->attributes[XML_ROOT].text)) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "root=\"1\" belongs to the outermost <node>");
    }
    return RS_OK;
}

static int node_start(struct xml_reader *reader)
{
    bool given;
    int status;

    if (reader->depth == 0 && reader->phase == XML_IN_NODES) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "a second <node> in <hive>");
    }
    if (reader->depth > RS_MAX_DEPTH) {
        return xml_fail(reader, RS_EDEPTH, XML_TAG, "keys are nested deeper than %d", RS_MAX_DEPTH);
    }
    if ((status = tell_key(reader)) != RS_OK) {
        return status;
    }
    reader->depth++;
    reader->phase = XML_AT_START;
    size_t most = reader->depth > 1 ? RS_MAX_KEY_NAME : (RS_MAX_KEY_NAME + 1) * (RS_MAX_DEPTH + 1);
    if ((status = check_root(reader)) != RS_OK ||
        (status = xml_take_name(reader, XML_NAME, XML_NAME64, &reader->key_name, most, "key name",
                                &given)) != RS_OK ||
        (status = check_name(reader, given)) != RS_OK ||
        (status = xml_take_name(reader, XML_CLASS, XML_CLASS64, &reader->key_class, RS_MAX_CLASS,
                                "class name", &given)) != RS_OK ||
        (status = take_written(reader)) != RS_OK) {
        return status;
    }
    /* Our own dumps tell the class of every key: without the attribute there is none. */
    reader->key_has_class = given || reader->own;
    reader->key_pending = true;
    return RS_OK;
}

static int node_end(struct xml_reader *reader)
{
    int status = tell_key(reader);

    if (status != RS_OK) {
        return status;
    }
    status = reader->sink->key_end(reader->sink);
    if (status != RS_OK) {
        return xml_fail(reader, status, XML_HERE, "%s", rs_strerror(status));
    }
    reader->depth--;
    reader->phase = XML_IN_NODES;
    return RS_OK;
}

/* ---- The other elements ---- */

static int hive_start(struct xml_reader *reader)
{
    const struct xml_span *dialect = &reader->attributes[XML_REGSTORE];

    reader->own = dialect->text != NULL;
    if (reader->own && !xml_attribute_is(reader, XML_REGSTORE, XML_DIALECT)) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG,
                        "dialect \"%.*s\" of a newer version: only " XML_DIALECT " is read",
                        (int)(dialect->len > 16 ? 16 : dialect->len), dialect->text);
    }
    if (!reader->own) {
        format_tell_foreign(reader->sink);
    }
    return RS_OK;
}

static int hive_end(struct xml_reader *reader)
{
    if (reader->phase != XML_IN_NODES) {
        return xml_fail(reader, RS_EFORMAT, XML_HERE, "a <hive> without a <node>");
    }
    return RS_OK;
}

/* Children come in a fixed order; the phase only moves on. */
static int move_on(struct xml_reader *reader, enum xml_phase phase, bool again, const char *name)
{
    if (reader->phase > phase || (reader->phase == phase && !again)) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "<%s> twice or too late in <%s>", name,
                        elements[reader->at].name);
    }
    reader->phase = phase;
    return RS_OK;
}

static int mtime_start(struct xml_reader *reader)
{
    return move_on(reader, XML_AFTER_MTIME, false, "mtime");
}

static int mtime_end(struct xml_reader *reader)
{
    uint64_t written;

    if (xml_time_parse(reader->text.data, reader->text.size, &written) != RS_OK) {
        return xml_fail(reader, RS_EFORMAT, XML_HERE, "\"%.64s\" is not a time", reader->text.data);
    }
    /* A hive's own time says nothing of any key; "written" says more than seconds. */
    if (reader->depth > 0 && reader->key_written == 0) {
        reader->key_written = written;
    }
    return RS_OK;
}

static int runs_start(struct xml_reader *reader)
{
    if (reader->at == XML_NODE) {
        return move_on(reader, XML_AFTER_RUNS, false, "byte_runs");
    }
    if (reader->value.runs > 0) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "<byte_runs> twice in <value>");
    }
    return RS_OK;
}

static int value_start(struct xml_reader *reader)
{
    int status = move_on(reader, XML_IN_VALUES, true, "value");

    if (status == RS_OK) {
        status = tell_key(reader);
    }
    return status == RS_OK ? xml_value_start(reader) : status;
}

static int string_start(struct xml_reader *reader)
{
    if (reader->value.word->form != XML_FORM_LIST || reader->value.runs > 0) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG,
                        "<string> belongs to a string-list, before <byte_runs>");
    }
    return RS_OK;
}

/* ---- The parser's side ---- */

static enum xml_element find_element(const char *name)
{
    unsigned i = XML_HIVE;

    while (i < XML_ELEMENTS &&
           (elements[i].name[0] != name[0] || strcmp(elements[i].name, name) != 0)) {
        i++;
    }
    return (enum xml_element)i;
}

static int check_attributes(struct xml_reader *reader, const struct element *element)
{
    unsigned wrong = reader->given & ~element->takes;

    if (wrong == 0 && (reader->own || (reader->given & OWN_ATTRIBUTES) == 0)) {
        return RS_OK;
    }
    for (unsigned i = 0; i < XML_ATTRIBUTES; i++) {
        if (!reader->attributes[i].text) {
            continue;
        }
        if (!(element->takes & ATTRIBUTE(i))) {
            return xml_fail(reader, RS_EFORMAT, XML_TAG, "unknown attribute \"%s\" of <%s>",
                            attributes[i].name, element->name);
        }
        if (attributes[i].own && !reader->own) {
            return xml_fail(reader, RS_EFORMAT, XML_TAG,
                            "attribute \"%s\" in a dump that is not of our making",
                            attributes[i].name);
        }
    }
    return RS_OK;
}

static int element_start(struct xml_reader *reader, const char *name)
{
    enum xml_element which = find_element(name);
    const struct element *element = &elements[which];

    if (which == XML_ELEMENTS && reader->at != XML_DOCUMENT) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "unknown element <%s>", name);
    }
    if (reader->at == XML_DOCUMENT && which != XML_HIVE) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "not a hive dump: it begins with <%s>", name);
    }
    if (!(element->parents & ELEMENT(reader->at))) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "<%s> may not stand in <%s>", name,
                        elements[reader->at].name);
    }
    int status = check_attributes(reader, element);
    if (status == RS_OK) {
        status = element->start(reader);
    }
    reader->at = which;
    reader->text.size = 0;
    return status;
}

bool xml_is_space(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r')) {
        i++;
    }
    return i == len;
}

static int element_text(struct xml_reader *reader, const char *text, size_t len)
{
    /* No unit of data takes more than five bytes here: the filter's escape of a control character.
     */
    size_t most = reader->at == XML_STRING ? RS_MAX_DATA / 2 * 5 : 64;

    if (!elements[reader->at].text) {
        if (xml_is_space(text, len)) {
            return RS_OK;
        }
        return xml_fail(reader, RS_EFORMAT, XML_TEXT, "text where none may be, in <%s>",
                        elements[reader->at].name);
    }
    if (reader->text.size + len > most) {
        return xml_fail(reader, RS_ETOOBIG, XML_HERE, "text of <%s> is too long",
                        elements[reader->at].name);
    }
    int status = buffer_append(&reader->text, text, len);
    return status == RS_OK ? RS_OK : xml_fail(reader, status, XML_HERE, "%s", rs_strerror(status));
}

/* The element around the one that ends. */
static enum xml_element around(const struct xml_reader *reader)
{
    switch (reader->at) {
    case XML_STRING:
        return XML_VALUE_ELEMENT;
    case XML_BYTE_RUN:
        return XML_BYTE_RUNS;
    case XML_BYTE_RUNS:
        return reader->value.word ? XML_VALUE_ELEMENT : XML_NODE;
    case XML_HIVE:
        return XML_DOCUMENT;
    default:
        return reader->depth > 0 ? XML_NODE : XML_HIVE;
    }
}

static int element_end(struct xml_reader *reader)
{
    int status = RS_OK;

    if (elements[reader->at].text) {
        if (reader->text.size > 0) {
            reader->text.size = xml_unfilter(reader->text.data, reader->text.size, false);
        }
        status = buffer_terminate(&reader->text);
        if (status != RS_OK) {
            return xml_fail(reader, status, XML_HERE, "%s", rs_strerror(status));
        }
    }
    status = elements[reader->at].end(reader);
    reader->at = around(reader);
    return status;
}

static bool is_whole(const struct xml_reader *reader)
{
    return reader->at == XML_DOCUMENT && reader->phase == XML_IN_NODES;
}

const struct xml_grammar xml_hive_grammar = {
    .what = "hive dumps",
    .attribute = find_attribute,
    .start = element_start,
    .text = element_text,
    .end = element_end,
    .is_whole = is_whole,
};
