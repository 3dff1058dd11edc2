/* spool_spare - what jobs leave: spares, which later ones are received into, or nothing; see
 * spool_parts.h. */
#include "spool_parts.h"

#include "../printing/job_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPARE_FILES 3
#define GATHER 20 /* ms, for which what is to leave is gathered: a thread is woken once for all */

struct spool_removal {
    struct spool_removal *next;
    enum spool_place place;
    bool was_job;
    bool is_reusable;
    bool is_kept; /* as a spare: incoming/SPARE */
    char name[JOB_NAME];
    char spare[JOB_NAME];
};

/* ---- In a thread ----------------------------------------------------------------------------- */

struct look {
    int directory;
    uid_t owner;
    unsigned files;
    bool is_good;
};

static bool look_at(void *owner, const char *name)
{
    struct look *look = owner;
    struct stat found;
    bool is_document = strcmp(name, "1") == 0;
    look->is_good = (is_document || strcmp(name, JOB_FACTS) == 0 || strcmp(name, JOB_STATE) == 0) &&
                    fstatat(look->directory, name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
                    S_ISREG(found.st_mode) && found.st_uid == look->owner && found.st_nlink == 1 &&
                    (found.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
                    (!is_document || found.st_size <= SPOOL_SMALL);
    look->files++;
    return look->is_good;
}

/* The files of a job of one small document, and no others. */
static bool is_spare(int directory)
{
    struct stat around;
    struct look look = {.directory = directory, .is_good = true};
    if (fstat(directory, &around) != 0) {
        return false;
    }
    look.owner = around.st_uid;
    return spool_list(directory, look_at, &look) == 0 && look.is_good && look.files == SPARE_FILES;
}

static bool make_spare(const struct spool *spool, const struct spool_removal *removal)
{
    int from = spool->places[removal->place];
    int directory = spool_open_directory(from, removal->name);
    if (directory < 0) {
        return false;
    }
    bool is_good = is_spare(directory);
    close(directory);
    return is_good && renameat2(from, removal->name, spool->places[SPOOL_INCOMING], removal->spare,
                                RENAME_NOREPLACE) == 0;
}

/* That jobs left jobs/ is on the disk before their files are touched: until then a loss of power
 * may bring them back, whole. Only this makes it sure of those that were printed, so it is not left
 * to the next job that comes. */
static bool sync_removals(const struct spool *spool)
{
    const struct spool_removal *at = spool->removing;
    while (at != NULL && !at->was_job) {
        at = at->next;
    }
    return at == NULL || fsync(spool->places[SPOOL_JOBS]) == 0;
}

static void remove_all(void *owner)
{
    const struct spool *spool = owner;
    bool is_synced = sync_removals(spool);
    for (struct spool_removal *at = spool->removing; at != NULL; at = at->next) {
        if (at->was_job && !is_synced) {
            continue;
        }
        at->is_kept = at->is_reusable && make_spare(spool, at);
        if (!at->is_kept) {
            (void)spool_remove_tree(spool->places[at->place], at->name);
        }
    }
}

/* ---- In the loop ----------------------------------------------------------------------------- */

static void end_removals(struct spool *spool)
{
    while (spool->removing != NULL) {
        struct spool_removal *removal = spool->removing;
        spool->removing = removal->next;
        spool->spares_coming -= removal->is_reusable;
        if (removal->is_kept) {
            (void)spool_keep_spare(spool, removal->spare); /* there is room: it was counted */
        }
        free(removal);
    }
}

/* What came meanwhile and whose time was over is next. */
static void removed(void *owner)
{
    struct spool *spool = owner;
    end_removals(spool);
    if (!spool->gathering.set) {
        spool_begin_removals(spool);
    }
}

void spool_begin_removals(void *owner)
{
    struct spool *spool = owner;
    loop_unset(spool->loop, &spool->gathering);
    if (spool->removing != NULL || spool->leaving == NULL) {
        return;
    }
    spool->removing = spool->leaving;
    spool->leaving = NULL;
    if (background_start(spool->removals, remove_all, removed, spool) != 0) {
        end_removals(spool);
    }
}

void spool_remove_later(struct spool *spool, enum spool_place place, const char *name,
                        unsigned what)
{
    struct spool_removal *removal = malloc(sizeof(*removal));
    if (removal == NULL) {
        return;
    }
    *removal = (struct spool_removal){.next = spool->leaving,
                                      .place = place,
                                      .was_job = (what & SPOOL_WAS_JOB) != 0,
                                      .is_reusable =
                                          (what & SPOOL_REUSABLE) != 0 &&
                                          spool->spare_count + spool->spares_coming < SPOOL_SPARES};
    snprintf(removal->name, sizeof(removal->name), "%s", name);
    spool_name(spool->next_incoming++, removal->spare);
    spool->spares_coming += removal->is_reusable;
    spool->leaving = removal;
    if (!spool->gathering.set) {
        loop_set(spool->loop, &spool->gathering, GATHER);
    }
}

/* ---- Spares ---------------------------------------------------------------------------------- */

bool spool_keep_spare(struct spool *spool, const char *name)
{
    if (spool->spare_count + spool->spares_coming >= SPOOL_SPARES) {
        return false;
    }
    snprintf(spool->spares[spool->spare_count++], JOB_NAME, "%s", name);
    return true;
}

/* Where descriptors or memory are short, a spare is as good the next time. */
static bool is_lost(int directory)
{
    return directory < 0 && errno != EMFILE && errno != ENFILE && errno != ENOMEM;
}

/* The latest one first, as the system has that in memory. */
bool spool_take_spare(struct spool *spool, char name[JOB_NAME], int *directory)
{
    *directory = -1;
    while (spool->spare_count > 0) {
        snprintf(name, JOB_NAME, "%s", spool->spares[spool->spare_count - 1]);
        *directory = spool_open_directory(spool->places[SPOOL_INCOMING], name);
        bool lost = is_lost(*directory);
        spool->spare_count -= *directory >= 0 || lost;
        if (!lost) {
            break;
        }
    }
    return *directory >= 0;
}

void spool_remove_spares(struct spool *spool)
{
    while (spool->spare_count > 0) {
        (void)spool_remove_tree(spool->places[SPOOL_INCOMING], spool->spares[--spool->spare_count]);
    }
}
