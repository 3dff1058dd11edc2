/*
 * format_regf_module.c - the one symbol of the module format_regf.so.
 *
 * A file of its own, because the unit tests have the format linked in beside another module's.
 * Needs format_regf.
 */
#include "format.h"

extern const struct format format_regf;
extern const struct format_module regstore_format RS_API;

static const struct format *const formats[] = {&format_regf, NULL};
const struct format_module regstore_format = {REGSTORE_FORMAT_ABI, formats};
