/*
 * access - what a client without a name and password may reach: the null session of Q121853.
 *
 * Pure: lists and names in, yes or no out. A list's entry is a share's or a pipe's name, or its
 * whole UNC name, which counts only on the server that it names. Names have no case. Nothing is
 * guessed in favour of the client: what is not clearly the name asked for opens nothing.
 *
 *     entry                        opens on SERVER2
 *     Printer                      share Printer
 *     \\SERVER2\Printer            share Printer; nothing on any other server
 *     Printer\  \\SERVER2\Printer\ the same: one backslash at the end is ignored
 *     \\SERVER2\Printer\Sub        nothing: that is a directory in a share
 *     \\SERVER2  \Printer  /       nothing
 *     " Printer"  ""  *            nothing: blanks count, and there are no patterns
 *     SPOOLSS  SQL\QUERY           pipe of that name
 *     \PIPE\SPOOLSS                pipe SPOOLSS
 *     \\SERVER2\PIPE\SPOOLSS       pipe SPOOLSS; nothing on any other server
 *
 * Needs regstore.h for comparing names as the registry does.
 */
#ifndef SERVICE_ACCESS_H
#define SERVICE_ACCESS_H

#include <stdbool.h>

/* RestrictNullSessAccess, and NullSessionShares or NullSessionPipes. */
struct null_sessions {
    bool restricted;            /* false: all shares and pipes are open */
    const char *const *entries; /* end with NULL */
};

/* names are the server's, such as names.h gives; they end with NULL. */
bool access_share(const struct null_sessions *allowed, const char *const *names, const char *share);
/* pipe is a pipe's name, with \PIPE\ before it or without. */
bool access_pipe(const struct null_sessions *allowed, const char *const *names, const char *pipe);

#endif
