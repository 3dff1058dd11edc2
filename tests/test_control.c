/*
 * test_control - control, through which a service is commanded: its socket in a loop of this
 * process, and clients beside it.
 */
#include "stage.h"

#include "../services/common/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

/* A service that says what it is asked. */
struct rig {
    struct loop loop;
    struct log log;
    struct control control;
    struct loop_timer guard;
    bool late; /* the next answer comes later */
    int asked[3];
    int pipe[2];
    char text[1024]; /* the log since it was last read */
};

static bool answer(void *owner, enum control_word word, struct line *line)
{
    static const char *const answers[] = {"ok running", "ok running", "ok stopped"};
    struct rig *rig = owner;
    rig->asked[word]++;
    line_add(line, "%s", answers[word]);
    if (rig->late) {
        loop_end(&rig->loop, 0);
    }
    return !rig->late;
}

static void give_up(void *owner)
{
    struct rig *rig = owner;
    loop_end(&rig->loop, 1);
}

static void rig_open(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    CU_ASSERT_EQUAL_FATAL(pipe2(rig->pipe, O_CLOEXEC | O_NONBLOCK), 0);
    CU_ASSERT_EQUAL_FATAL(loop_open(&rig->loop), 0);
    log_open(&rig->log, "test", rig->pipe[1], NULL);
    rig->guard = (struct loop_timer){.expired = give_up, .owner = rig};
    control_open(&rig->control, &rig->loop, &rig->log, answer, rig);
    control_listen(&rig->control, scratch_dir(), "bench");
}

static void rig_close(struct rig *rig)
{
    control_close(&rig->control);
    loop_close(&rig->loop);
    close(rig->pipe[0]);
    close(rig->pipe[1]);
}

static const char *rig_log(struct rig *rig)
{
    ssize_t length = read(rig->pipe[0], rig->text, sizeof(rig->text) - 1);
    rig->text[length > 0 ? length : 0] = '\0';
    return rig->text;
}

/* Runs the loop until a part of the test ends it. */
static void rig_run(struct rig *rig)
{
    rig->loop.ended = false;
    loop_set(&rig->loop, &rig->guard, STAGE_PATIENCE);
    CU_ASSERT_EQUAL_FATAL(loop_run(&rig->loop), 0);
    loop_unset(&rig->loop, &rig->guard);
}

static void end_loop(void *owner, uint32_t events)
{
    struct rig *rig = owner;
    (void)events;
    loop_end(&rig->loop, 0);
}

