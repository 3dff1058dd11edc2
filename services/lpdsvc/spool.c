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

/* What is there under the name of a job. */
enum found { FOUND_JOB, FOUND_PRINTED, FOUND_REMNANT, FOUND_DAMAGED, FOUND_UNREADABLE };

static enum found what_of(enum job_reading reading)
{
    return reading == JOB_READ      ? FOUND_JOB
           : reading == JOB_ANOTHER ? FOUND_REMNANT
           : reading == JOB_DAMAGED ? FOUND_DAMAGED
                                    : FOUND_UNREADABLE;
}

/* That all is there which its printing needs. */
static enum found check_documents(int directory, const struct job_facts *facts,
                                  struct line *problem)
{
    enum job_reading reading = JOB_READ;
    for (size_t i = 0; reading == JOB_READ && i < facts->count; i++) {
        reading = job_check_document(directory, facts, i, problem);
    }
    return what_of(reading);
}

/* A loss of power may leave a job under its name that was printed, or a directory that was used
 * again for a job which nobody acknowledged. Either of state and facts may tell so. */
static enum found check_job(int directory, const char *name, struct job_facts *facts,
                            struct line *problem)
{
    struct job_state state;
    struct line facts_problem = LINE_INIT;
    enum job_reading of_state = job_read_state(directory, name, &state, problem);
    if (of_state == JOB_READ && state.total > 0 && state.printed == state.total) {
        return FOUND_PRINTED;
    }
    if (of_state == JOB_ANOTHER) {
        return FOUND_REMNANT;
    }
    enum job_reading of_facts = job_read_facts(directory, name, facts, &facts_problem);
    if (of_state == JOB_READ || of_facts == JOB_ANOTHER) {
        *problem = facts_problem;
    }
    if (of_facts == JOB_ANOTHER) {
        return FOUND_REMNANT;
    }
    if (of_state != JOB_READ) {
        return what_of(of_state);
    }
    if (of_facts != JOB_READ) {
        return what_of(of_facts);
    }
    if (state.total != job_total(facts)) {
        line_add(problem, "state: is another job's");
        return FOUND_DAMAGED;
    }
    return check_documents(directory, facts, problem);
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

/* A directory without anything in it is what is left of a removal. */
static void put_away(struct spool *spool, const char *name, enum found found, const char *why)
{
    if (found == FOUND_UNREADABLE) {
        log_line(spool->log, LOG_LINE_WARNING, "%s/jobs/%s is left until the next start: %s",
                 spool->path, name, why);
    } else if (unlinkat(spool->places[SPOOL_JOBS], name, AT_REMOVEDIR) != 0) {
        spool_hold_it(spool, SPOOL_JOBS, name, why);
    }
}

/* One that was printed and that somebody has is about to leave: until then it is a job. Of
 * another's there is a word, as a person may have given it this name. */
static enum found remove_remnant(struct spool *spool, const char *name, int directory,
                                 enum found found, struct job_facts *facts, const char *why)
{
    struct line problem = LINE_INIT;
    int error = spool_remove(spool, name);
    bool is_had = error == EBUSY;
    if (error == 0 && found == FOUND_REMNANT) {
        log_line(spool->log, LOG_LINE_WARNING, "%s/jobs/%s: is no job, and was removed: %s",
                 spool->path, name, why);
    }
    return is_had && found == FOUND_PRINTED &&
                   job_read_facts(directory, name, facts, &problem) == JOB_READ
               ? FOUND_JOB
               : FOUND_REMNANT;
}

/* One that is gone was printed just now, by who has outlived the service before. */
static void visit(struct spool *spool, const char *name, struct job_facts *facts,
                  void (*each)(void *owner, const char *name, const struct job_facts *facts),
                  void *owner)
{
    struct line problem = LINE_INIT;
    int directory = spool_open_job(spool, name);
    if (directory < 0) {
        int error = errno;
        if (error != ENOENT) {
            put_away(spool, name, what_of(job_failed_reading(error)), strerror(error));
        }
        return;
    }
    enum found found = check_job(directory, name, facts, &problem);
    if (found == FOUND_PRINTED || found == FOUND_REMNANT) {
        found = remove_remnant(spool, name, directory, found, facts, problem.text);
    }
    if (found == FOUND_JOB) {
        each(owner, name, facts);
    } else if (found != FOUND_REMNANT) {
        put_away(spool, name, found, problem.text);
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

/* Of jobs that this service took, all names in their directories are on the disk. */
static unsigned if_reusable(const struct spool *spool, const char *name)
{
    return spool_number(name) >= spool->first ? SPOOL_REUSABLE : 0;
}

/* Holds the claim until it is out of jobs/: who gets it later finds that the name is gone. One
 * without a state nobody can have. */
int spool_remove(struct spool *spool, const char *name)
{
    char gone[JOB_NAME];
    int directory = spool_open_job(spool, name);
    if (directory < 0) {
        return errno;
    }
    int claim = job_claim(directory);
    int problem = claim >= 0 || errno == ENOENT ? 0 : errno;
    close(directory);
    if (problem != 0) {
        return problem == EAGAIN ? EBUSY : problem;
    }
    spool_name(spool->next_incoming++, gone);
    if (renameat2(spool->places[SPOOL_JOBS], name, spool->places[SPOOL_INCOMING], gone,
                  RENAME_NOREPLACE) != 0) {
        problem = errno;
    }
    if (claim >= 0) {
        close(claim);
    }
    if (problem == 0) {
        spool_remove_later(spool, SPOOL_INCOMING, gone, SPOOL_WAS_JOB | if_reusable(spool, name));
    }
    return problem;
}

void spool_clear_done(struct spool *spool, const char *name)
{
    if (spool_number(name) != 0) {
        spool_remove_later(spool, SPOOL_DONE, name, SPOOL_WAS_JOB | if_reusable(spool, name));
    }
}

bool spool_is_done(const struct spool *spool, const char *name)
{
    return spool_number(name) != 0 &&
           faccessat(spool->places[SPOOL_DONE], name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
