/*
 * regstore-smbd-reload - puts what the file server shares where root's smbd reads it.
 *
 * systemd starts it as root, without arguments, when somebody connects to its socket, which only
 * the group of regstore-lanmanserver may do. It takes one caller after the other, and ends when
 * nobody has come for a while. What a caller sends is taken only if vet() lets it through;
 * handover.h has the protocol. Needs smbcontrol(1); no store, no settings.
 */
#include "../common/activation.h"
#include "../common/line.h"
#include "../common/log.h"
#include "handover.h"
#include "render.h"
#include "vet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM "regstore-smbd-reload"
#define DIRECTORY "/var/lib/regstore-smbd"
#define FRESH HANDOVER_COPY ".new"
#define IDLE_MS 5000
#define CALLER_MS 10000  /* for a caller to send its text */
#define CONTROL_MS 10000 /* for smbcontrol to end */
#define MOST_CLOSED 100  /* shares; for more, all that there are */

/* Nothing of the environment that it was started in counts. */
static char *const clean_environment[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                                          (char *)"LC_ALL=C", NULL};

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

/* ---- The copy -------------------------------------------------------------------------------- */

/* What smbd includes now, to be released with free(); "" where there is nothing. NULL with errno.
 */
static char *read_copy(void)
{
    char *text = calloc(1, HANDOVER_MAX + 1);
    int fd = open(HANDOVER_COPY, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    size_t size = 0;
    ssize_t got = fd >= 0 || errno == ENOENT ? 1 : -1;
    while (text != NULL && fd >= 0 && got > 0 && size < HANDOVER_MAX) {
        got = read(fd, text + size, HANDOVER_MAX - size);
        size += got > 0 ? (size_t)got : 0;
    }
    int problem = errno;
    if (fd >= 0) {
        close(fd);
    }
    if (got < 0) {
        free(text);
        text = NULL;
        errno = problem;
    }
    return text;
}

static bool write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t put = write(fd, text, size);
        if (put < 0 && errno != EINTR) {
            return false;
        }
        text += put > 0 ? put : 0;
        size -= put > 0 ? (size_t)put : 0;
    }
    return fsync(fd) == 0;
}

static bool sync_directory(void)
{
    int fd = open(DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return done;
}

/* Gives false with errno; then the copy is as it was. The directory is root's alone. */
static bool replace_copy(const char *text, size_t size)
{
    if (unlink(FRESH) != 0 && errno != ENOENT) {
        return false;
    }
    int fd = open(FRESH, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0) {
        return false;
    }
    bool done = fchmod(fd, 0644) == 0 && write_all(fd, text, size);
    done = close(fd) == 0 && done;
    return done && rename(FRESH, HANDOVER_COPY) == 0 && sync_directory();
}

/* ---- smbd ------------------------------------------------------------------------------------ */

/* Whether a child ends well, and in time. */
static bool has_succeeded(pid_t pid)
{
    int status = 0;
    int fd = pidfd_open(pid, 0);
    if (fd < 0 || !is_readable(fd, CONTROL_MS)) {
        (void)kill(pid, SIGKILL);
    }
    if (fd >= 0) {
        close(fd);
    }
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Its output is of no interest; its complaints go into the log. */
static int spawn(char *const words[], pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    int problem = posix_spawn_file_actions_init(&actions);
    if (problem != 0) {
        return problem;
    }
    problem = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    if (problem == 0) {
        problem = posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO);
    }
    if (problem == 0) {
        problem = posix_spawnp(pid, words[0], &actions, NULL, words, clean_environment);
    }
    posix_spawn_file_actions_destroy(&actions);
    return problem;
}

/* Whether smbcontrol has reached smbd. */
static bool control_smbd(const char *message, const char *argument)
{
    char *const words[] = {(char *)"smbcontrol", (char *)"smbd", (char *)message, (char *)argument,
                           NULL};
    pid_t pid;
    return spawn(words, &pid) == 0 && has_succeeded(pid);
}

/* The shares' names are those of texts that were let through. */
static bool close_shares(char *closing)
{
    bool done = true;
    char *rest = closing;
    size_t count = 0;
    for (const char *at = closing; (at = strchr(at, '\n')) != NULL; at++) {
        count++;
    }
    if (count > MOST_CLOSED) {
        return control_smbd("close-share", "*");
    }
    for (char *name = strsep(&rest, "\n"); name != NULL; name = strsep(&rest, "\n")) {
        done = (name[0] == '\0' || control_smbd("close-share", name)) && done;
    }
    return done;
}

/* First it reads the file, so that what is closed cannot be opened again; its answer to a ping
 * comes after it has done the rest. */
static void tell_smbd(char *closing, struct line *answer)
{
    line_add(answer, "ok");
    if (!control_smbd("reload-config", NULL)) {
        line_add(answer, " smbd does not run, or cannot be reached");
    } else if (!close_shares(closing)) {
        line_add(answer, " smbd has not closed all sessions that have lost something");
    } else if (!control_smbd("ping", NULL)) {
        line_add(answer, " smbd was told, but does not answer");
    }
}

/* ---- One call -------------------------------------------------------------------------------- */

static void install(const char *text, size_t size, struct line *answer)
{
    char *before = read_copy();
    char *closing = before != NULL ? render_closing(before, text) : NULL;
    if (closing == NULL) {
        line_add(answer, "error cannot read " HANDOVER_COPY ": %s", strerror(errno));
    } else if (!replace_copy(text, size)) {
        line_add(answer, "error cannot write " HANDOVER_COPY ": %s", strerror(errno));
    } else {
        tell_smbd(closing, answer);
    }
    free(before);
    free(closing);
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
        install(text, size, answer);
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
    (void)umask(077);
    serve_all(&log, listener);
    close(listener);
    return EXIT_SUCCESS;
}
