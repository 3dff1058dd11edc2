/* spool_directory - directories and the names in them; see spool_parts.h. */
#include "spool_parts.h"

#include "../printing/job_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MOST_NUMBER 999999999999 /* so many jobs nobody has, and the name takes it */

uint64_t spool_number(const char *name)
{
    uint64_t number;
    char expected[JOB_NAME];
    const char *end = name;
    if (!job_take_number(&end, MOST_NUMBER, &number) || *end != '\0') {
        return 0;
    }
    spool_name(number, expected);
    return strcmp(name, expected) == 0 ? number : 0;
}

void spool_name(uint64_t number, char name[JOB_NAME])
{
    snprintf(name, JOB_NAME, "%08llu", (unsigned long long)(number % (MOST_NUMBER + 1)));
}

int spool_open_directory(int parent, const char *name)
{
    struct stat found;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    if (fstat(fd, &found) != 0 || found.st_uid != geteuid() ||
        (found.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        close(fd);
        errno = EPERM;
        return -1;
    }
    return fd;
}

int spool_make_directory(int parent, const char *name)
{
    if (mkdirat(parent, name, 0700) == 0) {
        /* A umask may take its owner's own rights. */
        if (fchmodat(parent, name, 0700, 0) != 0) {
            return -1;
        }
    } else if (errno != EEXIST) {
        return -1;
    }
    return spool_open_directory(parent, name);
}

int spool_list(int directory, bool (*each)(void *owner, const char *name), void *owner)
{
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    if (stream == NULL) {
        int problem = errno;
        if (fd >= 0) {
            close(fd);
        }
        return problem;
    }
    struct dirent *entry;
    bool more = true;
    while (more && (errno = 0, entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            more = each(owner, entry->d_name);
        }
    }
    int problem = more ? errno : 0;
    closedir(stream);
    return problem;
}

/* ---- Removing -------------------------------------------------------------------------------- */

static bool remove_document(void *owner, const char *name)
{
    int directory = *(int *)owner;
    bool is_last = strcmp(name, JOB_FACTS) == 0 || strcmp(name, JOB_STATE) == 0;
    if (!is_last && unlinkat(directory, name, 0) != 0 && errno == EISDIR) {
        (void)unlinkat(directory, name, AT_REMOVEDIR);
    }
    return true;
}

int spool_remove_tree(int parent, const char *name)
{
    int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0) {
        return unlinkat(parent, name, 0) == 0 ? 0 : errno;
    }
    int problem = spool_list(directory, remove_document, &directory);
    (void)unlinkat(directory, JOB_FACTS, 0);
    (void)unlinkat(directory, JOB_STATE, 0);
    close(directory);
    if (problem != 0) {
        return problem;
    }
    return unlinkat(parent, name, AT_REMOVEDIR) == 0 ? 0 : errno;
}

/* ---- Room ------------------------------------------------------------------------------------ */

int spool_room(struct spool *spool)
{
    struct statvfs disk;
    spool->unchecked = 0;
    if (fstatvfs(spool->directory, &disk) != 0) {
        return errno;
    }
    return disk.f_bavail < SPOOL_RESERVE / disk.f_frsize ? ENOSPC : 0;
}
