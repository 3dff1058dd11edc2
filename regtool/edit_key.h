/*
 * The values of one key as a .reg text that a person edits. It needs the key; it sets what was
 * changed in the text, and deletes what is no longer in it. Subkeys are not in it.
 */
#ifndef REGTOOL_EDIT_KEY_H
#define REGTOOL_EDIT_KEY_H

#include "tool.h"

/* Returns 0, or 1 after a report. */
int edit_key(const struct tool *tool, const char *path);

#endif
