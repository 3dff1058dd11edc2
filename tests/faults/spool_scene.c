/*
 * spool_scene.c - see spool_scene.h.
 */
#include "spool_scene.h"

#include "../../services/lpdsvc/spool_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE 4096u
#define LARGE 300000u
#define SMALL 2000u

enum kind { ACKNOWLEDGED, REFUSED, ENDING, PRINTED, SETTLED, REUSED, LEAKED };

struct report {
    enum kind kind;
    char title[32];
    char name[JOB_NAME];
};

/* ---- Documents, which follow from the title ---- */

static struct rig_random of_document(const char *title, size_t document)
{
    uint64_t hash = 14695981039346656037u;
    for (; *title != '\0'; title++) {
        hash = (hash ^ (unsigned char)*title) * 1099511628211u;
    }
    return rig_random(hash, document);
}

static size_t count_of(const char *title)
{
    struct rig_random random = of_document(title, 1000);
    static const size_t counts[] = {0, 1, 1, 1, 2, 3};
    return counts[rig_below(&random, sizeof counts / sizeof counts[0])];
}

static size_t size_of(struct rig_random *random)
{
    return rig_below(random, rig_below(random, 6) == 0 ? LARGE : SMALL);
}

static size_t next_piece(struct rig_random *random, size_t left, uint64_t piece[PIECE / 8])
{
    size_t size = left < PIECE ? left : PIECE;
    for (size_t i = 0; i * 8 < size; i++) {
        piece[i] = rig_next(random);
    }
    return size;
}

/* ---- The child ---- */

struct worker;

struct client {
    struct worker *worker;
    unsigned number;
    unsigned sequence;
    char title[32]; /* of the job under way */
};

struct worker {
    const struct spool_scene_work *work;
    struct rig_random random;
    struct loop loop;
    struct log log;
    struct spool *spool;
    struct loop_timer pause; /* of one client, until all has left that is to leave */
    int pipe;
    unsigned busy; /* clients */
    struct client clients[SPOOL_SCENE_CLIENTS];
};

static void report(const struct worker *worker, enum kind kind, const char *title, const char *name)
{
    struct report said = {.kind = kind};
    snprintf(said.title, sizeof said.title, "%s", title);
    snprintf(said.name, sizeof said.name, "%s", name);
    RIG_MUST(write(worker->pipe, &said, sizeof said) == sizeof said);
}

static int write_document(struct spool_incoming *incoming, const char *title, size_t document)
{
    struct rig_random random = of_document(title, document);
    uint64_t piece[PIECE / 8];
    size_t left = size_of(&random);
    int problem = spool_next_document(incoming);
    while (problem == 0 && left > 0) {
        size_t size = next_piece(&random, left, piece);
        problem = spool_write(incoming, piece, size);
        left -= size;
    }
    return problem;
}

/* Documents come last first. */
static int receive(struct worker *worker, const char *title, struct spool_incoming **incoming)
{
    size_t count = count_of(title);
    int problem = spool_begin(worker->spool, incoming);
    if (problem != 0) {
        *incoming = NULL;
    } else if ((*incoming)->was_spare) {
        report(worker, REUSED, title, "");
    }
    while (problem == 0 && count > 0) {
        problem = write_document(*incoming, title, --count);
    }
    return problem;
}

static bool print(const struct worker *worker, const char *title, const char *name)
{
    struct line problem = LINE_INIT;
    struct job_state state;
    int directory = spool_open_job(worker->spool, name);
    if (directory < 0) {
        return false;
    }
    bool is_there = job_read_state(directory, name, &state, &problem) == JOB_READ;
    state.sending = state.total > 0;
    is_there = is_there && job_write_state(directory, name, &state, &problem);
    state.printed = state.total;
    state.sending = false;
    is_there = is_there && job_write_state(directory, name, &state, &problem);
    close(directory);
    if (is_there) {
        report(worker, PRINTED, title, name);
    }
    return is_there && job_finish(spool_descriptor(worker->spool), name) == 0;
}

