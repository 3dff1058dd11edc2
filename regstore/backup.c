/*
 * backup.c - the copy of a running store as a file; see backup.h.
 *
 * LMDB copies one snapshot while readers and writers go on. It has to be able to go back in the
 * file that it writes, so what is to become standard output, a device or a pipe is made in a
 * temporary file first.
 */
#include "backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transfer.h"

#define PIECE ((size_t)1 << 16)
/* A store is not for everybody's eyes, and neither is a copy of it. */
#define BACKUP_MODE 0600

struct backup {
    struct rs_store *store;
    const char *file;
    struct transfer_progress progress;
    struct transfer_output output;
    uint64_t bytes;
    rs_error *error;
};

static int copy_store(struct backup *backup, int fd)
{
    struct stat st;
    rs_error why = RS_ERROR_INIT;
    int status = env_copy(backup->store->env, fd, &why);
    if (status != RS_OK) {
        return fail(backup->error, status, "cannot write %s: %s", backup->output.name, why.text);
    }
    if (fstat(fd, &st) != 0) {
        status = fail_errno(backup->error, "%s", backup->file);
    }
    if (status == RS_OK) {
        backup->bytes = (uint64_t)st.st_size;
        backup->progress.now.total = backup->bytes;
    }
    return status;
}

static int send_file(struct backup *backup, int fd)
{
    char *piece = malloc(PIECE);
    int status = piece != NULL ? RS_OK : fail(backup->error, RS_ENOMEM, "out of memory");
    off_t at = 0;
    while (status == RS_OK) {
        ssize_t got = pread(fd, piece, PIECE, at);
        if (got < 0) {
            status = fail_errno(backup->error, "cannot read the temporary file");
        }
        if (got <= 0) {
            break;
        }
        status = backup->output.output.write(&backup->output.output, piece, (size_t)got);
        at += got;
    }
    free(piece);
    return status;
}

static int send_copy(struct backup *backup)
{
    int fd = transfer_unnamed(backup->error);
    if (fd < 0) {
        return backup->error->status;
    }
    int status = copy_store(backup, fd);
    if (status == RS_OK) {
        status = send_file(backup, fd);
    }
    close(fd);
    return status;
}

/* What replaces a file has got that file's mode. */
static int keep_private(const struct backup *backup, bool exists)
{
    if (!exists && fchmod(backup->output.descriptor, BACKUP_MODE) != 0) {
        return fail_errno(backup->error, "cannot write %s", backup->file);
    }
    return RS_OK;
}

static int write_file(struct backup *backup, bool overwrite)
{
    struct stat st;
    bool exists = stat(backup->file, &st) == 0;
    int status = transfer_output_open(&backup->output, backup->file, overwrite, &backup->progress,
                                      backup->error);
    if (status != RS_OK) {
        return status;
    }
    if (backup->output.temporary.size > 0) {
        status = keep_private(backup, exists);
        status = status == RS_OK ? copy_store(backup, backup->output.descriptor) : status;
    } else {
        status = send_copy(backup);
    }
    int closed = transfer_output_close(&backup->output, status == RS_OK);
    return status == RS_OK ? closed : status;
}

/* The revision that the copy has at least. */
static int find_revision(struct rs_store *store, uint64_t *revision, rs_error *error)
{
    struct rs_txn *txn;
    int status = store_begin(store, false, &txn, error);
    if (status == RS_OK) {
        *revision = store_revision(txn);
        store_abort(txn);
    }
    return status;
}

int backup_write(struct rs_store *store, const char *file, const rs_backup_options *options,
                 rs_backup_report *report, rs_error *error)
{
    static const rs_backup_options no_options;
    const rs_backup_options *asked = options != NULL ? options : &no_options;
    rs_error why = RS_ERROR_INIT;
    uint64_t revision = 0;
    struct backup backup = {
        .store = store,
        .file = file,
        .progress = {.call = asked->progress, .context = asked->context},
        .error = &why,
    };
    int status = find_revision(store, &revision, &why);
    if (status == RS_OK && env_has_file(store->env, file)) {
        status = fail(&why, RS_EINVAL, "%s: a file of the store itself", file);
    }
    if (status == RS_OK) {
        status = write_file(&backup, (asked->flags & RS_OVERWRITE) != 0);
    }
    if (status != RS_OK) {
        return fail(error, status, "%s", why.status != RS_OK ? why.text : rs_strerror(status));
    }
    if (report != NULL) {
        *report = (rs_backup_report){.revision = revision, .bytes = backup.bytes};
    }
    return RS_OK;
}
