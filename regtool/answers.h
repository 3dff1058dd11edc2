/*
 * What services say of a change: --wait and --or-undo, which every command takes that makes a
 * revision. It needs the revision that was made; it gives the exit status that tells what became of
 * it.
 */
#ifndef REGTOOL_ANSWERS_H
#define REGTOOL_ANSWERS_H

#include "arguments.h"
#include "tool.h"

#define ANSWERS_REJECTED 3 /* exit statuses */
#define ANSWERS_NONE 4

struct answers {
    bool awaited;
    int milliseconds;
    bool undo;                   /* what is rejected */
    struct answers_before *live; /* the services that were running before the change */
    size_t live_count;
};

/* Reads the switches. Returns 0, or 1 after a report. */
int answers_read(const struct arguments *arguments, struct answers *answers);
/* Before the change, where answers are awaited: notes who is running. One who dies over the change,
 * and before anybody could wait for it, is then known to have given no answer. Returns 0, or 1
 * after a report. */
int answers_note(const struct tool *tool, struct answers *answers);
void answers_free(struct answers *answers);
/* Waits for the answers to a revision and prints them. Returns 0 if all have applied it. */
int answers_await(const struct tool *tool, const struct answers *answers, uint64_t revision);

/* "applied", "restart", "rejected" or "none". Static. */
const char *answers_word(enum rs_answer answer);

#endif
