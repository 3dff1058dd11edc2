/*
 * Reads a whole store in a child and tells what is damaged. It needs a directory that this process
 * has not open; it gives a report, or quietly the answer alone.
 */
#ifndef REGTOOL_STORE_CHECK_H
#define REGTOOL_STORE_CHECK_H

#include "tool.h"

/* Prints the damages and a summary. Returns 0 if there is none, else 1, after a report where it
 * could not be checked. */
int store_check(const struct tool *tool, const char *dir);
/* Prints nothing of what it finds. RS_OK, or RS_EDAMAGED or what kept it from being opened, with
 * the first damage in *why. */
int store_check_quietly(const char *dir, rs_error *why);

#endif
