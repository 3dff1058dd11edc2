/*
 * deliver_line - a terminal line for printing: bytes pass as they are, with MODE's parameters.
 * Needs line.
 */
#ifndef PRINTING_DELIVER_LINE_H
#define PRINTING_DELIVER_LINE_H

#include "../common/line.h"

#include <stdbool.h>
#include <termios.h>

/* parameters are those of target_line_problem(), "9600,n,8,1"; "": speed, parity and bits stay.
 * *before is what the line had. Gives false with the reason. */
bool deliver_line_set(int fd, const char *parameters, struct termios *before, struct line *why);
/* Waits until all has left; false with errno. */
bool deliver_line_drain(int fd);
void deliver_line_restore(int fd, const struct termios *before);

#endif
