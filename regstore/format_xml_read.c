/*
 * format_xml_read.c - a dump through libxml2's push parser.
 *
 * Reads the input in chunks, passes them through the filter to the parser, and the parser's events
 * to the grammar (format_xml_elements.c). Tells where in the file a failure is. Needs libxml2.
 *
 * libxml2's limits are lifted (XML_PARSE_HUGE: hives nest deeper than 256 and hold longer values),
 * and its protections with them, so ours stand here and in the grammar: a DOCTYPE is refused before
 * an entity can be declared; entities are never replaced, nothing is loaded; depth and lengths have
 * limits; markup that the parser would have to hold as a whole ends at XML_MAX_MARKUP; a tag of too
 * many attributes does not reach it (format_xml_tags.c). What the parser holds at a time is all
 * that is held: memory does not depend on the dump's size.
 */
#include "format_xml.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

/* ---- Places ---- */

struct place {
    uint64_t line;
    uint64_t offset;
};

static uint64_t count_lines(const xmlChar *from, const xmlChar *to)
{
    uint64_t lines = 0;

    while (from < to && (from = memchr(from, '\n', (size_t)(to - from))) != NULL) {
        lines++;
        from++;
    }
    return lines;
}

static const xmlChar *find_tag(const xmlParserInput *input)
{
    const xmlChar *at = input->cur;

    while (at > input->base && *--at != '<') {
        ;
    }
    return at;
}

/* Where the text at hand lies in the parser's input, behind its white space; where the parser
 * stands if the text is no part of it. The line that the parser tells is the one after the text. */
static const xmlChar *find_text(const xmlParserInput *input, const struct xml_span *piece,
                                uint64_t *line)
{
    const xmlChar *at = (const xmlChar *)piece->text;
    const xmlChar *end = at + piece->len;

    if (at < input->base || end > input->end) {
        return input->cur;
    }
    *line -= count_lines(at, end);
    while (at < end && *at <= ' ') {
        *line += *at++ == '\n';
    }
    return at;
}

static struct place find_place(const struct xml_reader *reader, enum xml_place where)
{
    struct place place = {1, reader->fed};
    const xmlParserInput *input = reader->parser ? reader->parser->input : NULL;

    if (!input || !input->cur || !input->base || !input->end) {
        return place;
    }
    const xmlChar *at = input->cur;
    place.line = (uint64_t)input->line;
    if (where == XML_TAG) {
        at = find_tag(input);
        place.line -= count_lines(at, input->cur);
    } else if (where == XML_TEXT) {
        at = find_text(input, &reader->piece, &place.line);
    } else if (where == XML_FED) {
        at = input->end;
        place.line += count_lines(input->cur, at);
    }
    uint64_t ahead = xml_original_size(at, (size_t)(input->end - at));
    place.offset = ahead < reader->fed ? reader->fed - ahead : 0;
    return place;
}

static void tell(struct xml_reader *reader, int status, struct place place, const char *text)
{
    reader->status = status;
    if (reader->error && reader->error->status == RS_OK) {
        fail(reader->error, status, "%s:%llu: offset %llu: %s", reader->input->name,
             (unsigned long long)place.line, (unsigned long long)place.offset, text);
        reader->error->line = place.line;
        reader->error->offset = place.offset;
    }
    if (reader->parser) {
        xmlStopParser(reader->parser);
    }
}

int xml_fail(struct xml_reader *reader, int status, enum xml_place where, const char *format, ...)
{
    char text[RS_ERROR_TEXT_MAX];
    va_list list;

    if (reader->status != RS_OK) {
        return reader->status;
    }
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    tell(reader, status, find_place(reader, where), text);
    return status;
}

/* ---- The parser's events ---- */

/* The grammar reads UTF-8 only; the parser has just seen what the file says of itself. */
static void on_document(void *context)
{
    struct xml_reader *reader = context;
    const xmlChar *encoding = reader->parser->encoding;

    if (encoding && strcasecmp((const char *)encoding, "UTF-8") != 0) {
        xml_fail(reader, RS_EFORMAT, XML_HERE, "the encoding is %s: only UTF-8 is read",
                 (const char *)encoding);
    }
}

