/* spool_open - the spool's opening and its end; see spool.h. */
#include "spool_parts.h"

#include "../printing/job_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMITS 16        /* at a time: they wait together for the disk */
#define NUMBERS_AHEAD 256 /* that are given before the disk hears of it again */
#define FAR_AHEAD 1000000 /* numbers: nobody has given so many that nothing is seen of */
#define LAST "last"

const char *const spool_places[SPOOL_PLACES] = {"incoming", "jobs", "done", "held"};

/* ---- Numbers --------------------------------------------------------------------------------- */

static int write_last(const struct spool *spool, uint64_t last)
{
    char text[32];
    snprintf(text, sizeof(text), "%llu\n", (unsigned long long)last);
    return job_replace_file(spool->directory, LAST, text);
}

/* What the disk holds is ahead, so that a number is written once for many jobs. */
int spool_cover_number(struct spool *spool, uint64_t number)
{
    int problem = 0;
    (void)pthread_mutex_lock(&spool->last_turn);
    if (number > spool->last) {
        problem = write_last(spool, number + NUMBERS_AHEAD);
        spool->last = problem == 0 ? number + NUMBERS_AHEAD : spool->last;
    }
    (void)pthread_mutex_unlock(&spool->last_turn);
    return problem;
}

static bool see_number(void *owner, const char *name)
{
    struct spool *spool = owner;
    uint64_t number = spool_number(name);
    if (number >= spool->next) {
        spool->next = number + 1;
    }
    return true;
}

/* Where it is damaged or lost, numbers begin well above what is there: one that came again might
 * find what is left of the job that had it before. */
static void read_last(struct spool *spool)
{
    char text[32];
    uint64_t last = 0;
    int problem = job_read_file(spool->directory, LAST, text, sizeof(text));
    size_t length = problem == 0 ? strcspn(text, "\n") : 0;
    const char *at = text;
    text[length] = '\0';
    if (problem == 0 && job_take_number(&at, UINT32_MAX * 1000ULL, &last) && *at == '\0') {
        spool->last = last;
    } else if (problem != ENOENT || spool->next > 1) {
        spool->next += FAR_AHEAD;
        log_line(spool->log, LOG_LINE_WARNING, "%s/" LAST ": %s", spool->path,
                 problem != 0 ? strerror(problem) : "is damaged");
    }
}

static int find_numbers(struct spool *spool)
{
    spool->next = 1;
    for (enum spool_place place = SPOOL_JOBS; place < SPOOL_PLACES; place++) {
        int problem = spool_list(spool->places[place], see_number, spool);
        if (problem != 0) {
            return problem;
        }
    }
    read_last(spool);
    if (spool->last >= spool->next) {
        spool->next = spool->last + 1;
    }
    spool->first = spool->next;
    return 0;
}

/* ---- Opening --------------------------------------------------------------------------------- */

struct clearing {
    struct spool *spool;
    enum spool_place place;
};

static bool clear_one(void *owner, const char *name)
{
    const struct clearing *clearing = owner;
    int problem = spool_remove_tree(clearing->spool->places[clearing->place], name);
    if (problem != 0) {
        spool_hold_it(clearing->spool, clearing->place, name, strerror(problem));
    }
    return true;
}

/* What stands there has left jobs/ for good before its files go. */
static int clear(struct spool *spool, enum spool_place place)
{
    struct clearing clearing = {spool, place};
    if (fsync(spool->places[SPOOL_JOBS]) != 0) {
        return errno;
    }
    return spool_list(spool->places[place], clear_one, &clearing);
}

/* errno, for a person. */
static void say(struct line *problem, const struct spool *spool, const char *name)
{
    line_add(problem, "%s%s%s: %s", spool->path, name[0] != '\0' ? "/" : "", name,
             errno == EPERM                       ? "is another's, or others can write there"
             : errno == ENOTDIR || errno == ELOOP ? "is no directory, or a link"
                                                  : strerror(errno));
}

static bool lock_it(struct spool *spool, struct line *problem)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    spool->lock = job_open_file(spool->directory, "lock", O_RDWR | O_CREAT);
    if (spool->lock < 0) {
        say(problem, spool, "lock");
        return false;
    }
    if (fcntl(spool->lock, F_OFD_SETLK, &lock) != 0) {
        line_add(problem, "%s: %s", spool->path,
                 errno == EAGAIN || errno == EACCES ? "another process has it" : strerror(errno));
        return false;
    }
    return true;
}

static bool open_places(struct spool *spool, struct line *problem)
{
    spool->directory = spool_make_directory(AT_FDCWD, spool->path);
    if (spool->directory < 0) {
        say(problem, spool, "");
        return false;
    }
    if (!lock_it(spool, problem)) {
        return false;
    }
    for (enum spool_place place = 0; place < SPOOL_PLACES; place++) {
        spool->places[place] = spool_make_directory(spool->directory, spool_places[place]);
        if (spool->places[place] < 0) {
            say(problem, spool, spool_places[place]);
            return false;
        }
    }
    return true;
}

static bool prepare(struct spool *spool, struct line *problem)
{
    int number = find_numbers(spool);
    if (number == 0) {
        number = clear(spool, SPOOL_INCOMING);
    }
    if (number == 0) {
        number = clear(spool, SPOOL_DONE);
    }
    if (number == 0) {
        number = background_open(spool->loop, COMMITS, &spool->commits);
    }
    if (number == 0) {
        number = background_open(spool->loop, 1, &spool->removals);
    }
    if (number != 0) {
        line_add(problem, "%s: %s", spool->path, strerror(number));
    }
    return number == 0;
}

static void close_fd(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

static void spool_free(struct spool *spool)
{
    background_close(spool->commits);
    spool_begin_removals(spool);
    background_close(spool->removals);
    spool_remove_spares(spool);
    for (enum spool_place place = 0; place < SPOOL_PLACES; place++) {
        close_fd(spool->places[place]);
    }
    close_fd(spool->lock);
    close_fd(spool->directory);
    (void)pthread_mutex_destroy(&spool->last_turn);
    free(spool->path);
    free(spool);
}

/* A path without slashes at its end, through which a link would be followed. */
static char *copy_path(const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    return strndup(path, length);
}

bool spool_open(const char *path, struct loop *loop, const struct log *log, struct spool **spool,
                struct line *problem)
{
    struct spool *made = malloc(sizeof(*made));
    char *copy = copy_path(path);
    if (made == NULL || copy == NULL) {
        free(made);
        free(copy);
        line_add(problem, "%s: %s", path, strerror(ENOMEM));
        return false;
    }
    *made = (struct spool){.path = copy,
                           .loop = loop,
                           .log = log,
                           .directory = -1,
                           .lock = -1,
                           .places = {-1, -1, -1, -1},
                           .next_incoming = 1,
                           .refusal = {.expired = spool_refuse_all},
                           .gathering = {.expired = spool_begin_removals}};
    made->refusal.owner = made;
    made->gathering.owner = made;
    (void)pthread_mutex_init(&made->last_turn, NULL);
    if (!open_places(made, problem) || !prepare(made, problem)) {
        spool_free(made);
        return false;
    }
    *spool = made;
    return true;
}

void spool_close(struct spool *spool)
{
    if (spool == NULL) {
        return;
    }
    spool_refuse_all(spool);
    background_close(spool->commits);
    spool->commits = NULL;
    if (spool->next <= spool->last) {
        (void)write_last(spool, spool->next - 1); /* else numbers are left out, that is all */
    }
    spool_free(spool);
}
