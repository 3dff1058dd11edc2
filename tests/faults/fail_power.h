/*
 * fail_power.h - what a disk that keeps only what it must has left when the power fails.
 *
 * A part of fail_storage.so. It keeps account of files, of names that were made and of renames
 * that no sync has followed, and takes them back from the real directories before the process is
 * killed: bytes are lost that were not synced, and names whose directory was not. Of renames of
 * directories a disk may keep any, so there are two ways. Needs the C library.
 */
#ifndef FAIL_POWER_H
#define FAIL_POWER_H

#include <stdbool.h>

/* After the call; fd is a file or a directory. */
void power_synced(int fd);
/* A file has got its name, for the first time or one more. */
void power_made(int dir, const char *name);
/* Before a rename: keeps what it replaces, under another name beside it. */
void power_replaces(int to_dir, const char *to);
void power_renamed(int from_dir, const char *from, int to_dir, const char *to);
/* Takes from the directories below top what may be lost; renames of directories are lost, too, or
 * all kept. */
void power_fail(const char *top, bool keep_directories);

#endif
