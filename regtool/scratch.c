/* Stores that nobody else sees. */
#include "scratch.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *walk)
{
    (void)about;
    (void)type;
    (void)walk;
    (void)remove(path); /* what is left does no harm */
    return 0;
}

static int open_in(struct scratch *scratch, const char *dir)
{
    rs_error error = RS_ERROR_INIT;
    int status = rs_open(dir, RS_CREATE, &scratch->store, &error);

    if (status != RS_OK) {
        return report_status(status, &error, dir);
    }
    status = rs_begin(scratch->store, RS_WRITE, &scratch->txn);
    if (status != RS_OK) {
        rs_close(scratch->store);
        return report_status(status, NULL, dir);
    }
    return 0;
}

const char *scratch_parent(void)
{
    const char *parent = getenv("TMPDIR");

    return parent != NULL && parent[0] != '\0' ? parent : "/tmp";
}

/* Makes an empty directory that only its owner can enter. Returns 0, or 1 after a report. */
static int make_directory(char dir[PATH_MAX])
{
    const char *parent = scratch_parent();

    if (snprintf(dir, PATH_MAX, "%s/regtool-XXXXXX", parent) >= PATH_MAX) {
        return report("%s: %s", parent, strerror(ENAMETOOLONG));
    }
    return mkdtemp(dir) != NULL ? 0 : report("%s: %s", dir, strerror(errno));
}

int scratch_begin(struct scratch *scratch)
{
    char dir[PATH_MAX];
    int result = make_directory(dir);

    if (result == 0) {
        result = open_in(scratch, dir);
        nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    }
    return result;
}

/* The file of a store is a backup's. */
static int copy_to(const char *dir, rs_store *store)
{
    rs_error error = RS_ERROR_INIT;
    char file[PATH_MAX];
    int status = RS_ETOOLONG;

    if (snprintf(file, sizeof(file), "%s/data.mdb", dir) < (int)sizeof(file)) {
        status = rs_backup(store, file, NULL, NULL, &error);
    }
    return status == RS_OK ? 0 : report_status(status, &error, dir);
}

int scratch_copy(struct scratch *scratch, rs_store *store)
{
    char dir[PATH_MAX];
    int result = make_directory(dir);

    if (result != 0) {
        return result;
    }
    result = copy_to(dir, store);
    if (result == 0) {
        result = open_in(scratch, dir);
    }
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return result;
}

void scratch_end(struct scratch *scratch)
{
    rs_abort(scratch->txn);
    rs_close(scratch->store);
    *scratch = (struct scratch){.store = NULL};
}
