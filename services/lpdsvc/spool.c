/* spool - the jobs that are there; see spool.h. */
#include "spool_parts.h"

#include "../printing/job_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HELD_NAMES 100 /* of things that had one name */

int spool_descriptor(const struct spool *spool)
{
    return spool->directory;
}

const char *spool_path(const struct spool *spool)
{
    return spool->path;
}

/* ---- Holding --------------------------------------------------------------------------------- */

static int move_to_held(const struct spool *spool, enum spool_place place, const char *name)
{
    char held[NAME_MAX + 16];
    snprintf(held, sizeof(held), "%s", name);
    for (int i = 1; i <= HELD_NAMES; i++) {
        if (renameat2(spool->places[place], name, spool->places[SPOOL_HELD], held,
                      RENAME_NOREPLACE) == 0) {
            return 0;
        }
        if (errno != EEXIST) {
            return errno;
        }
        snprintf(held, sizeof(held), "%s.%d", name, i);
    }
    return EEXIST;
}

void spool_hold_it(const struct spool *spool, enum spool_place place, const char *name,
                   const char *why)
{
    struct line line = LINE_INIT;
    int problem = move_to_held(spool, place, name);
    line_add(&line, "%s/%s: ", spool->path, spool_places[place]);
    line_add_quoted(&line, name);
    line_add(&line, " was moved to held: %s", why);
    if (problem != 0) {
        line = (struct line)LINE_INIT;
        line_add(&line, "%s/%s: ", spool->path, spool_places[place]);
        line_add_quoted(&line, name);
        line_add(&line, " is left alone (%s): %s", why, strerror(problem));
    }
    log_line(spool->log, LOG_LINE_WARNING, "%s", line.text);
}

void spool_hold(struct spool *spool, const char *name, const char *why)
{
    spool_hold_it(spool, SPOOL_JOBS, name, why);
}

/* ---- Jobs ------------------------------------------------------------------------------------ */

int spool_open_job(const struct spool *spool, const char *name)
{
    if (spool_number(name) == 0) {
        errno = EINVAL;
        return -1;
    }
    return spool_open_directory(spool->places[SPOOL_JOBS], name);
}

/* That all is there which its printing needs. */
static bool check_job(int directory, const char *name, struct job_facts *facts,
                      struct line *problem)
{
    struct job_state state;
    if (job_read_facts(directory, name, facts, problem) != JOB_READ ||
        job_read_state(directory, name, &state, problem) != JOB_READ) {
        return false;
    }
    if (state.total != job_total(facts)) {
        line_add(problem, "state: is another job's");
        return false;
    }
    for (size_t i = 0; i < facts->count; i++) {
        if (job_check_document(directory, facts, i, problem) != JOB_READ) {
            return false;
        }
    }
    return true;
}

struct listing {
    struct spool *spool;
    uint64_t *numbers;
    size_t count;
    size_t capacity;
    bool failed;
};

static bool add_number(void *owner, const char *name)
{
    struct listing *listing = owner;
    uint64_t number = spool_number(name);
    if (number == 0) {
        spool_hold_it(listing->spool, SPOOL_JOBS, name, "is no job");
        return true;
    }
    if (listing->count == listing->capacity) {
        size_t capacity = listing->capacity * 2 + 64;
        uint64_t *larger = reallocarray(listing->numbers, capacity, sizeof(*larger));
        if (larger == NULL) {
            listing->failed = true;
            return false;
        }
        listing->numbers = larger;
        listing->capacity = capacity;
    }
    listing->numbers[listing->count++] = number;
    return true;
}

static int compare_numbers(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return (*x > *y) - (*x < *y);
}

/* One that is gone was printed just now, by who has outlived the service before. */
static void visit(struct spool *spool, const char *name, struct job_facts *facts,
                  void (*each)(void *owner, const char *name, const struct job_facts *facts),
                  void *owner)
{
    struct line problem = LINE_INIT;
    int directory = spool_open_job(spool, name);
    if (directory < 0 && errno != ENOENT) {
        spool_hold_it(spool, SPOOL_JOBS, name, strerror(errno));
    }
    if (directory < 0) {
        return;
    }
    if (check_job(directory, name, facts, &problem)) {
        each(owner, name, facts);
    } else {
        spool_hold_it(spool, SPOOL_JOBS, name, problem.text);
    }
    close(directory);
}

int spool_each(struct spool *spool,
               void (*each)(void *owner, const char *name, const struct job_facts *facts),
               void *owner)
{
    struct listing listing = {.spool = spool};
    struct job_facts *facts = malloc(sizeof(*facts));
    char name[JOB_NAME];
    int problem =
        facts == NULL ? ENOMEM : spool_list(spool->places[SPOOL_JOBS], add_number, &listing);
    if (listing.failed) {
        problem = ENOMEM;
    }
    if (problem == 0 && listing.count > 0) {
        qsort(listing.numbers, listing.count, sizeof(*listing.numbers), compare_numbers);
    }
    for (size_t i = 0; problem == 0 && i < listing.count; i++) {
        spool_name(listing.numbers[i], name);
        visit(spool, name, facts, each, owner);
    }
    free(listing.numbers);
    free(facts);
    return problem;
}

int spool_remove(struct spool *spool, const char *name)
{
    char gone[JOB_NAME];
    int directory = spool_open_job(spool, name);
    int claim = directory >= 0 ? job_claim(directory) : -1;
    int problem = claim >= 0 ? 0 : errno;
    if (directory >= 0) {
        close(directory);
    }
    if (problem != 0) {
        return problem == EAGAIN ? EBUSY : problem;
    }
    spool_name(spool->next_incoming++, gone);
    if (renameat2(spool->places[SPOOL_JOBS], name, spool->places[SPOOL_INCOMING], gone,
                  RENAME_NOREPLACE) != 0) {
        problem = errno;
        close(claim);
        return problem;
    }
    spool_remove_later(spool, SPOOL_INCOMING, gone, claim);
    return 0;
}

void spool_clear_done(struct spool *spool, const char *name)
{
    if (spool_number(name) != 0) {
        spool_remove_later(spool, SPOOL_DONE, name, -1);
    }
}

bool spool_is_done(const struct spool *spool, const char *name)
{
    return spool_number(name) != 0 &&
           faccessat(spool->places[SPOOL_DONE], name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
