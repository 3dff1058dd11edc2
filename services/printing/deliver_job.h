/*
 * deliver_job - a job of the spool, printed until all of it is.
 *
 * It holds the job's claim as long as it lives, and tells on standard output how far it is, a line
 * each: "printing K/N", "again K", "waiting REASON". Nobody has to read that. While it waits,
 * SIGTERM ends it at once, as does the end of the process that started it; SIGUSR1 makes it try
 * now. While a document is being sent, SIGTERM waits for its end. Needs deliver and job.
 */
#ifndef PRINTING_DELIVER_JOB_H
#define PRINTING_DELIVER_JOB_H

#include "deliver.h"

struct deliver_job {
    const char *spool; /* the directory */
    const char *name;
    const struct target *target;
    const struct transport *transport;
    unsigned retry; /* ms, the longest pause where the target is away */
};

/* The exit status: 0, all of it is printed; 1, it is not; 4, it is damaged. The reason in *why. */
int deliver_job(const struct deliver_job *job, struct line *why);

#endif
