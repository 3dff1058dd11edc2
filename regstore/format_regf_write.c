/*
 * format_regf_write.c - events become a hive.
 *
 * Keys and values are put into the image as they come; a key's lists follow when its values and its
 * subkeys have come. Subkeys come in the order of their folded names, which is that of a hive. The
 * same events give the same bytes. What a hive of ours must not hold (format_regf.c tells it) is
 * collected, so that the error names all of it, or the first ten. Needs format_regf.h and text.
 */
#include "format_regf.h"

#include <stdlib.h>

#define TOLD 10 /* unfit names that an error lists */

struct frame {
    uint32_t cell;
    struct buffer subkeys; /* pairs: offset, hash of the name */
    size_t path;           /* the length of the path above the key */
    uint32_t longest_name;
    uint32_t longest_class;
    uint32_t longest_value_name;
    uint32_t largest_data;
};

struct writer {
    struct format_sink sink; /* the first member */
    struct format_output *output;
    struct regf_image image;
    struct frame frames[RS_MAX_DEPTH + 2];
    size_t depth;
    uint32_t root;
    uint32_t security;
    uint32_t keys;
    uint64_t written;     /* of the outermost key */
    struct buffer values; /* offsets, of the innermost key */
    struct buffer path;   /* of the innermost key */
    struct buffer text;   /* UTF-16 of a name */
    struct buffer unfit;  /* the list for the error */
    size_t unfit_count;
};

static void keep(struct writer *writer, int status)
{
    if (writer->image.status == RS_OK) {
        writer->image.status = status;
    }
}

/* ---- What a hive must not hold ---- */

/* NUL, or a lone surrogate (in WTF-8 an ED with A0 or more behind it). */
static bool is_unfit(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (name[i] == '\0' ||
            ((unsigned char)name[i] == 0xed && i + 1 < len && (unsigned char)name[i + 1] >= 0xa0)) {
            return true;
        }
    }
    return false;
}

/* A name with its NULs made visible; the error escapes the rest. */
static void append_visible(struct writer *writer, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (name[i] == '\0') {
            keep(writer, buffer_append_text(&writer->unfit, "\\x00"));
        } else {
            keep(writer, buffer_append_byte(&writer->unfit, (unsigned char)name[i]));
        }
    }
}

/* The innermost key, or a value of it, has a name that does not fit. */
static void note_unfit(struct writer *writer, const char *value, size_t len)
{
    if (writer->unfit_count++ >= TOLD) {
        return;
    }
    keep(writer, buffer_append_text(&writer->unfit, writer->unfit.size > 0 ? ", " : ""));
    append_visible(writer, writer->path.data, writer->path.size);
    if (value) {
        keep(writer, buffer_append_text(&writer->unfit, ": value "));
        append_visible(writer, value, len);
    }
}

static int refuse_unfit(struct writer *writer)
{
    size_t more = writer->unfit_count > TOLD ? writer->unfit_count - TOLD : 0;
    int status = buffer_terminate(&writer->unfit);

    if (status != RS_OK) {
        return status;
    }
    if (more > 0) {
        return fail(writer->output->error, RS_ENAME,
                    "%zu names have a NUL or a lone surrogate, which a hive cannot hold: %s and "
                    "%zu more",
                    writer->unfit_count, writer->unfit.data, more);
    }
    return fail(writer->output->error, RS_ENAME,
                "names with a NUL or a lone surrogate, which a hive cannot hold: %s",
                writer->unfit.data);
}

/* The innermost key has more of something than can be read again. */
static void refuse(struct writer *writer, const char *what, size_t most)
{
    if (writer->image.status == RS_OK && buffer_terminate(&writer->path) == RS_OK) {
        keep(writer, fail(writer->output->error, RS_ETOOBIG,
                          "%s has %s than a hive can be read with: at most %zu", writer->path.data,
                          what, most));
    }
}

/* ---- Names ---- */

/* Turns a name into what is stored: a byte a character where that is possible. */
static bool encode_name(struct writer *writer, const char *name, size_t len)
{
    writer->text.size = 0;
    keep(writer, text_to_utf16(&writer->text, name, len));
    unsigned char *bytes = (unsigned char *)writer->text.data;
    size_t units = writer->text.size / 2;
    for (size_t i = 0; i < units; i++) {
        if (bytes[2 * i + 1] != 0) {
            return false;
        }
    }
    for (size_t i = 0; i < units; i++) {
        bytes[i] = bytes[2 * i];
    }
    writer->text.size = units;
    return true;
}

