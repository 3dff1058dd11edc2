/*
 * spool_kills.c - kills who fills a spool at any moment, and looks each time whether every job that
 * was acknowledged is there, and whether what is there is whole.
 *
 * Four clients send at a time, some go away in the middle, and some jobs are removed or printed
 * meanwhile. Most kills come at a random time after the first word of a client, some at any time,
 * and some at a system call of the loop's thread; what the threads do at each of their calls is
 * spool_storage.c's.
 */
#include "killer.h"
#include "spool_scene.h"

#include <poll.h>
#include <stdio.h>

#define KILLS 2000u
#define JOBS_KEPT 40u
#define JOBS_A_LIFE 500u /* more than it lives for */
#define LATEST_US 25000u

static void work(void *context, int pipe)
{
    const struct spool_scene_work *work = context;
    spool_scene_run(work, pipe);
}

/* Mostly when it is at work. */
static void kill_at_some_time(struct rig_random *random, struct spool_scene_work *scene, int *pipe)
{
    pid_t pid = rig_fork(work, scene, pipe);
    struct pollfd said = {.events = POLLIN};
    said.fd = *pipe;
    if (rig_below(random, 8) != 0) {
        RIG_MUST(poll(&said, 1, -1) == 1);
    }
    rig_sleep_us(rig_below(random, LATEST_US));
    rig_kill(pid);
}

int main(int argc, char **argv)
{
    rig_start(argc, argv, KILLS);
    struct rig_random random = rig_random(rig_seed(), 0);
    struct killer killer = killer_new(rig_random(rig_seed(), 1));
    struct spool_scene_known known = {.jobs = NULL};
    const char *path = rig_path("spool");
    unsigned life = 0;
    while (life < rig_count()) {
        int pipe;
        life++;
        struct spool_scene_work scene = {.path = path,
                                         .random = rig_random(rig_next(&random), life),
                                         .life = life,
                                         .clients = SPOOL_SCENE_CLIENTS,
                                         .jobs = JOBS_A_LIFE};
        if (life % 4 == 0) {
            RIG_MUST(killer_kill(&killer, true, work, &scene, &pipe));
        } else {
            kill_at_some_time(&random, &scene, &pipe);
        }
        spool_scene_hear(&known, life, pipe);
        spool_scene_check(&known, path, life, JOBS_KEPT);
    }
    rig_pass("who filled the spool was killed %u times, %u of them at a system call", life,
             killer.by_call);
    if (!killer.can_trace) {
        rig_skip("kills at system calls: tracing is not allowed here");
    }
    rig_pass("%u jobs were acknowledged, and each is there", known.acknowledged);
    rig_pass("%u were there without having been acknowledged, and whole", known.kept);
    spool_scene_forget(&known);
    return rig_finish();
}