static void on_doctype(void *context, const xmlChar *name, const xmlChar *external,
                       const xmlChar *system)
{
    (void)name;
    (void)external;
    (void)system;
    struct xml_reader *reader = context;
    xml_fail(reader, RS_EFORMAT, XML_HERE, "a DOCTYPE: %s have none, and it is not read",
             reader->grammar->what);
}

/* Puts one attribute of a tag where the grammar looks for it. libxml2 has found duplicates. */
static int keep_attribute(struct xml_reader *reader, const char *element, const xmlChar **row)
{
    const char *name = (const char *)row[0];
    unsigned which = row[1] ? XML_ATTRIBUTES : reader->grammar->attribute(name);

    if (which == XML_IGNORED) {
        return RS_OK;
    }
    if (which == XML_ATTRIBUTES) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "unknown attribute \"%s\" of <%s>", name,
                        element);
    }
    reader->given |= 1u << which;
    reader->attributes[which].text = (const char *)row[3];
    reader->attributes[which].len = (size_t)(row[4] - row[3]);
    return RS_OK;
}

static void on_start(void *context, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri,
                     int namespaces, const xmlChar **uris, int count, int defaulted,
                     const xmlChar **attributes)
{
    struct xml_reader *reader = context;
    const char *name = (const char *)local;

    (void)uris;
    (void)defaulted;
    if (reader->status != RS_OK) {
        return;
    }
    if (prefix || uri || namespaces > 0) {
        xml_fail(reader, RS_EFORMAT, XML_TAG, "<%s> with a namespace: %s have none", name,
                 reader->grammar->what);
        return;
    }
    memset(reader->attributes, 0, sizeof reader->attributes);
    reader->given = 0;
    for (int i = 0; i < count; i++) {
        if (keep_attribute(reader, name, attributes + (ptrdiff_t)i * 5) != RS_OK) {
            return;
        }
    }
    reader->grammar->start(reader, name);
}

static void on_end(void *context, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
    struct xml_reader *reader = context;

    (void)local;
    (void)prefix;
    (void)uri;
    if (reader->status == RS_OK) {
        reader->grammar->end(reader);
    }
}

static void on_text(void *context, const xmlChar *text, int len)
{
    struct xml_reader *reader = context;

    if (reader->status != RS_OK) {
        return;
    }
    reader->piece = (struct xml_span){(const char *)text, (size_t)len};
    reader->grammar->text(reader, reader->piece.text, reader->piece.len);
}

/* In it a reference would be text, which the filter does not know; no dump has one. */
static void on_cdata(void *context, const xmlChar *text, int len)
{
    (void)text;
    (void)len;
    struct xml_reader *reader = context;
    xml_fail(reader, RS_EFORMAT, XML_HERE, "a CDATA section: %s have none", reader->grammar->what);
}

/* libxml2's own complaint, in our form. */
static void on_error(void *context, xmlErrorPtr error)
{
    struct xml_reader *reader = context;
    char text[256];

    if (reader->status != RS_OK || error->level != XML_ERR_FATAL) {
        return;
    }
    if (error->code == XML_ERR_NO_MEMORY) {
        xml_fail(reader, RS_ENOMEM, XML_HERE, "%s", rs_strerror(RS_ENOMEM));
    } else if (reader->at_end) {
        xml_fail(reader, RS_EFORMAT, XML_FED, "the dump ends in the middle");
    } else if (error->message && strstr(error->message, "not proper UTF-8")) {
        xml_fail(reader, RS_EFORMAT, XML_HERE, "text is not valid UTF-8");
    } else {
        snprintf(text, sizeof text, "%s", error->message ? error->message : "unknown error");
        text[strcspn(text, "\n")] = '\0';
        xml_fail(reader, RS_EFORMAT, XML_HERE, "not well-formed XML: %s", text);
    }
}

