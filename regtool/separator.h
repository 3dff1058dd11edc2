/*
 * The separator that stands for the end of each string of a REG_MULTI_SZ on the command line. It
 * gives the check that reg.exe makes: one character, when it is given at all.
 */
#ifndef REGTOOL_SEPARATOR_H
#define REGTOOL_SEPARATOR_H

/* Returns 0, or 1 after a report. separator: NULL if none was given. */
int separator_check(const char *verb, const char *separator);

#endif
