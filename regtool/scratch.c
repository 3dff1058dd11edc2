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

int scratch_begin(struct scratch *scratch)
{
    const char *parent = getenv("TMPDIR");
    char dir[PATH_MAX];
    int result;

    if (parent == NULL || parent[0] == '\0') {
        parent = "/tmp";
    }
    if (snprintf(dir, sizeof(dir), "%s/regtool-XXXXXX", parent) >= (int)sizeof(dir)) {
        return report("%s: %s", parent, strerror(ENAMETOOLONG));
    }
    if (mkdtemp(dir) == NULL) {
        return report("%s: %s", dir, strerror(errno));
    }
    result = open_in(scratch, dir);
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return result;
}

void scratch_end(struct scratch *scratch)
{
    rs_abort(scratch->txn);
    rs_close(scratch->store);
    *scratch = (struct scratch){.store = NULL};
}
