/* One line on the terminal that says how far a long command is. */
#include "progress.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

#define MS_BETWEEN_DRAWINGS 100
#define LINE_SIZE 200

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Opened anew: that standard error itself does not block would be so for all who share it. */
static int open_terminal(void)
{
    return isatty(STDERR_FILENO)
               ? open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
               : -1;
}

void progress_begin(struct progress *progress, const char *doing)
{
    *progress = (struct progress){.doing = doing, .terminal = open_terminal(), .started = now_ms()};
}

static void print_known_total(char line[LINE_SIZE], const struct progress *progress,
                              const rs_progress *numbers, uint64_t elapsed)
{
    char done[SHOW_BYTES_SIZE], total[SHOW_BYTES_SIZE], rate[SHOW_BYTES_SIZE];
    uint64_t left = numbers->total > numbers->bytes ? numbers->total - numbers->bytes : 0;
    uint64_t ms_left = (uint64_t)((double)elapsed * (double)left / (double)(numbers->bytes + 1));

    show_bytes(numbers->bytes, done);
    show_bytes(numbers->total, total);
    show_bytes(numbers->bytes * 1000 / elapsed, rate);
    snprintf(line, LINE_SIZE, "\r%s: %s of %s, %s/s, %" PRIu64 " s left\033[K", progress->doing,
             done, total, rate, (ms_left + 999) / 1000);
}

static void print_open_end(char line[LINE_SIZE], const struct progress *progress,
                           const rs_progress *numbers, uint64_t elapsed)
{
    char done[SHOW_BYTES_SIZE];

    show_bytes(numbers->bytes, done);
    if (numbers->keys == 0 && numbers->values == 0) {
        snprintf(line, LINE_SIZE, "\r%s: %s\033[K", progress->doing, done);
    } else {
        snprintf(line, LINE_SIZE,
                 "\r%s: %" PRIu64 " keys, %" PRIu64 " values, %s, %" PRIu64 " keys/s\033[K",
                 progress->doing, numbers->keys, numbers->values, done,
                 numbers->keys * 1000 / elapsed);
    }
}

/* Whether it is shown; what is not is no loss. */
static bool draw(const struct progress *progress, const char *line)
{
    return write(progress->terminal, line, strlen(line)) > 0;
}

void progress_show(struct progress *progress, const rs_progress *numbers)
{
    char line[LINE_SIZE];
    uint64_t now;

    if (progress->terminal < 0) {
        return;
    }
    now = now_ms();
    if (now - progress->started < MS_BETWEEN_DRAWINGS ||
        now - progress->drawn < MS_BETWEEN_DRAWINGS) {
        return;
    }
    if (numbers->total > 0) {
        print_known_total(line, progress, numbers, now - progress->started);
    } else {
        print_open_end(line, progress, numbers, now - progress->started);
    }
    progress->drawn = now;
    progress->dirty = draw(progress, line) || progress->dirty;
}

void progress_end(struct progress *progress)
{
    if (progress->dirty) {
        draw(progress, "\r\033[K");
    }
    progress->dirty = false;
    if (progress->terminal >= 0) {
        close(progress->terminal);
    }
    progress->terminal = -1;
}
