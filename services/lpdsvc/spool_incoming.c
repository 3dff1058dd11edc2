/* spool_incoming - a job while it is received, and its way to jobs/; see spool.h. */
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
#define NAME_SIZE 24

/* While it is received, document 0 is "r0"; printed, the first one is "1". */
static void received_name(unsigned number, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "r%u", number);
}

static void printed_name(size_t i, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%zu", i + 1);
}

/* ---- Receiving ------------------------------------------------------------------------------- */

int spool_begin(struct spool *spool, struct spool_incoming **incoming)
{
    int problem = spool_room(spool);
    if (problem != 0) {
        return problem;
    }
    struct spool_incoming *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return ENOMEM;
    }
    made->spool = spool;
    made->document = -1;
    spool_name(spool->next_incoming++, made->name);
    made->directory = spool_make_directory(spool->places[SPOOL_INCOMING], made->name);
    if (made->directory < 0) {
        problem = errno;
        (void)unlinkat(spool->places[SPOOL_INCOMING], made->name, AT_REMOVEDIR);
        free(made);
        return problem;
    }
    *incoming = made;
    return 0;
}

static void close_document(struct spool_incoming *incoming)
{
    if (incoming->document >= 0) {
        close(incoming->document);
        incoming->document = -1;
    }
}

static void incoming_free(struct spool_incoming *incoming)
{
    close_document(incoming);
    close(incoming->directory);
    free(incoming->facts);
    free(incoming);
}