/* What libxml2 tells without a parser (a conversion that failed while the XML declaration is read)
 * would be printed to standard error if the thread had no function for it. The parser finds the
 * same out later; it must not be stopped here, in the middle of its work. */
static void on_stray_error(void *context, xmlErrorPtr error)
{
    (void)context;
    (void)error;
}

static const xmlSAXHandler handler = {
    .initialized = XML_SAX2_MAGIC,
    .startDocument = on_document,
    .internalSubset = on_doctype,
    .startElementNs = on_start,
    .endElementNs = on_end,
    .characters = on_text,
    .ignorableWhitespace = on_text,
    .cdataBlock = on_cdata,
    .serror = on_error,
};

/* ---- Feeding ---- */

/* The parser may be left without memory even to tell so: it stops, and nothing was told. */
static int parse(struct xml_reader *reader, const char *bytes, size_t size, bool last)
{
    int result = xmlParseChunk(reader->parser, bytes, (int)size, last);

    if (reader->status == RS_OK && (result == XML_ERR_NO_MEMORY || result == XML_PARSER_EOF ||
                                    reader->parser->disableSAX != 0)) {
        return xml_fail(reader, RS_ENOMEM, XML_HERE, "%s", rs_strerror(RS_ENOMEM));
    }
    return reader->status;
}

/* Gives the parser bytes, and looks at what it did not take because it is not complete. Of a tag
 * with too many attributes it gets the beginning only: so it tells what is wrong before that tag,
 * and then stands there. */
static int feed(struct xml_reader *reader, const struct buffer *bytes)
{
    size_t size = xml_tags_follow(&reader->tags, bytes->data, bytes->size);
    reader->fed -= xml_original_size(bytes->data + size, bytes->size - size);

    if (parse(reader, bytes->data, size, false) != RS_OK) {
        return reader->status;
    }
    const xmlParserInput *input = reader->parser->input;
    if ((size_t)(input->end - input->cur) > XML_MAX_MARKUP) {
        return xml_fail(reader, RS_ETOOBIG, XML_HERE, "a tag is longer than %zu bytes",
                        XML_MAX_MARKUP);
    }
    if (size < bytes->size) {
        return xml_fail(reader, RS_EFORMAT, XML_HERE, "a tag with more than %u attributes",
                        XML_MAX_TAG_ATTRIBUTES);
    }
    return RS_OK;
}

/* A dump in UTF-16 begins with a byte order mark or has a NUL beside its first character. In EBCDIC
 * "<?xm" is what the parser knows it by, and then nothing in front of the parser would be true. */
static int check_start(struct xml_reader *reader, const unsigned char *head, size_t size)
{
    bool mark =
        size >= 2 && ((head[0] == 0xff && head[1] == 0xfe) || (head[0] == 0xfe && head[1] == 0xff));
    bool wide = size >= 2 && (head[0] == 0) != (head[1] == 0);

    if (mark || wide) {
        return xml_fail(reader, RS_EFORMAT, XML_HERE, "the encoding is UTF-16: only UTF-8 is read");
    }
    if (size >= 4 && memcmp(head, "\x4c\x6f\xa7\x94", 4) == 0) {
        return xml_fail(reader, RS_EFORMAT, XML_HERE, "the encoding is EBCDIC: only UTF-8 is read");
    }
    return RS_OK;
}

/* Fills a chunk; *got is less than size at the end of the file only. */
static int fill(struct xml_reader *reader, char *at, size_t size, size_t *got)
{
    *got = 0;
    while (*got < size) {
        size_t part;
        int status = reader->input->read(reader->input, at + *got, size - *got, &part);
        if (status != RS_OK) {
            reader->status = status;
            return fail(reader->error, status, "%s: %s", reader->input->name, rs_strerror(status));
        }
        if (part == 0) {
            break;
        }
        *got += part;
    }
    return RS_OK;
}

/* All of the file was fed. The parser would take an unfinished tag as a whole one now, so it is
 * asked only whether something unfinished comes after the dump. */
