/*
 * measure.h - the clock, contenders in turns, and what their times come to.
 *
 * In each round every contender works for about the same time, the order turning round from one to
 * the next; so a machine that is busy elsewhere slows all of them alike. A ratio is the median of
 * the rounds' ratios. Needs bench.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "bench.h"

#define MAX_CONTENDERS 4

struct contender {
    void (*run)(void *context, unsigned long count); /* does the work count times */
    void *context;
};

struct times {
    unsigned rounds;
    size_t contenders;
    double *ns[MAX_CONTENDERS];  /* of each round, for doing the work once */
    double *cpu[MAX_CONTENDERS]; /* the same, of it at work; 0 where it was not measured */
};

double clock_ns(void);
/* Rounds as the caller of the program wants them, else as many as given. */
unsigned rounds_of(const struct bench *bench, unsigned wanted);
void times_new(struct times *times, size_t contenders, unsigned rounds);
void times_free(struct times *times);
/* Measures; a contender's turn takes about milliseconds, or one piece of work if that is longer. */
void times_measure(struct times *times, const struct contender *contenders, double milliseconds);

double median(const double *numbers, size_t count);
/* Ratio and quartiles of a to b, round by round. */
void result_ratio(struct result *result, const double *a, const double *b, unsigned rounds);
/* Takes contender 0 as regstore, 1 as raw, 2 (if there) as SQLite; unit is nanoseconds of one. The
 * ratio of processor time is there, too, where it was measured: others at work do not disturb it.
 */
void result_take(struct result *result, const struct times *times, double unit);

#endif
