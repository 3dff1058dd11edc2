/*
 * include - the file that smb.conf includes, and the files beside it.
 *
 *     FILE         what smb.conf includes; whole at any moment
 *     FILE.new     what it is to become
 *     FILE.check   smb.conf with FILE.new in the place of FILE, for testparm(1)
 *     FILE.last    what it was before
 *     FILE.lock    empty; whoever changes the others has locked it
 *     FILE.close   what smbd has still to be told: the shares to be closed, one in a line; while it
 *                  is there, FILE may not have been read by a running smbd
 *
 * What else stands in their places, a link or a directory, is not followed and not written to. The
 * directory may be written to by its owner and its group alone, as smbd does as root whatever FILE
 * says. Needs nothing.
 */
#ifndef LANMANSERVER_INCLUDE_H
#define LANMANSERVER_INCLUDE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define INCLUDE_MAX_SIZE (4 << 20) /* bytes of a file that is read */
#define INCLUDE_REASON_SIZE (PATH_MAX + 128)

struct include {
    int directory;
    int lock;                         /* FILE.lock; -1: there are no locks here */
    bool installed;                   /* FILE.new has become FILE, whatever came after */
    char name[NAME_MAX + 1];          /* of FILE */
    char path[PATH_MAX];              /* of FILE */
    char reason[INCLUDE_REASON_SIZE]; /* why the last call failed */
};

/* Each gives false when it fails, with the reason. */

/* path is absolute. Until include_close() nobody else opens the same one. */
bool include_open(struct include *include, const char *path);
/* NULL for *text if there is no such file; else it is the caller's, to be released with free(). */
bool include_read(struct include *include, const char *suffix, char **text);
bool include_write(struct include *include, const char *suffix, mode_t mode, const char *text);
/* The same, but what was there is there until the new one is whole. */
bool include_replace(struct include *include, const char *suffix, mode_t mode, const char *text);
/* FILE.new becomes FILE, and FILE FILE.last. */
bool include_install(struct include *include);
/* FILE.last becomes FILE again; without one, FILE goes. */
bool include_restore(struct include *include, bool was_there);
bool include_rename(struct include *include, const char *suffix, const char *to);
bool include_exists(const struct include *include, const char *suffix);
/* What is not there is removed already. */
void include_remove(const struct include *include, const char *suffix);
void include_close(struct include *include);

#endif
