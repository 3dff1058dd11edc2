/*
 * NET USE: LPT ports that are redirected to print shares. It needs the command line of net; it
 * gives the table, the details of one port, and its mapping made or ended, in NET's sentences.
 */
#ifndef REGTOOL_NET_USE_H
#define REGTOOL_NET_USE_H

#include "arguments.h"
#include "tool.h"

/* Returns the exit status: 2 for what NET refuses. */
int net_use(struct tool *tool, const struct arguments *arguments);

#endif
