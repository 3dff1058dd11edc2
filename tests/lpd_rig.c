/* lpd_rig - see lpd_rig.h. */
#include "lpd_rig.h"
#include "rpc_rig.h"
#include "turns.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- The owner ------------------------------------------------------------------------------- */

static bool find(void *owner, const char *name, char *queue, struct line *problem)
{
    (void)owner;
    if (strcasecmp(name, "lp") != 0) {
        line_add(problem, "no such printer");
        return false;
    }
    snprintf(queue, JOB_TEXT, "lp");
    return true;
}

/* "lp" and "lp two" are queues' names. */
static size_t name_size(void *owner, const char *operand)
{
    (void)owner;
    return strncmp(operand, "lp two", 6) == 0 ? 6 : strncmp(operand, "lp", 2) == 0 ? 2 : 0;
}

static void received(void *owner, const char *name, const struct job_facts *facts)
{
    struct lpd_rig *rig = owner;
    rig->received++;
    rig->facts = *facts;
    snprintf(rig->job, sizeof(rig->job), "%s", name);
}

static void note(struct lpd_rig *rig, const struct lpd_question *question)
{
    int length = snprintf(rig->asked, sizeof(rig->asked),
                          "%s%s by %s from %s:", question->is_long ? "long " : "", question->queue,
                          question->agent, question->address);
    for (const char *const *item = question->items; *item != NULL; item++) {
        length += snprintf(rig->asked + length, sizeof(rig->asked) - (size_t)length, " %s", *item);
    }
}

static bool resume(void *owner, const struct lpd_question *question)
{
    struct lpd_rig *rig = owner;
    note(rig, question);
    return !rig->refuse;
}

static void state(void *owner, const struct lpd_question *question, struct lpd_answer *answer)
{
    struct lpd_rig *rig = owner;
    note(rig, question);
    for (size_t i = 0; i < rig->state_lines; i++) {
        lpd_answer_add(answer, "line %zu of %s\n", i, question->queue);
    }
}

static bool remove_jobs(void *owner, const struct lpd_question *question, struct lpd_answer *answer)
{
    struct lpd_rig *rig = owner;
    note(rig, question);
    if (rig->state_lines > 0) {
        lpd_answer_add(answer, "not yours\n");
    }
    return !rig->refuse;
}

static const struct lpd_owner calls = {find, name_size, received, resume, state, remove_jobs};

/* ---- The rig --------------------------------------------------------------------------------- */

void lpd_rig_open(struct lpd_rig *rig)
{
    struct line problem = LINE_INIT;
    *rig = (struct lpd_rig){.received = 0};
    CU_ASSERT_EQUAL_FATAL(loop_open(&rig->loop), 0);
    CU_ASSERT_EQUAL_FATAL(pipe2(rig->log_fds, O_CLOEXEC | O_NONBLOCK), 0);
    log_open(&rig->log, "unit", rig->log_fds[1], NULL);
    const char *path = scratch_path("spool");
    CU_ASSERT_FATAL(spool_open(path, &rig->loop, &rig->log, &rig->spool, &problem));
    struct lpd_server_options options = {&rig->loop, &rig->log, &calls, rig};
    CU_ASSERT_EQUAL_FATAL(lpd_server_open(&options, &rig->server), 0);
    rig->port = free_port();
    CU_ASSERT_FATAL(lpd_server_listen(rig->server, "127.0.0.1", rig->port, &problem));
    lpd_server_spool(rig->server, rig->spool);
}

void lpd_rig_close(struct lpd_rig *rig)
{
    lpd_server_close(rig->server);
    spool_close(rig->spool);
    CU_ASSERT_PTR_NULL(rig->loop.timers);
    loop_close(&rig->loop);
    close(rig->log_fds[0]);
    close(rig->log_fds[1]);
}

/* ---- Turns ----------------------------------------------------------------------------------- */

void lpd_rig_turn(struct lpd_rig *rig)
{
    turn_loop(&rig->loop);
}

struct expecting {
    const struct lpd_rig *rig;
    unsigned received;
};

static bool has_received(void *argument)
{
    const struct expecting *expecting = argument;
    return expecting->rig->received >= expecting->received;
}

