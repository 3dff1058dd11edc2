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

#define CLAIMS_KEPT 16           /* of jobs that are being removed */
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

static bool remove_file(void *owner, const char *name)
{
    int directory = *(int *)owner;
    if (strcmp(name, JOB_STATE) != 0 && unlinkat(directory, name, 0) != 0 && errno == EISDIR) {
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
    (void)unlinkat(directory, "facts", 0);
    int problem = spool_list(directory, remove_file, &directory);
    (void)unlinkat(directory, JOB_STATE, 0);
    close(directory);
    if (problem != 0) {
        return problem;
    }
    return unlinkat(parent, name, AT_REMOVEDIR) == 0 ? 0 : errno;
}

struct removal {
    struct spool *spool;
    enum spool_place place;
    int claim;
    bool was_job;
    char name[JOB_NAME];
};

/* That it left jobs/ is on the disk before its files go, or a loss of power might leave a part of a
 * job. */
static void remove_it(void *owner)
{
    const struct removal *removal = owner;
    const struct spool *spool = removal->spool;
    if (removal->was_job &&
        (fsync(spool->places[removal->place]) != 0 || fsync(spool->places[SPOOL_JOBS]) != 0)) {
        return;
    }
    (void)spool_remove_tree(spool->places[removal->place], removal->name);
}

static void removed(void *owner)
{
    struct removal *removal = owner;
    if (removal->claim >= 0) {
        close(removal->claim);
        removal->spool->claims--;
    }
    free(removal);
}

/* Jobs may be removed faster than their files go, and each claim is a descriptor. One that is given
 * back early misses nothing but a deliverer of a service before us that has opened the job, has not
 * claimed it, and does not end although he has lost who sent him: there should be none. */
static int keep_claim(struct spool *spool, int claim)
{
    if (claim >= 0 && spool->claims >= CLAIMS_KEPT) {
        close(claim);
        return -1;
    }
    spool->claims += claim >= 0;
    return claim;
}

void spool_remove_later(struct spool *spool, enum spool_place place, const char *name, int claim)
{
    struct removal *removal = malloc(sizeof(*removal));
    bool was_job = claim >= 0 || place == SPOOL_DONE;
    claim = keep_claim(spool, claim);
    if (removal != NULL) {
        *removal = (struct removal){spool, place, claim, was_job, ""};
        snprintf(removal->name, sizeof(removal->name), "%s", name);
        if (background_start(spool->removals, remove_it, removed, removal) == 0) {
            return;
        }
        free(removal);
    }
    if (claim >= 0) {
        close(claim);
        spool->claims--;
    }
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
