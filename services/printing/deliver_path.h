/*
 * deliver_path - opens what stands under a target's path, behind links that may be trusted.
 *
 * Who may write in the directory of a target may put a symbolic link in its place, and is not to
 * choose where the rights of who prints lead. So a link at the end of the path is followed only if
 * root or this process's user owns it, and so has made it; as is one that it leads to. Needs line.
 */
#ifndef PRINTING_DELIVER_PATH_H
#define PRINTING_DELIVER_PATH_H

#include "../common/line.h"

#include <limits.h>

/* Opens name with open(2)'s flags, O_DIRECTORY among them for a directory, and puts the path behind
 * all links into path. -1 with errno, and with the reason where errno does not say it. */
int deliver_open(const char *name, int flags, char path[PATH_MAX], struct line *why);

#endif
