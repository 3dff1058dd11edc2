/*
 * format_pol.c - Registry.pol, the file that Group Policy keeps its settings in; read only.
 *
 * [MS-GPREG] 2.2.1: "PReg", the version 1, and records
 *
 *     [key;value;type;size;data]
 *
 * where brackets, semicolons and the two names are UTF-16LE, each name ends with a NUL, and type
 * and size are 32 bits. A key is a path below HKLM or HKCU: the file does not say which, so whoever
 * imports it has to. A record without data only makes its key. Value names that begin with "**"
 * are directives, in upper or lower case; those of a key that is not there do not make it:
 *
 *     **Del.NAME         the value NAME is deleted
 *     **DelVals.         all values are deleted
 *     **DeleteValues     those that the data names, "a;b;c"
 *     **DeleteKeys       the subkeys that the data names, with all below
 *     **soft.NAME        the value NAME is set if it is not there
 *     **SecureKey        access rights; told as RS_LOSS_RIGHTS and left out
 *
 * Another one means nothing and is told as RS_LOSS_LINE, as is a value without data. A patch; what
 * is not of this form is refused with its offset. Needs format, value and text.
 */
#include "format_pol.h"

#include <endian.h>
#include <string.h>
#include <strings.h>

#define CHUNK ((size_t)64 << 10)
#define MAX_KEY_UNITS ((size_t)(RS_MAX_KEY_NAME + 1) * (RS_MAX_DEPTH + 1))
#define MAX_NAME_UNITS ((size_t)RS_MAX_VALUE_NAME + 32) /* with a directive before it */

struct pol_reader {
    struct format_input *input;
    struct format_sink *sink;
    rs_error *error;
    struct buffer chunk;
    size_t used;     /* of the chunk */
    uint64_t offset; /* of the next byte */
    uint64_t record; /* where the record at hand begins */
    struct buffer units;
    struct buffer key; /* the record's, as WTF-8 */
    struct buffer name;
    struct buffer data;
    struct buffer list; /* data as WTF-8 */
    struct buffer path;
    uint32_t type;
    struct buffer open; /* the key that is open for the sink */
    bool is_open;
    bool is_made; /* it is there, because it may be made */
};

static int refuse(struct pol_reader *reader, int status, uint64_t offset, const char *why)
{
    fail(reader->error, status, "%s: offset %llu: %s", reader->input->name,
         (unsigned long long)offset, why);
    if (reader->error && reader->error->status == status) {
        reader->error->offset = offset;
    }
    return status;
}

/* A failure that is not the file's, with the place of the record. */
static int pass_on(struct pol_reader *reader, int status)
{
    return status == RS_OK ? RS_OK : refuse(reader, status, reader->record, rs_strerror(status));
}

/* ---- Bytes ---- */

/* Fills the chunk anew when it is used up; at the end of the file it stays empty. */
static int refill(struct pol_reader *reader)
{
    size_t got = 0;

    if (reader->used < reader->chunk.size) {
        return RS_OK;
    }
    int status = reader->input->read(reader->input, reader->chunk.data, CHUNK, &got);
    if (status != RS_OK) {
        return fail(reader->error, status, "%s: %s", reader->input->name, rs_strerror(status));
    }
    reader->used = 0;
    reader->chunk.size = got;
    return RS_OK;
}

/* The next bytes of the file, of which there must be so many. */
static int take(struct pol_reader *reader, void *to, size_t size)
{
    char *at = to;

    while (size > 0) {
        int status = refill(reader);
        if (status != RS_OK) {
            return status;
        }
        size_t part = reader->chunk.size - reader->used;
        if (part == 0) {
            return refuse(reader, RS_EFORMAT, reader->offset, "the file ends in the middle");
        }
        part = part < size ? part : size;
        memcpy(at, reader->chunk.data + reader->used, part);
        reader->used += part;
        reader->offset += part;
        at += part;
        size -= part;
    }
    return RS_OK;
}

