/*
 * fuzz_patch.c - see fuzz_patch.h.
 */
#include "fuzz_patch.h"
#include "fuzz.h"

#include <string.h>

#define SMALLEST_STEP 40u

struct checker {
    struct format_sink sink; /* the first member */
    struct recorder recorder;
    bool absolute;
    bool open;
};

static void check_name(const char *name, size_t len)
{
    size_t units;

    FUZZ_CHECK(name != NULL && text_units(name, len, &units) == RS_OK);
}

static void check_place(const struct checker *checker, const struct format_key *key)
{
    FUZZ_CHECK(!checker->open && !key->root && key->absolute == checker->absolute);
    check_name(key->name, key->name_len);
}

static int check_key(struct format_sink *sink, const struct format_key *key)
{
    struct checker *checker = (struct checker *)sink;

    check_place(checker, key);
    checker->open = true;
    return checker->recorder.sink.key_begin(&checker->recorder.sink, key);
}

static int check_end(struct format_sink *sink)
{
    struct checker *checker = (struct checker *)sink;

    FUZZ_CHECK(checker->open);
    checker->open = false;
    return checker->recorder.sink.key_end(&checker->recorder.sink);
}

static void check_data(const struct checker *checker, const rs_value *value)
{
    FUZZ_CHECK(checker->open);
    FUZZ_CHECK(value->size <= RS_MAX_DATA && (value->data != NULL || value->size == 0));
    check_name(value->name, value->name_len);
}

static int check_value(struct format_sink *sink, const rs_value *value)
{
    struct checker *checker = (struct checker *)sink;

    check_data(checker, value);
    return checker->recorder.sink.value(&checker->recorder.sink, value);
}

static int check_value_add(struct format_sink *sink, const rs_value *value)
{
    struct checker *checker = (struct checker *)sink;

    check_data(checker, value);
    return checker->recorder.sink.value_add(&checker->recorder.sink, value);
}

static int check_value_delete(struct format_sink *sink, const char *name, size_t len)
{
    struct checker *checker = (struct checker *)sink;

    FUZZ_CHECK(checker->open);
    check_name(name, len);
    return checker->recorder.sink.value_delete(&checker->recorder.sink, name, len);
}

static int check_values_delete(struct format_sink *sink)
{
    struct checker *checker = (struct checker *)sink;

    FUZZ_CHECK(checker->open);
    return checker->recorder.sink.values_delete(&checker->recorder.sink);
}

static int check_subkeys_delete(struct format_sink *sink)
{
    struct checker *checker = (struct checker *)sink;

    FUZZ_CHECK(checker->open);
    return checker->recorder.sink.subkeys_delete(&checker->recorder.sink);
}

static int check_key_delete(struct format_sink *sink, const struct format_key *key)
{
    struct checker *checker = (struct checker *)sink;

    check_place(checker, key);
    return checker->recorder.sink.key_delete(&checker->recorder.sink, key);
}

static int check_left_out(struct format_sink *sink, enum rs_loss_kind kind,
                          const struct format_key *key, const char *value, size_t value_len)
{
    struct checker *checker = (struct checker *)sink;

    check_place(checker, key);
    FUZZ_CHECK(rs_loss_text(kind) != NULL);
    return checker->recorder.sink.left_out(&checker->recorder.sink, kind, key, value, value_len);
}

static int check_loss(struct format_sink *sink, enum rs_loss_kind kind, const char *value,
                      size_t value_len)
{
    struct checker *checker = (struct checker *)sink;

    FUZZ_CHECK(rs_loss_text(kind) != NULL);
    return checker->recorder.sink.loss(&checker->recorder.sink, kind, value, value_len);
}

static void check_foreign(struct format_sink *sink)
{
    struct checker *checker = (struct checker *)sink;

    checker->recorder.sink.foreign(&checker->recorder.sink);
}

static int read_checked(struct checker *checker, const uint8_t *data, size_t size, size_t step,
                        fuzz_patch_read *read)
{
    rs_error error = RS_ERROR_INIT;

    recorder_begin(&checker->recorder);
    checker->sink = (struct format_sink){.key_begin = check_key,
                                         .value = check_value,
                                         .key_end = check_end,
                                         .value_add = check_value_add,
                                         .value_delete = check_value_delete,
                                         .values_delete = check_values_delete,
                                         .subkeys_delete = check_subkeys_delete,
                                         .key_delete = check_key_delete,
                                         .left_out = check_left_out,
                                         .loss = check_loss,
                                         .foreign = check_foreign};
    int status = read(data, size, step, &checker->sink, &error);
    FUZZ_CHECK(rs_status_name(status) != NULL && error.status == status);
    FUZZ_CHECK(status != RS_OK || !checker->open);
    FUZZ_CHECK(status == RS_OK || error.text[0] != '\0');
    FUZZ_CHECK(error.offset <= size);
    return status;
}

void fuzz_patch(const uint8_t *data, size_t size, bool absolute, fuzz_patch_read *read)
{
    struct checker whole = {.absolute = absolute};
    struct checker parts = {.absolute = absolute};
    int status = read_checked(&whole, data, size, size + SMALLEST_STEP, read);
    int again = read_checked(&parts, data, size, SMALLEST_STEP + size % 97, read);
    const struct buffer *lines = &whole.recorder.lines;

    FUZZ_CHECK(status == again);
    if (status == RS_OK) {
        FUZZ_CHECK(lines->size == parts.recorder.lines.size);
        FUZZ_CHECK(lines->size == 0 ||
                   memcmp(lines->data, parts.recorder.lines.data, lines->size) == 0);
    }
    recorder_free(&whole.recorder);
    recorder_free(&parts.recorder);
}
