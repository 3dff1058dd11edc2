/*
 * deliver_call - how regstore-deliver is called for jobs, and what it says when it ends.
 *
 * It stands beside this program. It is called for the first job, and reads the names of others on
 * its standard input. Needs worker, target, line.
 */
#ifndef LPDSVC_DELIVER_CALL_H
#define LPDSVC_DELIVER_CALL_H

#include "../common/line.h"
#include "../common/worker.h"
#include "../printing/target.h"

#include <stdint.h>

#define DELIVER_PROGRAM "regstore-deliver"

/* Its exit status, about the job that it has. The first one says only that it was told no more. */
enum deliver_status {
    DELIVER_PRINTED,
    DELIVER_NOT_PRINTED, /* nothing of it reached the target */
    DELIVER_ARGUMENTS,
    DELIVER_PARTLY,
    DELIVER_DAMAGED /* the job itself is */
};

struct deliver_call {
    const char *spool;
    const char *job;
    const struct target *target;
    uint32_t retry; /* ms, the longest pause */
};

/* Its path, in size bytes. 0 or an errno number. */
int deliver_call_find(char *path, size_t size);
/* As worker_start(). */
int deliver_call_start(const struct deliver_call *call, const char *path, struct worker *worker);
/* Why it has ended, one line without control characters. */
void deliver_call_reason(const struct worker *worker, struct line *reason);

#endif
