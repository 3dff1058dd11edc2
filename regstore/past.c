/*
 * past.c - a private copy of a store, taken back to a revision; see past.h.
 *
 * The copy is made in a directory of its own and loses its names as soon as it is open, so that
 * nothing is left of it, however the process ends. Nothing in it waits for the disk, and taking its
 * revisions back is not recorded.
 */
#include "past.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "history.h"

#define COPY_NAME "data.mdb"

/* ---- Is it within reach? ---- */

static int check_reach(struct rs_store *store, uint64_t revision, rs_error *error)
{
    struct rs_txn *txn;
    uint64_t first = 0;
    int status = store_begin(store, false, &txn, error);
    if (status != RS_OK) {
        return status;
    }
    uint64_t latest = store_revision(txn);
    status = journal_first(&txn->env, &first);
    store_abort(txn);
    if (status != RS_OK) {
        return fail(error, status, "the journal: %s", rs_strerror(status));
    }
    if (revision > latest) {
        return fail(error, RS_ENOTFOUND, "no revision %llu, the latest is %llu",
                    (unsigned long long)revision, (unsigned long long)latest);
    }
    if (revision < latest && (first == 0 || revision + 1 < first)) {
        return fail(
            error, RS_EBEHIND, "the journal no longer reaches back to revision %llu, but to %llu",
            (unsigned long long)revision, (unsigned long long)(first > 0 ? first - 1 : latest));
    }
    return RS_OK;
}

/* ---- The copy ---- */

static char *make_dir(rs_error *error)
{
    const char *named = secure_getenv("TMPDIR");
    const char *above = named != NULL && *named != '\0' ? named : "/tmp";
    char *dir = NULL;
    if (asprintf(&dir, "%s/regstore-past-XXXXXX", above) < 0) {
        fail(error, RS_ENOMEM, "out of memory");
        return NULL;
    }
    if (mkdtemp(dir) == NULL) {
        fail_errno(error, "%s: cannot make a temporary directory", above);
        free(dir);
        return NULL;
    }
    return dir;
}

static void remove_dir(char *dir)
{
    static const char *const names[] = {COPY_NAME, "lock.mdb"};
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    for (size_t i = 0; fd >= 0 && i < sizeof names / sizeof *names; i++) {
        unlinkat(fd, names[i], 0);
    }
    if (fd >= 0) {
        close(fd);
    }
    rmdir(dir);
    free(dir);
}

static int write_copy(struct rs_store *store, const char *dir, rs_error *error)
{
    char *path = NULL;
    if (asprintf(&path, "%s/" COPY_NAME, dir) < 0) {
        return fail(error, RS_ENOMEM, "out of memory");
    }
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int status =
        fd >= 0 ? env_copy(store->env, fd, error) : fail_errno(error, "%s: cannot be made", path);
    if (fd >= 0) {
        close(fd);
    }
    free(path);
    return status;
}

/* Where the room is missing matters to whoever has to make some. */
static int copy_into(struct rs_store *store, const char *dir, rs_error *error)
{
    rs_error why = RS_ERROR_INIT;
    int status = write_copy(store, dir, &why);
    int above = (int)(strrchr(dir, '/') - dir);
    return status == RS_OK
               ? RS_OK
               : fail(error, status, "%.*s: the store's copy: %s", above, dir, why.text);
}

/* ---- Back in time ---- */

/* What is to be taken back was recorded step by step up to the present: a conflict means that the
 * record is not whole. */
static int take_back(struct rs_txn *txn, uint64_t revision)
{
    struct store_state state = {.revision = revision,
                                .txn_number = env_txn_number(&txn->env),
                                .journal_bytes = txn->journal_bytes};
    int status = history_undo(txn, revision + 1, txn->revision, NULL, NULL);
    if (status == RS_OK) {
        status = tree_flush(&txn->tree);
    }
    if (status == RS_OK) {
        status = journal_cut(&txn->env, revision, &state.journal_bytes);
    }
    if (status == RS_OK) {
        status = store_pending_forget(&txn->env);
    }
    if (status == RS_OK) {
        state.tree = txn->tree.state;
        status = store_state_write(&txn->env, &state);
    }
    return status == RS_ECONFLICT ? RS_EBEHIND : status;
}

static int take_copy_back(struct rs_store *copy, uint64_t revision, rs_error *error)
{
    struct rs_txn *txn;
    rs_error why = RS_ERROR_INIT;
    int status = store_begin(copy, true, &txn, &why);
    if (status == RS_OK && txn->revision > revision) {
        txn->tree.sink = NULL;
        txn->tree.error = &why;
        status = take_back(txn, revision);
        status = status == RS_OK ? env_commit(&txn->env, &why) : status;
        txn->tree.failed = RS_OK; /* no reason to shorten the copy's history */
        store_abort(txn);
    } else if (status == RS_OK) {
        store_abort(txn);
    }
    return status == RS_OK ? RS_OK
                           : fail(error, status, "revision %llu cannot be shown: %s",
                                  (unsigned long long)revision,
                                  why.status != RS_OK ? why.text : rs_strerror(status));
}

static int open_copy(const char *dir, uint64_t revision, struct rs_store **out, rs_error *error)
{
    struct rs_store *copy;
    int status = store_open(dir, 0, &copy, error);
    if (status != RS_OK) {
        return status;
    }
    env_forget_disk(copy->env);
    status = take_copy_back(copy, revision, error);
    if (status != RS_OK) {
        store_close(copy);
        return status;
    }
    copy->readonly = true;
    *out = copy;
    return RS_OK;
}

int past_open(struct rs_store *store, uint64_t revision, struct rs_store **past, rs_error *error)
{
    int status = check_reach(store, revision, error);
    if (status != RS_OK) {
        return status;
    }
    rs_error why = RS_ERROR_INIT;
    char *dir = make_dir(&why);
    if (dir == NULL) {
        return fail(error, why.status, "%s", why.text);
    }
    status = copy_into(store, dir, error);
    if (status == RS_OK) {
        status = open_copy(dir, revision, past, error);
    }
    remove_dir(dir);
    return status;
}
