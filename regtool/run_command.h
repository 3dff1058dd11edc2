/*
 * Runs a program, or a shell command with a text as its standard input. It needs /bin/sh; it gives
 * the command's exit status. The text is complete before the command starts, so that neither waits
 * for the other.
 */
#ifndef REGTOOL_RUN_COMMAND_H
#define REGTOOL_RUN_COMMAND_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* Starts /bin/sh with these words, which end with NULL, with the signals as a program expects
 * them. input is its standard input; -1: this program's. Returns 0 or an errno. */
int run_command_start(char *const words[], int input, pid_t *pid);
/* A stream to write the text to; NULL with errno if there is none to be had. */
FILE *run_command_input(void);
/* Runs the command and waits for its end; input is closed. Returns its exit status, 128 and the
 * signal's number where one ended it, or -1 with errno if it could not be run. */
int run_command(const char *command, FILE *input);

/* Runs a program that PATH leads to, without input, and waits for its end; quiet drops all that it
 * prints. Returns what run_command() does. */
int run_program(char *const words[], bool quiet);
/* Puts the program at path in the place of this one, with the signals as a program expects them.
 * input is its standard input; -1: this program's. Returns an errno, and only if it fails. */
int run_program_instead(const char *path, char *const words[], int input);

#endif
