/* spool_incoming - a job while it is received; see spool.h. */
#include "spool_parts.h"

#include "../printing/job_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECK_EVERY (256 * 1024)      /* bytes of all jobs, until the room is looked at */
#define BEGIN_EVERY (8 * 1024 * 1024) /* bytes of a document, until the disk is told to begin */

void spool_document_name(size_t i, char name[SPOOL_DOCUMENT])
{
    snprintf(name, SPOOL_DOCUMENT, "%zu", i + 1);
}

static int make_directory(struct spool_incoming *incoming)
{
    struct spool *spool = incoming->spool;
    spool_name(spool->next_incoming++, incoming->name);
    incoming->has_new_names = true;
    incoming->directory = spool_make_directory(spool->places[SPOOL_INCOMING], incoming->name);
    if (incoming->directory < 0) {
        int problem = errno;
        (void)unlinkat(spool->places[SPOOL_INCOMING], incoming->name, AT_REMOVEDIR);
        return problem;
    }
    return 0;
}

/* Spares give way where room is short, also in the middle of a job: else they might keep out all
 * jobs, or all of some size, for ever. */
static int find_room(struct spool *spool)
{
    int problem = spool_room(spool);
    if (problem == ENOSPC && spool->spare_count > 0) {
        spool_remove_spares(spool);
        problem = spool_room(spool);
    }
    return problem;
}

int spool_begin(struct spool *spool, struct spool_incoming **incoming)
{
    int problem = find_room(spool);
    if (problem != 0) {
        return problem;
    }
    struct spool_incoming *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return ENOMEM;
    }
    made->spool = spool;
    made->document = -1;
    made->was_spare = spool_take_spare(spool, made->name, &made->directory);
    problem = made->was_spare ? 0 : make_directory(made);
    if (problem != 0) {
        free(made);
        return problem;
    }
    *incoming = made;
    return 0;
}

int spool_end_document(struct spool_incoming *incoming)
{
    int problem = 0;
    if (incoming->document >= 0) {
        uint64_t size = incoming->sizes[incoming->count - 1];
        if (incoming->old_size > size && ftruncate(incoming->document, (off_t)size) != 0) {
            problem = errno;
            incoming->failed = true;
        }
        close(incoming->document);
        incoming->document = -1;
    }
    return problem;
}

void spool_free_incoming(struct spool_incoming *incoming)
{
    if (incoming->document >= 0) {
        close(incoming->document);
    }
    close(incoming->directory);
    free(incoming->facts);
    free(incoming);
}

/* -1 with errno. */
static int make_document(struct spool_incoming *incoming, const char *name)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(incoming->directory, name, flags, 0600);
    if (fd >= 0 && fchmod(fd, 0600) != 0) {
        int problem = errno;
        close(fd);
        errno = problem;
        return -1;
    }
    incoming->has_new_names = true;
    return fd;
}

/* The document that a spare has. One that is not what was left there is not written to. */
static int open_left_document(struct spool_incoming *incoming, const char *name)
{
    struct stat found;
    int fd = job_open_file(incoming->directory, name, O_WRONLY);
    if (fd >= 0 && fstat(fd, &found) == 0 && found.st_nlink == 1) {
        incoming->old_size = (uint64_t)found.st_size;
        return fd;
    }
    int problem = errno;
    if (fd >= 0) {
        close(fd);
    } else if (problem == EMFILE || problem == ENFILE || problem == ENOMEM) {
        errno = problem;
        return -1;
    }
    (void)unlinkat(incoming->directory, name, 0);
    return make_document(incoming, name);
}

int spool_next_document(struct spool_incoming *incoming)
{
    char name[SPOOL_DOCUMENT];
    int problem = find_room(incoming->spool);
    if (problem == 0 && incoming->count == JOB_DOCUMENTS) {
        problem = EMFILE;
    }
    if (problem == 0) {
        problem = spool_end_document(incoming);
    }
    if (problem != 0) {
        return problem;
    }
    spool_document_name(incoming->count, name);
    incoming->old_size = 0;
    bool is_left = incoming->was_spare && incoming->count == 0;
    int fd = is_left ? open_left_document(incoming, name) : make_document(incoming, name);
    if (fd < 0) {
        return errno;
    }
    incoming->document = fd;
    incoming->count++;
    incoming->begun = 0;
    return 0;
}

/* What the disk is told early need not be waited for later; it may say no. */
static void begin_writing(struct spool_incoming *incoming, uint64_t size)
{
    if (size - incoming->begun >= BEGIN_EVERY) {
        (void)sync_file_range(incoming->document, (off_t)incoming->begun,
                              (off_t)(size - incoming->begun), SYNC_FILE_RANGE_WRITE);
        incoming->begun = size;
    }
}

static void count_written(struct spool_incoming *incoming, const char *bytes, size_t size)
{
    unsigned i = incoming->count - 1;
    incoming->spool->unchecked += size;
    incoming->size += size;
    incoming->sizes[i] += size;
    if (incoming->size <= SPOOL_SMALL) {
        incoming->sums[i] = job_sum(incoming->sums[i], bytes, size);
    }
    begin_writing(incoming, incoming->sizes[i]);
}

int spool_write(struct spool_incoming *incoming, const void *bytes, size_t size)
{
    const char *at = bytes;
    if (incoming->document < 0) {
        return EBADF;
    }
    while (size > 0) {
        struct spool *spool = incoming->spool;
        int problem = spool->unchecked >= CHECK_EVERY ? find_room(spool) : 0;
        if (problem != 0) {
            return problem;
        }
        ssize_t written = write(incoming->document, at, size < CHECK_EVERY ? size : CHECK_EVERY);
        if (written < 0 && errno != EINTR) {
            incoming->failed = true;
            return errno;
        }
        if (written > 0) {
            count_written(incoming, at, (size_t)written);
            at += written;
            size -= (size_t)written;
        }
    }
    return 0;
}

/* A spare is one still if nothing but its one small document was written. */
static bool keep_as_spare(const struct spool_incoming *incoming)
{
    return incoming->was_spare && !incoming->has_new_names && !incoming->failed &&
           incoming->size <= SPOOL_SMALL && spool_keep_spare(incoming->spool, incoming->name);
}

void spool_discard(struct spool_incoming *incoming)
{
    if (incoming == NULL) {
        return;
    }
    if (incoming->committing) {
        incoming->discarded = true;
        return;
    }
    if (!keep_as_spare(incoming)) {
        spool_remove_later(incoming->spool, SPOOL_INCOMING, incoming->name, 0);
    }
    spool_free_incoming(incoming);
}
