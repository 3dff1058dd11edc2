/*
 * jobs.h - work that is measured in a process of its own.
 *
 * The program runs itself anew with --job NAME ARGUMENTS; the job prints its figures, which are the
 * caller's answer. So each import begins with the same small memory, and its peak is its own. Needs
 * bench.
 */
#ifndef BENCH_JOBS_H
#define BENCH_JOBS_H

#include "bench.h"

#define JOB_FIGURES 4

/* Runs a job (NULL ends the arguments) and reads its figures. */
void job_run(double figures[JOB_FIGURES], const char *name, ...);
/* In the new process. */
int job_main(char **arguments);

/*
 * The jobs and their figures; the first is always nanoseconds:
 *
 *     parse FILE           libxml2's push parser alone; elements
 *     load DIR RECORDS     raw LMDB; records
 *     import DIR FILE      rs_import; peak memory in KiB, keys, values
 *     sqlite FILE KEYS     SQLite, from data in memory; values
 *     walk DIR             raw LMDB's cursor over all of the tree; records, bytes
 */

/* The directory of this program. */
const char *program_dir(void);

#endif
