/*
 * job_parts - small files in directories of ours, as the parts of job and the spool read and write
 * them.
 *
 * A file is taken only if it is a plain one that belongs to whom its directory belongs to, and that
 * nobody else can write: what was put there by another hand is no part of the job. Needs line.
 */
#ifndef PRINTING_JOB_PARTS_H
#define PRINTING_JOB_PARTS_H

#include "../common/line.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Opens a file of the directory with open(2)'s flags, close-on-exec. -1 with errno; EPERM: it is
 * not the job's own. */
int job_open_file(int directory, const char *name, int flags);
/* Reads all of a file into text, which takes size bytes with the NUL. 0 or an errno number; EFBIG:
 * it is larger, EILSEQ: it holds a NUL. */
int job_read_file(int directory, const char *name, char *text, size_t size);
/* Makes a file that is not there yet. The descriptor, or -1 with errno, and there is none. */
int job_make_file(int directory, const char *name, const char *text, size_t length);

/* A file of this text, new or in the place of the old one; it is on the disk, with its name, when
 * this returns, and whoever looks, also after a loss of power, finds the old or the new one. 0 or
 * an errno number. */
int job_replace_file(int directory, const char *name, const char *text);

/* A decimal number of nothing but digits, up to most, which ends at *text's next space or end; that
 * is where *text stands then. */
bool job_take_number(const char **text, uint64_t most, uint64_t *number);

#endif
