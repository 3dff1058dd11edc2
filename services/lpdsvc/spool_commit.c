/* spool_commit - the way of what was received to jobs/; see spool.h. */
#include "spool_parts.h"

#include "../printing/job_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES_AT_ONCE 8 /* that are held open */
#define NO_JOB "0"      /* a name that no job has */

/* ---- The commit, in a thread ----------------------------------------------------------------- */

static bool is_small(const struct spool_incoming *incoming)
{
    return incoming->size <= SPOOL_SMALL;
}

static bool is_in_order(const struct spool_incoming *incoming)
{
    if (incoming->count != incoming->facts->count) {
        return false;
    }
    for (unsigned i = 0; i < incoming->count; i++) {
        if (incoming->order[i] != i) {
            return false;
        }
    }
    return true;
}

static bool comes_again(const struct spool_incoming *incoming, size_t i)
{
    for (size_t j = i + 1; j < incoming->facts->count; j++) {
        if (incoming->order[j] == incoming->order[i]) {
            return true;
        }
    }
    return false;
}

/* Where the order is another one than that in which they came, names are given anew. */
static void received_name(unsigned number, char name[SPOOL_DOCUMENT])
{
    snprintf(name, SPOOL_DOCUMENT, "r%u", number);
}

static int put_names_aside(const struct spool_incoming *incoming)
{
    char from[SPOOL_DOCUMENT];
    char to[SPOOL_DOCUMENT];
    for (unsigned number = 0; number < incoming->count; number++) {
        spool_document_name(number, from);
        received_name(number, to);
        if (renameat(incoming->directory, from, incoming->directory, to) != 0) {
            return errno;
        }
    }
    return 0;
}

/* One that is printed twice has two names, one that is not printed is removed. */
static int name_documents(struct spool_incoming *incoming)
{
    int directory = incoming->directory;
    char from[SPOOL_DOCUMENT];
    char to[SPOOL_DOCUMENT];
    if (is_in_order(incoming)) {
        return 0;
    }
    incoming->has_new_names = true;
    int problem = put_names_aside(incoming);
    for (size_t i = 0; problem == 0 && i < incoming->facts->count; i++) {
        received_name(incoming->order[i], from);
        spool_document_name(i, to);
        bool named = comes_again(incoming, i) ? linkat(directory, from, directory, to, 0) == 0
                                              : renameat(directory, from, directory, to) == 0;
        problem = named ? 0 : errno;
    }
    for (unsigned number = 0; problem == 0 && number < incoming->count; number++) {
        received_name(number, from);
        if (unlinkat(directory, from, 0) != 0 && errno != ENOENT) {
            problem = errno;
        }
    }
    return problem;
}

static int write_facts(const struct spool_incoming *incoming)
{
    struct line problem = LINE_INIT;
    const struct job_facts *facts = incoming->facts;
    bool written = job_write_facts(incoming->directory, incoming->job, facts, &problem) &&
                   job_begin_state(incoming->directory, incoming->job, job_total(facts), &problem);
    return written ? 0 : errno;
}

/* ---- The disk -------------------------------------------------------------------------------- */

/* What the disk says of the bytes it says once, in whatever words: fdatasync would not hear of it
 * again. That a file system, or a filter of system calls, cannot do that here is no matter. */
static int told(int result)
{
    bool cannot = errno == EINVAL || errno == ESPIPE || errno == ENOSYS || errno == EOPNOTSUPP ||
                  errno == EPERM;
    return result == 0 || cannot ? 0 : errno;
}

