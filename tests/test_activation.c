/*
 * test_activation - activation, which takes the service manager's sockets: in children, whose
 * descriptors from 3 on are what the manager would have left there.
 */
#include "stage.h"

#include "../services/common/activation.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs in a child, as descriptors 3 and so on are taken here. */
static void in_child(void (*run)(const struct log *log, const char *pid))
{
    int status;
    pid_t child = fork();
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        char pid[16];
        struct log log;
        int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        MUST(fcntl(fd, F_DUPFD_CLOEXEC, 100) == 100);
        for (fd = ACTIVATION_FIRST; fd < 100; fd++) {
            close(fd);
        }
        snprintf(pid, sizeof(pid), "%d", (int)getpid());
        log_open(&log, "test", 100, NULL);
        run(&log, pid);
        _exit(0);
    }
    CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Puts a socket at the next free descriptor. */
static int make_socket(int family, int type, bool listening)
{
    int fd = socket(family, type, 0);
    MUST(fd >= ACTIVATION_FIRST);
    if (family == AF_INET) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        MUST(bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    } else {
        struct sockaddr_un {
            sa_family_t family;
            char path[8];
        } address = {.family = AF_UNIX};
        MUST(bind(fd, (const struct sockaddr *)&address, sizeof(address.family)) == 0);
    }
    MUST(!listening || listen(fd, 1) == 0);
    return fd;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void take_named(const struct log *log, const char *pid)
{
    struct activation activation;
    int first = make_socket(AF_UNIX, SOCK_STREAM, true);
    int second = make_socket(AF_INET, SOCK_STREAM, true);
    activation_open(&activation, log, pid, "2", "spoolss:tcp");
    MUST(activation_take(&activation, "other") == -1);
    MUST(activation_take(&activation, "tcp") == second);
    MUST(activation_take(&activation, "tcp") == -1);
    MUST(activation_take(&activation, "spoolss") == first);
    MUST((fcntl(first, F_GETFD) & FD_CLOEXEC) != 0);
    MUST((fcntl(first, F_GETFL) & O_NONBLOCK) != 0);
    activation_close(&activation, log);
    MUST(is_open(first) && is_open(second));
}

static void sockets_are_found_by_name(void)
{
    in_child(take_named);
}

/* A server in a test: what it was given last, and what it says to that. */
struct taker {
    int fd;
    int answer;
};

static int note_copy(void *server, int fd)
{
    struct taker *taker = server;
    taker->fd = fd;
    return taker->answer;
}

static void a_server_is_given_a_copy(void)
{
    struct taker taker = {-1, 0};
    struct line problem = LINE_INIT;
    int kept = make_socket(AF_UNIX, SOCK_STREAM, true);
    CU_ASSERT(activation_lend(kept, note_copy, &taker, &problem));
    CU_ASSERT(taker.fd != kept && is_open(taker.fd) && is_open(kept));
    CU_ASSERT_EQUAL(fcntl(taker.fd, F_GETFD), FD_CLOEXEC);
    close(taker.fd);
    taker.answer = ENOMEM;
    CU_ASSERT(!activation_lend(kept, note_copy, &taker, &problem));
    CU_ASSERT(!is_open(taker.fd) && is_open(kept));
    CU_ASSERT_STRING_EQUAL(problem.text,
                           "cannot use the service manager's socket: Cannot allocate memory");
    close(kept);
    taker.fd = -1;
    CU_ASSERT(!activation_lend(kept, note_copy, &taker, &problem));
    CU_ASSERT_EQUAL(taker.fd, -1);
}

static void refuse_others(const struct log *log, const char *pid)
{
    struct activation activation;
    int datagrams = make_socket(AF_UNIX, SOCK_DGRAM, false);
    int silent = make_socket(AF_UNIX, SOCK_STREAM, false);
    int file = open("/dev/null", O_RDONLY);
    int good = make_socket(AF_UNIX, SOCK_STREAM, true);
    activation_open(&activation, log, pid, "4", "a:b:c:d");
    MUST(!is_open(datagrams) && !is_open(silent) && !is_open(file));
    MUST(activation_take(&activation, "a") == -1);
    MUST(activation_take(&activation, "b") == -1);
    MUST(activation_take(&activation, "d") == good);
}

static void what_does_not_listen_is_closed(void)
{
    in_child(refuse_others);
}

static void leave_one(const struct log *log, const char *pid)
{
    struct activation activation;
    int fd = make_socket(AF_UNIX, SOCK_STREAM, true);
    activation_open(&activation, log, pid, "1", "stranger");
    MUST(is_open(fd));
    activation_close(&activation, log);
    MUST(!is_open(fd));
    MUST(activation_take(&activation, "stranger") == -1);
}

static void what_nobody_takes_is_closed(void)
{
    in_child(leave_one);
}

/* Without names there are some all the same, and a name too many does no harm. */
static void take_unnamed(const struct log *log, const char *pid)
{
    struct activation activation;
    int fd = make_socket(AF_UNIX, SOCK_STREAM, true);
    activation_open(&activation, log, pid, "1", NULL);
    MUST(activation_take(&activation, "unknown") == fd);
    activation_open(&activation, log, pid, "1", "spoolss:tcp");
    MUST(activation_take(&activation, "tcp") == -1);
    MUST(activation_take(&activation, "spoolss") == fd);
    char name[2 * ACTIVATION_NAME];
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    activation_open(&activation, log, pid, "1", name);
    name[ACTIVATION_NAME - 1] = '\0';
    MUST(activation_take(&activation, name) == fd);
}

static void names_may_be_missing_or_long(void)
{
    in_child(take_unnamed);
}

/* A variable that was left over from another process, or is no number, is not about us. */
static void take_none(const struct log *log, const char *pid)
{
    struct activation activation;
    char wrong[24];
    int fd = make_socket(AF_UNIX, SOCK_STREAM, true);
    snprintf(wrong, sizeof(wrong), "%s0", pid);
    const char *const pids[] = {NULL, "", "1", wrong, "-1", " 1", "99999999999999999999"};
    for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
        activation_open(&activation, log, pids[i], "1", NULL);
        MUST(activation.count == 0);
    }
    const char *const counts[] = {NULL, "", "0", "-1", "x", "1x", "99999999999999999999"};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        activation_open(&activation, log, pid, counts[i], NULL);
        MUST(activation.count == 0);
    }
    MUST(is_open(fd));
    MUST((fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0);
}

static void numbers_must_be_right(void)
{
    in_child(take_none);
}

static void take_many(const struct log *log, const char *pid)
{
    struct activation activation;
    int last = -1;
    for (int i = 0; i <= ACTIVATION_MAX; i++) {
        last = make_socket(AF_UNIX, SOCK_STREAM, true);
    }
    activation_open(&activation, log, pid, "1000000000", NULL);
    MUST(activation.count == ACTIVATION_MAX);
    MUST(!is_open(last) && is_open(last - 1));
}

static void no_more_than_there_is_room_for(void)
{
    in_child(take_many);
}

static const struct test_case cases[] = {
    {"sockets_are_found_by_name", sockets_are_found_by_name},
    {"a server is given a copy", a_server_is_given_a_copy},
    {"what_does_not_listen_is_closed", what_does_not_listen_is_closed},
    {"what_nobody_takes_is_closed", what_nobody_takes_is_closed},
    {"names_may_be_missing_or_long", names_may_be_missing_or_long},
    {"numbers_must_be_right", numbers_must_be_right},
    {"no_more_than_there_is_room_for", no_more_than_there_is_room_for},
    {NULL, NULL},
};
const struct test_suite suite_activation = {"activation", cases};
