/*
 * conf_text - what can stand in smb.conf and mean what it says there.
 *
 * Samba reads more into a line than its text: % begins a variable, a backslash at the end goes on
 * with the next line, blanks are trimmed and run together, quotes around a value vanish, and a
 * share's name may be that of a section with a meaning of its own. There is no way to escape any of
 * it, so what would be read as something else is not written at all. Pure. Needs nothing.
 */
#ifndef LANMANSERVER_CONF_TEXT_H
#define LANMANSERVER_CONF_TEXT_H

#include <stdbool.h>

#define CONF_TEXT_MAX 1024 /* bytes of a value */
#define CONF_NAME_MAX 80   /* characters of a share's name, as Windows has them */

/* The same text with its blanks as Samba has them: none at the ends, one between words. It is
 * written to plain, which has CONF_TEXT_MAX + 1 bytes. Gives why it cannot be written, or NULL. */
const char *conf_plain_text(const char *text, char *plain);
/* Why a path cannot be written, or NULL. Nothing of it is changed, as it would be another one. */
const char *conf_path_problem(const char *path);
/* The same for a share's name, which also becomes an argument of smbcontrol(1). */
const char *conf_name_problem(const char *name);

#endif
