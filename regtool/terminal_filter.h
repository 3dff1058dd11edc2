/*
 * What would go to a terminal raw. It needs work that writes to standard output, whoever in it does
 * so; it runs it in a child, and gives what that writes with its control characters escaped: a file
 * that is shown on a terminal must not drive it.
 */
#ifndef REGTOOL_TERMINAL_FILTER_H
#define REGTOOL_TERMINAL_FILTER_H

/* Returns what work() returned, or 1 after a report. */
int terminal_filter(int (*work)(void *context), void *context);

#endif
