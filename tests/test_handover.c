/*
 * test_handover - handover, by which a service hands a text to a helper: the loop of this process,
 * and a socket that a test listens on.
 */
#include "stage.h"

#include "../services/lanmanserver/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct rig {
    struct loop loop;
    struct handover handover;
    struct loop_timer guard;
    int listener;
    char path[100];
    unsigned answers;
    bool taken;
    char said[256];
};

static void note(void *owner, bool taken, const char *said)
{
    struct rig *rig = owner;
    rig->answers++;
    rig->taken = taken;
    snprintf(rig->said, sizeof(rig->said), "%s", said);
    loop_end(&rig->loop, 0);
}

static void give_up(void *owner)
{
    struct rig *rig = owner;
    loop_end(&rig->loop, 1);
}

static void rig_open(struct rig *rig)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memset(rig, 0, sizeof(*rig));
    snprintf(rig->path, sizeof(rig->path), "%s", scratch_path("helper"));
    memcpy(address.sun_path, rig->path, strlen(rig->path));
    CU_ASSERT_EQUAL_FATAL(loop_open(&rig->loop), 0);
    rig->guard = (struct loop_timer){.expired = give_up, .owner = rig};
    handover_open(&rig->handover, &rig->loop, note, rig);
    rig->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL_FATAL(bind(rig->listener, (const struct sockaddr *)&address, sizeof(address)),
                          0);
    CU_ASSERT_EQUAL_FATAL(listen(rig->listener, 4), 0);
}

static void rig_close(struct rig *rig)
{
    handover_close(&rig->handover);
    loop_close(&rig->loop);
    close(rig->listener);
    CU_ASSERT_EQUAL(unlink(rig->path), 0);
}

static void rig_run(struct rig *rig)
{
    rig->loop.ended = false;
    loop_set(&rig->loop, &rig->guard, STAGE_PATIENCE);
    CU_ASSERT_EQUAL_FATAL(loop_run(&rig->loop), 0);
    loop_unset(&rig->loop, &rig->guard);
}

/* A helper that answers so before it has read anything. */
static void expect(const char *answer, bool taken, const char *said)
{
    struct rig rig;
    rig_open(&rig);
    CU_ASSERT_TRUE_FATAL(handover_begin(&rig.handover, rig.path, "[global]\n"));
    int fd = accept(rig.listener, NULL, NULL);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL_FATAL(write(fd, answer, strlen(answer)), (ssize_t)strlen(answer));
    CU_ASSERT_EQUAL(shutdown(fd, SHUT_WR), 0);
    rig_run(&rig);
    CU_ASSERT_EQUAL(rig.answers, 1);
    CU_ASSERT_EQUAL(rig.taken, taken);
    CU_ASSERT_STRING_EQUAL(rig.said, said);
    CU_ASSERT_EQUAL(rig.handover.source.fd, -1);
    close(fd);
    rig_close(&rig);
}

static void answers_are_understood(void)
{
    expect("ok\n", true, "");
    expect("ok smbd does not run\n", true, "smbd does not run");
    expect("error line 3: it is too long\n", false, "line 3: it is too long");
    expect("error line 3: it is too long", false, "line 3: it is too long");
    expect("", false, "regstore-smbd-reload has ended without an answer");
    expect("yes\n", false, "regstore-smbd-reload has ended without an answer");
    expect("okay\n", false, "regstore-smbd-reload has ended without an answer");
}

static void an_answer_may_be_too_long(void)
{
    char answer[HANDOVER_ANSWER + 100] = "ok ";
    memset(answer + 3, 'x', sizeof(answer) - 4);
    answer[sizeof(answer) - 1] = '\0';
    char said[256]; /* what the test's own room is */
    memcpy(said, answer + 3, sizeof(said) - 1);
    said[sizeof(said) - 1] = '\0';
    expect(answer, true, said);
}

