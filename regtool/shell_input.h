/*
 * The lines that the shell runs. It needs standard input: a terminal is read with a line editor and
 * a history, anything else is a script, read as far as it has come.
 */
#ifndef REGTOOL_SHELL_INPUT_H
#define REGTOOL_SHELL_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "shell_module.h"

struct shell_input {
    bool interactive;
    const struct shell_module *module;
    struct shell_editor *editor; /* NULL: lines are read as they are */
    int history;                 /* descriptor; -1: none */
    char *text;                  /* what was read and not given yet */
    size_t at;
    size_t size;
    size_t capacity;
    bool ended;
    size_t number; /* of the line last given, from 1 */
};

void shell_input_begin(struct shell_input *input, shell_complete *complete, void *context);
/* Gives the next line, which is to be free()d; it may hold NUL. A line that cannot be had because
 * reading fails or memory is out is reported, and is the end. */
enum shell_read shell_input_line(struct shell_input *input, const char *prompt, char **line,
                                 size_t *len);
/* Keeps a line in the history. */
void shell_input_remember(struct shell_input *input, const char *line);
void shell_input_end(struct shell_input *input);

#endif
