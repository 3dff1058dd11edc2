/* deliver_job - a job of the spool, printed until all of it is; see deliver_job.h. */
#include "deliver_job.h"
#include "job.h"
#include "job_parts.h"

#include "../common/character.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define FIRST_PAUSE 250    /* ms; each is twice the one before, */
#define REFUSED_PAUSE 1000 /* up to this where the target answers, or the spool's disk is full */
#define AGAIN_MARK " (printed again)"
#define AGAIN_NAME 128 /* bytes of a name with the mark, its end included, that no target cuts */

enum { STATUS_PRINTED = 0, STATUS_NOT_PRINTED = 1, STATUS_DAMAGED = 4 };

struct run {
    const struct deliver_job *job;
    int spool;
    int directory;
    int claim;
    struct job_facts facts;
    struct job_state state; /* as it is on the disk */
    struct line told;       /* the reason that was told last, while it waits */
};

/* ---- Telling --------------------------------------------------------------------------------- */

/* Nobody may be there, or too busy to read. */
static void tell(const struct line *line)
{
    struct pollfd wait = {.fd = STDOUT_FILENO, .events = POLLOUT};
    if (poll(&wait, 1, 0) == 1 && (wait.revents & POLLOUT) != 0) {
        ssize_t ignored = write(STDOUT_FILENO, line->text, line->length);
        (void)ignored;
    }
}

static void tell_number(const char *what, const struct run *run, bool of_total)
{
    struct line line = LINE_INIT;
    line_add(&line, "%s %u", what, run->state.printed + 1);
    if (of_total) {
        line_add(&line, "/%u", run->state.total);
    }
    line_add(&line, "\n");
    tell(&line);
}

/* Once for each reason. */
static void tell_waiting(struct run *run, const struct line *why)
{
    if (strcmp(run->told.text, why->text) != 0) {
        struct line line = LINE_INIT;
        line_add(&line, "waiting %.*s\n", LINE_SIZE / 2, why->text);
        tell(&line);
        run->told = *why;
    }
}

/* ---- Signals --------------------------------------------------------------------------------- */

static void end_at_once(int number)
{
    (void)number;
    _exit(STATUS_NOT_PRINTED);
}

