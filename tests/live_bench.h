/*
 * live_bench.h - what the suites of live and of its work share: a service in the test's own
 * process, on a store that the test changes, whose log comes out of a pipe.
 */
#ifndef LIVE_BENCH_H
#define LIVE_BENCH_H

#include "settings_bench.h"

#include "../services/common/live.h"

struct rig {
    rs_store *store;
    struct log log;
    struct notifier notifier;
    struct live live;
    const struct live_commander *commander; /* NULL after rig_open() */
    int pipe[2];
    char text[4096]; /* the log since it was last read */
};

/* A work that does as the test says: what it is to say next, and what was asked of it. One is the
 * state of scripted_work. */
struct script {
    enum work_outcome outcome;
    const char *said;
    unsigned taken;
    unsigned halted;
    uint32_t rate;
};

extern const struct work scripted_work;

/* Makes the store. */
void rig_open(struct rig *rig);
/* Starts bench_service, or another one on its settings. */
void rig_start(struct rig *rig);
void rig_start_service(struct rig *rig, const struct service *service, void *state);
/* The first two, with a rate that is set; what was said until then is not looked at. */
void rig_run(struct rig *rig, uint32_t rate);
void rig_close(struct rig *rig);

/* The log since the last look. */
const char *rig_log(struct rig *rig);
/* Whether that is one line that begins and ends so; what stands between is the time, which no test
 * can know. */
void expect_line(struct rig *rig, const char *start, const char *end);
/* What the service says of itself: "ANSWERED ANSWER RESTART: REASON". */
void expect_answer(struct rig *rig, const char *answer);

#endif
