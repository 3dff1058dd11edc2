/*
 * format_xml_tags.c - counts the attributes of each tag in front of the parser.
 *
 * libxml2 compares every attribute of a tag with all others before it tells of the tag, so a tag of
 * many attributes would keep it busy for the square of them. This follows the markup just closely
 * enough to count: an attribute is a quoted value in a tag, whatever its name, so declarations of
 * namespaces count, too. Markup may be cut anywhere between two calls.
 *
 * It is exact for well-formed markup. From the first thing that is not, it may be wrong, but there
 * the parser ends the work. The same holds for what begins with "<!" and is no comment.
 */
#include "format_xml.h"

#include <string.h>

/* In so many bytes behind its "<" no tag has too many attributes: each is at least " a=''". */
#define SHORT_TAG ((size_t)5 * XML_MAX_TAG_ATTRIBUTES)

/* Each of these takes bytes of its state, at least one if there is any or else changes the state,
 * and gives the first byte that it left. */

static const char *follow_text(struct xml_tags *tags, const char *at, const char *end)
{
    const char *tag = memchr(at, '<', (size_t)(end - at));

    if (!tag) {
        return end;
    }
    tags->state = XML_TAGS_OPENED;
    return tag + 1;
}

/* What a "<" begins. There is no "<" in a tag, so the next one, if it is near, comes behind a tag
 * that is too short to count: most of the time goes from "<" to "<". */
static const char *follow_opened(struct xml_tags *tags, const char *at, const char *end)
{
    size_t near = (size_t)(end - at) < SHORT_TAG ? (size_t)(end - at) : SHORT_TAG;

    tags->matched = 0;
    if (*at == '!') {
        tags->state = XML_TAGS_DECLARATION;
        return at + 1;
    }
    if (*at == '?') {
        tags->state = XML_TAGS_SKIPPED;
        tags->closing = "?>";
        return at + 1;
    }
    const char *next = memchr(at, '<', near);
    if (next) {
        return next + 1;
    }
    tags->state = XML_TAGS_TAG;
    tags->values = 0;
    return at;
}

/* Behind a "<!": two dashes make it a comment. */
static const char *follow_declaration(struct xml_tags *tags, const char *at)
{
    if (*at != '-') {
        tags->state = XML_TAGS_REFUSED;
    } else if (++tags->matched == 2) {
        tags->state = XML_TAGS_COMMENT;
        tags->closing = "-->";
        tags->matched = 0;
    }
    return at + 1;
}

/* The first byte of a comment, and the second behind a dash. A ">" there does not end it, but where
 * the end of a chunk cuts the comment libxml2 thinks so; what stands in a comment means nothing. */
static const char *follow_comment(struct xml_tags *tags, char *at)
{
    if (*at == '-' && tags->matched == 0) {
        tags->matched = 1;
        return at + 1;
    }
    if (*at == '>') {
        *at = ' ';
    }
    tags->state = XML_TAGS_SKIPPED;
    return at;
}

/* A comment or an instruction. */
static const char *follow_skipped(struct xml_tags *tags, const char *at, const char *end)
{
    if (tags->matched == 0) {
        at = memchr(at, tags->closing[0], (size_t)(end - at));
        if (!at) {
            return end;
        }
    }
    if (*at == tags->closing[tags->matched]) {
        tags->matched++;
        if (tags->closing[tags->matched] == '\0') {
            tags->state = XML_TAGS_TEXT;
        }
    } else if (*at != tags->closing[0]) { /* "??>" and "--->" go on where they are */
        tags->matched = 0;
    }
    return at + 1;
}

/* A tag outside of its values; stops at the value that is one too many. */
static const char *follow_tag(struct xml_tags *tags, const char *at, const char *end)
{
    while (at < end && *at != '"' && *at != '\'' && *at != '>') {
        at++;
    }
    if (at == end) {
        return end;
    }
    if (*at == '>') {
        tags->state = XML_TAGS_TEXT;
    } else if (tags->values == XML_MAX_TAG_ATTRIBUTES) {
        tags->state = XML_TAGS_FULL;
        return at;
    } else {
        tags->state = XML_TAGS_VALUE;
        tags->quote = *at;
        tags->values++;
    }
    return at + 1;
}

static const char *follow_value(struct xml_tags *tags, const char *at, const char *end)
{
    const char *quote = memchr(at, tags->quote, (size_t)(end - at));

    if (!quote) {
        return end;
    }
    tags->state = XML_TAGS_TAG;
    return quote + 1;
}

size_t xml_tags_follow(struct xml_tags *tags, char *bytes, size_t size)
{
    const char *at = bytes;
    const char *end = bytes + size;

    while (at < end) {
        switch (tags->state) {
        case XML_TAGS_TEXT:
            at = follow_text(tags, at, end);
            break;
        case XML_TAGS_OPENED:
            at = follow_opened(tags, at, end);
            break;
        case XML_TAGS_DECLARATION:
            at = follow_declaration(tags, at);
            break;
        case XML_TAGS_COMMENT:
            at = follow_comment(tags, bytes + (at - bytes));
            break;
        case XML_TAGS_SKIPPED:
            at = follow_skipped(tags, at, end);
            break;
        case XML_TAGS_TAG:
            at = follow_tag(tags, at, end);
            break;
        case XML_TAGS_VALUE:
            at = follow_value(tags, at, end);
            break;
        case XML_TAGS_FULL:
            return (size_t)(at - bytes);
        case XML_TAGS_REFUSED:
            return size;
        }
    }
    return size;
}
