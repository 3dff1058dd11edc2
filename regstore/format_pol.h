/*
 * format_pol.h - Registry.pol as formats.c knows it. Needs format; what the format is stands in
 * format_pol.c.
 */
#ifndef REGSTORE_FORMAT_POL_H
#define REGSTORE_FORMAT_POL_H

#include "format.h"

#define POL_SIGNATURE "PReg" /* the file's first bytes */

extern const struct format format_pol;

#endif
