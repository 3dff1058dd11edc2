/*
 * lpd_rig.h - an LPD server with a spool of its own, in a loop of the test's own, and clients that
 * are driven by hand in the same thread.
 *
 * Nothing waits for a time: what a client expects is waited for, and fails the test if it does not
 * come about.
 */
#ifndef LPD_RIG_H
#define LPD_RIG_H

#include "harness.h"

#include "../services/lpdsvc/lpd_server_parts.h"

struct lpd_rig {
    struct loop loop;
    struct log log;
    int log_fds[2]; /* a pipe: what was logged */
    struct lpd_server *server;
    struct spool *spool;
    unsigned port;
    unsigned received;
    struct job_facts facts; /* of the latest job */
    char job[JOB_NAME];
    bool refuse;        /* what is said to 01 and 05 */
    size_t state_lines; /* that a queue's state has */
    char asked[256];    /* the latest question */
};

/* With a server that listens on a free port of 127.0.0.1 and has one queue, "lp". */
void lpd_rig_open(struct lpd_rig *rig);
void lpd_rig_close(struct lpd_rig *rig);
/* Lets the server see all that has come. */
void lpd_rig_turn(struct lpd_rig *rig);
/* Until so many jobs have been received. */
void lpd_rig_wait(struct lpd_rig *rig, unsigned jobs);
/* Until nothing is in incoming/ any more: what is dropped is removed in a thread. */
void lpd_rig_wait_cleared(struct lpd_rig *rig);
/* The lines logged since the last call; there is one buffer. */
const char *lpd_rig_logged(struct lpd_rig *rig);
/* How many entries are in a directory of the spool. */
size_t lpd_rig_count(const char *directory);
/* The bytes of a document of the latest job; there is one buffer. */
const char *lpd_rig_document(const struct lpd_rig *rig, unsigned number, size_t *size);

/* A client's socket. */
int lpd_connect(const struct lpd_rig *rig);
void lpd_say(struct lpd_rig *rig, int fd, const void *bytes, size_t size);
#define LPD_SAY(rig, fd, literal) lpd_say(rig, fd, literal, sizeof(literal) - 1)
/* The next byte that comes: an acknowledgement; -1: the connection has ended. */
int lpd_answer_of(struct lpd_rig *rig, int fd);
/* All that comes until the connection ends, with a NUL behind; size is what the buffer has. */
size_t lpd_hear(struct lpd_rig *rig, int fd, char *text, size_t size);

/* Says a line or a file, and expects this acknowledgement. */
void lpd_expect(struct lpd_rig *rig, int fd, const char *bytes, size_t size, int answer);
#define LPD_EXPECT(rig, fd, literal, answer)                                                       \
    lpd_expect(rig, fd, literal, sizeof(literal) - 1, answer)
/* Sub-command 2 or 3 with the name and the size of this text, and the text; both are answered with
 * yes. */
void lpd_send_file(struct lpd_rig *rig, int fd, int code, const char *name, const char *text);

#endif
