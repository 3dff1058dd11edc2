/*
 * format_xml_gpp_item.c - what an item of Group Policy's Registry.xml means.
 *
 * [MS-GPPREF] 2.2.1.17.1. An item is about a value if it has a name or default="1", else about a
 * key. Its actions:
 *
 *     C  create   the value is set if it is not there; the key is made
 *     U  update   the value is set; the key is made (also if there is no action)
 *     R  replace  the value is set; the key is made, and emptied of all that is in it
 *     D  delete   the value, or the key with all below; what is not there is not made
 *
 * Numbers are hexadecimal, however they are displayed. A REG_MULTI_SZ has its strings in <Values>;
 * without them value="..." is its only string. Beside the types that the document lists, editors
 * write REG_BINARY (hexadecimal digits) and REG_QWORD. Needs value and text.
 */
#include "format_xml.h"

#include <stdlib.h>
#include <string.h>

#define MAX_PATH_UNITS ((size_t)(RS_MAX_KEY_NAME + 1) * (RS_MAX_DEPTH + 1))

static const char *const hives[] = {"HKEY_LOCAL_MACHINE", "HKEY_CURRENT_USER", "HKEY_CLASSES_ROOT",
                                    "HKEY_USERS", "HKEY_CURRENT_CONFIG"};

/* An attribute's text, at most as much of it as a line of an error should show. */
static int shown(const struct xml_span *span)
{
    return (int)(span->len > 64 ? 64 : span->len);
}

/* ---- Data ---- */

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool take_number(const struct xml_span *text, size_t most, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text->len; i++) {
        int digit = digit_of(text->text[i]);
        if (digit < 0) {
            return false;
        }
        *number = *number << 4 | (unsigned)digit;
    }
    return text->len > 0 && text->len <= most;
}

static int dword_data(struct buffer *data, const struct xml_span *text)
{
    uint64_t number;

    return take_number(text, 8, &number) ? value_from_dword(data, (uint32_t)number) : RS_EDATA;
}

static int qword_data(struct buffer *data, const struct xml_span *text)
{
    uint64_t number;

    return take_number(text, 16, &number) ? value_from_qword(data, number) : RS_EDATA;
}

/* Pairs of digits, perhaps with blanks between them. */
static int binary_data(struct buffer *data, const struct xml_span *text)
{
    int status = RS_OK;

    for (size_t i = 0; i < text->len && status == RS_OK;) {
        if (text->text[i] == ' ') {
            i++;
            continue;
        }
        int high = digit_of(text->text[i]);
        int low = i + 1 < text->len ? digit_of(text->text[i + 1]) : -1;
        status = high < 0 || low < 0 ? RS_EDATA
                                     : buffer_append_byte(data, (unsigned char)(high << 4 | low));
        i += 2;
    }
    return status;
}

static int string_data(struct buffer *data, const struct xml_span *text)
{
    struct buffer plain = BUFFER_INIT;
    int status = buffer_append(&plain, text->text, text->len);

    if (status == RS_OK && plain.size > 0) {
        plain.size = xml_unfilter(plain.data, plain.size, true);
    }
    if (status == RS_OK) {
        status = value_from_text(data, plain.data, plain.size);
    }
    buffer_free(&plain);
    return status;
}

/* The end of the list is put behind it when the item ends. */
static int list_data(struct buffer *data, const struct xml_span *text)
{
    return text->len > 0 ? string_data(data, text) : RS_OK;
}

static const struct gpp_type {
    const char *name;
    uint32_t type;
    int (*data)(struct buffer *data, const struct xml_span *text); /* RS_EDATA, RS_ETEXT */
} types[] = {
    {"REG_SZ", REG_SZ, string_data},           {"REG_EXPAND_SZ", REG_EXPAND_SZ, string_data},
    {"REG_DWORD", REG_DWORD, dword_data},      {"REG_QWORD", REG_QWORD, qword_data},
    {"REG_MULTI_SZ", REG_MULTI_SZ, list_data}, {"REG_BINARY", REG_BINARY, binary_data},
};

