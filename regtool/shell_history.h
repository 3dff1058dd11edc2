/*
 * The file of what was typed in the shell: $XDG_STATE_HOME/regtool/history, else below
 * ~/.local/state. It needs a home; it gives the lines that were typed before, and keeps the new
 * ones as they come, also from several shells at once. Only its owner can read it: data may be
 * secret.
 */
#ifndef REGTOOL_SHELL_HISTORY_H
#define REGTOOL_SHELL_HISTORY_H

/* Opens the file and gives each line of it to each(). Returns a descriptor to add lines to; -1
 * where there is no such file to be had, which is no failure. */
int shell_history_open(void (*each)(void *context, const char *line), void *context);
void shell_history_add(int fd, const char *line);

#endif
