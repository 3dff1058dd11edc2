/*
 * format_xml.c - XML hive dumps: the table of type words and the module's entry.
 *
 * Reads what hivexml of hivex 1.3 writes and our own dialect of it, and writes the dialect;
 * hives/hive.rng is the grammar of both. Needs libxml2 (reader only).
 *
 * What a foreign dump does not say, and what is taken for it:
 *
 *  - A string is its text and one NUL; whether there was no NUL, an odd last byte or something
 *    after the NUL is not in the dump. A link is its text without NUL, as NT stores links.
 *  - A string-list is each string and its NUL and nothing more: the empty string that hivexml
 *    writes last is the list's own end. A list that ends otherwise is told as RS_LOSS_LIST_END. No
 *    string at all is no data.
 *  - "int32" is REG_DWORD; a big-endian one cannot be told. hivexml writes -1 or 0 for a number
 *    whose data has another length; where the dump's byte_runs show that length it is told as
 *    RS_LOSS_NUMBER.
 *  - "unknown" is stored as type 0xffffffff and told as RS_LOSS_TYPE.
 *  - "bad-string" and its kin are base64 of the stored bytes, exactly.
 *  - Names end at their first NUL; so two names can become one, which whoever takes the events has
 *    to tell. Class names, parts of a second and volatile marks are not in the dump; a key without
 *    a time is told as RS_LOSS_TIME.
 *  - Control characters, U+FFFE and U+FFFF stand raw in such dumps, which are then no well-formed
 *    XML; they are read without loss (format_xml_filter.c).
 *
 * A dump of ours adds: regstore="1" on <hive>; the full path as the root node's name; class and
 * written (a time with seven decimals, where parts of a second matter) on <node>; on <value>
 * regtype (the type's number, where the word does not tell it) and exact (base64 of the stored
 * bytes, where the text form does not tell them; if both are there they must agree); name64,
 * class64 and key64 (base64 of UTF-16LE) in place of name, class and key that XML cannot hold.
 */
#include "format_xml.h"

#include <string.h>

/* The first row of a type is its usual one. */
static const struct xml_word words[] = {
    {"none", REG_NONE, XML_FORM_BASE64},
    {"string", REG_SZ, XML_FORM_TEXT},
    {"expand", REG_EXPAND_SZ, XML_FORM_TEXT},
    {"binary", REG_BINARY, XML_FORM_BASE64},
    {"int32", REG_DWORD, XML_FORM_NUMBER},
    {"link", REG_LINK, XML_FORM_TEXT},
    {"string-list", REG_MULTI_SZ, XML_FORM_LIST},
    {"resource-list", REG_RESOURCE_LIST, XML_FORM_BASE64},
    {"resource-description", REG_FULL_RESOURCE_DESCRIPTOR, XML_FORM_BASE64},
    {"resource-requirements", REG_RESOURCE_REQUIREMENTS_LIST, XML_FORM_BASE64},
    {"int64", REG_QWORD, XML_FORM_NUMBER},
    {"bad-string", REG_SZ, XML_FORM_BASE64},
    {"bad-expand", REG_EXPAND_SZ, XML_FORM_BASE64},
    {"bad-link", REG_LINK, XML_FORM_BASE64},
    {"bad-string-list", REG_MULTI_SZ, XML_FORM_BASE64},
    {"unknown", XML_UNKNOWN_TYPE, XML_FORM_BASE64},
};
#define WORDS (sizeof words / sizeof words[0])

const struct xml_word *xml_word_by_name(const char *word, size_t len)
{
    for (size_t i = 0; i < WORDS; i++) {
        if (strlen(words[i].word) == len && memcmp(words[i].word, word, len) == 0) {
            return &words[i];
        }
    }
    return NULL;
}

const struct xml_word *xml_word_by_type(uint32_t type, bool raw)
{
    /* The dumps' word for both kinds of REG_DWORD is the same. */
    uint32_t wanted = type == REG_DWORD_BIG_ENDIAN ? REG_DWORD : type;
    const struct xml_word *usual = NULL;

    for (size_t i = 0; i < WORDS; i++) {
        if (words[i].type != wanted) {
            continue;
        }
        if (!raw || words[i].form == XML_FORM_BASE64) {
            return &words[i];
        }
        usual = &words[i];
    }
    return usual ? usual : &words[WORDS - 1];
}

/* Each string of a list and its NUL. */
static int reread_list(struct buffer *buffer, const char *data, size_t size)
{
    static const char nul[2] = {0, 0};
    size_t at = 0;

    while (at < size) {
        size_t len = text_utf16_end(data + at, size - at);
        int status = buffer_append(buffer, data + at, len);
        if (status == RS_OK) {
            status = buffer_append(buffer, nul, sizeof nul);
        }
        if (status != RS_OK) {
            return status;
        }
        at += len + 2;
    }
    return RS_OK;
}

int xml_reread(struct buffer *buffer, uint32_t type, const void *data, size_t size)
{
    static const char nul[2] = {0, 0};

    switch (type) {
    case REG_MULTI_SZ:
        return reread_list(buffer, data, size);
    case REG_LINK:
        return buffer_append(buffer, data, text_utf16_end(data, size));
    case REG_SZ:
    case REG_EXPAND_SZ: {
        int status = buffer_append(buffer, data, text_utf16_end(data, size));
        return status == RS_OK ? buffer_append(buffer, nul, sizeof nul) : status;
    }
    default:
        return buffer_append(buffer, data, size);
    }
}

static int read_dump(struct format_input *input, struct format_sink *sink, rs_error *error)
{
    return xml_read_chunked(input, sink, XML_CHUNK, error);
}

const struct format format_xml = {
    .name = "xml",
    .suffix = ".xml",
    .read = read_dump,
    .write_begin = xml_write_begin,
    .write_end = xml_write_end,
};

static const struct format *const formats[] = {&format_xml, &format_gpp, NULL};
const struct format_module regstore_format = {REGSTORE_FORMAT_ABI, formats};
