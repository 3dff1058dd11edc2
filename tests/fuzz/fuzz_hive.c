/*
 * fuzz_hive.c - see fuzz_hive.h.
 */
#include "fuzz_hive.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

void fuzz_put32(unsigned char *at, uint32_t number)
{
    number = htole32(number);
    memcpy(at, &number, sizeof number);
}

void fuzz_seal(unsigned char *base)
{
    memcpy(base, "regf", 4);
    fuzz_put32(base + BASE_MAJOR, 1);
    fuzz_put32(base + BASE_SUM, regf_sum(base));
}

/* ---- Reading ---- */

static char *events(struct format_input *input)
{
    struct recorder recorder;
    rs_error error = RS_ERROR_INIT;

    recorder_begin(&recorder);
    int status = format_regf.read(input, &recorder.sink, &error);
    FUZZ_CHECK(rs_status_name(status) != NULL && error.status == status);
    FUZZ_CHECK((status == RS_OK) == (error.text[0] == '\0') && strchr(error.text, '\n') == NULL);
    if (status != RS_OK) {
        recorder.lines.size = 0;
    }
    FUZZ_CHECK(buffer_append(&recorder.lines, "", 1) == RS_OK);
    return recorder.lines.data;
}

/* ---- Writing again ---- */

/* Writes what a hive holds; false if it holds what cannot be written. */
static bool write_again(struct format_input *input, struct memory_output *output)
{
    rs_error error = RS_ERROR_INIT;
    rs_error why = RS_ERROR_INIT;
    struct format_sink *sink;

    memory_output_begin(output);
    output->output.error = &error;
    FUZZ_CHECK(format_regf.write_begin(&output->output, &sink) == RS_OK);
    int status = format_regf.read(input, sink, &why);
    int ended = format_regf.write_end(sink, status == RS_OK);
    return status == RS_OK && ended == RS_OK;
}

static bool write_memory(const struct buffer *hive, struct memory_output *output)
{
    rs_error error = RS_ERROR_INIT;
    struct format_sink *sink;

    memory_output_begin(output);
    output->output.error = &error;
    FUZZ_CHECK(format_regf.write_begin(&output->output, &sink) == RS_OK);
    int status = read_memory_as(&format_regf, hive->data, hive->size, hive->size, sink, &error);
    FUZZ_CHECK(status == RS_OK && format_regf.write_end(sink, true) == RS_OK);
    return true;
}

/* What is written of a hive that we have written is the same to the byte. */
static void check_written(struct format_input *input)
{
    struct memory_output first;
    struct memory_output second = {.bytes = BUFFER_INIT};

    if (write_again(input, &first) && write_memory(&first.bytes, &second)) {
        FUZZ_CHECK(first.bytes.size == second.bytes.size &&
                   memcmp(first.bytes.data, second.bytes.data, first.bytes.size) == 0);
    }
    buffer_free(&first.bytes);
    buffer_free(&second.bytes);
}

char *fuzz_read_hive(struct format_input *input, fuzz_reopen *reopen)
{
    reopen(input);
    char *first = events(input);
    reopen(input);
    char *second = events(input);

    FUZZ_CHECK(strcmp(first, second) == 0);
    free(second);
    if (*first != '\0') {
        reopen(input);
        check_written(input);
    }
    return first;
}
