/* Output that is printed later. */
#include "later.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"
#include "scratch.h"

#define PIECE ((size_t)64 * 1024)

static int report_failure(void)
{
    return report("%s: the output cannot be kept there: %s", scratch_parent(), strerror(errno));
}

/* Where the file system makes no file without a name it has one for a moment. */
static int make_file(void)
{
    char path[PATH_MAX];
    int fd = open(scratch_parent(), O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0) {
        return fd;
    }
    if (snprintf(path, sizeof(path), "%s/regtool-XXXXXX", scratch_parent()) >= (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) {
        unlink(path);
    }
    return fd;
}

FILE *later_open(void)
{
    int fd = make_file();
    FILE *later = fd >= 0 ? fdopen(fd, "w+") : NULL;

    if (later == NULL) {
        report_failure();
        if (fd >= 0) {
            close(fd);
        }
    }
    return later;
}

static int copy(FILE *later)
{
    char piece[PIECE]; /* where memory is out, that was reported already */
    size_t size;

    while (!ferror(stdout) && (size = fread(piece, 1, PIECE, later)) > 0) {
        fwrite(piece, 1, size, stdout);
    }
    return ferror(later) ? report_failure() : 0;
}

int later_print(FILE *later)
{
    int result;

    if (later == NULL) {
        return 0;
    }
    if (ferror(later)) {
        errno = ENOSPC; /* what else, and the write's own errno is gone */
        result = report_failure();
    } else if (fflush(later) != 0 || fseek(later, 0, SEEK_SET) != 0) {
        result = report_failure();
    } else {
        result = copy(later);
    }
    fclose(later);
    return result;
}
