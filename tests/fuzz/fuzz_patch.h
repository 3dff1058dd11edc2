/*
 * fuzz_patch.h - what a sink is promised of a patch, checked while its events are recorded.
 *
 * For the targets of formats that are patches. Needs fuzz.h and the recorder.
 */
#ifndef FUZZ_PATCH_H
#define FUZZ_PATCH_H

#include "../recorder.h"

/* Reads the input in steps, whatever that means for the format. */
typedef int fuzz_patch_read(const uint8_t *data, size_t size, size_t step, struct format_sink *sink,
                            rs_error *error);

/* Reads the input whole and in small steps; both must come to the same, and all that is told must
 * be as format.h says. absolute: whether the keys of the format are rooted. */
void fuzz_patch(const uint8_t *data, size_t size, bool absolute, fuzz_patch_read *read);

#endif
