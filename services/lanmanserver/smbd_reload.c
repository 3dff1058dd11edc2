/*
 * regstore-smbd-reload - puts what the file server shares where root's smbd reads it.
 *
 * systemd starts it as root, without arguments, when somebody connects to its socket, which only
 * the group of regstore-lanmanserver may do. It takes one caller after the other, and ends when
 * nobody has come for a while. What a caller sends is taken only if vet() lets it through, and then
 * as samba.h has it; handover.h has the protocol. No store, no settings.
 */
#include "../common/activation.h"
#include "../common/line.h"
#include "../common/log.h"
#include "handover.h"
#include "samba.h"
#include "vet.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM "regstore-smbd-reload"
#define IDLE_MS 5000
#define CALLER_MS 10000 /* for a caller to send its text */

/* ---- Callers --------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_readable(int fd, int64_t patience)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    return patience > 0 && poll(&wait, 1, (int)patience) > 0;
}

/* Reads until the caller has closed its side. text has HANDOVER_MAX + 1 bytes. Gives why that is no
 * text, or NULL. */
static const char *receive(int fd, char *text, size_t *size)
{
    int64_t end = now_ms() + CALLER_MS;
    *size = 0;
    while (is_readable(fd, end - now_ms())) {
        ssize_t got = recv(fd, text + *size, HANDOVER_MAX + 1 - *size, MSG_DONTWAIT);
        if (got == 0) {
            text[*size] = '\0';
            return NULL;
        }
        if (got < 0 && errno != EAGAIN && errno != EINTR) {
            return "the text could not be read";
        }
        *size += got > 0 ? (size_t)got : 0;
        if (*size > HANDOVER_MAX) {
            return "the text is too long";
        }
    }
    return "the text did not come to its end";
}

static void send_answer(int fd, const struct line *answer)
{
    char text[HANDOVER_ANSWER];
    int length = snprintf(text, sizeof(text) - 1, "%s", answer->text);
    if (length > (int)sizeof(text) - 2) {
        length = (int)sizeof(text) - 2;
    }
    text[length] = '\n';
    (void)send(fd, text, (size_t)length + 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* ---- smbd ------------------------------------------------------------------------------------ */

/* A call, which waits until smbd has the text or has it not. */
struct call {
    struct loop loop;
    struct samba samba;
    struct line *answer;
};

static void take_result(void *owner, bool taken, const char *said)
{
    struct call *call = owner;
    line_add(call->answer, "%s%s%s", taken ? "ok" : "error", said[0] != '\0' ? " " : "", said);
    loop_end(&call->loop, 0);
}

static void apply(struct call *call, char *text)
{
    struct line said = LINE_INIT;
    samba_init(&call->samba, &call->loop, HANDOVER_COPY, SAMBA_CONF, take_result, call);
    enum work_outcome outcome = samba_apply(&call->samba, text, &said);
    if (outcome != WORK_UNDER_WAY) {
        take_result(call, outcome == WORK_TAKEN, said.text);
    } else if (loop_run(&call->loop) < 0) {
        line_add(call->answer, "error cannot wait for smbd");
    }
    samba_end(&call->samba);
}

/* ---- One call -------------------------------------------------------------------------------- */

/* One of those that have been let through. */
static void install(const char *text, struct line *answer)
{
    struct call *call = calloc(1, sizeof(*call));
    char *own = strdup(text);
    if (call == NULL || own == NULL || loop_open(&call->loop) != 0) {
        line_add(answer, "error out of memory");
        free(own);
    } else {
        call->answer = answer;
        apply(call, own);
        loop_close(&call->loop);
    }
    free(call);
}

static void take_text(int fd, char *text, struct line *answer)
{
    size_t size;
    struct vet_problem problem;
    const char *why = receive(fd, text, &size);
    if (why != NULL) {
        line_add(answer, "error %s", why);
    } else if (!vet(text, size, &problem)) {
        line_add(answer, "error " PROGRAM " does not take line %u: %s", problem.line, problem.why);
    } else {
        install(text, answer);
    }
}

static void serve(const struct log *log, int fd)
{
    struct line answer = LINE_INIT;
    char *text = malloc(HANDOVER_MAX + 1);
    if (text != NULL) {
        take_text(fd, text, &answer);
    } else {
        line_add(&answer, "error out of memory");
    }
    free(text);
    send_answer(fd, &answer);
    log_line(log, answer.text[0] == 'o' ? LOG_LINE_INFO : LOG_LINE_WARNING, "%s", answer.text);
}

/* ---- All of them ----------------------------------------------------------------------------- */

static void serve_all(const struct log *log, int listener)
{
    while (is_readable(listener, IDLE_MS)) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            serve(log, fd);
            close(fd);
        } else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
            log_line(log, LOG_LINE_ERROR, "cannot take calls: %s", strerror(errno));
            return;
        }
    }
}

int main(int argc, char **argv)
{
    struct log log;
    struct activation activation;
    (void)argv;
    log_open(&log, PROGRAM, STDERR_FILENO, getenv("JOURNAL_STREAM"));
    activation_open(&activation, &log, getenv("LISTEN_PID"), getenv("LISTEN_FDS"),
                    getenv("LISTEN_FDNAMES"));
    int listener = activation_take(&activation, "handover");
    activation_close(&activation, &log);
    if (argc != 1 || listener < 0) {
        log_line(&log, LOG_LINE_ERROR,
                 "takes no arguments; " PROGRAM ".socket starts it when it is needed");
        return EXIT_FAILURE;
    }
    /* Nothing of the environment that it was started in counts. */
    if (clearenv() != 0 || setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) != 0) {
        log_line(&log, LOG_LINE_ERROR, "out of memory");
        return EXIT_FAILURE;
    }
    (void)umask(077);
    serve_all(&log, listener);
    close(listener);
    return EXIT_SUCCESS;
}
