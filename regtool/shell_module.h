/*
 * What the shell needs from a line editor. The one there is stands on libedit, in a module of its
 * own: regtool links no terminal library, so that all other commands start as fast as before.
 */
#ifndef REGTOOL_SHELL_MODULE_H
#define REGTOOL_SHELL_MODULE_H

#include <stddef.h>

/* What Tab comes to. */
struct shell_completion {
    size_t start; /* where in the line the text begins that is replaced, up to the cursor */
    char *insert; /* by this; free() it. NULL: nothing fits */
    char *shown;  /* lines to show, each with its end; free() it. NULL: none */
};

/* Completes the len bytes before the cursor. */
typedef void shell_complete(void *context, const char *line, size_t len,
                            struct shell_completion *completion);

enum shell_read { SHELL_LINE, SHELL_CANCELLED, SHELL_END, SHELL_FAILED };

struct shell_editor; /* a terminal with its history */

struct shell_module {
    /* NULL if the terminal or the memory is not fit for it. */
    struct shell_editor *(*open)(shell_complete *complete, void *context);
    /* Reads a line, without its end, which is to be free()d. */
    enum shell_read (*read)(struct shell_editor *editor, const char *prompt, char **line);
    /* Adds a line to the history. */
    void (*remember)(struct shell_editor *editor, const char *line);
    void (*close)(struct shell_editor *editor);
};

/* The module's one symbol, and its place from the directory that regtool is in. */
#define SHELL_MODULE_SYMBOL "regtool_shell_module"
#define SHELL_MODULE_FILE "../lib/regstore/shell_editline.so"

#endif