static int take_number(struct pol_reader *reader, uint32_t *number)
{
    int status = take(reader, number, sizeof *number);

    *number = le32toh(*number);
    return status;
}

static int expect(struct pol_reader *reader, char wanted, const char *why)
{
    uint64_t offset = reader->offset;
    char unit[2];
    int status = take(reader, unit, sizeof unit);

    if (status == RS_OK && (unit[0] != wanted || unit[1] != '\0')) {
        return refuse(reader, RS_EFORMAT, offset, why);
    }
    return status;
}

/* ---- A record ---- */

/* Units up to a NUL as WTF-8. */
static int take_name(struct pol_reader *reader, struct buffer *name, size_t max_units,
                     const char *too_long)
{
    uint64_t offset = reader->offset;
    struct buffer *units = &reader->units;
    int status;

    units->size = 0;
    name->size = 0;
    for (;;) {
        char unit[2];
        status = take(reader, unit, sizeof unit);
        if (status != RS_OK || (unit[0] == '\0' && unit[1] == '\0')) {
            break;
        }
        if (units->size == max_units * sizeof unit) {
            return refuse(reader, RS_ETOOLONG, offset, too_long);
        }
        status = buffer_append(units, unit, sizeof unit);
        if (status != RS_OK) {
            return pass_on(reader, status);
        }
    }
    if (status != RS_OK) {
        return status;
    }
    status = text_from_utf16(name, units->data, units->size);
    return pass_on(reader, status == RS_OK ? buffer_terminate(name) : status);
}

/* Memory is taken as data comes, not as much as the file claims to have. */
static int take_data(struct pol_reader *reader, uint32_t size)
{
    struct buffer *data = &reader->data;
    int status = RS_OK;

    data->size = 0;
    while (data->size < size && status == RS_OK) {
        size_t part = size - data->size < CHUNK ? size - data->size : CHUNK;
        status = buffer_reserve(data, part);
        if (status != RS_OK) {
            return pass_on(reader, status);
        }
        status = take(reader, data->data + data->size, part);
        data->size += part;
    }
    return status;
}

static int take_size_and_data(struct pol_reader *reader)
{
    uint64_t offset = reader->offset;
    uint32_t size;
    int status = take_number(reader, &size);

    if (status == RS_OK && size > RS_MAX_DATA) {
        return refuse(reader, RS_ETOOBIG, offset, "more data than a value may have");
    }
    if (status == RS_OK) {
        status = expect(reader, ';', "no ';' after the size");
    }
    return status == RS_OK ? take_data(reader, size) : status;
}

/* The record that begins here. */
static int take_record(struct pol_reader *reader)
{
    int status;

    reader->record = reader->offset;
    if ((status = expect(reader, '[', "no '[' where a record begins")) != RS_OK ||
        (status = take_name(reader, &reader->key, MAX_KEY_UNITS, "the key's path is too long")) !=
            RS_OK ||
        (status = expect(reader, ';', "no ';' after the key")) != RS_OK ||
        (status = take_name(reader, &reader->name, MAX_NAME_UNITS,
                            "the value's name is too long")) != RS_OK ||
        (status = expect(reader, ';', "no ';' after the value's name")) != RS_OK ||
        (status = take_number(reader, &reader->type)) != RS_OK ||
        (status = expect(reader, ';', "no ';' after the type")) != RS_OK ||
        (status = take_size_and_data(reader)) != RS_OK ||
        (status = expect(reader, ']', "no ']' where a record ends")) != RS_OK) {
        return status;
    }
    if (reader->key.size == 0) {
        return refuse(reader, RS_EFORMAT, reader->record, "a record without a key");
    }
    return RS_OK;
}

/* ---- What it means ---- */

static int close_key(struct pol_reader *reader)
{
    bool was_open = reader->is_open;

    reader->is_open = false;
    return was_open ? reader->sink->key_end(reader->sink) : RS_OK;
}

