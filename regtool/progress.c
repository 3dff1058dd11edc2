/* One line on the terminal that says how far a long command is. */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

#define MS_BETWEEN_DRAWINGS 100

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void progress_begin(struct progress *progress, const char *doing)
{
    *progress =
        (struct progress){.doing = doing, .shown = isatty(STDERR_FILENO) != 0, .started = now_ms()};
}

static void draw_known_total(const struct progress *progress, const rs_progress *numbers,
                             uint64_t elapsed)
{
    char done[SHOW_BYTES_SIZE], total[SHOW_BYTES_SIZE], rate[SHOW_BYTES_SIZE];
    uint64_t left = numbers->total > numbers->bytes ? numbers->total - numbers->bytes : 0;
    uint64_t ms_left = (uint64_t)((double)elapsed * (double)left / (double)(numbers->bytes + 1));

    show_bytes(numbers->bytes, done);
    show_bytes(numbers->total, total);
    show_bytes(numbers->bytes * 1000 / elapsed, rate);
    fprintf(stderr, "\r%s: %s of %s, %s/s, %" PRIu64 " s left\033[K", progress->doing, done, total,
            rate, (ms_left + 999) / 1000);
}

static void draw_open_end(const struct progress *progress, const rs_progress *numbers,
                          uint64_t elapsed)
{
    char done[SHOW_BYTES_SIZE];

    show_bytes(numbers->bytes, done);
    fprintf(stderr, "\r%s: %" PRIu64 " keys, %" PRIu64 " values, %s, %" PRIu64 " keys/s\033[K",
            progress->doing, numbers->keys, numbers->values, done, numbers->keys * 1000 / elapsed);
}

void progress_show(struct progress *progress, const rs_progress *numbers)
{
    uint64_t now;

    if (!progress->shown) {
        return;
    }
    now = now_ms();
    if (now - progress->started < MS_BETWEEN_DRAWINGS ||
        now - progress->drawn < MS_BETWEEN_DRAWINGS) {
        return;
    }
    if (numbers->total > 0) {
        draw_known_total(progress, numbers, now - progress->started);
    } else {
        draw_open_end(progress, numbers, now - progress->started);
    }
    progress->drawn = now;
    progress->dirty = true;
}

void progress_end(struct progress *progress)
{
    if (progress->dirty) {
        fputs("\r\033[K", stderr);
    }
    progress->dirty = false;
}