/* One unit of a folded name, which has a sequence of UTF-8 for each. */
static unsigned next_unit(const unsigned char **at)
{
    const unsigned char *text = *at;

    if (text[0] < 0x80) {
        *at = text + 1;
        return text[0];
    }
    if (text[0] < 0xe0) {
        *at = text + 2;
        return (text[0] & 0x1fu) << 6 | (text[1] & 0x3fu);
    }
    *at = text + 3;
    return (text[0] & 0x0fu) << 12 | (text[1] & 0x3fu) << 6 | (text[2] & 0x3fu);
}

/* The number by which a list of subkeys is searched. */
static uint32_t hash_name(struct writer *writer, const char *name, size_t len)
{
    char folded[3 * RS_MAX_KEY_NAME + 1];
    size_t size = 0;
    size_t units;
    uint32_t hash = 0;

    keep(writer, text_fold(name, len, folded, sizeof folded, &size, &units));
    if (writer->image.status != RS_OK) {
        return 0;
    }
    const unsigned char *at = (const unsigned char *)folded;
    const unsigned char *end = at + size;
    while (at < end) {
        hash = hash * 37 + next_unit(&at);
    }
    return hash;
}

static void raise_to(uint32_t *most, size_t number)
{
    if (number > *most) {
        *most = (uint32_t)number;
    }
}

/* ---- Keys ---- */

/* The values of a key have come: their list. */
static void end_values(struct writer *writer)
{
    struct frame *frame = &writer->frames[writer->depth - 1];
    size_t count = writer->values.size / 4;

    if (count == 0) {
        return;
    }
    if (count > REGF_MAX_VALUES) {
        refuse(writer, "more values", REGF_MAX_VALUES);
    }
    uint32_t list = regf_cell_of(&writer->image, writer->values.data, writer->values.size);
    regf_put32(&writer->image, frame->cell, NK_VALUES, (uint32_t)count);
    regf_put32(&writer->image, frame->cell, NK_VALUE_LIST, list);
    writer->values.size = 0;
}

/* O:BAG:SYD:(A;CI;KA;;;BA)(A;CI;KA;;;SY)(A;CI;KR;;;BU), self-relative. */
static const unsigned char security[] = {
    1,  0, 4,    0x80, 20,   0,    0,    0,    36, 0,  0, 0, 0, 0, 0,  0, 48, 0,  0,  0, 1,  2, 0,
    0,  0, 0,    0,    5,    32,   0,    0,    0,  32, 2, 0, 0, /* owner */
    1,  1, 0,    0,    0,    0,    0,    5,    18, 0,  0, 0,    /* group */
    2,  0, 76,   0,    3,    0,    0,    0,                     /* access */
    0,  2, 24,   0,    0x3f, 0,    0x0f, 0,    1,  2,  0, 0, 0, 0, 0,  5, 32, 0,  0,  0, 32, 2, 0,
    0,  0, 2,    20,   0,    0x3f, 0,    0x0f, 0,  1,  1, 0, 0, 0, 0,  0, 5,  18, 0,  0, 0,  0, 2,
    24, 0, 0x19, 0,    2,    0,    1,    2,    0,  0,  0, 0, 0, 5, 32, 0, 0,  0,  33, 2, 0,  0,
};

enum { SK_BEFORE = 4, SK_AFTER = 8, SK_USERS = 12, SK_SIZE = 16, SK_DATA = 20 };

static void put_security(struct writer *writer)
{
    struct regf_image *image = &writer->image;

    writer->security = regf_cell(image, SK_DATA + sizeof security);
    regf_put(image, writer->security, 0, "sk", 2);
    regf_put32(image, writer->security, SK_BEFORE, writer->security);
    regf_put32(image, writer->security, SK_AFTER, writer->security);
    regf_put32(image, writer->security, SK_SIZE, sizeof security);
    regf_put(image, writer->security, SK_DATA, security, sizeof security);
}