/* A job that is there is printed, or removed. */
static void end_job(struct worker *worker, const char *title, const char *name)
{
    report(worker, ENDING, title, name);
    if (rig_below(&worker->random, 2) == 0) {
        (void)spool_remove(worker->spool, name);
    } else if (print(worker, title, name)) {
        spool_clear_done(worker->spool, name);
    }
}

static void next_job(struct client *client);

/* A client that is alone waits until what has ended is gone, so that each run is the same. */
static void go_on(void *owner)
{
    struct worker *worker = owner;
    spool_begin_removals(worker->spool);
    if (worker->spool->removing == NULL && worker->spool->leaving == NULL) {
        report(worker, SETTLED, worker->clients[0].title, "");
        next_job(&worker->clients[0]);
    } else {
        loop_set(&worker->loop, &worker->pause, 1);
    }
}

static void committed(void *owner, int problem, const char *name)
{
    struct client *client = owner;
    struct worker *worker = client->worker;
    if (problem != 0) {
        report(worker, REFUSED, client->title, "");
    } else {
        report(worker, ACKNOWLEDGED, client->title, name);
        if (rig_below(&worker->random, 4) != 0) {
            end_job(worker, client->title, name);
        }
    }
    if (worker->work->clients == 1) {
        go_on(worker);
    } else {
        next_job(client);
    }
}

static void commit(struct client *client, struct spool_incoming *incoming)
{
    unsigned order[JOB_DOCUMENTS];
    struct job_facts facts = {.queue = "q", .count = count_of(client->title)};
    snprintf(facts.title, sizeof facts.title, "%s", client->title);
    for (unsigned i = 0; i < facts.count; i++) {
        facts.documents[i] = (struct job_document){.copies = 1, .format = 'f'};
        order[i] = (unsigned)facts.count - 1 - i;
    }
    spool_commit(incoming, &facts, order, committed, client);
}

/* Now and then a client goes away before its job is complete. */
static void next_job(struct client *client)
{
    struct worker *worker = client->worker;
    while (client->sequence < worker->work->jobs) {
        struct spool_incoming *incoming;
        snprintf(client->title, sizeof client->title, "%u.%u.%u", worker->work->life,
                 client->number, ++client->sequence);
        int problem = receive(worker, client->title, &incoming);
        if (problem == 0 && rig_below(&worker->random, 6) != 0) {
            commit(client, incoming);
            return;
        }
        report(worker, REFUSED, client->title, "");
        spool_discard(incoming);
    }
    if (--worker->busy == 0) {
        loop_end(&worker->loop, 0);
    }
}

static unsigned count_entries(const char *path)
{
    unsigned count = 0;
    DIR *stream = opendir(path);
    RIG_MUST(stream != NULL);
    while (readdir(stream) != NULL) {
        count++;
    }
    closedir(stream);
    return count;
}

static void begin(void *owner)
{
    struct worker *worker = owner;
    for (unsigned i = 0; i < worker->work->clients; i++) {
        worker->clients[i] = (struct client){.worker = worker, .number = i};
        next_job(&worker->clients[i]);
    }
}

void spool_scene_run(const struct spool_scene_work *work, int pipe)
{
    struct worker worker = {
        .work = work, .random = work->random, .pipe = pipe, .busy = work->clients};
    worker.pause = (struct loop_timer){.expired = go_on, .owner = &worker};
    struct line problem = LINE_INIT;
    unsigned before = count_entries("/proc/self/fd");
    log_open(&worker.log, "spool", open("/dev/null", O_WRONLY | O_CLOEXEC), NULL);
    RIG_MUST(loop_open(&worker.loop) == 0);
    struct loop_timer start = {.expired = begin, .owner = &worker};
    if (spool_open(work->path, &worker.loop, &worker.log, &worker.spool, &problem)) {
        loop_set(&worker.loop, &start, 0);
        RIG_MUST(loop_run(&worker.loop) == 0);
        spool_close(worker.spool);
    }
    loop_close(&worker.loop);
    close(worker.log.fd);
    if (!work->shared && count_entries("/proc/self/fd") != before) {
        report(&worker, LEAKED, "", "");
    }
}

/* ---- The parent ---- */

