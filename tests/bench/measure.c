#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "measure.h"

static double read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double clock_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

unsigned rounds_of(const struct bench *bench, unsigned wanted)
{
    return bench->options.rounds > 0 ? bench->options.rounds : wanted;
}

void times_new(struct times *times, size_t contenders, unsigned rounds)
{
    *times = (struct times){.rounds = rounds, .contenders = contenders};
    for (size_t i = 0; i < contenders; i++) {
        times->ns[i] = calloc(rounds, sizeof(double));
        times->cpu[i] = calloc(rounds, sizeof(double));
        if (times->ns[i] == NULL || times->cpu[i] == NULL) {
            die("out of memory");
        }
    }
}

void times_free(struct times *times)
{
    for (size_t i = 0; i < times->contenders; i++) {
        free(times->ns[i]);
        free(times->cpu[i]);
    }
}

static double time_of(const struct contender *contender, unsigned long count)
{
    double start = clock_ns();
    contender->run(contender->context, count);
    return clock_ns() - start;
}

/* How often the work has to be done to fill a turn; it also warms up. */
static unsigned long calibrate(const struct contender *contender, double turn)
{
    unsigned long count = 1;
    double took = time_of(contender, count);
    while (took < turn / 4 && count < 1ul << 30) {
        count *= 2;
        took = time_of(contender, count);
    }
    double fits = turn / (took / (double)count);
    return fits < 1 ? 1 : (unsigned long)fits;
}

void times_measure(struct times *times, const struct contender *contenders, double milliseconds)
{
    unsigned long counts[MAX_CONTENDERS];
    size_t n = times->contenders;
    for (size_t i = 0; i < n; i++) {
        counts[i] = calibrate(&contenders[i], milliseconds * 1e6);
    }
    for (unsigned round = 0; round < times->rounds; round++) {
        for (size_t turn = 0; turn < n; turn++) {
            size_t i = round % 2 == 0 ? turn : n - 1 - turn;
            double busy = read_clock(CLOCK_PROCESS_CPUTIME_ID);
            times->ns[i][round] = time_of(&contenders[i], counts[i]) / (double)counts[i];
            busy = read_clock(CLOCK_PROCESS_CPUTIME_ID) - busy;
            times->cpu[i][round] = busy / (double)counts[i];
        }
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The number at a share of the sorted numbers: 0.5 is the median. */
static double quantile(const double *numbers, size_t count, double share)
{
    double *sorted = malloc(count * sizeof *sorted);
    if (sorted == NULL) {
        die("out of memory");
    }
    memcpy(sorted, numbers, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    double place = share * (double)(count - 1);
    size_t lower = (size_t)place;
    size_t upper = lower + 1 < count ? lower + 1 : lower;
    double found = sorted[lower] + (place - (double)lower) * (sorted[upper] - sorted[lower]);
    free(sorted);
    return found;
}

double median(const double *numbers, size_t count)
{
    return quantile(numbers, count, 0.5);
}

void result_ratio(struct result *result, const double *a, const double *b, unsigned rounds)
{
    double *ratios = calloc(rounds, sizeof *ratios);
    if (ratios == NULL) {
        die("out of memory");
    }
    for (unsigned i = 0; i < rounds; i++) {
        ratios[i] = a[i] / b[i];
    }
    result->ratio = quantile(ratios, rounds, 0.5);
    result->low = quantile(ratios, rounds, 0.25);
    result->high = quantile(ratios, rounds, 0.75);
    result->rounds = rounds;
    free(ratios);
}

void result_take(struct result *result, const struct times *times, double unit)
{
    result->regstore = median(times->ns[0], times->rounds) / unit;
    result->raw = median(times->ns[1], times->rounds) / unit;
    if (times->contenders > 2) {
        result->sqlite = median(times->ns[2], times->rounds) / unit;
    }
    result_ratio(result, times->ns[0], times->ns[1], times->rounds);
    if (times->cpu[1][0] > 0) {
        struct result cpu = {0};
        result_ratio(&cpu, times->cpu[0], times->cpu[1], times->rounds);
        result->cpu = cpu.ratio;
    }
}
