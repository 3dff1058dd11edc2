/*
 * The shell's state, and its own commands beside regtool's. It needs a terminal or a script; it
 * gives the one table that the loop, the help and the completion read.
 */
#ifndef REGTOOL_SHELL_H
#define REGTOOL_SHELL_H

#include <stdbool.h>

#include "commands.h"
#include "shell_input.h"
#include "tool.h"

struct shell {
    struct tool *tool;
    char *current;  /* the path of the key it is at; "" for the top, where the roots are */
    char *previous; /* the one before, for "cd -" */
    struct shell_input input;
    bool done;
    int status; /* of the last command */
};

struct shell_builtin {
    const char *name; /* NULL: there are no more */
    const char *operands;
    const char *summary;
    const char *verb;       /* the command that it stands for; NULL: it has a function */
    enum operand_kind kind; /* of its operand, for completion */
    int (*run)(struct shell *shell, char *const words[]);
};

extern const struct shell_builtin shell_builtins[];
/* The row of that name; NULL if there is none. */
const struct shell_builtin *shell_builtin_find(const char *name);

/* Where a line is completed; context is the struct shell. */
shell_complete shell_complete_line;

/* The prompt, free() it; NULL if memory is out. A path that would take more than half of the line,
 * or that has characters without a width of their own, with which the line editor cannot count,
 * stands on a line above it, which is printed to out. */
char *shell_prompt(const struct shell *shell, FILE *out);

#endif