static void put_class(struct writer *writer, uint32_t cell, const struct format_key *key)
{
    writer->text.size = 0;
    keep(writer, text_to_utf16(&writer->text, key->class_name, key->class_len));
    uint32_t class = regf_cell_of(&writer->image, writer->text.data, writer->text.size);
    regf_put32(&writer->image, cell, NK_CLASS, class);
    regf_put16(&writer->image, cell, NK_CLASS_SIZE, (unsigned)writer->text.size);
    if (writer->depth > 0) {
        raise_to(&writer->frames[writer->depth - 1].longest_class, writer->text.size);
    }
}

/* The record of a key, but for its lists. */
static uint32_t put_key(struct writer *writer, const struct format_key *key, const char *name,
                        size_t len)
{
    struct regf_image *image = &writer->image;
    bool root = writer->depth == 0;
    bool latin = encode_name(writer, name, len);
    uint32_t cell = regf_cell(image, NK_NAME + writer->text.size);

    regf_put(image, cell, 0, "nk", 2);
    regf_put16(image, cell, NK_FLAGS,
               (root ? NK_IS_ROOT : 0u) | (latin ? NK_IS_LATIN : 0u) |
                   (key->flags & RS_KEY_LINK ? NK_IS_LINK : 0u));
    regf_put64(image, cell, NK_WRITTEN, key->written);
    regf_put32(image, cell, NK_PARENT, root ? REGF_NONE : writer->frames[writer->depth - 1].cell);
    regf_put32(image, cell, NK_SUBKEY_LIST, REGF_NONE);
    regf_put32(image, cell, NK_VOLATILE_LIST, REGF_NONE);
    regf_put32(image, cell, NK_VALUE_LIST, REGF_NONE);
    regf_put32(image, cell, NK_CLASS, REGF_NONE);
    regf_put16(image, cell, NK_NAME_SIZE, (unsigned)writer->text.size);
    regf_put(image, cell, NK_NAME, writer->text.data, writer->text.size);
    if (root) {
        put_security(writer);
    } else {
        raise_to(&writer->frames[writer->depth - 1].longest_name,
                 writer->text.size * (latin ? 2 : 1));
    }
    regf_put32(image, cell, NK_SECURITY, writer->security);
    if (key->class_len > 0) {
        put_class(writer, cell, key);
    }
    return cell;
}

/* A key is listed in the one that is open. */
static void list_subkey(struct writer *writer, uint32_t cell, const char *name, size_t len)
{
    struct frame *parent = &writer->frames[writer->depth - 1];
    const uint32_t pair[2] = {cell, hash_name(writer, name, len)};

    keep(writer, buffer_append(&parent->subkeys, pair, sizeof pair));
}

static int key_begin(struct format_sink *sink, const struct format_key *key)
{
    struct writer *writer = (struct writer *)sink;
    const char *name = key->name;
    size_t len = key->name_len;
    size_t path = writer->path.size;

    if (writer->depth > RS_MAX_DEPTH) {
        return RS_EDEPTH;
    }
    keep(writer, buffer_append_text(&writer->path, path > 0 ? "\\" : ""));
    keep(writer, buffer_append(&writer->path, name, len));
    if (writer->depth == 0) { /* a hive does not tell where it belongs */
        const char *slash = memrchr(name, '\\', len);
        len -= slash ? (size_t)(slash + 1 - name) : 0;
        name = slash ? slash + 1 : name;
    } else {
        end_values(writer);
    }
    if (is_unfit(name, len)) {
        note_unfit(writer, NULL, 0);
    }
    uint32_t cell = put_key(writer, key, name, len);
    if (writer->depth == 0) {
        writer->root = cell;
        writer->written = key->written;
    } else {
        list_subkey(writer, cell, name, len);
    }
    writer->keys++;
    writer->frames[writer->depth++] = (struct frame){.cell = cell, .path = path};
    return writer->image.status;
}

