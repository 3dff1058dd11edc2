/* spool_rig - a spool for tests; see spool_rig.h. */
#include "spool_rig.h"

#include "stores.h"

#include "../services/lpdsvc/spool_parts.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void spool_rig_reopen(struct spool_rig *rig)
{
    struct line problem = LINE_INIT;
    spool_close(rig->spool);
    rig->spool = NULL;
    CU_ASSERT_TRUE_FATAL(spool_open(rig->path, &rig->loop, &rig->log, &rig->spool, &problem));
}

void spool_rig_open_at(struct spool_rig *rig, const char *path)
{
    *rig = (struct spool_rig){.path = path};
    int fd = open(scratch_path("log"), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    log_open(&rig->log, "test", fd, NULL);
    CU_ASSERT_EQUAL_FATAL(loop_open(&rig->loop), 0);
    spool_rig_reopen(rig);
}

void spool_rig_open(struct spool_rig *rig)
{
    static char path[4096];
    snprintf(path, sizeof(path), "%s/spool", scratch_dir());
    spool_rig_open_at(rig, path);
}

void spool_rig_close(struct spool_rig *rig)
{
    spool_close(rig->spool);
    loop_close(&rig->loop);
    close(rig->log.fd);
}

void spool_rig_remove(const struct spool_rig *rig)
{
    char command[8192];
    snprintf(command, sizeof(command), "rm -r %s", rig->path);
    CU_ASSERT_EQUAL_FATAL(system(command), 0);
}

/* A path in the spool; lives until the fourth call after this one. */
const char *spool_rig_path(const char *name)
{
    char text[512];
    snprintf(text, sizeof(text), "spool/%s", name);
    return scratch_path(text);
}

size_t spool_rig_count(const char *place)
{
    DIR *stream = opendir(spool_rig_path(place));
    size_t count = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    while (readdir(stream) != NULL) {
        count++;
    }
    closedir(stream);
    return count - 2;
}

bool spool_rig_logged(const struct spool_rig *rig, const char *text)
{
    static char logged[65536];
    ssize_t length = pread(rig->log.fd, logged, sizeof(logged) - 1, 0);
    logged[length > 0 ? length : 0] = '\0';
    return strstr(logged, text) != NULL;
}

void spool_rig_put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL_FATAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void look(void *owner)
{
    struct spool_rig *rig = owner;
    spool_begin_removals(rig->spool);
    if (rig->spool->removing == NULL && rig->spool->leaving == NULL) {
        loop_end(&rig->loop, 0);
    } else {
        loop_set(&rig->loop, &rig->settle, 1);
    }
}

void spool_rig_settle(struct spool_rig *rig)
{
    rig->settle = (struct loop_timer){.expired = look, .owner = rig};
    rig->loop.ended = false;
    loop_set(&rig->loop, &rig->settle, 0);
    CU_ASSERT_EQUAL(loop_run(&rig->loop), 0);
}

/* ---- Jobs ------------------------------------------------------------------------------------ */

void spool_rig_committed(void *owner, int problem, const char *name)
{
    struct spool_rig *rig = owner;
    rig->problem = problem;
    rig->name[0] = '\0';
    if (name != NULL) {
        strcpy(rig->name, name);
    }
    if (++rig->done == rig->expected) {
        loop_end(&rig->loop, 0);
    }
}

void spool_rig_await(struct spool_rig *rig, unsigned count)
{
    rig->expected = rig->done + count;
    rig->loop.ended = false;
    CU_ASSERT_EQUAL(loop_run(&rig->loop), 0);
}

struct job_facts spool_rig_facts(const char *title, size_t count)
{
    struct job_facts facts = {.queue = "q", .host = "h", .count = count};
    snprintf(facts.title, sizeof(facts.title), "%s", title);
    for (size_t i = 0; i < count; i++) {
        facts.documents[i] = (struct job_document){.size = 12345, .copies = 1, .format = 'f'};
    }
    return facts;
}

struct spool_incoming *spool_rig_receive(struct spool_rig *rig, const char *const *documents)
{
    struct spool_incoming *incoming;
    CU_ASSERT_EQUAL_FATAL(spool_begin(rig->spool, &incoming), 0);
    for (; *documents != NULL; documents++) {
        CU_ASSERT_EQUAL_FATAL(spool_next_document(incoming), 0);
        CU_ASSERT_EQUAL_FATAL(spool_write(incoming, *documents, strlen(*documents)), 0);
    }
    return incoming;
}

/* A job of one document, which is its title, too. Gives its name, which lives until the next. */
const char *spool_rig_add(struct spool_rig *rig, const char *title)
{
    static const unsigned order[] = {0};
    const char *const documents[] = {title, NULL};
    struct job_facts facts = spool_rig_facts(title, 1);
    spool_commit(spool_rig_receive(rig, documents), &facts, order, spool_rig_committed, rig);
    spool_rig_await(rig, 1);
    CU_ASSERT_EQUAL_FATAL(rig->problem, 0);
    return rig->name;
}

void spool_rig_finish(struct spool_rig *rig, const char *name)
{
    struct line problem = LINE_INIT;
    struct job_state state;
    int directory = spool_open_job(rig->spool, name);
    CU_ASSERT_FATAL(directory >= 0);
    CU_ASSERT_EQUAL_FATAL(job_read_state(directory, name, &state, &problem), JOB_READ);
    state.printed = state.total;
    CU_ASSERT_TRUE(job_write_state(directory, name, &state, &problem));
    close(directory);
    CU_ASSERT_EQUAL(job_finish(spool_descriptor(rig->spool), name), 0);
    spool_clear_done(rig->spool, name);
    spool_rig_settle(rig);
}

static void note_job(void *owner, const char *name, const struct job_facts *facts)
{
    struct spool_rig *rig = owner;
    CU_ASSERT_FATAL(rig->count < SPOOL_RIG_JOBS);
    strcpy(rig->names[rig->count], name);
    strcpy(rig->titles[rig->count++], facts->title);
}

/* The titles of the jobs that are there, in their order. */
const char *spool_rig_jobs(struct spool_rig *rig)
{
    static char joined[4096];
    size_t length = 0;
    joined[0] = '\0';
    rig->count = 0;
    CU_ASSERT_EQUAL_FATAL(spool_each(rig->spool, note_job, rig), 0);
    for (size_t i = 0; i < rig->count; i++) {
        length += (size_t)snprintf(joined + length, sizeof(joined) - length, "%s%s",
                                   i > 0 ? "," : "", rig->titles[i]);
    }
    return joined;
}
