/*
 * record_storage.c - see record_storage.h.
 *
 * Stands in front of the C library's functions by LD_PRELOAD. Needs the C library.
 */
#include "record_storage.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))

/* The C library's function of this name. */
#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

static struct {
    struct stat file;
    storage_listener *listener;
    void *context;
} recorded;

SHOWN void record_storage(const char *file, storage_listener *listener, void *context)
{
    if (stat(file, &recorded.file) != 0) {
        abort();
    }
    recorded.listener = listener;
    recorded.context = context;
}

static bool is_recorded(int fd)
{
    struct stat st;
    return recorded.listener != NULL && fstat(fd, &st) == 0 && st.st_dev == recorded.file.st_dev &&
           st.st_ino == recorded.file.st_ino;
}

static void tell(enum storage_kind kind, off_t at, const void *data, size_t size)
{
    recorded.listener(recorded.context, &(struct storage_event){kind, at, size, data});
}

/* ---- Writing ---- */

SHOWN ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    bool ours = is_recorded(fd);
    bool through = ours && (fcntl(fd, F_GETFL) & O_DSYNC) != 0;
    off_t place = at;
    for (int i = 0; ours && i < count; place += (off_t)parts[i++].iov_len) {
        tell(STORAGE_WRITE, place, parts[i].iov_base, parts[i].iov_len);
    }
    ssize_t written = NEXT(pwritev)(fd, parts, count, at);
    if (ours && written != (ssize_t)(place - at)) {
        abort(); /* what is on the disk is not known any more */
    }
    place = at;
    for (int i = 0; through && i < count; place += (off_t)parts[i++].iov_len) {
        tell(STORAGE_THROUGH, place, parts[i].iov_base, parts[i].iov_len);
    }
    return written;
}

SHOWN ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    struct iovec part = {(void *)(size_t)data, size};
    return is_recorded(fd) ? pwritev(fd, &part, 1, at) : NEXT(pwrite)(fd, data, size, at);
}

/* These write where the file stands. */
SHOWN ssize_t write(int fd, const void *data, size_t size)
{
    if (!is_recorded(fd)) {
        return NEXT(write)(fd, data, size);
    }
    ssize_t written = pwrite(fd, data, size, lseek(fd, 0, SEEK_CUR));
    lseek(fd, written, SEEK_CUR);
    return written;
}

SHOWN ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (!is_recorded(fd)) {
        return NEXT(writev)(fd, parts, count);
    }
    ssize_t written = pwritev(fd, parts, count, lseek(fd, 0, SEEK_CUR));
    lseek(fd, written, SEEK_CUR);
    return written;
}

/* ---- Lengths ---- */

SHOWN int ftruncate(int fd, off_t length)
{
    if (is_recorded(fd)) {
        tell(STORAGE_LENGTH, length, NULL, 0);
    }
    return NEXT(ftruncate)(fd, length);
}

SHOWN int fallocate(int fd, int mode, off_t at, off_t size)
{
    struct stat st;
    if (is_recorded(fd) && mode == 0 && fstat(fd, &st) == 0 && st.st_size < at + size) {
        tell(STORAGE_LENGTH, at + size, NULL, 0);
    }
    return NEXT(fallocate)(fd, mode, at, size);
}

/* ---- Syncing: nobody's power fails in earnest, and waiting for the disk takes long ---- */

SHOWN int fdatasync(int fd)
{
    if (!is_recorded(fd)) {
        return fcntl(fd, F_GETFD) < 0 ? -1 : 0;
    }
    tell(STORAGE_SYNC, 0, NULL, 0);
    tell(STORAGE_SYNCED, 0, NULL, 0);
    return 0;
}

SHOWN int fsync(int fd)
{
    return fdatasync(fd);
}
