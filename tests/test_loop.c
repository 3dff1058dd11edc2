/* test_loop - the loop in which a service waits: who is called, in which order, and who no more. */
#include "harness.h"

#include "../services/common/loop.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Parts that write a letter each time they are called. */
struct parts;
struct part {
    struct parts *all;
    char letter;
    struct loop_source source;
    struct loop_timer timer;
    int again; /* how often the timer sets itself again, at once */
};
#define PARTS 3
struct parts {
    struct loop loop;
    struct part part[PARTS];
    char called[32];
    int pipes[PARTS][2];
};

static void note(struct part *part, char letter)
{
    size_t length = strlen(part->all->called);
    CU_ASSERT_TRUE_FATAL(length + 1 < sizeof(part->all->called));
    part->all->called[length] = letter;
}

static void come(void *owner, uint32_t events)
{
    struct part *part = owner;
    (void)events;
    note(part, part->letter);
}

static void be_late(void *owner)
{
    struct part *part = owner;
    note(part, (char)(part->letter - 'a' + 'A'));
    if (part->again-- > 0) {
        loop_set(&part->all->loop, &part->timer, 0);
    }
}

static void end(void *owner)
{
    loop_end(&((struct part *)owner)->all->loop, 7);
}

static void open_parts(struct parts *parts)
{
    *parts = (struct parts){0};
    CU_ASSERT_EQUAL_FATAL(loop_open(&parts->loop), 0);
    for (int i = 0; i < PARTS; i++) {
        struct part *part = &parts->part[i];
        CU_ASSERT_EQUAL_FATAL(pipe2(parts->pipes[i], O_CLOEXEC | O_NONBLOCK), 0);
        part->all = parts;
        part->letter = (char)('a' + i);
        part->source = (struct loop_source){.fd = parts->pipes[i][0], .ready = come, .owner = part};
        part->timer = (struct loop_timer){.expired = be_late, .owner = part};
    }
}

static void close_parts(struct parts *parts)
{
    for (int i = 0; i < PARTS; i++) {
        loop_remove(&parts->loop, &parts->part[i].source);
        close(parts->pipes[i][0]);
        close(parts->pipes[i][1]);
    }
    loop_close(&parts->loop);
}

static void timers_come_in_their_order(void)
{
    struct parts parts;
    open_parts(&parts);
    struct loop_timer last = {.expired = end, .owner = &parts.part[0]};
    loop_set(&parts.loop, &last, 4);
    loop_set(&parts.loop, &parts.part[2].timer, 1);
    loop_set(&parts.loop, &parts.part[0].timer, 3);
    loop_set(&parts.loop, &parts.part[1].timer, 3); /* as late, but set later */
    CU_ASSERT_EQUAL(loop_run(&parts.loop), 7);
    CU_ASSERT_STRING_EQUAL(parts.called, "CAB");
    close_parts(&parts);
}

static void a_timer_is_moved_or_unset(void)
{
    struct parts parts;
    open_parts(&parts);
    struct loop_timer last = {.expired = end, .owner = &parts.part[0]};
    loop_set(&parts.loop, &last, 5);
    loop_set(&parts.loop, &parts.part[0].timer, 1);
    loop_set(&parts.loop, &parts.part[1].timer, 2);
    loop_set(&parts.loop, &parts.part[2].timer, 2);
    loop_set(&parts.loop, &parts.part[0].timer, 3);
    loop_unset(&parts.loop, &parts.part[1].timer);
    loop_unset(&parts.loop, &parts.part[1].timer);
    CU_ASSERT_EQUAL(loop_run(&parts.loop), 7);
    CU_ASSERT_STRING_EQUAL(parts.called, "CA");
    close_parts(&parts);
}

/* b, when it comes, takes a and c out, one of which has come in the same waking and was not called
 * yet, whatever the order is. */
static void take_others_out(void *owner, uint32_t events)
{
    struct part *part = owner;
    come(part, events);
    for (int i = 0; i < PARTS; i++) {
        loop_remove(&part->all->loop, &part->all->part[i].source);
    }
    loop_set(&part->all->loop, &part->timer, 0);
}

static void who_was_taken_out_is_not_called(void)
{
    struct parts parts;
    open_parts(&parts);
    for (int i = 0; i < PARTS; i++) {
        parts.part[i].source.ready = take_others_out;
        parts.part[i].timer.expired = end;
        CU_ASSERT_EQUAL_FATAL(loop_add(&parts.loop, &parts.part[i].source, EPOLLIN), 0);
        CU_ASSERT_EQUAL_FATAL(write(parts.pipes[i][1], "x", 1), 1);
    }
    CU_ASSERT_EQUAL(loop_run(&parts.loop), 7);
    CU_ASSERT_EQUAL(strlen(parts.called), 1);
    close_parts(&parts);
}

static void come_and_end(void *owner, uint32_t events)
{
    come(owner, events);
    end(owner);
}

/* A timer that sets itself again for ever leaves the descriptors their turn. */
static void a_restless_timer_starves_nobody(void)
{
    struct parts parts;
    open_parts(&parts);
    parts.part[0].again = 8;
    parts.part[1].source.ready = come_and_end;
    CU_ASSERT_EQUAL_FATAL(loop_add(&parts.loop, &parts.part[1].source, EPOLLIN), 0);
    CU_ASSERT_EQUAL_FATAL(write(parts.pipes[1][1], "x", 1), 1);
    loop_set(&parts.loop, &parts.part[0].timer, 0);
    CU_ASSERT_EQUAL(loop_run(&parts.loop), 7);
    CU_ASSERT_TRUE(strlen(parts.called) < 4);
    close_parts(&parts);
}

static const struct test_case cases[] = {
    {"timers come in their order", timers_come_in_their_order},
    {"a timer is moved or unset", a_timer_is_moved_or_unset},
    {"who was taken out is not called", who_was_taken_out_is_not_called},
    {"a restless timer starves nobody", a_restless_timer_starves_nobody},
    {NULL, NULL},
};

const struct test_suite suite_loop = {"loop", cases};