static void hold_end(bool held)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    (void)sigprocmask(held ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

/* SIGUSR1 is blocked but for the pauses, so that one that comes earlier is not lost. */
static void take_signals(void)
{
    struct sigaction action = {.sa_handler = end_at_once};
    (void)sigaction(SIGTERM, &action, NULL);
    hold_end(false);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
}

/* *pause is this one's length in ms, and becomes that of the next one. */
static void wait_pause(struct run *run, const struct line *why, unsigned longest, unsigned *pause)
{
    sigset_t set;
    tell_waiting(run, why);
    hold_end(false);
    unsigned length = *pause < longest ? *pause : longest;
    const struct timespec time = {.tv_sec = length / 1000,
                                  .tv_nsec = (long)(length % 1000) * 1000000};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    *pause = length < longest / 2 ? length * 2 : longest;
    if (sigtimedwait(&set, NULL, &time) == SIGUSR1) {
        *pause = FIRST_PAUSE;
    }
}

/* ---- State ----------------------------------------------------------------------------------- */

static bool write_state(struct run *run, unsigned printed, bool sending, struct line *why)
{
    struct job_state state = run->state;
    state.printed = printed;
    state.sending = sending;
    if (state.printed == run->state.printed && state.sending == run->state.sending) {
        return true;
    }
    if (!job_write_state(run->directory, run->job->name, &state, why)) {
        return false;
    }
    run->state = state;
    return true;
}

/* What has happened is written down, however long the disk is full: nothing else may come before.
 */
static void insist(struct run *run, unsigned printed, bool sending)
{
    struct line why = LINE_INIT;
    unsigned pause = FIRST_PAUSE;
    while (!write_state(run, printed, sending, &why)) {
        wait_pause(run, &why, REFUSED_PAUSE, &pause);
        hold_end(true);
        why = (struct line)LINE_INIT;
    }
}

/* A transport is about to send the first byte. */
static bool begin_sending(void *owner, struct line *why)
{
    struct run *run = owner;
    hold_end(true);
    if (!write_state(run, run->state.printed, true, why)) {
        hold_end(false);
        return false;
    }
    run->told = (struct line)LINE_INIT;
    tell_number("printing", run, true);
    return true;
}

/* ---- One document ---------------------------------------------------------------------------- */

/* That which comes after so many copies of all. */
static size_t find_document(const struct job_facts *facts, unsigned printed)
{
    size_t at = 0;
    while (at + 1 < facts->count && printed >= facts->documents[at].copies) {
        printed -= facts->documents[at].copies;
        at++;
    }
    return at;
}

/* The mark is never what a long name loses, also where it goes: a directory takes 127 bytes of a
 * name, another LPD 131, and a share 255. */
static void name_document(const struct run *run, size_t at, bool again, char *name, size_t size)
{
    const char *given = run->facts.documents[at].name;
    given = given[0] != '\0' ? given : run->facts.title;
    size_t room = AGAIN_NAME - sizeof(AGAIN_MARK);
    size_t length = again ? character_cut(given, room) : strlen(given);
    (void)snprintf(name, size, "%.*s%s", (int)length, given, again ? AGAIN_MARK : "");
}

static enum outcome try_document(struct run *run, bool again, struct line *why)
{
    const struct job_facts *facts = &run->facts;
    char name[JOB_TEXT + sizeof(AGAIN_MARK)];
    char unique[64];
    size_t at = find_document(facts, run->state.printed);
    int input;
    enum job_reading reading = job_open_document(run->directory, facts, at, &input, why);
    if (reading != JOB_READ) {
        return reading == JOB_UNREADABLE ? DELIVER_REFUSED : DELIVER_DAMAGED;
    }
    name_document(run, at, again, name, sizeof(name));
    (void)snprintf(unique, sizeof(unique), "%s.%u", run->job->name, run->state.printed + 1);
    struct delivery delivery = {
        .target = run->job->target,
        .name = name,
        .user = facts->user,
        .host = facts->host,
        .title = facts->title,
        .queue = facts->queue,
        .job = unique,
        .number = facts->number,
        .time = facts->time,
        .input = input,
        .sized = true,
        .size = facts->documents[at].size,
        .sending = begin_sending,
        .owner = run,
    };
    enum outcome outcome = deliver_document(&delivery, run->job->transport, why);
    close(input);
    return outcome;
}

/* A document of which nobody knows whether it came out is sent again, with a mark. */
static bool print_document(struct run *run, struct line *why)
{
    bool again = false;
    unsigned pause = FIRST_PAUSE;
    for (;;) {
        if (run->state.sending && !again) {
            again = true;
            tell_number("again", run, false);
        }
        *why = (struct line)LINE_INIT;
        enum outcome outcome = try_document(run, again, why);
        if (outcome == DELIVER_DONE) {
            insist(run, run->state.printed + 1, false);
            return true;
        }
        insist(run, run->state.printed, again || outcome == DELIVER_UNKNOWN);
        if (outcome == DELIVER_DAMAGED) {
            return false;
        }
        wait_pause(run, why, outcome == DELIVER_REFUSED ? REFUSED_PAUSE : run->job->retry, &pause);
    }
}

/* ---- The job --------------------------------------------------------------------------------- */

static int open_spool(const char *path, struct line *why)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        line_add(why, "%s: ", path);
        deliver_add_error(why, errno);
    }
    return fd;
}

