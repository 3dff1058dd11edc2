/*
 * fail_power.h - what a disk that keeps only what it must has left when the power fails.
 *
 * A part of fail_storage.so. It keeps account of what each file held when it was synced last, of
 * names that were made and of renames that no sync has followed, and takes what came later back
 * from the real directories before the process is killed: bytes and lengths, written anew or over
 * others, and names whose directory was not synced. A disk may keep more than it must, so there are
 * three ways. Needs the C library.
 */
#ifndef FAIL_POWER_H
#define FAIL_POWER_H

/* What is kept beyond what was synced. */
enum power_keeps {
    POWER_NOTHING,
    POWER_DIRECTORIES, /* renames of directories */
    POWER_SOME         /* names up to some moment, and of each file some sectors */
};

/* After the call; fd is a file or a directory. */
void power_synced(int fd);
/* A file has got its name, for the first time or one more. */
void power_made(int dir, const char *name);
/* Before a rename: keeps what it replaces, under another name beside it. */
void power_replaces(int to_dir, const char *to);
void power_renamed(int from_dir, const char *from, int to_dir, const char *to);
/* Takes from the directories below top what may be lost; chance is what some of it is chosen by. */
void power_fail(const char *top, enum power_keeps keeps, unsigned chance);

#endif
