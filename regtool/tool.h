/*
 * What every command stands on: the invocation and a session, that is the store opened with one
 * transaction on it. It needs the arguments; it gives calls that open, commit and end, and that
 * report their own failures, so that a command only has to pass on the 1.
 */
#ifndef REGTOOL_TOOL_H
#define REGTOOL_TOOL_H

#include <stdbool.h>

#include <regstore.h>

#include "violations.h"

/* What the switches of every change ask for (change_switches); each commit sees to it. */
struct change {
    const char *message; /* recorded with the revision; NULL: none */
    bool force;          /* also what the rules do not allow */
    uint32_t confirm;    /* taken back unless confirmed in so many seconds; 0: it stays */
};

struct tool {
    const char *dir; /* of the store; NULL: the library's default */
    bool json;
    bool terminal;       /* standard output is one */
    bool colours;        /* it shall have colours */
    uint64_t *committed; /* the last revision that was made; 0: none */
    const char *at;      /* the moment that reading commands read; NULL: the present */
    struct change change;
    int output_lost; /* errno of the first output that could not be written; 0: none so far */
};

/* Whether output could not be written: called now and then by what prints much, so that nobody
 * works for a reader that left. Nothing else may happen between printing and the call. */
bool output_lost(struct tool *tool);
/* The same after all that was printed has been written out. */
bool output_flush_lost(struct tool *tool);

struct session {
    rs_store *store;
    rs_txn *txn;
    bool writing;            /* others wait for the transaction's end */
    bool json;               /* that of the tool */
    struct change change;    /* that of the tool */
    uint64_t *committed;     /* that of the tool; NULL is allowed */
    rs_error error;          /* what the transaction's calls say when they fail */
    struct violations found; /* by the last commit, whether it was refused for them or not */
};

/* Opens the store and begins a transaction with RS_READ or RS_WRITE; for reading, the store as it
 * was where the tool's command line says so. Returns 0, or 1 after a report; then there is nothing
 * to end. */
int session_begin(const struct tool *tool, unsigned mode, struct session *session);
/* Opens the store as it was at a moment, a word as in moment.h, for reading; about is the switch
 * that says it. Returns 0, or 1 after a report. */
int session_begin_at(const struct tool *tool, const char *about, const char *moment,
                     struct session *session);
/* Ends the transaction of an open session, dropping its changes, and begins another. On failure it
 * reports and returns 1; the session must still be ended. */
int session_again(struct session *session, unsigned mode);
/* Commits, unless the rules do not allow it: then all that is against them is reported, and in
 * session->found. The session must still be ended. revision may be NULL. Returns 0, or 1 after a
 * report. */
int session_commit(struct session *session, uint64_t *revision);
/* Ends the transaction of a session, dropping its changes, where something is to be printed that
 * other writers must not wait for. The session must still be ended. */
void session_drop(struct session *session);
/* Drops what was not committed, and closes. */
void session_end(struct session *session);
/* Forgets what a call said that was allowed to fail: the first error of a transaction wins. */
void session_forget(struct session *session);
/* Reports a call on the session that failed, "about: why", and returns 1. A write transaction is
 * dropped first, as standard error may be a terminal that somebody has stopped. */
int session_report(struct session *session, int status, const char *about);

/* The same for moment_revision() and what else takes a revision; moment is the word for it. */
int session_report_moment(struct session *session, int status, const char *moment);

/* Opens the store alone, with RS_... flags for rs_open(). Returns 0, or 1 after a report. */
int tool_open(const struct tool *tool, unsigned flags, rs_store **store);

#endif