/* The record's key; one that is open for the record before stays so. */
static int open_key(struct pol_reader *reader, bool made)
{
    struct format_key key = {
        .name = reader->key.data, .name_len = reader->key.size, .only_if_there = !made};

    if (reader->is_open && reader->is_made >= made && reader->open.size == key.name_len &&
        memcmp(reader->open.data, key.name, key.name_len) == 0) {
        return RS_OK;
    }
    int status = close_key(reader);
    reader->open.size = 0;
    if (status == RS_OK) {
        status = buffer_append(&reader->open, key.name, key.name_len);
    }
    if (status == RS_OK) {
        status = reader->sink->key_begin(reader->sink, &key);
    }
    reader->is_open = status == RS_OK;
    reader->is_made = made;
    return status;
}

static int leave_out(struct pol_reader *reader, enum rs_loss_kind kind, const char *name,
                     size_t len)
{
    struct format_key key = {.name = reader->key.data, .name_len = reader->key.size};
    int status = close_key(reader);

    return status == RS_OK ? reader->sink->left_out(reader->sink, kind, &key, name, len) : status;
}

static int delete_value(struct pol_reader *reader, const char *name, size_t len)
{
    int status = open_key(reader, false);

    return status == RS_OK ? reader->sink->value_delete(reader->sink, name, len) : status;
}

static int delete_subkey(struct pol_reader *reader, const char *name, size_t len)
{
    struct buffer *path = &reader->path;
    int status = close_key(reader);

    path->size = 0;
    if (status == RS_OK) {
        status = buffer_printf(path, "%s\\", reader->key.data);
    }
    if (status == RS_OK) {
        status = buffer_append(path, name, len);
    }
    if (status == RS_OK) {
        status = buffer_terminate(path);
    }
    struct format_key key = {.name = path->data, .name_len = path->size};
    return status == RS_OK ? reader->sink->key_delete(reader->sink, &key) : status;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* Each name of the list in the data, without the blanks around it. */
static int each_name(struct pol_reader *reader,
                     int (*call)(struct pol_reader *reader, const char *name, size_t len))
{
    struct buffer *list = &reader->list;

    list->size = 0;
    int status = text_from_utf16(list, reader->data.data,
                                 text_utf16_end(reader->data.data, reader->data.size));
    for (size_t at = 0; status == RS_OK && at < list->size;) {
        const char *semicolon = memchr(list->data + at, ';', list->size - at);
        size_t end = semicolon ? (size_t)(semicolon - list->data) : list->size;
        size_t next = end + 1;
        while (at < end && is_space(list->data[at])) {
            at++;
        }
        while (end > at && is_space(list->data[end - 1])) {
            end--;
        }
        if (end > at) {
            status = call(reader, list->data + at, end - at);
        }
        at = next;
    }
    return status;
}

/* ---- Directives: each gets what stands behind its word in the value's name ---- */

static int on_del(struct pol_reader *reader, const char *rest, size_t len)
{
    return delete_value(reader, rest, len);
}

static int on_del_vals(struct pol_reader *reader, const char *rest, size_t len)
{
    (void)rest;
    (void)len;
    int status = open_key(reader, false);
    return status == RS_OK ? reader->sink->values_delete(reader->sink) : status;
}

static int on_delete_values(struct pol_reader *reader, const char *rest, size_t len)
{
    (void)rest;
    (void)len;
    return each_name(reader, delete_value);
}

static int on_delete_keys(struct pol_reader *reader, const char *rest, size_t len)
{
    (void)rest;
    (void)len;
    return each_name(reader, delete_subkey);
}

static int on_secure_key(struct pol_reader *reader, const char *rest, size_t len)
{
    (void)rest;
    (void)len;
    return leave_out(reader, RS_LOSS_RIGHTS, NULL, 0);
}

static int on_soft(struct pol_reader *reader, const char *rest, size_t len)
{
    if (reader->data.size == 0) {
        return leave_out(reader, RS_LOSS_LINE, reader->name.data, reader->name.size);
    }
    rs_value value = {.name = rest,
                      .name_len = len,
                      .type = reader->type,
                      .data = reader->data.data,
                      .size = reader->data.size};
    int status = open_key(reader, true);

    return status == RS_OK ? reader->sink->value_add(reader->sink, &value) : status;
}

static const struct {
    const char *word;
    int (*call)(struct pol_reader *reader, const char *rest, size_t len);
    bool named; /* a value's name follows */
} directives[] = {
    {"**Del.", on_del, true},
    {"**DelVals", on_del_vals, false}, /* written with a dot and without */
    {"**DeleteValues", on_delete_values, false},
    {"**DeleteKeys", on_delete_keys, false},
    {"**SecureKey", on_secure_key, false},
    {"**soft.", on_soft, true},
};

/* Nothing that counts follows a directive that has no name behind it. */
static bool is_end(const char *text, size_t len)
{
    if (len > 0 && *text == '.') {
        text++;
        len--;
    }
    while (len > 0 && is_space(*text)) {
        text++;
        len--;
    }
    return len == 0;
}

static int apply_directive(struct pol_reader *reader)
{
    const struct buffer *name = &reader->name;

    for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++) {
        size_t len = strlen(directives[i].word);
        if (name->size < len || strncasecmp(name->data, directives[i].word, len) != 0) {
            continue;
        }
        const char *rest = name->data + len;
        if (directives[i].named || is_end(rest, name->size - len)) {
            return directives[i].call(reader, rest, name->size - len);
        }
    }
    return leave_out(reader, RS_LOSS_LINE, name->data, name->size);
}

