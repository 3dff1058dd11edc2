/*
 * format_regf_read.c - a hive's keys and values become events.
 *
 * The walk keeps a list of subkeys per level and does not recurse. libhivex checks that what it
 * gives lies in the hive; what it does not check is checked here: that names and classes lie in
 * their cells, that no key and no value is met twice (a damaged hive can lead back to a key that is
 * open, or to one key from a million places), and that all data together is no more than the file
 * could hold. Needs libhivex.
 */
#include "format_regf.h"

#include <errno.h>
#include <stdlib.h>

struct level {
    hive_node_h *subkeys; /* ends with 0; NULL when the key is at its end */
    size_t next;
};

struct reader {
    struct regf_hive hive;
    struct format_sink *sink;
    unsigned char *met; /* a bit for each place where a cell can begin */
    struct level levels[RS_MAX_DEPTH + 1];
    size_t depth;
    size_t data; /* bytes of data in cells of their own, so far */
    struct buffer name;
    struct buffer class_name;
    bool class_lost;
};

/* ---- Records ---- */

/* The bytes of a cell behind its length, and how many these are; NULL if it does not lie in the
 * hive. */
static const unsigned char *find_cell(const struct regf_hive *hive, size_t offset, size_t *size)
{
    if (offset < REGF_BASE || offset > hive->size || hive->size - offset < 4) {
        return NULL;
    }
    int64_t len = (int32_t)regf_get32(hive->bytes + offset);
    size_t whole = (size_t)(len < 0 ? -len : len);
    if (whole < 4 || whole > hive->size - offset) {
        return NULL;
    }
    *size = whole - 4;
    return hive->bytes + offset + 4;
}

/* A record that libhivex has given; it must have at least its fixed part. */
static const unsigned char *find_record(const struct regf_hive *hive, size_t offset,
                                        const char *mark, size_t fixed, size_t *size)
{
    const unsigned char *record = find_cell(hive, offset, size);

    return record && *size >= fixed && memcmp(record, mark, 2) == 0 ? record : NULL;
}

/* A name of a byte a character. */
static int append_latin(struct buffer *name, const unsigned char *bytes, size_t size)
{
    int status = buffer_reserve(name, 2 * size);

    for (size_t i = 0; status == RS_OK && i < size; i++) {
        if (bytes[i] < 0x80) {
            status = buffer_append_byte(name, bytes[i]);
            continue;
        }
        status = buffer_append_byte(name, (unsigned char)(0xc0 | bytes[i] >> 6));
        if (status == RS_OK) {
            status = buffer_append_byte(name, (unsigned char)(0x80 | (bytes[i] & 0x3f)));
        }
    }
    return status;
}

/* The name in a record, as WTF-8 in the reader's buffer. */
static int take_name(struct reader *reader, size_t offset, const unsigned char *bytes, size_t size,
                     size_t room, bool latin)
{
    int status = buffer_reserve(&reader->name, 1); /* an empty name has a place, too */

    reader->name.size = 0;
    if (status != RS_OK) {
        return status;
    }
    if (size > room) {
        return regf_bad(&reader->hive, offset, "a name of %zu bytes in a cell with room for %zu",
                        size, room);
    }
    return latin ? append_latin(&reader->name, bytes, size)
                 : text_from_utf16(&reader->name, bytes, size);
}

/* The class name of a key. One that does not lie in its cell is told as lost: libhivex does not
 * look at it, and everything else can be read. */
static int take_class(struct reader *reader, const unsigned char *key)
{
    size_t wanted = regf_get16(key + NK_CLASS_SIZE);
    uint32_t place = regf_get32(key + NK_CLASS);
    size_t size;

    reader->class_name.size = 0;
    reader->class_lost = false;
    if (wanted == 0 || place == REGF_NONE) {
        return RS_OK;
    }
    const unsigned char *bytes = find_cell(&reader->hive, REGF_BASE + place, &size);
    if (!bytes || wanted > size) {
        reader->class_lost = true;
        return RS_OK;
    }
    return text_from_utf16(&reader->class_name, bytes, wanted);
}

/* Each key and each value is met once. */
static int meet(struct reader *reader, size_t offset)
{
    unsigned char *byte = &reader->met[offset / 32];
    unsigned char bit = (unsigned char)(1u << offset / 4 % 8);

    if (*byte & bit) {
        return regf_bad(&reader->hive, offset, "the hive leads here twice");
    }
    *byte |= bit;
    return RS_OK;
}

static int no_answer(struct reader *reader, size_t offset, const char *what)
{
    int number = errno;
    int status = number == ENOMEM ? RS_ENOMEM : regf_check_length(&reader->hive);

    return status != RS_OK
               ? status
               : regf_bad(&reader->hive, offset, "libhivex cannot read %s: %s", what,
                          strerrordesc_np(number) ? strerrordesc_np(number) : "no reason");
}

/* ---- Values ---- */

static int count_data(struct reader *reader, size_t offset, size_t size)
{
    if (size > 4) {
        reader->data += size;
    }
    if (reader->data > reader->hive.size) {
        return regf_bad(&reader->hive, offset, "values share their data");
    }
    return RS_OK;
}

