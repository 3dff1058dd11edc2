/* deliver_job - jobs of the spool, each printed until all of it is; see deliver_job.h. */
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
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FIRST_PAUSE 250    /* ms; each is twice the one before, */
#define REFUSED_PAUSE 1000 /* up to this where the target answers, or the spool's disk is full */
#define AGAIN_MARK " (printed again)"
#define AGAIN_NAME 128 /* bytes of a name with the mark, its end included, that no target cuts */

enum { STATUS_PRINTED = 0, STATUS_NOT_PRINTED = 1, STATUS_DAMAGED = 4 };

struct run {
    const struct deliver_job *job;
    int spool; /* directories: the whole, */
    int jobs;  /* what has the jobs, */
    /* And of the job that it has now. */
    char name[JOB_NAME];
    int directory;
    int claim;
    struct job_facts facts;
    struct job_state state; /* as it is on the disk */
    struct line told;       /* the reason that was told last, while it waits */
};

/* ---- Telling --------------------------------------------------------------------------------- */

/* Nobody may be there, or too busy to read: false. */
static bool tell(const struct line *line)
{
    struct pollfd wait = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&wait, 1, 0) == 1 && (wait.revents & POLLOUT) != 0 &&
           write(STDOUT_FILENO, line->text, line->length) == (ssize_t)line->length;
}

static void tell_number(const char *what, const struct run *run, bool of_total)
{
    struct line line = LINE_INIT;
    line_add(&line, "%s %u", what, run->state.printed + 1);
    if (of_total) {
        line_add(&line, "/%u", run->state.total);
    }
    line_add(&line, "\n");
    (void)tell(&line);
}

/* Once for each reason. */
static void tell_waiting(struct run *run, const struct line *why)
{
    if (strcmp(run->told.text, why->text) != 0) {
        struct line line = LINE_INIT;
        line_add(&line, "waiting %.*s\n", LINE_SIZE / 2, why->text);
        (void)tell(&line);
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

/* "Sending" of one who was killed as he wrote it is perhaps not on the disk yet. */
static bool sync_state(const struct run *run, struct line *why)
{
    if (fdatasync(run->claim) == 0) {
        return true;
    }
    line_add(why, JOB_STATE ": ");
    deliver_add_error(why, errno);
    return false;
}

static bool write_state(struct run *run, unsigned printed, bool sending, struct line *why)
{
    struct job_state state = run->state;
    state.printed = printed;
    state.sending = sending;
    if (state.printed == run->state.printed && state.sending == run->state.sending) {
        return !sending || sync_state(run, why);
    }
    if (!job_write_state(run->directory, run->name, &state, why)) {
        return false;
    }
    run->state = state;
    return true;
}

/* What has happened is written down, however long the disk takes nothing: nothing else may come
 * before. An end that is asked for meanwhile leaves "sending" on the disk, and the document is sent
 * again, with the mark: a process that cannot be ended for a disk that is broken would be worse.
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
    (void)snprintf(unique, sizeof(unique), "%s.%u", run->name, run->state.printed + 1);
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
        if (outcome == DELIVER_DAMAGED) {
            return false; /* state says whether it was begun, for who repairs it */
        }
        insist(run, run->state.printed, again || outcome == DELIVER_UNKNOWN);
        wait_pause(run, why, outcome == DELIVER_REFUSED ? REFUSED_PAUSE : run->job->retry, &pause);
    }
}

/* ---- The job --------------------------------------------------------------------------------- */