/* In jobs/, without following a link on the way. */
static int open_job(int spool, const char *name, struct line *why)
{
    if (!job_is_name(name)) {
        line_add(why, "a job's name is its number");
        return -1;
    }
    int jobs = openat(spool, "jobs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int job = jobs >= 0 ? openat(jobs, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (job < 0) {
        line_add(why, "job %s: ", name);
        deliver_add_error(why, errno);
    }
    if (jobs >= 0) {
        close(jobs);
    }
    return job;
}

static int claim_job(struct run *run, struct line *why)
{
    run->claim = job_claim(run->directory);
    if (run->claim >= 0) {
        return STATUS_PRINTED;
    }
    if (errno == EAGAIN) {
        line_add(why, "job %s is printed by another process", run->job->name);
    } else {
        line_add(why, "cannot claim job %s: ", run->job->name);
        deliver_add_error(why, errno);
    }
    return STATUS_NOT_PRINTED;
}

static enum job_reading read_parts(struct run *run, struct line *why)
{
    const char *name = run->job->name;
    enum job_reading reading = job_read_facts(run->directory, name, &run->facts, why);
    if (reading == JOB_READ) {
        reading = job_read_state(run->directory, name, &run->state, why);
    }
    if (reading == JOB_READ && run->state.total != job_total(&run->facts)) {
        line_add(why, "state: is not of these documents");
        reading = JOB_DAMAGED;
    }
    for (size_t i = 0; reading == JOB_READ && i < run->facts.count; i++) {
        reading = job_check_document(run->directory, &run->facts, i, why);
    }
    return reading;
}

/* The directory may be another job's since it was opened: then this one is printed, or removed. */
static int read_job(struct run *run, struct line *why)
{
    enum job_reading reading;
    unsigned pause = FIRST_PAUSE;
    while ((reading = read_parts(run, why)) == JOB_UNREADABLE) {
        wait_pause(run, why, REFUSED_PAUSE, &pause);
        *why = (struct line)LINE_INIT;
    }
    if (reading == JOB_ANOTHER) {
        *why = (struct line)LINE_INIT;
        line_add(why, "job %s is gone", run->job->name);
        return STATUS_NOT_PRINTED;
    }
    return reading == JOB_READ ? STATUS_PRINTED : STATUS_DAMAGED;
}

/* Whoever claimed it before may have finished it since it was opened. */
static int finish(struct run *run, struct line *why)
{
    int error;
    unsigned pause = FIRST_PAUSE;
    while ((error = job_finish(run->spool, run->job->name)) != 0 && error != ENOENT) {
        *why = (struct line)LINE_INIT;
        line_add(why, "cannot move the printed job: ");
        deliver_add_error(why, error);
        wait_pause(run, why, REFUSED_PAUSE, &pause);
    }
    return STATUS_PRINTED;
}

/* Between two documents there is room for an end that was asked for. */
static int print_job(struct run *run, struct line *why)
{
    int status = claim_job(run, why);
    if (status == STATUS_PRINTED) {
        status = read_job(run, why);
    }
    if (status != STATUS_PRINTED) {
        return status;
    }
    while (run->state.printed < run->state.total) {
        if (!print_document(run, why)) {
            return STATUS_DAMAGED;
        }
        if (run->state.printed < run->state.total) {
            hold_end(false);
        }
    }
    return finish(run, why);
}

int deliver_job(const struct deliver_job *job, struct line *why)
{
    struct run *run = calloc(1, sizeof(*run));
    if (run == NULL) {
        line_add(why, "out of memory");
        return STATUS_NOT_PRINTED;
    }
    int status = STATUS_NOT_PRINTED;
    run->job = job;
    run->directory = run->claim = -1;
    take_signals();
    run->spool = open_spool(job->spool, why);
    if (run->spool >= 0) {
        run->directory = open_job(run->spool, job->name, why);
    }
    if (run->directory >= 0) {
        status = print_job(run, why);
        close(run->directory);
    }
    if (run->claim >= 0) {
        close(run->claim);
    }
    if (run->spool >= 0) {
        close(run->spool);
    }
    free(run);
    return status;
}
