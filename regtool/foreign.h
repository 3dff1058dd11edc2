/*
 * Words of other systems' commands that are spelled otherwise here, or are left out for a reason:
 * whoever types one is told what to do instead. It needs the command that stands before it.
 */
#ifndef REGTOOL_FOREIGN_H
#define REGTOOL_FOREIGN_H

#include "arguments.h"

/* What to say of a word that begins as a switch and is none; NULL: nothing is known of it. */
const char *foreign_switch(const struct command *command, const char *word);
/* The same of one operand more than the command takes. */
const char *foreign_operand(const struct arguments *arguments);

#endif
