/*
 * queues - which queues there are, and which jobs wait in them.
 *
 * Each printer of the registry is a queue, by the name of its key; its Name and its Share Name are
 * other names of it. What the registry says of it is its shape, and is read anew as a whole and
 * then put in its place, while the queue itself stays, with its jobs in the order of their receipt
 * and with what is known of how they are printed. A queue whose printer is gone stays for as long
 * as it has jobs. Needs regstore.h, job, printers, ports, target.
 */
#ifndef LPDSVC_QUEUES_H
#define LPDSVC_QUEUES_H

#include "../printing/job.h"
#include "../printing/target.h"

#include <regstore.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_REASON 512 /* bytes of why nothing is printed, the end included */

struct queue_document {
    const char *name;
    uint64_t size;
    unsigned copies;
};

/* What is needed of a job while it waits; the rest is in the spool. */
struct queue_job {
    struct queue_job *next;
    char name[JOB_NAME]; /* of its directory */
    const char *user;
    const char *host;
    const char *address;
    const char *title;
    unsigned number; /* the client's */
    bool unwanted;   /* to be removed when its deliverer has ended */
    uint64_t size;   /* of all documents, each copy counted */
    size_t count;
    struct queue_document documents[];
};

/* What the registry says of a queue. */
struct queue_shape {
    const char *key;
    const char *name;
    const char *share;    /* "" : none */
    uint32_t status;      /* as the registry has it, */
    bool paused;          /* which says so */
    bool leads;           /* somewhere: there is a target; else why not */
    struct target target; /* its text may be read in any case, for a person */
    char why[QUEUE_REASON];
    char kept[];
};

/* How the first job of a queue is printed. */
enum queue_activity {
    QUEUE_IDLE,       /* nothing is under way */
    QUEUE_CONNECTING, /* somebody has the job; nothing has come out yet */
    QUEUE_SENDING,    /* a document is on its way to the target */
    QUEUE_WAITING     /* for what reason says */
};

struct printing;

struct queue {
    char key[JOB_TEXT];
    struct queue_shape *shape; /* NULL: the printer is gone */
    bool gone;                 /* while shapes are taken: not found among them yet */
    bool resumed;              /* by a client, although the registry says paused; until its status
                                  changes */
    struct queue_job *jobs;
    struct queue_job **last;
    /* dispatch's: */
    enum queue_activity activity;
    char reason[QUEUE_REASON];
    struct printing *printing; /* NULL: there was none yet */
};

/* Starts as zeros. */
struct queues {
    size_t count;
    size_t room;
    struct queue **rows; /* sorted by key */
};

struct queue_shapes {
    size_t count;
    struct queue_shape **rows;
};

/* Reads the shapes of all queues. *shapes is the caller's. Fails when the store cannot be read;
 * RS_ENOMEM. What is wrong with printers is added to *problems. */
int queue_shapes_load(rs_txn *txn, struct line *problems, struct queue_shapes **shapes);
/* NULL is allowed. */
void queue_shapes_free(struct queue_shapes *shapes);

/* Makes those that are missing; what fails leaves all as it was. RS_ENOMEM. */
int queues_prepare(struct queues *queues, const struct queue_shapes *shapes);
/* The queues are of these shapes from now on. Cannot fail after queues_prepare(); *shapes is
 * emptied. */
void queues_take(struct queues *queues, struct queue_shapes *shapes);
/* Forgets those that have no printer, no jobs, and whose deliverer, which released() says, is gone.
 */
void queues_sweep(struct queues *queues, bool (*released)(struct queue *queue));
/* Deliverers have been released. */
void queues_free(struct queues *queues);

/* By key, else by name, else by share name; NULL: there is none. One whose printer is gone counts
 * if no printer that is there has the name. */
struct queue *queues_find(const struct queues *queues, const char *name);
/* How many of the operand's first bytes are the name of a queue, which may have blanks: the longest
 * that ends before a blank or with the operand; 0: none is. */
size_t queues_name_size(const struct queues *queues, const char *operand);
/* The one of this key. */
struct queue *queues_by_key(const struct queues *queues, const char *key);
/* Whether its jobs are to be printed. */
bool queue_is_paused(const struct queue *queue);
bool queue_is_open(const struct queue *queue);

/* A job joins the queue that it is for, behind the others; gives the queue, or NULL without memory.
 */
struct queue *queues_add_job(struct queues *queues, const char *name,
                             const struct job_facts *facts);
/* Takes it out of its queue and forgets it. */
void queue_drop_job(struct queue *queue, struct queue_job *job);

#endif