void lpd_rig_wait(struct lpd_rig *rig, unsigned jobs)
{
    struct expecting expecting = {rig, jobs};
    CU_ASSERT_FATAL(turn_loop_until(&rig->loop, has_received, &expecting));
}

const char *lpd_rig_logged(struct lpd_rig *rig)
{
    static char text[8192];
    ssize_t length = read(rig->log_fds[0], text, sizeof(text) - 1);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

/* ---- The spool ------------------------------------------------------------------------------- */

size_t lpd_rig_count(const char *directory)
{
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof(path), "spool/%s", directory);
    DIR *opened = opendir(scratch_path(path));
    CU_ASSERT_PTR_NOT_NULL_FATAL(opened);
    for (const struct dirent *entry = readdir(opened); entry != NULL; entry = readdir(opened)) {
        count += entry->d_name[0] != '.';
    }
    closedir(opened);
    return count;
}

static bool is_cleared(void *argument)
{
    return lpd_rig_count(argument) == 0;
}

void lpd_rig_wait_cleared(struct lpd_rig *rig)
{
    char directory[] = "incoming";
    (void)turn_loop_until(&rig->loop, is_cleared, directory);
}

const char *lpd_rig_document(const struct lpd_rig *rig, unsigned number, size_t *size)
{
    static char bytes[4 * 1024 * 1024];
    char path[64];
    snprintf(path, sizeof(path), "spool/jobs/%s/%u", rig->job, number);
    int fd = open(scratch_path(path), O_RDONLY | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0);
    ssize_t got = read(fd, bytes, sizeof(bytes) - 1);
    CU_ASSERT_FATAL(got >= 0);
    close(fd);
    bytes[got] = '\0';
    *size = (size_t)got;
    return bytes;
}

/* ---- Clients --------------------------------------------------------------------------------- */

int lpd_connect(const struct lpd_rig *rig)
{
    struct rpc_rig other = {.port = rig->port};
    return connect_tcp(&other);
}

struct saying {
    int fd;
    const char *bytes;
    size_t left;
};

static bool has_said(void *argument)
{
    struct saying *saying = argument;
    ssize_t sent = send(saying->fd, saying->bytes, saying->left, MSG_NOSIGNAL);
    if (sent > 0) {
        saying->bytes += sent;
        saying->left -= (size_t)sent;
    }
    return saying->left == 0 || (sent < 0 && errno != EAGAIN);
}

void lpd_say(struct lpd_rig *rig, int fd, const void *bytes, size_t size)
{
    struct saying saying = {fd, bytes, size};
    CU_ASSERT_FATAL(turn_loop_until(&rig->loop, has_said, &saying));
    CU_ASSERT_EQUAL(saying.left, 0);
}

int lpd_answer_of(struct lpd_rig *rig, int fd)
{
    char byte = -1;
    struct turn_hearing hearing = {.fd = fd, .bytes = &byte, .least = 1, .most = 1};
    CU_ASSERT_FATAL(turn_loop_until(&rig->loop, turn_has_heard, &hearing));
    return byte;
}

size_t lpd_hear(struct lpd_rig *rig, int fd, char *text, size_t size)
{
    struct turn_hearing hearing = {.fd = fd, .bytes = text, .least = size - 1, .most = size - 1};
    CU_ASSERT_FATAL(turn_loop_until(&rig->loop, turn_has_heard, &hearing));
    text[hearing.size] = '\0';
    return hearing.size;
}

void lpd_expect(struct lpd_rig *rig, int fd, const char *bytes, size_t size, int answer)
{
    lpd_say(rig, fd, bytes, size);
    CU_ASSERT_EQUAL(lpd_answer_of(rig, fd), answer);
}

void lpd_send_file(struct lpd_rig *rig, int fd, int code, const char *name, const char *text)
{
    char line[128];
    int length = snprintf(line, sizeof(line), "%c%zu %s\n", code, strlen(text), name);
    lpd_expect(rig, fd, line, (size_t)length, LPD_YES);
    lpd_expect(rig, fd, text, strlen(text) + 1, LPD_YES);
}
