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
/* Makes the files, empty, with their modes, where they do not exist. */
int env_make_files(int dir_fd, const char *dir, rs_error *error);
/* RS_EDAMAGED if the file ends before its last page. */
int env_check_length(int fd, uint64_t pages, uint64_t page_size, const char *dir, rs_error *error);
/* Keeps the file longer than its pages need. LMDB does not write pages that a transaction took and
 * gave back, so without this a healthy file could look cut short. It is made longer ahead of need,
 * as the writer can be killed between its commit and this call. */
void env_keep_length(int fd, uint64_t pages, uint64_t page_size);

#endif
