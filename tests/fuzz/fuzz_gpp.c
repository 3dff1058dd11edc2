/*
 * fuzz_gpp.c - fuzz target: a Group Policy Registry.xml through its reader.
 *
 * Checks what a sink is promised of a patch, and that how the file is cut into reads changes
 * nothing. Needs fuzz_patch.
 */
#include "fuzz.h"
#include "fuzz_patch.h"
#include "../../regstore/format_xml.h"

static int read_input(const uint8_t *data, size_t size, size_t step, struct format_sink *sink,
                      rs_error *error)
{
    return read_gpp_memory(data, size, step, step, sink, error);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_patch(data, size, true, read_input);
    return 0;
}