static int tell_value(struct reader *reader, hive_value_h offset)
{
    size_t room;
    size_t size;
    hive_type type;
    const unsigned char *record = find_record(&reader->hive, offset, "vk", VK_NAME, &room);

    if (!record) {
        return regf_bad(&reader->hive, offset, "a value's record is damaged");
    }
    int status = meet(reader, offset);
    if (status == RS_OK) {
        status = take_name(reader, offset, record + VK_NAME, regf_get16(record + VK_NAME_SIZE),
                           room - VK_NAME, (record[VK_FLAGS] & VK_IS_LATIN) != 0);
    }
    if (status != RS_OK) {
        return status;
    }
    errno = 0;
    char *data = hivex_value_value(reader->hive.handle, offset, &type, &size);
    if (!data) {
        return no_answer(reader, offset, "the data of a value");
    }
    status = count_data(reader, offset, size);
    if (status == RS_OK) {
        rs_value value = {.name = reader->name.data,
                          .name_len = reader->name.size,
                          .type = regf_get32(record + VK_TYPE),
                          .data = data,
                          .size = size};
        status = reader->sink->value(reader->sink, &value);
    }
    free(data);
    return status;
}

static int tell_values(struct reader *reader, hive_node_h key)
{
    errno = 0;
    hive_value_h *values = hivex_node_values(reader->hive.handle, key);
    int status = RS_OK;

    if (!values) {
        return no_answer(reader, key, "the values of a key");
    }
    for (size_t i = 0; status == RS_OK && values[i] != 0; i++) {
        status = tell_value(reader, values[i]);
    }
    free(values);
    return status;
}

/* ---- Keys ---- */

static int tell_key(struct reader *reader, hive_node_h offset, const unsigned char *record)
{
    bool root = reader->depth == 0;
    struct format_key key = {
        .name = reader->name.data,
        .name_len = reader->name.size,
        .root = root,
        .class_name = reader->class_name.size > 0 ? reader->class_name.data : "",
        .class_len = reader->class_name.size,
        .written = regf_get64(record + NK_WRITTEN),
        .flags = regf_get16(record + NK_FLAGS) & NK_IS_LINK ? RS_KEY_LINK : 0,
    };
    int status = reader->sink->key_begin(reader->sink, &key);

    if (status == RS_OK && root && reader->hive.stale) {
        status = format_tell_loss(reader->sink, RS_LOSS_STALE, NULL, 0);
    }
    if (status == RS_OK && reader->class_lost) {
        status = format_tell_loss(reader->sink, RS_LOSS_CLASS, NULL, 0);
    }
    if (status == RS_OK && key.written == 0) {
        status = format_tell_loss(reader->sink, RS_LOSS_TIME, NULL, 0);
    }
    return status == RS_OK ? tell_values(reader, offset) : status;
}

/* Tells a key and its values and opens the list of its subkeys. */
static int enter(struct reader *reader, hive_node_h offset)
{
    size_t room;
    const unsigned char *record = find_record(&reader->hive, offset, "nk", NK_NAME, &room);

    if (!record) {
        return regf_bad(&reader->hive, offset, "a key's record is damaged");
    }
    int status = meet(reader, offset);
    if (status == RS_OK && reader->depth > RS_MAX_DEPTH) {
        status = regf_bad(&reader->hive, offset, "keys are nested deeper than %d", RS_MAX_DEPTH);
    }
    if (status == RS_OK) {
        status = take_name(reader, offset, record + NK_NAME, regf_get16(record + NK_NAME_SIZE),
                           room - NK_NAME, (regf_get16(record + NK_FLAGS) & NK_IS_LATIN) != 0);
    }
    if (status == RS_OK) {
        status = take_class(reader, record);
    }
    if (status == RS_OK) {
        status = tell_key(reader, offset, record);
    }
    if (status != RS_OK) {
        return status;
    }
    errno = 0;
    hive_node_h *subkeys = hivex_node_children(reader->hive.handle, offset);
    if (!subkeys) {
        return no_answer(reader, offset, "the subkeys of a key");
    }
    reader->levels[reader->depth++] = (struct level){subkeys, 0};
    return RS_OK;
}

static int leave(struct reader *reader)
{
    free(reader->levels[--reader->depth].subkeys);
    return reader->sink->key_end(reader->sink);
}

static int walk(struct reader *reader)
{
    errno = 0;
    hive_node_h root = hivex_root(reader->hive.handle);
    int status = root ? enter(reader, root) : no_answer(reader, REGF_BASE, "the outermost key");

    while (status == RS_OK && reader->depth > 0) {
        struct level *level = &reader->levels[reader->depth - 1];
        hive_node_h subkey = level->subkeys[level->next];
        level->next++;
        status = subkey ? enter(reader, subkey) : leave(reader);
    }
    return status;
}

int regf_read(struct format_input *input, struct format_sink *sink, rs_error *error)
{
    struct reader *reader = calloc(1, sizeof *reader);

    if (!reader) {
        return RS_ENOMEM;
    }
    reader->sink = sink;
    int status = regf_open(&reader->hive, input, error);
    if (status == RS_OK) {
        reader->met = calloc(1, reader->hive.size / 32 + 1);
        status = reader->met ? walk(reader) : RS_ENOMEM;
    }
    while (reader->depth > 0) {
        free(reader->levels[--reader->depth].subkeys);
    }
    regf_close(&reader->hive);
    free(reader->met);
    buffer_free(&reader->name);
    buffer_free(&reader->class_name);
    free(reader);
    return status;
}
