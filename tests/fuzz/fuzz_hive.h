/*
 * fuzz_hive.h - hives for the fuzz targets: made, sealed, read and written again.
 *
 * Needs fuzz.h and the recorder.
 */
#ifndef FUZZ_HIVE_H
#define FUZZ_HIVE_H

#include "../recorder.h"
#include "../../regstore/format_regf.h"

extern const struct format format_regf;

void fuzz_put32(unsigned char *at, uint32_t number);
/* Makes a base block one that passes for a hive's: its mark, version and checksum. */
void fuzz_seal(unsigned char *base);

/* Opens what is to be read anew. */
typedef void fuzz_reopen(struct format_input *input);
/* Reads a hive, twice: both must come to the same, and what was read and can be written must be
 * read again as it was. Gives the events as lines; "" after a refusal. The caller frees. */
char *fuzz_read_hive(struct format_input *input, fuzz_reopen *reopen);

#endif
