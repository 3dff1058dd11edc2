/*
 * job_parts - small files in directories of ours, as the parts of job and the spool read and write
 * them.
 *
 * A file is taken only if it is a plain one that belongs to whom its directory belongs to, and that
 * nobody else can write: what was put there by another hand is no part of the job. Needs line, job.
 */
#ifndef PRINTING_JOB_PARTS_H
#define PRINTING_JOB_PARTS_H

#include "../common/line.h"
#include "job.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define JOB_FACTS "facts"
#define JOB_STATE "state" /* the file whose lock is the claim */

/* Opens a file of the directory with open(2)'s flags, close-on-exec. -1 with errno; EPERM: it is
 * not the job's own. */
int job_open_file(int directory, const char *name, int flags);
/* Reads up to size bytes from a place on; the count, which is less only at the file's end, or -1
 * with errno. */
ssize_t job_read_at(int fd, void *bytes, size_t size, off_t from);
/* Reads all of a file into text, which takes size bytes with the NUL. 0 or an errno number; EFBIG:
 * it is larger, EILSEQ: it holds a NUL. */
int job_read_file(int directory, const char *name, char *text, size_t size);

/* Writes over what the file has from a place on, so that its blocks stay where they are. 0 or an
 * errno number. */
int job_write_at(int fd, const char *text, size_t length, off_t from);
/* A file of exactly these bytes: made, or written over. It is not on the disk yet, and after a loss
 * of power may be a mixture. 0 or an errno number. */
int job_write_file(int directory, const char *name, const char *text, size_t length);
/* A file of this text, new or in the place of the old one; it is on the disk, with its name, when
 * this returns, and whoever looks, also after a loss of power, finds the old or the new one. 0 or
 * an errno number. */
int job_replace_file(int directory, const char *name, const char *text);

/* Whether a job can be called so: nothing but digits. */
bool job_is_name(const char *name);
/* What an errno number makes of a part that was to be read. */
enum job_reading job_failed_reading(int error);
/* A decimal number of nothing but digits, up to most; *text stands behind it then. */
bool job_take_number(const char **text, uint64_t most, uint64_t *number);

#endif
