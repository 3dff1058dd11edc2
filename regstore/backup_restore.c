/*
 * backup_restore.c - another data file in the place of a running store's; see backup.h.
 *
 * The new file is made in a directory "restore" inside the store's, which whoever is at work there
 * has locked; what a killed one left is removed by the next. A copy that is restored is put there
 * first, so that the file that is checked is the file that is used.
 *
 * Revisions are numbered by the store, not by the file. A watch that stood at revision 100 must not
 * take the hundred-and-first of a restored store for the next after those that it knows. So a
 * restored store goes on behind the highest number that was given in either, and its journal begins
 * anew: whoever comes with a position reads everything again.
 */
#include "backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "env_check.h"
#include "transfer.h"

#define PLACE_NAME "restore"
#define COPY_NAME "data.mdb"   /* the file as it came: with it the place is a store */
#define IMAGE_NAME "image.mdb" /* what takes the data file's place */
#define LOCK_NAME "lock"       /* of whoever is at work there */
#define PIECE ((size_t)1 << 16)

/* ---- The place ---- */

struct place {
    char *path;
    int fd;
    int lock; /* a file there; the directory's own lock is for opening the copy */
};

static void empty_place(const struct place *place)
{
    static const char *const names[] = {COPY_NAME, "lock.mdb", IMAGE_NAME};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unlinkat(place->fd, names[i], 0);
    }
}

