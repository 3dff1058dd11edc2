/*
 * fuzz_reg.c - fuzz target: a .reg file through its reader, and what it means through the writer.
 *
 * Checks what a sink is promised of a patch, that how the file is cut into reads changes nothing,
 * and that what was read, written in the form that loses nothing, reads as the same again. Needs
 * fuzz_patch.
 */
#include "fuzz.h"
#include "fuzz_patch.h"
#include "../../regstore/format_reg.h"

#include <stdlib.h>
#include <string.h>

static int read_input(const uint8_t *data, size_t size, size_t step, struct format_sink *sink,
                      rs_error *error)
{
    return read_memory_as(&format_reg, data, size, step, sink, error);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/* Takes the lines about losses out of what a recorder wrote. */
static void drop_losses(char *events)
{
    char *out = events;

    for (char *line = events; *line != '\0';) {
        size_t len = strcspn(line, "\n") + 1;
        if (strncmp(line, "loss ", 5) != 0) {
            memmove(out, line, len);
            out += len;
        }
        line += len;
    }
    *out = '\0';
}

/* Writes what the input means with a format. */
static void rewrite(const uint8_t *data, size_t size, const struct format *format, bool exact,
                    struct memory_output *output)
{
    struct format_sink *sink;

    memory_output_begin(output);
    output->output.exact = exact;
    FUZZ_CHECK(format->write_begin(&output->output, &sink) == RS_OK);
    int status = read_input(data, size, size + 1, sink, NULL);
    FUZZ_CHECK(format->write_end(sink, status == RS_OK) == RS_OK && status == RS_OK);
}

static void check_again(const uint8_t *data, size_t size, const char *events,
                        const struct format *format)
{
    rs_error error = RS_ERROR_INIT;
    struct memory_output output;

    rewrite(data, size, format, true, &output);
    char *again = events_as(format, output.bytes.data, output.bytes.size, &error);
    FUZZ_CHECK(error.status == RS_OK && strcmp(events, again) == 0);
    free(again);
    buffer_free(&output.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rs_error error = RS_ERROR_INIT;

    fuzz_patch(data, size, true, read_input);
    char *events = events_as(&format_reg, data, size, &error);
    if (error.status == RS_OK) {
        drop_losses(events);
        check_again(data, size, events, &format_reg_utf8);
        check_again(data, size, events, &format_reg);
    }
    free(events);
    return 0;
}