static int begin_file(int fd)
{
    return told(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
}

static int write_file(int fd)
{
    return told(sync_file_range(fd, 0, 0,
                                SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                                    SYNC_FILE_RANGE_WAIT_AFTER));
}

static int sync_file(int fd)
{
    return fdatasync(fd) == 0 ? 0 : errno;
}

/* File i of a job: its facts, its state, and then its documents. -1 with errno. */
static int open_file(const struct spool_incoming *incoming, size_t i)
{
    char name[SPOOL_DOCUMENT];
    const char *file = i == 0 ? JOB_FACTS : JOB_STATE;
    if (i >= 2) {
        spool_document_name(i - 2, name);
        file = name;
    }
    return openat(incoming->directory, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static int with_each(const int *fds, size_t count, int (*call)(int fd))
{
    int problem = 0;
    for (size_t i = 0; problem == 0 && i < count; i++) {
        problem = call(fds[i]);
    }
    return problem;
}

/* So many of its files at a time, which are few for most jobs. */
static int put_files(const struct spool_incoming *incoming, size_t first, size_t count)
{
    int fds[FILES_AT_ONCE];
    int problem = 0;
    size_t opened = 0;
    while (problem == 0 && opened < count) {
        fds[opened] = open_file(incoming, first + opened);
        if (fds[opened] < 0) {
            problem = errno;
        } else {
            opened++;
        }
    }
    if (problem == 0) {
        problem = with_each(fds, count, begin_file);
    }
    if (problem == 0) {
        problem = with_each(fds, count, write_file);
    }
    if (problem == 0) {
        problem = with_each(fds, count, sync_file);
    }
    for (size_t i = 0; i < opened; i++) {
        close(fds[i]);
    }
    return problem;
}

static int sync_place(const struct spool *spool, enum spool_place place)
{
    return fsync(spool->places[place]) == 0 ? 0 : errno;
}

/*
 * Bytes and sizes of each file (fdatasync), and their names in the directory (fsync of it), as no
 * file system promises the one for the other.
 *
 * All bytes are written before the first file is waited for: what that adds to the file system's
 * journal (a new block is one that holds zeros until its bytes are there) is then in one commit of
 * it, and so is that of jobs that are committed at the same time. The files after the first cost no
 * more than asking the disk.
 */
static int put_on_disk(const struct spool_incoming *incoming)
{
    size_t files = incoming->facts->count + 2;
    int problem = 0;
    for (size_t first = 0; problem == 0 && first < files; first += FILES_AT_ONCE) {
        size_t left = files - first;
        problem = put_files(incoming, first, left < FILES_AT_ONCE ? left : FILES_AT_ONCE);
    }
    if (problem == 0 && incoming->has_new_names && fsync(incoming->directory) != 0) {
        problem = errno;
    }
    return problem;
}

/* A job of which the disk does not say that it is there has not been received. Who sent it sends it
 * again; so where it cannot be moved back either, its facts tell the next start that it is none. */
static int take_back(const struct spool_incoming *incoming, int problem)
{
    struct line ignored = LINE_INIT;
    const struct spool *spool = incoming->spool;
    (void)job_write_facts(incoming->directory, NO_JOB, incoming->facts, &ignored);
    (void)renameat2(spool->places[SPOOL_JOBS], incoming->job, spool->places[SPOOL_INCOMING],
                    incoming->name, RENAME_NOREPLACE);
    (void)sync_place(spool, SPOOL_JOBS);
    (void)sync_place(spool, SPOOL_INCOMING);
    return problem;
}

/*
 * A large job is on the disk before the rename that makes it one: wherever the power goes, it is in
 * jobs/ and whole, or it is not there. A small one is renamed first, so that the rename is in the
 * commit of the journal that its files need anyway; what a loss of power may leave of it is told by
 * the sums, and by the names in it where the directory was used before. The directory's own name in
 * incoming/ need not be on the disk, as the rename takes it away; file systems with a journal write
 * the making of a directory before its rename.
 */
static int move_to_jobs(const struct spool_incoming *incoming)
{
    const struct spool *spool = incoming->spool;
    int problem = is_small(incoming) ? 0 : put_on_disk(incoming);
    if (problem == 0 &&
        renameat2(spool->places[SPOOL_INCOMING], incoming->name, spool->places[SPOOL_JOBS],
                  incoming->job, RENAME_NOREPLACE) != 0) {
        problem = errno;
    }
    if (problem != 0) {
        return problem;
    }
    problem = is_small(incoming) ? put_on_disk(incoming) : 0;
    if (problem == 0) {
        problem = sync_place(spool, SPOOL_JOBS);
    }
    return problem == 0 ? 0 : take_back(incoming, problem);
}

static void commit(void *owner)
{
    struct spool_incoming *incoming = owner;
    int problem = spool_end_document(incoming);
    if (problem == 0) {
        problem = spool_cover_number(incoming->spool, incoming->number);
    }
    if (problem == 0) {
        problem = name_documents(incoming);
    }
    if (problem == 0) {
        problem = write_facts(incoming);
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
    struct spool *spool = incoming->spool;
    bool is_there = incoming->problem == 0;
    if (!incoming->discarded) {
        incoming->done(incoming->owner, incoming->problem, is_there ? incoming->job : NULL);
    } else if (is_there) {
        (void)spool_remove(spool, incoming->job);
    }
    spool_free_incoming(incoming);
}

void spool_refuse_all(void *owner)
{
    struct spool *spool = owner;
    loop_unset(spool->loop, &spool->refusal);
    while (spool->refused != NULL) {
        struct spool_incoming *incoming = spool->refused;
        spool->refused = incoming->next;
        spool_remove_later(spool, SPOOL_INCOMING, incoming->name, 0);
        committed(incoming);
    }
}

/* The facts with the sizes and sums that were received. 0 or an errno number. */
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
        struct job_document *document = &incoming->facts->documents[i];
        document->size = incoming->sizes[order[i]];
        document->sum = incoming->sums[order[i]];
        document->summed = is_small(incoming);
    }
    return 0;
}

void spool_commit(struct spool_incoming *incoming, const struct job_facts *facts,
                  const unsigned *order, void (*done)(void *owner, int problem, const char *name),
                  void *owner)
{
    struct spool *spool = incoming->spool;
    incoming->done = done;
    incoming->owner = owner;
    incoming->committing = true;
    incoming->facts = malloc(sizeof(*facts));
    int problem = incoming->facts != NULL ? take_facts(incoming, facts, order) : ENOMEM;
    if (problem == 0) {
        incoming->number = spool->next++;
        spool_name(incoming->number, incoming->job);
        problem = background_start(spool->commits, commit, committed, incoming);
    }
    if (problem != 0) { /* else it is the thread's from here on */
        incoming->problem = problem;
        incoming->next = spool->refused;
        spool->refused = incoming;
        loop_set(spool->loop, &spool->refusal, 0);
    }
}
