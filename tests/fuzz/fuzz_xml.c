/*
 * fuzz_xml.c - fuzz target: a dump through the XML reader.
 *
 * Checks what a sink is promised (key_begin() and key_end() match, values come before subkeys,
 * limits hold), and that the size of the reader's chunks changes nothing. Needs format_xml.
 */
#include "fuzz.h"
#include "../recorder.h"
#include "../../regstore/format_xml.h"

#include <string.h>

#define SMALLEST_CHUNK 40u

struct checker {
    struct recorder recorder; /* the first member */
    struct recorder plain;    /* its calls */
    size_t depth;
    bool started;
    bool subkeys[RS_MAX_DEPTH + 2]; /* of each open key: whether it has one */
};

static int check_key(struct format_sink *sink, const struct format_key *key)
{
    struct checker *checker = (struct checker *)sink;

    FUZZ_CHECK(checker->depth <= RS_MAX_DEPTH);
    FUZZ_CHECK(key->root == (checker->depth == 0));
    FUZZ_CHECK(key->name != NULL && (key->root || !key->absolute));
    if (checker->depth > 0) {
        checker->subkeys[checker->depth] = true;
    }
    checker->depth++;
    checker->subkeys[checker->depth] = false;
    checker->started = true;
    return checker->plain.sink.key_begin(sink, key);
}

static int check_value(struct format_sink *sink, const rs_value *value)
{
    struct checker *checker = (struct checker *)sink;
    size_t units;

    FUZZ_CHECK(checker->depth > 0 && !checker->subkeys[checker->depth]);
    FUZZ_CHECK(value->size <= RS_MAX_DATA && (value->data != NULL || value->size == 0));
    FUZZ_CHECK(text_units(value->name, value->name_len, &units) == RS_OK);
    FUZZ_CHECK(units <= RS_MAX_VALUE_NAME);
    return checker->plain.sink.value(sink, value);
}

static int check_end(struct format_sink *sink)
{
    struct checker *checker = (struct checker *)sink;

    FUZZ_CHECK(checker->depth > 0);
    checker->depth--;
    return checker->plain.sink.key_end(sink);
}

static int check_loss(struct format_sink *sink, enum rs_loss_kind kind, const char *value,
                      size_t value_len)
{
    struct checker *checker = (struct checker *)sink;

    FUZZ_CHECK(checker->depth > 0 && rs_loss_text(kind) != NULL);
    return checker->plain.sink.loss(sink, kind, value, value_len);
}

static void check_foreign(struct format_sink *sink)
{
    struct checker *checker = (struct checker *)sink;

    FUZZ_CHECK(!checker->started);
    checker->plain.sink.foreign(sink);
}

static int read_checked(struct checker *checker, const uint8_t *data, size_t size, size_t chunk)
{
    rs_error error = RS_ERROR_INIT;

    memset(checker, 0, sizeof *checker);
    recorder_begin(&checker->plain);
    recorder_begin(&checker->recorder);
    checker->recorder.sink = (struct format_sink){.key_begin = check_key,
                                                  .value = check_value,
                                                  .key_end = check_end,
                                                  .loss = check_loss,
                                                  .foreign = check_foreign};
    int status = read_memory(data, size, chunk, chunk, &checker->recorder.sink, &error);
    FUZZ_CHECK(rs_status_name(status) != NULL && error.status == status);
    FUZZ_CHECK(status != RS_OK || (checker->depth == 0 && checker->started));
    FUZZ_CHECK(status == RS_OK || error.text[0] != '\0');
    FUZZ_CHECK(error.offset <= size);
    return status;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct checker whole, parts;
    int status = read_checked(&whole, data, size, XML_CHUNK);
    int again = read_checked(&parts, data, size, SMALLEST_CHUNK + size % 97);

    FUZZ_CHECK(status == again);
    if (status == RS_OK) {
        FUZZ_CHECK(whole.recorder.lines.size == parts.recorder.lines.size);
        FUZZ_CHECK(memcmp(whole.recorder.lines.data, parts.recorder.lines.data,
                          whole.recorder.lines.size) == 0);
    }
    recorder_free(&whole.recorder);
    recorder_free(&parts.recorder);
    return 0;
}
