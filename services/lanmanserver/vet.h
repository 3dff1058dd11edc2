/*
 * vet - whether a text may be included by a smb.conf that root's smbd reads.
 *
 * smb.conf has options that run programs, read other files and choose users. The helper that root
 * runs takes a text from a service that is not root's, so it takes only lines of the shape and with
 * the options that render() writes, and none that would be read as something else. What it lets
 * through may share directories, and nothing more. Pure. Needs conf_text.
 */
#ifndef LANMANSERVER_VET_H
#define LANMANSERVER_VET_H

#include <stdbool.h>
#include <stddef.h>

struct vet_problem {
    unsigned line;   /* from 1 on */
    const char *why; /* static */
};

/* Gives whether it may; if not, the first problem. text has size bytes and a NUL behind them. */
bool vet(const char *text, size_t size, struct vet_problem *problem);

#endif
