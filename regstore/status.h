/*
 * status.h - statuses and errors.
 *
 * Gives the texts of the statuses in regstore.h's one list and the means to describe a failure in a
 * caller's rs_error: one line, control characters escaped, the first error wins. Needs nothing.
 */
#ifndef REGSTORE_STATUS_H
#define REGSTORE_STATUS_H

#include <stdarg.h>
#include "regstore.h"

/* What seldom runs, or takes long anyway, is kept apart from the function that calls it, whose
 * usual way then saves fewer registers. */
#define RS_APART __attribute__((cold, noinline))

/* Describes a failure; does nothing if error is NULL or already describes one. Always returns
 * status, so that "return fail(error, RS_EPATH, ...)" is the usual form. */
int fail(rs_error *error, int status, const char *format, ...) RS_PRINTF(3, 4);
/* The same with "strerror(errno)" appended and the status that errno means (EACCES and EPERM:
 * RS_EACCESS, ENOSPC and EDQUOT: RS_EDISK, ENOMEM: RS_ENOMEM, EROFS: RS_EREADONLY, else RS_EIO). */
int fail_errno(rs_error *error, const char *format, ...) RS_PRINTF(2, 3);
/* The status that an errno means. */
int status_of_errno(int number);

#endif
