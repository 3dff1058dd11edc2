/*
 * backup.h - whole stores as files.
 *
 * Gives the copy of a running store (backup.c), and the two that put another file in the place of a
 * store's data file: restoring from a copy and compacting (backup_restore.c). Needs store, check
 * and transfer.
 */
#ifndef REGSTORE_BACKUP_H
#define REGSTORE_BACKUP_H

#include "store.h"

/* rs_backup(), rs_restore() and rs_compact() of regstore.h; options, report and error may be NULL.
 */
int backup_write(struct rs_store *store, const char *file, const rs_backup_options *options,
                 rs_backup_report *report, rs_error *error);
int backup_restore(const char *dir, const char *file, const rs_restore_options *options,
                   rs_backup_report *report, rs_error *error);
int backup_compact(struct rs_store *store, rs_backup_report *report, rs_error *error);

#endif
