/*
 * deliver_job - jobs of the spool, one after the other, each printed until all of it is.
 *
 * It holds a job's claim as long as it has it, and tells on standard output how far it is, a line
 * each: "printing K/N", "again K", "waiting REASON". Nobody has to read that. With more, it says
 * "done NAME" when a job is done and given back, and reads the next one's name from standard input,
 * so that one process prints many. While it waits, for the target or for a name, SIGTERM ends it at
 * once, as does the end of the process that started it; SIGUSR1 makes it try now. While a document
 * is being sent, SIGTERM waits for its end. Needs deliver and job.
 */
#ifndef PRINTING_DELIVER_JOB_H
#define PRINTING_DELIVER_JOB_H

#include "deliver.h"

struct deliver_job {
    const char *spool; /* the directory */
    const char *name;  /* of the first job */
    const struct target *target;
    const struct transport *transport;
    unsigned retry; /* ms, the longest pause where the target is away */
    bool more;      /* jobs will be named */
};

/* The exit status: 0, all of each is printed; 1, the last one is not; 4, it is damaged. The reason
 * in *why. */
int deliver_job(const struct deliver_job *job, struct line *why);

#endif
