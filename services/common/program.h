/*
 * program - another program, run and waited for in the loop.
 *
 * It has nothing on standard input, its standard output goes nowhere, and the beginning of what it
 * says on standard error is kept for a person. It never holds the service up: it has a time limit,
 * and is killed with all that it has started when that is over. Needs loop.
 */
#ifndef SERVICE_PROGRAM_H
#define SERVICE_PROGRAM_H

#include "loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROGRAM_TEXT_SIZE 4096

struct program {
    struct loop *loop;
    pid_t pid; /* 0: none runs */
    struct loop_source exit;
    struct loop_source output;
    struct loop_timer limit;
    void (*ended)(void *owner); /* may start it again */
    void *owner;
    bool timed_out;
    int status; /* that it ended with; -1: it was killed */
    size_t length;
    char text[PROGRAM_TEXT_SIZE]; /* NUL-terminated */
};

/* loop must outlive the child. */
void program_init(struct program *child, struct loop *loop, void (*ended)(void *owner),
                  void *owner);
/* Runs a program of $PATH, for at most so many ms; arguments end with NULL. Gives 0, then ended is
 * called once, never from within this; or an errno number. */
int program_start(struct program *child, const char *const *arguments, int64_t limit);
/* Kills it if it runs; ended is not called. */
void program_stop(struct program *child);
/* The first line of a text that a program has said, with "?" for unseen characters. */
void program_take_line(const char *text, char *line, size_t size);
/* Copies the first line of what it said that begins with none of those texts, which end with NULL,
 * with "?" for unseen characters; size counts the NUL. */
void program_first_line(const struct program *child, const char *const *skipped, char *line,
                        size_t size);

#endif
