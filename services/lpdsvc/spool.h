/*
 * spool - where jobs wait: received, on the disk, and listed again after any end.
 *
 *     lock              locked by the service: one has the spool
 *     incoming/N        what is being received, and spares; removed at the next start
 *     jobs/N, done/N    job.h
 *     held/N            jobs that cannot be read, for a person
 *     last              a number above which none was given, so that none comes again
 *
 * N counts upwards and is the order in which jobs were complete. A job that was told of is on the
 * disk, under its name in jobs/, and whole. That is waited for in threads, as a disk may take its
 * time; bytes are written where they come, and the kernel is told to begin writing them early, so
 * that little is left to wait for. What a loss of power leaves of others is found at the start: it
 * is held, or removed where it was printed before or is another job's.
 *
 * Making directories and files is what a file system is slow at. So the directory of a job of one
 * small document is a spare when that is done, which a later job is received into.
 *
 * The directory is the service's own and nobody else's: one that others can write, or that is a
 * link, is refused, and nothing in it is opened through a link. A disk with less than SPOOL_RESERVE
 * free takes no more. Needs loop, log, line, background, job.
 */
#ifndef LPDSVC_SPOOL_H
#define LPDSVC_SPOOL_H

#include "../common/line.h"
#include "../common/log.h"
#include "../common/loop.h"
#include "../printing/job.h"

#define SPOOL_RESERVE (1024 * 1024) /* bytes that are left free, for what removes jobs again */

struct spool;
struct spool_incoming;

/* Opens or makes the directory at path, of mode 0700, and clears away what an earlier end left.
 * Gives false with the reason in *problem. */
bool spool_open(const char *path, struct loop *loop, const struct log *log, struct spool **spool,
                struct line *problem);
/* Commits under way are waited for. NULL is allowed. */
void spool_close(struct spool *spool);
int spool_descriptor(const struct spool *spool);
const char *spool_path(const struct spool *spool);

/* ---- Receiving ------------------------------------------------------------------------------- */

/* They give 0 or an errno number: ENOSPC, EDQUOT, EIO... */
int spool_begin(struct spool *spool, struct spool_incoming **incoming);
/* The next document, from 0 on, is begun; what is written belongs to it. */
int spool_next_document(struct spool_incoming *incoming);
int spool_write(struct spool_incoming *incoming, const void *bytes, size_t size);
/* Forgets it, also one that is being committed: then done is not called, and the job is removed as
 * soon as it is there; only if the service is killed before that the next one finds it. NULL is
 * allowed. */
void spool_discard(struct spool_incoming *incoming);
/* Makes it a job; facts' documents stand in order as they are to be printed, and order[i] is the
 * number, from 0 on, with which document i was received; their sizes are those that were received,
 * whatever facts say. One that was received and is not in order is left out; one may be there more
 * than once. facts and order are copied. done is called once, from the loop, and from then on
 * incoming is gone: problem is 0 and name the job's, or an errno number and NULL. */
void spool_commit(struct spool_incoming *incoming, const struct job_facts *facts,
                  const unsigned *order, void (*done)(void *owner, int problem, const char *name),
                  void *owner);

/* ---- Jobs ------------------------------------------------------------------------------------ */

/* Calls each for the jobs that are there, in their order; those that are damaged are moved to held/
 * and logged, and remnants are removed. For the start. */
int spool_each(struct spool *spool,
               void (*each)(void *owner, const char *name, const struct job_facts *facts),
               void *owner);
/* The job's directory, to be closed by the caller, or -1 with errno. */
int spool_open_job(const struct spool *spool, const char *name);
/* Removes one that nobody prints; EBUSY if somebody has its claim. */
int spool_remove(struct spool *spool, const char *name);
/* Moves one to held/ and logs why: it cannot be printed, and only a person can help. */
void spool_hold(struct spool *spool, const char *name, const char *why);
/* Removes what was printed, the directory done/NAME, or makes a spare of it. */
void spool_clear_done(struct spool *spool, const char *name);
/* Whether it was printed: it stands in done/. */
bool spool_is_done(const struct spool *spool, const char *name);

#endif
