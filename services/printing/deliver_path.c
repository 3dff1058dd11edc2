/* deliver_path - opens what stands under a target's path; see deliver_path.h. */
#include "deliver_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LINKS_MOST 8 /* that lead to each other */
#define MODE 0666    /* of a file that is made */

/* Puts what a link says in the place of its own path. 0 or an errno number. */
static int go_on(char path[PATH_MAX], const char *leads)
{
    const char *name = strrchr(path, '/');
    size_t kept = leads[0] == '/' || name == NULL ? 0 : (size_t)(name + 1 - path);
    size_t length = strlen(leads);
    if (kept + length >= PATH_MAX) {
        return ENAMETOOLONG;
    }
    memcpy(path + kept, leads, length + 1);
    return 0;
}

/* A link before a slash at the end would be followed whoever owns it. */
static void cut_slashes(char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        path[--length] = '\0';
    }
}

/* Whether links here are the kernel's own, which lead where no path does: /proc/self/fd/1. */
static bool is_of_kernel(int link)
{
    struct statfs facts;
    return fstatfs(link, &facts) == 0 && facts.f_type == PROC_SUPER_MAGIC;
}

/* Reads a link that is held open, so it is the one that is looked at, whatever its name is now. 0
 * or an errno number; otherwise: it is no link. */
static int read_link(int link, int otherwise, char leads[PATH_MAX], struct line *why)
{
    struct stat facts;
    if (fstat(link, &facts) != 0) {
        return errno;
    }
    if (!S_ISLNK(facts.st_mode)) {
        return otherwise;
    }
    if (facts.st_uid != 0 && facts.st_uid != geteuid()) {
        line_add(why, "it is a symbolic link of another user's, which is not followed");
        return EPERM;
    }
    ssize_t length = readlinkat(link, "", leads, PATH_MAX - 1);
    leads[length > 0 ? length : 0] = '\0';
    return length < 0 ? errno : 0;
}

/* After an open of path that failed with errno, as it does for a link. A descriptor, or -1 with
 * errno; -1 and 0: path is now what the link leads to. */
static int follow(char path[PATH_MAX], int flags, struct line *why)
{
    char leads[PATH_MAX];
    int fd = -1;
    int error = errno;
    int link = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (link < 0) {
        return -1;
    }
    if (is_of_kernel(link)) {
        fd = open(path, flags, MODE);
        error = errno;
    } else {
        error = read_link(link, error, leads, why);
        error = error == 0 ? go_on(path, leads) : error;
    }
    close(link);
    errno = error;
    return fd;
}

int deliver_open(const char *name, int flags, char path[PATH_MAX], struct line *why)
{
    path[0] = '\0';
    errno = go_on(path, name);
    for (unsigned links = 0; errno == 0 && links <= LINKS_MOST; links++) {
        if ((flags & O_DIRECTORY) != 0) {
            cut_slashes(path);
        }
        int fd = open(path, flags | O_NOFOLLOW, MODE);
        if (fd >= 0 || (errno != ELOOP && errno != ENOTDIR)) {
            return fd;
        }
        fd = follow(path, flags, why);
        if (fd >= 0) {
            return fd;
        }
    }
    errno = errno == 0 ? ELOOP : errno;
    return -1;
}