static struct spool_scene_job *job_of(struct spool_scene_known *known, const char *title)
{
    for (struct spool_scene_job *job = known->jobs; job != NULL; job = job->next) {
        if (strcmp(job->title, title) == 0) {
            return job;
        }
    }
    struct spool_scene_job *made = calloc(1, sizeof *made);
    RIG_MUST(made != NULL);
    snprintf(made->title, sizeof made->title, "%s", title);
    made->next = known->jobs;
    known->jobs = made;
    return made;
}

static unsigned life_of(const char *title)
{
    return (unsigned)strtoul(title, NULL, 10);
}

static void settle(struct spool_scene_known *known)
{
    for (struct spool_scene_job *job = known->jobs; job != NULL; job = job->next) {
        job->gone = job->gone || job->ended;
    }
}

static void take_report(struct spool_scene_known *known, unsigned life, const struct report *said,
                        uint64_t highest_before)
{
    RIG_MUST(said->kind != LEAKED);
    if (said->kind == REUSED) {
        known->reused++;
        return;
    }
    if (said->kind == SETTLED) {
        settle(known);
        return;
    }
    struct spool_scene_job *job = job_of(known, said->title);
    RIG_MUST(life_of(said->title) == life);
    job->acknowledged = job->acknowledged || said->kind == ACKNOWLEDGED;
    job->ended = job->ended || said->kind == ENDING;
    job->printed = job->printed || said->kind == PRINTED;
    job->refused = said->kind == REFUSED;
    known->acknowledged += said->kind == ACKNOWLEDGED;
    known->refused += said->kind == REFUSED;
    if (said->kind == ACKNOWLEDGED) {
        uint64_t number = strtoull(said->name, NULL, 10);
        RIG_MUST(number > highest_before);
        snprintf(job->name, sizeof job->name, "%s", said->name);
        known->highest = number > known->highest ? number : known->highest;
    }
}

void spool_scene_hear(struct spool_scene_known *known, unsigned life, int pipe)
{
    struct report said;
    ssize_t got;
    uint64_t before = known->highest;
    while ((got = read(pipe, &said, sizeof said)) == sizeof said) {
        take_report(known, life, &said, before);
    }
    RIG_MUST(got == 0);
    close(pipe);
}

static void check_document(int directory, const struct job_facts *facts, size_t i)
{
    struct line problem = LINE_INIT;
    uint64_t expected[PIECE / 8];
    uint64_t there[PIECE / 8];
    struct rig_random random = of_document(facts->title, i);
    size_t left = size_of(&random);
    int fd;
    RIG_MUST(job_check_document(directory, facts, i, &problem) == JOB_READ);
    RIG_MUST(job_open_document(directory, facts, i, &fd, &problem) == JOB_READ);
    RIG_MUST(facts->documents[i].size == left);
    while (left > 0) {
        size_t size = next_piece(&random, left, expected);
        RIG_MUST(read(fd, there, size) == (ssize_t)size);
        RIG_MUST(memcmp(there, expected, size) == 0);
        left -= size;
    }
    close(fd);
}

struct check {
    struct spool_scene_known *known;
    struct spool *spool;
    unsigned life;
    unsigned most;
    unsigned count;
    uint64_t number; /* of the job before */
};

/* A loss of power may bring one back that was printed just now; then it is known that it may have
 * come out. When the spool has put away what ended, nothing of it comes back. */
static void check_ended(const struct check *check, const struct spool_scene_job *job,
                        const char *name, int directory)
{
    struct line problem = LINE_INIT;
    struct job_state state;
    RIG_MUST(!job->gone || !check->known->may_be_torn);
    if (job->printed) {
        RIG_MUST(job_read_state(directory, name, &state, &problem) == JOB_READ);
        RIG_MUST(state.total == 0 || (check->known->may_be_torn && state.sending));
    }
}

/* What a client sent before another job of its own stands before it. */
static void check_order(const struct check *check, const struct spool_scene_job *job)
{
    unsigned life, client, sequence;
    RIG_MUST(sscanf(job->title, "%u.%u.%u", &life, &client, &sequence) == 3);
    for (const struct spool_scene_job *other = check->known->jobs; other != NULL;
         other = other->next) {
        unsigned other_life, other_client, other_sequence;
        RIG_MUST(sscanf(other->title, "%u.%u.%u", &other_life, &other_client, &other_sequence) ==
                 3);
        bool found_before = other->found && other != job;
        bool is_later = other_life > life ||
                        (other_life == life && other_client == client && other_sequence > sequence);
        RIG_MUST(!found_before || !is_later);
    }
}

