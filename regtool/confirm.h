/*
 * Asks before something is lost. It needs a terminal; without one it never asks: it names the
 * switch that says yes, and fails.
 */
#ifndef REGTOOL_CONFIRM_H
#define REGTOOL_CONFIRM_H

#include <stdbool.h>

/* Puts the question of what ("delete X", "overwrite the value Y of X") and returns whether the
 * answer was yes; a no, and the lack of a terminal, are reported. */
bool confirm(const char *letter, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