/* Far more than a socket holds at once, and every byte of it comes. */
static void a_long_text_comes_whole(void)
{
    struct rig rig;
    size_t size = HANDOVER_MAX;
    char *text = malloc(size + 1);
    CU_ASSERT_FATAL(text != NULL);
    for (size_t i = 0; i < size; i++) {
        text[i] = (char)('a' + i % 23);
    }
    text[size] = '\0';
    rig_open(&rig);
    pid_t pid = fork();
    CU_ASSERT_FATAL(pid >= 0);
    if (pid == 0) {
        size_t got = 0;
        ssize_t part = 0;
        char block[4096];
        int fd = accept(rig.listener, NULL, NULL);
        while ((part = read(fd, block, sizeof(block))) > 0) {
            MUST(got + (size_t)part <= size && memcmp(block, text + got, (size_t)part) == 0);
            got += (size_t)part;
        }
        MUST(got == size && write(fd, "ok all\n", 7) == 7);
        _exit(0);
    }
    CU_ASSERT_TRUE(handover_begin(&rig.handover, rig.path, text));
    rig_run(&rig);
    CU_ASSERT_STRING_EQUAL(rig.said, "all");
    CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
    rig_close(&rig);
    free(text);
}

/* A helper that refuses what it has seen so far and reads no more. */
static void a_text_may_be_refused_early(void)
{
    struct rig rig;
    size_t size = HANDOVER_MAX;
    char *text = malloc(size + 1);
    CU_ASSERT_FATAL(text != NULL);
    memset(text, 'x', size);
    text[size] = '\0';
    rig_open(&rig);
    CU_ASSERT_TRUE(handover_begin(&rig.handover, rig.path, text));
    int fd = accept(rig.listener, NULL, NULL);
    CU_ASSERT_EQUAL(write(fd, "error no\n", 9), 9);
    close(fd);
    rig_run(&rig);
    CU_ASSERT_FALSE(rig.taken);
    CU_ASSERT_STRING_EQUAL(rig.said, "no");
    free(text);
    /* One that was sent before the helper closed its end without a look at it. */
    CU_ASSERT_TRUE(handover_begin(&rig.handover, rig.path, "[global]\n"));
    fd = accept(rig.listener, NULL, NULL);
    rig.handover.source.ready(rig.handover.source.owner, EPOLLOUT);
    CU_ASSERT_EQUAL(rig.handover.left, 0);
    CU_ASSERT_EQUAL(write(fd, "error never\n", 12), 12);
    close(fd);
    rig_run(&rig);
    CU_ASSERT_STRING_EQUAL(rig.said, "never");
    rig_close(&rig);
}

static void nobody_is_waited_for(void)
{
    struct rig rig;
    rig_open(&rig);
    CU_ASSERT_TRUE(handover_begin(&rig.handover, rig.path, "[global]\n"));
    CU_ASSERT_TRUE(rig.handover.patience.set);
    loop_set(&rig.loop, &rig.handover.patience, 0);
    rig_run(&rig);
    CU_ASSERT_FALSE(rig.taken);
    CU_ASSERT_STRING_EQUAL(rig.said, "regstore-smbd-reload does not answer");
    /* And another one can be begun, and ended. */
    CU_ASSERT_TRUE(handover_begin(&rig.handover, rig.path, "[global]\n"));
    handover_close(&rig.handover);
    CU_ASSERT_EQUAL(rig.answers, 1);
    CU_ASSERT_FALSE(handover_begin(&rig.handover, scratch_path("nobody"), "[global]\n"));
    CU_ASSERT_EQUAL(errno, ENOENT);
    rig_close(&rig);
}

static const struct test_case cases[] = {
    {"answers are understood", answers_are_understood},
    {"an answer may be too long", an_answer_may_be_too_long},
    {"a long text comes whole", a_long_text_comes_whole},
    {"a text may be refused early", a_text_may_be_refused_early},
    {"nobody is waited for", nobody_is_waited_for},
    {NULL, NULL},
};

const struct test_suite suite_handover = {"handover", cases};
