/*
 * record_storage.h - preloaded: tells what is done to one file, call by call, so that a program can
 * keep account of what a disk would have if the power failed at some moment.
 *
 * A write and a new length are told before they are made; a write through a descriptor that syncs
 * by itself (O_DSYNC) again when it is done; a sync before and after. Nothing is really synced.
 * Needs the C library.
 */
#ifndef RECORD_STORAGE_H
#define RECORD_STORAGE_H

#include <stddef.h>
#include <sys/types.h>

enum storage_kind {
    STORAGE_WRITE,   /* of size bytes at a place */
    STORAGE_THROUGH, /* the same is on the disk now */
    STORAGE_LENGTH,  /* the file becomes at bytes long */
    STORAGE_SYNC,    /* all so far is about to be on the disk */
    STORAGE_SYNCED   /* and is */
};

struct storage_event {
    enum storage_kind kind;
    off_t at;
    size_t size;
    const void *data;
};

typedef void storage_listener(void *context, const struct storage_event *event);

/* Tells the listener of calls on this file from now on. Found by dlsym(). */
typedef void record_storage_call(const char *file, storage_listener *listener, void *context);
void record_storage(const char *file, storage_listener *listener, void *context);

#endif