static int finish(struct xml_reader *reader)
{
    static const char cut[] = "the dump ends in the middle";

    if (!reader->grammar->is_whole(reader)) {
        return xml_fail(reader, RS_EFORMAT, XML_FED, "%s", cut);
    }
    reader->at_end = true;
    if (parse(reader, NULL, 0, true) == RS_OK && !reader->parser->wellFormed) {
        return xml_fail(reader, RS_EFORMAT, XML_FED, "%s", cut);
    }
    return reader->status;
}

/* Moves the whole file through the filter into the parser. chunk holds size bytes. */
static int pump(struct xml_reader *reader, char *chunk, size_t size, struct buffer *filtered)
{
    size_t rest = 0; /* bytes that the filter left for the next round; they stand at the front */
    bool last = false;
    bool first = true;

    while (!last) {
        size_t got;
        size_t used;
        int status = fill(reader, chunk + rest, size - rest, &got);
        if (status != RS_OK) {
            return status;
        }
        last = got < size - rest;
        if (first && check_start(reader, (const unsigned char *)chunk, got) != RS_OK) {
            return reader->status;
        }
        first = false;
        filtered->size = 0;
        int filter_status = xml_filter(chunk, rest + got, last, filtered, &used);
        reader->fed += used;
        if (filtered->size > 0 && (status = feed(reader, filtered)) != RS_OK) {
            return status;
        }
        if (filter_status == RS_EFORMAT) {
            return xml_fail(reader, RS_EFORMAT, XML_FED, "a NUL byte: the file is not UTF-8 text");
        }
        if (filter_status != RS_OK) {
            return xml_fail(reader, filter_status, XML_HERE, "%s", rs_strerror(filter_status));
        }
        rest = rest + got - used;
        memmove(chunk, chunk + used, rest);
    }
    return finish(reader);
}

/* ---- The reader ---- */

static int start(struct xml_reader *reader, xmlSAXHandler *sax)
{
    reader->parser = xmlCreatePushParserCtxt(sax, reader, NULL, 0, NULL);
    if (reader->parser == NULL) {
        return fail(reader->error, RS_ENOMEM, "%s: %s", reader->input->name,
                    rs_strerror(RS_ENOMEM));
    }
    xmlCtxtUseOptions(reader->parser, XML_PARSE_HUGE | XML_PARSE_NONET);
    return RS_OK;
}

/* libxml2 keeps a copy of what it told last, and that is of the dump. */
static void release(struct xml_reader *reader)
{
    xmlFreeParserCtxt(reader->parser);
    xmlResetLastError();
    buffer_free(&reader->text);
    buffer_free(&reader->scratch);
    buffer_free(&reader->key_name);
    buffer_free(&reader->key_class);
    xml_value_free(&reader->value);
}

int xml_read_with(struct xml_reader *reader, size_t chunk)
{
    struct buffer raw = BUFFER_INIT;
    struct buffer filtered = BUFFER_INIT;
    xmlSAXHandler sax = handler;
    xmlStructuredErrorFunc others = xmlStructuredError; /* of the program around us */
    void *context = xmlStructuredErrorContext;
    int status = buffer_reserve(&raw, chunk);

    xmlSetStructuredErrorFunc(NULL, on_stray_error);
    if (status != RS_OK) {
        fail(reader->error, status, "%s: %s", reader->input->name, rs_strerror(status));
    } else {
        status = start(reader, &sax);
    }
    if (status == RS_OK) {
        status = pump(reader, raw.data, chunk, &filtered);
    }
    release(reader);
    xmlSetStructuredErrorFunc(context, others);
    buffer_free(&raw);
    buffer_free(&filtered);
    return status;
}

int xml_read_chunked(struct format_input *input, struct format_sink *sink, size_t chunk,
                     rs_error *error)
{
    struct xml_reader reader = {
        .grammar = &xml_hive_grammar, .input = input, .sink = sink, .error = error};

    return xml_read_with(&reader, chunk);
}
