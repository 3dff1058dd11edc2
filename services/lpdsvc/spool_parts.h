/*
 * spool_parts - what the parts of spool share: the directories, held open, and the next number.
 *
 * All that is in the spool is reached from these descriptors by a name without a slash, and never
 * through a link. Needs background.
 */
#ifndef LPDSVC_SPOOL_PARTS_H
#define LPDSVC_SPOOL_PARTS_H

#include "spool.h"

#include "../common/background.h"

/* The directories in the spool, by their names: spool_places[]. */
enum spool_place { SPOOL_INCOMING, SPOOL_JOBS, SPOOL_DONE, SPOOL_HELD, SPOOL_PLACES };
extern const char *const spool_places[SPOOL_PLACES];

struct spool {
    char *path;
    struct loop *loop;
    const struct log *log;
    int directory;
    int lock;
    int places[SPOOL_PLACES];
    struct background *commits;
    struct background *removals;    /* of a large file takes its time, too */
    unsigned claims;                /* that removals keep */
    uint64_t next;                  /* number of a job */
    uint64_t last;                  /* on the disk: none above it was given */
    uint64_t next_incoming;         /* number of what is received or removed */
    struct spool_incoming *refused; /* whose commit did not begin, */
    struct loop_timer refusal;      /* which is told soon */
    uint64_t unchecked;             /* bytes written since the room on the disk was looked at */
};

/* A job's number of its directory's name; 0: it is none. */
uint64_t spool_number(const char *name);
void spool_name(uint64_t number, char name[JOB_NAME]);
/* Gives the next job its number. 0 or an errno number. */
int spool_take_number(struct spool *spool, uint64_t *number);

/* Makes the directory if it is not there, of mode 0700 whatever the umask, and opens it; -1 with
 * errno. EPERM: it is another's, or others can write in it. */
int spool_make_directory(int parent, const char *name);
int spool_open_directory(int parent, const char *name);
/* Removes a directory with the files in it, or whatever else has the name. What is known of a job
 * goes first and its claim last, so that who comes for it finds no half of it. 0 or an errno
 * number. */
int spool_remove_tree(int parent, const char *name);
/* The same for incoming/NAME or done/NAME, in a thread; what fails is left to the next start. claim
 * is closed, after that unless there are many; -1: there is none. */
void spool_remove_later(struct spool *spool, enum spool_place place, const char *name, int claim);
/* Moves it to held/, under another name if that is taken there, and logs why. */
void spool_hold_it(const struct spool *spool, enum spool_place place, const char *name,
                   const char *why);
/* Calls each for each name in the directory, until one gives false. 0 or an errno number. */
int spool_list(int directory, bool (*each)(void *owner, const char *name), void *owner);
/* Whether there is room for jobs; an errno number if not. */
int spool_room(struct spool *spool);

/* incoming/NAME, which becomes a job. */
struct spool_incoming {
    struct spool *spool;
    char name[JOB_NAME];
    int directory;
    int document; /* the one that is written; -1: none is */
    unsigned count;
    uint64_t sizes[JOB_DOCUMENTS]; /* of what was received, in that order */
    uint64_t begun;                /* bytes of document that the disk was told to take */
    /* Of its commit. */
    bool committing;
    struct job_facts *facts;
    unsigned order[JOB_DOCUMENTS];
    char job[JOB_NAME];
    int problem;
    bool discarded;
    struct spool_incoming *next; /* of those that are refused */
    void (*done)(void *owner, int problem, const char *name);
    void *owner;
};

/* Tells those whose commit did not begin; owner is the spool. */
void spool_refuse_all(void *owner);

#endif
