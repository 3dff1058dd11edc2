/*
 * spool_parts - what the parts of spool share: the directories, held open, the next number, and the
 * spares.
 *
 * All that is in the spool is reached from these descriptors by a name without a slash, and never
 * through a link. Needs background.
 */
#ifndef LPDSVC_SPOOL_PARTS_H
#define LPDSVC_SPOOL_PARTS_H

#include "spool.h"

#include "../common/background.h"

#include <pthread.h>

#define SPOOL_SMALL (64 * 1024) /* bytes of all documents of a small job, at most */
#define SPOOL_SPARES 512 /* that are kept, at most: jobs come in heaps, and then leave theirs */

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
    struct background *removals;         /* of a large file takes its time, too; one at a time */
    struct spool_removal *leaving;       /* what waits for it, */
    struct loop_timer gathering;         /* or for more of its kind, */
    struct spool_removal *removing;      /* and what the thread has */
    char spares[SPOOL_SPARES][JOB_NAME]; /* incoming/NAME */
    unsigned spare_count;
    unsigned spares_coming;         /* of what is removed */
    uint64_t first;                 /* number that this service could give */
    uint64_t next;                  /* number of a job */
    pthread_mutex_t last_turn;      /* of last, as long as there are commits */
    uint64_t last;                  /* on the disk: no job is there above it */
    uint64_t next_incoming;         /* number of what is received or removed */
    struct spool_incoming *refused; /* whose commit did not begin, */
    struct loop_timer refusal;      /* which is told soon */
    uint64_t unchecked;             /* bytes written since the room on the disk was looked at */
};

/* A job's number of its directory's name; 0: it is none. */
uint64_t spool_number(const char *name);
void spool_name(uint64_t number, char name[JOB_NAME]);
/* Sees to it that the disk knows of a job's number before the job is there; called in a thread. 0
 * or an errno number. */
int spool_cover_number(struct spool *spool, uint64_t number);

/* Makes the directory if it is not there, of mode 0700 whatever the umask, and opens it; -1 with
 * errno. EPERM: it is another's, or others can write in it. */
int spool_make_directory(int parent, const char *name);
int spool_open_directory(int parent, const char *name);
/* Removes a directory with the files in it, or whatever else has the name. A job's documents go
 * first and its state last, which says that it was printed. 0 or an errno number. */
int spool_remove_tree(int parent, const char *name);
/* Whether there is room for jobs; an errno number if not. */
int spool_room(struct spool *spool);
/* Moves it to held/, under another name if that is taken there, and logs why. */
void spool_hold_it(const struct spool *spool, enum spool_place place, const char *name,
                   const char *why);
/* Calls each for each name in the directory, until one gives false. 0 or an errno number. */
int spool_list(int directory, bool (*each)(void *owner, const char *name), void *owner);

/* ---- What leaves ----------------------------------------------------------------------------- */

#define SPOOL_WAS_JOB 1u  /* it was in jobs/ */
#define SPOOL_REUSABLE 2u /* all names in it are on the disk */

/* Removes incoming/NAME or done/NAME, in a thread, or makes a spare of it; what fails is left to
 * the next start. */
void spool_remove_later(struct spool *spool, enum spool_place place, const char *name,
                        unsigned what);
/* Begins at once, unless the thread is at it; owner is the spool. */
void spool_begin_removals(void *owner);
/* Gives a spare, incoming/NAME, to be received into: it has a state, facts and one document of a
 * job before, and their names are on the disk. false: there is none. */
bool spool_take_spare(struct spool *spool, char name[JOB_NAME], int *directory);
/* Keeps incoming/NAME as one; that it is in jobs/ no more is on the disk. false: there are enough.
 */
bool spool_keep_spare(struct spool *spool, const char *name);
void spool_remove_spares(struct spool *spool);

/* ---- What comes ------------------------------------------------------------------------------ */

/* incoming/NAME, which becomes a job. */
struct spool_incoming {
    struct spool *spool;
    char name[JOB_NAME];
    int directory;
    bool was_spare;
    bool has_new_names; /* that are perhaps not on the disk */
    bool failed;        /* the disk did */
    int document;       /* the one that is written; -1: none is */
    uint64_t old_size;  /* of its file, if that is used again */
    uint64_t begun;     /* bytes of document that the disk was told to take */
    unsigned count;
    uint64_t size;                 /* of all that was received, */
    uint64_t sizes[JOB_DOCUMENTS]; /* and of each, in that order, */
    uint32_t sums[JOB_DOCUMENTS];  /* and, of a small job, their sums */
    /* Of its commit. */
    bool committing;
    struct job_facts *facts;
    unsigned order[JOB_DOCUMENTS];
    uint64_t number; /* of the jobs, */
    char job[JOB_NAME];
    int problem;
    bool discarded;
    struct spool_incoming *next; /* of those that are refused */
    void (*done)(void *owner, int problem, const char *name);
    void *owner;
};

/* A document's name when it is printed, where it stands at place i; also of the one that was
 * received as number i. */
#define SPOOL_DOCUMENT 24
void spool_document_name(size_t i, char name[SPOOL_DOCUMENT]);
/* Closes the document that is written, and takes away what the file had more. 0 or an errno number.
 */
int spool_end_document(struct spool_incoming *incoming);
/* Closes and frees it. */
void spool_free_incoming(struct spool_incoming *incoming);
/* Tells those whose commit did not begin; owner is the spool. */
void spool_refuse_all(void *owner);

#endif