static int apply_value(struct pol_reader *reader)
{
    rs_value value = {.name = reader->name.data,
                      .name_len = reader->name.size,
                      .type = reader->type,
                      .data = reader->data.data,
                      .size = reader->data.size};
    int status = open_key(reader, true);

    if (status != RS_OK) {
        return status;
    }
    if (value.size > 0) {
        return reader->sink->value(reader->sink, &value);
    }
    return value.name_len > 0
               ? format_tell_loss(reader->sink, RS_LOSS_LINE, value.name, value.name_len)
               : RS_OK;
}

/* ---- The file ---- */

static int read_header(struct pol_reader *reader)
{
    char signature[4];
    uint32_t version;
    int status = take(reader, signature, sizeof signature);

    if (status == RS_OK && memcmp(signature, POL_SIGNATURE, sizeof signature) != 0) {
        return refuse(reader, RS_EFORMAT, 0, "not a Registry.pol file");
    }
    if (status == RS_OK) {
        status = take_number(reader, &version);
    }
    if (status == RS_OK && version != 1) {
        return refuse(reader, RS_EFORMAT, sizeof signature, "a version other than 1");
    }
    return status;
}

static int read_records(struct pol_reader *reader)
{
    int status = refill(reader);

    while (status == RS_OK && reader->chunk.size > 0) {
        status = take_record(reader);
        if (status == RS_OK) {
            bool directive = reader->name.size > 2 && memcmp(reader->name.data, "**", 2) == 0;
            status = pass_on(reader, directive ? apply_directive(reader) : apply_value(reader));
        }
        if (status == RS_OK) {
            status = refill(reader);
        }
    }
    return status == RS_OK ? pass_on(reader, close_key(reader)) : status;
}

static int pol_read(struct format_input *input, struct format_sink *sink, rs_error *error)
{
    struct pol_reader reader = {.input = input, .sink = sink, .error = error};
    int status = pass_on(&reader, buffer_reserve(&reader.chunk, CHUNK));

    if (status == RS_OK) {
        status = read_header(&reader);
    }
    if (status == RS_OK) {
        status = read_records(&reader);
    }
    buffer_free(&reader.chunk);
    buffer_free(&reader.units);
    buffer_free(&reader.key);
    buffer_free(&reader.name);
    buffer_free(&reader.data);
    buffer_free(&reader.list);
    buffer_free(&reader.path);
    buffer_free(&reader.open);
    return status;
}

const struct format format_pol = {
    .name = "pol",
    .suffix = ".pol",
    .patch = true,
    .read = pol_read,
};
