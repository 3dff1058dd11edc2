/*
 * What was wrong with an edited text, as comments in the text itself. It needs the lines; it gives
 * the file with them at its top, in the place of those from the time before.
 */
#ifndef REGTOOL_EDIT_NOTE_H
#define REGTOOL_EDIT_NOTE_H

#include "edit_file.h"

/* Rewrites the file of a text. comment is what a comment begins with, ';' for a .reg text, whose
 * first line stays the first, or '#', where a text that does not begin with one is left as it is.
 * What cannot be written is left out: it was reported on standard error, too. */
void edit_note(const struct edited *edited, char comment, const char *lines);

#endif
