/*
 * transfer_spool.c - dumps that others write while we read.
 *
 * One writer at a time: an import that waits for the other end of a pipe would make all writers
 * wait for it. So what reading could have to wait for is copied before the transaction begins, into
 * a temporary file that has no name and vanishes with the process. Needs text.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "transfer.h"

#define PIECE ((size_t)1 << 16)

/* ---- Files without a name ---- */

const char *transfer_unnamed_dir(void)
{
    const char *named = secure_getenv("TMPDIR");
    return named != NULL && *named != '\0' ? named : "/tmp";
}

/* Where the file system cannot make one it has a name for a moment. */
static int make_and_unlink(const char *dir)
{
    char *path = NULL;
    if (asprintf(&path, "%s/regstore-XXXXXX", dir) < 0) {
        errno = ENOMEM;
        return -1;
    }
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) {
        unlink(path);
    }
    free(path);
    return fd;
}

int transfer_unnamed(rs_error *error)
{
    const char *dir = transfer_unnamed_dir();
    int fd = open(dir, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        fd = make_and_unlink(dir);
    }
    if (fd < 0) {
        fail_errno(error, "%s: cannot make a temporary file", dir);
    }
    return fd;
}

/* ---- What reading could wait for ---- */

/* On these another machine or another process answers, or nobody does. */
static bool is_answered_by_others(unsigned long type)
{
    static const unsigned long types[] = {
        AFS_FS_MAGIC,    CEPH_SUPER_MAGIC, CIFS_SUPER_MAGIC, CODA_SUPER_MAGIC, FUSE_SUPER_MAGIC,
        NFS_SUPER_MAGIC, PROC_SUPER_MAGIC, SMB_SUPER_MAGIC,  SMB2_SUPER_MAGIC, V9FS_MAGIC};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i] == type) {
            return true;
        }
    }
    return false;
}

static bool may_wait(int fd)
{
    struct stat about;
    struct statfs system;
    return fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || fstatfs(fd, &system) != 0 ||
           is_answered_by_others((unsigned long)system.f_type & 0xffffffff);
}

/* ---- Copying ---- */

struct spooling {
    const char *name; /* of what is read, for errors */
    int from;
    int to;
    struct transfer_progress progress;
    rs_error *error;
};

static int keep_piece(struct spooling *spooling, const char *piece, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = write(spooling->to, piece + done, size - done);
        if (count < 0 && errno != EINTR) {
            return fail_errno(spooling->error, "%s: cannot be kept in %s until it is imported",
                              spooling->name, transfer_unnamed_dir());
        }
        done += count > 0 ? (size_t)count : 0;
    }
    return transfer_tell(&spooling->progress, size, spooling->error);
}

static int copy_pieces(struct spooling *spooling)
{
    char *piece = malloc(PIECE);
    int status =
        piece != NULL ? RS_OK : fail(spooling->error, RS_ENOMEM, "%s", rs_strerror(RS_ENOMEM));
    while (status == RS_OK) {
        ssize_t got = transfer_read(spooling->from, piece, PIECE);
        if (got < 0) {
            status = fail_errno(spooling->error, "cannot read %s", spooling->name);
        }
        if (got <= 0) {
            break;
        }
        status = keep_piece(spooling, piece, (size_t)got);
    }
    free(piece);
    return status;
}

/* Puts the copy in the file's place. */
static int copy(struct rs_spool *spool, struct spooling *spooling)
{
    spooling->to = transfer_unnamed(spooling->error);
    if (spooling->to < 0) {
        return spooling->error->status;
    }
    int status = copy_pieces(spooling);
    if (spool->owned) {
        close(spool->descriptor);
    }
    *spool = (struct rs_spool){.descriptor = spooling->to, .owned = true};
    return status;
}

int transfer_spool(const char *file, const rs_import_options *options, struct rs_spool **spool,
                   rs_error *error)
{
    static const rs_import_options no_options;
    const rs_import_options *asked = options != NULL ? options : &no_options;
    rs_error why = RS_ERROR_INIT;
    struct spooling spooling = {.name = transfer_input_name(file),
                                .progress = {.call = asked->progress, .context = asked->context},
                                .error = &why};
    struct rs_spool *made = malloc(sizeof *made);
    if (made == NULL) {
        return fail(error, RS_ENOMEM, "%s", rs_strerror(RS_ENOMEM));
    }
    int status = transfer_source_open(file, &made->descriptor, &why);
    made->owned = made->descriptor != STDIN_FILENO;
    if (status == RS_OK && may_wait(made->descriptor)) {
        spooling.from = made->descriptor;
        status = copy(made, &spooling);
    } else if (status == RS_OK) {
        made->start = lseek(made->descriptor, 0, SEEK_CUR);
    }
    if (status != RS_OK) {
        transfer_spool_free(made);
        return fail(error, status, "%s", why.text);
    }
    *spool = made;
    return RS_OK;
}

void transfer_spool_free(struct rs_spool *spool)
{
    if (spool != NULL && spool->owned && spool->descriptor >= 0) {
        close(spool->descriptor);
    }
    free(spool);
}