static int key_end(struct format_sink *sink)
{
    struct writer *writer = (struct writer *)sink;
    struct regf_image *image = &writer->image;

    end_values(writer);
    struct frame *frame = &writer->frames[writer->depth - 1];
    size_t count = frame->subkeys.size / (2 * sizeof(uint32_t));
    if (count > REGF_MAX_SUBKEYS) {
        refuse(writer, "more subkeys", REGF_MAX_SUBKEYS);
    }
    if (count > 0) {
        const uint32_t *pairs = (const void *)frame->subkeys.data;
        uint32_t list = regf_subkey_list(image, pairs, count);
        regf_put32(image, frame->cell, NK_SUBKEYS, (uint32_t)count);
        regf_put32(image, frame->cell, NK_SUBKEY_LIST, list);
    }
    regf_put32(image, frame->cell, NK_LONGEST_NAME, frame->longest_name);
    regf_put32(image, frame->cell, NK_LONGEST_CLASS, frame->longest_class);
    regf_put32(image, frame->cell, NK_LONGEST_VALUE_NAME, frame->longest_value_name);
    regf_put32(image, frame->cell, NK_LARGEST_DATA, frame->largest_data);
    buffer_free(&frame->subkeys);
    writer->path.size = frame->path;
    writer->depth--;
    return image->status;
}

/* ---- Values ---- */

static void put_data(struct writer *writer, uint32_t cell, const rs_value *value)
{
    struct regf_image *image = &writer->image;

    if (value->size <= 4) { /* it stands in the record itself */
        regf_put32(image, cell, VK_DATA_SIZE, (uint32_t)value->size | 0x80000000u);
        regf_put(image, cell, VK_DATA, value->data, value->size);
        return;
    }
    uint32_t data = regf_data(image, value->data, value->size);
    regf_put32(image, cell, VK_DATA_SIZE, (uint32_t)value->size);
    regf_put32(image, cell, VK_DATA, data);
}

static int value_event(struct format_sink *sink, const rs_value *value)
{
    struct writer *writer = (struct writer *)sink;
    struct regf_image *image = &writer->image;
    struct frame *frame = &writer->frames[writer->depth - 1];

    if (is_unfit(value->name, value->name_len)) {
        note_unfit(writer, value->name, value->name_len);
    }
    if (value->size > REGF_MAX_DATA) {
        refuse(writer, "a value with more bytes", REGF_MAX_DATA);
    }
    bool latin = encode_name(writer, value->name, value->name_len);
    uint32_t cell = regf_cell(image, VK_NAME + writer->text.size);
    regf_put(image, cell, 0, "vk", 2);
    regf_put16(image, cell, VK_NAME_SIZE, (unsigned)writer->text.size);
    regf_put32(image, cell, VK_TYPE, value->type);
    regf_put16(image, cell, VK_FLAGS, latin && value->name_len > 0 ? VK_IS_LATIN : 0);
    regf_put(image, cell, VK_NAME, writer->text.data, writer->text.size);
    raise_to(&frame->longest_value_name, writer->text.size * (latin ? 2 : 1));
    raise_to(&frame->largest_data, value->size);
    put_data(writer, cell, value);
    const uint32_t listed = htole32(cell);
    keep(writer, buffer_append(&writer->values, &listed, sizeof listed));
    return image->status;
}

/* ---- The file ---- */

int regf_write_begin(struct format_output *output, struct format_sink **sink)
{
    struct writer *writer = calloc(1, sizeof *writer);

    if (!writer) {
        return RS_ENOMEM;
    }
    writer->sink =
        (struct format_sink){.key_begin = key_begin, .value = value_event, .key_end = key_end};
    writer->output = output;
    *sink = &writer->sink;
    return RS_OK;
}

int regf_write_end(struct format_sink *sink, bool ok)
{
    struct writer *writer = (struct writer *)sink;
    int status = writer->image.status;

    if (ok && status == RS_OK && writer->unfit_count > 0) {
        status = refuse_unfit(writer);
    } else if (ok && status == RS_OK) {
        regf_put32(&writer->image, writer->security, SK_USERS, writer->keys);
        status = regf_image_write(&writer->image, writer->output, writer->root, writer->written);
    }
    while (writer->depth > 0) {
        buffer_free(&writer->frames[--writer->depth].subkeys);
    }
    buffer_free(&writer->image.bins);
    buffer_free(&writer->values);
    buffer_free(&writer->path);
    buffer_free(&writer->text);
    buffer_free(&writer->unfit);
    free(writer);
    return status;
}