static void close_it(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

/* Whatever is below it is not reached through a link. */
static bool open_spool(struct run *run, struct line *why)
{
    const char *path = run->job->spool;
    run->spool = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (run->spool >= 0) {
        run->jobs = openat(run->spool, "jobs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (run->jobs < 0) {
        line_add(why, "%s%s: ", path, run->spool >= 0 ? "/jobs" : "");
        deliver_add_error(why, errno);
    }
    return run->jobs >= 0;
}

static bool take_name(struct run *run, const char *name, struct line *why)
{
    if (!job_is_name(name)) {
        line_add(why, "a job's name is its number");
        return false;
    }
    memcpy(run->name, name, strlen(name) + 1);
    return true;
}

static bool open_job(struct run *run, struct line *why)
{
    run->directory = openat(run->jobs, run->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (run->directory < 0) {
        line_add(why, "job %s: ", run->name);
        deliver_add_error(why, errno);
    }
    return run->directory >= 0;
}

/* Who has the claim knows that it stays there: nobody else moves or removes it. */
static bool is_in_jobs(const struct run *run)
{
    struct stat ours;
    struct stat there;
    return fstat(run->directory, &ours) == 0 &&
           fstatat(run->jobs, run->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

static int claim_job(struct run *run, struct line *why)
{
    run->claim = job_claim(run->directory);
    if (run->claim >= 0) {
        return STATUS_PRINTED;
    }
    if (errno == EAGAIN) {
        line_add(why, "job %s is printed by another process", run->name);
        return STATUS_NOT_PRINTED;
    }
    int error = errno;
    line_add(why, "cannot claim job %s: ", run->name);
    deliver_add_error(why, error);
    return job_failed_reading(error) == JOB_DAMAGED && is_in_jobs(run) ? STATUS_DAMAGED
                                                                       : STATUS_NOT_PRINTED;
}

static enum job_reading read_parts(struct run *run, struct line *why)
{
    const char *name = run->name;
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

/* Since it was opened, the job may have been printed or removed, and its directory be another
 * one's. Only if it was printed there is nothing to say. */
static int read_job(struct run *run, struct line *why)
{
    enum job_reading reading;
    unsigned pause = FIRST_PAUSE;
    while ((reading = read_parts(run, why)) == JOB_UNREADABLE) {
        wait_pause(run, why, REFUSED_PAUSE, &pause);
        *why = (struct line)LINE_INIT;
    }
    bool printed = reading == JOB_READ && run->state.printed == run->state.total;
    if (reading == JOB_ANOTHER || (!printed && !is_in_jobs(run))) {
        *why = (struct line)LINE_INIT;
        line_add(why, "job %s is gone", run->name);
        return STATUS_NOT_PRINTED;
    }
    return reading == JOB_READ ? STATUS_PRINTED : STATUS_DAMAGED;
}

/* Whoever claimed it before may have finished it since it was opened. Who is told of it syncs jobs/
 * for many at a time; where nobody is, a loss of power should not bring it back either. */
static int finish(struct run *run, struct line *why)
{
    int error;
    unsigned pause = FIRST_PAUSE;
    while ((error = job_finish(run->spool, run->name)) != 0 && error != ENOENT) {
        *why = (struct line)LINE_INIT;
        line_add(why, "cannot move the printed job: ");
        deliver_add_error(why, error);
        wait_pause(run, why, REFUSED_PAUSE, &pause);
    }
    if (!run->job->more) {
        (void)fsync(run->jobs);
    }
    return STATUS_PRINTED;
}

/* Between two documents there is room for an end that was asked for. */
static int print_documents(struct run *run, struct line *why)
{
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

static int print_job(struct run *run, struct line *why)
{
    if (!open_job(run, why)) {
        return STATUS_NOT_PRINTED;
    }
    int status = claim_job(run, why);
    if (status == STATUS_PRINTED) {
        status = read_job(run, why);
    }
    if (status == STATUS_PRINTED) {
        status = print_documents(run, why);
    }
    close_it(&run->directory);
    close_it(&run->claim);
    return status;
}

/* ---- More jobs ------------------------------------------------------------------------------- */

/* Who gives the jobs needs this line, so it is waited for who is too busy; SIGTERM ends that.
 * false: nobody is there any more. */
static bool tell_done(const struct run *run)
{
    struct line line = LINE_INIT;
    struct pollfd wait = {.fd = STDOUT_FILENO, .events = POLLOUT};
    line_add(&line, "done %s\n", run->name);
    if (tell(&line)) {
        return true;
    }
    (void)fsync(run->jobs); /* before the end, which was asked for if nobody is there */
    hold_end(false);
    return poll(&wait, 1, -1) == 1 && tell(&line);
}

/* A line of standard input, and no byte more; "" for one that is cut or too long, or has a NUL.
 * Gives 1, 0 at the end of all, or -1 with errno. */
static int read_name(char name[JOB_NAME])
{
    size_t length = 0;
    while (length < JOB_NAME) {
        ssize_t got = read(STDIN_FILENO, name + length, 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 || (got == 0 && length == 0)) {
            return (int)got;
        }
        if (got == 0) {
            break;
        }
        if (name[length] == '\n') {
            name[length] = '\0';
            return 1;
        }
        if (name[length] == '\0') {
            break;
        }
        length++;
    }
    name[0] = '\0';
    return 1;
}

/* false: there is none, and *status is what to end with. */
static bool take_next(struct run *run, int *status, struct line *why)
{
    char name[JOB_NAME];
    bool heard = tell_done(run);
    hold_end(false);
    int got = heard ? read_name(name) : 0;
    if (got < 0) {
        line_add(why, "cannot read the next job's name: ");
        deliver_add_error(why, errno);
    }
    bool taken = got > 0 && take_name(run, name, why);
    *status = taken || got == 0 ? STATUS_PRINTED : STATUS_NOT_PRINTED;
    return taken;
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
    run->spool = run->jobs = run->directory = run->claim = -1;
    take_signals();
    if (take_name(run, job->name, why) && open_spool(run, why)) {
        do {
            status = print_job(run, why);
        } while (status == STATUS_PRINTED && job->more && take_next(run, &status, why));
    }
    close_it(&run->jobs);
    close_it(&run->spool);
    free(run);
    return status;
}