int spool_next_document(struct spool_incoming *incoming)
{
    char name[NAME_SIZE];
    int problem = spool_room(incoming->spool);
    if (problem == 0 && incoming->count == JOB_DOCUMENTS) {
        problem = EMFILE;
    }
    if (problem != 0) {
        return problem;
    }
    received_name(incoming->count, name);
    int fd = openat(incoming->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    0600);
    if (fd < 0 || fchmod(fd, 0600) != 0) {
        problem = errno;
        if (fd >= 0) {
            close(fd);
        }
        return problem;
    }
    close_document(incoming);
    incoming->document = fd;
    incoming->sizes[incoming->count++] = 0;
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

int spool_write(struct spool_incoming *incoming, const void *bytes, size_t size)
{
    const char *at = bytes;
    if (incoming->document < 0) {
        return EBADF;
    }
    while (size > 0) {
        struct spool *spool = incoming->spool;
        int problem = spool->unchecked >= CHECK_EVERY ? spool_room(spool) : 0;
        if (problem != 0) {
            return problem;
        }
        ssize_t written = write(incoming->document, at, size < CHECK_EVERY ? size : CHECK_EVERY);
        if (written < 0 && errno != EINTR) {
            return errno;
        }
        if (written > 0) {
            at += written;
            size -= (size_t)written;
            spool->unchecked += (uint64_t)written;
            incoming->sizes[incoming->count - 1] += (uint64_t)written;
            begin_writing(incoming, incoming->sizes[incoming->count - 1]);
        }
    }
    return 0;
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
    spool_remove_later(incoming->spool, SPOOL_INCOMING, incoming->name, -1);
    incoming_free(incoming);
}

/* ---- The commit, in a thread ----------------------------------------------------------------- */

static bool comes_again(const struct spool_incoming *incoming, size_t i)
{
    for (size_t j = i + 1; j < incoming->facts->count; j++) {
        if (incoming->order[j] == incoming->order[i]) {
            return true;
        }
    }
    return false;
}

/* Documents have the names of their order; one that is printed twice has two. */
static int name_documents(const struct spool_incoming *incoming)
{
    int directory = incoming->directory;
    char from[NAME_SIZE];
    char to[NAME_SIZE];
    for (size_t i = 0; i < incoming->facts->count; i++) {
        received_name(incoming->order[i], from);
        printed_name(i, to);
        if (comes_again(incoming, i) ? linkat(directory, from, directory, to, 0) != 0
                                     : renameat(directory, from, directory, to) != 0) {
            return errno;
        }
    }
    for (unsigned number = 0; number < incoming->count; number++) {
        received_name(number, from);
        if (unlinkat(directory, from, 0) != 0 && errno != ENOENT) {
            return errno;
        }
    }
    return 0;
}

static int begin_file(int fd)
{
    (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    return 0;
}

static int wait_for_file(int fd)
{
    return fdatasync(fd) == 0 ? 0 : errno;
}

static int with_file(int directory, const char *name, int (*call)(int fd))
{
    int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    int problem = call(fd);
    close(fd);
    return problem;
}

static int with_files(const struct spool_incoming *incoming, int (*call)(int fd))
{
    char name[NAME_SIZE];
    int problem = 0;
    for (size_t i = 0; problem == 0 && i < incoming->facts->count; i++) {
        printed_name(i, name);
        problem = with_file(incoming->directory, name, call);
    }
    if (problem == 0) {
        problem = with_file(incoming->directory, "facts", call);
    }
    return problem != 0 ? problem : with_file(incoming->directory, JOB_STATE, call);
}

/*
 * Everything is on the disk before the rename that makes it a job: bytes and sizes of each file
 * (fdatasync), and their names in the directory (fsync of it), as no file system promises either
 * for a rename that comes later. So wherever the power goes, the directory is in jobs/ and whole,
 * or it is not there. The directory's own name in incoming/ need not be there before, as the rename
 * takes it away; file systems with a journal write the making of a directory before its rename.
 *
 * All files are begun before the first is waited for: then a small job's bytes are in one commit of
 * the file system's journal, and so are those of jobs that are committed at the same time.
 */
static int put_on_disk(const struct spool_incoming *incoming)
{
    int problem = with_files(incoming, begin_file);
    if (problem == 0) {
        problem = with_files(incoming, wait_for_file);
    }
    if (problem == 0 && fsync(incoming->directory) != 0) {
        problem = errno;
    }
    return problem;
}

/* A job of which the disk does not say that it is there has not been received. */
static int move_to_jobs(const struct spool_incoming *incoming)
{
    const int *places = incoming->spool->places;
    if (renameat2(places[SPOOL_INCOMING], incoming->name, places[SPOOL_JOBS], incoming->job,
                  RENAME_NOREPLACE) != 0) {
        return errno;
    }
    if (fsync(places[SPOOL_JOBS]) == 0) {
        return 0;
    }
    int problem = errno;
    (void)renameat2(places[SPOOL_JOBS], incoming->job, places[SPOOL_INCOMING], incoming->name,
                    RENAME_NOREPLACE);
    return problem;
}

static int write_facts(const struct spool_incoming *incoming)
{
    struct line problem = LINE_INIT;
    const struct job_facts *facts = incoming->facts;
    return job_write_facts(incoming->directory, incoming->job, facts, &problem) &&
                   job_begin_state(incoming->directory, incoming->job, job_total(facts), &problem)
               ? 0
               : errno;
}

static void commit(void *owner)
{
    struct spool_incoming *incoming = owner;
    int problem = name_documents(incoming);
    if (problem == 0) {
        problem = write_facts(incoming);
    }
    if (problem == 0) {
        problem = put_on_disk(incoming);
    }
    if (problem == 0) {
        problem = move_to_jobs(incoming);
    }
    if (problem != 0) {
        (void)spool_remove_tree(incoming->spool->places[SPOOL_INCOMING], incoming->name);
    }
    incoming->problem = problem;
}

/* ---- The commit, in the loop ----------------------------------------------------------------- */

static void committed(void *owner)
{
    struct spool_incoming *incoming = owner;
    bool is_there = incoming->problem == 0;
    if (!incoming->discarded) {
        incoming->done(incoming->owner, incoming->problem, is_there ? incoming->job : NULL);
    } else if (is_there) {
        (void)spool_remove(incoming->spool, incoming->job);
    }
    incoming_free(incoming);
}

void spool_refuse_all(void *owner)
{
    struct spool *spool = owner;
    loop_unset(spool->loop, &spool->refusal);
    while (spool->refused != NULL) {
        struct spool_incoming *incoming = spool->refused;
        spool->refused = incoming->next;
        spool_remove_later(spool, SPOOL_INCOMING, incoming->name, -1);
        committed(incoming);
    }
}

/* The facts with the sizes that were received. 0 or an errno number. */
static int take_facts(struct spool_incoming *incoming, const struct job_facts *facts,
                      const unsigned *order)
{
    if (facts->count > JOB_DOCUMENTS) {
        return EINVAL;
    }
    *incoming->facts = *facts;
    for (size_t i = 0; i < facts->count; i++) {
        if (order[i] >= incoming->count) {
            return EINVAL;
        }
        incoming->order[i] = order[i];
        incoming->facts->documents[i].size = incoming->sizes[order[i]];
        incoming->facts->documents[i].summed = false;
    }
    return 0;
}

void spool_commit(struct spool_incoming *incoming, const struct job_facts *facts,
                  const unsigned *order, void (*done)(void *owner, int problem, const char *name),
                  void *owner)
{
    struct spool *spool = incoming->spool;
    uint64_t number = 0;
    incoming->done = done;
    incoming->owner = owner;
    incoming->committing = true;
    incoming->facts = malloc(sizeof(*facts));
    int problem = incoming->facts != NULL ? take_facts(incoming, facts, order) : ENOMEM;
    if (problem == 0) {
        problem = spool_take_number(spool, &number);
    }
    if (problem == 0) {
        spool_name(number, incoming->job);
        problem = background_start(spool->commits, commit, committed, incoming);
    }
    if (problem != 0) { /* else it is the thread's from here on */
        incoming->problem = problem;
        incoming->next = spool->refused;
        spool->refused = incoming;
        loop_set(spool->loop, &spool->refusal, 0);
    }
}