static int check_size(struct xml_reader *reader, const struct gpp_draft *draft)
{
    if (draft->data.size > RS_MAX_DATA) {
        return xml_fail(reader, RS_ETOOBIG, XML_TAG,
                        "value \"%.80s\" has more data than the limit of %zu bytes",
                        draft->name.data, RS_MAX_DATA);
    }
    return RS_OK;
}

/* ---- The tag ---- */

static int take_action(struct xml_reader *reader, struct gpp_draft *draft)
{
    const struct xml_span *action = &reader->attributes[GPP_ACTION];

    draft->item.action = action->text ? *action->text : 'U';
    if (action->text && (action->len != 1 || !strchr("CRUD", *action->text))) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "unknown action \"%.*s\"", shown(action),
                        action->text);
    }
    return RS_OK;
}

/* The hive and the key become a path. A backslash in front of the key means nothing. */
static int take_path(struct xml_reader *reader, struct gpp_draft *draft)
{
    const struct xml_span *hive = &reader->attributes[GPP_HIVE];
    struct buffer *path = &draft->path;
    bool given;
    size_t i = 0;

    while (i < sizeof hives / sizeof hives[0] && !xml_attribute_is(reader, GPP_HIVE, hives[i])) {
        i++;
    }
    if (i == sizeof hives / sizeof hives[0]) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "unknown hive \"%.*s\"", shown(hive),
                        hive->text ? hive->text : "");
    }
    int status =
        xml_take_name(reader, GPP_KEY, GPP_NONE, &draft->data, MAX_PATH_UNITS, "key path", &given);
    if (status != RS_OK) {
        return status;
    }
    const char *key = draft->data.data;
    size_t len = draft->data.size;
    bool extra = len > 0 && *key == '\\';
    path->size = 0;
    status = buffer_printf(path, "%s%s", hives[i], len > extra ? "\\" : "");
    if (status == RS_OK) {
        status = buffer_append(path, key + extra, len - extra);
    }
    return status == RS_OK ? RS_OK : xml_fail(reader, status, XML_TAG, "%s", rs_strerror(status));
}

static int take_name(struct xml_reader *reader, struct gpp_draft *draft)
{
    bool given;
    int status = xml_take_name(reader, GPP_NAME, GPP_NONE, &draft->name, RS_MAX_VALUE_NAME,
                               "value name", &given);
    bool is_default = xml_attribute_is(reader, GPP_DEFAULT, "1");

    if (is_default) {
        draft->name.size = 0;
    }
    draft->item.is_key = !is_default && draft->name.size == 0;
    return status;
}

static int take_data(struct xml_reader *reader, struct gpp_draft *draft)
{
    static const struct xml_span empty = {"", 0};
    const struct xml_span *type = &reader->attributes[GPP_TYPE];
    const struct xml_span *text = &reader->attributes[GPP_VALUE];
    size_t i = 0;

    draft->data.size = 0;
    if (draft->item.is_key || draft->item.action == 'D') {
        return RS_OK;
    }
    while (i < sizeof types / sizeof types[0] &&
           !xml_attribute_is(reader, GPP_TYPE, types[i].name)) {
        i++;
    }
    if (i == sizeof types / sizeof types[0]) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "value \"%.80s\": unknown type \"%.*s\"",
                        draft->name.data, shown(type), type->text ? type->text : "");
    }
    draft->item.value.type = types[i].type;
    int status = types[i].data(&draft->data, text->text ? text : &empty);
    if (status == RS_EDATA) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG,
                        "value \"%.80s\": \"%.*s\" is not a %s in hexadecimal digits",
                        draft->name.data, text->text ? shown(text) : 0,
                        text->text ? text->text : "", types[i].name);
    }
    if (status != RS_OK) {
        return xml_fail(reader, status == RS_ETEXT ? RS_EFORMAT : status, XML_TAG,
                        "value \"%.80s\": %s", draft->name.data, rs_strerror(status));
    }
    return check_size(reader, draft);
}

