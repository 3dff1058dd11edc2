/*
 * spool_rig.h - what the suites of the spool share: one in the scratch directory, with a loop and a
 * log, and jobs that are put into it in one call.
 *
 * Helpers that cannot do their work end the running test. Needs harness and spool.
 */
#ifndef SPOOL_RIG_H
#define SPOOL_RIG_H

#include "harness.h"

#include "../services/lpdsvc/spool.h"

#define SPOOL_RIG_JOBS 64

struct spool_rig {
    struct loop loop;
    struct log log;
    struct spool *spool;
    const char *path;
    unsigned done;
    unsigned expected;
    int problem;         /* of the latest commit, */
    char name[JOB_NAME]; /* and its name */
    struct loop_timer settle;
    size_t count; /* of what spool_each() told */
    char names[SPOOL_RIG_JOBS][JOB_NAME];
    char titles[SPOOL_RIG_JOBS][JOB_TEXT];
};

/* In scratch_dir()/spool, or at path, which lives as long. */
void spool_rig_open(struct spool_rig *rig);
void spool_rig_open_at(struct spool_rig *rig, const char *path);
void spool_rig_close(struct spool_rig *rig);
/* Closes the spool, which waits for all that is under way, and opens it again. */
void spool_rig_reopen(struct spool_rig *rig);
/* Removes all of it; it is closed. */
void spool_rig_remove(const struct spool_rig *rig);

/* A path in scratch_dir()/spool; lives until the fourth call after this one. */
const char *spool_rig_path(const char *name);
size_t spool_rig_count(const char *place);
bool spool_rig_logged(const struct spool_rig *rig, const char *text);
/* Makes a file of this text. */
void spool_rig_put(const char *path, const char *text);

/* spool_commit()'s done, and its waiting until so many have come. */
void spool_rig_committed(void *owner, int problem, const char *name);
void spool_rig_await(struct spool_rig *rig, unsigned count);
struct job_facts spool_rig_facts(const char *title, size_t count);
/* Until all has left that is to leave. */
void spool_rig_settle(struct spool_rig *rig);
/* As if it was printed; waits until it has left. */
void spool_rig_finish(struct spool_rig *rig, const char *name);
/* Receives these documents, which end with NULL. */
struct spool_incoming *spool_rig_receive(struct spool_rig *rig, const char *const *documents);
/* Adds a job of one document, which is its title, too. Gives its name, which lives until the next.
 */
const char *spool_rig_add(struct spool_rig *rig, const char *title);
/* The titles of the jobs that are there, in their order, joined by ",". */
const char *spool_rig_jobs(struct spool_rig *rig);

#endif