static void check_job(void *owner, const char *name, const struct job_facts *facts)
{
    struct check *check = owner;
    struct spool_scene_known *known = check->known;
    struct spool_scene_job *job = job_of(known, facts->title);
    uint64_t number = strtoull(name, NULL, 10);
    RIG_MUST(number > check->number);
    check->number = number;
    if (!job->acknowledged && job->name[0] == '\0') {
        RIG_MUST(life_of(job->title) == check->life);
        known->kept++;
    }
    RIG_MUST(!job->refused || known->never_heals);
    RIG_MUST(job->name[0] == '\0' || strcmp(job->name, name) == 0);
    snprintf(job->name, sizeof job->name, "%s", name);
    known->highest = number > known->highest ? number : known->highest;
    job->found = true;
    check_order(check, job);
    RIG_MUST(facts->count == count_of(facts->title));
    int directory = spool_open_job(check->spool, name);
    RIG_MUST(directory >= 0);
    check_ended(check, job, name, directory);
    for (size_t i = 0; i < facts->count; i++) {
        check_document(directory, facts, i);
    }
    close(directory);
    if (++check->count > check->most) {
        RIG_MUST(spool_remove(check->spool, name) == 0);
        job->removed = true;
    }
}

/* What is held was never acknowledged: of a job that was, nothing is left or all. */
static void check_held(const struct spool_scene_known *known, const char *path)
{
    char *full;
    RIG_MUST(asprintf(&full, "%s/held", path) > 0);
    DIR *stream = opendir(full);
    RIG_MUST(stream != NULL);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        for (const struct spool_scene_job *job = known->jobs; job != NULL; job = job->next) {
            RIG_MUST(!job->acknowledged || strcmp(job->name, entry->d_name) != 0);
        }
        RIG_MUST(known->may_be_torn || entry->d_name[0] == '.');
    }
    closedir(stream);
    free(full);
}

/* Those that are not there are forgotten, if they need not be. */
static void check_missing(struct spool_scene_known *known)
{
    struct spool_scene_job **at = &known->jobs;
    while (*at != NULL) {
        struct spool_scene_job *job = *at;
        RIG_MUST(job->found || !job->acknowledged || job->ended);
        if (!job->found || job->removed) {
            *at = job->next;
            free(job);
            continue;
        }
        job->found = false;
        job->acknowledged = true; /* from now on it has to be there */
        job->ended = false;
        job->refused = false;
        at = &job->next;
    }
}

static unsigned count_in(const char *path, const char *place)
{
    char *full;
    RIG_MUST(asprintf(&full, "%s/%s", path, place) > 0);
    unsigned count = count_entries(full) - 2;
    free(full);
    return count;
}

void spool_scene_check(struct spool_scene_known *known, const char *path, unsigned life,
                       unsigned most)
{
    struct check check = {.known = known, .life = life, .most = most};
    struct loop loop;
    struct log log;
    struct line problem = LINE_INIT;
    int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
    log_open(&log, "spool", known->may_be_torn ? quiet : STDERR_FILENO, NULL);
    RIG_MUST(loop_open(&loop) == 0);
    RIG_MUST(spool_open(path, &loop, &log, &check.spool, &problem));
    RIG_MUST(count_in(path, "incoming") == 0);
    RIG_MUST(count_in(path, "done") == 0);
    RIG_MUST(spool_each(check.spool, check_job, &check) == 0);
    check_held(known, path);
    check_missing(known);
    spool_close(check.spool);
    loop_close(&loop);
    close(quiet);
}

void spool_scene_forget(struct spool_scene_known *known)
{
    while (known->jobs != NULL) {
        struct spool_scene_job *job = known->jobs;
        known->jobs = job->next;
        free(job);
    }
    *known = (struct spool_scene_known){.jobs = NULL};
}
