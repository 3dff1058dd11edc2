/*
 * Says what went wrong. It needs a message; it gives one line on standard error, "regtool: ...",
 * whatever bytes a name or a path brought along. A program that was started as reg says "reg: ...".
 */
#ifndef REGTOOL_REPORT_H
#define REGTOOL_REPORT_H

#include <regstore.h>

/* "reg" if the program was started by that name, else "regtool". Static. */
const char *program_name(void);
/* Prints the line and returns 1, the exit status of a failure. */
int report(const char *format, ...) RS_PRINTF(1, 2);
/* Reports a call that failed: *error where it says something, else "about: " and the status. error
 * may be NULL. Returns 1. */
int report_status(int status, const rs_error *error, const char *about);
/* Prints a line that is no failure, "regtool: ...", in the same way. */
void remark(const char *format, ...) RS_PRINTF(1, 2);

#endif
