/*
 * The key that a command was asked for, opened to be read. It needs the path as it was given; it
 * gives a session, what is known about the key, and the spelling that is printed for it.
 *
 * The root key of a view is there for its user even where nothing was stored in it yet: it is an
 * empty key then, with RS_NO_KEY.
 */
#ifndef REGTOOL_ASKED_H
#define REGTOOL_ASKED_H

#include "arguments.h"
#include "keypath.h"
#include "tool.h"

struct asked {
    struct session session;
    struct keypath path;
    rs_key key;
    uint64_t written;
    uint32_t subkeys;
    uint32_t values;
};

/* Begins a read transaction and opens the key that is the first operand. Returns 0, or 1 after a
 * report; then there is nothing to end. */
int asked_begin(struct tool *tool, const struct arguments *arguments, struct asked *asked);
void asked_end(struct asked *asked);

#endif
