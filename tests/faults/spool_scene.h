/*
 * spool_scene.h - a spool that is tortured: clients that add jobs and tell of them, and what must
 * be there whatever ended that.
 *
 * A job's documents follow from its title, so whoever finds one knows whether it is whole. A child
 * works, and reports through a pipe what it knows for sure; the parent hears that, and checks the
 * spool. Needs rig and the service's spool.
 */
#ifndef SPOOL_SCENE_H
#define SPOOL_SCENE_H

#include "rig.h"

#include "../../services/printing/job.h"

#define SPOOL_SCENE_CLIENTS 4u

struct spool_scene_work {
    const char *path;
    struct rig_random random;
    unsigned life;    /* a number of this child's own */
    unsigned clients; /* at a time, each with one job after the other */
    unsigned jobs;    /* of each */
    bool shared;      /* descriptors are not all its own: whether it leaves some is not looked at */
};

/* The child: opens the spool, adds jobs, and now and then removes or finishes one that is there.
 * What fails is told, and the next job begins. */
void spool_scene_run(const struct spool_scene_work *work, int pipe);

/* A job that may be or must be there. */
struct spool_scene_job {
    struct spool_scene_job *next;
    char title[JOB_TEXT];
    char name[JOB_NAME];
    bool acknowledged;
    bool ended;   /* it is being removed, or printed, */
    bool printed; /* and its state says so, */
    bool gone;    /* and the spool has put away what was left of it */
    bool refused; /* its client was told that it is not there */
    bool found;
    bool removed; /* by the check */
};

struct spool_scene_known {
    struct spool_scene_job *jobs;
    uint64_t highest; /* number that was given */
    bool fails;       /* calls are made to fail, so jobs may be refused */
    bool never_heals; /* and go on failing, so what is refused may be there nevertheless */
    bool may_be_torn; /* the power failed: what was not acknowledged may be held */
    unsigned reused;  /* directories of jobs that had ended */
    unsigned acknowledged;
    unsigned refused;
    unsigned kept; /* there without having been acknowledged */
};

/* Takes what the child says until it ends. */
void spool_scene_hear(struct spool_scene_known *known, unsigned life, int pipe);
/* Opens the spool as the next service does, and checks all that is there; jobs above most are
 * removed. */
void spool_scene_check(struct spool_scene_known *known, const char *path, unsigned life,
                       unsigned most);
/* Forgets all jobs. */
void spool_scene_forget(struct spool_scene_known *known);

#endif