int gpp_draft_describe(struct xml_reader *reader, struct gpp_draft *draft)
{
    int status;

    if (draft->described) {
        return xml_fail(reader, RS_EFORMAT, XML_TAG, "<Properties> twice in <Registry>");
    }
    draft->item = (struct gpp_item){0};
    draft->described = true;
    draft->listed = false;
    if ((status = take_action(reader, draft)) != RS_OK ||
        (status = take_path(reader, draft)) != RS_OK ||
        (status = take_name(reader, draft)) != RS_OK) {
        return status;
    }
    if (xml_attribute_is(reader, GPP_BITFIELD, "1") && draft->item.action != 'D') {
        draft->item.left_out = RS_LOSS_BITS;
    }
    return take_data(reader, draft);
}

/* ---- Its content ---- */

int gpp_draft_value(struct xml_reader *reader, struct gpp_draft *draft)
{
    struct buffer *text = &reader->text;

    if (draft->item.is_key || draft->item.action == 'D') {
        return RS_OK;
    }
    if (draft->item.value.type != REG_MULTI_SZ) {
        return xml_fail(reader, RS_EFORMAT, XML_HERE, "value \"%.80s\": <Value> in what is no list",
                        draft->name.data);
    }
    if (text->size > 0) {
        text->size = xml_unfilter(text->data, text->size, false);
    }
    int status = value_from_text(&draft->data, text->data, text->size);
    if (status != RS_OK) {
        return xml_fail(reader, status == RS_ETEXT ? RS_EFORMAT : status, XML_HERE,
                        "value \"%.80s\": %s", draft->name.data, rs_strerror(status));
    }
    return check_size(reader, draft);
}

int gpp_draft_end(struct xml_reader *reader, struct gpp_draft *draft)
{
    static const char end[2] = {0, 0};
    int status = RS_OK;

    if (!draft->described) {
        return xml_fail(reader, RS_EFORMAT, XML_HERE, "a <Registry> without <Properties>");
    }
    if (draft->item.value.type == REG_MULTI_SZ) {
        status = buffer_append(&draft->data, end, sizeof end);
    }
    if (status != RS_OK) {
        return xml_fail(reader, status, XML_HERE, "%s", rs_strerror(status));
    }
    status = check_size(reader, draft);
    draft->item.path = draft->path.data;
    draft->item.path_len = draft->path.size;
    draft->item.value.name = draft->name.data;
    draft->item.value.name_len = draft->name.size;
    draft->item.value.data = draft->data.data;
    draft->item.value.size = draft->data.size;
    return status;
}

void gpp_draft_free(struct gpp_draft *draft)
{
    buffer_free(&draft->path);
    buffer_free(&draft->name);
    buffer_free(&draft->data);
}

/* ---- Events ---- */

/* To replace a key is to empty it: so one that is empty stays as it is. */
static int tell_key(struct format_sink *sink, char action, const struct format_key *key)
{
    if (action == 'D') {
        return sink->key_delete(sink, key);
    }
    int status = sink->key_begin(sink, key);
    if (status == RS_OK && action == 'R') {
        status = sink->values_delete(sink);
    }
    if (status == RS_OK && action == 'R') {
        status = sink->subkeys_delete(sink);
    }
    return status == RS_OK ? sink->key_end(sink) : status;
}

static int tell_value(struct format_sink *sink, char action, const struct format_key *key,
                      const rs_value *value)
{
    int status = sink->key_begin(sink, key);

    if (status != RS_OK) {
        return status;
    }
    if (action == 'D') {
        status = sink->value_delete(sink, value->name, value->name_len);
    } else if (action == 'C') {
        status = sink->value_add(sink, value);
    } else {
        status = sink->value(sink, value);
    }
    return status == RS_OK ? sink->key_end(sink) : status;
}

int gpp_item_tell(struct format_sink *sink, const struct gpp_item *item)
{
    struct format_key key = {.name = item->path,
                             .name_len = item->path_len,
                             .absolute = true,
                             .only_if_there = item->action == 'D'};

    if (item->left_out) {
        return sink->left_out(sink, item->left_out, &key, item->is_key ? NULL : item->value.name,
                              item->is_key ? 0 : item->value.name_len);
    }
    return item->is_key ? tell_key(sink, item->action, &key)
                        : tell_value(sink, item->action, &key, &item->value);
}