static int lock_place(struct place *place, rs_error *error)
{
    if (mkdir(place->path, 0700) != 0 && errno != EEXIST) {
        return fail_errno(error, "%s: cannot be made", place->path);
    }
    place->fd = open(place->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (place->fd < 0) {
        return fail_errno(error, "%s", place->path);
    }
    place->lock = openat(place->fd, LOCK_NAME, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (place->lock >= 0 && flock(place->lock, LOCK_EX | LOCK_NB) == 0) {
        empty_place(place);
        return RS_OK;
    }
    int status = errno == EWOULDBLOCK
                     ? fail(error, RS_EBUSY, "%s: another one is at work there", place->path)
                     : fail_errno(error, "%s: cannot be locked", place->path);
    if (place->lock >= 0) {
        close(place->lock);
    }
    close(place->fd);
    return status;
}

static int open_place(struct place *place, const char *dir, rs_error *error)
{
    if (asprintf(&place->path, "%s/" PLACE_NAME, dir) < 0) {
        return fail(error, RS_ENOMEM, "out of memory");
    }
    int status = lock_place(place, error);
    if (status != RS_OK) {
        free(place->path);
    }
    return status;
}

static void close_place(struct place *place)
{
    empty_place(place);
    unlinkat(place->fd, LOCK_NAME, 0);
    rmdir(place->path);
    close(place->lock);
    close(place->fd);
    free(place->path);
}

/* Makes the file that is to take the data file's place. */
static int make_image(const struct place *place, struct env *env, uint64_t *bytes, rs_error *error)
{
    struct stat st;
    int fd = openat(place->fd, IMAGE_NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail_errno(error, "%s/" IMAGE_NAME ": cannot be made", place->path);
    }
    int status = env_copy(env, fd, error);
    if (status == RS_OK && fstat(fd, &st) == 0) {
        *bytes = (uint64_t)st.st_size;
    }
    close(fd);
    return status;
}

/* ---- The store whose file is replaced ---- */

static int begin_replacing(struct rs_store *store, struct env_txn *txn, struct store_state *state,
                           rs_error *error)
{
    if (store->readonly) {
        return fail(error, RS_EREADONLY, "%s: the store is read-only", store->dir);
    }
    int status = env_begin(store->env, true, txn, error);
    if (status != RS_OK) {
        return status;
    }
    status = store_state_read(txn, state);
    if (status != RS_OK) {
        env_abort(txn);
        return fail(error, status, "%s: %s", store->dir, rs_strerror(status));
    }
    return RS_OK;
}

/* ---- Compacting ---- */

static int compact_in(const struct place *place, struct rs_store *store, rs_backup_report *report,
                      rs_error *error)
{
    struct env_txn txn;
    struct env_size size = {0};
    struct store_state state = {0};
    int status = begin_replacing(store, &txn, &state, error);
    if (status != RS_OK) {
        return status;
    }
    report->revision = state.revision;
    status = env_size(&txn, &size);
    report->bytes_before = size.file;
    if (status == RS_OK) {
        status = make_image(place, store->env, &report->bytes, error);
    }
    if (status == RS_OK) {
        status = env_take_place(&txn, place->fd, IMAGE_NAME, error);
    }
    env_abort(&txn);
    return status;
}

int backup_compact(struct rs_store *store, rs_backup_report *report, rs_error *error)
{
    struct place place;
    rs_backup_report made = {0};
    int status = open_place(&place, store->dir, error);
    if (status != RS_OK) {
        return status;
    }
    status = compact_in(&place, store, &made, error);
    close_place(&place);
    if (status == RS_OK) {
        bell_ring(store->dir);
        if (report != NULL) {
            *report = made;
        }
    }
    return status;
}

/* ---- Restoring: the file ---- */

struct restoring {
    const char *dir;
    const char *file;
    const rs_restore_options *options;
    struct transfer_progress progress;
    struct place place;
    rs_backup_report report;
    rs_error *error;
};

/* A pipe that nobody writes to would be waited for. */
static int open_file(const struct restoring *restoring, int *fd)
{
    struct stat st;
    *fd = open(restoring->file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (*fd < 0 || fstat(*fd, &st) != 0) {
        return fail_errno(restoring->error, "cannot open %s", restoring->file);
    }
    if (S_ISREG(st.st_mode)) {
        return RS_OK;
    }
    return fail(restoring->error, RS_EINVAL, "%s: not a regular file", restoring->file);
}

static int write_piece(struct restoring *restoring, int fd, const char *piece, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = write(fd, piece + done, size - done);
        if (count < 0 && errno != EINTR) {
            return fail_errno(restoring->error, "%s/" COPY_NAME ": cannot be written",
                              restoring->place.path);
        }
        done += count > 0 ? (size_t)count : 0;
    }
    return transfer_tell(&restoring->progress, size, restoring->error);
}

static int copy_pieces(struct restoring *restoring, int from, int to)
{
    char *piece = malloc(PIECE);
    int status = piece != NULL ? RS_OK : fail(restoring->error, RS_ENOMEM, "out of memory");
    while (status == RS_OK) {
        ssize_t got = read(from, piece, PIECE);
        if (got < 0) {
            status = fail_errno(restoring->error, "cannot read %s", restoring->file);
        }
        if (got <= 0) {
            break;
        }
        status = write_piece(restoring, to, piece, (size_t)got);
    }
    free(piece);
    return status;
}

static int copy_file(struct restoring *restoring)
{
    struct stat st;
    int from = -1;
    int status = open_file(restoring, &from);
    if (status == RS_OK) {
        restoring->progress.now.total = fstat(from, &st) == 0 ? (uint64_t)st.st_size : 0;
        int to =
            openat(restoring->place.fd, COPY_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        status = to >= 0 ? copy_pieces(restoring, from, to)
                         : fail_errno(restoring->error, "%s/" COPY_NAME ": cannot be made",
                                      restoring->place.path);
        if (to >= 0) {
            close(to);
        }
    }
    if (from >= 0) {
        close(from);
    }
    return status;
}

/* ---- Restoring: is it whole? ---- */

/* The copy's path means nothing to the caller; the file's does. */
static int blame_file(const struct restoring *restoring, int status, const rs_error *why)
{
    const char *text = why->status != RS_OK ? why->text : rs_strerror(status);
    size_t len = strlen(restoring->place.path);
    if (strncmp(text, restoring->place.path, len) == 0) {
        text += len;
        text +=
            strncmp(text, "/" COPY_NAME, strlen("/" COPY_NAME)) == 0 ? strlen("/" COPY_NAME) : 0;
    }
    text += strspn(text, ": ");
    return fail(restoring->error, status, "%s: %s", restoring->file, text);
}

static int keep_first(void *context, const rs_damage *damage)
{
    fail(context, RS_EDAMAGED, "%s", damage->text);
    return 0;
}

static int check_open(struct rs_store *copy, rs_error *why)
{
    struct rs_txn *txn;
    rs_check_report report = {0};
    rs_check_options options = {.damage = keep_first, .context = why};
    int status = store_begin(copy, false, &txn, why);
    if (status == RS_OK) {
        status = check_store(txn, &options, &report);
        store_abort(txn);
    }
    return status == RS_OK && report.damages > 0 ? RS_EDAMAGED : status;
}

static int check_here(const char *dir, rs_error *why)
{
    struct rs_store *copy;
    int status = store_open(dir, RS_READONLY, &copy, why);
    if (status == RS_OK) {
        status = check_open(copy, why);
        store_close(copy);
    }
    return status;
}

static int check_copy(const struct restoring *restoring)
{
    const rs_restore_options *options = restoring->options;
    rs_error why = RS_ERROR_INIT;
    int status = options->check != NULL
                     ? options->check(options->context, restoring->place.path, &why)
                     : check_here(restoring->place.path, &why);
    return status == RS_OK ? RS_OK : blame_file(restoring, status, &why);
}

/* ---- Restoring: the store ---- */

/* A store without a revision has no watch that could be misled. */
static int go_on_behind(struct env_txn *txn, struct store_state *state, uint64_t revision)
{
    if (revision == 0) {
        return RS_OK;
    }
    state->revision = (state->revision > revision ? state->revision : revision) + 1;
    state->journal_bytes = 0;
    return journal_clear(txn);
}

/* The copy becomes a store in which number is the latest commit, after a store with that revision.
 */
static int renumber(struct env *env, uint64_t revision, uint64_t number, rs_error *error)
{
    struct env_txn txn;
    struct store_state state;
    int status = env_begin(env, true, &txn, error);
    if (status != RS_OK) {
        return status;
    }
    status = store_state_read(&txn, &state);
    if (status == RS_OK) {
        status = go_on_behind(&txn, &state, revision);
    }
    if (status == RS_OK) {
        status = store_pending_forget(&txn);
    }
    if (status == RS_OK) {
        state.txn_number = number;
        status = store_state_write(&txn, &state);
    }
    if (status != RS_OK) {
        env_abort(&txn);
        return fail(error, status, "cannot be prepared: %s", rs_strerror(status));
    }
    return env_commit(&txn, error);
}

/* What is restored is what is wanted: nothing of it is taken back. */
static int confirm_all(struct env *env, rs_error *error)
{
    struct env_txn txn;
    struct store_pending pending;
    int status = env_begin(env, true, &txn, error);
    if (status != RS_OK) {
        return status;
    }
    if (store_pending_read(&txn, &pending) == RS_ENOTFOUND) {
        env_abort(&txn);
        return RS_OK;
    }
    status = store_pending_forget(&txn);
    if (status != RS_OK) {
        env_abort(&txn);
        return fail(error, status, "cannot be prepared: %s", rs_strerror(status));
    }
    return env_commit(&txn, error);
}

static int find_revision(struct env *env, uint64_t *revision, rs_error *error)
{
    struct env_txn txn;
    struct store_state state;
    int status = env_begin(env, false, &txn, error);
    if (status != RS_OK) {
        return status;
    }
    status = store_state_read(&txn, &state);
    env_abort(&txn);
    if (status == RS_OK) {
        *revision = state.revision;
    }
    return status;
}

/* current is NULL where nothing is known of the store that is replaced. */
static int make_from_copy(struct restoring *restoring, const struct store_state *current,
                          uint64_t number)
{
    struct rs_store *copy;
    int status = store_open(restoring->place.path, 0, &copy, restoring->error);
    if (status != RS_OK) {
        return status;
    }
    status = current != NULL ? renumber(copy->env, current->revision, number, restoring->error)
                             : confirm_all(copy->env, restoring->error);
    if (status == RS_OK) {
        status = find_revision(copy->env, &restoring->report.revision, restoring->error);
    }
    if (status == RS_OK) {
        status =
            make_image(&restoring->place, copy->env, &restoring->report.bytes, restoring->error);
    }
    store_close(copy);
    return status;
}

static int replace(struct restoring *restoring, struct rs_store *store)
{
    struct env_txn txn;
    struct env_size size = {0};
    struct store_state current = {0};
    int status = begin_replacing(store, &txn, &current, restoring->error);
    if (status != RS_OK) {
        return status;
    }
    status = env_size(&txn, &size);
    restoring->report.bytes_before = size.file;
    if (status == RS_OK) {
        status = make_from_copy(restoring, &current, env_txn_number(&txn) - 1);
    }
    if (status == RS_OK) {
        status = env_take_place(&txn, restoring->place.fd, IMAGE_NAME, restoring->error);
    }
    env_abort(&txn);
    return status;
}

static int replace_unread(struct restoring *restoring)
{
    int status = make_from_copy(restoring, NULL, 0);
    return status == RS_OK ? env_take_place_unread(restoring->dir, restoring->place.fd, IMAGE_NAME,
                                                   restoring->error)
                           : status;
}

/* The empty store is made last, when nothing but the disk can fail, and is replaced at once: what
 * it consists of beside the data file comes with it. */
static int replace_nothing(struct restoring *restoring)
{
    struct rs_store *store;
    int status = store_open(restoring->dir, RS_CREATE | RS_NEW, &store, restoring->error);
    if (status == RS_OK) {
        status = replace(restoring, store);
        store_close(store);
    }
    return status;
}

/* store is NULL: what is there is not read, or is nothing. */
static int put_in_place(struct restoring *restoring, struct rs_store *store)
{
    if (store != NULL) {
        return replace(restoring, store);
    }
    return restoring->options->flags & RS_ANEW ? replace_nothing(restoring)
                                               : replace_unread(restoring);
}

static int restore_into(struct restoring *restoring, struct rs_store *store)
{
    int status = open_place(&restoring->place, restoring->dir, restoring->error);
    if (status != RS_OK) {
        return status;
    }
    status = copy_file(restoring);
    if (status == RS_OK) {
        status = check_copy(restoring);
    }
    if (status == RS_OK) {
        status = put_in_place(restoring, store);
    }
    close_place(&restoring->place);
    if (status == RS_OK) {
        bell_ring(restoring->dir);
    }
    return status;
}

/* Whether a directory is there that is a store already; the error is not about that. */
static int expect_no_store(const struct restoring *restoring)
{
    struct rs_store *store;
    rs_error why = RS_ERROR_INIT;
    int status = store_open(restoring->dir, RS_READONLY, &store, &why);
    if (status == RS_OK) {
        store_close(store);
        return fail(restoring->error, RS_EEXIST, "%s: a store exists there", restoring->dir);
    }
    return status == RS_ENOSTORE ? RS_OK : fail(restoring->error, status, "%s", why.text);
}

static int restore_anew(struct restoring *restoring)
{
    struct stat st;
    bool was_there = stat(restoring->dir, &st) == 0;
    int dir_fd = -1;
    int status = expect_no_store(restoring);
    if (status == RS_OK) {
        status = env_check_directory(restoring->dir, true, &dir_fd, restoring->error);
    }
    if (status != RS_OK) {
        return status;
    }
    close(dir_fd);
    status = restore_into(restoring, NULL);
    if (status != RS_OK && !was_there) {
        (void)rmdir(restoring->dir); /* not if something came into it */
    }
    return status;
}

static int restore(struct restoring *restoring)
{
    struct rs_store *store;
    if (restoring->options->flags & RS_ANEW) {
        return restore_anew(restoring);
    }
    if (restoring->options->flags & RS_UNREAD) {
        return restore_into(restoring, NULL);
    }
    int status = store_open(restoring->dir, 0, &store, restoring->error);
    if (status != RS_OK) {
        return status;
    }
    if (env_has_file(store->env, restoring->file)) {
        status =
            fail(restoring->error, RS_EINVAL, "%s: a file of the store itself", restoring->file);
    } else {
        status = restore_into(restoring, store);
    }
    store_close(store);
    return status;
}

int backup_restore(const char *dir, const char *file, const rs_restore_options *options,
                   rs_backup_report *report, rs_error *error)
{
    static const rs_restore_options no_options;
    const rs_restore_options *asked = options != NULL ? options : &no_options;
    struct restoring restoring = {
        .dir = dir,
        .file = file,
        .options = asked,
        .progress = {.call = asked->progress, .context = asked->context},
        .error = error,
    };
    int status = restore(&restoring);
    if (status == RS_OK && report != NULL) {
        *report = restoring.report;
    }
    return status;
}
