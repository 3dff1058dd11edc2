/*
 * Reads a command line. It needs the table of commands; it gives the command, its operands and its
 * switches, or says in one line what is wrong with them.
 *
 * The grammar is reg.exe's, with long names added: a switch is /v, -v (in any case) or --value, its
 * argument the next word (or what follows the '=' of a long one), whatever that word looks like.
 * Long switches stand anywhere; short ones of reg.exe's commands after the operands, as in reg.exe.
 * "--" ends the switches. Some words begin with '/' or '-' and are no switches: a key path
 * (/HKLM/SYSTEM: what follows is a root); where a file, data or a parameter is due, a word that
 * begins with '/' and has another '/' or a '.' in it (/srv/a.xml); where data or a revision is due,
 * '-' and a digit
 * (-1); and any word after "--".
 */
#ifndef REGTOOL_ARGUMENTS_H
#define REGTOOL_ARGUMENTS_H

#include <stdbool.h>

#include "commands.h"

struct arguments {
    const struct command *command;      /* NULL: the command line names none */
    const char *switches[SWITCH_COUNT]; /* the argument; "" of one that takes none; NULL: absent */
    const char *operands[MAX_OPERANDS]; /* NULL: absent; a key is where /reg:32 leads to */
    const char *asked[MAX_OPERANDS];    /* the operands as they were given */
    char *made[MAX_OPERANDS];           /* operands that are not argv's */
    char *joined[MAX_OPERANDS];         /* those of asked that are not argv's */
};

/* Reads the command line without the program's name; the texts of *arguments are argv's or its own.
 * Returns 0, or 1 after it has reported what is wrong. With SWITCH_HELP set nothing may be missing.
 * A key of another machine is refused here, and /reg:32 is applied here, for all commands. Whatever
 * is returned, arguments_free() ends it.
 *
 * base is NULL, or the key that the shell is at: keys are relative to it then (base_key.h), and it
 * takes the place of a first operand that is a key and is missing. */
int arguments_read(char *const argv[], const char *base, struct arguments *arguments);
/* Returns 1 after a report if a path begins with another machine's name, else 0. */
int arguments_refuse_machine(const char *path);
void arguments_free(struct arguments *arguments);

/* Whether a word that no "--" stands before is read as a switch where an operand is due; NULL: none
 * is. */
bool arguments_is_switch(const char *word, const struct operand_row *due);
/* The row of a switch by its letters, or by its long name; command is NULL before the verb. NULL if
 * there is none. */
const struct switch_row *arguments_find_switch(const struct command *command, const char *name,
                                               size_t len, bool is_long);

static inline bool has_switch(const struct arguments *arguments, enum switch_id id)
{
    return arguments->switches[id] != NULL;
}

#endif