static int call_to(const char *dir, const char *name)
{
    struct sockaddr_un address;
    socklen_t size = control_address(dir, name, &address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (size == 0 || fd < 0 || connect(fd, (const struct sockaddr *)&address, size) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int call(const char *text)
{
    int fd = call_to(scratch_dir(), "bench");
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL_FATAL(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
    return fd;
}

/* Runs the loop until the client has something to read, its end included. */
static const char *hear(struct rig *rig, int fd)
{
    static char text[256];
    struct loop_source source = {.fd = fd, .ready = end_loop, .owner = rig};
    CU_ASSERT_EQUAL_FATAL(loop_add(&rig->loop, &source, EPOLLIN), 0);
    rig_run(rig);
    loop_remove(&rig->loop, &source);
    ssize_t size = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
    text[size > 0 ? size : 0] = '\0';
    return text;
}

static void expect(struct rig *rig, const char *line, const char *expected)
{
    int fd = call(line);
    CU_ASSERT_STRING_EQUAL(hear(rig, fd), expected);
    close(fd);
}

/* ---- Tests ---- */

static void words_are_answered(void)
{
    struct rig rig;
    rig_open(&rig);
    expect(&rig, "status\n", "ok running\n");
    expect(&rig, "stop\n", "ok stopped\n");
    expect(&rig, "start\nand more", "ok running\n");
    expect(&rig, "reboot\n", "error unknown word\n");
    expect(&rig, "\n", "error unknown word\n");
    CU_ASSERT_EQUAL(rig.asked[CONTROL_STATUS], 1);
    CU_ASSERT_EQUAL(rig.asked[CONTROL_STOP], 1);
    CU_ASSERT_EQUAL(rig.asked[CONTROL_START], 1);
    CU_ASSERT_STRING_EQUAL(rig_log(&rig), "");
    rig_close(&rig);
}

static void a_line_may_come_in_pieces_and_not_be_long(void)
{
    struct rig rig;
    char text[CONTROL_WORD + 1];
    memset(text, 'x', CONTROL_WORD);
    text[CONTROL_WORD] = '\0';
    rig_open(&rig);
    expect(&rig, text, "error the line is too long\n");
    int fd = call("sta");
    expect(&rig, "status\n", "ok running\n"); /* the first piece has been read by then */
    CU_ASSERT_EQUAL_FATAL(send(fd, "tus\n", 4, 0), 4);
    CU_ASSERT_STRING_EQUAL(hear(&rig, fd), "ok running\n");
    close(fd);
    rig_close(&rig);
}

static void an_answer_may_come_later(void)
{
    struct rig rig;
    rig_open(&rig);
    rig.late = true;
    int fd = call("stop\n");
    rig_run(&rig);
    int gone = call("stop\n");
    rig_run(&rig);
    close(gone); /* whoever leaves is not waited for, and answers nobody else's call */
    rig.late = false;
    expect(&rig, "status\n", "ok running\n");
    control_answer(&rig.control, "ok stopped");
    CU_ASSERT_STRING_EQUAL(hear(&rig, fd), "ok stopped\n");
    CU_ASSERT_EQUAL(rig.asked[CONTROL_STOP], 2);
    close(fd);
    rig_close(&rig);
}

static void nobody_is_waited_for(void)
{
    struct rig rig;
    rig_open(&rig);
    int fd = call("sta");
    expect(&rig, "status\n", "ok running\n");
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        if (rig.control.clients[i].source.fd >= 0) {
            CU_ASSERT_TRUE(rig.control.clients[i].patience.set);
            loop_set(&rig.loop, &rig.control.clients[i].patience, 0);
        }
    }
    CU_ASSERT_STRING_EQUAL(hear(&rig, fd), "error no line came\n");
    close(fd);
    rig_close(&rig);
}

static void clients_are_few(void)
{
    struct rig rig;
    int fds[CONTROL_CLIENTS];
    rig_open(&rig);
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        fds[i] = call("");
    }
    expect(&rig, "status\n", "error too many others are asking\n");
    close(fds[3]);
    /* What was said above is heard only after the end of that connection was. */
    for (const char *text = ""; strcmp(text, "ok running\n") != 0;) {
        int fd = call("status\n");
        text = hear(&rig, fd);
        close(fd);
    }
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        if (i != 3) {
            close(fds[i]);
        }
    }
    rig_close(&rig);
}

/* In a child that is nobody: how many lines like this come back from so many calls. */
static int count_as_nobody(const char *line, const char *expected, int calls)
{
    int fds[CONTROL_CLIENTS * 2];
    int count = 0;
    for (int i = 0; i < calls; i++) {
        fds[i] = call_to(scratch_dir(), "bench");
        if (fds[i] < 0 || send(fds[i], line, strlen(line), MSG_NOSIGNAL) < 0) {
            return 100;
        }
    }
    for (int i = 0; i < calls; i++) {
        char text[128] = "";
        count += recv(fds[i], text, sizeof(text) - 1, 0) > 0 && strcmp(text, expected) == 0;
    }
    return count;
}

struct as_nobody {
    const char *line;
    const char *expected;
    int calls;
};

/* Gives what the child counted. The loop runs until it has ended. */
static int ask_as_nobody(struct rig *rig, struct as_nobody wish)
{
    int status;
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
    CU_ASSERT_EQUAL_FATAL(chmod(scratch_dir(), 0711), 0);
    pid_t pid = fork();
    CU_ASSERT_FATAL(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        _exit(setresuid(NOBODY, NOBODY, NOBODY) != 0
                  ? 101
                  : count_as_nobody(wish.line, wish.expected, wish.calls));
    }
    close(ends[1]);
    (void)hear(rig, ends[0]); /* its end of the pipe is closed with it */
    close(ends[0]);
    CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_TRUE_FATAL(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void others_may_only_ask(void)
{
    struct rig rig;
    if (geteuid() != 0) {
        test_skip("only root can be somebody else");
        return;
    }
    rig_open(&rig);
    const char *const no = "error only root and the service's own user may do that\n";
    CU_ASSERT_EQUAL(ask_as_nobody(&rig, (struct as_nobody){"stop\n", no, 1}), 1);
    CU_ASSERT_EQUAL(ask_as_nobody(&rig, (struct as_nobody){"start\n", no, 1}), 1);
    CU_ASSERT_EQUAL(rig.asked[CONTROL_STOP] + rig.asked[CONTROL_START], 0);
    CU_ASSERT_EQUAL(ask_as_nobody(&rig, (struct as_nobody){"status\n", "ok running\n", 1}), 1);
    rig_close(&rig);
}

/* Those who say nothing are sent away but for a few, whose places are not everybody's. */
static void others_leave_room(void)
{
    struct rig rig;
    if (geteuid() != 0) {
        test_skip("only root can be somebody else");
        return;
    }
    rig_open(&rig);
    int own = call("sta");
    expect(&rig, "status\n", "ok running\n"); /* that one has its place, not one in the queue */
    rig.control.user = 0;
    struct as_nobody many = {"", "error too many others are asking\n", CONTROL_CLIENTS};
    pid_t pid = fork();
    CU_ASSERT_FATAL(pid >= 0);
    if (pid == 0) {
        _exit(setresuid(NOBODY, NOBODY, NOBODY) != 0 ||
              count_as_nobody(many.line, many.expected, many.calls) !=
                  CONTROL_CLIENTS - CONTROL_ASKERS);
    }
    int rounds = 0;
    for (size_t askers = 0; askers < CONTROL_ASKERS;) {
        CU_ASSERT_FATAL(rounds++ < 10000); /* else they were never told apart */
        expect(&rig, "status\n", "ok running\n");
        askers = 0;
        for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
            const struct control_client *client = &rig.control.clients[i];
            askers += client->source.fd >= 0 && !client->may_command;
        }
    }
    expect(&rig, "stop\n", "ok stopped\n");
    CU_ASSERT_EQUAL(kill(pid, SIGKILL), 0);
    CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
    close(own);
    rig_close(&rig);
}

static void the_name_is_the_stores_and_the_services(void)
{
    struct rig rig;
    struct rig second;
    char other[512];
    rig_open(&rig);
    CU_ASSERT_EQUAL(call_to(scratch_dir(), "bench2"), -1);
    snprintf(other, sizeof(other), "%s", scratch_path("other"));
    CU_ASSERT_EQUAL_FATAL(mkdir(other, 0700), 0);
    CU_ASSERT_EQUAL(call_to(other, "bench"), -1);
    /* A second one of that name does without. */
    rig_open(&second);
    CU_ASSERT_STRING_EQUAL(rig_log(&second), "test: cannot be commanded: Address already in use\n");
    expect(&rig, "status\n", "ok running\n");
    /* But not for ever. */
    control_close(&rig.control);
    CU_ASSERT_TRUE(second.control.pause.set);
    second.control.pause.expired(second.control.pause.owner);
    expect(&second, "status\n", "ok running\n");
    rig_close(&second);
    control_listen(&rig.control, scratch_dir(), "bench");
    expect(&rig, "status\n", "ok running\n");
    /* The store was replaced by another directory. */
    control_listen(&rig.control, other, "bench");
    CU_ASSERT_EQUAL(call_to(scratch_dir(), "bench"), -1);
    int fd = call_to(other, "bench");
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(send(fd, "status\n", 7, 0), 7);
    CU_ASSERT_STRING_EQUAL(hear(&rig, fd), "ok running\n");
    close(fd);
    CU_ASSERT_STRING_EQUAL(rig_log(&rig), "");
    rig_close(&rig);
}

static void names_have_room(void)
{
    struct sockaddr_un address;
    char name[66];
    memset(name, 'n', sizeof(name));
    name[64] = '\0';
    socklen_t size = control_address(scratch_dir(), name, &address);
    CU_ASSERT_FATAL(size > 0);
    CU_ASSERT_EQUAL(memcmp((const char *)&address + size - 64, name, 64), 0);
    CU_ASSERT_EQUAL(control_address(scratch_path("not there"), "bench", &address), 0);
    CU_ASSERT_EQUAL(errno, ENOENT);
}

/* A service that has no descriptor left for a client does not spin, and takes him later. */
static void descriptors_may_be_used_up(void)
{
    struct rig rig;
    struct rlimit old;
    rig_open(&rig);
    int fd = call("status\n");
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &old), 0);
    struct rlimit none = {.rlim_cur = (rlim_t)fd + 1, .rlim_max = old.rlim_max};
    int hole;
    while ((hole = dup(fd)) >= 0 && hole < fd) {
    }
    close(hole);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &none), 0);
    rig.control.listener.ready(rig.control.listener.owner, EPOLLIN);
    CU_ASSERT_FALSE(rig.control.listener.watched);
    CU_ASSERT_TRUE(rig.control.pause.set);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &old), 0);
    loop_set(&rig.loop, &rig.control.pause, 0);
    CU_ASSERT_STRING_EQUAL(hear(&rig, fd), "ok running\n");
    close(fd);
    rig_close(&rig);
}

static const struct test_case cases[] = {
    {"words_are_answered", words_are_answered},
    {"a_line_may_come_in_pieces_and_not_be_long", a_line_may_come_in_pieces_and_not_be_long},
    {"an_answer_may_come_later", an_answer_may_come_later},
    {"nobody_is_waited_for", nobody_is_waited_for},
    {"clients_are_few", clients_are_few},
    {"others_may_only_ask", others_may_only_ask},
    {"others_leave_room", others_leave_room},
    {"the_name_is_the_stores_and_the_services", the_name_is_the_stores_and_the_services},
    {"names_have_room", names_have_room},
    {"descriptors_may_be_used_up", descriptors_may_be_used_up},
    {NULL, NULL},
};
const struct test_suite suite_control = {"control", cases};
