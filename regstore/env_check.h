/*
 * env_check.h - is it safe to open these files?
 *
 * LMDB trusts what it maps: a damaged header or a file cut short ends in SIGBUS or worse, and
 * whoever may write the files can damage them. So the directory, the files and both meta pages are
 * looked at before and after LMDB opens them. Needs status. A part of env.
 */
#ifndef REGSTORE_ENV_CHECK_H
#define REGSTORE_ENV_CHECK_H

#include <stdbool.h>
#include "regstore.h"

#define ENV_DATA_FILE "data.mdb"
#define ENV_LOCK_FILE "lock.mdb"

/* The store's directory, opened; with create it is made, parents included. RS_ENOSTORE, RS_EUNSAFE.
 */
int env_check_directory(const char *dir, bool create, int *fd, rs_error *error);
/* The data file: *exists is false if there is none or it is empty. RS_EUNSAFE if it is no regular
 * file or others may write it; RS_EDAMAGED if its header is not one that LMDB writes. */
int env_check_files(int dir_fd, const char *dir, bool *exists, rs_error *error);
/* Makes the files, empty, with their modes and the directory's group, where they do not exist. */
int env_make_files(int dir_fd, const char *dir, rs_error *error);
/* After a failed creation: half a header would be taken for a damaged store. */
void env_empty_data_file(int dir_fd);
/* The lock file alone, with all of its blocks, as LMDB writes it through a map: a copy of a store
 * may come without one. */
int env_make_lock_file(int dir_fd, const char *dir, rs_error *error);
/* Whoever opens, makes or replaces the files has a lock of the directory, from looking at them
 * until LMDB has them open. So nobody gets one old and one new, and nobody waits inside LMDB for
 * one who makes the lock file ready: killed half way, that one would leave the waiting one with a
 * lock file that says that nothing was ever committed. Where a file system has no such locks,
 * opening is not refused; nor where others, who may open the directory, keep it locked for two
 * seconds. */
int env_lock_opening(int dir_fd, const char *dir, rs_error *error);
int env_lock_alone(int dir_fd, const char *dir, rs_error *error);
void env_unlock(int dir_fd);
/* Bytes of the data file. */
int env_file_size(int fd, const char *dir, uint64_t *size, rs_error *error);
int env_fail_short(const char *dir, uint64_t size, uint64_t wanted, rs_error *error);
/* Does a snapshot, which must be held, need what the file lacks at its end? Reads the file alone,
 * and harms neither it nor the process, whatever is in it. RS_EDAMAGED: it does, or that cannot be
 * told; RS_EBUSY: its meta page has been replaced by a later one. */
int env_check_tail(int fd, uint64_t page_size, uint64_t snapshot);
/* Bytes that are left on the data file's file system, UINT64_MAX if it does not tell. */
uint64_t env_disk_room(int fd);

#endif
